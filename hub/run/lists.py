"""List layers: the rows of a link or the elements of a column, laid end to end. Knows layers; makes no calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.paths import reader
from hub.plan.model import ELEMENT, Expand, Slot
from hub.run.convert import decoded
from hub.run.layers import Fault, Layer, Paged


def expand(step: Expand, above: Layer) -> Layer:
    """The layer of ``step`` below the layer ``above``: all rows as they are. Lists that are narrowed or cut: ``hub.run.nested``."""
    return laid(linked(above, step.source) if step.slot is None else unnested(above, step.slot), None)


@dataclass(slots=True)
class Below:
    """``size`` list rows before they are a layer: ``native`` reads a whole column of them, ``groups`` are those of each row above."""

    native: Callable[[Slot], list[Any]]
    groups: Sequence[Sequence[int] | None]
    faults: Mapping[int, Fault]
    size: int


def linked(above: Layer, source: int) -> Below:
    fetched = above.fetched[source]
    size = len(next(iter(fetched.columns.values()), ()))
    return Below(lambda slot: fetched.columns[slot.column], fetched.groups or (), fetched.faults, size)


def unnested(above: Layer, slot: Slot) -> Below:
    """The elements of a list column, end to end; a value that is no list is a fault of its row."""
    elements: list[Any] = []
    groups: list[Sequence[int] | None] = []
    faults = dict(above.faults_of(slot.step))
    format = slot.field.format if slot.field is not None else None
    for row, value in enumerate(decoded(value, format) for value in above.native(slot)):
        if isinstance(value, list | tuple) and row not in faults:
            groups.append(range(len(elements), len(elements) + len(value)))
            elements.extend(value)
        else:
            groups.append(None)
            if value is not None and row not in faults:
                faults[row] = Fault("BAD_VALUE")

    def part(slot: Slot) -> list[Any]:
        read = reader(slot.field.path) if slot.field is not None else None
        return elements if read is None or slot.column == ELEMENT else [read(element) for element in elements]

    return Below(part, groups, faults, len(elements))


def laid(below: Below, cuts: Mapping[int, Paged] | None) -> Layer:
    """Lay the rows of all parents end to end."""
    rows: list[int] = []
    parent: list[int] = []
    index: list[int] = []
    lists: dict[int, Paged] = {}
    for above, group in enumerate(below.groups):
        if group is not None:
            cut = cuts[above] if cuts is not None else Paged(group)
            start = len(rows)
            rows.extend(cut.rows)
            count = len(rows) - start
            parent.extend([above] * count)
            index.extend(range(count))
            lists[above] = Paged(range(start, start + count), cut.has_next, cut.has_previous, cut.total)

    in_order = rows == list(range(len(rows)))

    def read(slot: Slot) -> list[Any]:
        column = below.native(slot)
        return column if in_order and len(column) == len(rows) else [column[row] for row in rows]

    return Layer(len(rows), parent, index, lists, below.faults, read)
