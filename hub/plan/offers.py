"""Which graph is asked for a field: who can be asked from where an object stands, and who of them is.

Decided field by field for one object, never by trying plans: those first that only one graph has, then whoever is asked anyway, then
whoever tells the most. Makes no steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hub.plan.doors import Door, Doors, Provided, Way
from hub.plan.operation import Selected
from hub.plan.spots import Spot, View
from schema.federation.model import Federation, Part

FAR = 1000  # the round of what is asked again by the field above


class Offers:
    """What the graphs of a federation offer for objects."""

    def __init__(self, federation: Federation) -> None:
        self.federation = federation
        self.doors = Doors.of(federation)
        self._depths: dict[tuple[str, str, str, int, Provided], tuple[int, Selected]] = {}
        self._leads: dict[tuple[str, str, str, int, Provided], tuple[bool, Selected]] = {}  # with the selection, so that it stays

    def look(self, spot: Spot) -> None:
        """Find the ways out of a spot, once."""
        if not spot.ways and not spot.is_root:
            hosted = frozenset(filter(spot.host.has, self.doors.leaves(spot.type))) if spot.host is not None else frozenset()
            spot.ways = self.doors.ways(spot.type, {(view.graph, view.kind): view.provided for view in spot.views}, hosted)

    def at_hand(self, spot: Spot, name: str) -> View | None:
        """A view that came with the rows and has the field."""
        for view in spot.views:
            part = self.part(view, name)
            if part is not None and not part.requires:
                return view
        return None

    def hosted(self, spot: Spot, selected: Selected) -> bool:
        """Whether a plain field is had from whoever tells of the object."""
        return spot.host is not None and not selected.children and spot.host.has(selected.name)

    def part(self, view: View, name: str) -> Part | None:
        return self.doors.part(view.graph, view.kind, name, view.provided)

    def of(self, spot: Spot, name: str) -> dict[str, int]:
        """The graphs that can be asked for a field, and in which round."""
        if spot.is_root:
            return {graph: 0 for graph in self.federation.graphs if self.doors.part(graph, spot.type, name)}
        found: dict[str, int] = {}
        for graph, ways in spot.ways.items():
            way = next((way for way in ways if self.doors.part(graph, way.door.kind, name)), None)
            if way is not None and way.round < FAR:
                found[graph] = way.round
        for graph in self.around(spot) if not found else ():
            kind = self.kind_beside(spot, graph)
            part = self.doors.part(graph, kind, name) if kind else None
            if part is not None and not part.requires:
                found[graph] = FAR
        return found or self._further(spot, name)

    def _further(self, spot: Spot, name: str) -> dict[str, int]:
        """The graphs that can be asked for a field by keys that only those have that the field above can be asked of."""
        if spot.aside is None:
            beside = {(graph, kind): () for graph in self.around(spot) if (kind := self.kind_beside(spot, graph))}
            spot.aside = frozenset(graph for graph, _ in beside)
            here = {(view.graph, view.kind): view.provided for view in spot.views}
            for graph, ways in (self.doors.ways(spot.type, beside | here) if beside else {}).items():
                known = spot.ways.get(graph, ())
                more = tuple(Way(FAR + 1 + way.round, way.door) for way in ways if way.door not in {each.door for each in known})
                spot.ways = {**spot.ways, graph: (*known, *more)}
        found = {graph: self.door(spot, graph, name) for graph in spot.ways}
        return {graph: next(way.round for way in spot.ways[graph] if way.door == door) for graph, door in found.items() if door is not None}

    def door(self, spot: Spot, graph: str, name: str, before: int | None = None) -> Door | None:
        """The door to a graph that has the field; the earliest there is."""
        for way in spot.ways.get(graph, ()):
            part = self.doors.part(graph, way.door.kind, name) if before is None or way.round < before else None
            if part is not None and (way.round < FAR or part.requires or graph not in (spot.aside or ())):
                return way.door
        return None

    def around(self, spot: Spot) -> list[str]:
        """The other graphs that the field above can be asked of."""
        if spot.origin is None:
            return []
        above, name = spot.origin.spot, spot.origin.selected.name
        known = {view.graph for view in spot.views}
        self.look(above)
        at_hand = [view.graph for view in above.views if self.part(view, name)]
        return [graph for graph in dict.fromkeys((*at_hand, *self._all(above, name))) if graph not in known]

    def _all(self, spot: Spot, name: str) -> Iterable[str]:
        """All graphs that can be asked for a field, by key or by the field above it."""
        return dict.fromkeys((*self.of(spot, name), *(graph for graph in self.around(spot) if self.kind_beside(spot, graph))))

    def kind_beside(self, spot: Spot, graph: str) -> str:
        """The name that a graph has for the object, where it is asked for the field above; empty if that brings none."""
        assert spot.origin is not None
        above, selected = spot.origin.spot, spot.origin.selected
        names = [view.kind for view in above.views if view.graph == graph]
        names += [way.door.kind for way in above.ways.get(graph, ())] or [above.type]
        for name in names:
            part = self.doors.part(graph, name, selected.name)
            if part is not None:
                kind = self.federation.kind(graph, part.named)
                if kind is not None and kind.stands:
                    return part.named
                return spot.type if spot.type in self.doors.members(graph, part.named) else ""
        return ""

    def earliest(self, spot: Spot, selected: Selected, before: int) -> str | None:
        """Of the graphs that can be asked before a round the first, one that is asked anyway if there is any."""
        self.look(spot)
        offers = {graph: round_ for graph, round_ in self.of(spot, selected.name).items() if round_ < before}
        asked = {graph for graph, _ in spot.entered}
        return min(offers, key=lambda graph: (graph not in asked, offers[graph], graph), default=None)

    def leads_on(self, graph: str, kind: str, selected: Selected, provided: Provided = ()) -> bool:
        """Whether all below a field is had from there on: from the graph itself, or by keys of what it tells; never by what is above.

        What is asked alike of many types has one selection below it, and is looked at once for each of them, however deep.
        """
        name = (graph, kind, selected.name, id(selected.children), provided)
        if name not in self._leads:
            self._leads[name] = self._leads_on(graph, kind, selected, provided), selected
        return self._leads[name][0]

    def _leads_on(self, graph: str, kind: str, selected: Selected, provided: Provided) -> bool:
        part = self.doors.part(graph, kind, selected.name, provided)
        named = self.federation.kind(graph, part.named) if part is not None else None
        if part is None or part.requires or (named is not None and named.stands):
            return False
        inner = self.doors.within(graph, kind, part, provided)
        for member in self.doors.members(graph, part.named):
            for one in selected.children.get(member, ()):
                if one.name == "__typename" or self.leads_on(graph, member, one, inner):
                    continue
                ways = self.doors.ways(member, {(graph, member): inner})
                if not any(self.doors.part(way.door.graph, way.door.kind, one.name) for some in ways.values() for way in some):
                    return False
        return True

    # -- choosing ------------------------------------------------------------------------------------------------

    def choose(self, spot: Spot, selections: Sequence[Selected]) -> list[str]:
        """Say of each field that is not at hand which graph is asked for it; the fields that this was said of now."""
        self.look(spot)
        wanted: dict[str, list[Selected]] = {}
        for one in selections:
            if one.name not in spot.chosen and self.at_hand(spot, one.name) is None and not self.hosted(spot, one):
                wanted.setdefault(one.name, []).append(one)
        offers = {name: self._leading(spot, found, some) for name, some in wanted.items() if (found := self.of(spot, name))}
        asked = {graph for graph, _ in spot.entered} | set(spot.chosen.values())
        for name, found in offers.items():
            if len(found) == 1:
                spot.chosen[name] = next(iter(found))
                asked.add(spot.chosen[name])
        tells = {name: {graph: self._tells(spot, graph, wanted[name]) for graph in found} for name, found in offers.items()}
        while left := [name for name in offers if name not in spot.chosen]:
            best = self._best(left, offers, tells, asked)
            asked.add(best)
            for name in left:
                if best in offers[name]:
                    spot.chosen[name] = max(offers[name], key=lambda graph: (tells[name][graph], graph in asked, graph == best))
                    asked.add(spot.chosen[name])
        return list(offers)

    def _leading(self, spot: Spot, found: dict[str, int], selections: Sequence[Selected]) -> dict[str, int]:
        """Of the graphs that can be asked for a field those from which all below it is had; all, where none is such."""
        if len(found) < 2 or not any(one.children for one in selections):
            return found
        leading = {
            graph: round_
            for graph, round_ in found.items()
            if all(self.leads_on(graph, self._kind(spot, graph, one.name), one) for one in selections)
        }
        return leading or found

    def _kind(self, spot: Spot, graph: str, name: str) -> str:
        door = self.door(spot, graph, name)
        return door.kind if door is not None else spot.type

    def _best(
        self, left: Sequence[str], offers: Mapping[str, Mapping[str, int]], tells: Mapping[str, Mapping[str, int]], asked: set[str]
    ) -> str:
        """Of the graphs that have some of the fields ``left`` the one to ask."""

        def worth(graph: str) -> tuple[int, bool, int, str]:
            there = [name for name in left if graph in offers[name]]
            return min(offers[name][graph] for name in there), graph not in asked, -sum(tells[name][graph] for name in there), graph

        return min({graph for name in left for graph in offers[name]}, key=worth)

    def _tells(self, spot: Spot, graph: str, selections: Iterable[Selected]) -> int:
        """How many leaves of some fields a graph tells by itself."""
        kinds = [way.door.kind for way in spot.ways.get(graph, ())] or [spot.type]
        return sum(max(self._depth(graph, kind, one) for kind in kinds) for one in selections)

    def _depth(self, graph: str, kind_name: str, selected: Selected, provided: Provided = ()) -> int:
        """How many of the leaves below a field a graph tells by itself."""
        part = self.doors.part(graph, kind_name, selected.name, provided)
        if part is None or not selected.children:
            return int(part is not None)
        name = (graph, kind_name, selected.name, id(selected.children), provided)
        if name not in self._depths:
            inner = self.doors.within(graph, kind_name, part, provided)
            found = 0
            for member in self.doors.members(graph, part.named):
                for one in selected.children.get(member, ()):
                    found += 1 if one.name == "__typename" else self._depth(graph, member, one, inner)
            self._depths[name] = found, selected
        return self._depths[name][0]
