"""What a database says of itself: every table and view, as a relation for the connection check, and in full for introspection.

Runs inside SQLAlchemy's synchronous side. Must not know settings or statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, inspect, types
from sqlalchemy.dialects import oracle
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.reflection import ObjectKind

from connectors.spi import Catalog, Field, Operator, Options, Relation

_TYPES: tuple[tuple[type[types.TypeEngine[Any]], str], ...] = (
    (types.Boolean, "bool"),
    (types.Integer, "int"),
    (types.Float, "float"),
    (types.Numeric, "decimal"),
    (types.DateTime, "datetime"),
    (types.Date, "date"),
    (types.JSON, "json"),
)
# Types that a driver hands over as something the hub does not read.
_UNREAD: tuple[type[types.TypeEngine[Any]], ...] = (
    types.LargeBinary, types.Uuid, types.Interval, types.Time, types.ARRAY, types.NullType,
)  # fmt: skip
_OPERATORS: tuple[Operator, ...] = ("EQ", "IN", "LT", "LE", "GT", "GE")
MAX_KEYS = 200
_INT_DIGITS = 9  # what 32 bits hold of any number


def catalog(connection: Connection, schema: str | None) -> Catalog:
    """Relations in order of their names; fields in the table's own order, keyed by the primary key."""
    seen, named = inspect(connection), names(connection.dialect)
    columns = seen.get_multi_columns(schema=schema, kind=ObjectKind.ANY)
    keys = seen.get_multi_pk_constraint(schema=schema, kind=ObjectKind.ANY)
    relations = []
    for place, found in columns.items():
        primary = keys.get(place)
        key = tuple(map(named, primary["constrained_columns"])) if primary else ()
        fields = tuple(
            Field(named(one["name"]), named(one["name"]), _type(one["type"]), bool(one["nullable"]), doc=one.get("comment") or "")
            for one in found
        )
        where = {one.name: (*_OPERATORS, *(("PREFIX",) if one.type == "text" else ())) for one in fields if one.type != "json"}
        relations.append(
            Relation(
                name=named(place[1]),
                fields=fields,
                native=Options({"table": named(place[1]), "key": key}),
                keys=key,
                max_keys=MAX_KEYS if key else 0,
                where=Options(where),
                order=tuple(where),
                limit=True,
                total=True,
                seek=True,
                each=True,
                aggregates=("COUNT", "SUM", "MIN", "MAX"),
            )
        )
    return Catalog(tuple(sorted(relations, key=lambda one: one.name)))


def _type(found: types.TypeEngine[Any]) -> str:
    if isinstance(found, oracle.NUMBER):  # a whole number and a decimal at once
        return "decimal" if found.scale is None or found.scale > 0 else "int"
    return next((name for kind, name in _TYPES if isinstance(found, kind)), "text")


def names(dialect: Dialect) -> Callable[[str], str]:
    """What SQLAlchemy calls a table or column → what the database does: it writes small what Oracle keeps in capitals."""
    return (lambda name: str(dialect.denormalize_name(name))) if dialect.requires_name_normalize else str


@dataclass(frozen=True, slots=True)
class TableColumn:
    """``type`` is a type of ``Field``, ``bigint`` for whole numbers beyond 32 bits, or ``other``; ``native`` the database's own word."""

    name: str
    type: str
    native: str
    nullable: bool
    comment: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view with what its columns are unique by."""

    name: str
    comment: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]


def tables(connection: Connection, schema: str | None) -> tuple[Table, ...]:
    """All of them, by name; columns in the table's own order."""
    seen, named = inspect(connection), names(connection.dialect)
    keys = seen.get_multi_pk_constraint(schema=schema, kind=ObjectKind.ANY)
    unique = seen.get_multi_unique_constraints(schema=schema, kind=ObjectKind.ANY)
    indexes = seen.get_multi_indexes(schema=schema, kind=ObjectKind.ANY)
    comments: Mapping[Any, Any] = {}
    if connection.dialect.supports_comments:
        comments = seen.get_multi_table_comment(schema=schema, kind=ObjectKind.ANY)
    found = []
    for place, columns in seen.get_multi_columns(schema=schema, kind=ObjectKind.ANY).items():
        by = [tuple(map(named, one["column_names"])) for one in unique.get(place) or ()]
        by += [tuple(named(name or "") for name in one["column_names"]) for one in indexes.get(place) or () if one["unique"]]
        primary, said = keys.get(place), comments.get(place)
        found.append(
            Table(
                named(place[1]),
                (said or {}).get("text") or "",
                tuple(_column(one, named) for one in columns),
                tuple(map(named, primary["constrained_columns"])) if primary else (),
                tuple(dict.fromkeys(by)),
            )
        )
    return tuple(sorted(found, key=lambda one: one.name))


def _column(one: Any, named: Callable[[str], str]) -> TableColumn:
    kind = one["type"]
    name = "other" if isinstance(kind, _UNREAD) else _type(kind)
    if name == "int" and (isinstance(kind, types.BigInteger) or (getattr(kind, "precision", None) or 0) > _INT_DIGITS):
        name = "bigint"
    return TableColumn(named(one["name"]), name, str(kind), bool(one["nullable"]), one.get("comment") or "")
