"""After planning: which fetches share their calls, and the columns that all fetches of one binding ask for.

Two positions that need the same binding at the same depth become one group, so that their keys travel in one batch. All fetches of one
binding ask for the union of their columns, so that a key seen before is never asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from hub.plan.model import Arguments, Event, Expand, Fetch, Figures, Listing, Scan, Screen, Step, Write, own_fetches
from hub.plan.required import probed, steps_of
from hub.plan.slots import Guard


def needs(step: Step) -> tuple[int, ...]:
    """Ids of the steps that must be done before ``step``, sorted. Layer 0 is always there and not named."""
    match step:
        case Arguments() | Scan() | Write() | Event() | Figures():
            return ()
        case Fetch():
            found = {step.layer, *(slot.step for slot in step.key), *_watched(step)}
        case Expand():
            found = {step.layer, step.source} | ({step.slot.step} if step.slot else set()) | {each.typename.step for each in step.when}
        case Screen():
            found = {step.layer, *(term.slot.step for term in step.terms or ())}
    return tuple(sorted(found - {0, step.id}))


def _watched(step: Fetch) -> Iterator[int]:
    """The steps that say which rows ``step`` asks for, and with which values."""
    for guard in step.unless:
        for probe in guard.probes:
            yield from probed(probe)
    yield from (each.typename.step for each in step.when)
    for required in step.requires:
        yield from steps_of(required.output)


def unite(
    steps: Sequence[Step], columns: Mapping[int, Mapping[str, None]], guards: Mapping[int, Sequence[Guard]] | None = None
) -> tuple[Step, ...]:
    """Give every fetch and scan its columns: the sorted union over all fetches of its binding, keys first. And each fetch its guards."""
    wanted: dict[str, set[str]] = {}
    for step in steps:
        if isinstance(step, Fetch):
            wanted.setdefault(step.binding.id, set()).update(columns[step.id])
        for own in own_fetches(step):
            wanted.setdefault(own.binding.id, set()).update(own.columns)
    united: list[Step] = []
    for step in steps:
        if isinstance(step, Fetch) and step.cut is not None:
            step = replace(step, cut=_united(step.cut, wanted))
        if isinstance(step, Fetch):
            step = replace(_whole(step, wanted), unless=tuple((guards or {}).get(step.id, ())))
        elif isinstance(step, Scan | Write | Event):
            step = replace(step, columns=tuple(sorted(columns[step.id])))
        if isinstance(step, Scan | Expand) and step.listing is not None:
            step = replace(step, listing=_united(step.listing, wanted))
        if isinstance(step, Figures):
            step = replace(step, scan=replace(step.scan, listing=_united(step.scan.listing, wanted)))
        if isinstance(step, Scan | Expand) and step.kinds:
            step = replace(step, kinds=tuple(replace(kind, listing=_united(kind.listing, wanted)) for kind in step.kinds))
        united.append(step)
    return tuple(united)


def _united(listing: Listing, wanted: Mapping[str, set[str]]) -> Listing:
    return replace(listing, fetches=tuple(_whole(own, wanted) for own in listing.fetches)) if listing.fetches else listing


def _whole(step: Fetch, wanted: Mapping[str, set[str]]) -> Fetch:
    key = step.binding.relation.keys
    return replace(step, columns=(*key, *sorted(wanted[step.binding.id].difference(key))))


def groups(steps: Sequence[Step]) -> tuple[tuple[int, ...], ...]:
    """Fetches that share calls: the same binding at the same depth, and no arguments or required values of their own."""
    depth: dict[int, int] = {0: 0}
    found: dict[tuple[str, int, int], list[int]] = {}
    for step in steps:
        below = max((depth[number] for number in needs(step)), default=0)
        depth[step.id] = below + 1 if isinstance(step, Fetch | Scan | Figures) else below
        if isinstance(step, Fetch):
            alone = step.id if step.selected is not None or step.requires else 0
            found.setdefault((step.binding.id, depth[step.id], alone), []).append(step.id)
    return tuple(tuple(members) for members in found.values())
