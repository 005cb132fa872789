"""What a database says of itself: every table and view, as a relation for the connection check, and in full for introspection.

Runs inside SQLAlchemy's synchronous side. Must not know settings or statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, inspect, types
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


def catalog(connection: Connection, schema: str | None) -> Catalog:
    """Relations in order of their names; fields in the table's own order, keyed by the primary key."""
    seen = inspect(connection)
    columns = seen.get_multi_columns(schema=schema, kind=ObjectKind.ANY)
    keys = seen.get_multi_pk_constraint(schema=schema, kind=ObjectKind.ANY)
    relations = []
    for place, found in columns.items():
        primary = keys.get(place)
        key = tuple(primary["constrained_columns"]) if primary else ()
        fields = tuple(
            Field(str(one["name"]), str(one["name"]), _type(one["type"]), bool(one["nullable"]), doc=one.get("comment") or "")
            for one in found
        )
        where = {one.name: (*_OPERATORS, *(("PREFIX",) if one.type == "text" else ())) for one in fields if one.type != "json"}
        relations.append(
            Relation(
                name=place[1],
                fields=fields,
                native=Options({"table": place[1], "key": key}),
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
    return next((name for kind, name in _TYPES if isinstance(found, kind)), "text")


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
    seen = inspect(connection)
    keys = seen.get_multi_pk_constraint(schema=schema, kind=ObjectKind.ANY)
    unique = seen.get_multi_unique_constraints(schema=schema, kind=ObjectKind.ANY)
    indexes = seen.get_multi_indexes(schema=schema, kind=ObjectKind.ANY)
    comments: Mapping[Any, Any] = {}
    if connection.dialect.supports_comments:
        comments = seen.get_multi_table_comment(schema=schema, kind=ObjectKind.ANY)
    found = []
    for place, columns in seen.get_multi_columns(schema=schema, kind=ObjectKind.ANY).items():
        by = [tuple(one["column_names"]) for one in unique.get(place) or ()]
        by += [tuple(name or "" for name in one["column_names"]) for one in indexes.get(place) or () if one["unique"]]
        primary, said = keys.get(place), comments.get(place)
        found.append(
            Table(
                place[1],
                (said or {}).get("text") or "",
                tuple(_column(one) for one in columns),
                tuple(primary["constrained_columns"]) if primary else (),
                tuple(dict.fromkeys(by)),
            )
        )
    return tuple(sorted(found, key=lambda one: one.name))


def _column(one: Any) -> TableColumn:
    kind = one["type"]
    name = "bigint" if isinstance(kind, types.BigInteger) else "other" if isinstance(kind, _UNREAD) else _type(kind)
    return TableColumn(str(one["name"]), name, str(kind), bool(one["nullable"]), one.get("comment") or "")
