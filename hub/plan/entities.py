"""Entities that another router asks for by their keys: a list of representations, each a lookup by the key that it brings.

Each type is planned once for each of its keys, as a concrete type of its own, since what can be had depends on the key. Knows
positions and the registry.
"""

from __future__ import annotations

from dataclasses import replace

from graphql import GraphQLString

from hub.plan.draft import Carried, Draft, place_of
from hub.plan.listing import screen
from hub.plan.model import Entities, EntityKey
from hub.plan.objects import Objects
from hub.plan.operation import Selected
from hub.plan.outputs import Concrete, List, Rows
from hub.plan.slots import Presence, Slot, When
from schema.registry import Served


def entities(draft: Draft, objects: Objects, selected: Selected) -> List:
    """The list of entities; what is of a type that nobody selects from has nothing to be fetched."""
    step = draft.next_id()
    kinds = tuple(_kind(draft, name, key) for name in selected.children for key in draft.registry.keys.get(name, ()))
    made = Entities(step, selected, kinds)
    draft.steps.append(made)
    typename = Slot(step, made.typename, GraphQLString)
    variants = {kind.value: _entity(draft, objects, selected, kind, typename) for kind in kinds if not kind.denied}
    return List(place_of(selected), Rows(step, Presence(keys=(typename,)), typename=typename, variants=variants))


def _kind(draft: Draft, name: str, key: tuple[str, ...]) -> EntityKey:
    places = [f"{name}.{part}" for part in key]
    parts = tuple((part, draft.type_of(place)) for part, place in zip(key, places, strict=True))
    return EntityKey(f"{name} {' '.join(key)}", name, parts, not draft.denied.isdisjoint(places))


def _entity(draft: Draft, objects: Objects, selected: Selected, kind: EntityKey, typename: Slot) -> Concrete:
    chosen = selected.children[kind.type]
    if not chosen:
        return Concrete(Presence(), ())
    carried = {name: Carried(Served(name, column=name), typename.step) for name, _ in kind.key}
    position = draft.position(typename.step, kind.type, carried, (When(typename, kind.value),))
    anchor = draft.registry.anchor(kind.type)
    presence = Presence()
    if anchor is not None and position.reach.all(anchor.key):
        presence = Presence(found=draft.fetch(position, anchor), lenient=True)
    presence = replace(presence, screen=screen(draft, position))
    return Concrete(presence, objects.fields(position, chosen))
