"""A loop whose time jumps: where everybody sleeps it is the next one's time at once. Nothing is real but the order of things.

A schedule is then a matter of the latencies that a test chooses, and so always the same one. What waits for something that never comes
is an error instead of a test that hangs.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Stuck(AssertionError):
    """Everybody waits and nothing will ever happen."""


class _Selector(selectors.SelectSelector):
    """Instead of waiting for files, moves the time on."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.loop.outside and timeout != 0:
            return super().select(None)  # a thread's end wakes the loop; until then it is no later
        if timeout is None:
            raise Stuck("all tasks wait and no timer runs")
        self.loop.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """``now`` is its time in seconds, from 0; ``outside`` how many threads somebody waits for. Those take real time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.outside = 0
        selector = _Selector()
        super().__init__(selector)
        selector.loop = self

    def time(self) -> float:
        return self.now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """The time stands still until ``func`` is done."""
        self.outside += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._back)
        return future

    def _back(self, _: object) -> None:
        self.outside -= 1

    async def shutdown_default_executor(self, *args: Any) -> None:
        self.outside += 1  # a thread of its own waits for the others
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self.outside -= 1

    def timers(self) -> list[asyncio.TimerHandle]:
        """What is still to come."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # asyncio has no other way to ask
        return [handle for handle in scheduled if not handle.cancelled()]


class LoopClock:
    """The clock of the loop that runs."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Uneven(LoopClock):
    """A clock for sources: whoever sleeps a second sleeps anything from none to ``most`` seconds, by chance of ``seed``."""

    def __init__(self, seed: object, most: float = 1.0) -> None:
        self._rng = random.Random(str(seed))
        self._most = most

    async def sleep(self, seconds: float) -> None:
        choose = self._rng
        await asyncio.sleep(seconds * choose.choice((0.0, 0.1, choose.random(), choose.random())) * self._most)


def run(work: Coroutine[Any, Any, T]) -> T:
    """``work`` to its end, and then nothing left of it: no task and no timer."""
    loop = VirtualLoop()
    try:
        found = loop.run_until_complete(work)
        loop.run_until_complete(asyncio.sleep(0))
        left = asyncio.all_tasks(loop)
        assert not left, f"tasks that go on: {left}"
        assert not loop.timers(), f"timers that run: {loop.timers()}"
        return found
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
