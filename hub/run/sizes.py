"""About how many bytes what is cached takes. Reckoned from counts, since walking every object would cost more than making it; a test
measures real ones and holds the reckoning to within a factor of two.
"""

from __future__ import annotations

from collections.abc import Collection, Sized

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
