"""One truth behind all systems, read in one way, by one composition at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from graphql import GraphQLObjectType
from hypothesis import given
from hypothesis.strategies import randoms

from hub.plan.providers import reach
from hub.serve.limits import Limits
from schema.reach import Whole, all_bindings, reached
from schema.registry import Role
from schema.world import World as Composed
from tests.properties import examples
from tests.properties.engine import engine, ran, told
from tests.properties.generator import Case, cases
from tests.properties.truths import lower_ranks_are_not_heard, one_value_everywhere
from tests.properties.unseen import redrawn
from tests.serve import small


@given(cases())
@examples(20)
async def test_p14_a_lower_ranked_provider_changes_no_answer_without_faults(case: Case) -> None:
    await lower_ranks_are_not_heard(case)


@given(cases())
@examples(20)
async def test_p23_a_field_of_an_entity_has_one_value_in_all_of_an_answer(case: Case) -> None:
    await one_value_everywhere(case)


# -- P20: one composition for one request -------------------------------------------------------------------------------


class Held:
    """A clock whose sleepers wait for ``release``."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.entered.set()
        await self.release.wait()


@given(cases(), randoms(use_true_random=False))
@examples(20)
async def test_p20_a_request_is_answered_by_the_composition_that_it_began_with(case: Case, rng: Random) -> None:
    case = case.calm()
    kinds = [kind for kind in case.schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    everything = frozenset(f"{kind.name}.{name}" for kind in kinds for name in kind.fields)
    other = replace(redrawn(rng, replace(case, denied=everything)), denied=case.denied)
    if not (await ran(case)).received:
        return
    asked = {"query": case.operation.text, "variables": dict(case.operation.variables)}
    there = small.world(limits=Limits(depth=200, aliases=10_000))
    old, new, held = case.build(), other.build(), Held()
    for system in old.systems.values():
        system.clock, system.latency = held, 1.0
    there.endpoint.engine = engine(old, case.denied, case.rules)
    request = asyncio.create_task(small.post(there.endpoint, asked))
    await held.entered.wait()
    there.endpoint.engine = engine(new, case.denied, case.rules)
    held.release.set()
    seen = (await request).json
    before, after = (await ran(case)).answer, (await ran(other)).answer
    assert seen["data"] == before.data, await told(case, before, after)
    assert new.received == []
    assert (await small.post(there.endpoint, asked)).json["data"] == after.data


# -- P27: what composition says of the registry is so -------------------------------------------------------------------


def _whole(case: Case) -> Whole:
    made = case.build()
    composed = Composed(made.schema, (), made.registry.connections, made.registry.keys, {})
    roots = made.schema.query_type
    assert roots is not None
    return Whole(composed, made.registry, {}, {}, frozenset(f"Query.{name}" for name in roots.fields))


@given(cases())
@examples(30)
async def test_p27_what_composition_calls_unreachable_is_asked_by_no_question(case: Case) -> None:
    there, _ = reached(_whole(case))
    ids = {(binding.system, binding.relation.name): binding.id for binding in case.bindings}
    found = await ran(replace(case.calm(), denied=frozenset()))
    assert {ids[call.system, call.relation] for call in found.received} <= there, await told(case, found.answer)


@given(cases())
@examples(30)
async def test_p27_the_planner_has_the_keys_that_composition_says_are_at_hand(case: Case) -> None:
    whole = _whole(case)
    there, contexts = reached(whole)
    for binding in all_bindings(whole.registry):
        if binding.role is not Role.SCAN:
            kind = (binding.field or binding.type).partition(".")[0]
            had = any(reach(whole.registry, name, held).all(binding.key) for name, held in contexts if name == kind)
            assert had is (binding.id in there), f"{binding.id}\n{await told(case)}"
