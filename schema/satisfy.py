"""Checks over all systems at once: anchors, non-null hazards, what a reference leads to, what nobody serves.

What can be reached is in ``schema.reach``.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphql import get_named_type, is_interface_type, is_non_null_type, is_object_type

from schema.advice import advise
from schema.binder import each_served
from schema.faults import Fault
from schema.reach import Whole, all_bindings, unreachable
from schema.registry import Binding, Role
from schema.requires import cycle, needs


def satisfy(whole: Whole) -> tuple[list[Fault], frozenset[str]]:
    """All faults that show only when all systems are seen together; and the canonical coordinates that can be left out, since
    nobody serves or requires them."""
    _anchors(whole)
    _hazards(whole)
    _circles(whole)
    unreachable(whole)
    _targets(whole)
    advise(whole)
    return whole.faults, _unserved(whole) if not whole.faulty else frozenset()


def _anchors(whole: Whole) -> None:
    for type_name, lookups in whole.registry.lookups.items():
        first: Binding | None = None
        told: set[str] = set()
        for binding in sorted(lookups, key=lambda each: (each.system, each.id)):
            if not binding.anchors or binding.system in told:
                continue
            told.add(binding.system)
            if first is None:
                first = binding
            else:
                whole.report(
                    "TWO_ANCHORS",
                    binding,
                    f"{first.system} also decides whether '{type_name}' exists; the two may disagree.",
                    "let one of them contribute: @entity(existence: CONTRIBUTES)",
                )


def _hazards(whole: Whole) -> None:
    """``T.f!`` served by a system that may have no row for an entity would take the whole entity away."""
    told: set[tuple[str, str, str]] = set()
    for type_name, lookups in whole.registry.lookups.items():
        fields = getattr(whole.world.type(type_name), "fields", {})
        keys = {name for key in whole.registry.keys.get(type_name, ()) for name in key}
        for binding in lookups:
            for name in binding.fields:
                where = (binding.system, type_name, name)
                if name in keys or binding.anchors or where in told or name not in fields or not is_non_null_type(fields[name].type):
                    continue
                told.add(where)
                own = f"'{type_name}.{name}' is never null, but {binding.system} is not the complete anchor of '{type_name}'"
                whole.report(
                    "NON_NULL_HAZARD",
                    binding,
                    f"{own}: where it has no record, the whole entity would be null.",
                    "make the field nullable, or leave it to @entity(existence: ANCHOR, coverage: COMPLETE)",
                    field_name=name,
                )


def _circles(whole: Whole) -> None:
    """Fields that require each other could never be asked for. Each circle is told once, where it begins by name."""
    bindings = sorted(all_bindings(whole.registry), key=lambda each: each.id)
    direct = needs(bindings)
    told: set[frozenset[str]] = set()
    for binding in bindings:
        for name in needs([binding]):
            way = cycle(direct, name)
            if way and frozenset(way) not in told:
                told.add(frozenset(way))
                message = f"These require each other: {' → '.join(way)}."
                whole.report("REQUIRE_CYCLE", binding, message, "take one @require away")


def _targets(whole: Whole) -> None:
    """A reference to an entity that no lookup finds by the fields the reference carries can show those fields only."""
    told: set[tuple[str, str]] = set()
    for binding in all_bindings(whole.registry):
        for served in each_served(binding.fields):
            target = served.type or ""
            if (
                target not in whole.registry.keys
                or target in whole.faulty
                or served.variants
                or (binding.system, served.name + target) in told
            ):
                continue
            lookups = whole.registry.lookups.get(target, ())
            if any(set(lookup.key) <= served.parts.keys() for lookup in lookups):
                continue
            if set(getattr(whole.world.type(target), "fields", {})) <= served.parts.keys():
                continue
            told.add((binding.system, served.name + target))
            carried = ", ".join(sorted(served.parts))
            message = f"No system looks up '{target}' by what '{served.name}' carries ({carried}): its other fields stay null."
            fix = f"add a @lookup of '{target}' to the system that has it"
            whole.report("NO_TARGET_LOOKUP", binding, message, fix, field_name=served.name)


def _unserved(whole: Whole) -> frozenset[str]:
    """Each canonical field that a query could ask for and no system serves, and each root list of a type that none lists, with a notice."""
    found: set[str] = set()
    for coordinate in sorted(whole.planned & set(whole.world.canonical)):
        shape = whole.world.field_shape(*coordinate.split("."))
        scans, figures = whole.registry.scans, whole.registry.aggregates
        of = figures[shape.name].node if shape is not None and shape.name in figures else shape.name if shape is not None else ""
        if shape is not None and shape.lists and not (coordinate in scans or of in scans):
            found.add(coordinate)
    served: dict[str, set[str]] = {}
    for binding in all_bindings(whole.registry):
        # What an event or the answer to a write carries is not to be had elsewhere.
        elsewhere = binding.role not in (Role.EVENTS, Role.WRITE) or binding.type not in whole.registry.lookups
        for inner in each_served({"": binding.row} if elsewhere else binding.fields):
            if inner.type is not None:
                served.setdefault(inner.type, set()).update(inner.parts)
            for variant in inner.variants:
                served.setdefault(variant.type, set()).update(variant.parts)
    for type_name in sorted(_asked(whole)):
        type_ = whole.world.type(type_name)
        for name in getattr(type_, "fields", {}):
            coordinate = f"{type_name}.{name}"
            if coordinate in whole.registry.links or coordinate not in whole.world.canonical:
                continue
            if name not in served.get(type_name, ()):
                found.add(coordinate)
            elif not _everywhere(whole, type_name, name):
                message = f"'{coordinate}' lies in some lists or events alone, and no system looks it up elsewhere."
                whole.faults.append(Fault("", 0, 0, "NOT_SERVED", message))
    found.update(_figures(whole, found))
    for coordinate in sorted(found):
        whole.faults.append(Fault("", 0, 0, "NOT_SERVED", f"No system serves '{coordinate}'."))
    required = {each for binding in all_bindings(whole.registry) for one in binding.requires for each in one.coordinates}
    return frozenset(found - required)


def _figures(whole: Whole, unserved: set[str]) -> Iterator[str]:
    """Figures of what nobody serves."""
    for name, of in whole.registry.aggregates.items():
        for part, paths in of.figures.items():
            holder = whole.world.field_shape(name, part)
            for figure, path in paths.items():
                if holder is not None and not unserved.isdisjoint(_way(whole, of.node, path)):
                    yield f"{holder.name}.{figure}"


def _way(whole: Whole, type_name: str, path: str) -> Iterator[str]:
    """The coordinates of a path from a type on."""
    for name in path.split("."):
        yield f"{type_name}.{name}"
        shape = whole.world.field_shape(type_name, name)
        type_name = shape.name if shape is not None else ""


def _everywhere(whole: Whole, type_name: str, name: str) -> bool:
    """Whether a field that is served somewhere is looked up where rows do not carry it. Of types that nobody looks up rows are all there
    is; a key is at hand, or nothing is."""
    lookups = whole.registry.lookups.get(type_name, ())
    keys = {part for key in whole.registry.keys.get(type_name, ()) for part in key}
    return not lookups or name in keys or any(name in binding.fields for binding in lookups)


def _asked(whole: Whole) -> set[str]:
    """The object types behind the engine's root fields, without connections, their edges and page information."""
    schema, connections = whole.world.schema, whole.world.connections
    waiting = (
        [get_named_type(schema.query_type.fields[name.partition(".")[2]].type).name for name in whole.planned] if schema.query_type else []
    )
    found: set[str] = set()
    while waiting:
        name = connections.get(waiting[-1], waiting[-1])
        waiting.pop()
        type_ = schema.type_map[name]
        if name in found or name in whole.registry.aggregates or not (is_object_type(type_) or is_interface_type(type_)):
            continue
        found.add(name)
        waiting.extend(get_named_type(each.type).name for each in type_.fields.values())
    return found
