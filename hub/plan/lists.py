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
from hub.plan.model import ELEMENT, Concrete, Connection, Expand, Failure, List, Output, PageField, Place, Presence, Rows, Scan, Slot
from hub.plan.operation import Selected
from schema.registry import Binding, Served


class Inside(Protocol):
    """What plans the objects in a list; see ``hub.plan.objects``."""

    def fields(self, position: Position, selections: tuple[Selected, ...]) -> tuple[Output, ...]: ...

    def key(self, served: Served, level: Level) -> tuple[Slot, ...]: ...

    def counted_by(self, served: Served) -> Served | None: ...

    def variants(
        self, layer: int, children: Mapping[str, tuple[Selected, ...]], served: Served, level: Level
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
        names = self.filterable(selected)
        forbidden = frozenset(name for name, field in names.items() if f"{node}.{field}" in self.draft.denied)
        filters = self.filters(level, binding, names, node)
        scan = Scan(step, binding, selected, node, filters=filters, denied_filters=forbidden)
        self.draft.steps.append(scan)
        if binding.variants:
            return List(place, self.of_any(step, selected.children, binding, level))
        carried = carried_by(binding.fields, level)
        if named not in self.draft.registry.connections:
            return List(place, self.rows(step, selected.children, node, carried))
        order = self.order(level, binding.fields, node)
        connection = self.connection(selected, step, order, carried, node)
        parts = {part.name for part in connection.fields if not part.failure}
        self.draft.steps[step - 1] = replace(
            scan, order=order, rows=bool(parts & {"edges", "nodes", "pageInfo"}), total="totalCount" in parts
        )
        return connection

    def filterable(self, selected: Selected) -> dict[str, str]:
        """What the field's filter argument can name: its field -> the canonical field."""
        names: dict[str, str] = {}
        for argument in selected.definition.args.values():
            names |= self.draft.registry.filters.get(get_named_type(argument.type).name, {})
        return names

    def filters(self, level: Level, binding: Binding, names: Mapping[str, str], node: str) -> dict[str, Slot]:
        """Slots of those that the binding's rows carry."""
        served = {name: binding.fields[field] for name, field in sorted(names.items()) if field in binding.fields}
        return {name: self.draft.slot(level, lies, f"{node}.{lies.name}") for name, lies in served.items() if lies.column is not None}

    def linked(self, position: Position, selected: Selected, binding: Binding, source: int) -> Output:
        """A list whose rows the step ``source`` fetches by the parent's key."""
        place = place_of(selected)
        step = self.draft.next_id()
        level = self.draft.level(step, source, binding)
        if binding.variants:
            self.draft.steps.append(Expand(step, position.layer, source))
            return List(place, self.of_any(step, selected.children, binding, level))
        carried = carried_by(binding.fields, level)
        named = get_named_type(selected.type).name
        node = self.draft.registry.connections.get(named, named)
        if named not in self.draft.registry.connections:
            self.draft.steps.append(Expand(step, position.layer, source))
            return List(place, self.rows(step, selected.children, node, carried))
        order = self.order(level, binding.fields, node)
        self.draft.steps.append(Expand(step, position.layer, source, selected=selected, order=order))
        return self.connection(selected, step, order, carried, node)

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
        inner = Level(step, level.source, {item.name: item for item in column.items}, f"{level.prefix}{column.name}.")
        expand = Expand(step, above, lies, slot=slot, when=() if outer else position.when)
        self.draft.steps.append(expand)
        here = Slot(step, ELEMENT, GraphQLString, Field(ELEMENT, "$"))
        output: Output
        if named in self.draft.registry.connections:
            order = self.order(inner, served.parts, node)
            self.draft.steps[step - 1] = replace(expand, selected=selected, order=order)
            output = self.connection(selected, step, order, carried_by(served.parts, inner), node)
        elif served.variants:
            typename, variants = self.inside.variants(step, selected.children, served, inner)
            output = List(place, Rows(step, Presence(keys=(here, typename)), typename=typename, variants=variants), tuple(outer))
        else:
            presence = Presence(keys=(here, *self.inside.key(served, inner)))
            output = List(place, self.rows(step, selected.children, node, carried_by(served.parts, inner), presence), tuple(outer))
        if not any(name.startswith(inner.prefix) for name in self.draft.columns[level.source]):
            part = self.inside.counted_by(served)  # nothing inside was asked for: a part says how long the list is, else the list itself
            self.draft.want(*((level, served) if part is None else (inner, part)))
        return output

    def of_any(self, layer: int, children: Mapping[str, tuple[Selected, ...]], binding: Binding, level: Level) -> Rows:
        """Rows of an abstract type; one that does not say which type it is of is null."""
        typename, variants = self.inside.variants(layer, children, binding.row, level)
        return Rows(layer, Presence(keys=(typename,)), typename=typename, variants=variants)

    def rows(
        self,
        layer: int,
        children: Mapping[str, tuple[Selected, ...]],
        node: str,
        carried: Mapping[str, Carried],
        presence: Presence | None = None,
    ) -> Rows:
        return Rows(layer, presence or Presence(), self.inside.fields(self.draft.position(layer, node, carried), children.get(node, ())))

    def order(self, level: Level, fields: Mapping[str, Served], node: str) -> tuple[Slot, ...]:
        """Slots of the node's first key: what a connection is sorted by and its cursors are made of."""
        keys = self.draft.registry.keys.get(node, ((),))[0]
        if not all(name in fields and fields[name].column is not None for name in keys):
            return ()
        return tuple(self.draft.wanted(level, fields[name], f"{node}.{name}") for name in keys)

    def connection(self, selected: Selected, layer: int, order: tuple[Slot, ...], carried: Mapping[str, Carried], node: str) -> Connection:
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
        return Connection(place_of(selected), layer, order, tuple(parts))

    def page_part(self, layer: int, position: Position, selected: Selected) -> tuple[Place, str, Rows | None]:
        rows = None
        if selected.name == "node":
            rows = Rows(layer, Presence(), self.inside.fields(position, selected.children[position.type]))
        return place_of(selected), selected.name, rows


def _lists(kind: GraphQLOutputType) -> int:
    """How many lists a type is wrapped in."""
    if is_non_null_type(kind):
        return _lists(kind.of_type)
    return 1 + _lists(kind.of_type) if is_list_type(kind) else 0
