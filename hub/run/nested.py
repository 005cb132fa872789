"""Lists below an entity that are narrowed, ordered or cut: for each parent by itself, out of rows that were fetched whole.

Knows list layers and the terms of a question; what rows do not carry themselves is fetched for all parents together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql.execution.values import VariableValues

from hub.plan.model import Expand, Slot
from hub.run.arguments import BadArgument, arguments
from hub.run.chunks import Asked
from hub.run.layers import Fault, Layer, Paged
from hub.run.lists import Below, laid, linked, unnested
from hub.run.terms import Terms, Viewer, after_place, completed, places, sealed, terms, unplaced, verdicts


async def listed(step: Expand, above: Layer, variables: VariableValues, viewer: Viewer, asked: Asked) -> Layer:
    """The layer of a list ``step`` that has a listing, below the layer ``above``."""
    below = linked(above, step.source) if step.slot is None else unnested(above, step.slot)
    if step.listing is None:
        return await _seen(step, below, viewer, asked)
    try:
        given = arguments(step.selected, variables) if step.selected is not None else {}
        wanted = terms(step.listing, step.selected, given, viewer)
    except BadArgument as error:
        return laid(_failed(below, error.fault), {})
    raw = Layer(below.size, read=below.native)
    await _completed(wanted, raw, below, asked)
    cut, faults = cuts(step, wanted, raw, below)
    layer = laid(_without(below, faults), cut)
    if step.selected is not None:
        layer.cursors = sealed(wanted, raw, viewer.cursors, lambda: [row for above in sorted(cut) for row in cut[above].rows])
    return layer


async def _seen(step: Expand, below: Below, viewer: Viewer, asked: Asked) -> Layer:
    """A list of an abstract type without the elements that the caller may not see: each concrete type has rules of its own."""
    keep = [True] * below.size
    unknown: dict[int, Fault] = {}
    for kind in step.kinds:
        raw = Layer(below.size, read=below.native)
        own = [str(name) == kind.value for name in raw.native(kind.typename)]
        wanted = terms(kind.listing, None, {}, viewer)
        if wanted.foreign:
            await completed(wanted, raw, asked, own)
        passes, lost = verdicts(wanted.wanted, raw)
        _absent_stay(kind.there, raw, passes, lost)
        keep = [kept and (seen or not here) for kept, seen, here in zip(keep, passes, own, strict=True)]
        unknown |= {row: fault for row, fault in lost.items() if own[row]}
    found, faults = _chosen(below, keep, unknown, Paged)
    return laid(_without(below, faults), found)


def _chosen(
    below: Below, keep: list[bool] | None, unknown: Mapping[int, Fault], cut: Callable[[Sequence[int]], Paged]
) -> tuple[dict[int, Paged], dict[int, Fault]]:
    """The rows of each parent that are kept, cut; and the parents for whose list that is not known."""
    found: dict[int, Paged] = {}
    faults: dict[int, Fault] = {}
    for parent, group in enumerate(below.groups):
        if group is None:
            continue
        fault = next((unknown[row] for row in group if row in unknown), None) if unknown else None
        if fault is not None:
            faults[parent] = fault
        else:
            found[parent] = cut(group if keep is None else [row for row in group if keep[row]])
    return found, faults


def _without(below: Below, faults: Mapping[int, Fault]) -> Below:
    """The same rows where the lists of some parents have failed."""
    if not faults:
        return below
    groups = [None if parent in faults else group for parent, group in enumerate(below.groups)]
    return Below(below.native, groups, {**below.faults, **faults}, below.size)


async def _completed(wanted: Terms, raw: Layer, below: Below, asked: Asked) -> None:
    """Fetch what rows do not carry, for those that are in a list and have not been ruled out yet."""
    if wanted.foreign:
        passes, _ = verdicts([one for one in wanted.wanted if one.term.carried], raw)
        there = [False] * raw.size
        for group in below.groups:
            for row in group or ():
                there[row] = passes[row]
        await completed(wanted, raw, asked, there)


def cuts(step: Expand, wanted: Terms, raw: Layer, below: Below) -> tuple[dict[int, Paged], dict[int, Fault]]:
    """The rows of each parent: those that meet the conditions, in order, cut to the page; and the parents whose rows are not known."""
    keep, unknown = verdicts(wanted.wanted, raw) if wanted.wanted else (None, {})
    if keep is not None and step.there:
        _absent_stay(step.there, raw, keep, unknown)
    if wanted.order:
        unknown = {**{row: fault for row, fault in unplaced(wanted, raw).items() if keep is None or keep[row]}, **unknown}
    keys = places(wanted, raw) if wanted.order else None
    bound = after_place(wanted)
    return _chosen(below, keep, unknown, lambda kept: _cut(wanted, kept, keys, bound))


def _cut(wanted: Terms, kept: Sequence[int], keys: Sequence[Any] | None, bound: Any) -> Paged:
    ordered = kept if keys is None else sorted(kept, key=keys.__getitem__)
    if wanted.first is None:
        return Paged(ordered)
    later = ordered if bound is None or keys is None else [row for row in ordered if keys[row] > bound]
    return Paged(later[: wanted.first], len(later) > wanted.first, wanted.after is not None, len(ordered))


def _absent_stay(there: Sequence[Slot], raw: Layer, keep: list[bool], unknown: dict[int, Fault]) -> None:
    """An element that is no object has nothing to hide: it stays null, as it would without rules."""
    columns = [raw.native(slot) for slot in there]
    for row in range(raw.size):
        if any(column[row] is None for column in columns):
            keep[row] = True
            unknown.pop(row, None)


def _failed(below: Below, fault: Fault) -> Below:
    faults: Mapping[int, Fault] = {row: fault for row, group in enumerate(below.groups) if group is not None}
    return Below(below.native, [None] * len(below.groups), {**faults, **below.faults}, below.size)
