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
from itertools import accumulate, chain

from aiodataloader import DataLoader

from connectors.spi import SourceError
from hub.run.chunks import Asker, Question, ask, named, stood_in
from hub.run.flights import Flights
from hub.run.layers import Fault
from hub.run.rows import Key
from hub.run.sent import Answered, Sent
from hub.run.sources import Sources

IN_FLIGHT = 4  # calls of one lane after which further questions wait for each other
ALL = 1_000_000  # in place of it where they never do
TOGETHER = 16  # keys of one moment are not divided into fewer than these
LANES = 2048  # shapes of questions that are kept

Send = Callable[[Sequence[Key], Asker], Coroutine[None, None, Answered]]


class Coalescer:
    """The lanes of one composition, one for each binding, set of columns and scope."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lanes: dict[str, Lane] = {}
        self.lists = Flights()

    @property
    def idle(self) -> bool:
        """Whether no question is under way."""
        return all(lane.idle for lane in self._lanes.values())

    def shares(self, question: Question) -> bool:
        """Whether an answer may serve several requests: it has no parameters of its own, takes keys together and asks as the hub; or
        it may be served again anyway."""
        binding = question.binding
        return bool(binding.cache) or (question.plain and binding.relation.max_keys > 1 and not self._sources.delegates(binding.system))

    def rows(self, question: Question, keys: Sequence[Key], asker: Asker) -> Wanted:
        """Take ``keys`` along with the next call."""
        binding, name = question.binding, question.name
        if binding.cache:
            caller = self._sources.caller(binding.system, asker.principal)
            name = repr((name, caller, sorted(question.params.items())))
        lane = self._lanes.get(name)
        if lane is None:
            if len(self._lanes) >= LANES:  # more shapes than ever lie in use: those with nothing under way are made again when needed
                self._lanes = {name: lane for name, lane in self._lanes.items() if not lane.idle}
            lane = self._lanes[name] = self._lane(question)
        return lane.want(keys, asker, asker.deadline - self._sources.clock.monotonic())

    def _lane(self, question: Question) -> Lane:
        binding, sources = question.binding, self._sources
        shared = not sources.delegates(binding.system)

        def send(chunk: Sequence[Key], asker: Asker) -> Coroutine[None, None, Answered]:
            return ask(sources, question, chunk, asker, shared=shared)

        if not binding.cache:
            return Lane(send, binding.relation.max_keys, binding.system)

        def late(wanted: Wanted) -> Answered:
            name = named(sources, question, wanted.asker.principal)
            return stood_in(sources, binding, name, wanted.keys, slow(binding.system))

        turns = IN_FLIGHT if binding.relation.max_keys > 1 else ALL  # keys that travel alone gain nothing by waiting for each other
        return Lane(send, binding.relation.max_keys, binding.system, joins=True, turns=turns, late=late if binding.stale else None)


class Wanted(Sent):
    """One request's question on its way, answered at ``at`` (the loop's time) at the latest."""

    __slots__ = ("_calls", "_found", "_lane", "asker", "at", "keys", "left")

    def __init__(self, lane: Lane, keys: Sequence[Key], asker: Asker, at: float) -> None:
        super().__init__()
        self._lane = lane
        self.keys = keys
        self.left = keys  # that have not left yet
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
        """The answer for those keys. All keys that are left leave at one moment, so the last call back after that is the end of it."""
        self._calls.remove(calling)
        if self._calls or self._found:
            self._found.update(found)
            found = self._found
        elif self.left:
            self._found.update(found)
        if not self._calls and not self.left:
            self._lane.forget(self)
            self.settle(found)

    def late(self) -> None:
        """Its time is over: what has not come is slow, and will not be heard any more."""
        self._leave()
        self.settle(dict.fromkeys(self.keys, self._lane.late(self)) | self._found)

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


def slow(system: str) -> Fault:
    """What a question hears whose time is over."""
    return Fault.of(SourceError("slow", "no answer in time", source=system))


class Lane:
    """Questions of one shape on their way to one source. ``send`` makes one call of at most ``size`` keys; from ``turns`` calls in flight
    on questions wait for each other. With ``joins`` a key that is under way is not sent again. ``late`` is what a question hears whose time
    is over."""

    def __init__(
        self,
        send: Send,
        size: int,
        system: str = "",
        *,
        joins: bool = False,
        turns: int = IN_FLIGHT,
        late: Callable[[Wanted], Answered] | None = None,
    ) -> None:
        self.late = late or (lambda wanted: Answered({}, fault=slow(system)))
        self._turns = turns
        self._under_way: dict[Key, _Calling] | None = {} if joins else None
        self._send = send
        self._size = max(1, size)
        self._open: dict[Wanted, None] = {}
        self._waiting: dict[Wanted, None] = {}
        self._loader: DataLoader[dict[Wanted, None], None] = DataLoader(self._leave, cache=False)
        self._moment: dict[Wanted, None] | None = None  # the questions of this moment, which the loader is to put together
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
        if self._under_way:
            self._join(wanted, self._under_way)
        if not wanted.left:
            return wanted
        if self._in_flight < self._turns:
            self._together({wanted: None})
        else:
            self._waiting[wanted] = None
        return wanted

    def _together(self, questions: dict[Wanted, None]) -> None:
        """Let these leave with all others of this moment. The loader gets them as one, since it makes a future for each thing it gets."""
        if self._moment is None:
            self._moment = questions
            self._loader.load(questions)
        else:
            self._moment.update(questions)

    def _join(self, wanted: Wanted, under_way: Mapping[Key, _Calling]) -> None:
        """Wait for those keys that have left already, with the calls that they are in."""
        left, joined = [], dict[_Calling, list[Key]]()
        for key in wanted.keys:
            calling = under_way.get(key)
            if calling is None or not calling.wanted:  # one that nobody waits for has been ended
                left.append(key)
            else:
                joined.setdefault(calling, []).append(key)
        wanted.left = left
        for calling, keys in joined.items():
            calling.wanted[wanted] = keys
            wanted.travels(calling)

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

    async def _leave(self, moments: list[dict[Wanted, None]]) -> list[None]:
        """Send all questions of one moment, over as many calls as there are turns if they are many.

        In one call they would all come back at once, be answered one after the other, ask again at once, and so on in step: sources idle
        while answers are made, and nothing to make while sources work. Callers with few keys go first: a key of theirs does not travel
        behind a thousand of another's.
        """
        self._moment = None
        there = [wanted for wanted in chain.from_iterable(moments) if wanted in self._open]  # the others have gone away meanwhile
        if self._in_flight >= self._turns:  # others of the same moment were faster
            self._waiting.update(dict.fromkeys(there))
        elif there:
            for some in self._divided(_fewest_first(there), self._turns - self._in_flight):
                self._depart(some)
        return [None] * len(moments)

    def _divided(self, waiting: Sequence[Wanted], turns: int) -> list[list[Wanted]]:
        """``waiting`` over at most ``turns`` calls; what asks for the same keys stays together."""
        names = list(dict.fromkeys(tuple(wanted.left) for wanted in waiting))
        sizes = list(map(len, names))
        keys = len(set(chain.from_iterable(names)))
        calls = min(turns, len(names), keys // TOGETHER)
        if calls < 2 or 4 * keys < 3 * sum(sizes):  # or many keys would travel in several of the calls
            return [list(waiting)]
        share = -(-sum(sizes) // calls)
        call = {name: before // share for name, before in zip(names, accumulate(sizes, initial=0), strict=False)}
        found: dict[int, list[Wanted]] = {}
        for wanted in waiting:
            found.setdefault(call[tuple(wanted.left)], []).append(wanted)
        return list(found.values())

    def _depart(self, questions: Sequence[Wanted]) -> None:
        who: dict[Key, list[Wanted]] = {}
        for wanted in questions:
            for key in wanted.left:
                who.setdefault(key, []).append(wanted)
            wanted.left = ()
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
        if self._under_way is not None:
            self._under_way.update(dict.fromkeys(chunk, calling))
        for wanted in parts:
            wanted.travels(calling)
        task.add_done_callback(partial(self._back, calling, chunk))

    def _back(self, calling: _Calling, chunk: Sequence[Key], task: asyncio.Task[Answered]) -> None:
        self._in_flight -= calling.counts
        if self._under_way is not None:
            for key in chunk:
                if self._under_way.get(key) is calling:
                    del self._under_way[key]
        waiting, self._waiting = self._waiting, {}
        if waiting:
            self._together(waiting)
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
