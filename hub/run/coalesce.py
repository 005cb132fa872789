"""Requests that ask one source for the same kind of thing share their calls.

There is no timer. While few calls are in flight a question is sent at once; the keys of those that arrive while enough are form the
next batch together, which leaves as soon as a call has come back. So one client alone waits for nothing, and the busier a source is the
more keys travel in each call.

Only what is the same for every caller is shared: one binding with one set of columns, under the hub's own credential. A caller that
goes away leaves the call to the others. The loader's key is a whole chunk of keys: a future for each single key would cost more than
all the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiodataloader import DataLoader
from cachetools import LRUCache

from connectors.spi import SourceError
from hub.run.chunks import Answered, Key, Question, ask
from hub.run.sources import Sources

IN_FLIGHT = 4  # calls of one binding after which further questions wait for each other
LANES = 2048


@dataclass(frozen=True, slots=True)
class Wanted:
    """The keys of one request, and until when it waits for them (seconds of the sources' clock)."""

    keys: tuple[Key, ...]
    deadline: float
    request_id: str


Answers = Mapping[Key, Answered]


class Coalescer:
    """The lanes of one composition, one for each binding and set of columns."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lanes: LRUCache[tuple[str, tuple[str, ...]], Lane] = LRUCache(LANES)

    def shares(self, question: Question) -> bool:
        """Whether an answer may serve several requests: it has no parameters of its own, takes keys together and asks as the hub."""
        binding = question.binding
        return question.plain and binding.relation.max_keys > 1 and not self._sources.delegates(binding.system)

    async def rows(self, question: Question, keys: Sequence[Key], deadline: float, request_id: str) -> Answers:
        """The answer that holds each key. Raises SourceError (slow) when the request's deadline comes first."""
        name = (question.binding.id, question.columns)
        lane = self._lanes.get(name)
        if lane is None:

            def send(chunk: Sequence[Key], deadline: float, request_id: str) -> Awaitable[Answered]:
                return ask(self._sources, question, chunk, deadline, request_id)

            lane = self._lanes[name] = Lane(send, question.binding.relation.max_keys)
        try:
            async with asyncio.timeout(max(0.0, deadline - self._sources.clock.monotonic())):
                return await lane.load(Wanted(tuple(keys), deadline, request_id))
        except TimeoutError:
            raise SourceError("slow", "no answer in time", source=question.binding.system) from None


class Lane:
    """Questions of one shape on their way to one source. ``send`` makes one call of at most ``size`` keys."""

    def __init__(self, send: Callable[[Sequence[Key], float, str], Awaitable[Answered]], size: int) -> None:
        self._send = send
        self._size = size
        self._loader: DataLoader[Wanted, Answers] = DataLoader(self._batch, cache=False)
        self._in_flight = 0
        self._turns: list[asyncio.Future[None]] = []

    async def load(self, wanted: Wanted) -> Answers:
        while self._in_flight >= IN_FLIGHT:
            turn = asyncio.get_running_loop().create_future()
            self._turns.append(turn)
            await turn
        # Shielded: the future is the loader's, and whoever else waits in this batch must not hear that one of them has gone.
        return await asyncio.shield(self._loader.load(wanted))

    async def _batch(self, questions: list[Wanted]) -> list[Answers]:
        """One answer for each question: the same mapping for all, which nobody writes to."""
        keys = list(dict.fromkeys(key for wanted in questions for key in wanted.keys))
        deadline = max(wanted.deadline for wanted in questions)
        chunks = [keys[start : start + self._size] for start in range(0, len(keys), self._size)]
        self._in_flight += 1
        try:
            answered = await asyncio.gather(*(self._send(chunk, deadline, questions[0].request_id) for chunk in chunks))
        finally:
            self._in_flight -= 1
            turns, self._turns = self._turns, []
            for turn in turns:
                if not turn.done():
                    turn.set_result(None)
        found = {key: answer for chunk, answer in zip(chunks, answered, strict=True) for key in chunk}
        return [found] * len(questions)
