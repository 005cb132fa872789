"""Conditions in a source's own terms: whether it compares a column as canonical values compare, and what to send it.

What cannot be said exactly is not sent: the engine then looks at the rows itself. Knows columns and types, nothing of calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from graphql import GraphQLOutputType, is_enum_type

from connectors.spi import Field, Operator
from hub.run.convert import WHOLE, canonical, native
from hub.run.kinds import named
from hub.run.order import agrees
from hub.run.times import SHANGHAI


def pushed(op: str, kind: GraphQLOutputType, field: Field | None, value: Any) -> tuple[Operator, Any] | None:
    """The operator and native value that mean ``op value`` to the source of ``field``; None when it has none that means the same."""
    if field is None or op == "NULL":
        return None
    inner = named(kind)
    if op in ("EQ", "IN"):
        wanted = [value] if op == "EQ" else list(value)
        found = _codes(wanted, field) if is_enum_type(inner) else _equals(wanted, kind, field)
        if found is None:
            return None
        return ("EQ", found[0]) if op == "EQ" and len(found) == 1 else ("IN", tuple(found))
    if is_enum_type(inner) or not agrees(kind, field):
        return None
    if op == "PREFIX":
        textual = field.type == "text" and field.format is None and inner.name not in ("Int", "Float", "Decimal", "Date", "DateTime")
        return ("PREFIX", str(value)) if textual else None
    written = _written(value, kind, field)
    match op:
        case "LT":
            return None if written is None else ("LT", written)
        case "LE":
            return None if written is None else ("LE", written)
        case "GT":
            return None if written is None else ("GT", written)
        case "GE":
            return None if written is None else ("GE", written)
    raise ValueError(op)


def _codes(wanted: Iterable[Any], field: Field) -> list[Any] | None:
    """Every native code that stands for one of the names."""
    found: list[Any] = []
    for name in wanted:
        codes: list[Any] = [code for code, meant in field.values.items() if meant == name]
        if name not in field.values and field.type != "int":
            codes.append(name)  # a source may write the canonical name itself
        if field.type == "int":
            if not all(map(WHOLE, codes)):
                return None
            codes = [int(code) for code in codes]
        found += codes
    return found


def _equals(wanted: Iterable[Any], kind: GraphQLOutputType, field: Field) -> list[Any] | None:
    """The values that the source writes for ``wanted``, without those it cannot hold; None when equal values may be written differently."""
    inner = named(kind).name
    if inner in ("Int", "Float", "Decimal", "Date", "DateTime", "Boolean"):
        if not agrees(kind, field) or (inner == "Decimal" and field.type == "float"):
            return None
        found = [_written(value, kind, field) for value in wanted]
        return None if any(value is None for value in found) else found
    there = [value for value in wanted if value is not None]
    written = [native(value, kind, field) for value in there]
    back = canonical(list(written), kind, field).values
    return [write for write, value, read in zip(written, there, back, strict=True) if value == read]


def _written(value: Any, kind: GraphQLOutputType, field: Field) -> Any:
    """One value the source's way; None when it would lose something."""
    if value is None:
        return None
    inner = named(kind).name
    if inner == "DateTime":
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        if moment.microsecond or (field.type != "datetime" and field.format is None):
            return None  # a text may be written in any way that ISO 8601 allows
        if moment.tzinfo is not None and not (field.format or "").startswith("unix"):
            value = moment.astimezone(SHANGHAI).replace(tzinfo=None).isoformat()
    if inner == "Decimal" and field.type == "float":
        return float(value)
    try:
        written = native(value, kind, field)
    except ValueError:
        return None
    # Rounded to the column's own grain, a bound would mean another one.
    back = canonical([written], kind, field).values[0] if inner in ("Date", "DateTime") else value
    if back not in (value, f"{value}+08:00") and not (field.format or "").startswith("unix"):
        return None
    if inner == "Decimal" and field.type == "int":
        return int(written) if isinstance(written, int) or (isinstance(written, str) and WHOLE(written)) else None
    return written
