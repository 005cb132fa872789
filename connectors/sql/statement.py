"""From an ask to a SELECT: names quoted, values bound, one statement for every call of a plan.

Built with SQLAlchemy Core alone; the one text that is taken as it stands is ``where`` of a manifest, which its author answers for.
Must not connect to anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import quoted_name

from connectors.settings import read, refused
from connectors.spi import Ask, Call, Plan, Relation, SourceError, split
from connectors.sql import dialect as differences
from connectors.sql import shapes

_KEYS, _MOST, _EACH = "hub_keys", "hub_most", "hub_each"  # Oracle takes no name that begins with a line


@dataclass(frozen=True, slots=True)
class Words:
    """``Relation.native`` of this kind. ``key`` are the table's own key columns; ``where`` a restriction in the database's SQL."""

    table: str
    key: tuple[str, ...] = ()
    schema: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """``select`` takes the parameters that ``parameters`` makes of a call; ``count`` the same without a limit.

    ``places`` says which of the ``width`` selected columns each column of the plan is, since two may lie in one. ``columns`` are those of
    the table by the names of the fields that come back.
    """

    backend: str
    select: sa.Select[Any] = field(repr=False)
    count: sa.Select[Any] | None = field(repr=False)
    width: int
    places: tuple[int, ...]
    keys: tuple[int, ...]
    given: tuple[tuple[str, str, differences.Restrict], ...] = field(repr=False)
    limit: str | None
    each: str | None = None
    table: sa.TableClause = field(default_factory=lambda: sa.table(""), repr=False)
    columns: Mapping[str, str] = field(default_factory=dict, repr=False)
    page: bool = False  # the rows begin after a place, so that they do not show how many there are in all

    def parameters(self, call: Call, keys: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
        """The values of one call, by parameter of the statement. Raises SourceError (invalid) for a value that no database takes."""
        found: dict[str, Any] = {}
        for name, param, make in self.given:
            value = call.params[param]
            if any(differences.unfit(part) for part in (value if isinstance(value, list | tuple) else (value,))):
                raise SourceError("invalid", "This value cannot be sent to the database.")
            found[name] = make(value)
        if self.keys:
            single = len(self.keys) == 1
            found[_KEYS] = differences.values_of(self.backend, [key[0] for key in keys]) if single else self._tuples(keys)
        if self.each:
            found[_EACH] = int(call.params[self.each])
        wanted = call.params[self.limit] if self.limit else call.max_rows
        return {**found, _MOST: min(int(wanted), call.max_rows) + (0 if self.limit and wanted <= call.max_rows else 1)}

    def _tuples(self, keys: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return [tuple(differences.native(self.backend, part) for part in key) for key in keys]


def prepare(ask: Ask, relation: Relation, dialect: Dialect, schema: str) -> Plan:
    """The plan with its ``Statement``. Pure. Raises SourceError (config)."""
    words = read(Words, relation.native, f"{relation.name}.")
    plan = split(ask, shapes.able(dialect.name, ask, relation))
    ask = plan.ask
    column_of = _columns(relation, words)
    names = list(dict.fromkeys(column_of[one.name] for one in plan.fields if one.name in column_of))
    columns: dict[str, sa.ColumnElement[Any]] = {name: sa.column(quoted_name(name, True)) for name in {*column_of.values()}}
    source = sa.table(quoted_name(words.table, True), schema=quoted_name(words.schema or schema, True) if words.schema or schema else None)
    backend = dialect.name
    found: list[sa.ColumnElement[Any]] = []
    given: list[tuple[str, str, differences.Restrict]] = []
    if words.where:
        found.append(sa.literal_column(f"({words.where})"))
    if ask.by:
        found.append(_by(backend, [columns[column_of[name]] for name in ask.by]))
    for i, one in enumerate(ask.where):
        condition, makers = differences.restriction(
            backend, columns[column_of[one.field]], one.op, f"{one.param}_{i}", text=relation.field(one.field).type == "text"
        )
        found.append(condition)
        given += [(name, one.param, make) for name, make in makers.items()]
    lies = shapes.Lies(backend, relation, column_of, columns)
    ordering = [lies.ordering(order) for order in ask.order]
    beyond: list[sa.ColumnElement[Any]] = []
    if ask.after:
        condition, makers_after = lies.after(ask)
        beyond, given = [condition], [*given, *makers_after]
    select = sa.select(*(columns[name] for name in names)).select_from(source).where(*found, *beyond)
    if ask.aggregates:
        select = lies.grouped(ask, sa.select(*lies.figures(ask)).select_from(source).where(*found))
    elif ask.by and ask.limit:
        select = lies.each(select, names, ask, ordering, _EACH)
    else:
        select = select.order_by(*ordering)
    select = select.limit(sa.bindparam(_MOST, type_=sa.Integer()))
    if ask.aggregates:
        statement = Statement(backend, select, None, len(plan.fields), tuple(range(len(plan.fields))), (), tuple(given), None, table=source)
        return Plan(relation, ask, plan.rest, plan.fields, statement, _text(select, dialect, ask))
    statement = Statement(
        backend=backend,
        select=select,
        count=sa.select(sa.func.count()).select_from(source).where(*found) if ask.total else None,
        width=len(names),
        places=tuple(names.index(column_of[one.name]) for one in plan.fields),
        keys=tuple(names.index(column_of[name]) for name in ask.by),
        given=tuple(given),
        limit=None if ask.by else ask.limit,
        each=ask.limit if ask.by else None,
        table=source,
        columns={one.name: column_of[one.name] for one in plan.fields},
        page=bool(ask.after),
    )
    return Plan(relation, ask, plan.rest, plan.fields, statement, _text(select, dialect, ask))


def _columns(relation: Relation, words: Words) -> Mapping[str, str]:
    """Canonical name → column. A key without a path lies in the table's own key."""
    own = dict(zip(relation.keys, words.key, strict=False))
    found = {one.name: one.path or own.get(one.name, "") for one in relation.fields}
    nowhere = [name for name, column in found.items() if not column]
    if nowhere:
        raise refused(f"{relation.name}: no column is given for '{nowhere[0]}'")
    return found


def _by(backend: str, columns: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    if len(columns) == 1:
        return differences.among(backend, columns[0], _KEYS)
    return sa.tuple_(*columns).in_(sa.bindparam(_KEYS, expanding=True))


def _text(select: sa.Select[Any], dialect: Dialect, ask: Ask) -> str:
    """The statement on one line with parameters by name, for people."""
    named = type(dialect)(paramstyle="named")  # type: ignore[call-arg]  # every dialect of SQLAlchemy takes it
    text = re.sub(r"\s+", " ", str(select.compile(dialect=named)))
    text = text.removesuffix(" OFFSET :param_1")  # SQLite's compiler wants one
    text = re.sub(r"__\[POSTCOMPILE_(\w+)\]", r":\1", text)
    for i, one in enumerate(ask.where):
        text = re.sub(rf":{re.escape(one.param)}_{i}(_like)?\b", f":{one.param}", text)
    for name in filter(None, ask.after):
        text = re.sub(rf":{re.escape(name)}_s\d+\b", f":{name}", text)
    text = text.replace(f":{_EACH}", f":{ask.limit}")
    return text.replace(f":{_KEYS}", ":keys").replace(f":{_MOST}", f":{ask.limit or 'max_rows'}")
