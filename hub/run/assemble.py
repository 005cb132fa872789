"""From layers to the answer's data: a whole column of positions at a time, nulls and errors exactly as GraphQL wants them.

Every output node is built for all its rows at once and passes on the rows it leaves *bad*: null where null may not be. Those become
null at the nearest nullable position above (GraphQL specification, October 2021, §6.4.4), which keeps the one error that caused it and
loses the others below. Knows plans and layers; makes no calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLOutputType, is_non_null_type

from hub.plan.model import Connection, Constant, Failure, Leaf, List, Object, Output, PageField, Place, Presence, QueryPlan, Rows, Slot
from hub.run.convert import BAD, depth, named
from hub.run.layers import Fault, Layer, Paged, present
from hub.run.positions import BAD_VALUE, Bad, Built, Located, Path, PathOf, Positions, element, zipped
from hub.run.quality import Notices


@dataclass(slots=True)
class Assembled:
    """The answer's ``data``, its errors in the order of their discovery, and what was noticed about values."""

    data: dict[str, Any] | None
    errors: list[Located]
    notices: Notices


def assemble(plan: QueryPlan, layers: Mapping[int, Layer]) -> Assembled:
    """The data of all root fields, in response order."""
    work = _Assembly(layers)
    data: dict[str, Any] = {}
    cause: Located | None = None
    for root in plan.roots:
        key = root.output.place.key
        values, bad = work.value(root.output, layers[root.layer], range(1), lambda _, key=key: (key,))  # type: ignore[misc]
        cause = cause or bad.get(0)
        data[key] = values[0]
    if cause is not None:
        work.nulled[()] = cause
    return Assembled(data if cause is None else None, work.kept(), work.notices)


class _Assembly(Positions):
    def __init__(self, layers: Mapping[int, Layer]) -> None:
        super().__init__()
        self.layers = layers
        self.notices = Notices()

    # -- one field over many rows --------------------------------------------------------------------------------

    def value(self, output: Output, layer: Layer, rows: Sequence[int], path: PathOf) -> Built:
        match output:
            case Leaf():
                return self.leaf(output, layer, rows, path)
            case Object():
                return self.object(output, layer, rows, path)
            case List():
                return self.lists(output, rows, path)
            case Connection():
                return self.connection(output, rows, path)
            case Constant():
                return [output.value] * len(rows), {}
            case Failure():
                return self.failure(output.place, output.code, rows, path)

    def failure(self, place: Place, code: str, rows: Sequence[int], path: PathOf) -> Built:
        values: list[Any] = [None] * len(rows)
        return values, self.settle(place, place.type, values, lambda at: path(rows[at]), dict.fromkeys(range(len(rows)), Fault(code)), {})

    def leaf(self, output: Leaf, layer: Layer, rows: Sequence[int], path: PathOf) -> Built:
        place, kind = output.place, output.place.type
        column = layer.canonical(output.slot)
        missing = layer.faults_of(output.slot.step)
        values = column.values if len(rows) == layer.size else [column.values[row] for row in rows]
        self.notices.look(place.coordinate, named(kind).name, values)
        if not missing and not column.flawed and ((column.full and not depth(kind)) or not _demands(kind)):
            return values, {}
        values = list(values)
        faults = {at: missing[row] for at, row in enumerate(rows) if row in missing} if missing else {}
        if column.flawed:
            faults |= {at: BAD_VALUE for at, value in enumerate(values) if value is BAD}
        below: Bad = {}
        if depth(kind):
            for at, value in enumerate(values):
                if isinstance(value, list):
                    values[at], cause = self.elements(place, element(kind), value, path(rows[at]))
                    below |= {at: cause} if cause is not None else {}
        return values, self.settle(place, kind, values, lambda at: path(rows[at]), faults, below)

    def elements(self, place: Place, kind: GraphQLOutputType, values: list[Any], path: Path) -> tuple[list[Any], Located | None]:
        """The elements of one list of leaves; the error that takes the whole list away, if there is one."""
        values = list(values)
        faults = {at: BAD_VALUE for at, value in enumerate(values) if value is BAD}
        below: Bad = {}
        if depth(kind):
            for at, value in enumerate(values):
                if isinstance(value, list):
                    values[at], cause = self.elements(place, element(kind), value, (*path, at))
                    below |= {at: cause} if cause is not None else {}
        bad = self.settle(place, kind, values, lambda at: (*path, at), faults, below)
        return values, bad[min(bad)] if bad else None

    # -- objects -------------------------------------------------------------------------------------------------

    def object(self, output: Object, layer: Layer, rows: Sequence[int], path: PathOf) -> Built:
        place = output.place
        values, below, faults = self.objects(layer, rows, path, output)
        if not below and not faults and not is_non_null_type(place.type):
            return values, {}
        return values, self.settle(place, place.type, values, lambda at: path(rows[at]), faults, below)

    def objects(self, layer: Layer, rows: Sequence[int], path: PathOf, output: Object | Rows) -> tuple[list[Any], Bad, dict[int, Fault]]:
        """One dict or None per row; which are bad from below; which have a fault of their own (then None)."""
        alive, lost = present(layer, output.presence) if output.presence != Presence() else (None, {})
        faults = {at: lost[row] for at, row in enumerate(rows) if row in lost} if lost else {}
        if output.typename is not None:
            return self.variants(layer, rows, path, output, output.typename, alive, faults)
        if alive is None or (len(rows) == layer.size and all(alive)):
            values, below = self.dicts(output.children, layer, rows, path)
            return values, below, faults
        places = [at for at, row in enumerate(rows) if alive[row]]
        values, below = self.scattered(output.children, layer, rows, path, places)
        return values, below, faults

    def variants(
        self,
        layer: Layer,
        rows: Sequence[int],
        path: PathOf,
        output: Object | Rows,
        typename: Slot,
        alive: list[bool] | None,
        faults: dict[int, Fault],
    ) -> tuple[list[Any], Bad, dict[int, Fault]]:
        """Objects of an abstract type: each concrete type's rows are built together."""
        names = layer.native(typename)
        values: list[Any] = [None] * len(rows)
        below: Bad = {}
        by_type: dict[str, list[int]] = {}
        for at, row in enumerate(rows):
            if alive is None or alive[row]:
                by_type.setdefault(str(names[row]), []).append(at)
        for name, places in by_type.items():
            concrete = output.variants.get(name)
            if concrete is None:
                faults |= dict.fromkeys(places, BAD_VALUE)
                continue
            there, lost = present(layer, concrete.presence)
            faults |= {at: lost[rows[at]] for at in places if rows[at] in lost} if lost else {}
            places = places if there is None else [at for at in places if there[rows[at]]]
            built, bad = self.scattered(concrete.children, layer, rows, path, places)
            below |= bad
            for at in places:
                values[at] = built[at]
        return values, below, faults

    def scattered(self, children: Sequence[Output], layer: Layer, rows: Sequence[int], path: PathOf, places: Sequence[int]) -> Built:
        """Dicts at some of the positions, None at the others."""
        values: list[Any] = [None] * len(rows)
        built, bad = self.dicts(children, layer, [rows[at] for at in places], path)
        for at, value in zip(places, built, strict=True):
            values[at] = value
        return values, {places[at]: cause for at, cause in bad.items()}

    def dicts(self, children: Sequence[Output], layer: Layer, rows: Sequence[int], path: PathOf) -> Built:
        """One dict per row out of the columns of its fields; the first error of a row is what made it bad."""
        columns = []
        bad: Bad = {}
        for child in children:
            values, lost = self.value(child, layer, rows, lambda row, key=child.place.key: (*path(row), key))  # type: ignore[misc]
            columns.append(values)
            bad = lost | bad
        return zipped([child.place.key for child in children], columns, len(rows)), bad

    # -- lists and connections -----------------------------------------------------------------------------------

    def lists(self, output: List, rows: Sequence[int], path: PathOf) -> Built:
        layer = self.layers[output.rows.layer]
        spans, below = _spans(layer, rows)
        values, bad, faults = self.objects(layer, below, _element_path(layer, path), output.rows)
        found, lost = self.sliced(output.place, values, bad, faults, spans, lambda at: path(rows[at]))
        return found, self.settle(output.place, output.place.type, found, lambda at: path(rows[at]), _faults(layer, rows), lost)

    def connection(self, output: Connection, rows: Sequence[int], path: PathOf) -> Built:
        layer = self.layers[output.layer]
        spans, below = _spans(layer, rows)
        columns = []
        bad: Bad = {}
        pages = [layer.lists.get(row) for row in rows]
        for part in output.fields:
            values, lost = self.page_field(part, layer, rows, spans, below, pages, path)
            columns.append(values)
            bad = lost | bad
        built = zipped([part.place.key for part in output.fields], columns, len(rows))
        values = [None if page is None else value for page, value in zip(pages, built, strict=True)]
        bad = {at: cause for at, cause in bad.items() if pages[at] is not None}
        return values, self.settle(output.place, output.place.type, values, lambda at: path(rows[at]), _faults(layer, rows), bad)

    def page_field(
        self,
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
            return failed, {at: bad for at, bad in self.settle(place, place.type, failed, here, live, {}).items() if at in live}
        match part.name:
            case "nodes":
                assert part.rows is not None
                values, bad, faults = self.objects(layer, below, element, part.rows)
            case "edges":
                values, bad = self.edges(part, layer, below, element)
                faults = {}
            case "pageInfo":
                return [None if page is None else _page_info(part, layer, page) for page in pages], {}
            case "totalCount":
                return [None if page is None else page.total for page in pages], {}
            case _:
                return [place.coordinate.partition(".")[0]] * len(rows), {}
        sliced, lost = self.sliced(place, values, bad, faults, spans, here)
        lists: list[Any] = [[] if value is None else value for value in sliced]  # of a null connection nothing is shown
        return lists, self.settle(place, place.type, lists, here, {}, lost)

    def edges(self, part: PageField, layer: Layer, rows: Sequence[int], path: PathOf) -> Built:
        columns: list[list[Any]] = []
        bad: Bad = {}
        for place, name, node in part.children:
            if name == "cursor":
                columns.append(_cursors(layer, rows))
            elif node is not None:
                at_node: PathOf = lambda row, key=place.key: (*path(row), key)  # type: ignore[misc] # noqa: E731
                values, below, faults = self.objects(layer, rows, at_node, node)
                bad = self.settle(place, place.type, values, lambda at, to=at_node: to(rows[at]), faults, below) | bad  # type: ignore[misc]
                columns.append(values)
            else:
                columns.append([place.coordinate.partition(".")[0]] * len(rows))
        return zipped([place.key for place, _, _ in part.children], columns, len(rows)), bad


def _demands(kind: GraphQLOutputType) -> bool:
    """Whether a type, or any element of it, may not be null: only then do nulls have to be looked for."""
    return is_non_null_type(kind) or (depth(kind) > 0 and _demands(element(kind)))


def _spans(layer: Layer, rows: Sequence[int]) -> tuple[list[range | None], Sequence[int]]:
    """For each row above, where its list lies in the rows below that are to be built; and those rows."""
    found: list[range | None] = []
    below: list[int] = []
    for row in rows:
        page = layer.lists.get(row)
        if page is None:
            found.append(None)
        else:
            found.append(range(len(below), len(below) + len(page.rows)))
            below.extend(page.rows)
    return found, range(layer.size) if len(below) == layer.size else below


def _element_path(layer: Layer, path: PathOf) -> PathOf:
    return lambda row: (*path(layer.parent[row]), layer.index[row])


def _faults(layer: Layer, rows: Sequence[int]) -> dict[int, Fault]:
    return {at: layer.faults[row] for at, row in enumerate(rows) if row in layer.faults} if layer.faults else {}


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
