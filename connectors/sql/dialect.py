"""What differs between databases in a statement: exact comparison, order, lists of keys.

Comparison and order are the engine's: text by code point, capital and small letters apart, trailing spaces counted, null below all
else. A database compares by collation unless told otherwise, so it is told. Must not know relations or statements as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.sql import visitors

from connectors.spi import Operator

Column = sa.ColumnElement[Any]
Restrict = Callable[[Any], Any]  # makes of a call's value what the statement takes

LIKE_ORACLE = frozenset({"oracle", "dm"})
_MOST_IN_LIST = 1_000  # more is ORA-01795
_UNFIT = re.compile("[\0\ud800-\udfff]")


def exact(backend: str, column: Column, *, text: bool) -> Column:
    """``column`` as it compares and sorts by code point; what is not text stays as it is."""
    if not text or backend in LIKE_ORACLE:  # whose sessions compare bytes
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


def divided(backend: str, select: sa.Select[Any], parameters: dict[str, Any]) -> tuple[sa.Select[Any], dict[str, Any]]:
    """``select`` with lists no longer than the database takes: ``c IN (…) OR c IN (…)``. Lists of tuples may be of any length."""
    long = {name for name, value in parameters.items() if isinstance(value, list) and len(value) > _MOST_IN_LIST}
    if backend not in LIKE_ORACLE or not long:
        return select, parameters
    given = dict(parameters)

    def several(element: Any, **options: Any) -> Any:
        if not isinstance(element, sa.BinaryExpression) or not isinstance(element.right, sa.BindParameter) or element.right.key not in long:
            return None
        if isinstance(element.left, sa.Tuple):
            return None
        name, left = element.right.key, element.left
        values = given.pop(name, ()) or parameters[name]
        parts = {f"{name}_{i}": values[i : i + _MOST_IN_LIST] for i in range(0, len(values), _MOST_IN_LIST)}
        given.update(parts)
        return sa.or_(*(left.in_(sa.bindparam(part, expanding=True)) for part in parts)).self_group()

    found: Any = visitors.replacement_traverse(select, {}, several)
    return found, given


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
    """Null stands below everything else: first upwards, last downwards. SQLite and MySQL need not be told."""
    key = exact(backend, column, text=text)
    directed = key.desc() if descending else key.asc()
    if nullable and backend not in ("sqlite", "mysql"):
        return directed.nulls_last() if descending else directed.nulls_first()
    return directed


def native(backend: str, value: Any) -> Any:
    """A value as the driver takes it: SQLite has neither decimals nor dates, Oracle no truth values."""
    if backend in LIKE_ORACLE:
        return int(value) if isinstance(value, bool) else value
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
