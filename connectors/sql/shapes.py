"""Parts of a SELECT beyond conditions: going on after a place, a limit for each key, aggregates over groups.

All compare as ``connectors.sql.dialect`` does: by code point, null below all else. Must not connect to anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from connectors.spi import Aggregate, Ask, Operator, Options, Order, Relation
from connectors.sql import dialect as differences

Column = sa.ColumnElement[Any]
Given = tuple[str, str, differences.Restrict]  # parameter of the statement, of the call, and how one is made of the other


def able(backend: str, ask: Ask, relation: Relation) -> Relation:
    """``relation`` with what this database does exactly for ``ask``. SQLite adds up all but integers as floating point and holds points
    in time as texts of whatever form; MySQL's extremes of text go by collation."""
    if not all(_exact(backend, one, relation) for one in ask.aggregates):
        relation = replace(relation, aggregates=())
    if backend != "sqlite":
        return relation
    moments = {one.name for one in relation.fields if one.type == "datetime" and one.format is None}
    if moments & {*relation.where}:
        relation = replace(relation, where=Options({name: ops for name, ops in relation.where.items() if name not in moments}))
    return replace(relation, seek=False) if moments & {one.field for one in ask.order} else relation


def _exact(backend: str, one: Aggregate, relation: Relation) -> bool:
    kind = relation.field(one.field).type if one.field else "int"
    if one.function == "SUM":
        return kind == "int" or (kind == "decimal" and backend != "sqlite")
    return one.function == "COUNT" or kind != "text" or backend != "mysql"


@dataclass(frozen=True, slots=True)
class Lies:
    """Where the fields of a relation lie: ``names`` to columns of the table."""

    backend: str
    relation: Relation
    names: Mapping[str, str]
    columns: Mapping[str, Column]

    def column(self, name: str) -> Column:
        return self.columns[self.names[name]]

    def exact(self, name: str) -> Column:
        return differences.exact(self.backend, self.column(name), text=self.relation.field(name).type == "text")

    def ordering(self, order: Order) -> Column:
        field = self.relation.field(order.field)
        column, text = self.column(order.field), field.type == "text"
        return differences.ordering(self.backend, column, descending=order.descending, text=text, nullable=field.nullable)

    def after(self, ask: Ask) -> tuple[Column, list[Given]]:
        """(a, b) > (x, y), in the directions of the order: a beyond x, or a equal and b beyond y."""
        alternatives: list[Column] = []
        given: list[Given] = []
        for place in range(len(ask.order)):
            parts: list[Column] = []
            for at, (order, param) in enumerate(zip(ask.order[: place + 1], ask.after, strict=False)):
                number = f"{param}_s{place}{at}"
                if at < place:
                    parts.append(self._compared(order.field, "EQ", param, number, given))
                else:
                    parts.append(self._beyond(order, param, number, given))
            alternatives.append(sa.and_(*parts))
        return sa.or_(*alternatives), given

    def _beyond(self, order: Order, param: str | None, number: str, given: list[Given]) -> Column:
        column = self.column(order.field)
        if param is None:
            return sa.false() if order.descending else column.is_not(None)
        found = self._compared(order.field, "LT" if order.descending else "GT", param, number, given)
        return sa.or_(found, column.is_(None)) if order.descending and self.relation.field(order.field).nullable else found

    def _compared(self, name: str, op: Operator, param: str | None, number: str, given: list[Given]) -> Column:
        if param is None:
            return self.column(name).is_(None)
        text = self.relation.field(name).type == "text"
        condition, makers = differences.restriction(self.backend, self.column(name), op, number, text=text)
        given += [(made, param, make) for made, make in makers.items()]
        return condition

    def each(self, select: sa.Select[Any], names: Sequence[str], ask: Ask, ordering: Sequence[Column], most: str) -> sa.Select[Any]:
        """``select`` cut to the first rows of each key."""
        keys = [self.exact(name) for name in ask.by]
        number = sa.func.row_number().over(partition_by=keys, order_by=list(ordering) or keys)
        inner = select.add_columns(number.label("_row")).subquery("_each")
        rows = sa.select(*(inner.c[name] for name in names)).where(inner.c["_row"] <= sa.bindparam(most, type_=sa.Integer()))
        return rows.order_by(inner.c["_row"]) if ordering else rows

    def figures(self, ask: Ask) -> list[Column]:
        """The columns of a group: its values, which are all the same, and its aggregates."""
        found: list[Column] = [sa.func.min(self.column(name)) for name in ask.group]
        for one in ask.aggregates:
            if not one.field:
                found.append(sa.func.count())
            elif one.function in ("MIN", "MAX"):
                found.append(getattr(sa.func, one.function.lower())(self.exact(one.field)))
            else:
                found.append(getattr(sa.func, one.function.lower())(self.column(one.field)))
        return found

    def grouped(self, ask: Ask, select: sa.Select[Any]) -> sa.Select[Any]:
        return select.group_by(*(self.exact(name) for name in ask.group)) if ask.group else select
