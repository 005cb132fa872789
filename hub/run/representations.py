"""What a graph of a federation is asked for: the representation of each row's entity, as text, which is its key.

Equal entities have equal texts, so that none is asked for twice. A row without a whole key has none; what is required besides may be null.
Knows plans' outputs and layers; makes no calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any

import msgspec

from connectors.columns import in_lot
from hub.plan.model import Fetch
from hub.plan.outputs import Leaf, Output
from hub.run import assemble
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
    keys: list[Key | None] = [None] * layer.size
    faults: dict[int, Fault] = {}
    apart = in_lot(step.lot, "")
    names, columns, lost = _columns(wanted.required, layers, layer, rows)
    refused = {} if wanted.others else lost
    for key in wanted.keys:
        own, parts, unread = _columns(key, layers, layer, rows)
        told = ("__typename", *own, *names)
        whole = _leaf_whole if all(isinstance(output, Leaf) for output in key) else _whole
        for row, values in zip(rows, zip(repeat(wanted.kind), *parts, *columns, strict=False), strict=True):
            if keys[row] is None and row not in unread and row not in refused and whole(values[1 : len(own) + 1]):
                keys[row] = (apart + msgspec.json.encode(dict(zip(told, values, strict=True))).decode(),)
        faults = unread | faults
    return keys, {row: fault for row, fault in faults.items() if keys[row] is None} | refused


def _columns(
    outputs: Sequence[Output], layers: Mapping[int, Layer], layer: Layer, rows: Sequence[int]
) -> tuple[list[str], list[list[Any]], dict[int, Fault]]:
    """Fields of some rows: their names, their values, and the first fault of each row."""
    names, columns, faults = [], [], dict[int, Fault]()
    for output in outputs:
        values, lost = assemble.told(output, layers, layer, rows)
        names.append(output.place.key)
        columns.append(values)
        faults = lost | faults
    return names, columns, faults


def _leaf_whole(values: Sequence[Any]) -> bool:
    return None not in values


def _whole(value: Any) -> bool:
    """Whether nothing of a key is null."""
    if isinstance(value, dict):
        return all(map(_whole, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_whole, value))
    if isinstance(value, msgspec.Struct):
        return all(_whole(getattr(value, name)) for name in value.__struct_fields__)
    return value is not None
