"""Whether a document is surely free of what the rules of SDL refuse, told in one quick walk.

The rules themselves visit every node with every rule, which is most of the time that a manifest takes to read, and nearly all manifests
are in order. Where this says no, they are run and say what is wrong, if anything. Must not report anything itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import is_required_argument
from graphql.language import (
    DirectiveLocation,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListValueNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ObjectValueNode,
    SchemaExtensionNode,
    UnionTypeDefinitionNode,
)

from schema.words import vocabulary

_PLACES: dict[type[Node], DirectiveLocation] = {
    SchemaExtensionNode: DirectiveLocation.SCHEMA,
    ObjectTypeDefinitionNode: DirectiveLocation.OBJECT,
    ObjectTypeExtensionNode: DirectiveLocation.OBJECT,
    InterfaceTypeDefinitionNode: DirectiveLocation.INTERFACE,
    UnionTypeDefinitionNode: DirectiveLocation.UNION,
    EnumTypeDefinitionNode: DirectiveLocation.ENUM,
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rules ask of one word."""

    places: frozenset[DirectiveLocation]
    arguments: frozenset[str]
    required: frozenset[str]
    repeats: bool


@lru_cache(maxsize=1)
def _known() -> dict[str, _Known]:
    return {
        each.name: _Known(
            frozenset(each.locations),
            frozenset(each.args),
            frozenset(name for name, argument in each.args.items() if is_required_argument(argument)),
            each.is_repeatable,
        )
        for each in vocabulary().directives
    }


def tidy(document: DocumentNode) -> bool:
    """True only if the rules have nothing to say."""
    on: dict[str, set[str]] = {}  # a type, or "" for the schema -> the words on all its blocks
    enums: set[str] = set()
    for node in document.definitions:
        place = _PLACES.get(type(node))
        if place is None:
            return False
        name = node.name.value if hasattr(node, "name") else ""
        if not _words(node, place, on.setdefault(name, set())):
            return False
        if not all(_field(each) for each in getattr(node, "fields", None) or ()):
            return False
        if isinstance(node, EnumTypeDefinitionNode):
            if name in enums or name in vocabulary().type_map or not _distinct(node.values or ()):
                return False
            enums.add(name)
            if not all(_words(each, DirectiveLocation.ENUM_VALUE, set()) for each in node.values or ()):
                return False
    return True


def _field(node: Any) -> bool:
    arguments = node.arguments or ()
    return (
        _words(node, DirectiveLocation.FIELD_DEFINITION, set())
        and _distinct(arguments)
        and all(
            _words(each, DirectiveLocation.ARGUMENT_DEFINITION, set()) and (each.default_value is None or _value(each.default_value))
            for each in arguments
        )
    )


def _words(node: Any, place: DirectiveLocation, seen: set[str]) -> bool:
    """Whether the words on ``node`` may stand there, each with its arguments. ``seen`` are those before it; it grows."""
    return all(_word(each, place, seen) for each in node.directives or ())


def _word(node: DirectiveNode, place: DirectiveLocation, seen: set[str]) -> bool:
    name = node.name.value
    known = _known().get(name)
    if known is None or place not in known.places or (name in seen and not known.repeats):
        return False
    seen.add(name)
    given = {each.name.value for each in node.arguments or ()}
    return (
        len(given) == len(node.arguments or ())
        and given <= known.arguments
        and known.required <= given
        and all(_value(each.value) for each in node.arguments or ())
    )


def _value(node: Node) -> bool:
    """Whether no object within a value names a field twice."""
    if isinstance(node, ObjectValueNode):
        return _distinct(node.fields) and all(_value(each.value) for each in node.fields)
    return not isinstance(node, ListValueNode) or all(_value(each) for each in node.values)


def _distinct(nodes: Iterable[Any]) -> bool:
    names = [each.name.value for each in nodes]
    return len(names) == len(set(names))
