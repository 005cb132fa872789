"""Systems that announce: ``@stream`` and ``@topic`` of a manifest, over NATS JetStream, MQTT, AMQP or Kafka.

A topic brings JSON messages; the latest of each key is kept in a store of the hub's own, beside how far the stream has been read, and
questions are answered from there. Must not know GraphQL or other kinds; the protocols are modules of their own.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from connectors.feeds import News
from connectors.http import Auth
from connectors.settings import read, refused
from connectors.spi import Call, Catalog, Connector, Page, Plan, Relation, SourceError, describe_ask, split, too_many_rows
from connectors.streams.keeper import Keeper, State, quiet
from connectors.streams.link import BATCH, Link, link, load
from connectors.streams.messages import Batch, Position, Topic, parsed
from connectors.streams.query import Query, Select, able, sound
from connectors.streams.store import Dead, Keep, Store, connect


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """``url`` says the protocol and the broker. ``keep`` bounds what is kept of each topic, ``max_bytes`` a message. ``data`` is the folder
    to keep it in; without one, nothing outlives the connector, and nothing is taken from a queue that others might miss."""

    url: str
    auth: Auth = field(default_factory=Auth)
    keep: Keep = field(default_factory=Keep)
    max_bytes: int = 1024 * 1024
    data: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From a manifest's words. Raises SourceError (config) naming what it does not know."""
        return read(cls, data)


class StreamConnector(Connector):
    """One system of streams. ``open`` begins to keep its topics; a topic that nobody named begins when it is first asked for."""

    kind = "stream"
    Settings = StreamSettings

    def __init__(self, settings: StreamSettings, *, system: str = "", now: Callable[[], float] = time.time) -> None:
        super().__init__(settings, system=system)
        self._link: Link = link(settings.url, settings.auth)
        if settings.keep.count < 1 or settings.keep.age < 0:
            raise refused("setting 'keep.count' has to be at least 1, 'keep.age' no less than 0")
        self._now = now
        self._looking: tempfile.TemporaryDirectory[str] | None = None  # where nothing is to last
        self._store: Store | None = None
        self._reader: sqlite3.Connection | None = None
        self._writing = ThreadPoolExecutor(1, thread_name_prefix=f"stream-{system}")
        self._reading = ThreadPoolExecutor(1, thread_name_prefix=f"stream-{system}-read")
        self._keepers: dict[str, Keeper] = {}
        self._making = asyncio.Lock()
        self._closed = False

    async def open(self, relations: Sequence[Relation]) -> None:
        """Keep the topics of ``relations`` from now on. Raises SourceError."""
        # A type's own topic comes first: a feed of the same topic reads what is kept for it.
        for relation in sorted(relations, key=lambda one: not one.keys):
            await self._keeper(relation)

    async def describe(self) -> Catalog:
        """The topics that the broker tells of, without their fields. Raises SourceError."""
        found = await load(self._link.protocol).topics(self._link)
        return Catalog(tuple(Relation(name, ()) for name in sorted(set(found))))

    def plan(self, ask: Any, relation: Relation) -> Plan:
        topic = Topic.of(relation)
        made = split(ask, able(ask, relation))
        return replace(made, relation=relation, native=topic, text=f"{self._link.protocol} {topic.words.path} -> {describe_ask(made.ask)}")

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        if len(call.keys) > max(1, plan.relation.max_keys):
            raise refused(f"{plan.relation.name} takes {plan.relation.max_keys} keys at once, not {len(call.keys)}")
        keys = list(sound(call.keys))
        faults = {key: SourceError("invalid", "This key cannot be asked for.") for key, good in keys if not good}
        asked = [key for key, good in keys if good]
        try:
            async with asyncio.timeout_at(call.deadline):
                keeper = await self._keeper(plan.relation)
                await keeper.ready()
                since = self._now() - self.settings.keep.age if self.settings.keep.age else 0.0
                select = Query(plan, keeper.kept.topic, keeper.kept.table).select(call, asked, since)
                if plan.ask.by and not asked:
                    yield replace(Page.of([], plan.fields), faults=faults)
                    return
                rows, total = await self._ask(select)
        except TimeoutError:
            raise SourceError("slow", "The source did not answer in time.") from None
        if len(rows) > call.max_rows:
            raise too_many_rows(call)
        if plan.ask.aggregates:
            names = [*plan.ask.group, *(one.name for one in plan.ask.aggregates)]
            yield Page({name: [row[at] for row in rows] for at, name in enumerate(names)}, len(rows))
            return
        yield replace(Page.of([parsed(row[0]) for row in rows], plan.fields, total=total), faults=faults)

    async def events(self, plan: Plan, call: Call, after: str = "") -> AsyncIterator[News]:
        """What changes from now on, or after a change: see ``connectors.feeds``. One who falls behind gets the last value of each key."""
        keeper = await self._keeper(plan.relation)
        await keeper.ready()
        at = int(after) if after.isdigit() and int(after) <= keeper.change else keeper.change
        if not after:
            yield News(Page.of([], plan.fields), str(at))  # where to go on, should the connection break before the first news
        table = keeper.kept.table
        while True:
            await keeper.beyond(at)
            text = f"SELECT body, change FROM {table} WHERE change > ? ORDER BY change LIMIT ?"
            rows, _ = await self._ask(Select(text, (at, BATCH)))
            at = rows[-1][1] if rows else keeper.change
            bodies = [parsed(body) for body, _ in rows if body is not None]
            if bodies:
                yield News(Page.of(bodies, plan.fields), str(at))

    def condition(self) -> SourceError | None:
        """Why a topic is answered from what was kept before, the first by name; its age is told in seconds."""
        return next((found for _, keeper in sorted(self._keepers.items()) if (found := keeper.condition()) is not None), None)

    async def states(self) -> list[State]:
        """How each topic is doing, by name."""
        return [await keeper.state() for _, keeper in sorted(self._keepers.items())]

    async def dead(self, relation: Relation) -> list[Dead]:
        """The messages of a topic that could not be taken, the newest first."""
        return await (await self._keeper(relation)).dead()

    async def close(self) -> None:
        self._closed = True
        async with self._making:
            keepers, self._keepers = list(self._keepers.values()), {}
            await asyncio.gather(*(keeper.close() for keeper in keepers))
            await asyncio.get_running_loop().run_in_executor(None, self._release)

    def _release(self) -> None:
        self._writing.shutdown()
        self._reading.shutdown()
        store, self._store = self._store, None
        if self._reader is not None:
            self._reader.close()
        if store is not None:
            store.close()
        if self._looking is not None:
            self._looking.cleanup()

    async def _keeper(self, relation: Relation) -> Keeper:
        topic = Topic.of(relation)
        known = self._keepers.get(topic.name)
        if known is not None and _covers(known.kept.topic, topic):
            return known
        async with self._making:
            if self._closed:
                raise SourceError("down", "The connection to the source is closed.", untouched=True)
            known = self._keepers.get(topic.name)
            if known is not None and _covers(known.kept.topic, topic):
                return known
            if known is not None:
                await known.close()
            protocol = load(self._link.protocol)
            store = await self._opened()
            loop = asyncio.get_running_loop()
            kept = await loop.run_in_executor(self._writing, store.keep, topic)
            name = re.sub(r"[^A-Za-z0-9]", "-", f"hub-{store.identity}-{self.system}-{kept.id}")

            def watch(position: Position) -> AsyncIterator[Batch]:
                return protocol.watch(self._link, topic.words, name, bool(self.settings.data), position)

            keeper = Keeper(store, kept, watch, self._writing, system=self.system, now=self._now)
            self._keepers[topic.name] = keeper
            return keeper

    async def _opened(self) -> Store:
        if self._store is None:
            quiet()
            if not self.settings.data:
                self._looking = tempfile.TemporaryDirectory(prefix="hub-stream-")
            path = Path(self._looking.name if self._looking is not None else self.settings.data) / "stream.sqlite"
            try:
                loop = asyncio.get_running_loop()
                self._store = await loop.run_in_executor(self._writing, Store, path, self.settings.keep, self.settings.max_bytes)
                self._reader = await loop.run_in_executor(self._reading, lambda: connect(path, read_only=True))
            except (sqlite3.Error, OSError) as error:
                raise refused("What is known of the stream cannot be stored.", type(error).__name__) from None
        return self._store

    async def _ask(self, select: Select) -> tuple[list[Any], int | None]:
        """(rows, total). A question that nobody waits for any longer is broken off."""
        reader = self._reader
        assert reader is not None

        def work() -> tuple[list[Any], int | None]:
            rows = reader.execute(select.text, select.values).fetchall()
            total = reader.execute(select.count, select.count_values).fetchone()[0] if select.count else None
            return rows, total

        asking = asyncio.get_running_loop().run_in_executor(self._reading, work)
        try:
            return await asking
        except asyncio.CancelledError:
            reader.interrupt()
            raise
        except (sqlite3.Error, OverflowError) as error:
            raise SourceError("broken", "What is known of the stream cannot be read.", detail=type(error).__name__) from None


def _covers(known: Topic, wanted: Topic) -> bool:
    """Whether what is kept serves ``wanted``: a feed takes whatever is kept; a question needs its columns."""
    return known == wanted or {one.path for one in wanted.columns} <= {one.path for one in known.columns}
