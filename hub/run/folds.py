"""Requests of one moment that have one plan are run as one: a fold.

Applications ask the same question of many keys, many at once. Their plan is the same object then, and all that differs are the values of
arguments: so each request is a row of one run. Every system is asked once for all of them, its columns are read once, and the answer is put
together as a list is, of which each request gets the element that is its own. Without that, what a request costs is mostly bookkeeping.

A fold never tells anything but a whole answer. Only plans are folded in which nothing depends on the caller and every row is had by a
key that the request gave (``foldable``); and where anything is wrong, or noticed, or missing in one of the answers, each request is run by
itself after all, with what the systems have said already (``_Brought``), so that faults, nulls and notices are told where they always
are. As that costs more than not to fold at all, a plan whose fold came to nothing is let alone for a moment, then for two, four, and so on
(``Pause``). A request alone in its moment is never folded. Who goes away is not missed, and a fold that nobody waits for ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any

from hub.plan.model import Arguments, Expand, Fetch, QueryPlan, Step
from hub.run.arguments import Inputs
from hub.run.chunks import Asker, Question, Shared
from hub.run.coalesce import TOGETHER
from hub.run.execute import Ran, execute
from hub.run.flights import Flights
from hub.run.generated import assemble_each, is_made
from hub.run.rows import Key
from hub.run.sent import Answered, Sent
from hub.run.slices import LARGE, weight
from hub.run.sources import Sources

MOST = TOGETHER  # requests of one fold: of more than these some are answered while others wait for their sources
LONGEST = 64  # moments that a plan is let alone


@dataclass(frozen=True, slots=True)
class Whole:
    """One request's part of a fold: its data, the systems that were called and how many rows it took, about."""

    data: Mapping[str, Any]
    systems: tuple[str, ...]
    rows: int


@dataclass(slots=True, eq=False)
class _Member:
    """A request of a fold, and what it is to go on with."""

    inputs: Inputs
    asker: Asker
    done: asyncio.Future[Whole | Shared]


@dataclass(slots=True)
class Pause:
    """Of one plan: how many moments it is still let alone, and how many it was last."""

    left: int = 0
    last: int = 0

    @classmethod
    def of(cls, plan: QueryPlan) -> Pause:
        found: Pause = plan.made.setdefault("pause", cls())
        return found

    def over(self) -> bool:
        """Whether the plan is folded in this moment."""
        self.left -= 1
        return self.left < 0

    def came_to(self, whole: bool) -> None:
        self.last = 0 if whole else min(2 * self.last or 1, LONGEST)
        self.left = self.last


@dataclass(slots=True, eq=False)
class _Fold:
    """``members`` that are run in ``task``, so many of which still wait."""

    members: Sequence[_Member]
    waiting: int
    task: asyncio.Task[None] | None = None

    def one_less(self, _: object) -> None:
        self.waiting -= 1
        if not self.waiting and self.task is not None:
            self.task.cancel()


class Folds:
    """Those of one engine. ``shared`` is how requests share calls."""

    def __init__(self, sources: Sources, shared: Shared) -> None:
        self._sources = sources
        self._shared = shared
        self._moment: dict[int, tuple[QueryPlan, list[_Member]]] = {}  # by the plan's identity

    async def run(self, plan: QueryPlan, inputs: Inputs, asker: Asker) -> Whole | Shared:
        """The answer's data, or with whom the request shares its calls when it is run by itself."""
        asked = foldable(plan) if is_made(plan) else ()  # without its function there is nothing to gain
        if not asked or any(map(self._sources.delegates, asked)):
            return self._shared
        loop = asyncio.get_running_loop()
        member = _Member(inputs, asker, loop.create_future())
        if not self._moment:
            loop.call_soon(self._leave)
        self._moment.setdefault(id(plan), (plan, []))[1].append(member)
        return await member.done

    def _leave(self) -> None:
        """The moment is over."""
        moment, self._moment = self._moment, {}
        for plan, members in moment.values():
            there = [member for member in members if not member.done.done()]  # the others have gone away
            if not there:
                continue
            if len(there) == 1 or not Pause.of(plan).over():
                for member in there:
                    member.done.set_result(self._shared)
                continue
            share = -(-len(there) // -(-len(there) // MOST))
            for start in range(0, len(there), share):
                self._begin(plan, there[start : start + share])

    def _begin(self, plan: QueryPlan, members: list[_Member]) -> None:
        fold = _Fold(members, len(members))
        # A context of its own: what the first of them logs or traces by is no business of the others.
        fold.task = asyncio.get_running_loop().create_task(self._fold(plan, members), context=Context())
        for member in members:
            member.done.add_done_callback(fold.one_less)

    async def _fold(self, plan: QueryPlan, members: Sequence[_Member]) -> None:
        first, kept = members[0], _Kept(self._shared)
        deadline = min(member.asker.deadline for member in members)
        inputs = [member.inputs for member in members]
        try:
            ran = await execute(
                plan, self._sources, inputs[0], deadline, first.asker.request_id, first.asker.principal, kept, others=inputs[1:]
            )
            whole = _whole(plan, ran, len(members))
            Pause.of(plan).came_to(whole is not None)
        except asyncio.CancelledError:
            for member in members:
                member.done.cancel()
            raise
        except Exception as error:  # a mistake of the program, which each of them tells
            for member in members:
                if not member.done.done():
                    member.done.set_exception(error)
            return
        for row, member in enumerate(members):
            if not member.done.done():
                member.done.set_result(whole[row] if whole is not None else _Brought(kept))


def foldable(plan: QueryPlan) -> tuple[str, ...]:
    """The systems that a plan asks, if requests with it may be run as one, as long as none of these is asked in the caller's own name;
    found once."""
    found: tuple[str, ...] | None = plan.made.get("folds")
    if found is None:
        makers = frozenset(step.id for step in plan.steps if isinstance(step, Arguments))
        found = plan.made["folds"] = plan.systems if makers and all(_folds(step, makers) for step in plan.steps) else ()
    return found


def _folds(step: Step, makers: frozenset[int]) -> bool:
    """Whether the rows of ``step`` are those of keys that requests gave, and the same for whoever asks. ``makers`` are the steps that
    make one row of the arguments of a request."""
    match step:
        case Arguments():
            return True
        case Expand():
            return step.selected is None and step.listing is None and not step.kinds and not step.when
        case Fetch():
            own = step.layer in makers and {slot.step for slot in step.key} <= makers
            plain = not (step.selected or step.unless or step.requires or step.when or step.cut or step.representation or step.given)
            # With fewer keys a call one request's slow key would hold up the others.
            return own and plain and not step.binding.cache and step.binding.relation.max_keys >= MOST
    return False


def _whole(plan: QueryPlan, ran: Ran, members: int) -> Sequence[Whole] | None:
    """What each member gets; None where only the ordinary way can tell it."""
    for step in plan.steps:
        if isinstance(step, Arguments):
            given = ran.layers[step.id].fetched[step.id]
            if given.faults or any(None in column for column in given.columns.values()):
                return None  # it asks nobody, and so has called no system
    rows = weight(ran.layers)
    made = assemble_each(plan, ran.layers) if rows <= LARGE else None  # more are put together in slices, so that others have their turn
    if made is None or ran.stale:
        return None
    systems = tuple(sorted(ran.systems))
    return [Whole(data, systems, rows // members) for data in made]


@dataclass(slots=True)
class _Kept:
    """The calls of a fold: shared as any, and their answers kept by question."""

    shared: Shared
    sent: dict[str, list[tuple[Sequence[Key], Sent]]] = field(default_factory=dict)

    @property
    def lists(self) -> Flights:
        return self.shared.lists

    def shares(self, question: Question) -> bool:
        return self.shared.shares(question)

    def rows(self, question: Question, keys: Sequence[Key], asker: Asker) -> Sent:
        sent = self.shared.rows(question, keys, asker)
        self.sent.setdefault(question.name, []).append((keys, sent))
        return sent


class _Brought:
    """What a fold's calls have brought, for one of its requests: the rows of its own keys, and no others."""

    def __init__(self, kept: _Kept) -> None:
        self._kept = kept
        self.lists = kept.lists

    def shares(self, question: Question) -> bool:
        return self._kept.shares(question)

    def rows(self, question: Question, keys: Sequence[Key], asker: Asker) -> Sent:
        there: dict[Key, Answered] = {}
        for asked, sent in self._kept.sent.get(question.name, ()):
            there |= {key: sent.result()[key] for key in keys if key in asked}
        if len(there) < len(keys):
            return self._kept.shared.rows(question, keys, asker)
        found = Sent()
        found.settle({key: answered.of((key,)) for key, answered in there.items()})
        return found
