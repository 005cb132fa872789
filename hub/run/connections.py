"""Connections of the answer: nodes, edges, page information and totals, for all parents at once.

Part of ``hub.run.assemble``; knows plans and layers and makes no calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from graphql import GraphQLOutputType

from hub.plan.outputs import Connection, Object, PageField, Place, Rows
from hub.run.layers import Fault, Layer, Paged, faults_at, spans_below
from hub.run.positions import Bad, Built, Elements, Path, PathOf, zipped


class Work(Protocol):
    """What a connection needs of the assembly around it: its layers, and how objects and positions are made."""

    layers: Mapping[int, Layer]

    def objects(self, layer: Layer, rows: Sequence[int], path: PathOf, output: Object | Rows) -> Elements: ...

    def settle(
        self, place: Place, kind: GraphQLOutputType, values: list[Any], path: PathOf, faults: Mapping[int, Fault], below: Bad
    ) -> Bad: ...

    def sliced(
        self,
        place: Place,
        values: list[Any],
        bad: Bad,
        faults: Mapping[int, Fault],
        spans: Sequence[range | None],
        path: PathOf,
    ) -> Built: ...


def connection(work: Work, output: Connection, rows: Sequence[int], path: PathOf) -> Built:
    layer = work.layers[output.layer]
    spans, below = spans_below(layer, rows)
    columns = []
    bad: Bad = {}
    pages = [layer.lists.get(row) for row in rows]
    for part in output.fields:
        values, lost = _page_field(work, part, layer, rows, spans, below, pages, path)
        columns.append(values)
        bad = lost | bad
    built = zipped([part.place.key for part in output.fields], columns, len(rows))
    values = [None if page is None else value for page, value in zip(pages, built, strict=True)]
    bad = {at: cause for at, cause in bad.items() if pages[at] is not None}
    return values, work.settle(output.place, output.place.type, values, lambda at: path(rows[at]), faults_at(layer, rows), bad)


def _page_field(
    work: Work,
    part: PageField,
    layer: Layer,
    rows: Sequence[int],
    spans: Sequence[range | None],
    below: Sequence[int],
    pages: Sequence[Paged | None],
    path: PathOf,
) -> Built:
    """One field of a connection for all its parents."""
    place = part.place

    def here(at: int) -> Path:
        return (*path(rows[at]), place.key)

    there = {row: at for at, row in enumerate(rows)}
    element: PathOf = lambda row: (*here(there[layer.parent[row]]), layer.index[row])  # noqa: E731
    if part.failure:
        live = {at: Fault(part.failure) for at, page in enumerate(pages) if page is not None}
        failed: list[Any] = [None if page is None else "" for page in pages]
        return failed, {at: bad for at, bad in work.settle(place, place.type, failed, here, live, {}).items() if at in live}
    match part.name:
        case "nodes":
            assert part.rows is not None
            values, bad, faults = work.objects(layer, below, element, part.rows)
        case "edges":
            values, bad = _edges(work, part, layer, below, element)
            faults = {}
        case "pageInfo":
            return [None if page is None else _page_info(part, layer, page) for page in pages], {}
        case "totalCount":
            return [None if page is None else page.total for page in pages], {}
        case _:
            return [place.coordinate.partition(".")[0]] * len(rows), {}
    sliced, lost = work.sliced(place, values, bad, faults, spans, here)
    lists: list[Any] = [[] if value is None else value for value in sliced]  # of a null connection nothing is shown
    return lists, work.settle(place, place.type, lists, here, {}, lost)


def _edges(work: Work, part: PageField, layer: Layer, rows: Sequence[int], path: PathOf) -> Built:
    columns: list[list[Any]] = []
    bad: Bad = {}
    for place, name, node in part.children:
        if name == "cursor":
            columns.append(_cursors(layer, rows))
        elif node is not None:
            at_node: PathOf = lambda row, key=place.key: (*path(row), key)  # type: ignore[misc] # noqa: E731
            values, below, faults = work.objects(layer, rows, at_node, node)
            bad = work.settle(place, place.type, values, lambda at, to=at_node: to(rows[at]), faults, below) | bad  # type: ignore[misc]
            columns.append(values)
        else:
            columns.append([place.coordinate.partition(".")[0]] * len(rows))
    return zipped([place.key for place, _, _ in part.children], columns, len(rows)), bad


def _cursors(layer: Layer, rows: Sequence[int]) -> list[Any]:
    return layer.cursors(rows) if layer.cursors is not None and len(rows) else []


def _page_info(part: PageField, layer: Layer, page: Paged) -> dict[str, Any]:
    named = any(name in ("startCursor", "endCursor") for _, name, _ in part.children)
    ends = _cursors(layer, [page.rows[0], page.rows[-1]]) if named and page.rows else [None, None]
    values = {
        "hasNextPage": page.has_next,
        "hasPreviousPage": page.has_previous,
        "startCursor": ends[0],
        "endCursor": ends[1],
        "__typename": "PageInfo",
    }
    return {place.key: values[name] for place, name, _ in part.children}
