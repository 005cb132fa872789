"""What of a plan an answer in parts begins with: the outputs that no ``@defer`` covers, and the units that these need.

One plan serves both, so an answer in parts asks exactly what the answer in one piece asks. Knows plans and what was collected of the
document; nothing of rows and values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphql import TypeNameMetaFieldDef, get_named_type

from hub.plan.model import QueryPlan
from hub.plan.outputs import Choice, Concrete, Connection, Constant, List, Object, Output, Place, Root, Rows
from hub.plan.slots import Presence, Probe, Slot
from hub.run.collected import Collected, Fields

MARK = " type"  # the key under which an object of an abstract type says its own while the answer is cut; no response key has a space


def whole(plan: QueryPlan) -> QueryPlan:
    """The plan with ``MARK`` on objects of abstract types; the plan itself where it has none."""
    roots = tuple(replace(root, output=_Cut(None).output(root.output, ())) for root in plan.roots)
    return plan if roots == plan.roots else replace(plan, roots=roots)


def early(plan: QueryPlan, collected: Collected) -> QueryPlan:
    """The plan with only those outputs that are not deferred, marked as ``whole`` does."""
    cut = _Cut(collected)
    kept = collected.root_now
    roots = (Root(root.layer, cut.output(root.output, kept[root.output.place.key])) for root in plan.roots if root.output.place.key in kept)
    return replace(plan, roots=tuple(roots))


def needed(plan: QueryPlan) -> frozenset[int]:
    """Places in the plan's schedule of the units without which its outputs cannot be built."""
    steps: set[int] = set()
    for root in plan.roots:
        steps.add(root.layer)
        _steps(root.output, steps)
    above: list[set[int]] = [set() for _ in plan.schedule]
    for place, unit in enumerate(plan.schedule):
        for other in unit.feeds:
            above[other].add(place)
    pending = [place for place, unit in enumerate(plan.schedule) if any(step.id in steps for step in unit.steps)]
    found: set[int] = set()
    while pending:
        place = pending.pop()
        if place not in found:
            found.add(place)
            pending += above[place]
    return frozenset(found)


def _steps(part: object, found: set[int]) -> None:
    """The steps and layers (which share their numbers) that an output names anywhere inside."""
    match part:
        case Slot():
            found.add(part.step)
            return
        case tuple():
            for each in part:
                _steps(each, found)
            return
        case Mapping():
            for each in part.values():
                _steps(each, found)
            return
        case Presence():
            found.update(step for step in (part.found, part.screen) if step is not None)
        case Probe():
            found.update(() if part.step is None else (part.step,))
        case Rows() | Connection():
            found.add(part.layer)
        case List():
            found.update(part.outer)
    if dataclasses.is_dataclass(part) and not isinstance(part, type | Place):
        for each in dataclasses.fields(part):
            _steps(getattr(part, each.name), found)


class _Cut:
    """Copies outputs: all of them, with marks, or (``collected``) those that are not deferred."""

    def __init__(self, collected: Collected | None) -> None:
        self.collected = collected

    def output(self, output: Output, fields: Fields) -> Output:
        match output:
            case Object():
                return replace(output, **self._inside(output, output.place, fields))
            case List():
                return replace(output, rows=self._rows(output.rows, output.place, fields))
            case Choice():
                return replace(output, options=tuple(self.output(option, fields) for option in output.options))
            case Connection():
                return self._connection(output, fields)
            case _:
                return output

    def _inside(self, output: Object | Rows, place: Place, fields: Fields) -> dict[str, Any]:
        if output.typename is None:
            return {"children": self._children(output.children, get_named_type(place.type).name, fields)}
        return {"variants": {value: self._variant(concrete, fields) for value, concrete in output.variants.items()}}

    def _variant(self, concrete: Concrete, fields: Fields) -> Concrete:
        if not concrete.children:
            return concrete
        name = concrete.children[0].place.coordinate.partition(".")[0]
        mark = Constant(Place(MARK, f"{name}.__typename", TypeNameMetaFieldDef, 0), name)
        return replace(concrete, children=(mark, *self._children(concrete.children, name, fields)))

    def _children(self, children: tuple[Output, ...], kind: str, fields: Fields) -> tuple[Output, ...]:
        if self.collected is None:
            return tuple(self.output(child, ()) for child in children)
        kept = self.collected.now(kind, fields)
        return tuple(self.output(child, kept[child.place.key]) for child in children if child.place.key in kept)

    def _rows(self, rows: Rows, place: Place, fields: Fields) -> Rows:
        return replace(rows, **self._inside(rows, place, fields))

    def _connection(self, output: Connection, fields: Fields) -> Connection:
        kept = self._kept(output.place, fields)
        parts = []
        for part in output.fields:
            if kept is not None and part.place.key not in kept:
                continue
            below = () if kept is None else kept[part.place.key]
            inside = self._kept(part.place, below) if part.children else None
            children = tuple(
                (place, name, node if node is None else self._rows(node, place, () if inside is None else inside[place.key]))
                for place, name, node in part.children
                if inside is None or place.key in inside
            )
            rows = part.rows if part.rows is None else self._rows(part.rows, part.place, below)
            parts.append(replace(part, rows=rows, children=children))
        return replace(output, fields=tuple(parts))

    def _kept(self, place: Place, fields: Fields) -> Mapping[str, Fields] | None:
        return None if self.collected is None else self.collected.now(get_named_type(place.type).name, fields)
