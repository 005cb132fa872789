"""After planning: which fetches share their calls, and the columns that all fetches of one binding ask for.

Two positions that need the same binding at the same depth become one group, so that their keys travel in one batch. All fetches of one
binding ask for the union of their columns, so that a key seen before is never asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hub.plan.model import Arguments, Expand, Fetch, Figures, Guard, Listing, Scan, Step


def needs(step: Step) -> tuple[int, ...]:
    """Ids of the steps that must be done before ``step``, sorted. Layer 0 is always there and not named."""
    match step:
        case Arguments() | Scan() | Figures():
            return ()
        case Fetch():
            found = {step.layer, *(slot.step for slot in step.key)}
        case Expand():
            found = {step.layer, step.source} | ({step.slot.step} if step.slot else set())
        case Guard():
            found = {step.layer, *(term.slot.step for term in step.terms or ())}
    return tuple(sorted(found - {0, step.id}))


def unite(steps: Sequence[Step], columns: Mapping[int, Mapping[str, None]]) -> tuple[Step, ...]:
    """Give every fetch and scan its columns: the sorted union over all fetches of its binding, keys first."""
    wanted: dict[str, set[str]] = {}
    for step in steps:
        if isinstance(step, Fetch):
            wanted.setdefault(step.binding.id, set()).update(columns[step.id])
        for own in own_fetches(step):
            wanted.setdefault(own.binding.id, set()).update(own.columns)
    united: list[Step] = []
    for step in steps:
        if isinstance(step, Fetch):
            step = _whole(step, wanted)
        elif isinstance(step, Scan):
            step = replace(step, columns=tuple(sorted(columns[step.id])))
        if isinstance(step, Scan | Expand) and step.listing is not None:
            step = replace(step, listing=_united(step.listing, wanted))
        if isinstance(step, Figures):
            step = replace(step, scan=replace(step.scan, listing=_united(step.scan.listing, wanted)))
        if isinstance(step, Expand) and step.kinds:
            step = replace(step, kinds=tuple(replace(kind, listing=_united(kind.listing, wanted)) for kind in step.kinds))
        united.append(step)
    return tuple(united)


def own_fetches(step: Step) -> tuple[Fetch, ...]:
    """The fetches that a list makes for itself, to narrow or order its rows."""
    if isinstance(step, Figures):
        return step.scan.listing.fetches
    listings = [step.listing] if isinstance(step, Scan | Expand) else []
    listings += [kind.listing for kind in step.kinds] if isinstance(step, Expand) else []
    return tuple(fetch for listing in listings if listing is not None for fetch in listing.fetches)


def _united(listing: Listing, wanted: Mapping[str, set[str]]) -> Listing:
    return replace(listing, fetches=tuple(_whole(own, wanted) for own in listing.fetches)) if listing.fetches else listing


def _whole(step: Fetch, wanted: Mapping[str, set[str]]) -> Fetch:
    key = step.binding.relation.keys
    return replace(step, columns=(*key, *sorted(wanted[step.binding.id].difference(key))))


def groups(steps: Sequence[Step]) -> tuple[tuple[int, ...], ...]:
    """Fetches that share calls: the same binding at the same depth, and no arguments of their own."""
    depth: dict[int, int] = {0: 0}
    found: dict[tuple[str, int, int], list[int]] = {}
    for step in steps:
        below = max((depth[number] for number in needs(step)), default=0)
        depth[step.id] = below + 1 if isinstance(step, Fetch | Scan | Figures) else below
        if isinstance(step, Fetch):
            alone = step.id if step.selected is not None else 0
            found.setdefault((step.binding.id, depth[step.id], alone), []).append(step.id)
    return tuple(tuple(members) for members in found.values())
