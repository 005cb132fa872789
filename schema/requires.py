"""``@require``: the path to a field that a call needs, as a selection; and what needs what, at any remove.

A path goes through single objects and references (``creditScore.score``); a field on it may be given literal arguments
(``tax(year: 2024).amount``). Knows a schema and bindings, no manifest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from graphql import GraphQLError, GraphQLSchema, get_argument_values, get_named_type, is_list_type, is_non_null_type, is_object_type, parse
from graphql.language import FieldNode, OperationDefinitionNode

from schema.faults import suggest
from schema.registry import Binding, Require
from schema.shapes import is_leaf

_PART = re.compile(r'([A-Za-z_]\w*)\s*(\((?:[^()"]|"[^"]*")*\))?')


class BadRequire(ValueError):
    """A path that leads to no single value; ``offset`` is the character at fault."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def require(schema: GraphQLSchema, type_name: str, param: str, text: str, *, nullable: bool = True, hidden: Iterable[str] = ()) -> Require:
    """The requirement that ``text`` says of an entity of ``type_name``. Raises BadRequire."""
    parts = list(_parts(text))
    selection = "".join(f" {{ {name}{given}" for name, given, _ in parts) + " }" * len(parts)
    try:
        tree = parse(selection)
    except GraphQLError as error:
        raise BadRequire(f"The arguments do not parse: {error.message.removeprefix('Syntax Error: ')}") from None
    coordinates = []
    where = type_name
    for node, (name, _, offset) in zip(_nodes(tree.definitions[0]), parts, strict=True):
        parent = schema.get_type(where)
        fields = parent.fields if is_object_type(parent) else {}
        if name not in fields or f"{where}.{name}" in hidden:
            raise BadRequire(f"'{where}' has no field '{name}'.{suggest(name, fields)}", offset)
        try:
            get_argument_values(fields[name], node)
        except GraphQLError as error:
            raise BadRequire(error.message, offset) from None
        kind = fields[name].type
        last = offset == parts[-1][2]
        if is_list_type(kind.of_type if is_non_null_type(kind) else kind):
            raise BadRequire(f"'{where}.{name}' is a list, not one value.", offset)
        named = get_named_type(kind)
        if is_leaf(named) is not last or not (last or is_object_type(named)):
            raise BadRequire(f"'{where}.{name}' is {'an object' if last else 'no object'}; the path leads to one plain value.", offset)
        coordinates.append(f"{where}.{name}")
        where = named.name
    return Require(param, selection.strip()[2:-2], tuple(coordinates), nullable)


def leaf_of(schema: GraphQLSchema, required: Require) -> str:
    """The name of the type that a requirement's value has."""
    owner, _, name = required.coordinates[-1].partition(".")
    parent = schema.get_type(owner)
    assert is_object_type(parent)
    found: str = get_named_type(parent.fields[name].type).name
    return found


def _parts(text: str) -> Iterator[tuple[str, str, int]]:
    at = 0
    while True:
        found = _PART.match(text, at)
        if found is None:
            raise BadRequire("Expected the name of a field.", at)
        yield found[1], found[2] or "", at
        at = found.end()
        if at == len(text):
            return
        if text[at] != ".":
            raise BadRequire(f"Unexpected {text[at]!r}.", at)
        at += 1


def _nodes(definition: object) -> Iterator[FieldNode]:
    assert isinstance(definition, OperationDefinitionNode)
    inner = definition.selection_set
    while inner is not None:
        (node,) = inner.selections
        assert isinstance(node, FieldNode)
        yield node
        inner = node.selection_set  # type: ignore[assignment]


def needs(bindings: Iterable[Binding]) -> dict[str, set[str]]:
    """Coordinate -> the coordinates that calls for it need, at one remove."""
    found: dict[str, set[str]] = {}
    for binding in bindings:
        for required in binding.requires:
            for name in [binding.field] if binding.field is not None else [f"{binding.type}.{each}" for each in binding.fields]:
                found.setdefault(name, set()).update(required.coordinates)
    return found


def all_needs(direct: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """The same at any remove. Terminates on cycles too."""
    found: dict[str, frozenset[str]] = {}
    for name in sorted(direct):
        seen: set[str] = set()
        waiting = list(direct[name])
        while waiting:
            each = waiting.pop()
            if each not in seen:
                seen.add(each)
                waiting.extend(direct.get(each, ()))
        found[name] = frozenset(seen)
    return found


def cycle(direct: Mapping[str, Iterable[str]], start: str) -> Sequence[str]:
    """A way from ``start`` back to itself along what it needs, both ends included; empty if there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for each in sorted(direct.get(way[-1], ())):
            if each == start:
                return (*way, start)
            if each not in seen:
                seen.add(each)
                ways.append((*way, each))
    return ()
