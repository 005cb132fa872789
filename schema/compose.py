"""From the canonical schema and all manifests to one schema and one registry, with all faults of all files.

    contribute   what manifests add to the schema
    assign       whether what they bind fits it
    bind         how they serve it
    satisfy      whether it all holds together

Independent of the order of manifests, linear in their number. A composition with a fault of severity error is not to be used: the caller
keeps the last good one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson
import strawberry
from graphql import GraphQLSchema, is_introspection_type, is_non_null_type, is_object_type, print_ast, print_schema

from connectors.spi import Options
from schema.assign import check_bound
from schema.bind import bind
from schema.binder import Bindings
from schema.canonical import aggregates, connections, core, filters, grades, orders, planned_roots, policies
from schema.contribute import Contribution, contribute, with_incremental
from schema.coordinates import Coordinate, Coordinates, Grade
from schema.entries import Manifest
from schema.faults import Fault, fault, nearest, suggest
from schema.manifest import load_systems, parse_manifest
from schema.policy import raise_rows
from schema.reach import Whole
from schema.registry import Binding, Limits, Registry, Role, RootLookup, System
from schema.requires import all_needs, needs
from schema.satisfy import satisfy
from schema.shapes import shape_of
from schema.types import KEYS
from schema.visible import visible
from schema.world import Keys, World, open_sheet

__all__ = ["Composition", "compose", "load_systems", "parse_manifest"]


@dataclass(frozen=True, slots=True)
class Composition:
    """The public schema, the registry behind it, and every fault, sorted by place. Use the first two only if ``ok``."""

    schema: GraphQLSchema
    registry: Registry
    faults: tuple[Fault, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return not any(found.is_error for found in self.faults)


def compose(canonical: strawberry.Schema, manifests: Sequence[Manifest], *, kinds: Collection[str]) -> Composition:
    """Compose. ``kinds`` are the kinds of connectors that are installed. Never raises for what a manifest says."""
    base = core(canonical)
    ordered = sorted(manifests, key=lambda each: (each.name, each.file))
    faults = [found for manifest in ordered for found in manifest.faults]
    faults += _check_systems(ordered, kinds)
    usable = [manifest for manifest in ordered if manifest.types]
    added = contribute(base, usable)
    faults += added.faults
    world = _world(canonical, base, added, usable)
    rows = _rows(canonical, base)
    sheets, made = {}, {}
    for at, manifest in enumerate(usable):
        sheet = open_sheet(manifest, world)
        check_bound(sheet)
        raise_rows(sheet, rows)
        name = manifest.name or f"?{at}"
        bound = bind(sheet)
        faults += sheet.faults
        if name not in sheets and manifest.system is not None and manifest.source is not None:
            sheets[name], made[name] = sheet, bound
    coordinates = Coordinates((*rows.values(), *added.coordinates))
    planned = planned_roots(added.schema)
    registry = _registry(canonical, base, added, world, ordered, made, coordinates, planned)
    wrong = frozenset(found.file for found in faults if found.is_error)
    faulty = frozenset(name for manifest in ordered if manifest.file in wrong for name in _named(manifest))
    faults += satisfy(Whole(world, registry, sheets, made, planned, faulty, wrong))
    public = added.schema
    if added.hidden and not any(found.is_error for found in faults):
        public = visible(public, lambda name: name not in added.hidden)
    return Composition(with_incremental(public), registry, tuple(sorted(set(faults))))


def _named(manifest: Manifest) -> Iterable[str]:
    """The types that a manifest speaks of."""
    for entry in manifest.types:
        yield entry.name
        for each in entry.fields.values():
            yield shape_of(each.type).name


def _check_systems(manifests: Iterable[Manifest], kinds: Collection[str]) -> list[Fault]:
    found: list[Fault] = []
    first: dict[str, Manifest] = {}
    for manifest in manifests:
        if manifest.source is not None and manifest.kind not in kinds:
            node = manifest.source.value_node("connector")
            message = f"There is no connector of kind '{manifest.kind}'.{suggest(manifest.kind, kinds)}"
            near = nearest(manifest.kind, kinds)
            fix = (
                f'write connector: "{near}"'
                if near and manifest.source.name == "python"
                else f"install one; these are there: {', '.join(sorted(kinds))}"
            )
            found.append(fault("UNKNOWN_KIND", manifest.file, node, message, fix))
        if manifest.system is None:
            continue
        if manifest.name in first:
            node, other = manifest.system.value_node("name"), first[manifest.name].file
            found.append(
                fault(
                    "SYSTEM_TWICE",
                    manifest.file,
                    node,
                    f"The system '{manifest.name}' is described in {other} already.",
                    "put both into one file, or rename one",
                )
            )
        first.setdefault(manifest.name, manifest)
    return found


def _world(canonical: strawberry.Schema, base: GraphQLSchema, added: Contribution, manifests: Iterable[Manifest]) -> World:
    names = {name for name, type_ in base.type_map.items() if not is_introspection_type(type_)}
    coordinates = {f"{name}.{each}" for name in names for each in getattr(base.type_map[name], "fields", {})}
    graded = {row.name: row.grade for row in grades(canonical)}
    return World(
        added.schema,
        names | coordinates,
        connections(canonical),
        _keys(base, added.schema, manifests),
        graded,
        frozenset(added.slips),
        frozenset(added.hidden),
    )


def _keys(base: GraphQLSchema, schema: GraphQLSchema, manifests: Iterable[Manifest]) -> Keys:
    """The keys of each entity: the canonical ones first, then what manifests declare, in order of system name."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for name, keys in KEYS.items():
        type_ = base.type_map.get(name)
        if is_object_type(type_):
            found[name] = [key for key in keys if set(key) <= type_.fields.keys()]
    for manifest in manifests:
        for entry in manifest.types:
            own = {each for other in manifest.types if other.name == entry.name for each in other.fields}
            there = {*own, *getattr(schema.type_map.get(entry.name), "fields", {})}
            for word in entry.keys:
                key = tuple(word.args["fields"])
                if set(key) <= there and not any(set(key) == set(other) for other in found.get(entry.name, ())):
                    found.setdefault(entry.name, []).append(key)
    return {name: tuple(keys) for name, keys in sorted(found.items()) if keys}


def _rows(canonical: strawberry.Schema, base: GraphQLSchema) -> dict[str, Coordinate]:
    """A row for each field of the canonical schema; what says nothing of itself is open, as connections and page information are."""
    rows = {row.name: row for row in grades(canonical)}
    for name, type_ in base.type_map.items():
        if is_object_type(type_) and not is_introspection_type(type_):
            for each, definition in type_.fields.items():
                if f"{name}.{each}" not in rows:
                    rows[f"{name}.{each}"] = Coordinate(
                        name, each, Grade.L1, not is_non_null_type(definition.type), definition.description or ""
                    )
    return rows


def _registry(
    canonical: strawberry.Schema,
    base: GraphQLSchema,
    added: Contribution,
    world: World,
    manifests: Iterable[Manifest],
    made: Mapping[str, Bindings],
    coordinates: Coordinates,
    planned: frozenset[str],
) -> Registry:
    tables: dict[Role, dict[str, list[Binding]]] = {role: {} for role in Role}
    roots: dict[str, RootLookup] = {}
    for name in sorted(made):
        for binding in made[name].bindings:
            place = binding.field if binding.field is not None else binding.type
            tables[binding.role].setdefault(place, []).append(binding)
        roots |= {root.coordinate: root for root in made[name].roots}
    roots |= _canonical_roots(base, world.keys, planned)
    ranked = {
        role: {place: tuple(sorted(found, key=lambda each: each.rank)) for place, found in sorted(table.items())}
        for role, table in tables.items()
    }
    systems = {manifest.name: _system(manifest) for manifest in manifests if manifest.system is not None and manifest.source is not None}
    registry = Registry(
        systems=dict(sorted(systems.items())),
        coordinates=coordinates,
        keys=world.keys,
        lookups=ranked[Role.LOOKUP],
        links=ranked[Role.LINK],
        scans=ranked[Role.SCAN],
        writes={place: found[0] for place, found in ranked[Role.WRITE].items()},
        feeds={place: found[0] for place, found in ranked[Role.EVENTS].items()},
        roots=dict(sorted(roots.items())),
        connections=world.connections,
        filters=filters(canonical),
        requires=all_needs(needs(binding for name in sorted(made) for binding in made[name].bindings)),
        policies=dict(sorted((policies(canonical) | added.policies).items())),
        orders=orders(canonical),
        aggregates=aggregates(canonical),
    )
    return replace(registry, epoch=_epoch(registry, print_schema(base), print_ast(added.document)))


def _canonical_roots(base: GraphQLSchema, keys: Keys, planned: Iterable[str]) -> dict[str, RootLookup]:
    """Canonical root fields whose arguments all together are a key of what they return."""
    found: dict[str, RootLookup] = {}
    for name, definition in base.query_type.fields.items() if base.query_type else ():
        coordinate = f"Query.{name}"
        target = definition.type.of_type if is_non_null_type(definition.type) else definition.type
        if (
            coordinate in planned
            and is_object_type(target)
            and any(set(key) == definition.args.keys() for key in keys.get(target.name, ()))
        ):
            found[coordinate] = RootLookup(coordinate, target.name, {each: each for each in definition.args})
    return found


def _system(manifest: Manifest) -> System:
    assert manifest.system is not None
    assert manifest.source is not None
    said, source = manifest.system.args, dict(manifest.source.args)
    limits = source.pop("limits", {})
    if manifest.source.name == "python":
        source = source.get("options") or {}
    if source.get("headers") and isinstance(source["headers"], list):
        source["headers"] = {each["name"]: each["value"] for each in source["headers"]}
    return System(
        name=manifest.name,
        title=said["title"],
        owner=said["owner"],
        kind=manifest.kind,
        options=Options({name: value for name, value in source.items() if value is not None}),
        contact=said.get("contact") or "",
        credential=said["credential"].lower(),
        limits=Limits(**limits),
        file=manifest.file,
    )


def _epoch(registry: Registry, *texts: str) -> str:
    """A hash of all that queries depend on: not of the files' names, nor of words that only people read."""
    systems = {name: replace(each, file="", title="", owner="", contact="") for name, each in registry.systems.items()}
    data = orjson.dumps([replace(registry, systems=systems), *texts], default=_plain, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(data).hexdigest()[:16]


def _plain(value: object) -> object:
    """What orjson does not know: mappings of our own, and sets."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no plain form")
