"""What a SOAP relation may not ask, beyond what every operation may not: texts that XML cannot hold, lists that take a value apart.

Must not know how messages are made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from connectors import calls
from connectors.calls import Place
from connectors.paths import steps
from connectors.settings import refused
from connectors.spi import Field, Relation

# XML 1.0, 2.2: what no element can hold.
_UNHOLDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def prepare(relation: Relation) -> Place:
    """Check and compile what the manifest says. Raises SourceError (config)."""
    made = calls.prepare(relation)
    for one in relation.fields:
        _apart(relation, one)
    return made


def unholdable(value: Any) -> str:
    """Why no element can hold a value, or nothing."""
    return "XML cannot hold one of its characters" if isinstance(value, str) and _UNHOLDABLE.search(value) else ""


def unfit(given: Mapping[str, Any]) -> str:
    """The same of parameters."""
    return next(filter(None, map(unholdable, given.values())), "")


def _apart(relation: Relation, one: Field) -> None:
    """Items of a list become plain data, in which one place holds one value."""
    ways = sorted(((steps(item.path), item.path) for item in one.items if item.path), key=lambda each: [str(step) for step in each[0]])
    for (first, _), (second, path) in pairwise(ways):
        if len(first) < len(second) and second[: len(first)] == first:
            raise refused(f"{relation.name}: '{one.name}' takes both an element and '{path}' within it; a list can hold one of them")
    for item in one.items:
        _apart(relation, item)
