"""Requests that ask one source for the same kind of thing share their calls.

There is no timer. While few calls are in flight a question is sent at once, together with all others of the same moment; the keys of
those that arrive while enough are form the next batch, which leaves as soon as a call has come back. So one client alone waits for
nothing, and the busier a source is the more keys travel in each call. Many of one moment are divided over the calls that may be in flight.

Only what is the same for every caller is shared: one binding with one set of columns in one scope, under the hub's own credential. Each
question has a deadline and rows of its own: it sees the rows of its keys and no others, hears of its own calls alone, and when it goes away
the calls go on for the others, and end when there are none. Questions of one moment are put together by aiodataloader, whole questions at a
time and without its cache; nobody waits for its futures, so that nobody who goes away can take one along.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial

from aiodataloader import DataLoader

from connectors.spi import SourceError
from hub.run.chunks import Answered, Asker, Question, Sent, ask
from hub.run.layers import Fault
from hub.run.rows import Key
from hub.run.sources import Sources

IN_FLIGHT = 4  # calls of one lane after which further questions wait for each other
TOGETHER = 16  # questions of one moment are not divided into fewer than these
LANES = 2048  # shapes of questions that are kept

Send = Callable[[Sequence[Key], Asker], Coroutine[None, None, Answered]]


class Coalescer:
    """The lanes of one composition, one for each binding, set of columns and scope."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lanes: dict[str, Lane] = {}

    @property
    def idle(self) -> bool:
        """Whether no question is under way."""
        return all(lane.idle for lane in self._lanes.values())

    def shares(self, question: Question) -> bool:
        """Whether an answer may serve several requests: it has no parameters of its own, takes keys together and asks as the hub."""
        binding = question.binding
        return question.plain and binding.relation.max_keys > 1 and not self._sources.delegates(binding.system)

    def rows(self, question: Question, keys: Sequence[Key], asker: Asker) -> Wanted:
        """Take ``keys`` along with the next call."""
        name = question.name
        lane = self._lanes.get(name)
        if lane is None:
            if len(self._lanes) >= LANES:  # more shapes than ever lie in use: those with nothing under way are made again when needed
                self._lanes = {name: lane for name, lane in self._lanes.items() if not lane.idle}
            lane = self._lanes[name] = Lane(self._sending(question), question.binding.relation.max_keys, question.binding.system)
        return lane.want(keys, asker, asker.deadline - self._sources.clock.monotonic())

    def _sending(self, question: Question) -> Send:
        return lambda chunk, asker: ask(self._sources, question, chunk, asker, shared=True)


class Wanted(Sent):
    """One request's question on its way, answered at ``at`` (the loop's time) at the latest."""

    __slots__ = ("_calls", "_found", "_lane", "asker", "at", "keys")

    def __init__(self, lane: Lane, keys: Sequence[Key], asker: Asker, at: float) -> None:
        super().__init__()
        self._lane = lane
        self.keys = keys
        self.asker = asker
        self.at = at
        self._calls: list[_Calling] = []
        self._found: dict[Key, Answered] = {}

    def withdraw(self) -> None:
        """Go away: calls that nobody else waits for end."""
        super().withdraw()
        if not self.done:
            self._leave()

    def travels(self, calling: _Calling) -> None:
        """Some of the keys have left in ``calling``."""
        self._calls.append(calling)

    def arrived(self, calling: _Calling, found: Mapping[Key, Answered]) -> None:
        """The answer for those keys. All keys of a question leave at one moment, so the last call back is the end of it."""
        self._calls.remove(calling)
        if self._calls or self._found:
            self._found.update(found)
            found = self._found
        if not self._calls:
            self._lane.forget(self)
            self.settle(found)

    def late(self) -> None:
        """Its time is over: what has not come is slow, and will not be heard any more."""
        self._leave()
        slow = Answered({}, fault=Fault.of(SourceError("slow", "no answer in time", source=self._lane.system)))
        self.settle(dict.fromkeys(self.keys, slow) | self._found)

    def _leave(self) -> None:
        self._lane.forget(self)
        calls, self._calls = self._calls, []
        for calling in calls:
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
        self._open: dict[Wanted, None] = {}
        self._waiting: dict[Wanted, None] = {}
        self._loader: DataLoader[Wanted, None] = DataLoader(self._leave, cache=False)
        self._in_flight = 0
        self._alarm: asyncio.TimerHandle | None = None  # one for the earliest of all that are open

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._open

    def want(self, keys: Sequence[Key], asker: Asker, seconds: float) -> Wanted:
        """Let ``keys`` leave with the next call; at most ``seconds`` from now there is an answer."""
        loop = asyncio.get_running_loop()
        wanted = Wanted(self, keys, asker, loop.time() + seconds)
        self._open[wanted] = None
        if self._alarm is None or wanted.at < self._alarm.when():
            self._set_alarm(wanted.at)
        if self._in_flight < IN_FLIGHT:
            self._loader.load(wanted)
        else:
            self._waiting[wanted] = None
        return wanted

    def forget(self, gone: Wanted) -> None:
        """A question that is over."""
        self._open.pop(gone, None)
        self._waiting.pop(gone, None)
        if not self._open and self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_at(at, self._ring)

    def _ring(self) -> None:
        now = max(asyncio.get_running_loop().time(), self._alarm.when() if self._alarm is not None else 0.0)
        self._alarm = None
        for wanted in [wanted for wanted in self._open if wanted.at <= now]:
            wanted.late()
        if self._open:
            self._set_alarm(min(wanted.at for wanted in self._open))

    async def _leave(self, questions: list[Wanted]) -> list[None]:
        """Send all questions of one moment, over as many calls as there are turns if they are many.

        In one call they would all come back at once, be answered one after the other, ask again at once, and so on in step: sources idle
        while answers are made, and nothing to make while sources work. Callers with few keys go first: a key of theirs does not travel
        behind a thousand of another's.
        """
        there = [wanted for wanted in questions if wanted in self._open]  # the others have gone away meanwhile
        if self._in_flight >= IN_FLIGHT:  # others of the same moment were faster
            self._waiting.update(dict.fromkeys(there))
        elif there:
            for some in self._divided(_fewest_first(there), IN_FLIGHT - self._in_flight):
                self._depart(some)
        return [None] * len(questions)

    def _divided(self, waiting: Sequence[Wanted], turns: int) -> list[list[Wanted]]:
        """``waiting`` over at most ``turns`` calls; what asks for the same keys stays together."""
        names = list(dict.fromkeys(tuple(wanted.keys) for wanted in waiting)) if len(waiting) > TOGETHER else []
        calls = min(turns, len(names) // TOGETHER)
        if calls < 2:
            return [list(waiting)]
        share = -(-len(names) // calls)
        call = {name: place // share for place, name in enumerate(names)}
        found: list[list[Wanted]] = [[] for _ in range(-(-len(names) // share))]
        for wanted in waiting:
            found[call[tuple(wanted.keys)]].append(wanted)
        return found

    def _depart(self, questions: Sequence[Wanted]) -> None:
        who: dict[Key, list[Wanted]] = {}
        for wanted in questions:
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
        waiting, self._waiting = self._waiting, {}
        for wanted in waiting:
            self._loader.load(wanted)
        if task.cancelled():  # since nobody waits for it any more
            return
        error = task.exception()
        if error is not None:
            for wanted in calling.wanted:
                self.forget(wanted)
                wanted.fail(error)
            return
        answered = task.result()
        alone = len(calling.wanted) == 1
        for wanted, keys in calling.wanted.items():
            own = answered if alone else answered.of(keys)
            wanted.arrived(calling, dict.fromkeys(keys, own))


def _fewest_first(questions: list[Wanted]) -> list[Wanted]:
    """Questions by how many keys their caller asks for in all."""
    load: dict[str, int] = {}
    for wanted in questions:
        load[wanted.asker.principal] = load.get(wanted.asker.principal, 0) + len(wanted.keys)
    return sorted(questions, key=lambda wanted: load[wanted.asker.principal])
