"""Values that a call needs from other fields of the entity: read from the layer, and the rows bundled that have the same.

Knows plans' outputs and layers; makes no calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.plan.model import Required
from hub.plan.outputs import Choice, Failure, Leaf, Object, Output
from hub.plan.slots import Presence
from hub.run.choices import chosen
from hub.run.convert import BAD
from hub.run.layers import Fault, Layer, present
from hub.run.rows import Key
from hub.run.sent import Answered

Values = tuple[list[Any], dict[int, Fault]]  # by row: a canonical value or None, and why it could not be had


def values(layer: Layer, output: Output) -> Values:
    """What a required field has in each row."""
    match output:
        case Leaf():
            found = list(layer.canonical(output.slot).values)
            faults = {row: Fault("BAD_VALUE") for row, value in enumerate(found) if value is BAD}
            return found, faults | dict(layer.missing(output.slot))
        case Object():
            alive, lost = present(layer, output.presence) if output.presence != Presence() else (None, {})
            found, faults = values(layer, output.children[0])
            for row, there in enumerate(alive or ()):
                if not there:
                    found[row] = None
                    faults.pop(row, None)
            return found, faults | lost
        case Choice():
            options = [values(layer, option) for option in output.options]
            picked = chosen(layer, output)
            found = [options[number][0][row] for row, number in enumerate(picked)]
            return found, {row: options[number][1][row] for row, number in enumerate(picked) if row in options[number][1]}
        case Failure():
            return [None] * layer.size, {row: Fault(output.code) for row in range(layer.size)}
        case _:
            raise AssertionError("a required field is one value")


def bundles(
    layer: Layer, requires: Sequence[Required], keys: list[Key | None], faults: dict[int, Fault]
) -> dict[tuple[Any, ...], list[Key]]:
    """The keys that go together, by the required values, which become a part of each row's key.

    Rows whose value failed, or is null where it may not be, have no key any more; ``keys`` and ``faults`` are written to.
    """
    columns = [values(layer, each.output) for each in requires]
    found: dict[tuple[Any, ...], list[Key]] = {}
    for row, key in enumerate(keys):
        if key is None:
            continue
        fault = next((lost[row] for _, lost in columns if row in lost), None)
        given = tuple(column[row] for column, _ in columns)
        if fault is not None:
            faults[row] = fault
        if fault is not None or any(value is None and not each.nullable for value, each in zip(given, requires, strict=True)):
            keys[row] = None
            continue
        found.setdefault(given, []).append(key)
        keys[row] = (*key, *given)
    return found


def under(given: tuple[Any, ...], answers: Mapping[Key, Answered]) -> dict[Key, Answered]:
    """Answers for one bundle, by keys that the required values are a part of. Keys of one answer keep one answer."""
    made: dict[int, Answered] = {}
    for answered in answers.values():
        if id(answered) not in made:
            at = {(*key, *given): rows for key, rows in answered.at.items()}
            faults = {(*key, *given): fault for key, fault in answered.faults.items()}
            made[id(answered)] = Answered(answered.columns, at, faults, answered.fault)
    return {(*key, *given): made[id(answered)] for key, answered in answers.items()}
