"""Lists below an entity that are narrowed, ordered or cut: for each parent by itself, out of rows that were fetched whole.

Knows list layers and the terms of a question; what rows do not carry themselves is fetched for all parents together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql.execution.values import VariableValues

from hub.plan.model import Expand
from hub.run.arguments import BadArgument, arguments
from hub.run.chunks import Asked
from hub.run.layers import Fault, Layer, Paged
from hub.run.lists import Below, laid, linked, unnested
from hub.run.terms import Terms, Viewer, after_place, completed, places, sealed, terms, unplaced, verdicts


async def listed(step: Expand, above: Layer, variables: VariableValues, viewer: Viewer, asked: Asked) -> Layer:
    """The layer of a list ``step`` that has a listing, below the layer ``above``."""
    assert step.listing is not None
    below = linked(above, step.source) if step.slot is None else unnested(above, step.slot)
    try:
        given = arguments(step.selected, variables) if step.selected is not None else {}
        wanted = terms(step.listing, step.selected, given, viewer)
    except BadArgument as error:
        return laid(_failed(below, error.fault), {})
    raw = Layer(below.size, read=below.native)
    await _completed(wanted, raw, below, asked)
    cut = cuts(step, wanted, raw, below)
    layer = laid(below, cut)
    if step.selected is not None:
        layer.cursors = sealed(wanted, raw, viewer.cursors, lambda: [row for above in sorted(cut) for row in cut[above].rows])
    return layer


async def _completed(wanted: Terms, raw: Layer, below: Below, asked: Asked) -> None:
    """Fetch what rows do not carry, for those that are in a list and have not been ruled out yet."""
    if wanted.foreign:
        passes, _ = verdicts([one for one in wanted.wanted if one.term.carried], raw)
        there = [False] * raw.size
        for group in below.groups:
            for row in group or ():
                there[row] = passes[row]
        await completed(wanted, raw, asked, there)


def cuts(step: Expand, wanted: Terms, raw: Layer, below: Below) -> dict[int, Paged]:
    """The rows of each parent: those that meet the conditions, in order, cut to the page. Parents whose rows are not known fail."""
    keep, unknown = verdicts(wanted.wanted, raw) if wanted.wanted else (None, {})
    if keep is not None and step.there:
        _absent_stay(step, raw, keep, unknown)
    if wanted.order:
        unknown = {**{row: fault for row, fault in unplaced(wanted, raw).items() if keep is None or keep[row]}, **unknown}
    keys = places(wanted, raw) if wanted.order else None
    bound = after_place(wanted)
    found: dict[int, Paged] = {}
    faults: dict[int, Fault] = {}
    for parent, group in enumerate(below.groups):
        if group is None:
            continue
        fault = next((unknown[row] for row in group if row in unknown), None) if unknown else None
        if fault is not None:
            faults[parent] = fault
            continue
        kept = group if keep is None else [row for row in group if keep[row]]
        found[parent] = _cut(wanted, kept, keys, bound)
    if faults:
        below.faults = {**below.faults, **faults}
        below.groups = [None if parent in faults else group for parent, group in enumerate(below.groups)]
    return found


def _cut(wanted: Terms, kept: Sequence[int], keys: Sequence[Any] | None, bound: Any) -> Paged:
    ordered = kept if keys is None else sorted(kept, key=keys.__getitem__)
    if wanted.first is None:
        return Paged(ordered)
    later = ordered if bound is None or keys is None else [row for row in ordered if keys[row] > bound]
    return Paged(later[: wanted.first], len(later) > wanted.first, wanted.after is not None, len(ordered))


def _absent_stay(step: Expand, raw: Layer, keep: list[bool], unknown: dict[int, Fault]) -> None:
    """An element that is no object has nothing to hide: it stays null, as it would without rules."""
    columns = [raw.native(slot) for slot in step.there]
    for row in range(raw.size):
        if any(column[row] is None for column in columns):
            keep[row] = True
            unknown.pop(row, None)


def _failed(below: Below, fault: Fault) -> Below:
    faults: Mapping[int, Fault] = {row: fault for row, group in enumerate(below.groups) if group is not None}
    return Below(below.native, [None] * len(below.groups), {**faults, **below.faults}, below.size)
