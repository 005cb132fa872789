"""What differs between databases: addresses and drivers, exact comparison, lists of keys, what went wrong.

Comparison and order are the engine's: text by code point, capital and small letters apart, trailing spaces counted, null below all
else. A database compares by collation unless told otherwise, so it is told. Must not know relations or statements as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import exc, make_url
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL

from connectors.settings import refused
from connectors.spi import ErrorKind, Operator, Secret, SourceError

Column = sa.ColumnElement[Any]
Restrict = Callable[[Any], Any]  # makes of a call's value what the statement takes

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+asyncmy",
    "mariadb": "mysql+asyncmy",
}
_UNFIT = re.compile("[\0\ud800-\udfff]")
_MOST_SECONDS = 60
_EXTRAS = {"psycopg": "postgres", "asyncmy": "mysql"}


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
        raise refused(f"no database is known by '{name}'; take sqlite, postgresql or mysql")
    found = found.set(drivername=_DRIVERS.get(name, name))
    if found.get_backend_name() == "mysql" and "charset" not in found.query:
        found = found.update_query_dict({"charset": "utf8mb4"})
    file = found.database
    if found.get_backend_name() != "sqlite" or not file or file == ":memory:" or found.query:
        return found, None
    return found.set(database="file:" + quote(file), query={"mode": "rw", "uri": "true"}), file


def missing_driver(error: ModuleNotFoundError) -> SourceError:
    """What to install for a driver that is not there."""
    extra = _EXTRAS.get((error.name or "").partition(".")[0])
    return refused(f"the driver '{error.name}' is not installed" + (f": pip install 'yiwang-hub[{extra}]'" if extra else ""))


def greeting(backend: str) -> tuple[str, ...]:
    """What is said on each new connection: nothing may be written, nothing may run on after its caller has left, and a point in time
    without an offset is the province's, as it is for the engine.

    SQLite is interrupted and psycopg cancels on the server; MySQL and MariaDB go on, each with a bound of its own name.
    """
    bound = f"/*M!100101 , SESSION max_statement_time = {_MOST_SECONDS} */ /*!50708 , SESSION max_execution_time = {_MOST_SECONDS}000 */"
    return {
        "sqlite": ("PRAGMA query_only = ON",),
        "postgresql": ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET TIME ZONE 'Asia/Shanghai'"),
        "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION time_zone = '+08:00'", f"SET @hub = 1 {bound}"),
    }[backend]


def exact(backend: str, column: Column, *, text: bool) -> Column:
    """``column`` as it compares and sorts by code point; what is not text stays as it is."""
    if not text:
        return column
    if backend == "postgresql":
        return sa.cast(column, sa.Text).collate("C")
    if backend == "mysql":  # bytes of UTF-8 sort as code points do
        return sa.type_coerce(sa.cast(sa.func.convert(column.op("USING")(sa.literal_column("utf8mb4"))), mysql.BINARY), sa.String())
    return column.collate("BINARY")


def among(backend: str, column: Column, name: str, kind: sa.String | None = None) -> Column:
    """``column`` is one of the values that arrive as ``name`` through ``values_of``."""
    if backend == "postgresql":  # one parameter whatever the number of keys, typed by the server as the column is
        return column.op("=", is_comparison=True)(sa.func.any(sa.bindparam(name)))
    return column.in_(sa.bindparam(name, expanding=True, type_=kind))


def values_of(backend: str, values: Sequence[Any]) -> Any:
    """A list of values as ``among`` takes it. Null is among nothing."""
    found = [native(backend, value) for value in values if value is not None]
    return "{" + ",".join(_element(value) for value in found) + "}" if backend == "postgresql" else found


def restriction(backend: str, column: Column, op: Operator, name: str, *, text: bool) -> tuple[Column, dict[str, Restrict]]:
    """One pushed condition and, by parameter of the statement, what to make of the call's value."""
    loose = backend == "mysql" and text  # an index works by the column's own collation: it narrows, the bytes decide
    kind = sa.String() if loose else None
    place: sa.BindParameter[Any] = sa.bindparam(name, type_=kind)
    exactly = exact(backend, column, text=text)
    equal = exactly if backend == "sqlite" else column  # PostgreSQL's equality is exact whatever the collation

    def one(value: Any) -> Any:
        return native(backend, value)

    def many(value: Any) -> Any:
        return values_of(backend, value or ())

    match op:
        case "EQ":
            return (sa.and_(column == place, exactly == place) if loose else equal == place), {name: one}
        case "IN":
            within = among(backend, equal, name, kind)
            return (sa.and_(within, exactly.in_(sa.bindparam(name, expanding=True, type_=kind))) if loose else within), {name: many}
        case "LT":
            return exactly < place, {name: one}
        case "LE":
            return exactly <= place, {name: one}
        case "GT":
            return exactly > place, {name: one}
        case "GE":
            return exactly >= place, {name: one}
        case "PREFIX":
            return _prefix(backend, column, exactly, name)


def _prefix(backend: str, column: Column, exactly: Column, name: str) -> tuple[Column, dict[str, Restrict]]:
    if backend == "sqlite":  # its LIKE takes capital letters for small ones
        place: sa.BindParameter[Any] = sa.bindparam(name)
        return sa.and_(exactly >= place, sa.func.substr(column, sa.literal_column("1"), sa.func.length(place)) == place), {name: str}
    like = f"{name}_like"
    pattern: sa.BindParameter[Any] = sa.bindparam(like, type_=sa.String())
    found = exactly.like(pattern, escape="!")
    return (sa.and_(column.like(pattern, escape="!"), found) if backend == "mysql" else found), {like: _pattern}


def _pattern(value: Any) -> str:
    return re.sub(r"([!%_])", r"!\1", str(value)) + "%"


def ordering(backend: str, column: Column, *, descending: bool, text: bool, nullable: bool) -> Column:
    """Null stands below everything else: first upwards, last downwards. Only PostgreSQL has to be told."""
    key = exact(backend, column, text=text)
    directed = key.desc() if descending else key.asc()
    if nullable and backend == "postgresql":
        return directed.nulls_last() if descending else directed.nulls_first()
    return directed


def native(backend: str, value: Any) -> Any:
    """A value as the driver takes it: SQLite has neither decimals nor dates."""
    if backend != "sqlite":
        return value
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date | time) else str(value) if isinstance(value, Decimal) else value


def unfit(value: Any) -> bool:
    """Whether no database can hold ``value`` in a text: NUL, or half of a character pair."""
    return isinstance(value, str) and _UNFIT.search(value) is not None


def _element(value: Any) -> str:
    """One element of an array in PostgreSQL's text form."""
    if isinstance(value, bool):
        return "t" if value else "f"
    text = value.isoformat() if isinstance(value, date | time) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class _Sign:
    """A code of a database (a prefix, for SQLSTATE) and what it means."""

    codes: tuple[str, ...]
    kind: ErrorKind
    message: str


_DENIED, _CONFIG = "The database refused the hub.", "The database has no such table or column."
_BUSY, _DOWN, _SLOW = "The database is busy.", "The database cannot be reached.", "The database did not answer in time."
_INVALID, _BROKEN = "The database did not accept the values.", "The database failed."
_SIGNS = {
    "postgresql": (
        _Sign(("28", "42501", "25006"), "denied", _DENIED),
        _Sign(("42P01", "42703", "42704", "42883", "3D", "3F", "42"), "config", _CONFIG),
        _Sign(("53", "55P03", "40"), "busy", _BUSY),
        _Sign(("57014",), "slow", _SLOW),
        _Sign(("08", "57P"), "down", _DOWN),
        _Sign(("22",), "invalid", _INVALID),
    ),
    "mysql": (
        _Sign(("1044", "1045", "1142", "1143", "1227", "1698", "1792"), "denied", _DENIED),
        _Sign(("1049", "1054", "1064", "1146", "1253", "1305"), "config", _CONFIG),
        _Sign(("1040", "1203", "1205", "1213", "1226"), "busy", _BUSY),
        _Sign(("1317", "1969", "3024"), "slow", _SLOW),
        _Sign(("1053", "1927", "2002", "2003", "2005", "2006", "2013", "2055"), "down", _DOWN),
        _Sign(("1264", "1292", "1366", "1525"), "invalid", _INVALID),
    ),
    "sqlite": (
        _Sign(("SQLITE_AUTH", "SQLITE_PERM", "SQLITE_READONLY"), "denied", _DENIED),
        _Sign(("SQLITE_BUSY", "SQLITE_LOCKED"), "busy", _BUSY),
        _Sign(("SQLITE_INTERRUPT",), "slow", _SLOW),
        _Sign(("SQLITE_CANTOPEN", "SQLITE_IOERR"), "down", _DOWN),
        _Sign(("SQLITE_ERROR",), "config", _CONFIG),
    ),
}
# A refused log-in reaches psycopg before there is a connection to read a code from.
_LOGIN = (
    (("authentication failed", "no password supplied", "no pg_hba.conf entry", "permission denied"), "28000"),
    (("too many clients", "too many connections", "reserved for"), "53300"),
    (("database \"", "role \""), "3D000"),
    (("starting up", "shutting down"), "57P03"),
)  # fmt: skip


def failure(backend: str, error: exc.DBAPIError) -> SourceError:
    """A driver's error in the engine's terms. ``detail`` quotes the database only where its text can hold no value of a call."""
    cause = error.orig
    if isinstance(cause, OverflowError | UnicodeError):
        return SourceError("invalid", _INVALID, detail=type(cause).__name__)
    code = _code(backend, cause)
    if not code and "certificate" in str(cause):
        return SourceError("config", "The certificate of the database is not trusted.", detail=type(cause).__name__)
    for sign in _SIGNS[backend]:
        if code.startswith(sign.codes):
            said = f" {cause}" if sign.kind in ("config", "denied", "down") else ""
            return SourceError(sign.kind, sign.message, detail=(code + said).replace("\n", " "))
    if backend == "sqlite" and isinstance(error, exc.InterfaceError | exc.ProgrammingError):
        return SourceError("invalid", _INVALID, detail=code or type(cause).__name__)
    if not code and backend != "sqlite" and isinstance(error, exc.OperationalError | exc.InterfaceError):
        return SourceError("down", _DOWN, detail=type(cause).__name__)
    if isinstance(error, exc.DataError):
        return SourceError("invalid", _INVALID, detail=code or type(cause).__name__)
    return SourceError("broken", _BROKEN, detail=code or type(cause).__name__)


def _code(backend: str, cause: BaseException | None) -> str:
    if backend == "sqlite":
        return str(getattr(cause, "sqlite_errorname", ""))
    if backend == "mysql":
        found = cause.args[0] if cause and cause.args else ""
        return str(found) if isinstance(found, int) else ""
    state = getattr(cause, "sqlstate", None)
    if state:
        return str(state)
    said = str(cause)
    return next((code for signs, code in _LOGIN if any(sign in said for sign in signs)), "")
