"""Very large answers, a slice at a time, so that one of them does not hold up everybody else's.

All of this is work that holds the interpreter, in a thread too; so it is cut: columns are converted, rows built and JSON written some
thousands at a time, and between two slices the loop turns. Answers of ordinary size take none of this way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from hub.plan.model import QueryPlan
from hub.plan.outputs import Choice, Connection, Leaf, List, Object, Output
from hub.plan.slots import Slot
from hub.run.convert import Column
from hub.run.layers import Layer, reading

LARGE = 10_000  # rows of all layers from which on an answer is made in slices
SLICE = 5_000  # rows a slice; the slowest reading (a date by its format) takes about 6 µs a value


async def turn() -> None:
    """Let everybody else run once."""
    await asyncio.sleep(0)


def weight(layers: Mapping[int, Layer]) -> int:
    """The rows of all layers."""
    return sum(layer.size for layer in layers.values())


def slice_of(size: int, rows: int) -> int:
    """How many of ``size`` elements, which take ``rows`` rows with all that lies below them, make one slice."""
    return max(1, size * SLICE // max(rows, 1))


async def convert(plan: QueryPlan, layers: Mapping[int, Layer]) -> None:
    """Read the columns of large layers that the answer shows."""
    for root in plan.roots:
        for number, slot in _shown(root.output, root.layer, set()):
            layer = layers[number]
            if layer.size > SLICE:
                layer.keep(slot, await _column(layer, slot))


async def _column(layer: Layer, slot: Slot) -> Column:
    how, values = reading(slot), layer.native(slot)
    found: list[Any] = []
    flawed, full = False, True
    for start in range(0, len(values), SLICE):
        part = how.column(values[start : start + SLICE])
        found += part.values
        flawed, full = flawed or part.flawed, full and part.full
        await turn()
    return Column(found, flawed, full)


def _shown(output: Output, layer: int, seen: set[int]) -> Iterator[tuple[int, Slot]]:
    """The slots that an output shows, each with its layer. Many types may share it."""
    if id(output) in seen:
        return
    seen.add(id(output))
    match output:
        case Leaf():
            yield layer, output.slot
        case Choice():
            yield from _among(output.options, layer, seen)
        case Object():
            yield from _among(output.children, layer, seen)
            for concrete in output.variants.values():
                yield from _among(concrete.children, layer, seen)
        case List():
            yield from _rows(output.rows, seen)
        case Connection():
            for part in output.fields:
                for rows in (part.rows, *(node for _, _, node in part.children)):
                    if rows is not None:
                        yield from _rows(rows, seen)


def _rows(rows: Any, seen: set[int]) -> Iterator[tuple[int, Slot]]:
    yield from _among(rows.children, rows.layer, seen)
    for concrete in rows.variants.values():
        yield from _among(concrete.children, rows.layer, seen)


def _among(children: tuple[Output, ...], layer: int, seen: set[int]) -> Iterator[tuple[int, Slot]]:
    for child in children:
        yield from _shown(child, layer, seen)


async def encode(body: dict[str, Any], rows: int) -> bytes:
    """The bytes of an answer of ``rows`` rows; lists of the root are written in slices."""
    data = body.get("data")
    if rows <= LARGE or not isinstance(data, dict):
        return msgspec.json.encode(body)
    return msgspec.json.encode({**body, "data": {key: await _written(value, rows) for key, value in data.items()}})


async def _written(value: Any, rows: int) -> Any:
    if not isinstance(value, list):
        return value
    step = slice_of(len(value), rows)
    parts = []
    for start in range(0, len(value), step):
        parts.append(msgspec.json.encode(value[start : start + step])[1:-1])
        await turn()
    return msgspec.Raw(b"[" + b",".join(parts) + b"]")
