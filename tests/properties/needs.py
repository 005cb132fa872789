"""Which fields of an entity a call may need: single plain values of it, of its objects and of what it refers to.

Fields are numbered over the whole schema, and one needs only those with smaller numbers, so that needs never go in a circle.
"""

from __future__ import annotations

import random
from typing import Any

from tests.bound import Need
from tests.properties.model import Model, Shape
from tests.properties.values import Truth

EQUAL = ("Int", "String", "ID", "Boolean", "Colour")  # types whose values all systems write back as the same


def needs_of(rng: random.Random, model: Model, name: str, shape: Shape) -> dict[str, Need]:
    """One or two requirements of ``shape``, or none if there is nothing before it."""
    paths = []
    for one in model.entities[name].values():
        if _plain(one) and _before(one, shape):
            paths.append(one.name)
        elif one.kind in ("object", "ref") and _before(one, shape):
            inner = model.fields(one.target[0]).values()
            paths += [f"{one.name}.{part.name}" for part in inner if _plain(part) and _before(part, shape)]
    rng.shuffle(paths)
    return {f"n{i}": Need(path, f"needs_{i}", rng.random() < 0.5) for i, path in enumerate(paths[: rng.choice((1, 1, 2))])}


def value_at(one: Truth, path: str) -> Any:
    """The truth at a path."""
    found: Any = one
    for name in path.split("."):
        found = None if found is None else found[name]
    return found


def _plain(shape: Shape) -> bool:
    return shape.kind == "leaf" and shape.leaf in EQUAL and not shape.type.startswith("[")


def _before(one: Shape, shape: Shape) -> bool:
    number = one.name[1:]
    return not number.isdigit() or int(number) < int(shape.name[1:])
