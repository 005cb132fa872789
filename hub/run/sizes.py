"""About how many bytes what is cached takes. Reckoned from counts, since walking every object would cost more than making it; a test
measures real ones and holds the reckoning to within a factor of two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Sized
from typing import Any

from hub.plan.model import QueryPlan, listings_of

REFUSAL = 500
_TEXT = 100  # a key, a short string


def ready(selections: int) -> int:
    """One document's nodes by number; the nodes themselves belong to the document."""
    return 600 + 60 * selections


def prepared(selections: int, coordinates: int) -> int:
    """A normalised operation; rows of the coordinate table and fields of the schema are not its own."""
    return 1_200 + 330 * selections + 90 * coordinates


def mask(denied: Collection[str], scopes: Sized) -> int:
    return 600 + 40 * len(denied) + 32 * len(scopes)


def plan(made: QueryPlan, selections: int) -> int:
    """Steps with their columns, and an output for each selection."""
    columns = sum(len(getattr(step, "columns", ())) for step in made.steps)
    carried = sum(len(one.carried) for one in {id(one.carried): one for one in made.choices}.values())
    columns += carried // 2 + len(made.choices) * 3
    listings = [listing for step in made.steps for listing in listings_of(step)]
    lists = sum(600 + 130 * (len(one.filters) + len(one.sorts) + len(one.denied) + 4 * len(one.terms)) for one in listings)
    return lists + 1_500 + 400 * selections + 480 * len(made.steps) + _TEXT * columns + 40 * len(made.denied)


_SAMPLE = 50  # values of a column that stand for all of it


def rows(some: Sequence[Sequence[Any]]) -> int:
    """The rows of one key in the cache, with what they are known by."""
    return 600 + sum(56 + 8 * len(row) + sum(map(value, row)) for row in some)


def columns(some: Mapping[str, Sequence[Any]]) -> int:
    """Columns of a page."""
    total = 400
    for column in some.values():
        sample = column[:: max(1, len(column) // _SAMPLE)]
        total += _TEXT + 8 * len(column) + (sum(map(value, sample)) * len(column) // len(sample) if sample else 0)
    return total


def value(one: Any) -> int:
    """A native value; what JSON can hold, and all else as if it were a number."""
    if isinstance(one, str):
        return 50 + len(one) * (1 if one.isascii() else 2)
    if isinstance(one, Mapping):
        return 64 + sum(_TEXT + value(part) for part in one.values())
    if isinstance(one, list | tuple):
        return 56 + sum(8 + value(part) for part in one)
    return 0 if one is None or isinstance(one, bool) else 40
