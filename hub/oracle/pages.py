"""Cutting and filtering rows over canonical values, the plainest way there is."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.oracle.values import Fault

Key = tuple[Any, ...]  # canonical values of a node's first key


class Part(dict[str, Any]):
    """A piece of a connection, by the names of its GraphQL fields."""


DEFAULT_FIRST, MAX_FIRST = 50, 1000


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that a connection's arguments ask for: ``first`` rows whose key is greater than ``after``."""

    first: int
    after: Key | None

    @classmethod
    def of(cls, args: Mapping[str, Any], width: int) -> Window:
        """``width`` is the number of parts of a key. Raises Fault."""
        first = DEFAULT_FIRST if args.get("first") is None else args["first"]
        if not 1 <= first <= MAX_FIRST:
            raise Fault("TOO_LARGE")
        return cls(first, None if args.get("after") is None else _key(args["after"], width))


def cut(rows: list[tuple[Key, Any]], window: Window, *, root: bool) -> Part:
    """S10: a connection over (key, node) pairs. At the root a cursor is taken as proof of a row before it."""
    ordered = sorted(rows, key=lambda row: _place(row[0]))
    rest = [row for row in ordered if window.after is None or _place(row[0]) > _place(window.after)]
    page = rest[: window.first]
    cursors = [cursor(key) for key, _ in page]
    return Part(
        edges=[Part(cursor=text, node=node) for text, (_, node) in zip(cursors, page, strict=True)],
        nodes=[node for _, node in page],
        pageInfo=Part(
            hasNextPage=len(rest) > len(page),
            hasPreviousPage=window.after is not None if root else len(rest) < len(rows),
            startCursor=cursors[0] if cursors else None,
            endCursor=cursors[-1] if cursors else None,
        ),
        totalCount=len(rows),
    )


def cursor(key: Key) -> str:
    """The opaque name of a place in a connection."""
    text = json.dumps(list(key), ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(key: Key) -> tuple[tuple[bool, Any], ...]:
    """For sorting: nulls first."""
    return tuple((part is not None, part) for part in key)


def _key(text: str, width: int) -> Key:
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        raise Fault("BAD_CURSOR") from None
    if not isinstance(key, list) or len(key) != width or any(part is None or isinstance(part, dict | list) for part in key):
        raise Fault("BAD_CURSOR")
    return tuple(key)


def matches(operator: str, value: Any, wanted: Any) -> bool:
    """Whether a canonical value passes ``eq`` or ``in``; null passes neither."""
    if wanted is None:
        return True
    return value is not None and (value in wanted if operator == "in" else value == wanted)
