"""SDL with federation's words in it, read without knowing what they mean: arguments of directives, selections, plain types.

Pure helpers for the readers of supergraphs and subgraphs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Any

from graphql import (
    REMOVE,
    DocumentNode,
    FieldsOnCorrectTypeRule,
    FragmentsOnCompositeTypesRule,
    GraphQLError,
    GraphQLSchema,
    KnownArgumentNamesRule,
    KnownTypeNamesRule,
    OverlappingFieldsCanBeMergedRule,
    ScalarLeafsRule,
    Visitor,
    build_ast_schema,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
    validate_schema,
    visit,
)
from graphql.language import (
    DirectiveDefinitionNode,
    DirectiveNode,
    FieldNode,
    ListTypeNode,
    NamedTypeNode,
    Node,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationTypeDefinitionNode,
    SelectionSetNode,
    TypeNode,
)
from graphql.utilities import value_from_ast_untyped
from graphql.validation.validate import validate_sdl

PLAIN = frozenset({"deprecated", "specifiedBy", "oneOf"})  # directives that mean something to callers
_EXECUTABLE = frozenset({"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"})


def directives(node: Node, name: str) -> Iterator[tuple[DirectiveNode, dict[str, Any]]]:
    """Each use of a directive on ``node``, with its arguments as plain values."""
    for each in getattr(node, "directives", None) or ():
        if each.name.value == name:
            yield each, {argument.name.value: value_from_ast_untyped(argument.value) for argument in each.arguments or ()}


def has(node: Node, name: str) -> bool:
    return any(each.name.value == name for each in getattr(node, "directives", None) or ())


def shape(node: TypeNode) -> tuple[str, int]:
    """The named type and how many lists it is wrapped in."""
    lists = 0
    while not isinstance(node, NamedTypeNode):
        lists += isinstance(node, ListTypeNode)
        assert isinstance(node, ListTypeNode | NonNullTypeNode)
        node = node.type
    return node.name.value, lists


@lru_cache(maxsize=16_384)
def selection(text: str) -> SelectionSetNode:
    """A selection written without its braces. Raises GraphQLError."""
    (definition,) = parse("{" + text + "}", no_location=True).definitions
    if not isinstance(definition, OperationDefinitionNode):
        raise GraphQLError("This is no selection.")
    return definition.selection_set


def plain(document: DocumentNode, hidden: Collection[str] = (), gone: Collection[str] = ()) -> DocumentNode:
    """``document`` without federation's own definitions and words. What carries a directive of ``hidden`` goes too, and so do the types
    called ``gone``."""
    return visit(document, _Plain(frozenset(hidden), frozenset(gone)))  # type: ignore[no-any-return]


class _Plain(Visitor):
    def __init__(self, hidden: frozenset[str], gone: frozenset[str]) -> None:
        super().__init__()
        self.hidden = hidden
        self.gone = gone

    def enter(self, node: Any, key: Any, *_: Any) -> Any:
        if isinstance(node, DirectiveNode):
            return None if node.name.value in PLAIN else REMOVE
        if isinstance(node, NamedTypeNode):  # one of several interfaces or members
            return REMOVE if node.name.value in self.gone and isinstance(key, int) else None
        if isinstance(node, OperationTypeDefinitionNode):
            return REMOVE if node.type.name.value in self.gone else None
        name = getattr(getattr(node, "name", None), "value", "")
        if isinstance(node, DirectiveDefinitionNode):
            return None if executable(node) else REMOVE
        if name in self.gone and node.kind.endswith("definition"):
            return REMOVE
        if self.hidden and any(each.name.value in self.hidden for each in getattr(node, "directives", None) or ()):
            return REMOVE
        return None


def executable(node: DirectiveDefinitionNode) -> bool:
    """Whether a directive is for callers."""
    return "__" not in node.name.value and any(location.value in _EXECUTABLE for location in node.locations)


def built(document: DocumentNode) -> tuple[GraphQLSchema | None, list[GraphQLError]]:
    """The schema of a plain document, or what is wrong with it."""
    errors = list(validate_sdl(document))
    if errors:
        return None, errors
    try:
        schema = build_ast_schema(document, assume_valid_sdl=True)
    except (GraphQLError, TypeError) as error:
        return None, [error if isinstance(error, GraphQLError) else GraphQLError(str(error))]
    errors = list(validate_schema(schema))
    return (None, errors) if errors else (schema, [])


def node_of(error: GraphQLError) -> Node | None:
    return next(iter(error.nodes or ()), None)


def called(document: DocumentNode) -> dict[str, Any]:
    """The definitions of types by name, in their order."""
    return {node.name.value: node for node in document.definitions if str(node.kind).endswith("type_definition")}  # type: ignore[attr-defined]


def parts(nodes: Iterable[Any]) -> Iterator[Any]:
    """Types, their fields and values, and the arguments of fields."""
    for node in nodes:
        yield node
        for each in (*(getattr(node, "fields", None) or ()), *(getattr(node, "values", None) or ())):
            yield each
            yield from getattr(each, "arguments", None) or ()


def names(text: str) -> list[str]:
    """The first names in a selection; none of what is no selection."""
    try:
        return [node.name.value for node in selection(text).selections if isinstance(node, FieldNode)]
    except GraphQLError:
        return []


def unfit(text: str, type_name: str, schema: GraphQLSchema) -> list[str]:
    """What keeps ``text`` from being a selection of a type."""
    type_ = schema.type_map.get(type_name)
    names = text.split()
    there = getattr(type_, "fields", {})
    if _NAMES.fullmatch(text) and all(name in there and is_leaf_type(get_named_type(there[name].type)) for name in names):
        return []  # as nearly all keys are
    try:
        found = parse(f"fragment Selection on {type_name} {{ {text} }}")
    except GraphQLError as error:
        return [error.message]
    return [error.message for error in validate(schema, found, _FITTING)]


def clash(text: str, type_name: str, schema: GraphQLSchema) -> bool:
    """Whether a selection wants one field in two ways."""
    if not text.strip():
        return False
    return bool(validate(schema, parse(f"fragment Selection on {type_name} {{ {text} }}"), (OverlappingFieldsCanBeMergedRule,)))


_NAMES = re.compile(r"[\w\s]+")
_FITTING = (FieldsOnCorrectTypeRule, KnownTypeNamesRule, ScalarLeafsRule, FragmentsOnCompositeTypesRule, KnownArgumentNamesRule)
