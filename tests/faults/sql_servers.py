"""SQL over the wire: PostgreSQL and MariaDB. What goes wrong on the wire does so once a connection is in use."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine

from demo.faults import HTML
from tests.connectors.databases import Database, Engine, mysql, postgres
from tests.connectors.loopback import nobody
from tests.faults.asking import RIGHT, Kind, There
from tests.faults.sql import MANIFEST, MOST, ROWS_ALONE, table, then, true
from tests.faults.wire import WIRE, certificate, wire

# A column that the database cannot compute: three rows where one is due.
FAILING = (
    "ALTER TABLE records RENAME TO whole",
    "CREATE VIEW records AS SELECT code, nr, dj, je, rq, (SELECT bt FROM whole AS o WHERE o.dj > w.dj - 9) AS bt FROM whole AS w",
)
HUGE = f"UPDATE records SET bt = repeat('x', {2 * MOST})"


@dataclass(frozen=True, slots=True)
class Server:
    """What a database is told so that it misbehaves; ``{0}`` is the hub's user there, and its schema or database."""

    make: Engine
    lock: str
    unlock: str
    widen: str
    deny: Sequence[str]
    allow: Sequence[str]
    one: Sequence[str]


async def told(database: Database, user: str, statements: Sequence[str]) -> None:
    for statement in statements:
        await database.run(statement.format(user))


@asynccontextmanager
async def serve(server: Server, fault: str, folder: Path) -> AsyncIterator[There]:
    async with table(server.make, fault, folder) as database, AsyncExitStack() as stack:
        url, after = make_url(database.url), then(fault, database)
        user = str(url.username)
        match fault:
            case "refuses":
                url = url.set(port=nobody())
            case "html":
                url = url.set(port=await stack.enter_async_context(speaking(_html)))
            case "certificate_expired":
                shown = certificate(folder, days=(-10, -1))
                port = await stack.enter_async_context(speaking(partial(_tls, shown.server())))
                url = url.set(host="localhost", port=port, query={"sslmode": "verify-full", "sslrootcert": str(shown.chain)})
            case "pool_exhausted":
                await told(database, user, server.one)
                await stack.enter_async_context(held(url))
            case "denied_midway":
                after = partial(_denied, database, user, server.deny)
            case "busy_429":
                after = partial(database.run, server.lock)
                stack.push_async_callback(database.run, server.unlock)
            case "fails_500":
                await told(database, user, (*FAILING, *server.allow))
            case "huge":
                await told(database, user, (server.widen, HUGE))
            case _ if fault in WIRE:
                between = await stack.enter_async_context(wire(url.port or 0, whole=9))
                url, after = url.set(port=between.port), partial(between.misbehave, fault)  # type: ignore[arg-type]  # WIRE holds modes
        words = {"RECORDS_URL": url.render_as_string(hide_password=False), "RECORDS_SCHEMA": database.schema}
        yield There(words, secret=database.password, then=after, truth=true(fault))


async def _denied(database: Database, user: str, statements: Sequence[str]) -> None:
    """From now on; who is connected already would not notice everywhere."""
    await told(database, user, statements)
    await database.cut()


@asynccontextmanager
async def held(url: URL) -> AsyncIterator[None]:
    """While the one connection that the user may have is somebody else's."""
    engine = create_async_engine(url.set(drivername={"postgresql": "postgresql+psycopg"}.get(url.drivername, "mysql+asyncmy")))
    try:
        async with engine.connect():
            yield
    finally:
        await engine.dispose()


Speaks = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def speaking(speak: Speaks) -> AsyncIterator[int]:
    """A port at which no database answers."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            await speak(reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _html(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(f"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n{HTML}".encode())
    await writer.drain()


async def _tls(context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """PostgreSQL's way: asked by eight bytes whether it speaks TLS, a server says S and does."""
    await reader.readexactly(8)
    writer.write(b"S")
    await writer.start_tls(context)


_HOSTS = ("localhost", "127.0.0.1", "%")
POSTGRES_SERVER = Server(
    postgres,
    lock="BEGIN; LOCK TABLE records IN ACCESS EXCLUSIVE MODE",
    unlock="ROLLBACK",
    widen="ALTER TABLE records ALTER COLUMN bt TYPE text",
    deny=('REVOKE SELECT ON records FROM "{0}"',),
    allow=('GRANT SELECT ON records TO "{0}"',),
    one=('ALTER ROLE "{0}" CONNECTION LIMIT 1',),
)
MARIADB_SERVER = Server(
    mysql,
    lock="LOCK TABLES records WRITE",
    unlock="UNLOCK TABLES",
    widen="ALTER TABLE records MODIFY bt longtext",
    deny=tuple("REVOKE SELECT ON {0}.* FROM '{0}'@'" + host + "'" for host in _HOSTS),
    allow=(),
    one=tuple("GRANT USAGE ON *.* TO '{0}'@'" + host + "' WITH MAX_USER_CONNECTIONS 1" for host in _HOSTS),
)
SEES = {
    "refuses": "SYSTEM_DOWN",
    "hangs": "SYSTEM_SLOW",
    "resets": "SYSTEM_DOWN",
    "drips": "SYSTEM_SLOW",
    "truncated": "SYSTEM_DOWN",
    "fails_500": "SYSTEM_BROKEN",
    "busy_429": "SYSTEM_SLOW",
    "denied_midway": "SYSTEM_DENIED",
    "html": "SYSTEM_DOWN",
    "huge": "SYSTEM_BROKEN",
    "null_key": RIGHT,
    "extra_row": RIGHT,
    "doubled_row": "SYSTEM_BROKEN at b",
    "other_order": RIGHT,
    "number_as_text": RIGHT,
    "long_numbers": RIGHT,
    "invalid_date": "BAD_VALUE at b.fileChecked",
    "renamed_column": "SYSTEM_CONFIG at fileLevel of each",
    "dropped_column": "SYSTEM_CONFIG at fileLevel of each",
    "pool_exhausted": "SYSTEM_BUSY",
    "restarted": RIGHT,
}
_CHARSET = "the server knows the charset of each text and sends the hub UTF-8"
Serve = Callable[[str, Path], AbstractAsyncContextManager[There]]


def _served(server: Server) -> Serve:
    return lambda fault, folder: serve(server, fault, folder)


POSTGRES = Kind(
    "PostgreSQL",
    MANIFEST,
    _served(POSTGRES_SERVER),
    sees={**SEES, "not_a_number": "BAD_VALUE at b.fileFee", "certificate_expired": "SYSTEM_CONFIG"},
    never={**ROWS_ALONE, "wrong_charset": _CHARSET},
)
MARIADB = Kind(
    "MariaDB",
    MANIFEST,
    _served(MARIADB_SERVER),
    sees={**SEES, "html": "SYSTEM_BROKEN"},
    never={
        **ROWS_ALONE,
        "wrong_charset": _CHARSET,
        "not_a_number": "it has no NaN",
        "certificate_expired": "the address has no words for its driver's TLS",
    },
)
