"""Who else could have been asked at a step, in rank order, and why it is not. For people; the executor does not read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from hub.plan.model import QueryPlan
from hub.plan.providers import Reach, reach
from schema.registry import Authority, Binding, Registry, Role

SHOWN = 5  # of each step; a hot type has hundreds


@dataclass(frozen=True, slots=True)
class Alternative:
    """``why`` the system's binding was not chosen."""

    system: str
    why: str


def alternatives(plan: QueryPlan, registry: Registry) -> dict[int, tuple[Alternative, ...]]:
    """By step, for those that had any."""
    bindings: Mapping[int, Binding] = {step.id: step.binding for step in plan.steps if hasattr(step, "binding")}
    found: dict[int, tuple[Alternative, ...]] = {}
    for choice in plan.choices:
        chosen = bindings[choice.step]
        here = reach(registry, choice.type, choice.carried)
        others: dict[str, Binding] = {}
        for name in choice.fields:
            some = registry.links.get(f"{choice.type}.{name}", ()) if chosen.role is Role.LINK else registry.providers(choice.type, name)
            others.update((other.id, other) for other in islice(some, SHOWN + 1) if other.id != chosen.id and name not in other.key)
        ranked = sorted(others.values(), key=lambda other: other.rank)[:SHOWN]
        if ranked:
            found[choice.step] = tuple(Alternative(other.system, _why(other, chosen, here)) for other in ranked)
    return dict(sorted(found.items()))


def _why(other: Binding, chosen: Binding, here: Reach) -> str:
    if not here.all(other.key):
        return "its key is not at hand"
    if other.rank < chosen.rank:
        return "another was to be asked anyway"
    order = tuple(Authority)
    if order.index(other.authority) > order.index(chosen.authority):
        return "lower authority"
    return "lower priority" if other.priority < chosen.priority else "later by name"
