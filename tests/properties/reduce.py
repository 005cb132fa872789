"""Make a failing case small: leave out selections, arguments, systems, rows, faults and types as long as it still fails.

For people who have to read it. ``tests.properties.printed`` writes what is left as Python.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from graphql import (
    DocumentNode,
    Visitor,
    build_schema,
    parse,
    print_ast,
    print_schema,
    validate,
)
from graphql.language import visit

from schema.registry import Binding
from schema.visible import visible
from tests.properties.generator import Case
from tests.properties.operations import Operation
from tests.properties.rewrite import tidied

Fails = Callable[[Case], Awaitable[bool]]
T = TypeVar("T")


async def reduced(case: Case, fails: Fails) -> Case:
    """A small case that comes of ``case`` by leaving things out, and for which ``fails`` is still true."""
    while True:
        before = case
        for step in (_faults, _denied, _rules, _selections, _bindings, _fields, _rows):
            case = await step(case, fails)
        if case is before:
            break
    return await _trimmed(_tidy(case), fails)


def _tidy(case: Case) -> Case:
    """Without variables that the question does not name any more."""
    used = {name: value for name, value in case.operation.variables.items() if f"${name}" in case.operation.text}
    return replace(case, operation=Operation(case.operation.text, used))


async def _fewer(items: Sequence[T], fails: Callable[[list[T]], Awaitable[bool]]) -> list[T] | None:
    """``items`` without whatever can be left out, halves first; None if nothing can."""
    kept, size = list(items), max(1, len(items) // 2)
    while True:
        at = 0
        while at < len(kept):
            without = kept[:at] + kept[at + size :]
            if await fails(without):
                kept = without
            else:
                at += size
        if size == 1:
            return kept if len(kept) < len(items) else None
        size //= 2


async def _faults(case: Case, fails: Fails) -> Case:
    """Systems that need not fail; answers that need not be shuffled."""
    kept = await _fewer(sorted(case.faults), lambda some: fails(replace(case, faults={name: case.faults[name] for name in some})))
    return case if kept is None else replace(case, faults={name: case.faults[name] for name in kept})


async def _rules(case: Case, fails: Fails) -> Case:
    kept = await _fewer(sorted(case.rules), lambda some: fails(replace(case, rules={name: case.rules[name] for name in some})))
    return case if kept is None else replace(case, rules={name: case.rules[name] for name in kept})


async def _denied(case: Case, fails: Fails) -> Case:
    kept = await _fewer(sorted(case.denied), lambda some: fails(replace(case, denied=frozenset(some))))
    return case if kept is None else replace(case, denied=frozenset(kept))


async def _selections(case: Case, fails: Fails) -> Case:
    at = 0
    while at < _Dropping.count(parse(case.operation.text)):
        text = print_ast(tidied(visit(parse(case.operation.text), _Dropping(at))))
        candidate = replace(case, operation=Operation(text, case.operation.variables))
        if _valid(case, text) and await fails(candidate):
            case = candidate
        else:
            at += 1
    return case


async def _bindings(case: Case, fails: Fails) -> Case:
    kept = await _fewer(case.bindings, lambda some: fails(replace(case, bindings=tuple(some))))
    return case if kept is None else _pruned(replace(case, bindings=tuple(kept)))


def _pruned(case: Case) -> Case:
    """Without rows and faults of bindings that have gone."""
    tables = {(binding.system, str(binding.relation.native["rows"])) for binding in case.bindings}
    rows = {system: {name: own for name, own in some.items() if (system, name) in tables} for system, some in case.rows.items()}
    systems = {system for system, _ in tables}
    faults = {name: own for name, own in case.faults.items() if name in systems}
    return replace(case, rows={name: own for name, own in rows.items() if own}, faults=faults)


async def _fields(case: Case, fails: Fails) -> Case:
    """What a binding serves besides its key."""
    for number, binding in enumerate(case.bindings):
        if binding.type not in case.keys:  # rows of several types have variants, and no fields of their own
            continue
        needed = {*binding.key, *case.keys[binding.type][0]}

        def without(
            names: list[str], number: int = number, binding: Binding = binding, needed: set[str] = needed, case: Case = case
        ) -> Case:
            served = {name: own for name, own in binding.fields.items() if name in needed or name in names}
            changed = replace(binding, fields=served)
            return replace(case, bindings=(*case.bindings[:number], changed, *case.bindings[number + 1 :]))

        kept = await _fewer([name for name in binding.fields if name not in needed], lambda some: fails(without(some)))
        case = case if kept is None else without(kept)
    return case


async def _rows(case: Case, fails: Fails) -> Case:
    for system, tables in case.rows.items():
        for table in tables:

            def with_rows(some: list[Any], system: str = system, table: str = table, case: Case = case) -> Case:
                return replace(case, rows={**case.rows, system: {**case.rows[system], table: some}})

            kept = await _fewer(case.rows[system][table], lambda some: fails(with_rows(some)))
            case = case if kept is None else with_rows(kept)
    return case


async def _trimmed(case: Case, fails: Fails) -> Case:
    """Without the types and fields that nobody asks for, serves or needs as a key."""
    used = set(re.findall(r"\w+", case.operation.text))
    used |= {name for binding in case.bindings for name in re.findall(r"\w+", repr(binding.fields))}
    used |= {part for some in case.keys.values() for key in some for part in key}

    def keep(coordinate: str) -> bool:
        type_name, _, name = coordinate.partition(".")
        return name in used or type_name.endswith(("Connection", "Edge", "PageInfo"))

    schema = visible(case.schema, keep)
    sdl = print_schema(schema)
    there = {name: one for name, one in case.roots.items() if name.partition(".")[2] in (schema.query_type or schema).fields}  # type: ignore[union-attr]
    keys = {name: some for name, some in case.keys.items() if name in schema.type_map}
    candidate = replace(case, sdl=sdl, schema=build_schema(sdl, assume_valid_sdl=True), roots=there, keys=keys)
    try:
        return candidate if _valid(candidate, candidate.operation.text) and await fails(candidate) else case
    except KeyError:  # a key of a type that has gone was needed after all
        return case


def _valid(case: Case, text: str) -> bool:
    return not re.search(r"\{\s*\}", text) and not validate(case.schema, parse(text))


class _Dropping(Visitor):
    """Drops the ``index``-th selection, directive or argument."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index
        self.seen = 0

    @classmethod
    def count(cls, tree: DocumentNode) -> int:
        counting = cls(-1)
        visit(tree, counting)
        return counting.seen

    def _one(self) -> Any:
        self.seen += 1
        return Visitor.REMOVE if self.seen == self.index + 1 else None

    def enter_field(self, *_: Any) -> Any:
        return self._one()

    def enter_inline_fragment(self, *_: Any) -> Any:
        return self._one()

    def enter_fragment_spread(self, *_: Any) -> Any:
        return self._one()

    def enter_directive(self, *_: Any) -> Any:
        return self._one()

    def enter_argument(self, *_: Any) -> Any:
        return self._one()
