"""The shape of a type reference, from SDL or from a schema: which named type, in how many lists, required where.

Pure helpers for composition. Must not know manifests.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphql import (
    GraphQLNamedType,
    GraphQLSchema,
    GraphQLType,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_scalar_type,
    specified_scalar_types,
)
from graphql.language import ListTypeNode, NamedTypeNode, Node, NonNullTypeNode, TypeNode


@dataclass(frozen=True, slots=True)
class Shape:
    """``required[0]`` is the outermost ``!``, one more for each list: ``[USCC!]`` is USCC, 1 list, (False, True)."""

    name: str
    required: tuple[bool, ...]

    @property
    def lists(self) -> int:
        return len(self.required) - 1

    def __str__(self) -> str:
        text = self.name + "!" * self.required[-1]
        for required in reversed(self.required[:-1]):
            text = f"[{text}]" + "!" * required
        return text


def shape_of(node: TypeNode) -> Shape:
    """The shape of a type as SDL writes it."""
    required: list[bool] = []
    while True:
        outer = isinstance(node, NonNullTypeNode)
        if isinstance(node, NonNullTypeNode):
            node = node.type
        required.append(outer)
        if not isinstance(node, ListTypeNode):
            break
        node = node.type
    assert isinstance(node, NamedTypeNode)
    return Shape(node.name.value, tuple(required))


def shape_of_type(type_: GraphQLType) -> Shape:
    """The shape of a type of a schema."""
    required: list[bool] = []
    while True:
        outer = is_non_null_type(type_)
        if is_non_null_type(type_):
            type_ = type_.of_type
        required.append(outer)
        if not is_list_type(type_):
            break
        type_ = type_.of_type
    assert isinstance(type_, GraphQLNamedType)
    return Shape(type_.name, tuple(required))


def named_node(node: Node) -> Node:
    """Where the named type stands within a type reference."""
    while isinstance(node, NonNullTypeNode | ListTypeNode):
        node = node.type
    return node


def type_called(schema: GraphQLSchema, name: str) -> GraphQLNamedType | None:
    """A type by name; the built-in scalars are known even where the schema does not use them."""
    return schema.type_map.get(name) or specified_scalar_types.get(name)


def is_leaf(type_: GraphQLNamedType | None) -> bool:
    return is_scalar_type(type_) or is_enum_type(type_)


_NATIVE = {"Int": "int", "Float": "float", "Boolean": "bool", "Decimal": "decimal", "Date": "date", "DateTime": "datetime"}


def native_type(shape: Shape, kind: str, format: str | None) -> str:
    """What a column of this shape is in the source: text, int, float, decimal, bool, date, datetime or json.

    A format says how a text (or, for unix times, a number) is read. Only databases have dates of their own.
    """
    if format in ("unix", "unix_ms"):
        return "int"
    if shape.lists:
        return "text" if format in ("json", "csv") else "json"
    if format:
        return "text"
    found = _NATIVE.get(shape.name, "text")
    return "text" if found in ("date", "datetime") and kind in ("rest", "graphql", "files", "stream") else found
