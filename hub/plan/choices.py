"""A field that several sources can give: which of them are asked, in which order, and for which rows.

Each source is planned as if it were the only one, but that it is asked only for rows which those before it have not answered. Where one
source is enough, nothing of this shows in the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from graphql import is_non_null_type

from hub.plan.draft import Carried, Draft, Position, Unless, place_of
from hub.plan.model import Expand, Fetch
from hub.plan.operation import Selected
from hub.plan.outputs import Choice, Connection, Leaf, List, Object, Output
from hub.plan.slots import Guard, Probe, Slot
from schema.registry import Binding, Resolve


class Inside(Protocol):
    """What plans one source of a field; see ``hub.plan.objects``."""

    draft: Draft

    def answered(self, position: Position, selected: Selected, carried: Carried) -> Output: ...

    def fetched(self, position: Position, selected: Selected, binding: Binding, unless: Unless | None) -> Output: ...


def choose(
    inside: Inside, position: Position, selected: Selected, resolve: Resolve, carried: Carried | None, found: Sequence[Binding]
) -> Output:
    """Plan a field from what is ``carried`` and from the bindings ``found``, best first; one of the two is there."""
    outputs: list[Output] = []
    probes: list[Probe] = []
    chain: list[str] = []
    if carried is not None:
        outputs.append(inside.answered(position, selected, carried))
        probes.append(_probe(inside.draft, outputs[0], None, ()))
        chain.append(f"{carried.step}.{carried.served.column}")
    for binding in found:
        unless = Unless(tuple(chain), Guard(resolve, tuple(probes))) if probes else None
        before = len(inside.draft.steps)
        outputs.append(inside.fetched(position, selected, binding, unless))
        if len(found) + (carried is not None) == 1:
            return outputs[0]
        step = _step(inside.draft, position, binding, unless, before)
        sure = all(certain(inside.draft, position, name) for name in binding.key)
        probes.append(_probe(inside.draft, outputs[-1], step.id, () if sure else step.key))
        chain.append(binding.id)
    return Choice(place_of(selected), resolve, tuple(probes), tuple(outputs)) if len(outputs) > 1 else outputs[0]


def usable(draft: Draft, position: Position, found: Iterable[Binding]) -> list[Binding]:
    """Of several sources those that some row may need where the first with a key answers: not those whose keys are null wherever the
    keys of one before them are, and none after one whose key is always there."""
    kept: list[Binding] = []
    for binding in found:
        if not any(set(other.key) <= set(binding.key) for other in kept):
            kept.append(binding)
            if all(certain(draft, position, name) for name in binding.key):
                break
    return kept


def certain(draft: Draft, position: Position, name: str) -> bool:
    """Whether a key field is there in every row: the rows carry it, and it may not be null."""
    return name in position.carried and is_non_null_type(draft.type_of(f"{position.type}.{name}"))


def _step(draft: Draft, position: Position, binding: Binding, unless: Unless | None, before: int) -> Fetch:
    """The fetch that a source was planned with: remembered by the position, or, if it has arguments of its own, made just now."""
    name = (binding.id, *((unless.guard.resolve, *unless.chain) if unless is not None else ()))
    number = position.fetched.get(name)
    if number is not None:
        found = draft.steps[number - 1]
        assert isinstance(found, Fetch)
        return found
    return next(s for s in draft.steps[before:] if isinstance(s, Fetch) and s.binding is binding and s.selected is not None)


def _probe(draft: Draft, output: Output, step: int | None, key: tuple[Slot, ...]) -> Probe:
    match output:
        case Leaf():
            return Probe(step, key, leaf=output.slot)
        case Object():
            presences = {value: concrete.presence for value, concrete in output.variants.items()}
            return Probe(step, key, presence=output.presence, typename=output.typename, variants=presences)
        case List():
            layer = (*output.outer, output.rows.layer)[0]
        case Connection():
            layer = output.layer
        case _:
            raise AssertionError("a source gives a leaf, an object or a list")
    expand = draft.steps[layer - 1]
    assert isinstance(expand, Expand)
    return Probe(step, key, items=expand.slot)
