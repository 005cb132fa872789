"""Systems that are not asked: each answers from the rows that its manifest gives with ``@mock``, as its source would send them.

The engine, the conversion and everything behind the connector are the real ones. Filters, order and paging are left to the engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from connectors.paths import reader
from connectors.spi import Ask, Call, Catalog, Connector, Field, Options, Page, Plan, Relation, split
from hub.connected import Connections
from schema.entries import Manifest
from schema.reach import all_bindings
from schema.registry import Registry

Rows = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class MockSettings:
    """``rows`` by the name of the relation that brings them."""

    rows: Mapping[str, Rows] = field(default_factory=dict)


class Mock(Connector):
    """One system that is not asked."""

    kind = "mock"
    Settings = MockSettings

    async def describe(self) -> Catalog:
        return Catalog(())

    def plan(self, ask: Ask, relation: Relation) -> Plan:
        made = split(ask, replace(relation, where=Options(), order=(), limit=False, total=False))
        return replace(made, relation=relation)

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        rows = self.settings.rows.get(plan.relation.name, ())
        if plan.ask.by:
            wanted = set(call.keys)
            keys = [reader(key_path(plan.relation, name)) for name in plan.ask.by]
            rows = tuple(row for row in rows if tuple(read(row) for read in keys) in wanted)
        # A column that the source does not repeat is the key itself; a mocked row names it.
        yield Page.of(rows, [one if one.path else replace(one, path=one.name) for one in plan.fields])


def key_path(relation: Relation, name: str) -> str:
    """Where a mocked row holds a key column: at its path, at its batch's match, in its table's key, else under the key's own name."""
    column: Field = relation.field(name)
    batch: Mapping[str, Any] = relation.native.get("batch") or {}
    table = dict(zip(relation.keys, relation.native.get("key") or (), strict=False))
    return column.path or str(batch.get("match") or table.get(name) or name)


@dataclass(frozen=True, slots=True)
class Mocked:
    """``rows`` by type for one system, and what is wrong with what its manifest says."""

    rows: Mapping[str, Rows]
    problems: tuple[str, ...] = ()


def mocked(manifest: Manifest, folder: Path) -> Mocked:
    """The rows that a manifest gives. ``folder`` is that of all manifests, whose name the manifest's file begins with."""
    found: dict[str, Rows] = {}
    problems = []
    for entry in manifest.types:
        word = entry.words.get("mock")
        if word is None:
            continue
        rows: Any = word.args.get("rows") or []
        name = word.args.get("file")
        if name:
            file = (folder / manifest.file.partition("/")[2]).parent / name
            try:
                rows = [*rows, *orjson.loads(file.read_bytes())]
            except (OSError, orjson.JSONDecodeError, TypeError) as error:
                problems.append(f"{manifest.file}: @mock of {entry.name}: {name} cannot be read: {type(error).__name__}")
                continue
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            problems.append(f"{manifest.file}: @mock of {entry.name} is no list of rows")
            continue
        found[entry.name] = (*found.get(entry.name, ()), *rows)
    return Mocked(found, tuple(problems))


def connect_mocks(registry: Registry, given: Mapping[str, Mocked]) -> Connections:
    """A connector for each system, over its mocked rows; a system without any knows nothing of anything."""
    connectors: dict[str, Connector] = {}
    for name in registry.systems:
        rows = given[name].rows if name in given else {}
        by_relation = {each.relation.name: rows.get(each.type, ()) for each in all_bindings(registry) if each.system == name}
        connectors[name] = Mock(MockSettings(by_relation), system=name)
    return Connections(registry.systems, connectors)
