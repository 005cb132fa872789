"""What a graph of a federation is asked for: the representation of each row's entity, as text, which is its key.

Equal entities have equal texts, so that none is asked for twice. A row without a whole key has none; what is required besides may be null.
Knows plans' outputs and layers; makes no calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.plan.model import Fetch
from hub.plan.outputs import Output
from hub.run.assemble import told
from hub.run.layers import Fault, Layer, such
from hub.run.rows import Key

ROOT: Key = ("",)  # by which the fields of a root are asked for


def represented(step: Fetch, layers: Mapping[int, Layer]) -> tuple[list[Key | None], dict[int, Fault]]:
    """The key of each row of the step's layer, and why some could not be had."""
    layer, wanted = layers[step.layer], step.representation
    if wanted is None:
        return [ROOT] * layer.size, {}
    there = such(layer, step.when)
    rows = range(layer.size) if there is None else [row for row, here in enumerate(there) if here]
    found: dict[int, dict[str, Any]] = {}
    faults: dict[int, Fault] = {}
    for key in wanted.keys:
        names, columns, lost = _columns(key, layers, layer, rows)
        for row, values in zip(rows, zip(*columns, strict=True), strict=True):
            if row not in found and row not in lost and _whole(values):
                found[row] = dict(zip(names, values, strict=True))
        faults = lost | faults
    names, columns, lost = _columns(wanted.required, layers, layer, rows)
    more = dict(zip(rows, zip(*columns, strict=True), strict=True)) if names else {}
    faults = {row: fault for row, fault in faults.items() if row not in found} | ({} if wanted.others else lost)
    keys: list[Key | None] = [None] * layer.size
    for row, key_ in found.items():
        if row not in faults:
            given = zip(names, more[row], strict=True) if names else ()
            keys[row] = (msgspec.json.encode({"__typename": wanted.kind, **key_, **dict(given)}).decode(),)
    return keys, faults


def _columns(
    outputs: Sequence[Output], layers: Mapping[int, Layer], layer: Layer, rows: Sequence[int]
) -> tuple[list[str], list[list[Any]], dict[int, Fault]]:
    """Fields of some rows: their names, their values, and the first fault of each row."""
    names, columns, faults = [], [], dict[int, Fault]()
    for output in outputs:
        values, lost = told(output, layers, layer, rows)
        names.append(output.place.key)
        columns.append(values)
        faults = lost | faults
    return names, columns, faults


def _whole(value: Any) -> bool:
    """Whether nothing of a key is null."""
    if isinstance(value, dict):
        return all(map(_whole, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_whole, value))
    if isinstance(value, msgspec.Struct):
        return all(_whole(getattr(value, name)) for name in value.__struct_fields__)
    return value is not None
