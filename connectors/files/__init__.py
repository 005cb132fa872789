"""Systems that deliver files: ``@files`` and ``@file`` of a manifest; CSV, XLSX, JSON lines and Parquet from a folder, SFTP or S3.

A delivery is copied to Parquet when it is first seen, and asked there by DuckDB; whoever reads the one before it reads it to the end.
What cannot be taken never replaces what could. Must not know GraphQL, other kinds, or how the engine retries and caches.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.files.arrivals import Arrivals, Standing
from connectors.files.deliver import Copy
from connectors.files.duck import Cursor, Duck
from connectors.files.remote import Remote
from connectors.files.statement import FILE, Statement, native, prepare, unfit
from connectors.files.words import SUFFIXES, FilesSettings, source_of
from connectors.spi import Ask, Call, Catalog, Connector, Page, Plan, Relation, SourceError, too_many_rows

__all__ = ["FilesConnector", "FilesSettings", "Standing"]
_PAGE = 5_000


def _now() -> datetime:
    return datetime.now(UTC)


class FilesConnector(Connector):
    """One department's folder. ``now`` is the wall clock, for when deliveries came and are due."""

    kind = "files"
    Settings = FilesSettings

    def __init__(self, settings: FilesSettings, *, system: str = "", now: Callable[[], datetime] = _now) -> None:
        super().__init__(settings, system=system)
        self._own = None if settings.data else tempfile.TemporaryDirectory(prefix="hub-files-")
        self._folder = Path(settings.data or (self._own.name if self._own else "")).absolute()
        self._remote = Remote(settings)
        self._duck = Duck(self._folder)
        self._arrivals = Arrivals(settings, self._folder, self._remote, self._duck, now)

    async def describe(self) -> Catalog:
        """The files that lie there and could be read, by name."""
        try:
            found = await self._remote.list("")
        except SourceError as error:
            raise SourceError("down", error.message, detail=error.detail) if error.kind == "missing" else error from None
        names = sorted(one.name for one in found if Path(one.name).suffix.lower() in SUFFIXES)
        return Catalog(tuple(Relation(name, ()) for name in names))

    def condition(self) -> SourceError | None:
        """A delivery that is late, or that could not be taken; calls are answered from the one before. Looks for new ones."""
        found = next((each.trouble for each in self.standing() if each.trouble is not None), None)
        with contextlib.suppress(RuntimeError):  # nobody runs a loop
            self._arrivals.stir()
        return found

    def standing(self) -> tuple[Standing, ...]:
        """How each file that was ever asked for stands, by name."""
        return self._arrivals.standing()

    async def columns(self, relation: Relation) -> tuple[str, ...]:
        """The columns that a relation's delivery has. Raises SourceError."""
        source = source_of(relation, self.settings)[1]
        return (await self._arrivals.current(source, frozenset())).columns

    def plan(self, ask: Ask, relation: Relation) -> Plan:
        return prepare(ask, relation, self.settings)

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        statement: Statement = plan.native
        faults = {key: _bad_key() for key in call.keys if any(unfit(part) for part in key)}
        keys = [key for key in call.keys if key not in faults and None not in key]
        rows: list[tuple[Any, ...]] = []
        total = None
        if keys or not plan.ask.by:
            try:
                async with asyncio.timeout_at(call.deadline):
                    rows, total, several = await self._ask(statement, call, keys)
            except TimeoutError:
                raise SourceError("slow", "The file could not be read in time.") from None
            faults |= {key: _several() for key in keys if key in several}
        if len(rows) > call.max_rows:
            raise too_many_rows(call)
        for start in range(0, len(rows) or 1, _PAGE):
            part = rows[start : start + _PAGE]
            by_place = list(zip(*part, strict=True)) if part else [()] * len(plan.fields)
            columns = {one.name: native(list(values), one) for one, values in zip(plan.fields, by_place, strict=True)}
            yield Page(columns, len(part), total, faults)
            faults = {}

    async def close(self) -> None:
        await self._arrivals.close()
        await self._remote.close()
        await self._duck.close()
        if self._own is not None:
            self._own.cleanup()

    async def _ask(
        self, statement: Statement, call: Call, keys: list[tuple[Any, ...]]
    ) -> tuple[list[tuple[Any, ...]], int | None, set[tuple[Any, ...]]]:
        """(rows, total, keys that stand in several rows), all of one delivery."""
        parameters = statement.parameters(call, keys)
        copy = await self._arrivals.current(statement.source, statement.paths, call.deadline)
        gone = sorted(statement.paths - {*copy.columns})
        if gone:
            raise SourceError("config", "The file has no such column.", detail=f"no '{gone[0]}'", code="COLUMN_GONE")
        with self._arrivals.reading(statement.source, copy) as file:

            def work(cursor: Cursor) -> tuple[list[tuple[Any, ...]], int | None, set[tuple[Any, ...]]]:
                rows = cursor.execute(statement.select, {FILE: str(file), **parameters}).fetchall()
                total = None
                if statement.count is not None:
                    counted = {name: parameters[name] for name in statement.counted}
                    total = int(cursor.execute(statement.count, {FILE: str(file), **counted}).fetchall()[0][0])
                return rows, total, _twice(cursor, file, copy, keys) if statement.own else set()

            return await self._duck.run(work)


def _twice(cursor: Cursor, file: Path, copy: Copy, keys: list[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Which keys were left out of the copy because several rows have them."""
    if not copy.twice:
        return set()
    beside = file.with_name(f"{copy.stem}.twice.parquet")
    texts = {tuple(map(str, key)): key for key in keys}
    found = cursor.execute("SELECT * FROM read_parquet($file)", {"file": str(beside)}).fetchall()
    return {texts[key] for key in found if key in texts}


def _bad_key() -> SourceError:
    return SourceError("invalid", "This key cannot be asked for.")


def _several() -> SourceError:
    return SourceError("broken", "Several rows of the file have this key, and differ.", code="DUPLICATE_KEY")
