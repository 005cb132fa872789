"""Objects of an answer, and how what they carry lies in their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import GraphQLObjectType, GraphQLOutputType, GraphQLSchema, get_argument_values, parse
from graphql.language import FieldNode

from connectors.spi import Field
from hub.oracle.calls import Row
from hub.oracle.values import Fault, read
from schema.registry import Binding, Registry, Served


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: its type, and what is carried. ``columns`` say how ``row`` is read; a value without one is canonical already."""

    type: str
    served: Mapping[str, Served]
    row: Row
    columns: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Source:
    """Who may give a field of ``thing``: what it carries, or a binding."""

    thing: Thing
    binding: Binding | None = None


class Asked(NamedTuple):
    """A field that is asked for by a call and not by a caller; named as graphql-core names these things."""

    field_name: str
    parent_type: GraphQLObjectType
    return_type: GraphQLOutputType


def way(schema: GraphQLSchema, type_name: str, selection: str) -> Iterator[tuple[str, Asked, dict[str, Any]]]:
    """The fields of ``selection`` one after the other, each with its coordinate and arguments."""
    inner: Any = parse(f"{{ {selection} }}").definitions[0].selection_set  # type: ignore[attr-defined]
    parent: Any = schema.get_type(type_name)
    while inner is not None:
        node: FieldNode = inner.selections[0]
        definition = parent.fields[node.name.value]
        yield f"{parent.name}.{node.name.value}", Asked(node.name.value, parent, definition.type), get_argument_values(definition, node)
        inner, kind = node.selection_set, definition.type
        parent = kind.of_type if hasattr(kind, "of_type") else kind


def with_needs(registry: Registry, denied: Iterable[str]) -> frozenset[str]:
    """S9, S17: what is denied, and what some system makes of what is denied."""
    found = set(denied)
    bindings = [b for table in (registry.lookups, registry.links) for some in table.values() for b in some]
    while True:
        more = {
            name
            for binding in bindings
            if any(coordinate in found for required in binding.requires for coordinate in required.coordinates)
            for name in ([binding.field] if binding.field is not None else [f"{binding.type}.{field}" for field in binding.fields])
        }
        if more <= found:
            return frozenset(found)
        found |= more


def columns_of(served: Served) -> Iterator[str]:
    """The columns of the row that hold ``served``; what is inside a list lies in its one column."""
    if served.column is not None:
        yield served.column
        return
    if served.typename is not None:
        yield served.typename
    for parts in (served.parts, *(variant.parts for variant in served.variants)):
        for part in parts.values():
            yield from columns_of(part)


def same(value: Any, native: Any, kind: GraphQLOutputType, field: Field) -> bool:
    """S6: a key that its source cannot write (``07`` in a column of numbers) has no row there."""
    try:
        return bool(read(native, kind, field) == value)
    except Fault:
        return False
