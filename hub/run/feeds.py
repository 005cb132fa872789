"""Feeds: one connection to a system for all who want the same news, kept up with backoff, and a bounded queue for each of them.

Whoever does not take its news in time is ended and nobody else notices; when nobody is left the connection is given up. Knows the
connector interface, nothing of plans or GraphQL.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from connectors.feeds import News
from connectors.spi import Ask, Call, SourceError
from hub.recorder import Recorded
from hub.run.layers import Fault
from hub.run.sources import Sources
from schema.registry import Binding

log = structlog.get_logger("hub.feeds")
QUEUE = 256  # rows that may wait for one subscriber
BACKOFF = 0.5  # seconds before connecting again; doubles with each failure, with jitter
LONGEST = 30.0  # seconds
TRIES = 8  # failures one after the other, after which the feed's subscribers are told


@dataclass(frozen=True, slots=True)
class Happened:
    """The native columns of an event's rows, or why it could not be read."""

    columns: Mapping[str, list[Any]]
    size: int = 0
    fault: Fault | None = None


class Ended(Exception):
    """The subscription is over before its subscriber wanted it; ``fault`` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


class Subscriber:
    """One who takes news: iterate over it. Raises Ended; stops when the source has no more."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Happened] = deque()
        self._rows = 0
        self._news = asyncio.Event()
        self._over = False
        self._fault: Fault | None = None

    def offer(self, happened: Happened) -> None:
        """Never waits: with too much waiting already, it ends."""
        if self._over:
            return
        size = max(1, happened.size)
        if self._waiting and self._rows + size > self._limit:
            self.end(Fault("TOO_SLOW"))
            return
        self._waiting.append(happened)
        self._rows += size
        self._news.set()

    def end(self, fault: Fault | None) -> None:
        """Over: at once with a fault, else when what is waiting has been taken."""
        if self._over:
            return
        self._over, self._fault = True, fault
        if fault is not None:
            self._waiting.clear()
        self._news.set()

    def __aiter__(self) -> Subscriber:
        return self

    async def __anext__(self) -> Happened:
        while not self._waiting:
            if self._over:
                if self._fault is not None:
                    raise Ended(self._fault)
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        happened = self._waiting.popleft()
        self._rows -= max(1, happened.size)
        return happened


@dataclass(slots=True)
class _Stream:
    """One connection and those who share it."""

    binding: Binding
    params: Mapping[str, Any]
    principal: str
    request_id: str
    members: set[Subscriber] = field(default_factory=set)
    task: asyncio.Task[None] | None = None


class Feeds:
    """The feeds of one composition."""

    def __init__(self, sources: Sources, *, queue: int = QUEUE) -> None:
        self._sources = sources
        self._queue = queue
        self._streams: dict[tuple[Any, ...], _Stream] = {}
        self._closed: Fault | None = None

    @asynccontextmanager
    async def joined(self, binding: Binding, params: Mapping[str, Any], principal: str, request_id: str) -> AsyncIterator[Subscriber]:
        """A share of the feed from now on. Callers share a connection when they ask for the same, and, where their own identity goes to
        the system, are the same."""
        subscriber = Subscriber(self._queue)
        if self._closed is not None:
            subscriber.end(self._closed)
            yield subscriber
            return
        caller = principal if self._sources.delegates(binding.system) else ""
        key = (binding.id, repr(sorted(params.items())), self._sources.caller(binding.system, principal))
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = _Stream(binding, params, caller, request_id)
            stream.task = asyncio.create_task(self._run(key, stream), name=f"feed {binding.id}")
        stream.members.add(subscriber)
        try:
            yield subscriber
        finally:
            stream.members.discard(subscriber)
            if not stream.members and self._streams.get(key) is stream:
                del self._streams[key]
                await _cancelled(stream.task)

    async def close(self, code: str = "SHUTTING_DOWN") -> None:
        """End every subscription with ``code`` and give up all connections."""
        self._closed = Fault(code)
        streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            _end(stream, self._closed)
            await _cancelled(stream.task)

    @property
    def open(self) -> int:
        """How many connections there are, for tests and metrics."""
        return len(self._streams)

    async def _run(self, key: tuple[Any, ...], stream: _Stream) -> None:
        fault: Fault | None = Fault("INTERNAL")
        try:
            fault = await self._kept_up(stream)
        finally:
            if self._streams.get(key) is stream:
                del self._streams[key]
            _end(stream, fault)

    async def _kept_up(self, stream: _Stream) -> Fault | None:
        """Connect, and connect again, until there is no more to come: None then, or what is wrong for good."""
        after, failures, wait = "", 0, None
        while True:
            try:
                async for news in self._connected(stream, after):
                    failures, after, wait = 0, news.cursor or after, news.wait
                    happened = _happened(news, stream)
                    for member in tuple(stream.members):
                        member.offer(happened)
            except SourceError as error:
                if error.kind == "missing":
                    return None
                failures += 1
                if error.kind in ("config", "invalid", "denied") or failures >= TRIES:
                    return Fault.of(error)
                wait = error.retry_after if error.retry_after is not None else wait
            pause = min(LONGEST, BACKOFF * 2.0 ** max(0, failures - 1)) * (0.5 + random.random())
            await self._sources.clock.sleep(max(pause, wait or 0.0))

    async def _connected(self, stream: _Stream, after: str) -> AsyncIterator[News]:
        """The news of one connection. Raises SourceError and nothing else."""
        binding, clock = stream.binding, self._sources.clock
        relation = binding.relation
        started, outcome, rows = clock.monotonic(), "ok", 0
        try:
            wanted = tuple(column.name for column in relation.fields)
            plan = self._sources.plan(binding.system, Ask(relation.name, wanted, args=tuple(stream.params)), relation)
            call = Call(stream.params, principal=stream.principal, request_id=stream.request_id)
            async for news in self._sources.feed(binding.system).events(plan, call, after):
                rows += news.page.size if news.page is not None else 0
                yield news
        except SourceError as error:
            outcome = error.kind
            log.warning("feed lost", system=binding.system, relation=relation.name, kind=error.kind, detail=error.detail)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            outcome = "cancelled"
            raise
        except Exception as error:  # a connector's mistake must not take anything else down
            outcome = "broken"
            log.error("connector raised", system=binding.system, relation=relation.name, error=type(error).__name__, exc_info=error)
            raise SourceError("broken", "the connector failed", source=binding.system, relation=relation.name) from error
        finally:
            seconds = clock.monotonic() - started
            self._sources.recorder.record(Recorded(binding.system, relation.name, 0, rows, outcome, seconds, stream.request_id))


def _happened(news: News, stream: _Stream) -> Happened:
    if news.page is None:
        return Happened({}, 0, Fault.of(news.fault) if news.fault is not None else Fault("SYSTEM_BROKEN"))
    lengths = {len(values) for values in news.page.columns.values()}
    if lengths - {news.page.size} or not {column.name for column in stream.binding.relation.fields} <= news.page.columns.keys():
        return Happened({}, 0, Fault("SYSTEM_BROKEN", system=stream.binding.system))
    return Happened(news.page.columns, news.page.size)


def _end(stream: _Stream, fault: Fault | None) -> None:
    for member in tuple(stream.members):
        member.end(fault)


async def _cancelled(task: asyncio.Task[None] | None) -> None:
    if task is None:
        return
    task.cancel()
    await asyncio.wait({task})
