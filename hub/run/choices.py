"""Fields that several sources can give: which source each row has its value from, and which rows are left for the next.

Knows plans' probes and layers; makes no calls and no JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum

from hub.plan.outputs import Choice, Output
from hub.plan.slots import Guard, Probe
from hub.run.convert import BAD, decoded
from hub.run.layers import Layer, keys_of, present
from hub.run.positions import Bad, Built, PathOf
from schema.registry import Resolve


class State(IntEnum):
    """What a source has made of a field for one row."""

    KEYLESS = 0
    FAILED = 1
    NULL = 2
    VALUE = 3


def left(layer: Layer, guard: Guard) -> list[bool]:
    """The rows that ``guard`` lets through: none of its sources has answered them."""
    answered, _, _ = _looked(layer, guard.resolve, guard.probes)
    return [at is None for at in answered]


def chosen(layer: Layer, choice: Choice) -> list[int]:
    """For each row the option that it has its value from. A row that none has answered shows the first failure, else the first null."""
    answered, failed, null = _looked(layer, choice.resolve, choice.probes)
    found = []
    for at, fails, empty in zip(answered, failed, null, strict=True):
        found.append(at if at is not None else fails if fails is not None else empty if empty is not None else 0)
    return found


Places = list[int | None]  # by row: the number of a source


def _looked(layer: Layer, resolve: Resolve, probes: Sequence[Probe]) -> tuple[Places, Places, Places]:
    """By row: the source that answers it, the first that failed for it, and the first that has null for it."""
    answered: Places = [None] * layer.size
    failed: Places = [None] * layer.size
    null: Places = [None] * layer.size
    for number, probe in enumerate(probes):
        for row, state in enumerate(states(layer, probe)):
            if answered[row] is not None or state is State.KEYLESS:
                continue
            if state is State.VALUE or resolve is Resolve.FIRST:
                answered[row] = number
            elif state is State.FAILED:
                failed[row] = number if failed[row] is None else failed[row]
            elif resolve is Resolve.FALLBACK_ON_ERROR and failed[row] is None:
                answered[row] = number  # null is an answer, but not after a failure: that is not to look as if there were nothing
            elif null[row] is None:
                null[row] = number
    return answered, failed, null


def states(layer: Layer, probe: Probe) -> list[State]:
    """What one source has made of the field, by row. Rows that it was not asked for count as null."""
    if layer.size == 0:
        return []
    found = [State.VALUE] * layer.size
    _values(layer, probe, found)
    if probe.step is not None:
        for row in layer.faults_of(probe.step):
            found[row] = State.FAILED
    if probe.key:
        keys, faults = keys_of(layer, probe.key)
        for row, key in enumerate(keys):
            if key is None and row not in faults:
                found[row] = State.KEYLESS
    return found


def _values(layer: Layer, probe: Probe, found: list[State]) -> None:
    if probe.leaf is not None:
        for row, value in enumerate(layer.canonical(probe.leaf).values):
            if value is None or value is BAD:
                found[row] = State.NULL if value is None else State.FAILED
    elif probe.items is not None:
        format = probe.items.field.format if probe.items.field is not None else None
        for row, value in enumerate(layer.native(probe.items)):
            value = decoded(value, format)
            if not isinstance(value, list | tuple):
                found[row] = State.NULL if value is None else State.FAILED
    else:
        _objects(layer, probe, found)


def _objects(layer: Layer, probe: Probe, found: list[State]) -> None:
    alive, faults = present(layer, probe.presence)
    for row, there in enumerate(alive or ()):
        if not there:
            found[row] = State.FAILED if row in faults else State.NULL
    if probe.typename is not None:
        within = {name: present(layer, presence) for name, presence in probe.variants.items()}
        for row, name in enumerate(map(str, layer.native(probe.typename))):
            if found[row] is State.VALUE:
                if name not in within:
                    found[row] = State.FAILED
                elif (own := within[name])[0] is not None and not own[0][row]:
                    found[row] = State.FAILED if row in own[1] else State.NULL


def built(
    choice: Choice, layer: Layer, rows: Sequence[int], path: PathOf, build: Callable[[Output, Layer, Sequence[int], PathOf], Built]
) -> Built:
    """The field for ``rows``, each from the option that it has; ``build`` makes one option for some rows."""
    source = chosen(layer, choice)
    values: list[object] = [None] * len(rows)
    bad: Bad = {}
    for number, option in enumerate(choice.options):
        places = [at for at, row in enumerate(rows) if source[row] == number]
        if places:
            part, lost = build(option, layer, [rows[at] for at in places], path)
            for at, value in zip(places, part, strict=True):
                values[at] = value
            bad |= {places[at]: cause for at, cause in lost.items()}
    return values, bad
