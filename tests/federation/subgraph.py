"""A subgraph for tests: an SDL with federation directives (v1 or v2) over plain data, answered by graphql-core.

It is strict where real subgraphs are lax: a field that is ``@external`` has no value here but the one that a representation brings or
that a ``@provides`` promises, and a document that does not fit the SDL is refused. Must not know the hub.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SelectionSetNode,
    build_ast_schema,
    graphql_sync,
    parse,
)
from graphql.language import ast

# Type -> its rows, and "Query.field" -> its value. A row is a dict that may hold others; ``__typename`` says its type.
Rows = Mapping[str, Any]
# "Type.field" -> what it answers with, from the row (all rows for root fields) and its arguments.
Resolvers = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to a subgraph, and how many representations came with it."""

    document: str
    variables: Mapping[str, Any]
    representations: int


@dataclass(frozen=True, slots=True)
class Seen(Mapping[str, Any]):
    """A row as a subgraph sees it. ``given`` came with a representation, ``provided`` are external fields that it may tell here, and
    ``external`` are those of each type that it may not."""

    row: Mapping[str, Any]
    external: Mapping[str, frozenset[str]]
    given: Mapping[str, Any] = field(default_factory=dict)
    provided: SelectionSetNode | None = None

    def __getitem__(self, name: str) -> Any:
        if name in self.given:
            value = merged(self.row.get(name), self.given[name])
        elif name in self.external.get(self.row.get("__typename", ""), ()) and within(self.provided, name) is None:
            raise GraphQLError(f"{name} is external here, and no representation brought it")
        else:
            value = self.row.get(name)
        return seen(value, self.external, self.given.get(name), within(self.provided, name))

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self.row, *self.given]))

    def __len__(self) -> int:
        return len(dict.fromkeys([*self.row, *self.given]))


def seen(value: Any, external: Mapping[str, frozenset[str]], given: Any = None, provided: SelectionSetNode | None = None) -> Any:
    """A value with each row in it as a subgraph sees it."""
    if isinstance(value, list | tuple):
        parts = given if isinstance(given, list) else [given] * len(value)
        return [seen(one, external, part, provided) for one, part in zip(value, parts, strict=True)]
    if not isinstance(value, Mapping):
        return value
    row = value.row if isinstance(value, Seen) else value
    return Seen(row, external, given if isinstance(given, Mapping) else {}, provided)


@dataclass
class Subgraph:
    """``asked`` is every request so far; one that is ``down`` does not answer."""

    name: str
    sdl: str
    rows: Rows
    resolvers: Resolvers = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    down: bool = False

    def answer(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The response to one request, as it goes over the wire."""
        representations = sum(len(value) for value in variables.values() if _are_representations(value))
        self.asked.append(Asked(document, dict(variables), representations))
        return dict(graphql_sync(self.schema, document, self.rows, variable_values=dict(variables)).formatted)

    @cached_property
    def types(self) -> dict[str, list[Any]]:
        """Type name -> its definition and extensions; what has fields alone."""
        found: dict[str, list[Any]] = {}
        for node in parse(self.sdl).definitions:
            if isinstance(
                node, ObjectTypeDefinitionNode | ObjectTypeExtensionNode | InterfaceTypeDefinitionNode | InterfaceTypeExtensionNode
            ):
                found.setdefault(node.name.value, []).append(node)
        return found

    @cached_property
    def keys(self) -> dict[str, list[SelectionSetNode]]:
        """Entity -> its keys by which this subgraph can be asked."""
        found: dict[str, list[SelectionSetNode]] = {}
        for name, nodes in self.types.items():
            for directive in applied(nodes, "key"):
                if argument(directive, "resolvable") is not False:
                    found.setdefault(name, []).append(selections(argument(directive, "fields")))
        return found

    @cached_property
    def external(self) -> dict[str, frozenset[str]]:
        """Type -> fields that it cannot tell by itself. Fields of keys are never among them."""
        found = {}
        for name, nodes in self.types.items():
            keys = {leaf for directive in applied(nodes, "key") for leaf in names(selections(argument(directive, "fields")))}
            whole = bool(applied(nodes, "external"))
            fields = {one.name.value for node in nodes for one in node.fields or () if whole or applied([one], "external")}
            found[name] = frozenset(fields - keys)
        return found

    @cached_property
    def schema(self) -> GraphQLSchema:
        objects = [name for name, nodes in self.types.items() if name in self.keys and _is_object(nodes)]
        extra = "scalar _Any type _Service { sdl: String! } extend type Query { _service: _Service! "
        if objects:
            extra += "_entities(representations: [_Any!]!): [_Entity]! } union _Entity = " + " | ".join(sorted(objects))
        else:
            extra += "}"
        schema = build_ast_schema(defined(parse(self.sdl + extra)), assume_valid_sdl=True)
        for kind in schema.type_map.values():
            if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
                for definition in kind.fields.values():
                    definition.resolve = self._resolve
            elif isinstance(kind, GraphQLAbstractType):
                kind.resolve_type = _type_of
        return schema

    def _resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        owner, name = info.parent_type.name, info.field_name
        if name == "_service":
            return {"sdl": self.sdl}
        if owner == "_Service":
            return self.sdl
        if name == "_entities":
            return [self._entity(one, info.schema) for one in arguments["representations"]]
        resolver = self.resolvers.get(f"{owner}.{name}") or _of_interface(self.resolvers, info.parent_type, name)
        if resolver is None:
            value = source[name] if isinstance(source, Seen) else self.rows[f"{owner}.{name}"]
        else:
            value = resolver(source, **arguments)
        return seen(value, self.external, _given(source, name), self._promised(source, owner, name))

    def _promised(self, source: Any, owner: str, name: str) -> SelectionSetNode:
        """The external fields that may be told below a field."""
        nodes = [one for node in self.types[owner] for one in node.fields or () if one.name.value == name]
        found = [selections(argument(directive, "fields")) for directive in applied(nodes, "provides")]
        if isinstance(source, Seen) and (deeper := within(source.provided, name)):
            found.append(deeper)
        return SelectionSetNode(selections=tuple(part for one in found for part in one.selections))

    def _entity(self, representation: Mapping[str, Any], schema: GraphQLSchema) -> Seen | None:
        name = representation["__typename"]
        kind = schema.type_map.get(name)
        if name not in self.keys or kind is None:
            raise GraphQLError(f"{name} is no entity of {self.name}")
        keys = [key for key in self.keys[name] if holds(representation, key)]
        if not keys:
            raise GraphQLError(f"no key of {name} in {sorted(representation)}")
        for row in self._candidates(name, kind, schema):
            if any(picked(row, key) == picked(representation, key) for key in keys):
                given = {name: value for name, value in representation.items() if name != "__typename"}
                typed = row if isinstance(kind, GraphQLInterfaceType) else {**row, "__typename": name}
                return Seen(typed, self.external, given)
        return None

    def _candidates(self, name: str, kind: Any, schema: GraphQLSchema) -> Iterable[dict[str, Any]]:
        if isinstance(kind, GraphQLInterfaceType):
            for implementation in schema.get_possible_types(kind):
                yield from self.rows.get(implementation.name, [])
        else:
            yield from self.rows.get(name, [])


# -- reading the SDL --------------------------------------------------------------------------------------------------


def defined(document: DocumentNode) -> DocumentNode:
    """The document with the first extension of a type that it does not define made its definition, as federation reads it."""
    known = {node.name.value for node in document.definitions if isinstance(node, ast.TypeDefinitionNode)}
    made = []
    for node in document.definitions:
        if isinstance(node, ast.TypeExtensionNode) and node.name.value not in known:
            known.add(node.name.value)
            definition = getattr(ast, type(node).__name__.replace("Extension", "Definition"))
            node = definition(**{name: getattr(node, name) for name in node.keys if hasattr(node, name)})
        made.append(node)
    if "Query" not in known:
        made.append(ObjectTypeDefinitionNode(name=ast.NameNode(value="Query"), fields=(), directives=(), interfaces=()))
    return DocumentNode(definitions=tuple(made))


def applied(nodes: Iterable[Any], name: str) -> list[DirectiveNode]:
    """The uses of a federation directive, whatever its prefix."""
    return [one for node in nodes for one in node.directives or () if one.name.value.rpartition("__")[2] == name]


def argument(directive: DirectiveNode, name: str) -> Any:
    """The value of an argument; None if it is not given."""
    return next((getattr(one.value, "value", None) for one in directive.arguments or () if one.name.value == name), None)


def selections(fields: str) -> SelectionSetNode:
    """A field set as a selection set."""
    (operation,) = parse("{" + fields + "}").definitions
    return operation.selection_set  # type: ignore[attr-defined,no-any-return]


def names(chosen: SelectionSetNode) -> set[str]:
    """The outermost fields of a selection."""
    return {one.name.value for one in chosen.selections if isinstance(one, FieldNode)}


def within(chosen: SelectionSetNode | None, name: str) -> SelectionSetNode | None:
    """What is selected below a field, in any fragment; empty for a leaf, None if the field is not selected."""
    found: list[Any] = []
    hit = False
    for one in chosen.selections if chosen else ():
        if isinstance(one, InlineFragmentNode):
            deeper = within(one.selection_set, name)
            hit, found = hit or deeper is not None, [*found, *(deeper.selections if deeper else ())]
        elif isinstance(one, FieldNode) and one.name.value == name:
            hit, found = True, [*found, *(one.selection_set.selections if one.selection_set else ())]
    return SelectionSetNode(selections=tuple(found)) if hit else None


# -- reading representations ------------------------------------------------------------------------------------------


def holds(value: Any, key: SelectionSetNode) -> bool:
    """Whether every field of the key is there, and none of it null."""
    if isinstance(value, list):
        return all(holds(one, key) for one in value)
    if not isinstance(value, Mapping):
        return False
    for one in key.selections:
        assert isinstance(one, FieldNode)
        found = value.get(one.name.value)
        if found is None or (one.selection_set and not holds(found, one.selection_set)):
            return False
    return True


def picked(value: Any, key: SelectionSetNode) -> Any:
    """The fields of the key alone; numbers and texts of one writing are one identifier."""
    if isinstance(value, list):
        return [picked(one, key) for one in value]
    if not isinstance(value, Mapping):
        return None
    found = {}
    for one in key.selections:
        assert isinstance(one, FieldNode)
        part = value.get(one.name.value)
        found[one.name.value] = picked(part, one.selection_set) if one.selection_set else str(part)
    return found


def merged(row: Any, given: Any) -> Any:
    """What is known of a value, with what a representation says laid over it."""
    if isinstance(row, Mapping) and isinstance(given, Mapping):
        return {**row, **{name: merged(row.get(name), value) for name, value in given.items()}}
    if isinstance(row, list) and isinstance(given, list) and len(row) == len(given):
        return [merged(one, other) for one, other in zip(row, given, strict=True)]
    return given


def _are_representations(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) and "__typename" in one for one in value)


def _is_object(nodes: list[Any]) -> bool:
    return isinstance(nodes[0], ObjectTypeDefinitionNode | ObjectTypeExtensionNode)


def _given(source: Any, name: str) -> Any:
    return source.given.get(name) if isinstance(source, Seen) else None


def _type_of(value: Mapping[str, Any], info: GraphQLResolveInfo[Any], kind: GraphQLAbstractType) -> str:
    return str(value["__typename"])


def _of_interface(resolvers: Resolvers, kind: GraphQLObjectType, name: str) -> Callable[..., Any] | None:
    return next((resolvers[f"{one.name}.{name}"] for one in kind.interfaces if f"{one.name}.{name}" in resolvers), None)
