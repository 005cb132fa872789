"""List layers: the rows of a link or the elements of a column, laid end to end. Knows layers; makes no calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from connectors.columns import shown
from connectors.paths import read_all
from connectors.spi import SourceError
from hub.plan.model import Align, Expand
from hub.plan.slots import ELEMENT, Slot
from hub.run.convert import decoded
from hub.run.layers import Fault, Fetched, Layer, Paged, such
from hub.run.rows import Columns, spans


def expand(step: Expand, above: Layer) -> Layer:
    """The layer of ``step`` below the layer ``above``: all rows as they are. Lists that are narrowed or cut: ``hub.run.nested``."""
    return laid(below(step, above), None)


def below(step: Expand, above: Layer) -> Below:
    """The list rows of ``step`` before they are a layer."""
    return linked(above, step.source) if step.slot is None else unnested(above, step.slot, such(above, step.when))


@dataclass(slots=True)
class Below:
    """``size`` list rows before they are a layer: ``native`` reads a whole column of them, ``groups`` are those of each row above."""

    native: Callable[[Slot], list[Any]]
    groups: Sequence[Sequence[int] | None]
    faults: Mapping[int, Fault]
    size: int


def linked(above: Layer, source: int) -> Below:
    fetched = above.fetched[source]
    columns = fetched.columns
    size = columns.size if isinstance(columns, Columns) else len(next(iter(columns.values()), ()))
    return Below(lambda slot: fetched.columns[slot.column], fetched.groups or (), fetched.faults, size)


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
                faults[row] = Fault.of(value) if isinstance(value, SourceError) else Fault("BAD_VALUE")
    there = lists if None not in lists else [value for value in lists if value is not None]
    elements = list(chain.from_iterable(there))
    spans_ = iter(spans(map(len, there)))
    groups: Sequence[range | None] = [None if value is None else next(spans_) for value in lists]

    def part(slot: Slot) -> list[Any]:
        return elements if slot.field is None or slot.column == ELEMENT else read_all(slot.field.path, elements, always=slot.field.always)

    return Below(part, groups, faults, len(elements))


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
    if cuts is None and len(there) == 1 and there[0] == range(below.size):  # one list whole, which needs no laying
        size = below.size
        return Layer(size, (above[0],) * size, range(size), {}, {above[0]: range(size)}, below.faults, below.native)
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


class _Elements(dict[str, list[Any]]):
    """Columns of native objects, by the way that the column's name says; each is made when it is first read."""

    def __init__(self, elements: list[Any]) -> None:
        super().__init__()
        self._elements = elements

    def __missing__(self, name: str) -> list[Any]:
        column = self[name] = read_all(shown(name)[1], self._elements)
        return column


def aligned(step: Align, layers: Mapping[int, Layer]) -> Fetched:
    """The elements at the places that the rows of the layer have in their own lists."""
    above = layers[step.above]
    values, faults = above.native(step.slot), dict(above.faults_of(step.slot.step))
    for number in step.lists:
        layer = layers[number]
        values = [_at(values[parent], index) for parent, index in zip(layer.parent, layer.index, strict=True)]
        faults = {row: faults[parent] for row, parent in enumerate(layer.parent) if parent in faults}
    for row, value in enumerate(values):
        if isinstance(value, SourceError):
            faults[row] = Fault.of(value)
    return Fetched(_Elements(values), [value is not None for value in values], faults)


def _at(value: Any, index: int) -> Any:
    if isinstance(value, SourceError):
        return value
    return value[index] if isinstance(value, list) and index < len(value) else None
