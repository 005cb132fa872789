"""From an ask to a SELECT over one delivery: names quoted, values bound, one statement for every call of a plan.

A copy holds texts alone; a column is read as what its field is where it is compared, ordered or added up. A text that is no such value
compares as null, as it does in the engine, and is handed over as it stands. Must not connect to anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from connectors.files.duck import name as quoted
from connectors.files.words import FilesSettings, Source, Words, source_of
from connectors.settings import refused
from connectors.spi import Ask, Call, Condition, Field, Options, Plan, Relation, SourceError, split

FILE = "_file"
_TYPES = {"text": "VARCHAR", "int": "HUGEINT", "decimal": "DECIMAL(38, 10)", "float": "DOUBLE", "bool": "BOOLEAN"}
_SHAPES = {
    "int": r"[ ]*[+-]?[0-9]{1,38}[ ]*",
    "decimal": r"[ ]*[+-]?[0-9]{1,27}(\.[0-9]{1,10})?[ ]*",
    "float": r"[ ]*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?[ ]*",
}
_SIGNS = {"EQ": "=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter of the statement: ``make`` of the call and its keys."""

    name: str
    shown: str
    make: Callable[[Call, Sequence[tuple[Any, ...]]], Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Statement:
    """``select`` brings the plan's columns in their order; ``count`` the total. ``paths`` are the columns that a file must have."""

    source: Source
    words: Words
    select: str = field(repr=False)
    count: str | None = field(repr=False)
    given: tuple[Given, ...]
    counted: tuple[str, ...]
    paths: frozenset[str]
    own: bool

    def parameters(self, call: Call, keys: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
        """The values of one call. Raises SourceError (invalid) for one that no file can hold."""
        found = {}
        for one in self.given:
            found[one.name] = value = one.make(call, keys)
            if any(unfit(part) for part in (value if isinstance(value, list) else (value,))):
                raise SourceError("invalid", "This value cannot be asked for.")
        return found


def unfit(value: Any) -> bool:
    """Whether ``value`` is no text that can be written down: half of a character pair."""
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def prepare(ask: Ask, relation: Relation, settings: FilesSettings) -> Plan:
    """The plan with its ``Statement``. Pure. Raises SourceError (config)."""
    words, source = source_of(relation, settings)
    plan = split(ask, _able(ask, relation))
    work = _Work(relation, dict(_columns(relation, words)))
    statement = work.statement(plan, words, source)
    return replace(plan, native=statement, text=work.text(statement.select, words, plan.ask))


def _able(ask: Ask, relation: Relation) -> Relation:
    """``relation`` with what texts can be compared and added up by exactly: no dates of a database's own, no sums of floats."""
    odd = {one.name for one in relation.fields if one.type not in _TYPES}
    kept = {name: ops for name, ops in relation.where.items() if name not in odd}
    order = tuple(name for name in relation.order if name not in odd)
    inexact = any(one.field and (one.field in odd or (one.function == "SUM" and not _adds(relation, one.field))) for one in ask.aggregates)
    grouped = odd & {*ask.group}
    return replace(relation, where=Options(kept), order=order, aggregates=() if inexact or grouped else relation.aggregates)


def _adds(relation: Relation, name: str) -> bool:
    return relation.field(name).type in ("int", "decimal")


def _columns(relation: Relation, words: Words) -> Mapping[str, str]:
    """Canonical name → column. A key without a path lies in the file's own key."""
    own = dict(zip(relation.keys, words.key, strict=False))
    found = {one.name: one.path or own.get(one.name, "") for one in relation.fields}
    nowhere = [name for name, column in found.items() if not column]
    if nowhere:
        raise refused(f"{relation.name}: no column is given for '{nowhere[0]}'")
    return found


@dataclass(slots=True)
class _Work:
    """One statement as it is put together."""

    relation: Relation
    path: dict[str, str]
    given: list[Given] = field(default_factory=list)

    def statement(self, plan: Plan, words: Words, source: Source) -> Statement:
        ask = plan.ask
        where = [f"({words.where})"] if words.where else []
        if ask.by:
            where.append(self._by(ask.by))
        where += [self._condition(one) for one in ask.where]
        counted = tuple(one.name for one in self.given)
        beyond = [self._after(ask)] if ask.after else []
        # Without an order of the asker's, rows come in that of the file's key: the same question has the same answer.
        order = [self._order(one.field, one.descending) for one in ask.order] or [quoted(column) for column in source.unique]
        columns = self._figures(plan) if ask.aggregates else [self._raw(one.name) for one in plan.fields]
        parts = [f"SELECT {', '.join(columns)} FROM read_parquet(${FILE})"]
        parts += [f"WHERE {' AND '.join((*where, *beyond))}"] if where or beyond else []
        if ask.aggregates:
            parts += [f"GROUP BY {', '.join(self._value(name) for name in ask.group)}"] if ask.group else []
        elif ask.by and ask.limit:
            each = self._parameter(ask.limit, lambda call, _: int(call.params[ask.limit or ""]))
            keys = ", ".join(self._value(name) for name in ask.by)
            parts.append(f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {', '.join(order) or keys}) <= {each}")
        parts += [f"ORDER BY {', '.join(order)}"] if order and not ask.aggregates else []
        limit = None if ask.by else ask.limit
        parts.append(f"LIMIT {self._parameter(limit or 'max_rows', lambda call, _: _most(call, limit))}")
        count = f"SELECT count(*) FROM read_parquet(${FILE})" + (f" WHERE {' AND '.join(where)}" if where else "")
        used = {
            *ask.by,
            *ask.group,
            *(one.field for one in ask.where),
            *(one.field for one in ask.order),
            *(a.field for a in ask.aggregates),
        }
        paths = {self.path[one] for one in (*used, *(column.name for column in plan.fields)) if one in self.path}
        return Statement(
            source,
            words,
            " ".join(parts),
            count if ask.total else None,
            tuple(self.given),
            counted,
            frozenset((*paths, *source.unique)),
            bool(ask.by) and tuple(self.path[one] for one in ask.by) == source.unique,
        )

    def text(self, select: str, words: Words, ask: Ask) -> str:
        """The statement for people: parameters by name, the file instead of its copy."""
        text = select.replace(f"read_parquet(${FILE})", quoted(words.file))
        for one in reversed(self.given):
            text = text.replace(f"${one.name}", f":{one.shown}")
        return text

    def _raw(self, name: str) -> str:
        return quoted(self.path[name])

    def _value(self, name: str) -> str:
        """A column as what its field is; null where its text is none."""
        raw, kind = self._raw(name), self.relation.field(name).type
        if kind == "bool":
            told = f"lower(trim({raw}))"
            return f"CASE WHEN {told} IN ('1', 'y', '是', 'true') THEN true WHEN {told} IN ('0', 'n', '否', 'false') THEN false END"
        if kind in _SHAPES:
            return f"CASE WHEN regexp_full_match({raw}, '{_SHAPES[kind]}') THEN TRY_CAST(trim({raw}) AS {_TYPES[kind]}) END"
        return raw

    def _parameter(self, shown: str, make: Callable[[Call, Sequence[tuple[Any, ...]]], Any]) -> str:
        self.given.append(Given(f"p{len(self.given)}_", shown, make))
        return f"${self.given[-1].name}"

    def _by(self, names: Sequence[str]) -> str:
        lists = [self._list(name, self._parameter("keys", _part(at))) for at, name in enumerate(names)]
        columns = ", ".join(self._value(name) for name in names)
        return f"{columns if len(names) == 1 else f'({columns})'} IN (SELECT {', '.join(lists)})"

    def _list(self, name: str, parameter: str) -> str:
        return f"unnest(CAST({parameter} AS {_TYPES[self.relation.field(name).type]}[]))"

    def _condition(self, one: Condition) -> str:
        value, kind = self._value(one.field), _TYPES[self.relation.field(one.field).type]
        if one.op == "IN":
            given = self._parameter(one.param, lambda call, _: [part for part in call.params[one.param] or () if part is not None])
            return f"{value} IN (SELECT {self._list(one.field, given)})"
        given = self._parameter(one.param, lambda call, _: call.params[one.param])
        if one.op == "PREFIX":
            return f"starts_with({self._raw(one.field)}, CAST({given} AS VARCHAR))"
        return f"{value} {_SIGNS[one.op]} CAST({given} AS {kind})"

    def _order(self, name: str, descending: bool) -> str:
        return f"{self._value(name)} {'DESC NULLS LAST' if descending else 'ASC NULLS FIRST'}"

    def _after(self, ask: Ask) -> str:
        """(a, b) > (x, y), in the directions of the order: a beyond x, or a equal and b beyond y. Null stands below all else."""
        alternatives = []
        for place in range(len(ask.order)):
            parts = []
            for at, (order, param) in enumerate(zip(ask.order[: place + 1], ask.after, strict=False)):
                last = at == place
                value = self._value(order.field)
                if param is None:
                    parts.append(f"{value} IS NULL" if not last else "false" if order.descending else f"{value} IS NOT NULL")
                    continue
                compared = self._condition(Condition(order.field, "EQ" if not last else "LT" if order.descending else "GT", param))
                parts.append(f"({compared} OR {value} IS NULL)" if last and order.descending else compared)
            alternatives.append(f"({' AND '.join(parts)})")
        return f"({' OR '.join(alternatives)})"

    def _figures(self, plan: Plan) -> list[str]:
        """The columns of a group: its values, which are all the same, and its aggregates. Extremes are the texts themselves; a sum of
        decimals has as many places as the longest of them."""
        found = {name: f"min({self._raw(name)})" for name in plan.ask.group}
        for one in plan.ask.aggregates:
            if one.function == "COUNT":
                found[one.name] = f"count({self._raw(one.field)})" if one.field else "count(*)"
                continue
            raw, value, kind = self._raw(one.field), self._value(one.field), self.relation.field(one.field).type
            if one.function == "SUM":
                total = f"sum({value})"
                if kind == "decimal":
                    places = f"coalesce(max(CASE WHEN {value} IS NOT NULL THEN length(split_part(trim({raw}), '.', 2)) END), 0)"
                    text = f"CAST({total} AS VARCHAR)"
                    total = f"left({text}, length({text}) - 10 + {places} - CAST({places} = 0 AS INTEGER))"
                found[one.name] = total
            else:
                extreme = one.function.lower()
                found[one.name] = f"{extreme}({raw})" if kind == "text" else f"arg_{extreme}({raw}, {value})"
        return [found[one.name] for one in plan.fields]


def _part(at: int) -> Callable[[Call, Sequence[tuple[Any, ...]]], Any]:
    return lambda _, keys: [key[at] for key in keys]


def _most(call: Call, limit: str | None) -> int:
    wanted = int(call.params[limit]) if limit else call.max_rows + 1
    return min(wanted, call.max_rows + 1)


def native(values: list[Any], column: Field) -> list[Any]:
    """Texts of a copy as values of the field's type; a text that is none stays, for the engine to judge."""
    if column.type not in _READERS:
        return values
    read = _READERS[column.type]
    return [read(value) if isinstance(value, str) else value for value in values]


def _int(text: str) -> Any:
    bare = text.strip(" ")
    return int(bare) if bare.isascii() and bare.lstrip("+-").isdigit() and len(bare) < 40 else text


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


_READERS: Mapping[str, Callable[[str], Any]] = {"int": _int, "json": _json}
