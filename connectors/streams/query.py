"""From an ask to a SELECT over the latest values: what SQLite can do exactly as the engine does it.

Text compares by code point, null is below everything and equal to nothing. Names of columns are ``c0``, ``c1`` …; all values are bound.
Must not open anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from connectors.spi import Ask, Call, Condition, Field, Operator, Options, Plan, Relation, SourceError
from connectors.streams.messages import Topic, comparable

_SIGNS: Mapping[str, str] = {"EQ": "=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}


@dataclass(frozen=True, slots=True)
class Select:
    """``columns`` of the result are the row's JSON, or for aggregates the figures; ``count`` is the statement for the total."""

    text: str
    values: tuple[Any, ...]
    count: str = ""
    count_values: tuple[Any, ...] = ()


def able(ask: Ask, relation: Relation) -> Relation:
    """``relation`` as far as the store does it exactly: no order by truth values, no sum of anything but whole numbers."""
    columns = {one.name: one for one in relation.fields if one.path and comparable(one)}
    where = {name: _operators(columns[name], operators) for name, operators in relation.where.items() if name in columns}
    order = tuple(name for name in relation.order if name in columns and columns[name].type != "bool")
    figures = all(not a.field or (a.field in columns and columns[a.field].type in _EXACT[a.function]) for a in ask.aggregates)
    groups = all(name in columns and columns[name].type != "bool" for name in ask.group)
    aggregates = relation.aggregates if figures and groups else ()
    return replace(relation, where=Options(where), order=order, aggregates=aggregates)


_EXACT = {"COUNT": ("text", "int", "float", "bool"), "SUM": ("int",), "MIN": ("text", "int", "float"), "MAX": ("text", "int", "float")}


def _operators(column: Field, operators: Sequence[Operator]) -> tuple[Operator, ...]:
    if column.type == "bool":
        return tuple(op for op in operators if op in ("EQ", "IN"))
    return tuple(op for op in operators if op != "PREFIX" or column.type == "text")


class Query:
    """Builds the statements of one plan over table ``table``."""

    def __init__(self, plan: Plan, topic: Topic, table: str) -> None:
        self._plan = plan
        self._table = table
        self._columns = {one.name: (f"c{at}", one) for at, one in enumerate(topic.columns)}
        # A key column that the message does not repeat lies where the key lies.
        for name, path in zip(plan.relation.keys, topic.words.key, strict=False):
            found = next((f"c{at}" for at, one in enumerate(topic.columns) if one.path == path), None)
            if name not in self._columns and found is not None:
                self._columns[name] = (found, plan.relation.field(name))

    def select(self, call: Call, keys: Sequence[tuple[Any, ...]], since: float) -> Select:
        """The statement of one call; one row more than it may be comes back where there are too many. Raises SourceError (invalid)."""
        ask = self._plan.ask
        where, values = ["body IS NOT NULL", "at >= ?"], [since]
        for condition in ask.where:
            text, given = self._condition(condition, call.params[condition.param])
            where.append(text)
            values += given
        total = (f"SELECT COUNT(*) FROM {self._table} WHERE {' AND '.join(where)}", tuple(values)) if ask.total else ("", ())
        if ask.by:
            text, given = self._among([self._at(name) for name in ask.by], keys)
            where.append(text)
            values += given
        if ask.aggregates:
            return self._figures(" AND ".join(where), values, call)
        if ask.after:
            text, given = self._after(call.params)
            where.append(text)
            values += given
        order = [f"{self._at(one.field)[0]}{' DESC' if one.descending else ''}" for one in ask.order]
        tail = f" ORDER BY {', '.join(order)}" if order else ""
        source = f"{self._table} WHERE {' AND '.join(where)}"
        if ask.by and ask.limit:
            by = ", ".join(self._at(name)[0] for name in ask.by)
            source = f"(SELECT body, ROW_NUMBER() OVER (PARTITION BY {by}{tail}) AS place FROM {source}) WHERE place <= ?"
            values.append(int(call.params[ask.limit]))
            tail = ""
        most = call.max_rows + 1
        if ask.limit and not ask.by:
            most = min(most, int(call.params[ask.limit]))
        return Select(f"SELECT body FROM {source}{tail} LIMIT ?", (*values, most), *total)

    def _figures(self, where: str, values: list[Any], call: Call) -> Select:
        ask = self._plan.ask
        group = [self._at(name)[0] for name in ask.group]
        figures = [f"{one.function}({self._at(one.field)[0] if one.field else '*'})" for one in ask.aggregates]
        tail = f" GROUP BY {', '.join(group)}" if group else ""
        text = f"SELECT {', '.join((*group, *figures))} FROM {self._table} WHERE {where}{tail} LIMIT ?"
        return Select(text, (*values, call.max_rows + 1))

    def _at(self, name: str) -> tuple[str, Field]:
        return self._columns[name]

    def _condition(self, condition: Condition, value: Any) -> tuple[str, list[Any]]:
        column, field = self._at(condition.field)
        if condition.op == "IN":
            wanted = [held(field, one) for one in value or () if one is not None]
            return f"{column} IN ({', '.join('?' * len(wanted))})", wanted
        given = held(field, value)
        if condition.op == "PREFIX":
            beyond = _beyond(str(given))
            return (f"({column} >= ? AND {column} < ?)", [given, beyond]) if beyond else (f"{column} >= ?", [given])
        return f"{column} {_SIGNS[condition.op]} ?", [given]

    def _among(self, columns: Sequence[tuple[str, Field]], keys: Sequence[tuple[Any, ...]]) -> tuple[str, list[Any]]:
        given = [held(field, part) for key in keys for (_, field), part in zip(columns, key, strict=True)]
        if len(columns) == 1:
            return f"{columns[0][0]} IN ({', '.join('?' * len(keys))})", given
        one = f"({', '.join('?' * len(columns))})"
        return f"({', '.join(name for name, _ in columns)}) IN (VALUES {', '.join([one] * len(keys))})", given

    def _after(self, params: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Rows that come after a place of the order: they go beyond it in one step and equal it in all before."""
        ways, values = [], []
        equal: list[str] = []
        equals: list[Any] = []
        for order, name in zip(self._plan.ask.order, self._plan.ask.after, strict=True):
            column, field = self._at(order.field)
            value = None if name is None else held(field, params[name])
            if value is None:
                beyond, given = ("0" if order.descending else f"{column} IS NOT NULL"), []
            else:
                beyond, given = (f"({column} < ? OR {column} IS NULL)" if order.descending else f"{column} > ?"), [value]
            ways.append(" AND ".join((*equal, beyond)))
            values += [*equals, *given]
            equal.append(f"{column} IS ?")
            equals.append(value)
        return f"({' OR '.join(f'({way})' for way in ways)})", values


def held(column: Field, value: Any) -> Any:
    """A value of a call as the store holds such values. Raises SourceError (invalid) for text that is no text."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise SourceError("invalid", "This value cannot be asked for.") from None
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if column.type in ("text", "date", "datetime") and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _beyond(prefix: str) -> str | None:
    """The least text above all that begin with ``prefix``; None where all above it do."""
    for at in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[at]) + 1
        if point <= 0x10FFFF:
            return prefix[:at] + chr(0xE000 if 0xD800 <= point <= 0xDFFF else point)
    return None


def sound(keys: Sequence[tuple[Any, ...]]) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Each key, and whether it can be asked for."""
    for key in keys:
        try:
            for part in key:
                held(Field("", ""), part)
        except SourceError:
            yield key, False
        else:
            yield key, True
