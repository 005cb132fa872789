"""What a database says of itself: every table and view as a relation, for introspection and as a connection check.

Runs inside SQLAlchemy's synchronous side. Must not know settings or statements.
"""

from __future__ import annotations

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
