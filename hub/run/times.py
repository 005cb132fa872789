"""Times as departments write them, and back: formats in letters, seconds since 1970, drivers' own types. Knows no types of GraphQL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

from connectors.spi import Field

SHANGHAI: Final = timezone(timedelta(hours=8))  # what a native time without an offset means


@lru_cache(maxsize=256)
def _pattern(format: str) -> str:
    """``yyyyMMddHHmmss`` → ``%Y%m%d%H%M%S``. Letters as in Unicode TR 35, those that departments use."""
    for letters, code in (
        ("yyyy", "%Y"),
        ("SSSSSS", "%f"),
        ("SSS", "%f"),
        ("MM", "%m"),
        ("dd", "%d"),
        ("HH", "%H"),
        ("mm", "%M"),
        ("ss", "%S"),
    ):
        format = format.replace(letters, code)
    return format.replace("'", "")


_DAY: Final = "yyyyMMdd"  # the formats that departments use most; strptime takes ten times as long
_SECOND: Final = "yyyyMMddHHmmss"


@lru_cache(maxsize=65_536)
def _parsed(text: str, format: str | None) -> datetime | None:
    plain = text.isascii() or not any(letter > "9" and letter.isdecimal() for letter in text)  # 年, 月 and 日 may stand in a date
    if not plain or ("_" in text and format in ("unix", "unix_ms")):
        return None
    try:
        if format in ("unix", "unix_ms"):
            return datetime.fromtimestamp(float(text) / (1000 if format == "unix_ms" else 1), UTC)
        if format == _DAY and len(text) == 8 and text.isdecimal():
            return datetime.fromisoformat(text)
        if format == _SECOND and len(text) == 14 and text.isdecimal():
            return datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
        return datetime.strptime(text, _pattern(format)) if format else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None


def _moment(value: Any, format: str | None) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return _parsed(str(value).strip(), format)


def day(value: Any, format: str | None) -> str | None:
    """``YYYY-MM-DD``; None for what is no time."""
    return _day(value, format) if type(value) is str else _day_of(value, format)


@lru_cache(maxsize=65_536)
def _day(text: str, format: str | None) -> str | None:
    return _day_of(text, format)


def _day_of(value: Any, format: str | None) -> str | None:
    moment = _moment(value, format)
    if moment is None:
        return None
    return (moment.astimezone(SHANGHAI) if moment.tzinfo else moment).date().isoformat()


def instant(value: Any, format: str | None) -> str | None:
    """RFC 3339 with offset; None for what is no time."""
    moment = _moment(value, format)
    if moment is None:
        return None
    return (
        moment.astimezone(SHANGHAI) if format in ("unix", "unix_ms") else moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
    ).isoformat()


def written(value: str, field: Field) -> Any:
    """A canonical time as the source of ``field`` writes it."""
    moment = datetime.fromisoformat(value)
    if field.format == "unix":
        return int(moment.timestamp())
    if field.format == "unix_ms":
        return int(moment.timestamp() * 1000)
    if field.format:
        text = moment.strftime(_pattern(field.format).replace("%Y", f"{moment.year:04}"))  # strftime does not pad years
        return int(text) if field.type == "int" else text
    if field.type == "date":
        return moment.date()
    return moment if field.type == "datetime" else value
