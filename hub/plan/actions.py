"""Root fields that are no queries: a mutation's answer and a subscription's event are one row, and what is asked beyond it is fetched.

The row's own columns win, as those of any row do. Knows positions and the registry.
"""

from __future__ import annotations

from hub.plan.draft import Draft, carried_by, place_of
from hub.plan.listing import screen
from hub.plan.model import Event, Write
from hub.plan.objects import Objects
from hub.plan.operation import Selected
from hub.plan.outputs import Failure, Object, Root
from hub.plan.slots import ROOT, Presence


def acted(draft: Draft, objects: Objects, selected: Selected) -> Root | None:
    """The root of a mutation or subscription field; None for a field of Query."""
    query = draft.schema.query_type
    if query is not None and selected.parent == query.name:
        return None
    place = place_of(selected)
    write, feed = draft.registry.writes.get(selected.coordinate), draft.registry.feeds.get(selected.coordinate)
    binding = write or feed
    if binding is None:
        return Root(ROOT, Failure(place, "NOT_BOUND"))
    step = draft.next_id()
    level = draft.level(step, step, binding)
    draft.steps.append((Write if write is not None else Event)(step, binding, selected))
    position = draft.position(step, binding.type, carried_by(binding.fields, level))
    presence = Presence(found=step, screen=screen(draft, position))
    return Root(step, Object(place, presence, objects.fields(position, selected.children[binding.type])))
