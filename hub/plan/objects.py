"""The fields of one object: taken from what its rows carry, else from a link, else from the provider that ranks first.

A denied coordinate becomes a failure before anything is fetched for it. Knows positions and the registry; lists are planned by
``hub.plan.lists``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hub.plan.draft import Carried, Draft, Level, Position, carried_by, place_of
from hub.plan.listing import cuttable, guard
from hub.plan.lists import Lists
from hub.plan.model import Concrete, Constant, Failure, Leaf, Object, Output, Presence, Slot
from hub.plan.operation import Selected
from hub.plan.providers import link, provider
from schema.registry import Binding, Served


class Objects:
    """Plans objects into ``draft``; ``lists`` plans the lists below them and comes back here for their rows."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.lists = Lists(draft, self)

    def fields(self, position: Position, selections: tuple[Selected, ...]) -> tuple[Output, ...]:
        return tuple(self.output(position, selected) for selected in selections)

    def output(self, position: Position, selected: Selected) -> Output:
        place = place_of(selected)
        if selected.name == "__typename":
            return Constant(place, position.type)
        if selected.coordinate in self.draft.denied:
            return Failure(place, "FORBIDDEN")
        carried = position.carried.get(selected.name)
        if carried is not None:
            return self.answered(position, selected, carried)
        binding = link(self.draft.registry, selected.coordinate, position.reach)
        if binding is not None:
            return self.linked(position, selected, binding)
        binding = provider(self.draft.registry, position.type, selected.name, position.reach)
        if binding is None:
            return Failure(place, "NOT_BOUND")
        return self.answered(position, selected, self.draft.fetched(position, binding, selected.name))

    def answered(self, position: Position, selected: Selected, carried: Carried) -> Output:
        """A field whose value lies in rows that are fetched anyway, or among the root field's arguments."""
        served, level = carried.served, carried.level
        if level is None:
            return Leaf(place_of(selected), Slot(carried.step, served.name, self.draft.type_of(selected.coordinate)))
        if served.many and served.type is not None:
            return self.lists.unnested(position, selected, served, level)
        if served.type is None:
            self.draft.want(level, served)
            return Leaf(place_of(selected), self.draft.slot(level, served, selected.coordinate))
        return self.embedded(position, selected, served, level)

    def embedded(self, position: Position, selected: Selected, served: Served, level: Level) -> Output:
        """One object in the same row: an entity's key to go on from, or parts; null when its parts are."""
        place = place_of(selected)
        if served.variants:
            typename, variants = self.variants(position.layer, selected.children, served, level)
            return Object(place, Presence(keys=(typename,)), typename=typename, variants=variants)
        type_name = str(served.type)
        presence = self.presence(served, level)
        inner = self.draft.position(position.layer, type_name, carried_by(served.parts, level))
        presence = replace(presence, guard=guard(self.draft, inner))
        return Object(place, presence, self.fields(inner, selected.children[type_name]))

    def presence(self, served: Served, level: Level) -> Presence:
        """An entity is there when its key is; any other object when one of its leaves is."""
        keys = self.draft.registry.keys.get(str(served.type), ())
        names = next((key for key in keys if all(name in served.parts for name in key)), ())
        if names:
            return Presence(keys=tuple(self.draft.wanted(level, served.parts[name], f"{served.type}.{name}") for name in names))
        return Presence(any=tuple(self.leaves(served, level)))

    def leaves(self, served: Served, level: Level) -> list[Slot]:
        found: list[Slot] = []
        for part in served.parts.values():
            if part.column is not None:
                found.append(self.draft.wanted(level, part, f"{served.type}.{part.name}"))
            else:
                found.extend(self.leaves(part, level))
        return found

    def variants(
        self, layer: int, children: Mapping[str, tuple[Selected, ...]], served: Served, level: Level, *, many: bool = False
    ) -> tuple[Slot, dict[str, Concrete]]:
        """An object of an abstract type, or an element of a list of them: its concrete type is read from a column, row by row."""
        column = Served("__typename", column=served.typename)
        typename = self.draft.wanted(level, column, "")
        found = {}
        for variant in served.variants:
            position = self.draft.position(layer, variant.type, carried_by(variant.parts, level))
            own = Served(variant.type, type=variant.type, parts=variant.parts)
            # A plain object is there when its type is said. Elements that the caller may not see are dropped by their list.
            hides = None if many else guard(self.draft, position)
            presence = Presence(keys=self.presence(own, level).keys, guard=hides)
            found[variant.value] = Concrete(presence, self.fields(position, children.get(variant.type, ())))
        return typename, found

    def linked(self, position: Position, selected: Selected, binding: Binding) -> Output:
        """A list or an object that is fetched by the parent's key."""
        source = self.draft.fetch(position, binding, selected if binding.args or cuttable(self.draft, selected, binding) else None)
        if binding.many:
            return self.lists.linked(position, selected, binding, source)
        level = self.draft.level(position.layer, source, binding, step=source)
        inner = self.draft.position(position.layer, binding.type, carried_by(binding.fields, level))
        presence = Presence(found=source, guard=guard(self.draft, inner))
        return Object(place_of(selected), presence, self.fields(inner, selected.children[binding.type]))
