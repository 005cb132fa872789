"""The public schema as a subgraph of Apollo Federation: what other routers need so that they can federate the hub.

``_service`` tells the SDL with the keys of entities, ``_entities`` finds entities by them. A representation is a lookup by key, so it is
planned like any other. Must not know who is asking, nor how entities are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from graphql import (
    ConstArgumentNode,
    ConstDirectiveNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    NameNode,
    ObjectTypeDefinitionNode,
    StringValueNode,
    Visitor,
    extend_schema,
    parse,
    print_ast,
    print_schema,
    visit,
)
from graphql.language import BooleanValueNode

from schema.registry import ENTITIES, Registry
from schema.visible import visible

SERVICE = "Query._service"
LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/link/v1.0")\n'
    '  @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])\n'
)
# Value types that any subgraph may have, in the same words.
SHARED = frozenset({"PageInfo"})


def federated(schema: GraphQLSchema, registry: Registry) -> GraphQLSchema:
    """The schema with the root fields of a subgraph; the same one for the same schema and keys."""
    found = tuple(dict.fromkeys(name for name, _, resolvable in keys(schema, registry) if resolvable))
    return _federated(schema, found)


@lru_cache(maxsize=4)
def _federated(schema: GraphQLSchema, entities: tuple[str, ...]) -> GraphQLSchema:
    roots = "_service: _Service!" + (" _entities(representations: [_Any!]!): [_Entity]!" if entities else "")
    union = f"union _Entity = {' | '.join(entities)}" if entities else ""
    made = extend_schema(
        schema, parse(f"scalar _Any type _Service {{ sdl: String! }} {union} extend type Query {{ {roots} }}"), assume_valid=True
    )
    assert made.query_type is not None
    made.query_type.fields["_service"].resolve = _service
    return made


def _service(_: Any, info: GraphQLResolveInfo[Any]) -> dict[str, str]:
    return {"sdl": info.context.sdl}


def keys(schema: GraphQLSchema, registry: Registry) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """(type, key, whether entities can be found by it) of all whose key is in the schema, in order of name."""
    for name in sorted(registry.keys):
        kind = schema.get_type(name)
        for key in registry.keys[name]:
            if isinstance(kind, GraphQLObjectType) and kind.fields.keys() >= set(key):
                yield name, key, _usable(registry, name, key)


def _usable(registry: Registry, name: str, key: tuple[str, ...]) -> bool:
    """Whether any system is asked by the key, or by a part of it."""
    links = (found for coordinate, found in registry.links.items() if coordinate.startswith(f"{name}."))
    return any(set(binding.key) <= set(key) for found in (registry.lookups.get(name, ()), *links) for binding in found)


def subgraph_sdl(schema: GraphQLSchema, registry: Registry) -> str:
    """The SDL that a router composes with others': without what belongs to every subgraph, with the keys of entities.

    Raises ValueError when nothing else of the schema is left.
    """
    plain = visible(schema, lambda name: name not in (SERVICE, ENTITIES))
    marks: dict[str, list[ConstDirectiveNode]] = {name: [_directive("shareable")] for name in SHARED}
    for name, key, resolvable in keys(plain, registry):
        marks.setdefault(name, []).append(_directive("key", fields=" ".join(key), **({} if resolvable else {"resolvable": False})))
    return LINK + print_ast(visit(parse(print_schema(plain)), _Marking(marks))) + "\n"


class _Marking(Visitor):
    def __init__(self, marks: dict[str, list[ConstDirectiveNode]]) -> None:
        super().__init__()
        self._marks = marks

    def enter_object_type_definition(self, node: ObjectTypeDefinitionNode, *_: object) -> object:
        found = self._marks.get(node.name.value)
        if not found:
            return None
        values = {name: getattr(node, name) for name in node.keys}
        return ObjectTypeDefinitionNode(**{**values, "directives": (*(node.directives or ()), *found)})


def _directive(name: str, **arguments: str | bool) -> ConstDirectiveNode:
    made = []
    for argument, value in arguments.items():
        node = BooleanValueNode(value=value) if isinstance(value, bool) else StringValueNode(value=value)
        made.append(ConstArgumentNode(name=NameNode(value=argument), value=node))
    return ConstDirectiveNode(name=NameNode(value=name), arguments=tuple(made))
