"""Columns of a source that is a whole graph: the way down to a value, written so that a document can be made of it.

    users[].name                          below a list, one ``[]`` for each level of it
    user.posts@7(first:Int)[].title       a field with arguments: alias ``posts_7``, its values in the variables ``first_7``
    media.<Book>pages                     only of objects of that type
    <User>id_User=id                      under another response name
    2|<User>name                          asked of the entities whose keys stand apart under 2: of one type not all are asked the same

Standard library only; belongs to the connector interface. Must not know values, and no schema.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_LOT = re.compile(r"(\d+)\|")
_STEP = re.compile(r"(?:<(\w+)>)?(?:(\w+)=)?(\w+)(?:@(\w+)\(([^)]*)\))?((?:\[\])*)")


@dataclass(frozen=True, slots=True)
class Step:
    """One field on the way: ``name`` under the response name ``key``, of objects of type ``condition`` alone if that is given.
    ``arguments`` are (argument, variable, type as GraphQL writes it), ``lists`` how many lists its value is wrapped in."""

    key: str
    name: str
    condition: str = ""
    arguments: tuple[tuple[str, str, str], ...] = ()
    lists: int = 0


@lru_cache(maxsize=65_536)
def way(column: str) -> tuple[Step, ...]:
    """The steps of a column. Raises ValueError for what is none."""
    return tuple(_step(text) for text in lot_of(column)[1].split("."))


def in_lot(lot: int, text: str) -> str:
    """A column, or the text of a key, of those that stand apart; 0: of all others."""
    return f"{lot}|{text}" if lot else text


def lot_of(text: str) -> tuple[int, str]:
    """Which lot a column or the text of a key is of, and what it is there."""
    found = _LOT.match(text)
    return (int(found[1]), text[found.end() :]) if found else (0, text)


def _step(text: str) -> Step:
    found = _STEP.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no step of a column")
    condition, alias, name, number, given, lists = found.groups()
    key = f"{alias or name}_{number}" if number else alias or name
    return Step(key, name, condition or "", _arguments(number, given), len(lists) // 2)


def _arguments(number: str | None, given: str | None) -> tuple[tuple[str, str, str], ...]:
    pairs = (part.partition(":") for part in (given or "").split(",") if part)
    return tuple((name, variable(name, str(number)), kind) for name, _, kind in pairs)


def variable(argument: str, number: str) -> str:
    """The variable that holds an argument of the field with this number."""
    return f"{argument}_{number}"


def numbered(number: int) -> str:
    """A field's number as columns write it; what no document has is numbered below zero."""
    return str(number) if number >= 0 else f"r{-number}"


@lru_cache(maxsize=65_536)
def shown(column: str) -> tuple[str, str]:
    """What of a column a row itself holds, and the path to it: of what lies in a list, the list. In every lot it is called the same."""
    names: list[str] = []
    column = lot_of(column)[1]
    for at, step in enumerate(way(column)):
        names.append(step.key)
        if step.lists:
            parts = column.split(".")[: at + 1]
            parts[-1] = parts[-1].removesuffix("[]" * step.lists)
            return ".".join(parts), ".".join(names)
    return column, ".".join(names)
