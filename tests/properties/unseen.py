"""P7: what a caller may not see leaves no trace: not in values, nulls, order, counts, cursors, errors, notices, the plan or the calls.

The values behind denied coordinates are drawn anew, to other values, to nulls, to what cannot be read; nothing may change. Keys are
left alone: a denied key still leads to what is behind it (docs/properties.md says why).
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from graphql import GraphQLObjectType

from connectors.paths import steps
from connectors.spi import Field
from hub.plan.listing import coordinates_on
from schema.registry import Binding, Role, Served
from tests.properties.engine import document, engine, judged, ran, told
from tests.properties.generator import Case

Row = dict[str, Any]


async def nothing_denied_is_felt(case: Case) -> None:
    """P7: other data behind what is denied, the same answer, byte for byte, the same plan and the same calls."""
    rng = random.Random(f"unseen/{case.seed}/{case.size}")
    masked = replace(case, denied=case.denied | some_coordinates(rng, case))
    other = redrawn(rng, masked)
    before, after = await ran(masked), await ran(other)
    assert (after.plan, after.received) == (before.plan, before.received), await told(masked, before.answer, after.answer)
    assert await _body(other) == await _body(masked), await told(masked, before.answer, after.answer)
    if case.seed % 4 == 0:  # of the oracle it follows from P1, at most of the price
        wanted, found = await judged(masked), await judged(other)
        assert (found.text, found.errors, found.extensions) == (wanted.text, wanted.errors, wanted.extensions), await told(
            masked, wanted, found
        )


async def _body(case: Case) -> bytes:
    """What goes out, with the texts of errors."""
    asked = engine(case.build(), case.denied)
    return (await asked.execute(document(case.schema, case.operation.text), variables=case.operation.variables)).body


def some_coordinates(rng: random.Random, case: Case) -> frozenset[str]:
    """A few fields of the case's own types."""
    kinds = {binding.type for binding in case.bindings} | {kind for binding in case.bindings for kind in _types({"": binding.row})}
    own = [case.schema.type_map[kind] for kind in sorted(kinds) if kind in case.schema.type_map]
    fields = [[f"{kind.name}.{name}" for name in kind.fields] for kind in own if isinstance(kind, GraphQLObjectType)]
    names = [name for some in fields for name in some]
    found = set(rng.sample(names, min(len(names), rng.randint(1, 6))))
    if rng.random() < 0.5:  # all but one field of a type, since what is left decides then
        some = rng.choice(fields)
        found.update(rng.sample(some, len(some) - 1))
    return frozenset(found)


def _types(fields: Mapping[str, Served]) -> Iterator[str]:
    for served in fields.values():
        if served.type:
            yield served.type
        for kind, parts in ((served.type, served.parts), *((variant.type, variant.parts) for variant in served.variants)):
            if parts:
                yield str(kind)
                yield from _types(parts)


def keys_of(case: Case) -> frozenset[str]:
    """Coordinates that are keys of something, for lookups, links or cursors."""
    found = {f"{name}.{part}" for name, some in case.keys.items() for key in some for part in key}
    found |= {f"{(binding.field or binding.type).partition('.')[0]}.{name}" for binding in case.bindings for name in binding.key}
    return frozenset(found)


def columns_of(kind: str, fields: Mapping[str, Served], hidden: frozenset[str], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The columns in the rows of a binding that lie in coordinates of ``hidden``, with these. A list in which nothing else lies is left
    out: it has to be asked for to be counted."""
    for served in fields.values():
        coordinate = f"{kind}.{served.name}"
        if served.column is not None and coordinate in hidden:
            yield coordinate, f"{prefix}{served.column}"
        inner = f"{prefix}{served.column}." if served.column is not None else prefix
        for type_name, parts in ((served.type, served.parts), *((one.type, one.parts) for one in served.variants)):
            if served.column is not None and all(f"{type_name}.{name}" in hidden for name in parts):
                continue
            below = frozenset(f"{type_name}.{name}" for name in parts) if coordinate in hidden else frozenset()
            yield from columns_of(str(type_name), parts, hidden | below, inner)


def spoken_of(case: Case) -> frozenset[str]:
    """Coordinates that rules speak of, on the way and at its end: they decide who is seen, whether the caller may see them or not."""
    paths = [(name, rule.path) for name, rules in case.rules.items() for rule in rules]
    return frozenset(coordinate for name, path in paths for coordinate in coordinates_on(case.schema, name, path))


def redrawn(rng: random.Random, case: Case) -> Case:
    """The same case with other data behind its denied coordinates."""
    secret = case.denied - keys_of(case) - spoken_of(case)
    rows = copy.deepcopy({system: dict(tables) for system, tables in case.rows.items()})
    for binding in case.bindings:
        table = str(binding.relation.native["rows"])
        own = rows[binding.system][table]
        if binding.role is Role.LINK and binding.field in secret:
            rows[binding.system][table] = rng.choices(own, k=rng.randint(0, len(own))) if own else own
        _redraw(rng, own, binding.type, {"": binding.row}, {column.name: column for column in binding.relation.fields}, secret, binding)
    return replace(case, rows=rows)


def _redraw(
    rng: random.Random,
    rows: list[Row],
    kind: str,
    fields: Mapping[str, Served],
    columns: Mapping[str, Field],
    secret: frozenset[str],
    binding: Binding,
    hidden: bool = False,
) -> None:
    """Change ``rows`` in place: each column of a field in ``secret``, and all below one."""
    for served in fields.values():
        here = hidden or f"{kind}.{served.name}" in secret
        if served.column is not None and (here or (not served.parts and not served.variants)):
            if here:
                _column(rng, rows, columns[served.column].path)
            continue
        inner_rows, inner_columns = rows, columns
        lists: list[tuple[Row, str, list[Any], bool]] = []
        if served.column is not None:  # a list of objects: its elements are rows of their own
            column = columns[served.column]
            lists = list(_lists(rows, str(steps(column.path)[0])))
            inner_rows = [item for _, _, some, _ in lists for item in some if isinstance(item, dict)]
            inner_columns = {item.name: item for item in column.items}
        if here and served.typename is not None:
            _column(rng, inner_rows, inner_columns[served.typename].path)
        for type_name, parts in ((served.type, served.parts), *((one.type, one.parts) for one in served.variants)):
            _redraw(rng, inner_rows, str(type_name), parts, inner_columns, secret, binding, here)
        for row, name, some, text in lists:
            row[name] = json.dumps(some, default=str) if text else some


def _lists(rows: list[Row], name: str) -> Iterator[tuple[Row, str, list[Any], bool]]:
    """The lists in a column, out of their JSON text where they are one."""
    for row in rows:
        value: Any = row.get(name)
        text = isinstance(value, str)
        try:
            value = json.loads(value) if text else value
        except ValueError:
            continue
        if isinstance(value, list):
            yield row, name, value, text


def _column(rng: random.Random, rows: list[Row], path: str) -> None:
    """Other values in a column: those of other rows, none, or something that is no value of it."""
    name = str(steps(path)[0])
    there = [row.get(name) for row in rows]
    for row in rows:
        row[name] = rng.choice((None, {"?": 1}, "no", *there))
