"""List layers: the rows of a link or the elements of a column, cut for each parent and laid end to end.

Knows layers and the arguments of one field; makes no calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from connectors.paths import read_all
from hub.plan.model import ELEMENT, Expand, Slot
from hub.run.arguments import BadArgument, Inputs, arguments, page
from hub.run.convert import canonical, decoded
from hub.run.layers import Fault, Layer, Paged, such
from hub.run.order import row_keys
from hub.run.rows import spans


def expand(step: Expand, above: Layer, inputs: Inputs) -> Layer:
    """The layer of ``step`` below the layer ``above``."""
    below = linked(above, step.source) if step.slot is None else unnested(above, step.slot, such(above, step.when))
    return laid(below, None if step.selected is None else cuts(step, below, inputs))


@dataclass(slots=True)
class Below:
    """List rows before they are a layer: ``native`` reads a whole column of them, ``groups`` are those of each row above."""

    native: Callable[[Slot], list[Any]]
    groups: Sequence[Sequence[int] | None]
    faults: Mapping[int, Fault]


def cuts(step: Expand, below: Below, inputs: Inputs) -> dict[int, Paged]:
    """For a connection: the rows of each parent, sorted by key and cut by the field's arguments."""
    assert step.selected is not None
    kinds = [slot.type for slot in step.order]
    try:
        cut = page(arguments(step.selected, inputs), len(kinds))
    except BadArgument as error:
        below.faults = {row: error.fault for row, group in enumerate(below.groups) if group is not None} | dict(below.faults)
        below.groups = [None] * len(below.groups)
        return {}
    keys = row_keys([canonical(below.native(slot), slot.type, slot.field).values for slot in step.order], kinds)
    bound = row_keys([[part] for part in cut.after], kinds)[0] if cut.after is not None else None
    found = {}
    for parent, group in enumerate(below.groups):
        if group is not None:
            ordered = sorted(group, key=keys.__getitem__) if kinds else list(group)
            later = ordered if bound is None else [row for row in ordered if keys[row] > bound]
            found[parent] = Paged(later[: cut.first], len(later) > cut.first, len(later) < len(ordered), len(ordered))
    return found


def linked(above: Layer, source: int) -> Below:
    fetched = above.fetched[source]
    return Below(lambda slot: fetched.columns[slot.column], fetched.groups or (), fetched.faults)


def unnested(above: Layer, slot: Slot, wanted: Sequence[bool] | None = None) -> Below:
    """The elements of a list column, end to end, of the rows that are ``wanted``; a value that is no list is a fault of its row."""
    faults = dict(above.faults_of(slot.step))
    values = above.native(slot)
    if slot.field is not None and slot.field.format is not None:
        values = [decoded(value, slot.field.format) for value in values]
    if wanted is not None:
        values = [value if here else None for value, here in zip(values, wanted, strict=True)]
    lists: list[Any] = values
    if faults or not set(map(type, values)) <= {list}:
        lists = [value if isinstance(value, list | tuple) and row not in faults else None for row, value in enumerate(values)]
        for row, (value, there) in enumerate(zip(values, lists, strict=True)):
            if value is not None and there is None and row not in faults:
                faults[row] = Fault("BAD_VALUE")
    there = lists if None not in lists else [value for value in lists if value is not None]
    elements = list(chain.from_iterable(there))
    spans_ = iter(spans(map(len, there)))
    groups: Sequence[range | None] = [None if value is None else next(spans_) for value in lists]

    def part(slot: Slot) -> list[Any]:
        return elements if slot.field is None or slot.column == ELEMENT else read_all(slot.field.path, elements)

    return Below(part, groups, faults)


def laid(below: Below, cuts: Mapping[int, Paged] | None) -> Layer:
    """Lay the rows of all parents end to end."""
    groups = below.groups
    above: Sequence[int] = range(len(groups))
    if cuts is not None:
        above = list(cuts)
        groups = [cut.rows for cut in cuts.values()]
    elif None in groups:
        above = [row for row, group in enumerate(groups) if group is not None]
        groups = [groups[row] for row in above]
    there: Sequence[Sequence[int]] = groups  # type: ignore[assignment]  # none of them is None any more
    counts = list(map(len, there))
    rows = list(chain.from_iterable(there))
    places = dict(zip(above, spans(counts), strict=True))
    lists = {row: Paged(places[row], cut.has_next, cut.has_previous, cut.total) for row, cut in (cuts or {}).items()}
    in_order = rows == list(range(len(rows)))

    def read(slot: Slot) -> list[Any]:
        column = below.native(slot)
        return column if in_order and len(column) == len(rows) else list(map(column.__getitem__, rows))

    parent = list(chain.from_iterable(map(repeat, above, counts)))
    index = list(chain.from_iterable(map(range, counts)))
    return Layer(len(rows), parent, index, lists, places, below.faults, read)
