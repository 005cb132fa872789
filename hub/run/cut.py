"""A list below an entity, cut by its source: so many rows for each parent instead of all of them.

Only where the source can do everything that comes before the cut. Knows the terms of a question and a relation's abilities; no calls.
"""

from __future__ import annotations

from typing import Any

from connectors.spi import Condition, Order, Relation
from hub.run.chunks import Cut
from hub.run.order import agrees
from hub.run.push import pushed
from hub.run.terms import Terms

LIMIT = "first"


def cut_of(terms: Terms, relation: Relation) -> Cut | None:
    """What to ask for each key: the rows of the page and one more, which tells whether there is a next one. None: ask for all."""
    if terms.first is None or terms.foreign or not terms.total_order:
        return None
    if not all(agrees(sort.term.slot.type, sort.term.slot.field) for sort in terms.order):
        return None
    params: dict[str, Any] = {LIMIT: terms.first + 1}
    where = []
    for number, one in enumerate(terms.wanted):
        said = pushed(one.op, one.term.slot.type, one.term.slot.field, one.value)
        if said is None:
            return None
        where.append(Condition(one.term.slot.column, said[0], f"p{number}"))
        params[f"p{number}"] = said[1]
    after: list[str | None] = []
    for number, (value, sort) in enumerate(zip(terms.after or (), terms.order, strict=False)):
        said = None if value is None else pushed("EQ", sort.term.slot.type, sort.term.slot.field, value)
        if value is not None and (said is None or said[0] != "EQ"):
            return None
        after.append(None if said is None else f"a{number}")
        if said is not None:
            params[f"a{number}"] = said[1]
    order = tuple(Order(sort.term.slot.column, sort.descending) for sort in terms.order)
    return Cut(tuple(where), order, tuple(after), LIMIT, params)
