"""Engines: one asynchronous for the hub, one synchronous for the token endpoint's worker threads, over one database.

Any ``sqlite`` or ``postgresql`` URL is accepted and its driver set here: aiosqlite and sqlite3, or psycopg for both. Knows no tables.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from hub.store.faults import StoreFault

_PRAGMAS = (
    "PRAGMA synchronous=FULL",  # an audit record committed survives a power cut; grouped commits pay for it
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
)
_WRITES = "hub_writes"
# A dead network shows within seconds, not after the kernel's quarter of an hour.
_POSTGRES = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
# An audit record holds three lists: with the standard library's JSON they would be a third of what it costs.
_JSON: dict[str, Any] = {"json_serializer": lambda value: orjson.dumps(value).decode(), "json_deserializer": orjson.loads}


def engines(text: str) -> tuple[AsyncEngine, Engine]:
    """Raises StoreFault for a URL that is neither a SQLite file nor PostgreSQL."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise StoreFault("数据库地址无法识别。", "The store's URL cannot be read.") from None
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url)
        case "postgresql":
            url = url.set(drivername="postgresql+psycopg")
            options: dict[str, Any] = {"pool_pre_ping": True, "pool_timeout": 10, "connect_args": _POSTGRES, **_JSON}
            return create_async_engine(url, **options), create_engine(url, pool_size=4, **options)
        case other:
            raise StoreFault(f"不支持的数据库: {other}。", f"The store is SQLite or PostgreSQL, not {other}.")


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        yield connection


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction. On SQLite it takes the write lock at once: a reader that turns writer midway would be refused, not made to wait."""
    async with engine.execution_options(**{_WRITES: True}).begin() as connection:
        yield connection


@contextmanager
def writing_here(engine: Engine) -> Iterator[Connection]:
    """``writing``, for a worker thread."""
    with _writer(engine).begin() as connection:
        yield connection


@lru_cache(maxsize=64)
def _writer(engine: Engine) -> Engine:
    """The engine with the option that ``_begin`` looks for; made once, since every answer's audit record comes this way."""
    return engine.execution_options(**{_WRITES: True})


def _sqlite(url: URL) -> tuple[AsyncEngine, Engine]:
    if url.database in (None, "", ":memory:"):
        raise StoreFault(
            "请指定 SQLite 文件路径。", "Give the store a file: sqlite:////var/lib/hub/hub.db. Memory cannot be shared by two engines."
        )
    _make_private(Path(str(url.database)))
    on_loop = create_async_engine(url.set(drivername="sqlite+aiosqlite"), **_JSON)
    in_threads = create_engine(url.set(drivername="sqlite+pysqlite"), pool_size=4, **_JSON)
    for engine in (on_loop.sync_engine, in_threads):
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
    return on_loop, in_threads


def _make_private(path: Path) -> None:
    """The file holds hashed secrets and the audit: for its owner only. SQLite gives its WAL the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _set_up(connection: Any, _: Any) -> None:
    # Transactions are begun by ``_begin``; Python's sqlite3 would begin them late, and never around DDL.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    # Readers do not wait for the writer. The file remembers it, so one connection is enough; while another one is at it,
    # SQLite refuses at once instead of waiting.
    with contextlib.suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


def _begin(connection: Connection) -> None:
    # By the driver itself: SQLAlchemy's own way to a statement costs more than the statement, and each answer's audit record comes by here.
    connection.connection.cursor().execute("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")
