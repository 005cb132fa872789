"""After planning: which fetches share their calls, and the columns that all fetches of one binding ask for.

Two positions that need the same binding at the same depth become one group, so that their keys travel in one batch. All fetches of one
binding ask for the union of their columns, so that a key seen before is never asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from hub.plan.model import Arguments, Expand, Fetch, Guard, Presence, Probe, Scan, Slot, Step


def needs(step: Step) -> tuple[int, ...]:
    """Ids of the steps that must be done before ``step``, sorted. Layer 0 is always there and not named."""
    match step:
        case Arguments() | Scan():
            return ()
        case Fetch():
            found = {step.layer, *(slot.step for slot in step.key), *(number for guard in step.unless for number in _looked_at(guard))}
        case Expand():
            found = {step.layer, step.source} | ({step.slot.step} if step.slot else set())
    return tuple(sorted(found - {0, step.id}))


def _looked_at(guard: Guard) -> set[int]:
    """The steps whose columns a guard reads."""
    found: set[int] = set()
    for probe in guard.probes:
        found.update(() if probe.step is None else (probe.step,), (slot.step for slot in slots_of(probe)))
    return found


def slots_of(probe: Probe) -> Iterator[Slot]:
    """All columns that a probe reads."""
    yield from probe.key
    yield from (slot for slot in (probe.leaf, probe.items, probe.typename) if slot is not None)
    presence: Presence
    for presence in (probe.presence, *probe.variants.values()):
        yield from (*presence.keys, *presence.any)


def unite(
    steps: Sequence[Step], columns: Mapping[int, Mapping[str, None]], guards: Mapping[int, Sequence[Guard]] | None = None
) -> tuple[Step, ...]:
    """Give every fetch and scan its columns: the sorted union over all fetches of its binding, keys first. And each fetch its guards."""
    wanted: dict[str, set[str]] = {}
    for step in steps:
        if isinstance(step, Fetch):
            wanted.setdefault(step.binding.id, set()).update(columns[step.id])
    united: list[Step] = []
    for step in steps:
        if isinstance(step, Fetch):
            key = step.binding.relation.keys
            unless = tuple((guards or {}).get(step.id, ()))
            step = replace(step, columns=(*key, *sorted(wanted[step.binding.id].difference(key))), unless=unless)
        elif isinstance(step, Scan):
            step = replace(step, columns=tuple(sorted(columns[step.id])))
        united.append(step)
    return tuple(united)


def groups(steps: Sequence[Step]) -> tuple[tuple[int, ...], ...]:
    """Fetches that share calls: the same binding at the same depth, and no arguments of their own."""
    depth: dict[int, int] = {0: 0}
    found: dict[tuple[str, int, int], list[int]] = {}
    for step in steps:
        below = max((depth[number] for number in needs(step)), default=0)
        depth[step.id] = below + 1 if isinstance(step, Fetch | Scan) else below
        if isinstance(step, Fetch):
            alone = step.id if step.selected is not None else 0
            found.setdefault((step.binding.id, depth[step.id], alone), []).append(step.id)
    return tuple(tuple(members) for members in found.values())
