"""From an address to an engine of SQLAlchemy: drivers, what is said on each new connection, and whether a file is still the same.

Must not know statements or relations.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, event, exc, make_url
from sqlalchemy.dialects import registry
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from connectors.settings import refused
from connectors.spi import Secret, SourceError

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+kin",
    "postgresql+psycopg": "postgresql+kin",
    "postgres": "postgresql+kin",
    "kingbase": "postgresql+kin",
    "mysql": "mysql+asyncmy",
    "mariadb": "mysql+asyncmy",
    "oracle": "oracle+oracledb_async",
    "dm": "dm+dmpython",
}
registry.register("postgresql.kin", "connectors.sql.kin", "KinDialect")
registry.register("dm.dmpython", "connectors.sql.dameng", "DamengDialect")
_PORTS = {"kingbase": 54321, "dm": 5236}  # where neither the driver nor the protocol would know
_MOST_SECONDS = 60
_PACKAGES = {
    "psycopg": "'yiwang-hub[postgres]'",
    "asyncmy": "'yiwang-hub[mysql]'",
    "oracledb": "'yiwang-hub[oracle]'",
    "dmPython": "dmPython",  # its maker's own, which is not there for every platform
}
_BEGINNING = {"oracle": "SET TRANSACTION READ ONLY", "dm": "SET TRANSACTION READ ONLY"}
"""Where nothing but a transaction can be read-only: what each begins with."""


def opened(url: Secret, pool_size: int) -> tuple[AsyncEngine, Callable[[], bool]]:
    """The engine, and whether connecting makes sense: a file of SQLite has to be there. Raises SourceError (config)."""
    place, file = address(url)
    backend = place.get_backend_name()
    options: dict[str, Any] = {"connect_args": {"timeout": 1}} if backend == "sqlite" else {}
    if backend != "sqlite" or file is not None:
        options |= {"pool_size": pool_size, "max_overflow": 0, "pool_recycle": 1800}
    for driver in ("asyncmy", "aiosqlite"):
        logging.getLogger(driver).setLevel(logging.ERROR)  # they write statements and warnings with their values
    if backend not in _BEGINNING:
        options |= {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    try:
        engine = create_async_engine(place, hide_parameters=True, **options)
    except ModuleNotFoundError as error:
        raise missing_driver(error) from None

    if backend == "sqlite":  # it takes a name in double quotes that it does not know for a text
        preparer: Any = engine.dialect.identifier_preparer
        engine.dialect.identifier_preparer = type(preparer)(engine.dialect, initial_quote="`", escape_quote="`")

    @event.listens_for(engine.sync_engine, "connect")
    def greet(connection: Any, record: ConnectionPoolEntry) -> None:
        try:
            cursor = connection.cursor()
            for words in greeting(backend):
                cursor.execute(words)
            cursor.close()
            connection.commit()
            if backend == "oracle":
                driver: Any = record.driver_connection
                driver.call_timeout = _MOST_SECONDS * 1000
        except BaseException:  # what cannot be greeted is nobody's: the pool does not close it
            connection.close()
            raise
        record.info["file"] = _identity(file)

    if backend in _BEGINNING:

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(_BEGINNING[backend])

    if file is not None:

        @event.listens_for(engine.sync_engine, "checkout")
        def same_file(connection: Any, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
            """An open file outlives its name: a database that was taken away or replaced is noticed here."""
            if record.info.get("file") != _identity(file):
                raise exc.DisconnectionError("the file was replaced")

    return engine, lambda: file is None or _identity(file) is not None


def address(url: Secret) -> tuple[URL, str | None]:
    """The URL with its async driver, and the file of a plain SQLite address, which is opened only if it is there.

    None for memory, or an address with words of its own. Raises SourceError (config).
    """
    try:
        found = make_url(url.reveal())
    except (exc.ArgumentError, ValueError):
        raise refused("The address of the database is not a URL.") from None
    name = found.drivername
    if name not in _DRIVERS and name not in _DRIVERS.values():
        raise refused(f"no database is known by '{name}'; take sqlite, postgresql, kingbase, mysql, oracle or dm")
    found = found.set(drivername=_DRIVERS.get(name, name), port=found.port or _PORTS.get(name))
    if found.get_backend_name() == "mysql" and "charset" not in found.query:
        found = found.update_query_dict({"charset": "utf8mb4"})
    file = found.database
    if found.get_backend_name() != "sqlite" or not file or file == ":memory:" or found.query:
        return found, None
    return found.set(database="file:" + quote(file), query={"mode": "rw", "uri": "true"}), file


def missing_driver(error: ModuleNotFoundError) -> SourceError:
    """What to install for a driver that is not there."""
    package = _PACKAGES.get((error.name or "").partition(".")[0])
    return refused(f"the driver '{error.name}' is not installed" + (f": pip install {package}" if package else ""))


def greeting(backend: str) -> tuple[str, ...]:
    """What is said on each new connection: nothing may be written, nothing may run on after its caller has left, and a point in time
    without an offset is the province's, as it is for the engine.

    SQLite is interrupted. psycopg cancels on the server, which may not listen; MySQL and MariaDB go on, each with a bound of its own name.
    Oracle and Dameng are read-only by transaction, and their drivers know the bound.
    """
    bound = f"/*M!100101 , SESSION max_statement_time = {_MOST_SECONDS} */ /*!50708 , SESSION max_execution_time = {_MOST_SECONDS}000 */"
    return {
        "sqlite": ("PRAGMA query_only = ON",),
        "postgresql": (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET TIME ZONE 'Asia/Shanghai'; "
            f"SET statement_timeout = {_MOST_SECONDS}000",
        ),
        "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION time_zone = '+08:00'", f"SET @hub = 1 {bound}"),
        "oracle": ("ALTER SESSION SET TIME_ZONE = '+08:00' NLS_SORT = BINARY NLS_COMP = BINARY",),
        "dm": ("SET TIME ZONE '+08:00'",),
    }[backend]


def _identity(file: str | None) -> tuple[int, int] | None:
    try:
        found = os.stat(file) if file is not None else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None
