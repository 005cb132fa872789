"""List layers: the rows of a link or the elements of a column, cut for each parent and laid end to end.

Knows layers and the arguments of one field; makes no calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql.execution.values import VariableValues

from connectors.paths import reader
from hub.plan.model import ELEMENT, Expand, Slot
from hub.run.arguments import BadArgument, arguments, page
from hub.run.convert import canonical, decoded
from hub.run.layers import Fault, Layer, Paged, such
from hub.run.order import row_keys


def expand(step: Expand, above: Layer, variables: VariableValues) -> Layer:
    """The layer of ``step`` below the layer ``above``."""
    below = linked(above, step.source) if step.slot is None else unnested(above, step.slot, such(above, step.when))
    return laid(below, None if step.selected is None else cuts(step, below, variables))


@dataclass(slots=True)
class Below:
    """List rows before they are a layer: ``native`` reads a whole column of them, ``groups`` are those of each row above."""

    native: Callable[[Slot], list[Any]]
    groups: Sequence[Sequence[int] | None]
    faults: Mapping[int, Fault]


def cuts(step: Expand, below: Below, variables: VariableValues) -> dict[int, Paged]:
    """For a connection: the rows of each parent, sorted by key and cut by the field's arguments."""
    assert step.selected is not None
    kinds = [slot.type for slot in step.order]
    try:
        cut = page(arguments(step.selected, variables), len(kinds))
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
    elements: list[Any] = []
    groups: list[Sequence[int] | None] = []
    faults = dict(above.faults_of(slot.step))
    format = slot.field.format if slot.field is not None else None
    for row, value in enumerate(decoded(value, format) for value in above.native(slot)):
        if wanted is not None and not wanted[row]:
            groups.append(None)
        elif isinstance(value, list | tuple) and row not in faults:
            groups.append(range(len(elements), len(elements) + len(value)))
            elements.extend(value)
        else:
            groups.append(None)
            if value is not None and row not in faults:
                faults[row] = Fault("BAD_VALUE")

    def part(slot: Slot) -> list[Any]:
        read = reader(slot.field.path) if slot.field is not None else None
        return elements if read is None or slot.column == ELEMENT else [read(element) for element in elements]

    return Below(part, groups, faults)


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
