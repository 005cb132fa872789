"""The words of manifests: ``systems/hub.graphql`` as directive definitions whose custom scalars check what they are given.

A wrong value is reported where it stands, inside a string at the very character. Knows no manifest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    build_ast_schema,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_specified_directive,
    parse,
)
from graphql.language import DirectiveNode, Node, Source, StringValueNode, ValueNode
from graphql.utilities import value_from_ast_untyped
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal
from graphql.utilities.validate_input_value import validate_input_literal

from schema import expressions
from schema.expressions import ExpressionError

VOCABULARY = "hub.graphql"
SOURCES = ("rest", "sql", "soap", "graphql", "grpc", "files", "stream", "python")  # the directives that say how a system is reached
# The place of a field's rows -> the kinds of systems that have it.
PLACES = {"get": ("rest",), "field": ("graphql",), "call": ("soap", "grpc"), "join": ("sql", "files")}
TABLES = {"table": "sql", "file": "files", "topic": "stream"}  # what holds a whole type, asked by key and listed -> the kind that has it
KEEPING = ("cache", "stale")  # of a place, or of the source for all places
KEPT = ("files", "stream")  # kinds that are answered from what the hub keeps of them, where KEEPING means nothing
KEPT_ALREADY = "no source is asked there: the hub answers from what was delivered or announced to it, also while the department is away"
FLAT = ("sql", "files")  # kinds whose rows have columns, not objects within objects
# Root -> the kinds of systems that serve its fields, and the word by which they do.
ACTIONS = {"Mutation": {"rest": "send", "soap": "call", "grpc": "call"}, "Subscription": {"rest": "topic", "stream": "topic"}}
ROOTS = frozenset({"Query", *ACTIONS})
# Word -> its arguments in which names in braces stand.
HOLES = {"get": ("path", "body"), "send": ("path", "body"), "topic": ("path",), "call": ("input",)}
KINDS = {  # kind -> how it says where
    "rest": '@get(path: "…")',
    "sql": "@table to its type",
    "graphql": '@field(name: "…")',
    "soap": '@call(operation: "…")',
    "grpc": '@call(operation: "…")',
    "files": "@file to its type",
    "stream": '@topic(path: "…") to its type',
}

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")


def _fields(text: str) -> tuple[str, ...]:
    names = tuple(text.split())
    for name in names:
        if not _IDENTIFIER.fullmatch(name):
            raise ExpressionError(f"{name!r} is not a field's name", text.index(name))
    if not names:
        raise ExpressionError("expected the name of a field", 0)
    return names


def _secret(text: str) -> str:
    if not _SECRET.fullmatch(text):
        raise ExpressionError("a secret is given by name: letters, digits, '.', '-' and '_', a letter or digit first", 0)
    return text


def _checked(read: Callable[[str], Any]) -> Callable[[str], str]:
    def check(text: str) -> str:
        read(text)
        return text

    return check


_READERS: dict[str, Callable[[str], Any]] = {
    "Duration": expressions.read_duration,
    "Due": _checked(expressions.read_due),
    "Rate": expressions.read_rate,
    "Path": _checked(expressions.read_path),
    "Template": _checked(expressions.read_template),
    "Expression": _checked(expressions.read_expression),
    "Test": _checked(expressions.read_comparison),
    "Join": _checked(expressions.read_join),
    "Fields": _fields,
    "Secret": _secret,
}


@lru_cache(maxsize=1)
def vocabulary() -> GraphQLSchema:
    """The schema whose directives are the words. Built once."""
    text = files("systems").joinpath(VOCABULARY).read_text(encoding="utf-8")
    schema = build_ast_schema(parse(Source(text, VOCABULARY)), assume_valid=True)
    for name, read in _READERS.items():
        scalar = schema.type_map[name]
        assert isinstance(scalar, GraphQLScalarType)
        scalar.coerce_input_literal = _literal(read)
    data = schema.type_map["Data"]
    assert isinstance(data, GraphQLScalarType)
    data.coerce_input_literal = value_from_ast_untyped
    return schema


def own_words() -> tuple[str, ...]:
    """The names of the words, without what GraphQL brings itself."""
    return tuple(each.name for each in vocabulary().directives if not is_specified_directive(each))


def _literal(read: Callable[[str], Any]) -> Callable[[ValueNode], Any]:
    def coerce(node: ValueNode) -> Any:
        if not isinstance(node, StringValueNode):
            raise GraphQLError("Expected a text in quotes.", node)
        try:
            return read(node.value)
        except ExpressionError as error:
            raise GraphQLError(f"{error.message[:1].upper()}{error.message[1:]}.", node, original_error=error) from None

    return coerce


@dataclass(frozen=True, slots=True)
class Wrong:
    """A value that its argument does not take: where in the argument, and what to write instead."""

    error: GraphQLError
    path: str
    fix: str


def read_arguments(node: DirectiveNode) -> tuple[dict[str, Any], list[Wrong]]:
    """The typed, defaulted arguments of a known directive, and every wrong value in them.

    Arguments that are unknown or missing are left to the SDL rules; what was not given and has no default is absent.
    """
    definition = vocabulary().get_directive(node.name.value)
    assert definition is not None
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    values: dict[str, Any] = {}
    wrong: list[Wrong] = []
    for name, argument in definition.args.items():
        value_node = given.get(name)
        if value_node is None:
            default = coerce_default_value(argument)
            if default is not Undefined:
                values[name] = default
            continue
        value = coerce_input_literal(value_node, argument.type)
        if value is not Undefined:
            values[name] = value
            continue

        def report(error: GraphQLError, path: list[str | int], name: str = name, type_: GraphQLInputType = argument.type) -> None:
            steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
            wrong.append(Wrong(error, name + steps, _fix(type_, path)))

        validate_input_literal(value_node, argument.type, report)
    return values, wrong


_FORMS = {
    "Duration": 'write a time such as "500ms", "2s", "10m" or "1h"',
    "Due": 'write a time of day such as "08:00", or a span such as "26h" or "7d"',
    "Rate": 'write a rate such as "300/s"',
    "Path": "write names separated by dots, list[0] for an element, $ for the whole",
    "Template": "write {name} for a key or an argument, {keys} for a batch",
    "Expression": 'write a path, or an object of paths: "{score: pf, grade: dj}"',
    "Test": "write a comparison such as $.code == '404', or status in [404, 410]",
    "Join": 'write "COLUMN = key"',
    "Fields": "write names of fields separated by spaces",
    "Secret": 'write the name of a secret, such as "tax.key"',
}


def _fix(type_: GraphQLInputType, path: list[str | int]) -> str:
    """What may stand at a path within an argument."""
    found: Any = get_nullable_type(type_)
    for step in path:
        found = get_nullable_type(found.of_type if isinstance(step, int) else found.fields[step].type)
    named = get_named_type(found)
    if is_enum_type(named):
        return f"write one of {', '.join(named.values)}"
    if is_input_object_type(named):
        return f"what it takes: {', '.join(named.fields)}"
    return _FORMS.get(named.name, f"write a value of type {found}")


def offset_in(error: GraphQLError, node: Node) -> int:
    """How many characters after the beginning of ``node`` an error inside its string lies; 0 where that cannot be told."""
    cause = error.original_error
    if not isinstance(cause, ExpressionError) or not isinstance(node, StringValueNode) or node.block:
        return 0
    return 1 + cause.offset


def nodes_of(node: Node) -> Iterator[DirectiveNode]:
    """The directives that stand on a definition."""
    return iter(getattr(node, "directives", None) or ())
