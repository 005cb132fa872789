"""Fields that the graphs of a federation tell: where each is had from, and by which calls. Fills the same draft as all else.

A ``Spot`` is an object in a layer, with the views that graphs have of it in rows at hand. What no view has is fetched: by a key, from
``hub.plan.doors``; or, for an object that has none, by the field that led to it, asked of another graph. A graph is asked for an object
once for all the fields that can be asked for at the same depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from graphql import GraphQLEnumType, GraphQLString, get_named_type, is_leaf_type, is_non_null_type, is_specified_scalar_type

from connectors.columns import numbered, shown
from connectors.spi import Field
from hub.plan.doors import Door
from hub.plan.draft import Draft, place_of
from hub.plan.merge import Depths
from hub.plan.model import Align, Expand, Fetch, Representation
from hub.plan.offers import Offers
from hub.plan.operation import Selected
from hub.plan.outputs import Concrete, Constant, Failure, Leaf, List, Object, Output, Root, Rows
from hub.plan.required import steps_of
from hub.plan.slots import ELEMENT, ROOT, Presence, Slot, When
from hub.plan.spots import Origin, Spot, View
from schema.federation.model import Federation, Kind, Part

Shown = tuple[Presence, Slot | None, tuple[Output, ...], dict[str, Concrete]]  # when an object is there, and its fields, by type if several


class Bridge(Protocol):
    """The way to what systems of other kinds serve of an object; see ``hub.plan.bridge``."""

    def bound(self, spot: Spot, selected: Selected) -> Output | None: ...


class Graphs:
    """Plans what a federation tells into ``draft``."""

    def __init__(self, draft: Draft, federation: Federation) -> None:
        self.draft = draft
        self.federation = federation
        self.offers = Offers(federation)
        self.doors = self.offers.doors
        self.depths = Depths(draft.steps)
        self.bridge: Bridge | None = None
        self._spots: dict[tuple[object, ...], Spot] = {}
        self._layers: dict[tuple[object, ...], tuple[int, ...]] = {}

    def has(self, selected: Selected) -> bool:
        """Whether a root field is the federation's."""
        return any(self.doors.part(graph, selected.parent, selected.name) for graph in self.federation.graphs)

    def roots(self, selections: Sequence[Selected]) -> dict[str, Root]:
        """The root fields of an operation, by response key."""
        if not selections:
            return {}
        spot = Spot(selections[0].parent, ROOT, [])
        return {one.key: Root(ROOT, output) for one, output in zip(selections, self.fields(spot, selections), strict=True)}

    # -- fields --------------------------------------------------------------------------------------------------

    def fields(self, spot: Spot, selections: Sequence[Selected]) -> tuple[Output, ...]:
        fresh = self.offers.choose(spot, [one for one in selections if one.name != "__typename" and not self._denied(one)])
        self._gather(spot, fresh)
        return tuple(self._output(spot, one) for one in selections)

    def _denied(self, selected: Selected) -> bool:
        """Whether the caller may not see a field. What no document asks for nobody sees."""
        return selected.number >= 0 and selected.coordinate in self.draft.denied

    def _output(self, spot: Spot, selected: Selected, before: int | None = None) -> Output:
        """``before``: only from graphs that can be asked before that round, for what is needed to ask another."""
        place = place_of(selected)
        if selected.name == "__typename":
            return Constant(place, spot.type)
        if self._denied(selected) or not self.draft.rules.keys().isdisjoint(selected.children):
            return Failure(place, "FORBIDDEN")  # rows that rules hide are not told apart in graphs
        view = self.offers.at_hand(spot, selected.name)
        if view is None and spot.host is not None and self.offers.hosted(spot, selected):
            return spot.host.tell(selected)
        if view is None:
            graph = spot.chosen.get(selected.name) if before is None else self.offers.earliest(spot, selected, before)
            view = self._view(spot, graph, selected.name, before) if graph is not None else None
        part = self.offers.part(view, selected.name) if view is not None else None
        if view is None or part is None:
            bound = self.bridge.bound(spot, selected) if self.bridge is not None else None
            return bound or Failure(place, "NOT_BOUND")
        return self._told(spot, selected, view, part)

    def _gather(self, spot: Spot, names: Sequence[str]) -> None:
        """Say what is asked for in one call: fields whose requirements are there at the same depth."""
        by_graph: dict[str, dict[str, str]] = {}  # graph -> what is required -> a field that requires it
        for name in names:
            graph = spot.chosen[name]
            door = self.offers.door(spot, graph, name)
            part = self.doors.part(graph, door.kind if door else spot.type, name)
            if part is not None:
                by_graph.setdefault(graph, {}).setdefault(part.requires, name)
        for graph, texts in sorted(by_graph.items(), key=lambda found: self._open(spot, found[1])):
            if not any(texts):
                spot.together.setdefault((graph, ""), self._joined(spot, graph, texts[""]))
                continue
            depths: dict[int, list[str]] = {}
            for text, name in texts.items():
                depths.setdefault(self._depth(spot, graph, name, text), []).append(text)
            for united in (group for some in depths.values() for group in self.doors.united(spot.type, sorted(some))):
                for text in united:
                    spot.together.setdefault((graph, text), tuple(text for text in united if text))

    def _open(self, spot: Spot, texts: Iterable[str]) -> bool:
        """Whether anything that is required is still to be had; it may then be asked for with what is not."""
        required = (one for text in texts if text for one in self.doors.selected(spot.type, text))
        return any(self.offers.at_hand(spot, one.name) is None for one in required)

    def _joined(self, spot: Spot, graph: str, name: str) -> tuple[str, ...]:
        """What is required by the fields that the graph is asked for at the same depth as ``name``, which requires nothing."""
        depth = self._depth(spot, graph, name, "")
        some = {texts for (other, _), texts in spot.together.items() if other == graph}
        return next((texts for texts in sorted(some) if self._depth(spot, graph, name, " ".join(texts)) == depth), ())

    def _depth(self, spot: Spot, graph: str, name: str, text: str) -> int:
        """How many calls lie before one for a field that requires ``text``."""
        door = self.offers.door(spot, graph, name)
        outputs = (*self._key(spot, door), *self._required(spot, text)) if door else ()
        return max((self.depths.of(step) for each in outputs for step in steps_of(each)), default=0)

    # -- views ---------------------------------------------------------------------------------------------------

    def _view(self, spot: Spot, graph: str, name: str, before: int | None = None) -> View | None:
        """The object as ``graph`` has it, fetched if need be."""
        if spot.is_root:
            return self._rooted(spot, graph)
        door = self.offers.door(spot, graph, name, before)
        if door is None:
            return self._beside(spot, graph)
        part = self.doors.part(graph, door.kind, name)
        text = part.requires if part is not None else ""
        return self._entered(spot, door, spot.together.get((graph, text), (text,) if text else ()), text)

    def _rooted(self, spot: Spot, graph: str) -> View:
        known = spot.entered.get((graph, ()))
        if known is None:
            step = self._fetch(Fetch(self.draft.next_id(), ROOT, self.draft.registry.gates[graph].roots[spot.type], ()))
            known = spot.entered[graph, ()] = View(graph, spot.type, step, step)
        return known

    def _entered(self, spot: Spot, door: Door, texts: tuple[str, ...], text: str) -> View:
        """The object fetched through a door, with what ``texts`` require; any view that has what ``text`` requires will do."""
        for (graph, known), view in spot.entered.items():
            if graph == door.graph and view.kind == door.kind and (not text or text in known):
                return view
        keys = (self._key(spot, door), *self._other_keys(spot, door))
        required = self._required(spot, " ".join(texts))
        again = spot.entered.get((door.graph, texts))  # what was needed may have needed it
        if again is not None and again.kind == door.kind:
            return again
        wanted = Representation(door.kind, keys, required, spot.together.get((door.graph, "")) == texts, frozenset(texts))
        gate = self.draft.registry.gates[door.graph]
        step = self._fetch(Fetch(self.draft.next_id(), spot.layer, gate.entities, (), when=spot.when, representation=wanted))
        entities = tuple(sorted(name for name, kind in self.federation.graphs[door.graph].kinds.items() if kind.keys))
        view = spot.entered[door.graph, texts] = View(door.graph, door.kind, step, step, condition=door.kind, rivals=entities)
        return view

    def _fetch(self, fetch: Fetch) -> int:
        self.draft.columns[fetch.id] = {}
        self.draft.given[fetch.id] = {}
        self.draft.behind[fetch.id] = {}
        self.draft.strict[fetch.id] = set()
        self.draft.steps.append(fetch)
        return fetch.id

    def _key(self, spot: Spot, door: Door) -> tuple[Output, ...]:
        round_ = next(way.round for way in spot.ways[door.graph] if way.door == door)
        return tuple(self._output(spot, one, round_) for one in self.doors.selected(spot.type, door.key))

    def _other_keys(self, spot: Spot, door: Door) -> list[tuple[Output, ...]]:
        """Keys by which rows can be asked for whose first key is null: those that the rows carry anyway."""
        if all(is_non_null_type(one.type) for one in self.doors.selected(spot.type, door.key)):
            return []
        others = [way.door for way in spot.ways[door.graph] if way.door.kind == door.kind and way.door != door]
        found = [(other, self.doors.selected(spot.type, other.key)) for other in others]
        return [
            self._key(spot, other) for other, some in found if all(not one.children and self.offers.at_hand(spot, one.name) for one in some)
        ]

    def _required(self, spot: Spot, text: str) -> tuple[Output, ...]:
        if text not in spot.required:
            spot.required[text] = self.fields(spot, self.doors.selected(spot.type, text)) if text else ()
        return spot.required[text]

    def _beside(self, spot: Spot, graph: str) -> View | None:
        """The object as another graph has it, by asking it for the field that led here."""
        if graph not in spot.beside:
            spot.beside[graph] = None if spot.origin is None else self._again(spot, spot.origin, graph)
        return spot.beside[graph]

    def _again(self, spot: Spot, origin: Origin, graph: str) -> View | None:
        selected, kind = origin.selected, self.offers.kind_beside(spot, graph)
        above = next((view for view in origin.spot.views if view.graph == graph), None) or self._view(origin.spot, graph, selected.name)
        part = self.offers.part(above, selected.name) if above is not None else None
        if above is None or part is None or not kind:
            return None
        column, here = self.column(above, selected, part)
        inside = f"{column}{'[]' * part.lists}."
        several = (kind, self.doors.members(graph, part.named)) if kind != part.named else ("", ())
        provided = self.doors.within(graph, above.kind, part, above.provided)
        self._want(above, f"{inside}__typename")
        if not origin.lists:
            return View(graph, kind, above.source, above.step, inside, f"{here}.", *several, provided)
        step = self.draft.next_id()
        self.draft.steps.append(Align(step, spot.layer, origin.spot.layer, self._raw(above, here), origin.lists))
        return View(graph, kind, above.source, step, inside, "", *several, provided)

    # -- columns -------------------------------------------------------------------------------------------------

    def column(self, view: View, selected: Selected, part: Part) -> tuple[str, str]:
        """A field's column in the document of the view's fetch, and in the rows at hand; without the lists around its value."""
        step = selected.name
        if view.condition:
            others = (self.doors.part(view.graph, rival, selected.name) for rival in view.rivals)
            clash = any(other is not None and other.type != part.type for other in others)
            step = f"<{view.condition}>{f'{step}_{view.condition}=' if clash else ''}{step}"
        if selected.shape:
            kinds = ",".join(f"{name}:{kind.type}" for name, kind in selected.definition.args.items() if name in selected.named)
            step = f"{step}@{numbered(selected.number)}({kinds})"
            self.draft.given[view.source][selected.number] = selected
        self.draft.behind[view.source][view.above + step] = selected.coordinate
        if part.type.endswith("!"):
            self.draft.strict[view.source].add(view.above + step)
        return view.above + step, view.here + step

    def _want(self, view: View, column: str) -> None:
        self.draft.columns[view.source].setdefault(column)

    def _raw(self, view: View, column: str) -> Slot:
        return Slot(view.step, column, GraphQLString, Field(column, shown(column)[1], "raw"))

    # -- what is shown -------------------------------------------------------------------------------------------

    def _told(self, spot: Spot, selected: Selected, view: View, part: Part) -> Output:
        column, here = self.column(view, selected, part)
        named = get_named_type(selected.type)
        if is_leaf_type(named):
            self._want(view, column)
            known = isinstance(named, GraphQLEnumType) or is_specified_scalar_type(named)
            return Leaf(place_of(selected), Slot(view.step, here, selected.type, Field(here, shown(here)[1], "text" if known else "raw")))
        provided = self.doors.within(view.graph, view.kind, part, view.provided)
        inside, slot = f"{column}{'[]' * part.lists}.", self._raw(view, here)
        if not part.lists:
            self._want(view, column)
            below = View(view.graph, part.named, view.source, view.step, inside, f"{here}.", provided=provided)
            made = self._object(spot, selected, below, spot.layer, spot.when, slot, ())
            self._inhabited(view, inside)
            return _as_object(selected, made)
        layers = self._expanded(spot, view, slot, part.lists, inside)
        below = View(view.graph, part.named, view.source, layers[-1], inside, "", provided=provided)
        element = Slot(layers[-1], ELEMENT, GraphQLString, Field(ELEMENT, "$", "raw"))
        presence, typename, children, variants = self._object(spot, selected, below, layers[-1], (), element, layers)
        self._inhabited(view, inside)
        return List(place_of(selected), Rows(layers[-1], presence, children, typename, variants), layers[:-1])

    def _inhabited(self, view: View, inside: str) -> None:
        """Something has to be asked for within an object."""
        if not any(name.startswith(inside) for name in self.draft.columns[view.source]):
            self._want(view, f"{inside}__typename")

    def _expanded(self, spot: Spot, view: View, slot: Slot, lists: int, inside: str) -> tuple[int, ...]:
        """The layers of a list in a column, the innermost last; made once for each column."""
        name = (spot.layer, view.source, view.step, inside, spot.when)
        if name not in self._layers:
            layers: list[int] = []
            above, lies = spot.layer, view.step
            for _ in range(lists):
                layers.append(self.draft.next_id())
                self.draft.steps.append(Expand(layers[-1], above, lies, slot=slot, when=() if len(layers) > 1 else spot.when))
                above = lies = layers[-1]
                slot = Slot(lies, ELEMENT, GraphQLString, Field(ELEMENT, "$", "raw"))
            self._layers[name] = tuple(layers)
        return self._layers[name]

    def _object(
        self, above: Spot, selected: Selected, view: View, layer: int, when: tuple[When, ...], there: Slot, lists: tuple[int, ...]
    ) -> Shown:
        """What lies at a field whose value ``there`` is."""
        kind = self.federation.kind(view.graph, view.kind)
        presence, origin = Presence(keys=(there,)), Origin(above, selected, lists)
        if kind is not None and kind.stands:
            return self._stood(selected, view, layer, when, presence, origin)
        if kind is None or not kind.abstract:
            spot = self._spot(view.kind, layer, view, when, origin)
            return presence, None, self.fields(spot, selected.children.get(view.kind, ())), {}
        self._want(view, f"{view.above}__typename")
        typename = self._raw(view, f"{view.here}__typename")
        alike = self._alike(selected, view, kind)
        outputs = self.fields(self._spot(view.kind, layer, view, when, origin), alike) if alike else ()
        shared = {one.key: output for one, output in zip(alike, outputs, strict=True)}
        variants = {}
        for member in kind.members:
            if member in selected.children:
                own = View(view.graph, member, view.source, view.step, view.above, view.here, member, kind.members, view.provided)
                spot = self._spot(member, layer, own, (*when, When(typename, member)), origin)
                told = dict(shared)
                rest = [one for one in selected.children[member] if one.key not in told]
                told |= {one.key: output for one, output in zip(rest, self.fields(spot, rest), strict=True)}
                variants[member] = Concrete(Presence(), tuple(told[one.key] for one in selected.children[member]))
        return presence, typename, (), variants

    def _alike(self, selected: Selected, view: View, kind: Kind) -> list[Selected]:
        """The fields of an interface that are asked of all its types in one way, and that the graph tells of all of them. They are had of
        the interface, once: what lies below them is not planned again for each type."""
        some = [selected.children[member] for member in kind.members if member in selected.children]
        if len(some) < 2 or len(some) < len(kind.members):
            return []
        first, *others = ({one.key: one for one in each} for each in some)
        found = []
        for key, one in first.items():
            part = self.offers.part(view, one.name)
            if one.name == "__typename" or part is None or part.requires or self._denied(one):
                continue
            same = all(
                key in other and other[key].name == one.name and other[key].children is one.children and not self._denied(other[key])
                for other in others
            )
            parts = [self.doors.part(view.graph, member, one.name, view.provided) for member in kind.members]
            same = same and self.offers.leads_on(view.graph, view.kind, one, view.provided)
            if (
                same
                and all(each is not None and not each.requires and each.type == part.type for each in parts)
                and self._of_all(one, kind)
            ):
                found.append(one)
        return found

    def _of_all(self, selected: Selected, kind: Kind) -> bool:
        """Whether a field is of one type for all who see it, so that what shows it for one type shows it for each."""
        types = (self.draft.schema.type_map.get(member) for member in kind.members)
        return all(str(getattr(type_, "fields", {})[selected.name].type) == str(selected.type) for type_ in types if type_ is not None)

    def _stood(self, selected: Selected, view: View, layer: int, when: tuple[When, ...], presence: Presence, origin: Origin) -> Shown:
        """An object of an interface that the graph does not tell the types of. Another graph says which, where that matters."""
        spot = self._spot(view.kind, layer, view, when, origin)
        self.offers.look(spot)
        same = {tuple((one.key, one.name, one.shape) for one in some) for some in selected.children.values()}
        first = next(iter(selected.children.values()), ())
        if len(same) == 1 and all(
            one.name != "__typename" and (self.offers.at_hand(spot, one.name) or self.offers.of(spot, one.name)) for one in first
        ):
            return presence, None, self.fields(spot, first), {}
        teller = self._teller(spot)
        if teller is None:
            return presence, None, tuple(Failure(place_of(one), "NOT_BOUND") for one in first), {}
        self._want(teller, f"{teller.above}<{teller.condition}>__typename")
        typename = self._raw(teller, f"{teller.here}<{teller.condition}>__typename")
        members = self.doors.members(teller.graph, teller.kind)
        variants = {}
        for member in members:
            if member in selected.children:
                told = View(teller.graph, member, teller.source, teller.step, teller.above, teller.here, member, members)
                known = self._spot(member, layer, view, (*when, When(typename, member)), origin, told)
                variants[member] = Concrete(Presence(), self.fields(known, selected.children[member]))
        return Presence(keys=(*presence.keys, typename)), typename, (), variants

    def _teller(self, spot: Spot) -> View | None:
        """The object as a graph has it that knows its type."""
        ways = sorted((way for some in spot.ways.values() for way in some), key=lambda way: (way.round, way.door.graph))
        kinds = ((way.door, self.federation.kind(way.door.graph, way.door.kind)) for way in ways)
        door = next((door for door, kind in kinds if kind is not None and kind.abstract), None)
        return self._entered(spot, door, (), "") if door is not None else None

    def _spot(self, type_name: str, layer: int, view: View, when: tuple[When, ...], origin: Origin, *others: View) -> Spot:
        """The object there; the same one whoever asks, so that nothing of it is fetched twice."""
        name = (type_name, layer, view.source, view.step, view.above, view.condition, when)
        if name not in self._spots:
            self._spots[name] = Spot(type_name, layer, [view, *others], when, origin)
        return self._spots[name]


def _as_object(selected: Selected, shown: Shown) -> Object:
    presence, typename, children, variants = shown
    return Object(place_of(selected), presence, children, typename, variants)
