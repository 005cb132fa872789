"""Lists: of all entities of a type, below an entity, and in a column of its rows. Each opens a layer of its own.

Knows positions and the registry; the objects in a list are planned by whoever is ``inside``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from graphql import GraphQLOutputType, GraphQLString, get_named_type, is_list_type, is_non_null_type

from connectors.spi import Field
from hub.plan.draft import Carried, Draft, Level, Position, carried_by, place_of
from hub.plan.listing import cuttable, listing
from hub.plan.model import Expand, Fetch, Kind, Listing, Scan
from hub.plan.operation import Selected
from hub.plan.outputs import Concrete, Connection, Failure, List, Output, PageField, Place, Rows
from hub.plan.semi import joins
from hub.plan.slots import ELEMENT, Presence, Slot, When
from schema.registry import Binding, Served


class Inside(Protocol):
    """What plans the objects in a list; see ``hub.plan.objects``."""

    def fields(self, position: Position, selections: tuple[Selected, ...]) -> tuple[Output, ...]: ...

    def key(self, served: Served, level: Level) -> tuple[Slot, ...]: ...

    def counted_by(self, served: Served) -> Served | None: ...

    def variants(
        self,
        layer: int,
        children: Mapping[str, tuple[Selected, ...]],
        served: Served,
        level: Level,
        when: tuple[When, ...] = (),
        *,
        many: bool = False,
    ) -> tuple[Slot, dict[str, Concrete]]: ...


class Lists:
    """Plans lists into ``draft``."""

    def __init__(self, draft: Draft, inside: Inside) -> None:
        self.draft = draft
        self.inside = inside

    def scanned(self, selected: Selected) -> Output:
        place = place_of(selected)
        named = get_named_type(selected.type).name
        node = self.draft.registry.connections.get(named, named)
        bindings = self.draft.registry.scans.get(selected.coordinate) or self.draft.registry.scans.get(node, ())
        if not bindings:
            return Failure(place, "NOT_BOUND")
        binding, step = bindings[0], self.draft.next_id()
        level = self.draft.level(step, step, binding)
        pages = named in self.draft.registry.connections
        found = listing(self.draft, selected, node, binding, level, binding.fields, pages=pages)
        scan = Scan(step, binding, selected, node, found, pages, joins=joins(self.draft, found, step))
        self.draft.steps.append(scan)
        if binding.variants:
            rows, kinds = self.of_any(selected, step, binding, level)
            self.draft.steps[step - 1] = replace(scan, kinds=kinds)
            return List(place, rows)
        carried = carried_by(binding.fields, level)
        if not pages:
            return List(place, self.rows(step, selected.children, node, carried))
        connection = self.connection(selected, step, carried, node)
        self.draft.steps[step - 1] = replace(scan, rows=_shows_rows(connection), total="totalCount" in _parts(connection))
        return connection

    def linked(self, position: Position, selected: Selected, binding: Binding, source: int) -> Output:
        """A list whose rows the step ``source`` fetches by the parent's key."""
        place = place_of(selected)
        step = self.draft.next_id()
        level = self.draft.level(step, source, binding)
        if binding.variants:
            expand = Expand(step, position.layer, source)
            self.draft.steps.append(expand)
            rows, kinds = self.of_any(selected, step, binding, level)
            self.draft.steps[step - 1] = replace(expand, kinds=kinds)
            return List(place, rows)
        carried = carried_by(binding.fields, level)
        named = get_named_type(selected.type).name
        node = self.draft.registry.connections.get(named, named)
        pages = named in self.draft.registry.connections
        found = self.listing(selected, node, binding, level, binding.fields, pages=pages)
        expand = Expand(step, position.layer, source, selected=selected if pages else None, listing=found)
        self.draft.steps.append(expand)
        if not pages:
            return List(place, self.rows(step, selected.children, node, carried))
        fetch = self.draft.steps[source - 1]
        if isinstance(fetch, Fetch) and fetch.selected is not None and cuttable(self.draft, selected, binding) and found is not None:
            self.draft.steps[source - 1] = replace(fetch, cut=found)
        connection = self.connection(selected, step, carried, node)
        self.draft.steps[step - 1] = replace(expand, rows=_shows_rows(connection))
        return connection

    def listing(
        self, selected: Selected, node: str, binding: Binding, level: Level, fields: Mapping[str, Served], *, pages: bool
    ) -> Listing | None:
        """None for a plain list all of whose rows the caller may see."""
        if not pages and node not in self.draft.rules:
            return None
        return listing(self.draft, selected, node, binding, level, fields, pages=pages)

    def unnested(self, position: Position, selected: Selected, served: Served, level: Level) -> Output:
        """A list that lies in a column of the parent's rows."""
        place = place_of(selected)
        column = level.fields[str(served.column)]
        slot = self.draft.slot(level, served, selected.coordinate)
        named = get_named_type(selected.type).name
        node = self.draft.registry.connections.get(named, named)
        outer: list[int] = []
        above, lies = position.layer, level.step
        for _ in range(0 if named in self.draft.registry.connections else _lists(selected.type) - 1):
            outer.append(self.draft.next_id())
            self.draft.steps.append(Expand(outer[-1], above, lies, slot=slot, when=() if len(outer) > 1 else position.when))
            above = lies = outer[-1]
            slot = Slot(lies, ELEMENT, GraphQLString, Field(ELEMENT, "$"))
        step = self.draft.next_id()
        inner = Level(step, level.source, {item.name: item for item in column.items}, level.binding, f"{level.prefix}{column.name}.")
        expand = Expand(step, above, lies, slot=slot, when=() if outer else position.when)
        self.draft.steps.append(expand)
        here = Slot(step, ELEMENT, GraphQLString, Field(ELEMENT, "$"))
        output: Output
        pages = named in self.draft.registry.connections
        found = self.listing(selected, node, level.binding, inner, served.parts, pages=pages)
        if pages:
            expand = replace(expand, selected=selected, listing=found)
            self.draft.steps[step - 1] = expand
            connection = self.connection(selected, step, carried_by(served.parts, inner), node)
            self.draft.steps[step - 1] = replace(expand, rows=_shows_rows(connection))
            output = connection
        elif served.variants:
            typename, variants = self.inside.variants(step, selected.children, served, inner, many=True)
            kinds = self.kinds(selected, served, level.binding, inner, typename, variants)
            self.draft.steps[step - 1] = replace(expand, kinds=kinds)
            output = List(place, Rows(step, Presence(keys=(here, typename)), typename=typename, variants=variants), tuple(outer))
        else:
            presence = Presence(keys=(here, *self.inside.key(served, inner)))
            self.draft.steps[step - 1] = replace(expand, listing=found, there=presence.keys)
            output = List(place, self.rows(step, selected.children, node, carried_by(served.parts, inner), presence), tuple(outer))
        if not any(name.startswith(inner.prefix) for name in self.draft.columns[level.source]):
            part = self.inside.counted_by(served)  # nothing inside was asked for: a part says how long the list is, else the list itself
            self.draft.want(*((level, served) if part is None else (inner, part)))
        return output

    def of_any(self, selected: Selected, layer: int, binding: Binding, level: Level) -> tuple[Rows, tuple[Kind, ...]]:
        """Rows of an abstract type, and the rules of its concrete types; one that does not say which type it is of is null."""
        typename, variants = self.inside.variants(layer, selected.children, binding.row, level, many=True)
        rows = Rows(layer, Presence(keys=(typename,)), typename=typename, variants=variants)
        return rows, self.kinds(selected, binding.row, binding, level, typename, variants)

    def kinds(
        self, selected: Selected, served: Served, binding: Binding, level: Level, typename: Slot, variants: Mapping[str, Concrete]
    ) -> tuple[Kind, ...]:
        """The rules of those concrete types that have some, for a list whose rows lie in ``level``."""
        found = []
        for variant in served.variants:
            if variant.type in self.draft.rules:
                own = listing(self.draft, selected, variant.type, binding, level, variant.parts, pages=False)
                self.draft.columns[level.source] |= dict.fromkeys(own.columns)
                found.append(Kind(typename, variant.value, variants[variant.value].presence.keys, own))
        return tuple(found)

    def rows(
        self,
        layer: int,
        children: Mapping[str, tuple[Selected, ...]],
        node: str,
        carried: Mapping[str, Carried],
        presence: Presence | None = None,
    ) -> Rows:
        return Rows(layer, presence or Presence(), self.inside.fields(self.draft.position(layer, node, carried), children.get(node, ())))

    def connection(self, selected: Selected, layer: int, carried: Mapping[str, Carried], node: str) -> Connection:
        position = self.draft.position(layer, node, carried)
        parts = []
        for part in selected.children[get_named_type(selected.type).name]:
            place = place_of(part)
            if part.coordinate in self.draft.denied:
                parts.append(PageField(place, part.name, failure="FORBIDDEN"))
            elif part.name == "nodes":
                parts.append(PageField(place, "nodes", Rows(layer, Presence(), self.inside.fields(position, part.children[node]))))
            elif part.name in ("edges", "pageInfo"):
                inner = next(iter(part.children.values()))
                parts.append(PageField(place, part.name, children=tuple(self.page_part(layer, position, one) for one in inner)))
            else:
                parts.append(PageField(place, part.name))
        return Connection(place_of(selected), layer, tuple(parts))

    def page_part(self, layer: int, position: Position, selected: Selected) -> tuple[Place, str, Rows | None]:
        rows = None
        if selected.name == "node":
            rows = Rows(layer, Presence(), self.inside.fields(position, selected.children[position.type]))
        return place_of(selected), selected.name, rows


def _parts(connection: Connection) -> set[str]:
    return {part.name for part in connection.fields if not part.failure}


def _shows_rows(connection: Connection) -> bool:
    """Whether more than the total is asked for, so that it matters which rows come in which order."""
    return bool(_parts(connection) & {"edges", "nodes", "pageInfo"})


def _lists(kind: GraphQLOutputType) -> int:
    """How many lists a type is wrapped in."""
    if is_non_null_type(kind):
        return _lists(kind.of_type)
    return 1 + _lists(kind.of_type) if is_list_type(kind) else 0
