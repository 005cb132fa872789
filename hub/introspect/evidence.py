"""What sampled values look like: an identifier that passes its check, a date in some form, a person's number.

Pure functions over values as a source gives them. Nothing of a value goes into what is said, only how many fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from hub.introspect.found import Column
from hub.introspect.terms import plain
from schema.bad_identifier import BadIdentifier
from schema.identifiers import IDENTIFIERS

# A form of manifests' @from(format:), how a whole text of that form looks, and how Python reads it. None: needs no format.
_FORMS: tuple[tuple[str | None, re.Pattern[str], str, str], ...] = (
    (None, re.compile(r"\d{4}-\d{2}-\d{2}"), "%Y-%m-%d", "Date"),
    ("yyyyMMdd", re.compile(r"(19|20|21)\d{6}"), "%Y%m%d", "Date"),
    ("yyyy/MM/dd", re.compile(r"\d{4}/\d{2}/\d{2}"), "%Y/%m/%d", "Date"),
    ("yyyy.MM.dd", re.compile(r"\d{4}\.\d{2}\.\d{2}"), "%Y.%m.%d", "Date"),
    ("yyyy年MM月dd日", re.compile(r"\d{4}年\d{2}月\d{2}日"), "%Y年%m月%d日", "Date"),
    (None, re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?"), "", "DateTime"),
    ("yyyyMMddHHmmss", re.compile(r"(19|20|21)\d{12}"), "%Y%m%d%H%M%S", "DateTime"),
    ("yyyy/MM/dd HH:mm:ss", re.compile(r"\d{4}/\d{2}/\d{2} \d{2}:\d{2}:\d{2}"), "%Y/%m/%d %H:%M:%S", "DateTime"),
)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_TRUTH = frozenset({"0", "1", "y", "n", "是", "否", "true", "false"})
_KEYLIKE = ("id", "bh", "no", "bm", "dm", "code", "编号", "编码", "代码", "号", "码")
_COUNTERS = ("序号", "行号", "xh", "rowno", "no", "电话", "手机号", "联系电话", "邮编")
_IN_PRACTICE = (datetime(1990, 1, 1).timestamp(), datetime(2100, 1, 1).timestamp())


@dataclass(frozen=True, slots=True)
class Fit:
    """``good`` of ``seen`` distinct values fit."""

    good: int
    seen: int

    @property
    def all(self) -> bool:
        return self.seen > 0 and self.good == self.seen

    @property
    def share(self) -> float:
        return self.good / self.seen if self.seen else 0.0


def distinct(column: Column) -> list[Any]:
    """The different values that were seen, nulls and blanks left out."""
    found: dict[str, Any] = {}
    for value in column.samples:
        if value is not None and value != "":
            found.setdefault(repr(value), value)
    return list(found.values())


def identifier(scalar: str, column: Column) -> Fit:
    """How many values pass the check of USCC, LicenceID, ItemCode, Division or ResidentID."""
    return _count(distinct(column), lambda text: _passes(scalar, text))


def _passes(scalar: str, text: str) -> bool:
    try:
        IDENTIFIERS[scalar](text)
    except BadIdentifier:
        return False
    return True


def canonical(column: Column) -> bool:
    """Whether all values pass the check of a key that the whole province uses."""
    return any(identifier(scalar, column).all for scalar in ("USCC", "LicenceID", "ItemCode"))


def keylike(column: Column) -> bool:
    """Whether a column looks like a key, by its name or its values; that it can be one is for others to say."""
    named = plain(column.path) or column.path
    return (named.endswith(_KEYLIKE) and named not in _COUNTERS) or canonical(column)


def mobiles(column: Column) -> Fit:
    """How many values look like the number of a mobile telephone."""
    return _count(distinct(column), lambda text: _MOBILE.fullmatch(text) is not None)


def _count(values: Sequence[Any], fits: Callable[[str], bool]) -> Fit:
    return Fit(sum(fits(str(value).strip()) for value in values if isinstance(value, str | int)), len(values))


@dataclass(frozen=True, slots=True)
class Moment:
    """``scalar`` is Date or DateTime; ``format`` what the manifest has to say, None where nothing."""

    scalar: str
    format: str | None


def moment(column: Column) -> Moment | None:
    """The form in which all values of a column are dates or times, if they are."""
    if column.type in ("date", "datetime"):
        return Moment("Date" if column.type == "date" else "DateTime", None)
    values = distinct(column)
    if not values or column.type not in ("text", "int", "bigint", "decimal"):
        return None
    if all(isinstance(value, date) for value in values):
        return Moment("DateTime" if any(isinstance(value, datetime) for value in values) else "Date", None)
    texts = [str(value).strip() for value in values]
    for form, shape, reading, scalar in _FORMS:
        if all(shape.fullmatch(text) for text in texts) and all(_reads(text, reading) for text in texts):
            return Moment(scalar, form)
    return None


def unix(column: Column) -> Moment | None:
    """Seconds or milliseconds since 1970, where all values lie in times that are in use. Numbers alone do not prove it."""
    values = [value for value in distinct(column) if isinstance(value, int | float | Decimal) and not isinstance(value, bool)]
    if not values or len(values) < len(distinct(column)):
        return None
    low, high = _IN_PRACTICE
    for form, scale in (("unix", 1), ("unix_ms", 1000)):
        if all(low * scale <= value <= high * scale for value in values):
            return Moment("DateTime", form)
    return None


def _reads(text: str, reading: str) -> bool:
    try:
        datetime.strptime(text, reading) if reading else datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def lists(column: Column) -> bool:
    """Whether all values are JSON lists of plain values, read by the driver or left as text."""
    values = [_json(value) for value in column.samples if value is not None]
    return bool(values) and all(isinstance(value, list) and all(isinstance(each, str | int | float) for each in value) for value in values)


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None


def truths(column: Column) -> bool:
    """Whether all values are ones that the hub reads as true or false."""
    values = distinct(column)
    return column.type == "bool" or (bool(values) and all(str(value).strip().lower() in _TRUTH for value in values))


def numbers(column: Column) -> bool:
    """Whether all values are numbers, as far as was seen."""
    if column.type in ("int", "bigint", "float", "decimal"):
        return True
    values = distinct(column)
    return bool(values) and all(re.fullmatch(r"-?\d+(\.\d+)?", str(value).strip()) for value in values)


def small(column: Column) -> bool:
    """Whether all whole numbers seen fit GraphQL's Int."""
    return all(abs(value) < 2**31 for value in distinct(column) if isinstance(value, int))


def vocabulary(column: Column, meanings: Iterable[tuple[str, Sequence[str]]]) -> tuple[dict[str, str], list[str]]:
    """(the source's text → enum value, texts that mean nothing known). ``meanings`` are a value's name and the words for it."""
    named = {word.lower(): name for name, words in meanings for word in (name, *words)}
    found: dict[str, str] = {}
    unknown: list[str] = []
    for text in column.texts or tuple(dict.fromkeys(str(value).strip() for value in distinct(column))):
        name = named.get(text.lower())
        if name is None:
            unknown.append(text)
        elif name not in found.values():
            found[text] = name
    return found, unknown
