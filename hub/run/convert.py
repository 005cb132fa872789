"""Native values into canonical ones, and canonical keys and filter values into native ones. The only place that does either.

Works on whole columns: when all values of a column already have the canonical JSON type, the column passes untouched. Canonical
values are JSON-ready: Decimal as text, Date ``YYYY-MM-DD``, DateTime RFC 3339 with offset. Knows no system and no plan.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import NoneType
from typing import Any, Final

import orjson
from graphql import GraphQLOutputType, is_enum_type

from connectors.paths import ABSENT
from connectors.spi import Field, SourceError
from hub.run.kinds import facts, named
from hub.run.parts import Part
from hub.run.times import day, instant, written

MOST_TIMES: Final = 65_536  # texts of one format that are remembered
INT_MAX: Final = 2**31 - 1
LONGEST: Final = 1000  # places that the first digit of a decimal may lie from its point
WHOLE: Final = re.compile(rf"-?[0-9]{{1,{LONGEST}}}").fullmatch
_TEXT_OR_NONE: Final = frozenset({str, NoneType})


class _Bad:
    """Stands in a column where a native value could not be read."""

    def __repr__(self) -> str:
        return "BAD"


BAD: Final = _Bad()


@dataclass(slots=True)
class Column:
    """Canonical values, one per row. ``flawed`` says that at least one of them, or one element of a list, is ``BAD``; ``full`` that none
    of them is null, as far as that was seen in passing."""

    values: list[Any]
    flawed: bool = False
    full: bool = False


class Reading:
    """How a native column is read as ``kind``; made once for a slot of a plan. ``field`` gives format and enum values; None means
    canonical already. ``name`` is the named type, ``depth`` how many lists lie around it, ``demands`` whether it, or an element of it,
    may not be null."""

    __slots__ = ("_field", "_kind", "_one", "_passes", "demands", "depth", "name")

    def __init__(self, kind: GraphQLOutputType, field: Field | None) -> None:
        self.name, self.depth, self.demands = facts(kind)
        self._kind = kind
        self._field = field
        self._passes = _PASSES.get(self.name)
        self._one: Callable[[Any], Any] | None = None

    def column(self, values: list[Any]) -> Column:
        """Canonical values of a native column; the very list where it is canonical as it came."""
        if values.__class__ is Part:
            made: Column | None = values.whole.read(self, len(values))
            if made is not None and not made.flawed:
                same = made.values is values.whole.values
                own = values if same else made.values[values.start : values.stop]
                return Column(own, False, made.full)
        if self._field is None:
            return Column(values)
        types = set(map(type, values))
        if SourceError in types:  # in rows whose source has no such column any more
            read = self.column([None if isinstance(value, SourceError) else value for value in values]).values
            return Column([BAD if isinstance(value, SourceError) else one for value, one in zip(values, read, strict=True)], True)
        if self._field.type == "raw":
            return Column(values)
        if self.depth:
            return _lists([decoded(value, self._field.format) for value in values], self.depth, self._reads(self._field))
        full = NoneType not in types
        if self._passes is not None and types <= self._passes:
            return Column(values, False, full)
        if self.name == "Int" and types == {int} and _fit(values):
            return Column(values, False, True)
        if types == {str} and self.name in _TIMES:
            return _times(values, self.name, self._field.format)
        return _each(values, self._reads(self._field), types)

    def _reads(self, field: Field) -> Callable[[Any], Any]:
        """Reads one value; most columns never need it."""
        if self._one is None:
            self._one = _reader(self._kind, field)
        return self._one


def canonical(values: list[Any], kind: GraphQLOutputType, field: Field | None) -> Column:
    """``Reading.column`` for once."""
    return Reading(kind, field).column(values)


def _fit(values: list[int]) -> bool:
    """Whether all are 32-bit integers, asked of C at once."""
    try:
        array("i", values)
    except OverflowError:
        return False
    return True


class _Times(dict[str, str]):
    """Texts of one format as canonical times, each read once: days repeat a lot, and so a column is one pass in C. Holds no bad ones."""

    def __init__(self, read: Callable[[Any, str | None], str | None], format: str | None) -> None:
        super().__init__()
        self._read = read
        self._format = format

    def __missing__(self, text: str) -> Any:
        value = self._read(text, self._format)
        if value is None:
            return BAD
        if len(self) < MOST_TIMES:
            self[text] = value
        return value


@lru_cache(maxsize=256)
def _times_of(name: str, format: str | None) -> _Times:
    return _Times(_TIMES[name], format)


def _times(values: list[Any], name: str, format: str | None) -> Column:
    out: list[Any] = list(map(_times_of(name, format).__getitem__, values))
    return Column(out, BAD in out, full=True)


def _each(values: Sequence[Any], read: Callable[[Any], Any], types: set[type] | None = None) -> Column:
    if types is not None and types <= _TEXT_OR_NONE:  # equal texts read equally: codes, grades and dates repeat a lot
        table = {value: read(value) for value in set(values) if value is not None}
        return Column(list(map(table.get, values)), BAD in table.values(), NoneType not in types)
    out = [None if value is None else read(value) for value in values]
    return Column(out, BAD in out)


def _lists(values: list[Any], levels: int, read: Callable[[Any], Any]) -> Column:
    out: list[Any] = []
    flawed = False
    for value in values:
        if value is None:
            out.append(None)
        elif not isinstance(value, list | tuple):
            out.append(BAD)
            flawed = True
        else:
            inner = _lists(list(value), levels - 1, read) if levels > 1 else _each(value, read)
            flawed = flawed or inner.flawed
            out.append(inner.values)
    return Column(out, flawed)


def decoded(value: Any, format: str | None) -> Any:
    """A list that lies in one text: a JSON text or comma separated values."""
    if not isinstance(value, str):
        return value
    if format == "csv":
        return [part.strip() for part in value.split(",") if part.strip()]
    if format == "json":
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return BAD
    return value


def _reader(kind: GraphQLOutputType, field: Field) -> Callable[[Any], Any]:
    inner = named(kind)
    if is_enum_type(inner):
        names, mapped = frozenset(inner.values), field.values

        def enum(value: Any) -> Any:
            name = mapped.get(str(value), value)
            return name if isinstance(name, str) and name in names else BAD

        return enum
    if inner.name in ("Date", "DateTime"):
        time, format = _TIMES[inner.name], field.format
        return lambda value: BAD if (found := time(value, format)) is None else found
    return _READERS.get(inner.name, _opaque if inner.name not in _TEXTUAL else _text)


def _text(value: Any) -> Any:
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return BAD


def _id(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return str(value) if isinstance(value, Decimal) and value == value.to_integral_value() else BAD
    return str(value)


def _plain(text: str) -> bool:
    """Whether a text holds nothing that Python would read as a number and a source does not mean as one: ``1_000``, digits of another
    script or of full width. A code that was written so is not the number, and a number that was is told of."""
    return text.isascii() and "_" not in text


def _int(value: Any) -> Any:
    number: int
    if isinstance(value, bool):
        return BAD
    if isinstance(value, int):
        number = value
    elif isinstance(value, float | Decimal):
        if value != value or value in (float("inf"), float("-inf")) or value != int(value):
            return BAD
        number = int(value)
    elif isinstance(value, str) and _plain(value):
        try:
            number = int(value)
        except ValueError:
            return BAD
    else:
        return BAD
    return number if -INT_MAX - 1 <= number <= INT_MAX else BAD


def _float(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str) or (type(value) is str and not _plain(value)):
        return BAD
    try:
        number = float(value)
    except ValueError:
        return BAD
    return number if number - number == 0 else BAD  # neither NaN nor infinite


_TRUTH: Final = {"1": True, "0": False, "y": True, "n": False, "是": True, "否": False, "true": True, "false": False}


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | str):
        return _TRUTH.get(str(value).strip().lower(), BAD)
    return BAD


def _decimal(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return BAD
    text = str(value)
    if not _plain(text):
        return BAD
    try:
        number = Decimal(text)
    except InvalidOperation:
        return BAD
    # What is short to write may be long to write out: 1E999999999.
    return format(number, "f") if number.is_finite() and abs(number.adjusted()) < LONGEST else BAD


def _opaque(value: Any) -> Any:
    return BAD if value is ABSENT else value  # to all other readers it is a value of a wrong type


_TIMES: Final[dict[str, Callable[[Any, str | None], str | None]]] = {"Date": day, "DateTime": instant}
_PASSES: Final[dict[str, frozenset[type]]] = {
    name: frozenset({kind, NoneType})
    for name, kind in {
        "String": str,
        "ID": str,
        "Boolean": bool,
        "USCC": str,
        "Division": str,
        "ItemCode": str,
        "LicenceID": str,
        "ResidentID": str,
    }.items()
}
_TEXTUAL: Final = frozenset(name for name in _PASSES if name not in ("Boolean", "ID"))
_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "ID": _id,
    "Int": _int,
    "Float": _float,
    "Boolean": _boolean,
    "Decimal": _decimal,
}


def native(value: Any, kind: GraphQLOutputType, field: Field | None) -> Any:
    """A canonical key or filter value as the source of ``field`` writes it. Inverse of ``canonical`` on what can be read."""
    if value is None or field is None:
        return value
    inner = named(kind)
    if is_enum_type(inner):
        return next((written for written, name in field.values.items() if name == value), value)
    if inner.name in ("Date", "DateTime"):
        return written(value, field)
    if field.type == "int" and isinstance(value, str) and WHOLE(value):
        return int(value)
    if field.type == "decimal" and isinstance(value, str):
        return Decimal(value)
    return value


def natives(values: list[Any], kind: GraphQLOutputType, field: Field | None) -> list[Any]:
    """``native`` of a whole column: the column itself where the source writes values as they are."""
    if field is None or not (is_enum_type(named(kind)) or named(kind).name in ("Date", "DateTime") or field.type in ("int", "decimal")):
        return values
    return [native(value, kind, field) for value in values]
