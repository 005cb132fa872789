"""Who may see a federated field, as rows of the coordinate table: ``@authenticated``, ``@requiresScopes`` and ``@policy``.

What stands on a type holds for its fields and for all fields that bring it. Must not know callers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

from graphql import GraphQLSchema, get_named_type, is_introspection_type, is_non_null_type, is_object_type

from schema.coordinates import AUTHENTICATED, Coordinate, Grade
from schema.federation import sdl

Scopes = tuple[frozenset[str], ...]  # any of them is enough; () asks for nothing


def restricted(own: Mapping[str, Any], schema: GraphQLSchema, report: Callable[..., None]) -> tuple[Coordinate, ...]:
    """The rows of those fields that not everybody may see."""
    types = {name: _asked(node, report) for name, node in own.items()}
    found = []
    for name, type_ in schema.type_map.items():
        if not is_object_type(type_) or is_introspection_type(type_):
            continue
        nodes = {node.name.value: node for node in getattr(own.get(name), "fields", None) or ()}
        for each, definition in type_.fields.items():
            parts = (
                types.get(name, ()),
                _asked(nodes[each], report) if each in nodes else (),
                types.get(get_named_type(definition.type).name, ()),
            )
            scopes = _all(parts)
            if scopes:
                found.append(Coordinate(name, each, Grade.L1, not is_non_null_type(definition.type), "", scopes))
    return tuple(found)


def _asked(node: Any, report: Callable[..., None]) -> Scopes:
    """What one definition asks for."""
    parts: list[Scopes] = []
    if sdl.has(node, "authenticated"):
        parts.append((frozenset({AUTHENTICATED}),))
    for word, argument in (("requiresScopes", "scopes"), ("policy", "policies")):
        for each, said in sdl.directives(node, word):
            some = said.get(argument)
            if not isinstance(some, list) or not all(isinstance(one, list) for one in some):
                report("BAD_SCOPE", each, f"@{word} needs lists of lists.", f'write {argument}: [["…"]]')
                continue
            parts.append(tuple(frozenset(map(str, one)) for one in some))
    return _all(parts)


def _all(parts: Any) -> Scopes:
    """What asks for all of ``parts``."""
    there = [part for part in parts if part]
    return tuple(dict.fromkeys(frozenset().union(*some) for some in product(*there))) if there else ()
