"""What went wrong, in the engine's terms: the codes of each database and its driver.

Must not know statements or settings.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exc

from connectors.spi import ErrorKind, SourceError


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
    "oracle": (
        _Sign(("ORA-01017", "ORA-01031", "ORA-01045", "ORA-01456", "ORA-16000", "ORA-28000", "ORA-28001"), "denied", _DENIED),
        _Sign(("ORA-009", "ORA-02289", "ORA-06550", "ORA-12154", "ORA-12505", "ORA-12514", "DPY-6001", "DPY-6003"), "config", _CONFIG),
        _Sign(("ORA-00018", "ORA-00020", "ORA-00054", "ORA-02391", "ORA-12516", "ORA-12519", "ORA-12520"), "busy", _BUSY),
        _Sign(("DPY-4024", "ORA-01013", "ORA-00040"), "slow", _SLOW),
        _Sign(("DPY-1001", "DPY-4011", "DPY-600", "ORA-0311", "ORA-03135", "ORA-0103", "ORA-01089", "ORA-125"), "down", _DOWN),
        _Sign(("ORA-01426", "ORA-01438", "ORA-01722", "ORA-0184", "ORA-0185", "ORA-01861", "ORA-12899"), "invalid", _INVALID),
    ),
    "dm": (
        _Sign(("-2501", "-55"), "denied", _DENIED),
        _Sign(("-2007", "-2106", "-2111", "-2207"), "config", _CONFIG),
        _Sign(("-6407",), "busy", _BUSY),
        _Sign(("-6010", "-70019", "-70025", "-70028"), "down", _DOWN),
        _Sign(("-6103", "-6105", "-6111", "-6118"), "invalid", _INVALID),
    ),
    "sqlite": (
        _Sign(("SQLITE_AUTH", "SQLITE_PERM", "SQLITE_READONLY"), "denied", _DENIED),
        _Sign(("SQLITE_BUSY", "SQLITE_LOCKED"), "busy", _BUSY),
        _Sign(("SQLITE_INTERRUPT",), "slow", _SLOW),
        _Sign(("SQLITE_CANTOPEN", "SQLITE_IOERR"), "down", _DOWN),
        _Sign(("SQLITE_ERROR",), "config", _CONFIG),
    ),
}
UNDEFINED = {"postgresql": "42703", "mysql": "1054", "oracle": "ORA-00904", "dm": "-2111", "sqlite": "SQLITE_ERROR no such column"}
"""What the ``detail`` of an error begins with that is about a column."""
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
    if backend in ("oracle", "dm"):
        found = cause.args[0] if cause and cause.args else None
        return str(getattr(found, "full_code", "") or getattr(found, "code", ""))
    state = getattr(cause, "sqlstate", None)
    if state:
        return str(state)
    said = str(cause)
    return next((code for signs, code in _LOGIN if any(sign in said for sign in signs)), "")
