"""Comparing canonical values: sorting connections, cutting pages, and the conditions a source has left to the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from graphql import GraphQLOutputType, is_enum_type

from connectors.spi import Field
from hub.run.convert import BAD
from hub.run.kinds import named

_NUMERIC = frozenset({"Int", "Float", "Decimal"})


def sort_key(kind: GraphQLOutputType) -> Callable[[Any], tuple[int, Any]]:
    """A key that orders values of ``kind``: nulls first, unreadable last, numbers by value, all else by text."""
    numeric = named(kind).name in _NUMERIC

    def key(value: Any) -> tuple[int, Any]:
        if value is None:
            return (0, 0)
        if value is BAD:
            return (2, 0)
        if not numeric:
            return (1, value if isinstance(value, bool) else str(value))
        try:
            return (1, Decimal(str(value)))
        except InvalidOperation:
            return (2, 0)

    return key


def agrees(kind: GraphQLOutputType, field: Field | None) -> bool:
    """Whether a source that sorts the column sorts as canonical values do. Numbers by their text, codes that stand for names and dates
    that do not begin with the year come in another order."""
    inner, written = named(kind), field.type if field is not None else "text"
    if is_enum_type(inner):
        return False
    if inner.name in _NUMERIC:
        return written in ("int", "float", "decimal")
    if inner.name in ("Date", "DateTime"):
        format = field.format if field is not None else None
        return written in ("date", "datetime") or format is None or format.startswith(("yyyy", "unix"))
    return written == "text"


def row_keys(columns: Sequence[Sequence[Any]], kinds: Sequence[GraphQLOutputType]) -> list[tuple[Any, ...]]:
    """One sortable key per row out of the key columns."""
    return list(zip(*(_ranks(column, kind) for column, kind in zip(columns, kinds, strict=True)), strict=True))


def _ranks(column: Sequence[Any], kind: GraphQLOutputType) -> list[tuple[int, Any]]:
    if named(kind).name not in _NUMERIC and set(map(type, column)) == {str}:
        return [(1, value) for value in column]  # what sort_key gives for texts
    return list(map(sort_key(kind), column))


def holds(op: str, kind: GraphQLOutputType, value: Any, wanted: Any) -> bool:
    """Whether a canonical ``value`` meets a condition. Null meets none (three-valued logic, as in SQL)."""
    if value is None or value is BAD:
        return False
    key = sort_key(kind)
    match op:
        case "IN":
            return any(key(value) == key(one) for one in wanted)
        case "PREFIX":
            return str(value).startswith(str(wanted))
        case "EQ":
            return key(value) == key(wanted)
        case "LT":
            return key(value) < key(wanted)
        case "LE":
            return key(value) <= key(wanted)
        case "GT":
            return key(value) > key(wanted)
        case "GE":
            return key(value) >= key(wanted)
    raise ValueError(op)
