"""Features of the question alone: how it is written, and what kinds of fields it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_interface_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_union_type,
)
from graphql.language import BooleanValueNode, EnumValueNode, VariableNode

from tests.properties.engine import Ran, document
from tests.properties.features import tells
from tests.properties.generator import Case
from tests.properties.values import LEAVES


@tells(
    *("aliases", "merged fields", "typename", "typename at the root", "several root fields", "five levels"),
    *("inline fragment without a type", "fragment on the same type", "named fragment", "fragment spread twice", "fragment in a fragment"),
    *("fragment on interface", "fragment on union", "fragment on a type below an abstract one", "interface field asked directly"),
    *("skip", "include", "skip and include", "condition literal", "condition by variable", "condition by default"),
    *("argument by variable", "argument by default", "argument literal", "first", "after", "order by", "group by"),
    *(f"filter {operator}" for operator in ("eq", "in", "isNull", "lt", "le", "gt", "ge", "prefix", "of an enum")),
    *(f"leaf: {leaf}" for leaf in LEAVES),
    *("list of leaves", "list of lists", "element that may not be null", "field that may not be null"),
    *("object", "object in an object", "list of objects", "reference", "reference in an object", "list of references"),
    *("union", "interface", "list of abstract", "connection of references", "connection of a link", "list of a link", "object of a link"),
    *("connection at the root", "list at the root", "entity at the root", "entity by alternative key", "entity by composite key"),
    *("connection below list", "connection in a connection", "edges", "nodes", "page info", "total"),
)
def _question(case: Case, ran: Ran) -> Iterator[str]:
    yield from _Walk(case).all()


class _Walk:
    def __init__(self, case: Case) -> None:
        tree = document(case.schema, case.operation.text).tree
        assert tree is not None
        self.case = case
        self.schema = case.schema
        self.links = {binding.field for binding in case.bindings if binding.field}
        self.fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
        self.operation = next(node for node in tree.definitions if isinstance(node, OperationDefinitionNode))
        self.spread: set[str] = set()

    def all(self) -> Iterator[str]:
        root = self.schema.query_type
        assert root is not None
        if len(self.operation.selection_set.selections) > 1:
            yield "several root fields"
        for name, fragment in self.fragments.items():
            if "..." + name in self.case.operation.text and _spreads(fragment.selection_set):
                yield "fragment in a fragment"
        yield from self.selections(root, self.operation.selection_set, 1, frozenset())

    def selections(self, kind: GraphQLNamedType, sets: SelectionSetNode, depth: int, above: frozenset[str]) -> Iterator[str]:
        keys = [(node.alias or node.name).value for node in sets.selections if isinstance(node, FieldNode)]
        if len(keys) > len(set(keys)):
            yield "merged fields"
        if depth > 4:
            yield "five levels"
        for node in sets.selections:
            yield from self.conditions(node.directives or ())
            if isinstance(node, FieldNode):
                yield from self.field(kind, node, depth, above)
            elif isinstance(node, InlineFragmentNode):
                named = self.schema.type_map[node.type_condition.name.value] if node.type_condition else kind
                yield "inline fragment without a type" if node.type_condition is None else self.narrowed(kind, named)
                yield from self.selections(named, node.selection_set, depth, above)
            elif isinstance(node, FragmentSpreadNode):
                yield "fragment spread twice" if node.name.value in self.spread else "named fragment"
                self.spread.add(node.name.value)
                fragment = self.fragments[node.name.value]
                named = self.schema.type_map[fragment.type_condition.name.value]
                yield self.narrowed(kind, named)
                yield from self.selections(named, fragment.selection_set, depth, above)

    def narrowed(self, kind: GraphQLNamedType, named: GraphQLNamedType) -> str:
        if is_abstract_type(kind) and not is_abstract_type(named):
            return "fragment on a type below an abstract one"
        if is_abstract_type(named):
            return "fragment on interface" if is_interface_type(named) else "fragment on union"
        return "fragment on the same type"

    def field(self, kind: Any, node: FieldNode, depth: int, above: frozenset[str]) -> Iterator[str]:
        if node.alias:
            yield "aliases"
        if node.name.value == "__typename":
            yield "typename at the root" if kind is self.schema.query_type else "typename"
            return
        if is_interface_type(kind):
            yield "interface field asked directly"
        definition = kind.fields[node.name.value]
        here = set(self.kinds(kind, node.name.value, definition.type))
        yield from here
        yield from self.arguments(node, definition)
        if "connection of references" in here or "connection of a link" in here:
            if above & {"list of references", "list of objects", "list of a link", "list at the root", "list of abstract"}:
                yield "connection below list"
            if any(name.startswith("connection") for name in above):
                yield "connection in a connection"
        if node.selection_set:
            yield from self.selections(get_named_type(definition.type), node.selection_set, depth + 1, above | here)

    def kinds(self, parent: Any, name: str, kind: Any) -> Iterator[str]:
        """What sort of field it is."""
        if is_non_null_type(kind):
            yield "field that may not be null"
            kind = kind.of_type
        many = is_list_type(kind)
        if many and is_non_null_type(kind.of_type):
            yield "element that may not be null"
        named = get_named_type(kind)
        if parent.name.endswith(("Connection", "Edge")) or parent.name == "PageInfo":
            part = {"edges": "edges", "nodes": "nodes", "pageInfo": "page info", "totalCount": "total"}.get(name)
            yield from [part] if part else []
        elif parent is self.schema.query_type:
            yield from self.root(name, named.name, many)
        elif is_leaf_type(named):
            yield f"leaf: {named.name}"
            if many:
                yield "list of lists" if is_list_type(get_nullable(kind.of_type)) else "list of leaves"
        elif is_abstract_type(named):
            yield "list of abstract" if many else "union" if is_union_type(named) else "interface"
        elif f"{parent.name}.{name}" in self.links:
            yield f"{'list' if many else 'connection' if named.name.endswith('Connection') else 'object'} of a link"
        elif named.name in self.case.keys:
            yield "list of references" if many else "reference" if parent.name in self.case.keys else "reference in an object"
        elif named.name.endswith("Connection"):
            yield "connection of references"
        else:
            yield "list of objects" if many else "object" if parent.name in self.case.keys else "object in an object"

    def root(self, name: str, named: str, many: bool) -> Iterator[str]:
        lookup = self.case.roots.get(f"Query.{name}")
        if lookup is None:
            yield "list at the root" if many else "connection at the root"
            return
        yield "entity at the root"
        if len(lookup[1]) > 1:
            yield "entity by composite key"
        if tuple(lookup[1].values()) != self.case.keys[named][0]:
            yield "entity by alternative key"

    def arguments(self, node: FieldNode, definition: Any) -> Iterator[str]:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        yield from given.keys() & {"first", "after"}
        yield from ("order by" for name in given if name == "orderBy")
        yield from ("group by" for name in given if name == "groupBy")
        for value in given.values():
            if isinstance(value, VariableNode):
                yield "argument by variable" if value.name.value in self.case.operation.variables else "argument by default"
            else:
                yield "argument literal"
        for name, value in given.items():
            if name == "filter":
                for one in getattr(value, "fields", ()):
                    for operator in one.value.fields:
                        yield f"filter {operator.name.value}"
                        if any(isinstance(each, EnumValueNode) for each in getattr(operator.value, "values", (operator.value,))):
                            yield "filter of an enum"

    def conditions(self, directives: Any) -> Iterator[str]:
        found: list[DirectiveNode] = list(directives)
        if len(found) > 1:
            yield "skip and include"
        for directive in found:
            yield directive.name.value
            value = directive.arguments[0].value if directive.arguments else None
            if isinstance(value, BooleanValueNode):
                yield "condition literal"
            elif isinstance(value, VariableNode):
                yield "condition by variable" if value.name.value in self.case.operation.variables else "condition by default"


def get_nullable(kind: Any) -> Any:
    """A type without its outer ``!``."""
    return kind.of_type if is_non_null_type(kind) else kind


def _spreads(sets: SelectionSetNode) -> bool:
    return any(
        isinstance(node, FragmentSpreadNode) or (node.selection_set is not None and _spreads(node.selection_set))
        for node in sets.selections
        if isinstance(node, FragmentSpreadNode | InlineFragmentNode | FieldNode)
    )
