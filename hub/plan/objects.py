"""The fields of one object: taken from what its rows carry, else from a link, else from the provider that ranks first.

A denied coordinate becomes a failure before anything is fetched for it. Knows positions and the registry; lists are planned by
``hub.plan.lists``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Protocol

from hub.plan.choices import choose, usable
from hub.plan.draft import Carried, Draft, Level, Position, Unless, carried_by, place_of
from hub.plan.listing import cuttable, screen
from hub.plan.lists import Lists
from hub.plan.model import Required
from hub.plan.operation import Selected
from hub.plan.outputs import Concrete, Constant, Failure, Leaf, Object, Output
from hub.plan.providers import sources
from hub.plan.required import selection
from hub.plan.slots import Presence, Slot, When
from schema.registry import Binding, Require, Resolve, Role, Served


class Bridge(Protocol):
    """The way to what graphs tell of an object; see ``hub.plan.bridge``."""

    def told(self, position: Position, selected: Selected) -> Output | None: ...


class Objects:
    """Plans objects into ``draft``; ``lists`` plans the lists below them and comes back here for their rows."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.lists = Lists(draft, self)
        self.bridge: Bridge | None = None

    def fields(self, position: Position, selections: tuple[Selected, ...]) -> tuple[Output, ...]:
        return tuple(self.output(position, selected) for selected in selections)

    def output(self, position: Position, selected: Selected) -> Output:
        place = place_of(selected)
        if selected.name == "__typename":
            return Constant(place, position.type)
        if selected.coordinate in self.draft.denied:
            return Failure(place, "FORBIDDEN")
        carried = position.carried.get(selected.name)
        resolve = self.draft.registry.policy(selected.coordinate)
        if carried is not None and (resolve is Resolve.FIRST or carried.level is None):
            return self.answered(position, selected, carried)
        known = sources(self.draft.registry, position.type, selected.name, position.reach, self.draft.asked)
        bound = usable(self.draft, position, known) if resolve is Resolve.FIRST else list(known)
        if carried is None and not bound:
            told = self.bridge.told(position, selected) if self.bridge is not None else None
            return told or Failure(place, "NOT_BOUND")
        found = self.shown(selected.name, bound)
        if (carried is None and not found) or (carried is not None and self.hidden(carried.served)):
            return Failure(place, "FORBIDDEN")
        return choose(self, position, selected, resolve, carried, found)

    def shown(self, name: str, found: Sequence[Binding]) -> tuple[Binding, ...]:
        """Sources up to the first whose object the caller may not see at all: what comes after it would show more than a larger right."""
        return tuple(takewhile(lambda binding: binding.role is Role.LINK or not self.hidden(binding.fields[name]), found))

    def fetched(self, position: Position, selected: Selected, binding: Binding, unless: Unless | None) -> Output:
        """A field from a call of its own, or from the rows of a lookup. With ``unless`` only where it is still to be answered."""
        if binding.requires and binding.id not in position.required:
            position.required[binding.id] = tuple(self.required(position, each) for each in binding.requires)
        if binding.role is Role.LINK:
            return self.linked(position, selected, binding, unless)
        given = selected if binding.args else None
        return self.answered(position, selected, self.draft.fetched(position, binding, selected.name, unless, given))

    def required(self, position: Position, wanted: Require) -> Required:
        """A field that a call needs, planned like one that was asked for; nobody sees it."""
        selected = selection(self.draft.schema, position.type, wanted.selection)
        return Required(wanted.param, self.output(position, selected), wanted.nullable)

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
            typename, variants = self.variants(position.layer, selected.children, served, level, position.when)
            return Object(place, Presence(keys=(typename,)), typename=typename, variants=variants)
        if self.hidden(served):
            return Failure(place, "FORBIDDEN")
        type_name = str(served.type)
        presence = self.presence(served, level)
        inner = self.draft.position(position.layer, type_name, carried_by(served.parts, level), position.when)
        presence = replace(presence, screen=screen(self.draft, inner))
        return Object(place, presence, self.fields(inner, selected.children[type_name]))

    def presence(self, served: Served, level: Level) -> Presence:
        """An entity is there when its key is; any other object when one of the leaves is that the caller may see."""
        if self.reference_key(served):
            return Presence(keys=self.key(served, level))
        return Presence(any=tuple(self.draft.wanted(level, part, coordinate) for part, coordinate in self.seen(served)))

    def key(self, served: Served, level: Level) -> tuple[Slot, ...]:
        """Slots of the key by which an entity is there. Other objects have none, and nothing is asked for them."""
        return tuple(self.draft.wanted(level, served.parts[name], f"{served.type}.{name}") for name in self.reference_key(served))

    def reference_key(self, served: Served) -> tuple[str, ...]:
        """The first key that ``served`` carries; of what is no entity, none."""
        keys = self.draft.registry.keys.get(str(served.type), ())
        return next((key for key in keys if all(name in served.parts for name in key)), ())

    def seen(self, served: Served) -> Iterator[tuple[Served, str]]:
        """The leaves of an object that the caller may see, with their coordinates. They alone decide whether it is there: the others would
        show themselves by that. For an object of an abstract type its type name speaks."""
        for part in served.parts.values():
            coordinate = f"{served.type}.{part.name}"
            if coordinate in self.draft.denied:
                continue
            if part.column is not None:
                yield part, coordinate
            elif part.variants:
                yield Served("__typename", column=part.typename), ""
            else:
                yield from self.seen(part)

    def counted_by(self, served: Served) -> Served | None:
        """A part to ask for where a list has only to be counted: one that the caller may see, else a key that leads on."""
        parts = [part for part in served.parts.values() if f"{served.type}.{part.name}" not in self.draft.denied]
        keys = (part.parts[name] for part in parts for name in self.reference_key(part))
        return next((part for part, _ in self.seen(served)), None) or next(keys, None)

    def hidden(self, served: Served) -> bool:
        """Whether the caller may see nothing by which an object in the same row could be there."""
        plain = served.column is None and not served.variants and bool(served.parts) and not self.reference_key(served)
        return plain and next(self.seen(served), None) is None

    def variants(
        self,
        layer: int,
        children: Mapping[str, tuple[Selected, ...]],
        served: Served,
        level: Level,
        when: tuple[When, ...] = (),
        *,
        many: bool = False,
    ) -> tuple[Slot, dict[str, Concrete]]:
        """An object of an abstract type, or an element of a list of them: its concrete type is read from a column, row by row."""
        column = Served("__typename", column=served.typename)
        typename = self.draft.wanted(level, column, "")
        found = {}
        for variant in served.variants:
            position = self.draft.position(layer, variant.type, carried_by(variant.parts, level), (*when, When(typename, variant.value)))
            own = Served(variant.type, type=variant.type, parts=variant.parts)
            # A plain object is there when its type is said. Elements that the caller may not see are dropped by their list.
            presence = Presence(keys=self.key(own, level), screen=None if many else screen(self.draft, position))
            found[variant.value] = Concrete(presence, self.fields(position, children.get(variant.type, ())))
        return typename, found

    def linked(self, position: Position, selected: Selected, binding: Binding, unless: Unless | None) -> Output:
        """A list or an object that is fetched by the parent's key."""
        alone = selected if binding.args or cuttable(self.draft, selected, binding) else None
        source = self.draft.fetch(position, binding, alone, unless)
        if binding.many:
            return self.lists.linked(position, selected, binding, source)
        level = self.draft.level(position.layer, source, binding, step=source)
        if binding.variants:
            typename, variants = self.variants(position.layer, selected.children, binding.row, level, position.when)
            return Object(place_of(selected), Presence(keys=(typename,)), typename=typename, variants=variants)
        inner = self.draft.position(position.layer, binding.type, carried_by(binding.fields, level), position.when)
        presence = Presence(found=source, screen=screen(self.draft, inner))
        return Object(place_of(selected), presence, self.fields(inner, selected.children[binding.type]))
