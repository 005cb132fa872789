"""Semi-joins: a list narrowed by another system's field, where that system can say which keys meet the condition.

Only what the two systems declare is looked at here; whether a question's own conditions can be put that way is seen when they are known.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.plan.columns import column_of
from hub.plan.draft import Draft
from hub.plan.model import Fetch, Join, Listing, Term
from hub.plan.slots import Slot
from schema.registry import Binding, Resolve, Role


def joins(draft: Draft, listing: Listing, step: int) -> tuple[Join, ...]:
    """The ways in which the list that step ``step`` scans can be narrowed by keys first, in the order of its fetches."""
    return tuple(join for fetch in listing.fetches for join in _joins(draft, listing, step, fetch))


def _joins(draft: Draft, listing: Listing, step: int, fetch: Fetch) -> Iterator[Join]:
    """One at most: the system that is asked by key must list by conditions as well, and the driver take many of its keys."""
    driver, asked = listing.binding, fetch.binding
    if asked.role is not Role.LOOKUP or len(fetch.key) != 1 or fetch.key[0].step != step:
        return
    to, name = fetch.key[0], asked.key[0]
    if "IN" not in driver.relation.where.get(to.column, ()):
        return
    foreign = [term for term in listing.terms.values() if not term.carried and term.slot.step == fetch.id]
    foreign = [term for term in foreign if draft.registry.policy(f"{listing.node}.{term.path.partition('.')[0]}") is Resolve.FIRST]
    for scan in draft.registry.scans.get(listing.node, ()):
        if scan.system != asked.system or scan.id == driver.id or scan.relation.args:
            continue
        key = column_of(scan, name)
        found = {term.path: slot for term in foreign if (slot := _slot(scan, term)) is not None}
        if key is not None and found:
            yield Join(fetch.id, scan, Slot(step, key, to.type, scan.relation.field(key)), Term(name, to), found)
            return


def _slot(scan: Binding, term: Term) -> Slot | None:
    column = column_of(scan, term.path)
    if column is None or not scan.relation.where.get(column, ()):
        return None
    return Slot(term.slot.step, column, term.slot.type, scan.relation.field(column))
