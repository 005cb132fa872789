"""Small worlds to ask: a public schema, bindings to systems and their rows, in a few lines each.

A world is described from the canonical side. ``leaf("QYMC")`` is a column, ``obj("Address", {...})`` an object in the same
row, ``items("lic", "Licence", {...})`` a list of native objects. Everything behind is an in-memory connector that remembers its calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graphql import GraphQLObjectType, GraphQLSchema, build_schema, get_named_type, is_non_null_type
from strawberry import Schema

from connectors.kinds import KINDS
from connectors.spi import Connector, Options
from hub.clock import Clock
from schema.canonical import canonical as canonical_schema
from schema.compose import compose, load_systems, parse_manifest
from schema.coordinates import Coordinate, Coordinates, Grade
from schema.registry import (
    Aggregated,
    Binding,
    Breaker,
    Limits,
    Registry,
    Resolve,
    Role,
    RootLookup,
    System,
)
from schema.requires import all_needs, needs, require
from tests.memory import Memory, MemorySettings, Received, Rows

# A relation that is down tells nothing of the others of its system: what each answer holds is then the oracle's to say.
PLAIN = Limits(retries=0, breaker=Breaker(failures=0))


@dataclass(frozen=True, slots=True)
class World:
    """``received`` is every call to any of the systems, in order."""

    schema: GraphQLSchema
    registry: Registry
    systems: Mapping[str, Memory]
    received: list[Received]

    @property
    def connectors(self) -> Mapping[str, Connector]:
        return dict(self.systems)

    def calls(self, system: str) -> list[Received]:
        return [call for call in self.received if call.system == system]


# -- how fields lie in rows -------------------------------------------------------------------------------------------


def world(
    schema: str | GraphQLSchema,
    bindings: Iterable[Binding],
    rows: Mapping[str, Rows],
    *,
    keys: Mapping[str, Sequence[tuple[str, ...] | str]],
    roots: Mapping[str, tuple[str, Mapping[str, str]]] | None = None,
    filters: Mapping[str, Mapping[str, str]] | None = None,
    policies: Mapping[str, Resolve] | None = None,
    orders: Mapping[str, Mapping[str, str]] | None = None,
    aggregates: Mapping[str, Aggregated] | None = None,
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> World:
    """A world from its parts. ``rows`` are native rows by system and name, ``roots`` maps ``Query.x`` to the type it finds and its
    arguments' key fields. Connections are recognised by their name."""
    schema = build_schema(schema) if isinstance(schema, str) else schema
    return over(
        schema,
        registry(
            schema,
            bindings,
            keys=keys,
            roots=roots,
            filters=filters,
            policies=policies,
            orders=orders,
            aggregates=aggregates,
            limits=limits,
        ),
        rows,
        clock=clock,
    )


def over(schema: GraphQLSchema, made: Registry, rows: Mapping[str, Rows], *, clock: Clock | None = None) -> World:
    """A world over what is bound already."""
    received: list[Received] = []
    systems = {name: Memory(MemorySettings(rows.get(name, {})), system=name, clock=clock, received=received) for name in made.systems}
    return World(schema, made, systems, received)


def composed(
    manifests: Mapping[str, str] | Path, rows: Mapping[str, Rows], *, canonical: Schema | None = None, clock: Clock | None = None
) -> World:
    """A world from manifests, by file name or all of a folder, over the canonical types. ``rows`` are native rows by system and relation;
    each system is answered from memory, whatever kind it says it is (``@python(connector: "memory")`` says so)."""
    read = load_systems(manifests) if isinstance(manifests, Path) else [parse_manifest(text, file) for file, text in manifests.items()]
    made = compose(canonical or canonical_schema(), read, kinds=(*KINDS, "memory"))
    assert made.ok, "\n".join(map(str, made.faults))
    received: list[Received] = []
    systems = {
        name: Memory(MemorySettings(rows.get(name, {})), system=name, clock=clock, received=received) for name in made.registry.systems
    }
    return World(made.schema, made.registry, systems, received)


def registry(
    schema: GraphQLSchema,
    bindings: Iterable[Binding],
    *,
    keys: Mapping[str, Sequence[tuple[str, ...] | str]],
    roots: Mapping[str, tuple[str, Mapping[str, str]]] | None = None,
    filters: Mapping[str, Mapping[str, str]] | None = None,
    policies: Mapping[str, Resolve] | None = None,
    orders: Mapping[str, Mapping[str, str]] | None = None,
    aggregates: Mapping[str, Aggregated] | None = None,
    limits: Limits | None = None,
) -> Registry:
    """Index ``bindings`` as composition would: by rank, whatever their order."""
    ranked = [_read(schema, binding) for binding in sorted(bindings, key=lambda binding: binding.rank)]
    names = sorted({binding.system for binding in ranked})
    return Registry(
        systems={name: System(name, name, "", "memory", Options(), limits=limits or PLAIN) for name in names},
        coordinates=Coordinates(_coordinates(schema)),
        keys={name: tuple((key,) if isinstance(key, str) else tuple(key) for key in some) for name, some in keys.items()},
        lookups=_grouped((b.type, b) for b in ranked if b.role is Role.LOOKUP),
        links=_grouped((b.field or "", b) for b in ranked if b.role is Role.LINK),
        scans=_grouped((b.field or b.type, b) for b in ranked if b.role is Role.SCAN),
        roots={name: RootLookup(name, type_name, args) for name, (type_name, args) in (roots or {}).items()},
        connections=_connections(schema),
        filters=filters or {},
        writes={b.field or "": b for b in ranked if b.role is Role.WRITE},
        feeds={b.field or "": b for b in ranked if b.role is Role.EVENTS},
        policies=policies or {},
        requires=all_needs(needs(ranked)),
        orders=orders or {},
        aggregates=aggregates or {},
        epoch="1",
    )


def _read(schema: GraphQLSchema, binding: Binding) -> Binding:
    owner = (binding.field or binding.type).partition(".")[0]
    return replace(binding, requires=tuple(require(schema, owner, r.param, r.selection, nullable=r.nullable) for r in binding.requires))


def with_limits(registry: Registry, limits: Limits) -> Registry:
    """The same registry with other limits for each system."""
    return replace(registry, systems={name: replace(system, limits=limits) for name, system in registry.systems.items()})


def _grouped(pairs: Iterable[tuple[str, Binding]]) -> dict[str, tuple[Binding, ...]]:
    found: dict[str, list[Binding]] = {}
    for name, binding in pairs:
        found.setdefault(name, []).append(binding)
    return {name: tuple(found[name]) for name in sorted(found)}


def _objects(schema: GraphQLSchema) -> Iterable[GraphQLObjectType]:
    return (kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"))


def _coordinates(schema: GraphQLSchema) -> Iterable[Coordinate]:
    for kind in _objects(schema):
        for name, definition in kind.fields.items():
            yield Coordinate(kind.name, name, Grade.L1, not is_non_null_type(definition.type))


def _connections(schema: GraphQLSchema) -> dict[str, str]:
    return {
        kind.name: get_named_type(kind.fields["nodes"].type).name
        for kind in _objects(schema)
        if kind.name.endswith("Connection") and "nodes" in kind.fields
    }
