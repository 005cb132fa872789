"""The planner: from a normalised operation to steps and outputs. Pure; the same inputs give the same plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from graphql import GraphQLSchema, get_named_type

from hub.plan.actions import acted
from hub.plan.aggregates import aggregated
from hub.plan.bridge import Bridge
from hub.plan.draft import Carried, Draft, Rules, place_of
from hub.plan.entities import entities
from hub.plan.graphs import Graphs
from hub.plan.listing import screen
from hub.plan.merge import groups, levelled, unite
from hub.plan.model import Arguments, QueryPlan
from hub.plan.objects import Objects
from hub.plan.operation import Operation, Selected
from hub.plan.outputs import Constant, Failure, Object, Root
from hub.plan.riders import asked_anyway
from hub.plan.schedule import schedule
from hub.plan.slots import ROOT, Presence
from schema.registry import ENTITIES, Registry, Served


def plan_query(
    schema: GraphQLSchema, registry: Registry, operation: Operation, denied: frozenset[str], rules: Rules | None = None
) -> QueryPlan:
    """Plan all root fields of ``operation`` for a caller who may not see ``denied`` and of each type only rows that pass ``rules``.

    Raises Unplannable past ``MAX_STEPS`` steps.
    """
    draft = Draft(schema, registry, denied, asked_anyway(registry, operation.coordinates), rules)
    objects = Objects(draft)
    federated = _federated(draft, objects, operation)
    roots = tuple(federated.get(selected.key) or _root(draft, objects, selected) for selected in operation.selections)
    steps = unite(draft.steps, draft.columns, draft.guards, draft.given, draft.behind, draft.strict)
    together = groups(steps)
    steps = levelled(steps, together)
    units = schedule(steps, together, lambda system: registry.limits(system).timeout)
    work, chosen = draft.work.candidates, draft.chosen()
    return QueryPlan(operation.name, steps, together, roots, operation.coordinates, denied, work, chosen, units)


def _federated(draft: Draft, objects: Objects, operation: Operation) -> Mapping[str, Root]:
    """The root fields that a federation tells."""
    if draft.registry.federation is None:
        return {}
    graphs = Graphs(draft, draft.registry.federation)
    Bridge(draft, objects, graphs)
    return graphs.roots([selected for selected in operation.selections if graphs.has(selected)])


def _root(draft: Draft, objects: Objects, selected: Selected) -> Root:
    place = place_of(selected)
    if selected.name == "__typename":
        return Root(ROOT, Constant(place, selected.parent))
    if selected.coordinate in draft.denied:
        return Root(ROOT, Failure(place, "FORBIDDEN"))
    action = acted(draft, objects, selected)
    if action is not None:
        return action
    if selected.coordinate == ENTITIES:
        return Root(ROOT, entities(draft, objects, selected))
    lookup = draft.registry.roots.get(selected.coordinate)
    if lookup is None:
        figures = get_named_type(selected.type).name in draft.registry.aggregates
        return Root(ROOT, aggregated(draft, selected) if figures else objects.lists.scanned(selected))
    if any(f"{lookup.type}.{name}" in draft.denied for name in lookup.arguments.values()):
        return Root(ROOT, Failure(place, "FORBIDDEN"))  # an answer would tell which values there are
    step = draft.next_id()
    draft.steps.append(Arguments(step, selected, lookup.arguments))
    carried = {name: Carried(Served(name, column=name), step) for name in lookup.arguments.values()}
    position = draft.position(step, lookup.type, carried)
    anchor = draft.registry.anchor(position.type)
    presence = Presence()
    if anchor is not None and position.reach.all(anchor.key):
        presence = Presence(found=draft.fetch(position, anchor), lenient=True)
    presence = replace(presence, screen=screen(draft, position))
    return Root(step, Object(place, presence, objects.fields(position, selected.children[position.type])))
