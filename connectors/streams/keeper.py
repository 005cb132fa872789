"""Keeps one topic: joins its stream, takes batches into the store, acknowledges them then, and joins again when the connection breaks.

Nothing is buffered here but one batch; who follows the topic reads changes from the store, so that a slow follower misses steps of a
key, never its last value, and costs no memory. Must not know protocols.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

import structlog

from connectors.spi import SourceError
from connectors.streams.messages import Batch, Position
from connectors.streams.store import Counts, Dead, Kept, Store

log = structlog.get_logger("connectors.streams")
BACKOFF = 0.5  # seconds before joining again; doubles with each failure, with jitter
LONGEST = 30.0  # seconds
PATIENCE = 1.0  # seconds that a question waits for a stream to be joined where there are values from before

T = TypeVar("T")
Watch = Callable[[Position], AsyncIterator[Batch]]


@dataclass(frozen=True, slots=True)
class State:
    """How a topic is doing. ``fault`` is why it is not joined now; ``heard`` when its last message came, in seconds since 1970."""

    topic: str
    joined: bool
    fault: SourceError | None
    counts: Counts
    heard: float | None


class Keeper:
    """One topic of one system. Starts at once; ``close`` ends it. ``watch`` joins the stream after a position."""

    def __init__(
        self,
        store: Store,
        kept: Kept,
        watch: Watch,
        writing: ThreadPoolExecutor,
        *,
        system: str = "",
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.kept = kept
        self._store = store
        self._watch = watch
        self._writing = writing
        self._system = system
        self._now = now
        self._sleep = sleep
        self._current = asyncio.Event()  # what the stream held when it was joined has been taken in, once in this life
        self._tried = asyncio.Event()  # joining has succeeded or failed
        self._changed = asyncio.Event()
        self._joined = False
        self._known = False  # all that the stream held when it was joined for the first time is there
        self._fault: SourceError | None = None
        self._left = 0.0  # when it was joined last
        self._closing = False
        self.change = 0
        self._task = asyncio.create_task(self._run(), name=f"stream {system} {kept.topic.name}")

    async def ready(self) -> None:
        """Until the topic can be answered from the store: it is up to date, or holds values from before and its stream is not there.

        Raises SourceError where the stream has never been joined and cannot be.
        """
        waiting = [asyncio.create_task(self._current.wait()), asyncio.create_task(self._failed())]
        try:
            await asyncio.wait(waiting, timeout=PATIENCE if self._known else None, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if self._current.is_set() or self._known or self._fault is None:
            return
        fault = self._fault
        raise SourceError(fault.kind, fault.message, detail=fault.detail, source=self._system, untouched=True)

    async def _failed(self) -> None:
        while self._fault is None:
            self._tried.clear()
            await self._tried.wait()

    async def beyond(self, change: int) -> None:
        """Until there is a change after ``change``. Raises SourceError while the stream is not joined."""
        while self.change <= change:
            if self._fault is not None:
                raise self._fault
            self._changed.clear()
            await self._changed.wait()

    def condition(self) -> SourceError | None:
        """Why the stream is not joined now, and for how long not; None while it is, or has not been tried."""
        if self._fault is None:
            return None
        since = f"; not joined for {self._now() - self._left:.0f} s" if self._left else ""
        return SourceError(self._fault.kind, self._fault.message, detail=self._fault.detail + since, source=self._system)

    async def state(self) -> State:
        """Read from the store."""
        counts, heard = await self._do(lambda: self._store.counts(self.kept))
        return State(self.kept.topic.words.path, self._joined, self._fault, counts, heard)

    async def dead(self) -> list[Dead]:
        """The messages that could not be taken, the newest first."""
        return await self._do(lambda: self._store.dead(self.kept))

    async def close(self) -> None:
        self._closing = True
        while not self._task.done():  # a driver may overlook that it is cancelled: ``asyncio.wait_for`` of Python 3.11 does, now and then
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=0.1)

    async def _run(self) -> None:
        failures = 0
        while True:
            fault: SourceError | None = None
            try:
                position, self.change, self._known = await self._do(lambda: self._store.position(self.kept))
                async with aclosing(self._watch(position)) as batches:  # type: ignore[type-var]  # watches are generators
                    async for batch in batches:
                        await self._take(batch)
                        failures = 0
            except SourceError as error:
                fault = error
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                fault = None  # a driver that loses its connection may cancel what waits for it
            except sqlite3.Error as error:
                fault = SourceError("down", "What is known of the stream cannot be stored.", detail=type(error).__name__)
            except Exception as error:  # whatever a driver raises must not end the watch for good
                log.error("stream failed", system=self._system, topic=self.kept.topic.name, error=type(error).__name__, exc_info=error)
                fault = SourceError("broken", "The stream cannot be read.", detail=type(error).__name__)
            if self._closing:
                return
            failures += 1
            if self._joined:
                self._joined, self._left = False, self._now()
            self._fault = fault or SourceError("down", "The stream cut the connection.")
            self._tried.set()
            self._changed.set()
            log.warning("stream lost", system=self._system, topic=self.kept.topic.name, kind=self._fault.kind, detail=self._fault.detail)
            await self._sleep(min(LONGEST, BACKOFF * 2.0 ** (failures - 1)) * (0.5 + random.random()))

    async def _take(self, batch: Batch) -> None:
        """Into the store; what the stream is told of it comes after."""
        if batch.messages or batch.missed or batch.origin:
            now = self._now()
            self.change, dead = await self._do(lambda: self._store.apply(self.kept, batch, now))
            if dead:
                log.warning("messages not taken", system=self._system, topic=self.kept.topic.name, count=dead)
            self._changed.set()
        await batch.done()
        self._joined, self._fault = True, None
        self._tried.set()
        if batch.current:
            self._known = True
            self._current.set()

    async def _do(self, work: Callable[[], T]) -> T:
        """In the thread that writes, one after the other."""
        return await asyncio.get_running_loop().run_in_executor(self._writing, work)


def quiet() -> None:
    """Drivers write addresses and payloads into their logs; what there is to say is said here."""
    for name in ("nats", "mqtt", "aio_pika", "aiormq", "aiokafka"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
