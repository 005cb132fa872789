"""Systems that are a database: ``@sql``, ``@table`` and ``@join`` of a manifest; SQLite, PostgreSQL, MySQL, Oracle and their kin.

SQLAlchemy Core over async drivers, read-only, each statement its own transaction. Must not know GraphQL, other kinds, or how the
engine retries and caches. One thing is tried twice here: a pooled connection that turns out to be dead is replaced once, so that
a database that was restarted works again with the next call.
"""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from sqlalchemy import Select, exc, false, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.settings import read
from connectors.spi import Ask, Call, Catalog, Connector, Page, Plan, Relation, Secret, SourceError, too_many_rows
from connectors.sql.dialect import divided, unfit
from connectors.sql.engine import missing_driver, opened
from connectors.sql.failures import failure
from connectors.sql.lost import Known, about_a_column
from connectors.sql.reflect import Table, catalog, names, tables
from connectors.sql.statement import Statement, prepare

T = TypeVar("T")
_PAGE = 5_000
_PATIENCE = 0.3  # seconds that a server has to take back what was cancelled
_TEXTS = frozenset({str, bytes, type(None)})


@dataclass(frozen=True, slots=True)
class SqlSettings:
    """``url`` as SQLAlchemy writes it, with or without a driver; ``schema`` of every table; ``pool_size`` connections at most.

    ``max_bytes`` bounds the texts of one answer, counted in characters.
    """

    url: Secret = field(metadata={"plain": True})
    schema: str = ""
    pool_size: int = 16
    max_bytes: int = 64 * 1024 * 1024

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From a manifest's words. Raises SourceError (config) naming what it does not know."""
        return read(cls, data)


class SqlConnector(Connector):
    """One database. ``ticks`` are seconds, for how long a table is remembered that lacks a column."""

    kind = "sql"
    Settings = SqlSettings

    def __init__(self, settings: SqlSettings, *, system: str = "", ticks: Callable[[], float] = time.monotonic) -> None:
        super().__init__(settings, system=system)
        self._known = Known(ticks)
        self._engine, self._reachable = opened(settings.url, settings.pool_size)
        self._backend = self._engine.dialect.name
        self._closed = False

    async def describe(self) -> Catalog:
        return await self._run(lambda connection: connection.run_sync(catalog, self.settings.schema or None), None)

    async def tables(self) -> tuple[Table, ...]:
        """Every table and view in full, for introspection. Raises SourceError."""
        return await self._run(lambda connection: connection.run_sync(tables, self.settings.schema or None), None)

    def plan(self, ask: Ask, relation: Relation) -> Plan:
        return prepare(ask, relation, self._engine.dialect, self.settings.schema)

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        statement, lost = self._known.without(plan, self._engine.dialect, self.settings.schema)
        faults = {key: _bad_key() for key in call.keys if any(unfit(part) for part in key)}
        keys = [key for key in call.keys if key not in faults and None not in key]
        rows: Sequence[Sequence[Any]] = ()
        total = None
        if keys or not plan.ask.by:
            try:
                rows, total, failed = await self._asked(statement, call, keys)
            except SourceError as error:
                if not about_a_column(self._backend, error):
                    raise
                await self._look(statement, call, error)
                statement, lost = self._known.without(plan, self._engine.dialect, self.settings.schema)
                if not lost:
                    raise
                rows, total, failed = await self._asked(statement, call, keys)
            faults |= failed
        if len(rows) > call.max_rows:
            raise too_many_rows(call)
        if statement.keys:
            rows = list(_own(rows, statement.keys, set(keys)))
        size = 0
        for start in range(0, len(rows) or 1, _PAGE):
            part = rows[start : start + _PAGE]
            by_place = list(zip(*part, strict=True)) if part else [()] * statement.width
            size += sum(map(_size, by_place))
            if size > min(self.settings.max_bytes, call.max_bytes):
                raise SourceError("broken", "The database's answer is too large.", detail=f"{size} characters")
            there = [one.name for one in plan.fields if one.name not in lost]
            columns = {name: list(by_place[at]) for name, at in zip(there, statement.places, strict=True)}
            columns |= {name: [self._lost(plan)] * len(part) for name in lost}
            yield Page(columns, len(part), total, faults)
            faults = {}

    def condition(self) -> SourceError | None:
        """A column that a table has no more; calls are answered without it."""
        return self._known.trouble

    async def close(self) -> None:
        self._closed = True
        await self._engine.dispose()

    def _lost(self, plan: Plan) -> SourceError:
        return SourceError("config", "The database has no such column.", source=self.system, relation=plan.relation.name)

    async def _look(self, statement: Statement, call: Call, said: SourceError) -> None:
        """Remember which columns the table has. One that may not be looked at has none that are known."""
        named = names(self._engine.dialect)

        async def work(connection: AsyncConnection) -> list[str]:
            everything: Select[Any] = select(literal_column("*")).select_from(statement.table).where(false())
            return list(map(named, (await connection.execute(everything)).keys()))

        with suppress(SourceError):
            self._known.keep(statement, await self._run(work, call.deadline), said)

    async def _asked(
        self, statement: Statement, call: Call, keys: Sequence[tuple[Any, ...]]
    ) -> tuple[Sequence[Sequence[Any]], int | None, dict[tuple[Any, ...], SourceError]]:
        """(rows, total, faults by key)."""
        try:
            return *await self._ask(statement, call, keys), {}
        except SourceError as error:
            if error.kind != "invalid" or len(keys) < 2:
                raise
            rows, failed = await self._singly(statement, call, keys)
            return rows, None, failed

    async def _ask(self, statement: Statement, call: Call, keys: Sequence[tuple[Any, ...]]) -> tuple[Sequence[Sequence[Any]], int | None]:
        """(rows, total). The total is asked for only where the rows do not show it."""
        parameters = statement.parameters(call, keys)

        async def work(connection: AsyncConnection) -> tuple[Sequence[Sequence[Any]], int | None]:
            rows = (await connection.execute(*divided(self._backend, statement.select, parameters))).all()
            if rows and len(rows[0]) != statement.width:
                raise SourceError("broken", "The database answered with other columns.", detail=f"{len(rows[0])}, not {statement.width}")
            if statement.count is None:
                return rows, None
            if not statement.page and (not statement.limit or len(rows) < call.params[statement.limit]):
                return rows, len(rows)
            return rows, (await connection.execute(*divided(self._backend, statement.count, parameters))).scalar_one()

        return await self._run(work, call.deadline)

    async def _singly(
        self, statement: Statement, call: Call, keys: Sequence[tuple[Any, ...]]
    ) -> tuple[list[Sequence[Any]], dict[tuple[Any, ...], SourceError]]:
        """Some key is not of the column's type: find which, so that its neighbours are answered."""
        rows: list[Sequence[Any]] = []
        faults = {}
        for key in keys:
            try:
                rows += (await self._ask(statement, call, [key]))[0]
            except SourceError as error:
                if error.kind != "invalid":
                    raise
                faults[key] = error
        return rows, faults

    async def _run(self, work: Callable[[AsyncConnection], Awaitable[T]], deadline: float | None) -> T:
        """``work`` on a pooled connection; once more on a new one if a connection that had worked before turns out to be dead."""
        if not self._reachable():
            raise SourceError("down", "The database cannot be reached.", detail="there is no such file")
        used = False
        try:
            async with asyncio.timeout_at(deadline):
                try:
                    async with self._engine.connect() as connection:
                        used = _used(connection)
                        return await self._work(work, connection)
                except exc.DBAPIError as error:
                    if not (used and error.connection_invalidated):
                        raise
                async with self._engine.connect() as connection:
                    return await self._work(work, connection)
        # The causes are cut off: their texts may hold values.
        except TimeoutError:
            raise SourceError("slow", "The database did not answer in time.") from None
        except ModuleNotFoundError as error:
            raise missing_driver(error) from None
        except exc.TimeoutError:
            raise SourceError("busy", "All connections to the database are in use.") from None
        except OSError as error:
            raise SourceError("down", "The database cannot be reached.", detail=type(error).__name__) from None
        except exc.DBAPIError as error:
            raise self._failure(error) from None
        except exc.StatementError as error:  # a value that the driver's types do not take
            raise SourceError("invalid", "The database did not accept the values.", detail=type(error.orig).__name__) from None
        except exc.SQLAlchemyError as error:
            raise SourceError("config", "The database cannot be asked like this.", detail=type(error).__name__) from None

    def _failure(self, error: exc.DBAPIError) -> SourceError:
        found = failure(self._backend, error)
        password = self._engine.url.password
        if password:
            found.detail = found.detail.replace(password, "****")
        return found

    async def _work(self, work: Callable[[AsyncConnection], Awaitable[T]], connection: AsyncConnection) -> T:
        try:
            return await self._worked(work, connection)
        finally:
            if self._closed:  # under a call that was still going on: its pool takes it back no more
                await connection.invalidate()

    async def _worked(self, work: Callable[[AsyncConnection], Awaitable[T]], connection: AsyncConnection) -> T:
        """``work``; when it is cancelled, once it has come to an end: a connection that is still at work goes back to nobody."""
        if self._backend == "mysql":
            return await work(connection)
        task = asyncio.ensure_future(work(connection))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            stopping = asyncio.ensure_future((_interrupted if self._backend == "sqlite" else _cancelled)(task, connection))
            while not stopping.done():
                with suppress(asyncio.CancelledError):  # a second reason to leave does not end it any sooner
                    await asyncio.shield(stopping)
            raise


async def _interrupted(task: asyncio.Future[Any], connection: AsyncConnection) -> None:
    """SQLite works in a thread, which cancelling does not reach: tell the database itself to stop, then wait for the thread."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    while not task.done():
        await driver.interrupt()
        await asyncio.wait([task], timeout=0.05)
    _forgotten(task)


async def _cancelled(task: asyncio.Future[Any], connection: AsyncConnection) -> None:
    """psycopg asks the server to stop, over another connection, and waits for it; a server that does not answer even then is left."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_PATIENCE)
    _forgotten(task)


def _forgotten(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()


def _own(rows: Sequence[Sequence[Any]], places: tuple[int, ...], keys: set[tuple[Any, ...]]) -> Iterator[Sequence[Any]]:
    """The rows of ``keys``, where these are texts, without rows that the database alone holds for equal.

    Padding of CHAR(n) is taken off; a key in other capitals or accents is another key. What is neither goes through: a row that
    nobody asked for is the engine's to judge.
    """
    if not all(isinstance(part, str) for key in keys for part in key):
        yield from rows
        return
    alike: set[tuple[str, ...]] | None = None
    for row in rows:
        key = tuple(row[place] for place in places)
        if key in keys or None in key:
            yield row
            continue
        bare = tuple(str(part).rstrip(" ") for part in key)
        if bare in keys:
            own = dict(zip(places, bare, strict=True))
            yield tuple(own.get(i, value) for i, value in enumerate(row))
            continue
        alike = alike or {_folded(one) for one in keys}
        if _folded(bare) not in alike:
            yield row


def _folded(key: tuple[str, ...]) -> tuple[str, ...]:
    """What collations that overlook capitals and accents make of a key."""
    return tuple(
        "".join(c for c in unicodedata.normalize("NFKD", part.rstrip(" ")).casefold() if not unicodedata.combining(c)) for part in key
    )


def _used(connection: AsyncConnection) -> bool:
    """Whether this connection has been taken from the pool before."""
    info: dict[str, Any] = connection.sync_connection.info if connection.sync_connection else {}
    used, info["used"] = "used" in info, True
    return used


def _size(column: Sequence[Any]) -> int:
    """The characters of the texts in a column; what is neither text nor bytes takes no room to speak of."""
    return sum(map(len, filter(None, column))) if {*map(type, column)} <= _TEXTS else 0


def _bad_key() -> SourceError:
    return SourceError("invalid", "This key cannot be asked for.")
