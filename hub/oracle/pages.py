"""Narrowing, ordering and cutting rows over canonical values, the plainest way there is.

A cursor here is plain text: the values of its row in the order's terms. The engine's are sealed and bound to their list, which is tested
by itself; what both mean, the rows after that place, is the same.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from graphql import GraphQLEnumType, GraphQLOutputType, get_named_type

from hub.oracle.values import Fault

Key = tuple[Any, ...]  # canonical values of a row in the terms of an order


class Part(dict[str, Any]):
    """A piece of a connection, by the names of its GraphQL fields."""


class Unreadable:
    """What stands for a value that cannot be read as its type: it meets no condition and sorts as null."""


DEFAULT_FIRST, MAX_FIRST = 50, 1000


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an order: a path from the node, its type, and which way."""

    path: str
    kind: GraphQLOutputType
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that a connection's arguments ask for: ``first`` rows whose place in ``order`` is after ``after``."""

    order: tuple[Step, ...]
    first: int
    after: Key | None

    @classmethod
    def of(cls, args: Mapping[str, Any], order: Sequence[Step]) -> Window:
        """Raises Fault."""
        after = None if args.get("after") is None else place_of(args["after"], len(order))
        first = DEFAULT_FIRST if args.get("first") is None else args["first"]
        if not 1 <= first <= MAX_FIRST:
            raise Fault("TOO_LARGE")
        return cls(tuple(order), first, after)


def cut(rows: list[tuple[Key, Any]], window: Window) -> Part:
    """S10: a connection over (place, node) pairs. A cursor is taken as proof of a row before it."""

    def compare(one: Key, other: Key) -> int:
        for step, left, right in zip(window.order, one, other, strict=True):
            a, b = rank(left, step.kind), rank(right, step.kind)
            if a != b:
                return (1 if a > b else -1) * (-1 if step.descending else 1)
        return 0

    def by_place(one: tuple[Key, Any], other: tuple[Key, Any]) -> int:
        return compare(one[0], other[0])

    ordered = sorted(rows, key=cmp_to_key(by_place))
    rest = [row for row in ordered if window.after is None or compare(row[0], window.after) > 0]
    page = rest[: window.first]
    cursors = [cursor(key) for key, _ in page]
    return Part(
        edges=[Part(cursor=text, node=node) for text, (_, node) in zip(cursors, page, strict=True)],
        nodes=[node for _, node in page],
        pageInfo=Part(
            hasNextPage=len(rest) > len(page),
            hasPreviousPage=window.after is not None,
            startCursor=cursors[0] if cursors else None,
            endCursor=cursors[-1] if cursors else None,
        ),
        totalCount=len(rows),
    )


def cursor(key: Key) -> str:
    """The name of a place in a connection."""
    values = [None if isinstance(part, Unreadable) else part for part in key]
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(text: str, width: int) -> Key:
    """The place that a cursor names. Raises Fault."""
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        raise Fault("BAD_CURSOR") from None
    if not isinstance(key, list) or len(key) != width or any(isinstance(part, dict | list) for part in key):
        raise Fault("BAD_CURSOR")
    return tuple(key)


def rank(value: Any, kind: GraphQLOutputType) -> tuple[bool, Any]:
    """What a canonical value is compared by: null below all, numbers by value, times by moment, enums by definition, the rest by text."""
    if value is None or isinstance(value, Unreadable):
        return (False, 0)
    named = get_named_type(kind)
    if isinstance(named, GraphQLEnumType):
        return (True, list(named.values).index(value))
    if named.name in ("Int", "Float", "Decimal"):
        return (True, Decimal(str(value)))
    if named.name == "DateTime":
        return (True, datetime.fromisoformat(value).timestamp())
    return (True, value if isinstance(value, bool) else str(value))


def matches(operator: str, value: Any, wanted: Any, kind: GraphQLOutputType) -> bool:
    """Whether a canonical value passes one condition of a filter."""
    if isinstance(value, Unreadable):
        return False
    if operator == "isNull":
        return (value is None) is bool(wanted)
    if value is None:
        return False
    if operator == "prefix":
        return str(value).startswith(wanted)
    if operator == "in":
        return any(rank(value, kind) == rank(one, kind) for one in wanted)
    here, there = rank(value, kind), rank(wanted, kind)
    found: bool = {"eq": here == there, "lt": here < there, "le": here <= there, "gt": here > there, "ge": here >= there}[operator]
    return found
