"""Dameng (达梦 DM8): Oracle's SQL and catalogue, and its maker's driver ``dmPython``, which blocks and is therefore asked in threads.

Its maker's own dialect is not for SQLAlchemy 2.1. Statements are compiled in tests; no server has been asked. Must not know settings,
statements or relations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection, AsyncAdapt_dbapi_module
from sqlalchemy.dialects.oracle.base import OracleDialect
from sqlalchemy.engine import URL
from sqlalchemy.util.concurrency import await_

_LIKE = (11, 2)  # the Oracle whose catalogue it has
_GONE = frozenset({-6010, -70019, -70025, -70028})
_LONGEST = 60  # seconds that a statement may take


class DamengDialect(OracleDialect):
    """Oracle's statements with Dameng's driver."""

    name = "dm"
    driver = "dmpython"
    is_async = True
    supports_statement_cache = True
    default_paramstyle = "qmark"

    @classmethod
    def import_dbapi(cls) -> Driver:
        return Driver(__import__("dmPython"))

    def create_connect_args(self, url: URL) -> tuple[list[Any], dict[str, Any]]:
        return [], {"connection_timeout": _LONGEST, **url.translate_connect_args(username="user", host="server", database="schema")}

    def initialize(self, connection: Connection) -> None:
        super().initialize(connection)  # type: ignore[no-untyped-call]
        self._supports_offset_fetch = True

    def _get_server_version_info(self, connection: Connection) -> tuple[int, ...]:
        return _LIKE

    def is_disconnect(self, e: Exception, connection: Any, cursor: Any) -> bool:
        return getattr(e.args[0] if e.args else None, "code", None) in _GONE or "not connected" in str(e)


class Driver(AsyncAdapt_dbapi_module):
    """A driver that blocks, as SQLAlchemy asks one that does not."""

    paramstyle = "qmark"

    def __init__(self, driver: ModuleType) -> None:
        super().__init__(driver, dbapi_module=driver)
        self.Error = driver.Error

    def connect(self, *args: Any, **words: Any) -> AsyncAdapt_dbapi_connection:
        session: Any = _Session(await_(_threaded(self.driver.connect, *args, **words)))
        return AsyncAdapt_dbapi_connection(self, session)


async def _threaded(work: Callable[..., Any], *args: Any, **words: Any) -> Any:
    """``work`` in a thread; cancelled, once it has come to an end, since a connection takes one thing at a time."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *args, **words))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class _Session:
    """A connection of the driver."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def cursor(self) -> _Cursor:
        return _Cursor(self._connection.cursor())

    async def commit(self) -> None:
        await _threaded(self._connection.commit)

    async def rollback(self) -> None:
        await _threaded(self._connection.rollback)

    async def close(self) -> None:
        await _threaded(self._connection.close)


class _Cursor:
    """A cursor of the driver; what it knows without asking the server comes as it is."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    async def __aenter__(self) -> _Cursor:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> Any:
        return await _threaded(self._cursor.execute, statement, *([list(parameters)] if parameters else []))

    async def fetchall(self) -> Any:
        return await _threaded(self._cursor.fetchall)

    async def close(self) -> None:
        await _threaded(self._cursor.close)
