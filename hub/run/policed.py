"""Which coordinates policy must decide on before an operation is planned. Knows the schema and the registry, not callers."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, GraphQLUnionType, get_named_type

from hub.plan.listing import coordinates_on
from hub.plan.operation import Operation
from schema.coordinates import Coordinate
from schema.registry import ENTITIES, Registry


def policed(schema: GraphQLSchema, registry: Registry, operation: Operation) -> tuple[Coordinate, ...]:
    """All coordinates that are touched or that lists may be narrowed or ordered by, what those need, what they are looked up by, and all
    inside the objects among them, since that decides whether those are there."""
    touched = dict.fromkeys(operation.coordinates)
    for coordinate in operation.coordinates:
        touched.update(_narrowing(schema, registry, coordinate))
    for coordinate in tuple(touched):
        touched.update(dict.fromkeys(sorted(registry.requires.get(coordinate, ()))))
    names = dict(touched)
    for coordinate in touched:
        lookup = registry.roots.get(coordinate)
        if lookup is not None:
            names.update(dict.fromkeys(f"{lookup.type}.{name}" for name in lookup.arguments.values()))
        if coordinate == ENTITIES:
            names.update(dict.fromkeys(_keys(schema, registry)))
        feed = registry.feeds.get(coordinate)
        if feed is not None:
            names.update(dict.fromkeys(f"{feed.type}.{name}" for name in feed.narrows.values()))
        definition = _field(schema, coordinate)
        if definition is not None:  # a key that is not in the public schema has nothing inside
            names.update(_within(schema, registry, get_named_type(definition.type).name))
    return tuple(registry.coordinates[name] for name in names if name in registry.coordinates)


def _keys(schema: GraphQLSchema, registry: Registry) -> Iterator[str]:
    """What entities may be looked up by."""
    entities = schema.type_map["_Entity"]
    for kind in entities.types if isinstance(entities, GraphQLUnionType) else ():
        yield from (f"{kind.name}.{part}" for key in registry.keys.get(kind.name, ()) for part in key)


def _narrowing(schema: GraphQLSchema, registry: Registry, coordinate: str) -> dict[str, None]:
    """What a list may be narrowed and ordered by, or figures be grouped by, made of and narrowed by."""
    definition = _field(schema, coordinate)
    if definition is None:
        return {}
    named = get_named_type(definition.type).name
    node = registry.connections.get(named, named)
    found = _behind(schema, registry, named)
    for argument in definition.args.values():
        given = get_named_type(argument.type).name
        paths = {*registry.filters.get(given, {}).values(), *registry.orders.get(given, {}).values()}
        found.update(dict.fromkeys(name for path in sorted(paths) for name in coordinates_on(schema, node, path)))
    return found


def _behind(schema: GraphQLSchema, registry: Registry, type_name: str) -> dict[str, None]:
    """All that figures of this type may be grouped by, made of or narrowed by."""
    found = registry.aggregates.get(type_name)
    if found is None:
        return {}
    paths = {*found.groups.values(), *(path for some in found.figures.values() for path in some.values())}
    paths.update(registry.filters.get(f"{found.node}Filter", {}).values())
    return dict.fromkeys(name for path in sorted(paths) for name in coordinates_on(schema, found.node, path))


def _within(schema: GraphQLSchema, registry: Registry, type_name: str) -> dict[str, None]:
    """All fields of a plain object and of what lies in its row: objects further in, and what references carry."""
    found: dict[str, None] = {}
    waiting = [] if type_name in registry.keys or type_name in registry.connections else [type_name]
    seen = set(waiting)
    while waiting:
        parent = waiting.pop()
        kind = schema.type_map[parent]
        for name, definition in kind.fields.items() if isinstance(kind, GraphQLObjectType) else ():
            found[f"{parent}.{name}"] = None
            inner = get_named_type(definition.type).name
            if inner not in seen and not (parent in registry.keys and inner in registry.keys):
                seen.add(inner)
                waiting.append(inner)
    return found


def _field(schema: GraphQLSchema, coordinate: str) -> GraphQLField | None:
    type_name, _, name = coordinate.partition(".")
    parent = schema.type_map[type_name]
    return parent.fields.get(name) if isinstance(parent, GraphQLObjectType) else None
