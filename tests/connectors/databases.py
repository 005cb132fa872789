"""Real databases for tests, each a place of its own that is gone afterwards.

SQLite is always there. PostgreSQL and MySQL or MariaDB are taken where ``HUB_TEST_POSTGRES`` and ``HUB_TEST_MYSQL`` (or their usual
ports on loopback) answer; where they do not, tests are skipped, or fail when ``CI`` is true.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Database:
    """``url`` for a connector; ``schema`` of the tables; ``endless`` a condition that is never decided; ``password`` in ``url``.

    ``cut`` ends all its connections, as a restart would; ``run`` carries out a statement as its owner.
    """

    url: str
    schema: str
    endless: str
    password: str
    cut: Callable[[], Awaitable[None]]
    run: Callable[[str], Awaitable[Any]]


@asynccontextmanager
async def sqlite(folder: Path, ddl: Sequence[str], insert: str, rows: Rows) -> AsyncIterator[Database]:
    """A file. SQLite has no passwords: the folder's name stands for what nobody may see."""
    hidden = secrets.token_hex(8)
    (folder / hidden).mkdir()
    file = folder / hidden / "法人库 100%.db"
    with closing(sqlite3.connect(file)) as connection:
        for statement in ddl:
            connection.execute(statement.replace("varchar(60)", "varchar(60) COLLATE NOCASE"))  # capitals and small letters alike
        connection.executemany(insert, rows)
        connection.commit()
    endless = "(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n) > 0"

    async def cut() -> None:
        """There is no server: another file of the same content takes the place of this one."""
        file.replace(file.with_suffix(".old"))
        shutil.copy(file.with_suffix(".old"), file)

    async def run(statement: str) -> None:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(statement)
            connection.commit()

    yield Database(f"sqlite:///{str(file).replace('%', '%25')}", "", endless, hidden, cut, run)


def _postgres_url() -> URL:
    return make_url(os.environ.get("HUB_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")).set(
        drivername="postgresql+psycopg"
    )


@asynccontextmanager
async def postgres(folder: Path, ddl: Sequence[str], insert: str, rows: Rows) -> AsyncIterator[Database]:
    """A schema, and a role that may only read there."""
    async with _schema(_postgres_url(), ddl, insert, rows) as database:
        yield database


@asynccontextmanager
async def kingbase(folder: Path, ddl: Sequence[str], insert: str, rows: Rows) -> AsyncIterator[Database]:
    """PostgreSQL in Kingbase's place: a database of its own, in which the server calls itself as that does."""
    url, name = _postgres_url(), f"hub_test_{secrets.token_hex(6)}"
    async with admin(url) as run:
        await run(f'CREATE DATABASE "{name}"')
        try:
            async with admin(url.set(database=name)) as inside:
                await inside(f"CREATE OR REPLACE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql AS $$ SELECT '{KINGBASE}' $$")
            async with _schema(url.set(drivername="postgresql+kin", database=name, port=url.port or 5432), ddl, insert, rows) as database:
                yield replace(database, url=database.url.replace("postgresql:", "kingbase:"))
        finally:
            await run(f'DROP DATABASE "{name}" WITH (FORCE)')


KINGBASE = "KingbaseES V008R006C007B0024 on x86_64-pc-linux-gnu, compiled by gcc (GCC) 4.1.2, 64-bit"


@asynccontextmanager
async def _schema(url: URL, ddl: Sequence[str], insert: str, rows: Rows) -> AsyncIterator[Database]:
    name, password = f"hub_test_{secrets.token_hex(6)}", secrets.token_hex(12)
    async with admin(url) as run:
        await run(f'CREATE SCHEMA "{name}"')
        await run(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}'")
        try:
            await run(f'SET search_path = "{name}"')
            # Texts sort by a language's rules, not by code point, unless a connector says so.
            found = await run("SELECT collname FROM pg_collation WHERE collname IN ('en-x-icu', 'en_US.utf8') ORDER BY collname")
            for statement in ddl:
                await run(statement.replace("varchar(60)", f'varchar(60) COLLATE "{found[0][0]}"') if found else statement)
            await run(insert, rows)
            await run(f'GRANT USAGE ON SCHEMA "{name}" TO "{name}"')
            await run(f'GRANT SELECT ON ALL TABLES IN SCHEMA "{name}" TO "{name}"')

            async def cut() -> None:
                await run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'")

            yield Database(plain(url, name, password, url.database), name, "pg_sleep(60) IS NOT NULL", password, cut, run)
        finally:
            await run(f'DROP SCHEMA "{name}" CASCADE')
            await run(f'DROP ROLE "{name}"')


@asynccontextmanager
async def mysql(folder: Path, ddl: Sequence[str], insert: str, rows: Rows) -> AsyncIterator[Database]:
    """A database, and a user who may only read there. What the user left running is ended."""
    url = make_url(os.environ.get("HUB_TEST_MYSQL", "mysql://root@127.0.0.1:3306/test")).set(drivername="mysql+asyncmy")
    name, password = f"hub_test_{secrets.token_hex(6)}", secrets.token_hex(12)
    async with admin(url.update_query_dict({"charset": "utf8mb4"})) as run:
        await run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        users = [f"'{name}'@'{host}'" for host in ("localhost", "127.0.0.1", "%")]
        for user in users:
            await run(f"CREATE USER {user} IDENTIFIED BY '{password}'")
            await run(f"GRANT SELECT ON {name}.* TO {user}")

        async def cut() -> None:
            for (thread,) in await run(f"SELECT id FROM information_schema.processlist WHERE user = '{name}'"):
                await run(f"KILL {thread}", lost=True)

        try:
            await run(f"USE {name}")
            for statement in ddl:
                await run(statement.replace('"', "`"))
            await run(insert.replace('"', "`"), rows)
            yield Database(plain(url, name, password, name), "", "sleep(60) = 0", password, cut, run)
        finally:
            await cut()
            await run(f"DROP DATABASE {name}")
            for user in users:
                await run(f"DROP USER {user}")


Engine = Callable[[Path, Sequence[str], str, Rows], AbstractAsyncContextManager[Database]]
ENGINES: tuple[Engine, ...] = (sqlite, postgres, mysql)


def plain(url: URL, user: str, password: str, database: str | None) -> str:
    """The URL as a deployment writes it: no driver, its own user."""
    shown = URL.create(url.get_backend_name(), user, password, url.host, url.port, database)
    return shown.render_as_string(hide_password=False)


@asynccontextmanager
async def admin(url: URL) -> AsyncIterator[Callable[..., Any]]:
    """Runs statements as whoever the URL names; ``?`` marks in order take the rows."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        try:
            connection: AsyncConnection = await engine.connect().start()
        except (exc.DBAPIError, OSError) as error:
            reason = f"no {url.get_backend_name()} server: {type(error).__name__}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)

        async def run(statement: str, rows: Rows | None = None, *, lost: bool = False) -> Any:
            if rows is not None:
                for i in range(statement.count("?")):
                    statement = statement.replace("?", f":v{i}", 1)
                await connection.execute(text(statement), [{f"v{i}": value for i, value in enumerate(row)} for row in rows])
                return []
            try:
                found = await connection.execute(text(statement))
            except exc.DBAPIError:
                if not lost:
                    raise
                return []  # the thread had ended by itself
            return found.fetchall() if found.returns_rows else []

        try:
            yield run
        finally:
            await connection.close()
    finally:
        await engine.dispose()
