"""From what all manifests bind to the registry: bindings by what they are for and in rank order, systems, and the epoch.

Knows neither files nor faults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import orjson
import strawberry
from graphql import GraphQLSchema, is_non_null_type, is_object_type

from connectors.spi import Options
from schema.binder import Bindings
from schema.canonical import aggregates, connections, filters, orders, policies
from schema.coordinates import Coordinates
from schema.entries import Manifest
from schema.registry import Binding, Breaker, Limits, Registry, Resolve, Role, RootLookup, System
from schema.requires import all_needs, needs
from schema.words import KEEPING
from schema.world import Keys


def registry_of(
    canonical: strawberry.Schema,
    manifests: Iterable[Manifest],
    made: Mapping[str, Bindings],
    keys: Keys,
    coordinates: Coordinates,
    canonical_roots: Mapping[str, RootLookup],
    contributed: Mapping[str, Resolve],
    digests: Sequence[str],
) -> Registry:
    """Everything bound. ``made`` is by system; ``contributed`` are the policies of contributed fields; ``digests`` tell of what each
    manifest binds and of the schema, for the epoch."""
    tables: dict[Role, dict[str, list[Binding]]] = {role: {} for role in Role}
    roots: dict[str, RootLookup] = {}
    for name in sorted(made):
        for binding in made[name].bindings:
            place = binding.field if binding.field is not None else binding.type
            tables[binding.role].setdefault(place, []).append(binding)
        roots |= {root.coordinate: root for root in made[name].roots}
    roots |= canonical_roots
    ranked = {
        # A list comes from the system that has all of them, where that can list.
        role: {
            place: tuple(sorted(found, key=lambda each: (role is Role.SCAN and not each.anchors, each.rank)))
            for place, found in sorted(table.items())
        }
        for role, table in tables.items()
    }
    systems = {manifest.name: _system(manifest) for manifest in manifests if manifest.system is not None and manifest.source is not None}
    resolve = dict(sorted({**policies(canonical), **contributed}.items()))
    # Neither files' names nor words that only people read are part of the epoch.
    plain = [replace(each, file="", title="", owner="", contact="") for _, each in sorted(systems.items())]
    return Registry(
        systems=dict(sorted(systems.items())),
        coordinates=coordinates,
        keys=keys,
        lookups=ranked[Role.LOOKUP],
        links=ranked[Role.LINK],
        scans=ranked[Role.SCAN],
        writes={place: found[0] for place, found in ranked[Role.WRITE].items()},
        feeds={place: found[0] for place, found in ranked[Role.EVENTS].items()},
        roots=dict(sorted(roots.items())),
        connections=connections(canonical),
        filters=filters(canonical),
        requires=all_needs(needs(binding for name in sorted(made) for binding in made[name].bindings)),
        policies=resolve,
        orders=orders(canonical),
        aggregates=aggregates(canonical),
        epoch=digest([plain, list(coordinates.values()), keys, resolve, sorted(digests)])[:16],
    )


def canonical_roots(base: GraphQLSchema, keys: Keys, planned: Iterable[str]) -> dict[str, RootLookup]:
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
    limits = dict(source.pop("limits", {}))
    if "breaker" in limits:
        limits["breaker"] = Breaker(**limits["breaker"])
    for name in KEEPING:  # said of each binding
        source.pop(name, None)
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
        credential="delegated" if (source.get("auth") or {}).get("kind") == "FORWARD" else said["credential"].lower(),
        limits=Limits(**limits),
        file=manifest.file,
    )


def digest(values: Sequence[object]) -> str:
    """A hash of all that is in them."""
    return hashlib.sha256(orjson.dumps(values, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(value: object) -> object:
    """What orjson does not know: mappings of our own, and sets."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no plain form")
