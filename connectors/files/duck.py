"""DuckDB as this kind uses it: in memory, in threads, shut off from the network and from every folder but the one that copies lie in.

A query that nobody waits for any more is interrupted, and its thread is free again before the caller goes on. No extension is ever
loaded: what is not linked in does not exist in a closed network. Must not know relations or deliveries.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from connectors.spi import SourceError

T = TypeVar("T")
Cursor = duckdb.DuckDBPyConnection
_WORKERS = 4
_CONFIG: dict[str, Any] = {
    "threads": 2,
    "memory_limit": "1GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class Duck:
    """One database. ``run`` may be called by many at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="files")
        self._making = threading.Lock()
        self._database: Cursor | None = None

    async def run(self, work: Callable[[Cursor], T]) -> T:
        """``work`` in a thread, with a cursor of its own. Raises SourceError; on cancellation the query is interrupted first."""
        held: list[Cursor] = []

        def inside() -> T:
            cursor = self._cursor()
            held.append(cursor)
            try:
                return work(cursor)
            finally:
                held.clear()
                cursor.close()

        task = self._pool.submit(inside)
        waiting = asyncio.wrap_future(task)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            while not (task.cancel() or task.done()):
                for cursor in tuple(held):
                    cursor.interrupt()
                await asyncio.wait([waiting], timeout=0.02)
            if waiting.done() and not waiting.cancelled():
                waiting.exception()
            raise
        except duckdb.Error as error:
            raise failure(error) from None

    async def aside(self, work: Callable[[], T]) -> T:
        """``work`` that needs no database, in the same threads."""
        return await self.run(lambda _: work())

    async def close(self) -> None:
        """Ends the threads. Safe to call twice."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        if self._database is not None:
            self._database.close()
            self._database = None

    def _cursor(self) -> Cursor:
        with self._making:
            if self._database is None:
                made = duckdb.connect(":memory:", config=_CONFIG)
                made.execute("SET TimeZone = 'Asia/Shanghai'")
                made.execute(f"SET allowed_directories = [{literal(str(self._folder.resolve()))}]")
                made.execute("SET enable_external_access = false")
                made.execute("SET lock_configuration = true")
                self._database = made
            return self._database.cursor()


def literal(text: str) -> str:
    """A text where SQL takes no parameter."""
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """A name, quoted."""
    return '"' + text.replace('"', '""') + '"'


def failure(error: duckdb.Error) -> SourceError:
    """An error of the database; its text may quote values, so only its kind is told."""
    told = type(error).__name__
    if isinstance(error, duckdb.BinderException | duckdb.ParserException | duckdb.CatalogException | duckdb.PermissionException):
        return SourceError("config", "The file cannot be asked like this.", detail=told)
    if isinstance(error, duckdb.OutOfMemoryException):
        return SourceError("busy", "There is not enough memory for this question.", detail=told)
    return SourceError("broken", "The copy of the file could not be read.", detail=told)
