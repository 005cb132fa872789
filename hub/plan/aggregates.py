"""Figures of many entities: one step that groups the rows of a scan, and the outputs that read its columns.

Knows positions and the registry; nothing of how figures are computed.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphql import get_named_type

from hub.plan.draft import Draft, place_of
from hub.plan.listing import coordinates_on, listing, used_names
from hub.plan.model import FIGURE, Figures, Scan
from hub.plan.operation import Selected
from hub.plan.outputs import Constant, Failure, Leaf, List, Object, Output, Rows
from hub.plan.slots import Presence, Slot
from schema.registry import Aggregated

Served = tuple[tuple[str, str], ...]  # (function, path)
FUNCTIONS = {"sum": "SUM", "min": "MIN", "max": "MAX"}


def aggregated(draft: Draft, selected: Selected) -> Output:
    """The figures that ``selected`` asks for, as a list of groups."""
    place = place_of(selected)
    named = get_named_type(selected.type).name
    of = draft.registry.aggregates[named]
    bindings = draft.registry.scans.get(selected.coordinate) or draft.registry.scans.get(of.node, ())
    if not bindings:
        return Failure(place, "NOT_BOUND")
    binding, step = bindings[0], draft.next_id()
    level = draft.level(step, step, binding)
    children = selected.children[named]
    groups = {name: of.groups[name] for name in used_names(selected, "groupBy", of.groups)}
    measures = tuple(dict.fromkeys(_measures(draft, of, children)))
    also = frozenset((*groups.values(), *(path for _, path in measures)))
    found = listing(draft, selected, of.node, binding, level, binding.fields, pages=False, also=also)
    scan = Scan(step, binding, selected, of.node, found, pages=False)
    served = tuple(one for one in measures if one[1] in found.terms)
    draft.steps.append(Figures(step, scan, groups, frozenset(of.figures.get("group", {}).values()), served))
    outputs = tuple(_output(draft, of, step, served, child) for child in children)
    return List(place, Rows(step, Presence(), outputs))


def _measures(draft: Draft, of: Aggregated, children: tuple[Selected, ...]) -> Iterator[tuple[str, str]]:
    for child in children:
        if child.name in FUNCTIONS and child.coordinate not in draft.denied:
            for one in child.children[get_named_type(child.type).name]:
                path = of.figures[child.name].get(one.name)
                if path is not None and one.coordinate not in draft.denied and _visible(draft, of, path):
                    yield FUNCTIONS[child.name], path


def _visible(draft: Draft, of: Aggregated, path: str) -> bool:
    return draft.denied.isdisjoint(coordinates_on(draft.schema, of.node, path))


def _output(draft: Draft, of: Aggregated, step: int, served: Served, child: Selected) -> Output:
    place = place_of(child)
    if child.name == "__typename":
        return Constant(place, child.parent)
    if child.coordinate in draft.denied:
        return Failure(place, "FORBIDDEN")
    if child.name == "count":
        return Leaf(place, Slot(step, "count", child.type))
    inner = child.children[get_named_type(child.type).name]
    return Object(place, Presence(), tuple(_figure(draft, of, step, served, child.name, one) for one in inner))


def _figure(draft: Draft, of: Aggregated, step: int, served: Served, kind: str, one: Selected) -> Output:
    place = place_of(one)
    if one.name == "__typename":
        return Constant(place, one.parent)
    path = of.figures[kind][one.name]
    if one.coordinate in draft.denied or not _visible(draft, of, path):
        return Failure(place, "FORBIDDEN")
    if kind == "group":
        return Leaf(place, Slot(step, f"group.{path}", one.type))
    measure = (FUNCTIONS[kind], path)
    if measure not in served:
        return Failure(place, "NOT_BOUND")
    return Leaf(place, Slot(FIGURE + served.index(measure), f"{kind}.{path}", one.type))
