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

from hub.plan.model import QueryPlan
from hub.plan.outputs import Choice, Connection, Constant, Failure, Leaf, List, Object, Output, Place, Root, Rows
from hub.plan.slots import Presence, Slot
from hub.run.choices import built
from hub.run.connections import connection
from hub.run.convert import BAD
from hub.run.kinds import depth, whole
from hub.run.layers import Fault, Layer, faults_at, present, reading, spans_below
from hub.run.positions import BAD_VALUE, Bad, Built, Elements, Located, Path, PathOf, Positions, element, zipped
from hub.run.quality import Notices
from hub.run.slices import convert, slice_of, turn, weight
from schema.identifiers import QUALITY

NOTHING = Presence()


@dataclass(slots=True)
class Assembled:
    """The answer's ``data``, its errors in the order of their discovery, and what was noticed about values."""

    data: dict[str, Any] | None
    errors: list[Located]
    notices: Notices


def assemble(plan: QueryPlan, layers: Mapping[int, Layer], propagates: bool = True) -> Assembled:
    """The data of all root fields, in response order. ``propagates``: whether a null that may not be one empties what is above it."""
    work = _Assembly(layers, propagates)
    return work.finished([(root, work.value(root.output, layers[root.layer], range(1), root_path(root))) for root in plan.roots])


async def assemble_large(plan: QueryPlan, layers: Mapping[int, Layer], propagates: bool = True) -> Assembled:
    """``assemble`` with turns for others in between; for answers of more than ``slices.LARGE`` rows."""
    await convert(plan, layers)
    work = _Assembly(layers, propagates)
    found = []
    for root in plan.roots:
        output, path = root.output, root_path(root)
        if isinstance(output, List) and not output.outer:
            step = slice_of(layers[output.rows.layer].size, weight(layers))
            found.append((root, await work.in_slices(output, range(1), path, step)))
        else:
            found.append((root, work.value(output, layers[root.layer], range(1), path)))
            await turn()
    return work.finished(found)


def told(output: Output, layers: Mapping[int, Layer], layer: Layer, rows: Sequence[int]) -> tuple[list[Any], dict[int, Fault]]:
    """One field over some rows of a layer, for other uses than an answer: its values, and the first fault of each row."""
    work = _Assembly(layers, True)
    values, bad = work.value(output, layer, rows, lambda row: (row,))
    faults: dict[int, Fault] = {}
    for error in (*bad.values(), *work.errors):
        faults.setdefault(int(error.path[0]), error.fault)
    return values, faults


def root_path(root: Root) -> PathOf:
    key = root.output.place.key
    return lambda _: (key,)


class _Assembly(Positions):
    def __init__(self, layers: Mapping[int, Layer], propagates: bool) -> None:
        super().__init__(propagates)
        self.layers = layers
        self.notices = Notices()
        self._present: dict[tuple[int, int], tuple[list[bool] | None, dict[int, Fault]]] = {}

    def finished(self, roots: Sequence[tuple[Root, Built]]) -> Assembled:
        """All of it: no data at all where a root field that may not be null is."""
        data = {root.output.place.key: values[0] for root, (values, _) in roots}
        cause = next((bad[0] for _, (_, bad) in roots if bad), None)
        if cause is not None:
            self.nulled[()] = cause
        return Assembled(data if cause is None else None, self.kept(), self.notices)

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
                return connection(self, output, rows, path)
            case Constant():
                return [output.value] * len(rows), {}
            case Failure():
                return self.failure(output.place, output.code, rows, path)
            case Choice():
                return built(output, layer, rows, path, self.value)

    def failure(self, place: Place, code: str, rows: Sequence[int], path: PathOf) -> Built:
        values: list[Any] = [None] * len(rows)
        return values, self.settle(place, place.type, values, lambda at: path(rows[at]), dict.fromkeys(range(len(rows)), Fault(code)), {})

    def leaf(self, output: Leaf, layer: Layer, rows: Sequence[int], path: PathOf) -> Built:
        place, kind = output.place, output.place.type
        how, column = reading(output.slot), layer.canonical(output.slot)
        missing = layer.missing(output.slot)
        values = column.values if len(rows) == layer.size else list(map(column.values.__getitem__, rows))
        if how.name in QUALITY:
            self.notices.look(place.coordinate, how.name, values)
        sound = not missing and not column.flawed
        if sound and (not how.demands or (column.full and not how.depth) or whole(values, kind)):
            return values, {}
        values = list(values)
        faults = {at: missing[row] for at, row in enumerate(rows) if row in missing} if missing else {}
        if column.flawed:
            faults |= {at: BAD_VALUE for at, value in enumerate(values) if value is BAD and at not in faults}
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

    def present(self, layer: Layer, presence: Presence) -> tuple[list[bool] | None, dict[int, Fault]]:
        """``layers.present``, once for each layer."""
        if presence == NOTHING:
            return None, {}
        key = (id(layer), id(presence))
        if key not in self._present:
            self._present[key] = present(layer, presence)
        return self._present[key]

    def objects(self, layer: Layer, rows: Sequence[int], path: PathOf, output: Object | Rows) -> Elements:
        """One dict or None per row; which are bad from below; which have a fault of their own (then None)."""
        alive, lost = self.present(layer, output.presence)
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
    ) -> Elements:
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
            there, lost = self.present(layer, concrete.presence)
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
        if output.outer:
            return self.nested(output, rows, path)
        layer = self.layers[output.rows.layer]
        spans, below = spans_below(layer, rows)
        return self.listed(output, rows, path, spans, self.objects(layer, below, _element_path(layer, path), output.rows))

    def listed(self, output: List, rows: Sequence[int], path: PathOf, spans: Sequence[range | None], elements: Elements) -> Built:
        """Elements of all parents, put into the list of each."""
        values, bad, faults = elements
        found, lost = self.sliced(output.place, values, bad, faults, spans, lambda at: path(rows[at]))
        own = faults_at(self.layers[output.rows.layer], rows)
        if not own and not lost and not is_non_null_type(output.place.type):
            return found, {}
        return found, self.settle(output.place, output.place.type, found, lambda at: path(rows[at]), own, lost)

    def nested(self, output: List, rows: Sequence[int], path: PathOf) -> Built:
        """Lists of lists."""
        place, layers = output.place, [self.layers[number] for number in (*output.outer, output.rows.layer)]
        kinds, tiers, paths = [place.type], [rows], [path]
        spans = []
        for layer in layers:  # down to the elements of the innermost lists
            span, below = spans_below(layer, tiers[-1])
            spans.append(span)
            tiers.append(below)
            kinds.append(element(kinds[-1]))
            paths.append(_element_path(layer, paths[-1]))
        values, bad, faults = self.objects(layers[-1], tiers[-1], paths[-1], output.rows)
        for level in reversed(range(len(layers))):  # and up again, one list around the other
            here, kind = tiers[level], kinds[level + 1]
            at_path = lambda at, here=here, way=paths[level]: way(here[at])  # noqa: E731
            values, bad = self.sliced(place, values, bad, faults, spans[level], at_path, kind)
            faults = faults_at(layers[level], here)
        return values, self.settle(place, place.type, values, lambda at: path(rows[at]), faults, bad)

    async def in_slices(self, output: List, rows: Sequence[int], path: PathOf, step: int) -> Built:
        """``lists`` for very many elements: others have their turn after each ``step`` of them."""
        layer = self.layers[output.rows.layer]
        spans, below = spans_below(layer, rows)
        values: list[Any] = []
        bad: Bad = {}
        faults: dict[int, Fault] = {}
        for start in range(0, len(below), step):
            some, lost, own = self.objects(layer, below[start : start + step], _element_path(layer, path), output.rows)
            values += some
            bad |= {start + at: cause for at, cause in lost.items()}
            faults |= {start + at: fault for at, fault in own.items()}
            await turn()
        return self.listed(output, rows, path, spans, (values, bad, faults))


def _element_path(layer: Layer, path: PathOf) -> PathOf:
    return lambda row: (*path(layer.parent[row]), layer.index[row])
