"""Alembic, driven from the program: no ini file, no command line, the scripts found inside the installed ``migrations`` package.

Each run is one transaction, so a step that fails leaves the store as it was. Knows no tables.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations
from hub.store.engines import reading, writing
from hub.store.faults import StoreFault

_LOCK = 0x59695761  # any number that the hub alone uses


def config(connection: Connection | None = None) -> Config:
    """What ``alembic.ini`` would hold."""
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


def head() -> str:
    """The newest revision that this program knows."""
    return str(ScriptDirectory.from_config(config()).get_current_head())


async def current(engine: AsyncEngine) -> str | None:
    """The store's revision; None when it is empty."""
    async with reading(engine) as connection:
        return await connection.run_sync(_current)


async def upgrade(engine: AsyncEngine, revision: str = "head") -> None:
    """Raises StoreFault when the store is newer than the program."""
    async with writing(engine) as connection:
        await connection.run_sync(_run, revision, True)


async def downgrade(engine: AsyncEngine, revision: str) -> None:
    """Back to a revision, or to ``base``: an empty store."""
    async with writing(engine) as connection:
        await connection.run_sync(_run, revision, False)


def _run(connection: Connection, revision: str, up: bool) -> None:
    if connection.dialect.name == "postgresql":
        # Replicas that start together migrate one after the other. On SQLite the write lock does the same.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    try:
        (command.upgrade if up else command.downgrade)(config(connection), revision)
    except CommandError as error:
        raise StoreFault(
            "数据库版本与程序不符。", f"The store and the program do not fit: {error}. A newer program may have made it."
        ) from None


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
