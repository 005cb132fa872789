"""What a GraphQL type says of the values in a column: the named type inside, lists around it, and where null may not be."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final
from weakref import WeakKeyDictionary

from graphql import GraphQLOutputType, is_list_type, is_non_null_type


def named(kind: GraphQLOutputType) -> Any:
    """The named type inside lists and non-nulls."""
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    return kind


def depth(kind: GraphQLOutputType) -> int:
    """How many lists lie around the named type."""
    count = 0
    while hasattr(kind, "of_type"):
        count += is_list_type(kind)
        kind = kind.of_type
    return count


def demands(kind: GraphQLOutputType) -> bool:
    """Whether a type, or any element of it, may not be null: only then do nulls have to be looked for."""
    while hasattr(kind, "of_type"):
        if is_non_null_type(kind):
            return True
        kind = kind.of_type
    return False


def whole(values: list[Any], kind: GraphQLOutputType) -> bool:
    """Whether no null stands where ``kind`` does not allow one, in the values themselves or in lists among them."""
    inner: Any = kind
    if is_non_null_type(inner):
        if None in values:
            return False
        inner = inner.of_type
    return not is_list_type(inner) or not demands(inner) or whole(list(chain.from_iterable(filter(None, values))), inner.of_type)


_FACTS: Final[WeakKeyDictionary[GraphQLOutputType, tuple[str, int, bool]]] = WeakKeyDictionary()  # types go with their schema


def facts(kind: GraphQLOutputType) -> tuple[str, int, bool]:
    """Name, depth and demands."""
    found = _FACTS.get(kind)
    if found is None:
        found = _FACTS[kind] = (named(kind).name, depth(kind), demands(kind))
    return found
