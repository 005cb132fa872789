"""Paths to native values: ``a.b[0].c``. The one small language in which manifests and connectors say where a value lies.

Standard library only; belongs to the connector interface.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, Literal

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_FRAGMENT = re.compile(r"\.\.\.\s*on\s+\w+\.?")


class Absent(Enum):
    """No value: stands where a name has to be, and what should have it does not. Null is a value."""

    ABSENT = "absent"


ABSENT: Final[Literal[Absent.ABSENT]] = Absent.ABSENT


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[str | int, ...]:
    """``a.b[0].c`` → ``("a", "b", 0, "c")``; ``$`` alone is the value itself. Raises ValueError on anything else.

    A type condition (``owner.... on Shop.name``) only says what a GraphQL source is asked for; it is no step.
    """
    if path in ("", "$"):
        return ()
    text = _FRAGMENT.sub("", path[2:] if path.startswith("$.") else path)
    found: list[str | int] = []
    at = 0
    while at < len(text):
        if text[at] == "." and found:
            at += 1
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"unexpected {text[at : at + 1]!r} at character {at + 1} of path {path!r}")
        found.append(match[1] if match[1] is not None else int(match[2]))
        at = match.end()
    return tuple(found)


def reader(path: str, *, always: bool = False) -> Callable[[Any], Any]:
    """A function from a native value to what lies at ``path`` in it; None where anything on the way is missing. With ``always`` it is
    ``ABSENT`` where an object lacks a name, and None where there is no object that could have it."""
    way, one = steps(path), _strict if always else _step

    def read(value: Any) -> Any:
        for step in way:
            value = one(value, step)
        return value

    return read


def read_all(path: str, values: list[Any], *, always: bool = False) -> list[Any]:
    """What lies at ``path`` in each of ``values``: ``reader``, a step at a time over all of them."""
    one = _strict if always else _step
    for step in steps(path):
        try:  # rows are dicts that have the name nearly always: this line is where a large answer spends its time
            values = list(map(itemgetter(step), values)) if isinstance(step, str) else [one(value, step) for value in values]
        except (KeyError, TypeError):
            values = [one(value, step) for value in values]
    return values


def _step(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list | tuple) and step < len(value) else None
    return value.get(step) if isinstance(value, Mapping) else None


def _strict(value: Any, step: str | int) -> Any:
    if value is ABSENT:
        return ABSENT
    return value.get(step, ABSENT) if isinstance(step, str) and isinstance(value, Mapping) else _step(value, step)
