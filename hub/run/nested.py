"""Lists below an entity that are narrowed, ordered or cut: for each parent by itself, out of rows that were fetched whole.

Knows list layers and the terms of a question; what rows do not carry themselves is fetched for all parents together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.plan.model import Expand
from hub.run.arguments import BadArgument, Inputs, arguments
from hub.run.chunks import Asked
from hub.run.layers import Fault, Layer, Paged
from hub.run.lists import Below, below, laid
from hub.run.terms import (
    Kinds,
    Terms,
    Viewer,
    absent_stay,
    after_place,
    completed,
    least,
    places,
    sealed,
    terms,
    unplaced,
    verdicts,
)


@dataclass(slots=True)
class Listed:
    """A list that is being made. ``foreign``: ``complete`` has to be awaited before its ``layer``."""

    step: Expand
    below: Below
    viewer: Viewer
    wanted: Terms | None = None
    raw: Layer | None = None
    kinds: Kinds | None = None

    @property
    def foreign(self) -> bool:
        return (self.wanted is not None and self.wanted.foreign) or (self.kinds is not None and self.kinds.foreign)

    async def complete(self, asked: Asked, until: float) -> None:
        """Fetch what the rows do not carry, for those that are in a list and have not been ruled out yet."""
        there = [False] * self.below.size
        for group in self.below.groups:
            for row in group or ():
                there[row] = True
        if self.kinds is not None:
            await self.kinds.complete(asked, there, until)
        elif self.wanted is not None and self.raw is not None:
            passes, _ = verdicts([one for one in self.wanted.wanted if one.term.carried], self.raw)
            await completed(self.wanted, self.raw, asked, [here and seen for here, seen in zip(there, passes, strict=True)], until)

    def layer(self) -> Layer:
        """The layer, when all that it is made of is there."""
        if self.kinds is not None:
            keep, unknown = self.kinds.verdicts()
            found, faults = _chosen(self.below, keep, [unknown] if unknown else [], Paged)
            return laid(_without(self.below, faults), found)
        if self.wanted is None or self.raw is None:
            return laid(self.below, {})
        wanted, raw = self.wanted, self.raw
        cut, faults = cuts(self.step, wanted, raw, self.below)
        layer = laid(_without(self.below, faults), cut)
        if self.step.selected is not None:
            layer.cursors = sealed(wanted, raw, self.viewer.cursors, lambda: [row for above in sorted(cut) for row in cut[above].rows])
        return layer


def begun(step: Expand, above: Layer, inputs: Inputs, viewer: Viewer) -> Listed:
    """The list of ``step``, which has a listing or rules for concrete types, below the layer ``above``."""
    rows = below(step, above)
    if step.listing is None:
        return Listed(step, rows, viewer, kinds=Kinds(step.kinds, viewer, lambda: Layer(rows.size, read=rows.native)))
    try:
        given = arguments(step.selected, inputs) if step.selected is not None else {}
        wanted = terms(step.listing, step.selected, given, viewer, rows=step.rows)
    except BadArgument as error:
        return Listed(step, _failed(rows, error.fault), viewer)
    return Listed(step, rows, viewer, wanted, Layer(rows.size, read=rows.native))


def _chosen(
    below: Below, keep: list[bool] | None, lost: Sequence[Mapping[int, Fault]], cut: Callable[[Sequence[int]], Paged]
) -> tuple[dict[int, Paged], dict[int, Fault]]:
    """The rows of each parent that are kept, cut; and the parents some of whose rows are ``lost``, with the first reason for it."""
    found: dict[int, Paged] = {}
    faults: dict[int, Fault] = {}
    for parent, group in enumerate(below.groups):
        if group is None:
            continue
        reasons = next((some for faulty in lost if (some := [faulty[row] for row in group if row in faulty])), None)
        if reasons is not None:
            faults[parent] = least(*reasons)
        else:
            found[parent] = cut(group if keep is None else [row for row in group if keep[row]])
    return found, faults


def _without(below: Below, faults: Mapping[int, Fault]) -> Below:
    """The same rows where the lists of some parents have failed."""
    if not faults:
        return below
    groups = [None if parent in faults else group for parent, group in enumerate(below.groups)]
    return Below(below.native, groups, {**below.faults, **faults}, below.size)


def cuts(step: Expand, wanted: Terms, raw: Layer, below: Below) -> tuple[dict[int, Paged], dict[int, Fault]]:
    """The rows of each parent: those that meet the conditions, in order, cut to the page; and the parents whose rows are not known."""
    keep, unknown = verdicts(wanted.wanted, raw) if wanted.wanted else (None, {})
    if keep is not None and step.there:
        absent_stay(step.there, raw, keep, unknown)
    lost = [some for some in (unknown, unplaced(wanted, raw, keep)) if some]
    keys = places(wanted, raw) if wanted.order else None
    bound = after_place(wanted)
    return _chosen(below, keep, lost, lambda kept: _cut(wanted, kept, keys, bound))


def _cut(wanted: Terms, kept: Sequence[int], keys: Sequence[Any] | None, bound: Any) -> Paged:
    ordered = kept if keys is None else sorted(kept, key=keys.__getitem__)
    if wanted.first is None:
        return Paged(ordered)
    later = ordered if bound is None or keys is None else [row for row in ordered if keys[row] > bound]
    return Paged(later[: wanted.first], len(later) > wanted.first, wanted.after is not None, len(ordered))


def _failed(below: Below, fault: Fault) -> Below:
    faults: Mapping[int, Fault] = {row: fault for row, group in enumerate(below.groups) if group is not None}
    return Below(below.native, [None] * len(below.groups), {**faults, **below.faults}, below.size)
