"""Where what systems bind and what graphs tell are of one object: from the one to the other, by its key.

An object that a table or a service has may have fields that a graph tells, and the other way round. Knows positions and spots.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphql import is_leaf_type

from connectors.columns import shown
from connectors.spi import Field
from hub.plan.draft import Carried, Draft, Level, Position
from hub.plan.graphs import Graphs
from hub.plan.objects import Objects
from hub.plan.operation import Selected
from hub.plan.outputs import Output
from hub.plan.providers import sources
from hub.plan.spots import Spot
from schema.registry import Served


@dataclass(frozen=True, slots=True)
class _Host:
    """A position as the spot of graphs."""

    objects: Objects
    position: Position

    def has(self, name: str) -> bool:
        return self.position.reach.has(name)

    def tell(self, selected: Selected) -> Output:
        return self.objects.output(self.position, selected)


class Bridge:
    """Between ``objects`` and ``graphs`` of one draft."""

    def __init__(self, draft: Draft, objects: Objects, graphs: Graphs) -> None:
        self.draft = draft
        self.objects = objects
        self.graphs = graphs
        objects.bridge = graphs.bridge = self
        self._spots: dict[int, tuple[Position, Spot]] = {}
        self._positions: dict[int, tuple[Spot, Position | None]] = {}

    def told(self, position: Position, selected: Selected) -> Output | None:
        """A field that a graph tells of an object at a position; None where none can be asked."""
        if id(position) not in self._spots:
            host = _Host(self.objects, position)
            self._spots[id(position)] = position, Spot(position.type, position.layer, [], position.when, host=host)
        spot = self._spots[id(position)][1]
        self.graphs.offers.look(spot)
        if not self.graphs.offers.of(spot, selected.name):
            return None
        return self.graphs.fields(spot, (selected,))[0]

    def bound(self, spot: Spot, selected: Selected) -> Output | None:
        """A field that systems serve of an object that graphs tell of; None where its key is not at hand, or nobody serves it."""
        if id(spot) not in self._positions:
            self._positions[id(spot)] = spot, self._position(spot)
        position = self._positions[id(spot)][1]
        if position is None or not any(sources(self.draft.registry, spot.type, selected.name, position.reach, self.draft.asked)):
            return None
        return self.objects.output(position, selected)

    def _position(self, spot: Spot) -> Position | None:
        """The object by the first key that its rows carry."""
        for key in self.draft.registry.keys.get(spot.type, ()):
            carried = {name: found for name in key if (found := self._carried(spot, name)) is not None}
            if len(carried) == len(key):
                return self.draft.position(spot.layer, spot.type, carried, spot.when)
        return None

    def _carried(self, spot: Spot, name: str) -> Carried | None:
        view = self.graphs.offers.at_hand(spot, name)
        part = self.graphs.offers.part(view, name) if view is not None else None
        if view is None or part is None or not is_leaf_type(self.graphs.federation.schema.type_map[part.named]):
            return None
        (selected,) = self.graphs.doors.selected(spot.type, name)
        _, here = self.graphs.column(view, selected, part)
        binding = self.draft.registry.gates[view.graph].entities
        fields = {here: Field(here, shown(here)[1])}
        level = Level(view.step, view.source, fields, binding, view.above.removesuffix(view.here))
        return Carried(Served(name, column=here), view.step, level)
