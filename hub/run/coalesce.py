"""Requests that ask one source for the same kind of thing share their calls.

There is no timer. While few calls are in flight a question is sent at once, together with all others of the same moment; the keys of
those that arrive while enough are form the next batch, which leaves as soon as a call has come back. So one client alone waits for
nothing, and the busier a source is the more keys travel in each call.

Only what is the same for every caller is shared: one binding with one set of columns in one scope, under the hub's own credential. Each
question has a deadline and rows of its own: it sees the rows of its keys and no others, hears of its own calls alone, and when it goes away
the calls go on for the others, and end when there are none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial

from cachetools import LRUCache

from connectors.spi import SourceError
from hub.run.chunks import Answered, Asker, Key, Question, ask
from hub.run.layers import Fault
from hub.run.sources import Sources

IN_FLIGHT = 4  # calls of one lane after which further questions wait for each other
LANES = 2048

Send = Callable[[Sequence[Key], Asker], Coroutine[None, None, Answered]]


class Coalescer:
    """The lanes of one composition, one for each binding, set of columns and scope."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lanes: LRUCache[tuple[str, tuple[str, ...], str], Lane] = LRUCache(LANES)

    def shares(self, question: Question) -> bool:
        """Whether an answer may serve several requests: it has no parameters of its own, takes keys together and asks as the hub."""
        binding = question.binding
        return not question.params and binding.relation.max_keys > 1 and not self._sources.delegates(binding.system)

    def rows(self, question: Question, keys: Sequence[Key], asker: Asker) -> Wanted:
        """Take ``keys`` along with the next call; to be awaited by its ``answer``."""
        lane = self._lanes.get(question.name)
        if lane is None:
            lane = self._lanes[question.name] = Lane(self._sending(question), question.binding.relation.max_keys, question.binding.system)
        return lane.want(keys, asker, asker.deadline - self._sources.clock.monotonic())

    def _sending(self, question: Question) -> Send:
        return lambda chunk, asker: ask(self._sources, question, chunk, asker, shared=True)


class Wanted:
    """One request's question on its way. ``answer`` has, when it comes, what holds each key: rows, or what went wrong for it."""

    __slots__ = ("_found", "_lane", "_open", "_timer", "answer", "asker", "keys")

    def __init__(self, lane: Lane, keys: Sequence[Key], asker: Asker, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._lane = lane
        self.keys = keys
        self.asker = asker
        self.answer: asyncio.Future[Mapping[Key, Answered]] = loop.create_future()
        self._found: dict[Key, Answered] = {}
        self._open: list[_Calling] = []
        self._timer = loop.call_later(max(0.0, seconds), self._late)

    def withdraw(self) -> None:
        """Go away: calls that nobody else waits for end."""
        self._timer.cancel()
        if not self.answer.done():
            self.answer.cancel()
            self._lane.forget(self)
            for calling in self._open:
                calling.forget(self)

    def travels(self, calling: _Calling) -> None:
        """Some of the keys have left in ``calling``."""
        self._open.append(calling)

    def arrived(self, calling: _Calling, found: Mapping[Key, Answered]) -> None:
        """The answer for those keys."""
        self._open.remove(calling)
        self._found.update(found)
        if not self._open and not self.answer.done():  # all keys of a question leave at one moment
            self._timer.cancel()
            self.answer.set_result(self._found)

    def failed(self, error: BaseException) -> None:
        """A mistake of the program: whoever waits for this question gets to see it."""
        self._timer.cancel()
        if not self.answer.done():
            self.answer.set_exception(error)

    def _late(self) -> None:
        if not self.answer.done():
            late = Answered({}, fault=Fault.of(SourceError("slow", "no answer in time", source=self._lane.system)))
            self.answer.set_result(dict.fromkeys(self.keys, late) | self._found)
            self._lane.forget(self)
            for calling in self._open:
                calling.forget(self)


@dataclass(slots=True, eq=False)
class _Calling:
    """A call in flight and the questions it is for, with their keys in it. ``counts``: whether it holds one of the lane's turns."""

    task: asyncio.Task[Answered]
    wanted: dict[Wanted, list[Key]]
    counts: bool

    def forget(self, gone: Wanted) -> None:
        self.wanted.pop(gone, None)
        if not self.wanted:
            self.task.cancel()


class Lane:
    """Questions of one shape on their way to one source. ``send`` makes one call of at most ``size`` keys."""

    def __init__(self, send: Send, size: int, system: str = "") -> None:
        self.system = system
        self._send = send
        self._size = max(1, size)
        self._waiting: dict[Wanted, None] = {}
        self._in_flight = 0
        self._leaving = False

    def want(self, keys: Sequence[Key], asker: Asker, seconds: float) -> Wanted:
        """Let ``keys`` leave with the next call; at most ``seconds`` from now there is an answer."""
        wanted = Wanted(self, keys, asker, seconds)
        self._waiting[wanted] = None
        self._call_soon()
        return wanted

    def forget(self, gone: Wanted) -> None:
        """A question that has not left yet stays here."""
        self._waiting.pop(gone, None)

    def _call_soon(self) -> None:
        if self._waiting and not self._leaving and self._in_flight < IN_FLIGHT:
            self._leaving = True
            asyncio.get_running_loop().call_soon(self._leave)

    def _leave(self) -> None:
        """Send all that wait, callers with few keys first: a key of theirs does not travel behind a thousand of another's."""
        self._leaving = False
        waiting, self._waiting = self._fewest_first(), {}
        who: dict[Key, list[Wanted]] = {}
        for wanted in waiting:
            for key in wanted.keys:
                who.setdefault(key, []).append(wanted)
        keys = list(who)
        for start in range(0, len(keys), self._size):
            chunk = keys[start : start + self._size]
            parts: dict[Wanted, list[Key]] = {}
            for key in chunk:
                for wanted in who[key]:
                    parts.setdefault(wanted, []).append(key)
            # A request with many chunks holds no turn: others would wait until the last of them is back.
            self._begin(chunk, parts, counts=len(keys) <= self._size)

    def _fewest_first(self) -> Iterable[Wanted]:
        if len(self._waiting) == 1:
            return self._waiting
        load: dict[str, int] = {}
        for wanted in self._waiting:
            load[wanted.asker.principal] = load.get(wanted.asker.principal, 0) + len(wanted.keys)
        return sorted(self._waiting, key=lambda wanted: load[wanted.asker.principal])

    def _begin(self, chunk: list[Key], parts: dict[Wanted, list[Key]], counts: bool) -> None:
        first = next(iter(parts)).asker
        asker = Asker(max(wanted.asker.deadline for wanted in parts), first.request_id, first.principal)
        # A context of its own: what the first of them logs or traces by is no business of the others.
        task = asyncio.get_running_loop().create_task(self._send(chunk, asker), context=Context())
        calling = _Calling(task, parts, counts)
        self._in_flight += counts
        for wanted in parts:
            wanted.travels(calling)
        task.add_done_callback(partial(self._back, calling))

    def _back(self, calling: _Calling, task: asyncio.Task[Answered]) -> None:
        self._in_flight -= calling.counts
        self._call_soon()
        if task.cancelled():  # since nobody waits for it any more
            return
        error = task.exception()
        if error is not None:
            for wanted in calling.wanted:
                wanted.failed(error)
            return
        answered = task.result()
        alone = len(calling.wanted) == 1
        for wanted, keys in calling.wanted.items():
            own = answered if alone else answered.of(keys)
            wanted.arrived(calling, dict.fromkeys(keys, own))
