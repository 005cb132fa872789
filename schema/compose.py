"""From the canonical schema and all manifests to one schema and one registry, with all faults of all files.

    contribute   what manifests add to the schema
    assign       whether what they bind fits it
    bind         how they serve it
    satisfy      whether it all holds together

Independent of the order of manifests, linear in their number. A composition with a fault of severity error is not to be used: the caller
keeps the last good one. Given the one before, only what has changed is made anew: a change that alters no public SDL touches neither the
schema nor what other manifests bind. What comes out is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import strawberry
from graphql import GraphQLSchema, is_introspection_type, is_non_null_type, is_object_type, print_schema

from schema.assign import check_bound
from schema.bind import bind
from schema.binder import Bindings
from schema.canonical import aggregates, connections, core, filters, grades, orders, planned_roots
from schema.contribute import Contribution, contribute, with_incremental
from schema.coordinates import Coordinate, Coordinates, Grade
from schema.entries import Manifest
from schema.faults import Fault, fault, nearest, suggest
from schema.federation.attach import attach
from schema.garbage import collector_paused
from schema.manifest import load_systems, parse_manifest
from schema.policy import raise_rows
from schema.reach import Whole
from schema.register import canonical_roots, digest, registry_of
from schema.registry import Registry
from schema.said import said
from schema.satisfy import satisfy
from schema.shapes import shape_of
from schema.types import KEYS
from schema.visible import visible
from schema.world import Keys, Sheet, World, open_sheet

__all__ = ["Composition", "compose", "load_systems", "parse_manifest"]


@dataclass(frozen=True, slots=True)
class Part:
    """What one manifest comes to. ``said`` is what it may add to the schema; ``digest`` tells of all that it binds."""

    manifest: Manifest
    said: str
    sheet: Sheet
    bound: Bindings
    digest: str


@dataclass(frozen=True, slots=True)
class Work:
    """What a composition was made by, for the next one to go on from. ``parts`` are by file."""

    canonical: strawberry.Schema
    added: Contribution
    world: World
    parts: Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class Composition:
    """The public schema, the registry behind it, and every fault, sorted by place. Use the first two only if ``ok``. What is inaccessible,
    and what of the canonical types nobody serves, is not in the public schema."""

    schema: GraphQLSchema
    registry: Registry
    faults: tuple[Fault, ...] = field(default=())
    work: Work | None = field(default=None, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        return not any(found.is_error for found in self.faults)

    @property
    def whole(self) -> GraphQLSchema:
        """All that a manifest can bind, public or not."""
        return self.work.added.schema if self.work is not None else self.schema

    def text(self, system: str) -> str:
        """The manifest of a system as it was when it was composed."""
        part = self.work.parts.get(self.registry.systems[system].file) if self.work is not None else None
        loc = part.manifest.system.node.loc if part is not None and part.manifest.system is not None else None
        return loc.source.body if loc is not None else ""


@collector_paused()
def compose(
    canonical: strawberry.Schema, manifests: Sequence[Manifest], *, kinds: Collection[str], before: Composition | None = None
) -> Composition:
    """Compose. ``kinds`` are the kinds of connectors that are installed; ``before`` is a composition to go on from, which saves work
    where manifests are the same objects and changes nothing else. Never raises for what a manifest says."""
    base = core(canonical)
    kept = before.work if before is not None and before.work is not None and before.work.canonical is canonical else None
    ordered = sorted(manifests, key=lambda each: (each.name, each.file))
    faults = [found for manifest in ordered for found in manifest.faults]
    faults += _check_systems(ordered, kinds)
    usable = [manifest for manifest in ordered if manifest.types]
    texts = [_said(manifest, base, kept) for manifest in usable]
    added = _added(base, usable, texts, kept)
    faults += added.faults
    world = _world(canonical, base, added, usable, kept)
    rows = _rows(canonical, base)
    sheets, made, parts = {}, {}, {}
    for at, (manifest, text) in enumerate(zip(usable, texts, strict=True)):
        part = parts[manifest.file] = _part(manifest, text, world, rows, kept)
        name = manifest.name or f"?{at}"
        faults += part.sheet.faults
        if name not in sheets and manifest.system is not None and manifest.source is not None:
            sheets[name], made[name] = part.sheet, part.bound
    coordinates = Coordinates((*rows.values(), *added.coordinates))
    planned = planned_roots(added.schema)
    roots = canonical_roots(base, world.keys, planned)
    digests = (_printed(canonical), added.digest, *(part.digest for part in parts.values()))
    registry = registry_of(canonical, ordered, made, world.keys, coordinates, roots, added.policies, digests)
    wrong = frozenset(found.file for found in faults if found.is_error)
    faulty = frozenset(name for manifest in ordered if manifest.file in wrong for name in _named(manifest))
    found, unserved = satisfy(Whole(world, registry, sheets, made, planned, faulty, wrong))
    faults += found
    public = added.schema
    if not any(found.is_error for found in faults):
        public = _public(public, frozenset(added.hidden), unserved)
    work = Work(canonical, added, world, parts)
    attached = attach(public, added.schema, registry, ordered)
    return Composition(with_incremental(attached.schema), attached.registry, tuple(sorted({*faults, *attached.faults})), work)


def _said(manifest: Manifest, base: GraphQLSchema, kept: Work | None) -> str:
    part = _same(manifest, kept)
    return part.said if part is not None else said(manifest, base.type_map)


def _same(manifest: Manifest, kept: Work | None) -> Part | None:
    """What was made of the very same manifest before."""
    part = kept.parts.get(manifest.file) if kept is not None else None
    return part if part is not None and part.manifest is manifest else None


def _added(base: GraphQLSchema, usable: Sequence[Manifest], texts: Sequence[str], kept: Work | None) -> Contribution:
    """What all of them add; that of before if none of them says anything else."""
    if kept is not None and not kept.added.faults and [part.said for part in kept.parts.values()] == texts:
        return kept.added
    return contribute(base, usable, kept.added if kept is not None else None)


def _part(manifest: Manifest, text: str, world: World, rows: dict[str, Coordinate], kept: Work | None) -> Part:
    """One manifest bound. In the same world it comes to the same; faults are looked for anew, since they may be told of again."""
    part = _same(manifest, kept)
    if part is not None and kept is not None and world is kept.world and not part.sheet.faults:
        raise_rows(part.sheet, rows)
        return part
    sheet = open_sheet(manifest, world)
    check_bound(sheet)
    raise_rows(sheet, rows)
    bound = bind(sheet)
    return Part(manifest, text, sheet, bound, digest([bound.bindings, bound.roots]))


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


def _world(
    canonical: strawberry.Schema, base: GraphQLSchema, added: Contribution, manifests: Iterable[Manifest], kept: Work | None
) -> World:
    keys = _keys(base, added.schema, manifests)
    slips, hidden = frozenset(added.slips), frozenset(added.hidden)
    if kept is not None:
        before = kept.world
        if added.schema is before.schema and (keys, slips, hidden) == (before.keys, before.slips, before.hidden):
            return before
    names = {name for name, type_ in base.type_map.items() if not is_introspection_type(type_)}
    coordinates = {f"{name}.{each}" for name in names for each in getattr(base.type_map[name], "fields", {})}
    graded = {row.name: row.grade for row in grades(canonical)}
    return World(
        added.schema,
        names | coordinates,
        connections(canonical),
        keys,
        graded,
        slips,
        hidden,
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
            if not entry.keys:
                continue
            own = {each for other in manifest.types if other.name == entry.name for each in other.fields}
            there = getattr(schema.type_map.get(entry.name), "fields", {})
            for word in entry.keys:
                key = tuple(word.args["fields"])
                known = any(set(key) == set(other) for other in found.get(entry.name, ()))
                if not known and all(name in own or name in there for name in key):
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


@lru_cache(maxsize=8)
def _printed(canonical: strawberry.Schema) -> str:
    """Tells of all that the canonical schema says."""
    return digest([print_schema(core(canonical)), connections(canonical), filters(canonical), orders(canonical), aggregates(canonical)])


@lru_cache(maxsize=8)
def _public(schema: GraphQLSchema, hidden: frozenset[str], unserved: frozenset[str]) -> GraphQLSchema:
    """Without what is hidden and what nobody serves. Where nobody serves anything at all the types stay: a schema has to have a root."""
    if not hidden and not unserved:
        return schema
    gone = hidden | unserved
    try:
        return visible(schema, lambda name: name not in gone)
    except ValueError:
        if not unserved:
            raise
        return _public(schema, hidden, frozenset())
