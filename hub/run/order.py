"""Comparing canonical values: sorting connections, cutting pages, and the conditions a source has left to the engine.

Null stands below everything else, and so does a value that cannot be read. Numbers go by value, points in time by the moment they
mean, values of an enum by the order of their definition, all else by code point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from graphql import GraphQLOutputType, is_enum_type

from connectors.spi import Field
from hub.run.convert import BAD
from hub.run.kinds import named

_NUMERIC = frozenset({"Int", "Float", "Decimal"})
NULL: tuple[int, Any] = (0, 0)


def sort_key(kind: GraphQLOutputType) -> Callable[[Any], tuple[int, Any]]:
    """A key that orders values of ``kind``."""
    inner = named(kind)
    if is_enum_type(inner):
        places = {name: place for place, name in enumerate(inner.values)}
        return lambda value: (1, places[value]) if value in places else NULL
    if inner.name in _NUMERIC:
        return _number
    if inner.name == "DateTime":
        return _moment
    return lambda value: NULL if value is None or value is BAD else (1, value if isinstance(value, bool) else str(value))


def _number(value: Any) -> tuple[int, Any]:
    if value is None or value is BAD:
        return NULL
    try:
        return (1, Decimal(str(value)))
    except InvalidOperation:
        return NULL


def _moment(value: Any) -> tuple[int, Any]:
    try:
        return NULL if value is None or value is BAD else (1, datetime.fromisoformat(value).timestamp())
    except ValueError:
        return NULL


def agrees(kind: GraphQLOutputType, field: Field | None) -> bool:
    """Whether a source that sorts the column sorts as canonical values do, and holds those for equal that are. Numbers by their text,
    codes that stand for names, dates with a time of day and dates that do not begin with the year come in another order."""
    inner, written = named(kind), field.type if field is not None else "text"
    if is_enum_type(inner):
        return False
    if inner.name in _NUMERIC:
        return written in {"Int": ("int",), "Float": ("int", "float"), "Decimal": ("int", "float", "decimal")}[inner.name]
    format = field.format if field is not None else None
    if inner.name == "Date":
        return (format is None and written in ("date", "text")) or (format or "").replace("-", "").replace("/", "") == "yyyyMMdd"
    if inner.name == "DateTime":
        return (format is None and written in ("datetime", "text")) or (format or "").startswith(("yyyy", "unix"))
    if inner.name == "Boolean":
        return written == "bool"
    return written == "text"


def row_keys(
    columns: Sequence[Sequence[Any]], kinds: Sequence[GraphQLOutputType], descending: Sequence[bool] = ()
) -> list[tuple[Any, ...]]:
    """One sortable key per row out of the columns of an order; a column that ``descending`` marks goes from large to small."""
    ranked = [_ranks(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    for at, down in enumerate(descending):
        if down:
            ranked[at] = list(map(_Down, ranked[at]))
    return list(zip(*ranked, strict=True))


def _ranks(column: Sequence[Any], kind: GraphQLOutputType) -> list[Any]:
    inner = named(kind)
    if inner.name not in _NUMERIC and inner.name != "DateTime" and not is_enum_type(inner) and set(map(type, column)) == {str}:
        return [(1, value) for value in column]  # what sort_key gives for texts
    return list(map(sort_key(kind), column))


class _Down:
    """A rank that sorts the other way round."""

    __slots__ = ("rank",)

    def __init__(self, rank: tuple[int, Any]) -> None:
        self.rank = rank

    def __lt__(self, other: _Down) -> bool:
        return other.rank < self.rank

    def __gt__(self, other: _Down) -> bool:
        return other.rank > self.rank

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and other.rank == self.rank

    def __hash__(self) -> int:
        return hash(self.rank)


def meets(op: str, kind: GraphQLOutputType, wanted: Any) -> Callable[[Any], bool]:
    """A test of canonical values. Null meets no condition but NULL (three-valued logic, as in SQL), what cannot be read none at all."""
    if op == "NULL":
        return lambda value: (value is None) is bool(wanted) and value is not BAD
    if op == "PREFIX":
        start = str(wanted)
        return lambda value: value is not None and value is not BAD and str(value).startswith(start)
    key = sort_key(kind)
    if op == "IN":
        among = {key(one) for one in wanted} - {NULL}
        return lambda value: key(value) in among
    bound = key(wanted)
    tests: dict[str, Callable[[tuple[int, Any]], bool]] = {
        "EQ": lambda rank: rank == bound,
        "LT": lambda rank: rank < bound,
        "LE": lambda rank: rank <= bound,
        "GT": lambda rank: rank > bound,
        "GE": lambda rank: rank >= bound,
    }
    test = tests[op]
    return lambda value: (rank := key(value)) != NULL and bound != NULL and test(rank)
