"""After planning: which fetches share their calls, and the columns that all fetches of one binding ask for.

Two positions that need the same binding at the same depth become one group, so that their keys travel in one batch. All fetches of one
binding ask for the union of their columns, so that a key seen before is never asked for again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from hub.plan.model import Align, Arguments, Entities, Event, Expand, Fetch, Figures, Listing, Scan, Screen, Step, Write, own_fetches
from hub.plan.operation import Selected
from hub.plan.required import probed, steps_of
from hub.plan.slots import Guard


def needs(step: Step) -> tuple[int, ...]:
    """Ids of the steps that must be done before ``step``, sorted. Layer 0 is always there and not named."""
    match step:
        case Arguments() | Entities() | Scan() | Write() | Event() | Figures():
            return ()
        case Fetch():
            found = {step.layer, *(slot.step for slot in step.key), *_watched(step)}
        case Expand():
            found = {step.layer, step.source} | ({step.slot.step} if step.slot else set()) | {each.typename.step for each in step.when}
        case Align():
            found = {step.layer, step.slot.step, *step.lists}
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
    if step.representation is not None:
        for output in step.representation.outputs:
            yield from steps_of(output)


def unite(
    steps: Sequence[Step],
    columns: Mapping[int, Mapping[str, None]],
    guards: Mapping[int, Sequence[Guard]] | None = None,
    given: Mapping[int, Mapping[int, Selected]] | None = None,
    behind: Mapping[int, Mapping[str, str]] | None = None,
    strict: Mapping[int, Collection[str]] | None = None,
) -> tuple[Step, ...]:
    """Give every fetch and scan its columns: the sorted union over all fetches of its binding, keys first. And each fetch its guards, or,
    from a graph, what its columns are ``given``, what is ``behind`` them and which are ``strict``."""
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
        if isinstance(step, Fetch) and step.binding.relation.open:
            with_arguments = tuple((given or {}).get(step.id, {}).values())
            places, firm = (behind or {}).get(step.id, {}), frozenset((strict or {}).get(step.id, ()))
            step = replace(step, columns=_keyed(step, columns[step.id]), given=with_arguments, behind=places, strict=firm)
        elif isinstance(step, Fetch):
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
    return replace(step, columns=_keyed(step, wanted[step.binding.id]))


def _keyed(step: Fetch, columns: Iterable[str]) -> tuple[str, ...]:
    key = step.binding.relation.keys
    return (*key, *sorted(set(columns).difference(key)))


def levelled(steps: Sequence[Step], together: Sequence[Sequence[int]]) -> tuple[Step, ...]:
    """Fetches from a graph ask for the union of what those ask that they share calls with, as far as they can ask for the same: a graph
    is no row, and what is asked of it elsewhere may be a lot."""
    by_id = {step.id: step for step in steps}
    for members in together:
        some = [step for number in members if isinstance(step := by_id[number], Fetch) and step.binding.relation.open]
        given = tuple({one.number: one for step in some for one in step.given}.values())
        for lot, alike in enumerate(_lots(some) if len(some) > 1 else ()):
            columns = _keyed(alike[0], {name for step in alike for name in step.columns})
            behind = {name: place for step in alike for name, place in step.behind.items()}
            by_id |= {step.id: replace(step, columns=columns, given=given, behind=behind, lot=lot) for step in alike}
    return tuple(by_id[step.id] for step in steps)


def _lots(some: Sequence[Fetch]) -> list[list[Fetch]]:
    """Fetches from one graph, those together that can ask for the same."""
    found: list[list[Fetch]] = []
    for step in some:
        fitting = next((lot for lot in found if all(_agree(step, other) for other in lot)), None)
        if fitting is None:
            found.append([step])
        else:
            fitting.append(step)
    return found


class Depths:
    """How many calls lie before what a step brings, its own included; for steps in the making."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._known: dict[int, int] = {0: 0}

    def of(self, number: int) -> int:
        if number not in self._known:
            step = self._steps[number - 1]
            below = max((self.of(each) for each in needs(step)), default=0)
            self._known[number] = below + isinstance(step, Fetch | Scan | Figures)
        return self._known[number]


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
    return tuple(map(tuple, found.values()))


def _agree(one: Fetch, other: Fetch) -> bool:
    """Whether two can ask for the same: of one type of a graph only if both give the same of it, and neither can lose an entity by a
    field that only the other wants."""
    here, there = one.representation, other.representation
    if here is None or there is None or here.kind != there.kind:
        return True
    return here.texts == there.texts and not _harms(one, other) and not _harms(other, one)


def _harms(one: Fetch, other: Fetch) -> bool:
    """Whether ``one`` wants what may not be null of an object of which ``other`` wants something else."""
    if not one.strict:
        return False
    there = {"", *(prefix for column in other.columns for prefix in _prefixes(column))}
    return any(name not in there and name.rpartition(".")[0] in there for name in one.strict)


def _prefixes(column: str) -> Iterator[str]:
    """A column and all that it lies in, with and without the lists around their values."""
    while column:
        yield column
        bare = column
        while bare.endswith("[]"):
            bare = bare.removesuffix("[]")
        yield bare
        column = column.rpartition(".")[0]
