"""Rows at run time: layers of columns, read as canonical values once each. Knows plans' slots, not connectors and not JSON.

A layer's columns are native lists, one value per row. A fetch that failed for a row leaves a ``Fault`` there instead of a value, and a
source that has no such column any more its SourceError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import NoneType
from typing import Any

from connectors.spi import SourceError
from hub.errors import CODES, source_code
from hub.plan.slots import ELEMENT, Presence, Slot, When
from hub.run.convert import BAD, Column, Reading
from hub.run.rows import spans


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value is not there: an error code, and what exactly when the code's own text is not enough."""

    code: str
    zh: str = ""
    en: str = ""
    system: str = ""

    @classmethod
    def of(cls, error: SourceError) -> Fault:
        return cls(error.code if error.code in CODES else source_code(error), system=error.source)


@dataclass(slots=True)
class Fetched:
    """What one fetch put into its layer. ``columns`` are aligned with the layer's rows, or, when ``groups`` is given, are
    the list rows themselves and ``groups[i]`` names those of the layer's row ``i`` (None: it had no key)."""

    columns: Mapping[str, list[Any]]
    found: Sequence[bool] = ()
    faults: Mapping[int, Fault] = field(default_factory=dict)
    groups: Sequence[Sequence[int] | None] | None = None


@dataclass(slots=True)
class Paged:
    """A cut of one parent's rows: which rows of the layer, what lies beyond, how many there are in all."""

    rows: Sequence[int]
    has_next: bool = False
    has_previous: bool = False
    total: int | None = None


@dataclass(slots=True)
class Layer:
    """``spans[i]`` are the rows below row ``i`` of the parent layer, end to end over all that have a list; ``lists[i]`` says of a
    connection what lies beyond them. ``faults`` are parents whose list failed."""

    size: int
    parent: Sequence[int] = ()
    index: Sequence[int] = ()
    lists: Mapping[int, Paged] = field(default_factory=dict)
    spans: Mapping[int, range] = field(default_factory=dict)
    faults: Mapping[int, Fault] = field(default_factory=dict)
    read: Callable[[Slot], list[Any]] | None = None  # columns that are computed on demand, for list rows
    fetched: dict[int, Fetched] = field(default_factory=dict)
    cursors: Callable[[Sequence[int]], list[str]] | None = None  # of some of the rows, for a connection
    notices: list[dict[str, Any]] = field(default_factory=list)
    _native: dict[tuple[int, str], list[Any]] = field(default_factory=dict)
    _canonical: dict[tuple[int, str], Column] = field(default_factory=dict)

    def native(self, slot: Slot) -> list[Any]:
        """The column as its source has it. A layer without rows may have been left without columns too, when its step failed."""
        if self.size == 0:
            return []
        key = (slot.step, slot.column)
        values = self._native.get(key)
        if values is None:
            fetched = self.fetched.get(slot.step)
            if fetched is not None:
                values = fetched.columns[slot.column]
            else:
                assert self.read is not None, "a slot of a layer that nothing fills"
                values = self.read(slot)
            self._native[key] = values
        return values

    def canonical(self, slot: Slot) -> Column:
        """The column as canonical values; converted once."""
        key = (slot.step, slot.column)
        column = self._canonical.get(key)
        if column is None:
            fetched = self.fetched.get(slot.step) if self.size else None
            values = self.native(slot) if fetched is None else fetched.columns[slot.column]
            column = self._canonical[key] = reading(slot).column(values)
        return column

    def keep(self, slot: Slot, column: Column) -> None:
        """Take a column that was read elsewhere."""
        self._canonical[slot.step, slot.column] = column

    def faults_of(self, step: int) -> Mapping[int, Fault]:
        """Rows for which ``step`` failed; empty for columns that came with the rows themselves."""
        fetched = self.fetched.get(step)
        return fetched.faults if fetched is not None else {}

    def missing(self, slot: Slot) -> Mapping[int, Fault]:
        """Rows in which ``slot`` could not be had: its step failed, or its source has no such column any more."""
        failed = self.faults_of(slot.step)
        if not self.canonical(slot).flawed:
            return failed
        return {row: Fault.of(value) for row, value in enumerate(self.native(slot)) if isinstance(value, SourceError)} | dict(failed)


def reading(slot: Slot) -> Reading:
    """How ``slot`` is read; made when its plan first runs and kept there."""
    if not slot.made:
        slot.made.append(Reading(slot.type, slot.field))
    made: Reading = slot.made[0]
    return made


BAD_KEY = Fault("BAD_VALUE")


def keys_of(layer: Layer, slots: tuple[Slot, ...]) -> tuple[list[tuple[Any, ...] | None], dict[int, Fault]]:
    """The canonical key of each row: None where a part is null, a fault where a part could not be had or read."""
    columns = [layer.canonical(slot) for slot in slots]
    keys: list[tuple[Any, ...] | None] = list(zip(*(column.values for column in columns), strict=True))
    faults: dict[int, Fault] = {}
    for column in columns:
        if column.flawed or None in column.values:
            for row, value in enumerate(column.values):
                if value is None:
                    keys[row] = None
                elif value is BAD:
                    keys[row] = None
                    faults[row] = BAD_KEY
    for slot in slots:
        for row, fault in layer.missing(slot).items():
            keys[row] = None
            faults[row] = fault
    return keys, faults


def such(layer: Layer, when: Sequence[When]) -> list[bool] | None:
    """Which rows are objects of the types that ``when`` names; None for all."""
    found: list[bool] | None = None
    for each in when:
        own = [value is not None and str(value) == each.value for value in layer.native(each.typename)]
        found = own if found is None else [both and here for both, here in zip(found, own, strict=True)]
    return found


def _there(columns: Sequence[list[Any]], any_will_do: bool) -> list[bool]:
    """In which rows all columns have a value, or any of them."""
    if len(columns) == 1:
        return [value is not None for value in columns[0]]
    if not any_will_do:
        return [None not in parts for parts in zip(*columns, strict=True)]
    nothing = (None,) * len(columns)
    return [parts != nothing for parts in zip(*columns, strict=True)]


def present(layer: Layer, presence: Presence) -> tuple[list[bool] | None, dict[int, Fault]]:
    """Which rows hold an object (None: all), and the faults that take it away where the object itself depends on a failed step."""
    faults: dict[int, Fault] = {}
    alive: list[bool] | None = None
    if presence.found is not None:
        fetched = layer.fetched[presence.found]
        alive = list(fetched.found)
        for row, fault in fetched.faults.items():
            alive[row] = presence.lenient
            if not presence.lenient:
                faults[row] = fault
    slots = presence.keys or presence.any
    if not slots:
        return (alive, faults) if presence.screen is None else _screened(layer, presence, alive, faults)
    columns = [layer.native(slot) for slot in slots]
    alive = _there(columns, any_will_do=not presence.keys)
    for slot, values in zip(slots, columns, strict=True):
        if slot.field is not None and slot.field.type == "raw" and SourceError in set(map(type, values)):
            for row, value in enumerate(values):
                if isinstance(value, SourceError):
                    alive[row] = False
                    faults[row] = Fault.of(value)
        elif slot.column == ELEMENT and not set(map(type, values)) <= {dict, NoneType}:
            for row, value in enumerate(values):
                if value is not None and not isinstance(value, Mapping):  # an element of a list of objects that is none
                    alive[row] = False
                    faults[row] = Fault("BAD_VALUE")
    for step in {slot.step for slot in slots}:
        for row, fault in layer.faults_of(step).items():
            alive[row] = False
            faults[row] = fault
    return (alive, faults) if presence.screen is None else _screened(layer, presence, alive, faults)


def _screened(layer: Layer, presence: Presence, alive: list[bool] | None, faults: dict[int, Fault]) -> tuple[list[bool], dict[int, Fault]]:
    """Take away what the caller may not see. Where that is not known the object has the failure; of an entity that was looked up even
    where the entity does not exist, since the failure would otherwise tell that it does."""
    verdict = layer.fetched[presence.screen or 0]
    there = [True] * layer.size if alive is None or presence.lenient else alive
    for row, fault in verdict.faults.items():
        if there[row]:
            faults[row] = fault
    seen = zip(alive or there, verdict.found, strict=True)
    return [here and passes and row not in faults for row, (here, passes) in enumerate(seen)], faults


def spans_below(layer: Layer, rows: Sequence[int]) -> tuple[list[range | None], Sequence[int]]:
    """For each row above, where its list lies in the rows below that are to be built; and those rows."""
    found: list[range | None] = list(map(layer.spans.get, rows))
    there = [span for span in found if span is not None]
    if sum(map(len, there)) == layer.size:
        return found, range(layer.size)
    moved = iter(spans(map(len, there)))
    return [None if span is None else next(moved) for span in found], list(chain.from_iterable(there))


def faults_at(layer: Layer, rows: Sequence[int]) -> dict[int, Fault]:
    """The faults of lists below ``rows`` of the layer above, by position among them."""
    return {at: layer.faults[row] for at, row in enumerate(rows) if row in layer.faults} if layer.faults else {}
