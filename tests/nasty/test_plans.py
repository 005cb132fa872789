"""Nasty cases of planning and of what is kept: bounds, conditions, variables, registries that change, masks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest

from auth.principal import Audience, Principal
from hub.run.engine import Engine
from hub.run.prepared import Caches, Preparer
from hub.run.sources import Sources
from schema.coordinates import Grade
from tests.bound import lookup
from tests.memory import Memory
from tests.properties.engine import StillClock
from tests.run.test_engine import department_world
from tests.worlds import World, world

OPERATOR = Principal("ops", Audience.OPERATOR, frozenset(), Grade.L4)


def engine(there: World, caches: Caches | None = None, **options: Any) -> Engine:
    sources = Sources(there.registry.systems, there.connectors, StillClock())
    return Engine(there.schema, there.registry, sources, caches=caches, **options)


async def ask(asked: Engine, text: str, variables: dict[str, Any] | None = None, **options: Any) -> Any:
    return orjson.loads((await asked.execute(asked.parse(text), variables=variables, **options)).body)


def codes(body: Any) -> set[str]:
    return {error["extensions"]["code"] for error in body.get("errors", ())}


@pytest.mark.parametrize("long", [50, 400, 5_000])
async def test_a_chain_of_fragments_hits_a_bound_and_no_recursion(long: int) -> None:
    """Case 14: a chain of fragments of any length is answered or refused by a code."""
    chain = " ".join(f"fragment F{n} on Firm {{ ...F{n + 1} }}" for n in range(long))
    body = await ask(engine(department_world()), f'{{ firm(uscc: "A") {{ ...F0 }} }} {chain} fragment F{long} on Firm {{ name }}')
    if long == 50:
        assert body["data"] == {"firm": {"name": "企业A"}}
    else:
        assert codes(body) <= {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "PLAN_TOO_COMPLEX"}
        assert codes(body) or body["data"] == {"firm": {"name": "企业A"}}


async def test_a_cycle_of_fragments_is_not_valid() -> None:
    """Case 14: a cycle of fragments is refused by validation."""
    text = '{ firm(uscc: "A") { ...F } } fragment F on Firm { parent { ...G } } fragment G on Firm { parent { ...F } }'
    assert codes(await ask(engine(department_world()), text)) == {"GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize("deep", [30, 99, 400])
async def test_deep_selections_hit_a_bound_and_no_recursion(deep: int) -> None:
    """Case 14: selections deeper than the bound are refused."""
    body = await ask(engine(department_world()), '{ firm(uscc: "A") ' + "{ parent " * deep + "{ name }" + " }" * deep + " }")
    if deep == 30:
        assert "errors" not in body
    else:
        assert codes(body) <= {"PLAN_TOO_COMPLEX", "GRAPHQL_PARSE_FAILED"}


async def test_ten_thousand_aliases_hit_a_bound() -> None:
    """Case 14: ten thousand aliases of one field of a list's rows are one fetch; of a root field they are too many steps."""
    many = " ".join(f"n{n}: name" for n in range(10_000))
    there = department_world()
    body = await ask(engine(there), f'{{ firm(uscc: "A") {{ {many} }} }}')
    assert len(body["data"]["firm"]) == 10_000
    assert len(there.received) == 1
    roots = " ".join(f'f{n}: firm(uscc: "A") {{ name }}' for n in range(10_000))
    assert codes(await ask(engine(department_world()), f"{{ {roots} }}")) == {"PLAN_TOO_COMPLEX"}


async def test_one_response_key_ten_thousand_times_is_one_field() -> None:
    """Case 14: the same response key again and again is merged into one."""
    asked = engine(department_world())
    ready = asked.preparer.ready(asked.parse('{ firm(uscc: "A") { ' + "name " * 200 + "} }"), None, {})
    assert ready.operation.size == 2
    assert len(ready.nodes[1]) == 200


@pytest.mark.parametrize(
    ("variables", "asked"),
    [({}, False), ({"with": True}, True), ({"with": True, "without": True}, False), ({"with": False, "without": False}, False)],
)
async def test_a_branch_that_is_left_out_calls_nobody(variables: dict[str, bool], asked: bool) -> None:
    """Case 16: conditions on field and fragment, both on one, by variables with defaults; a branch left out calls no system."""
    text = """query ($with: Boolean = false, $without: Boolean! = false) {
        firm(uscc: "A") { name ... @include(if: $with) { licences @skip(if: $without) @include(if: $with) { title } } }
    }"""
    there = department_world()
    body = await ask(engine(there), text, variables)
    assert ("licences" in body["data"]["firm"]) is asked
    assert bool(there.calls("library")) is asked


async def test_defaults_nulls_and_lists_of_variables_are_each_request_s_own() -> None:
    """Case 17: a default, null against missing and a list made of one value are read anew for each request of a shared plan."""
    caches = Caches()
    asked = engine(department_world(), caches)
    text = "query ($n: Int = 2) { firms(first: $n) { nodes { uscc } } }"
    sizes = [len((await ask(asked, text, given))["data"]["firms"]["nodes"]) for given in ({}, {"n": 1}, {"n": None}, {"n": 3})]
    assert sizes == [2, 1, 5, 3]  # null is no default: the field's own fifty
    assert len(caches.plans) == 1


async def test_a_request_sees_one_registry_from_begin_to_end() -> None:
    """Case 18: a request that is under way when the registry changes is answered by the one it began with, the next by the new one."""
    caches, there = Caches(), department_world()
    gate = asyncio.Event()

    class Waiting(Memory):
        async def fetch(self, plan: Any, call: Any) -> Any:
            await gate.wait()
            async for page in super().fetch(plan, call):
                yield page

    slow = Waiting(there.systems["register"].settings, system="register", received=there.received)
    before = engine(replace(there, systems={**there.systems, "register": slow}), caches)
    text = '{ firm(uscc: "A") { name } }'
    running = asyncio.create_task(ask(before, text))
    await asyncio.sleep(0)
    named = world(
        there.schema,
        [lookup("gazette", "Firm", "uscc", {"uscc": "c", "name": "n"}, anchor=True)],
        {"gazette": {"Firm": [{"c": "A", "n": "新名"}]}},
        keys={"Firm": ["uscc"]},
        roots={"Query.firm": ("Firm", {"uscc": "uscc"})},
    )
    after = engine(named, caches)
    assert (await ask(after, text))["data"]["firm"]["name"] == "新名"
    gate.set()
    assert (await running)["data"]["firm"]["name"] == "企业A"


async def test_a_system_that_is_gone_is_not_asked_by_an_old_plan() -> None:
    """Case 19: when a system is taken away while plans of it are kept, its fields are not bound any more."""
    caches, there = Caches(), department_world()
    text = '{ firm(uscc: "A") { name licences { title } } }'
    assert (await ask(engine(there, caches), text))["data"]["firm"]["licences"]
    without = replace(there.registry, links={}, systems={n: s for n, s in there.registry.systems.items() if n != "library"}, epoch="2")
    there.received.clear()
    body = await ask(engine(replace(there, registry=without), caches), text)
    assert (body["data"]["firm"], codes(body)) == ({"name": "企业A", "licences": None}, {"NOT_BOUND"})
    assert there.calls("library") == []


def test_manifests_in_any_order_give_the_same_epochs_and_plans() -> None:
    """Case 20: what plans are kept under does not depend on the order of manifests."""
    there = department_world()
    registry = there.registry
    lookups, links = dict(reversed(list(registry.lookups.items()))), dict(reversed(list(registry.links.items())))
    turned = replace(registry, lookups=lookups, links=links, systems=dict(reversed(list(registry.systems.items()))))
    keys = set()
    for one in (registry, turned):
        preparer = Preparer(there.schema, one, lambda who, rows: frozenset(), StillClock(), lambda name, coordinate: False)
        keys.add(preparer.ready(preparer.document('{ firm(uscc: "A") { name licences { title } } }'), None, {}).prepared.key)
    assert len(keys) == 1


async def test_neither_errors_nor_plans_name_a_hidden_system() -> None:
    """Case 51: who may not see systems finds no name of one, in an error or in a plan."""
    there = department_world()
    for system in there.systems.values():
        system.faults.down |= {"Firm.licences": "broken", "Firm.all": "down", "Item.by.code": "slow"}
    who = Principal("app", Audience.APP, frozenset({"hub:explain"}), Grade.L2)
    text = '{ firm(uscc: "A") { name licences { title } } firms { nodes { uscc } } }'
    body = await ask(engine(there), text, principal=who, extensions={"explain": "analyze"})
    assert codes(body) == {"SYSTEM_BROKEN", "SYSTEM_DOWN"}
    assert not [name for name in there.systems if name in orjson.dumps(body).decode()]


async def test_one_text_under_two_agreements_has_two_plans() -> None:
    """Case 55: the same text under two masks: two plans, and neither caller gets the other's."""
    caches, there = Caches(), department_world()
    masks = {"a": frozenset({"Firm.name"}), "b": frozenset({"Firm.licences"})}
    asked = engine(there, caches, policy=lambda who, rows: masks[next(iter(who.scopes))])
    text = '{ firm(uscc: "A") { name licences { title } } }'
    for _ in range(2):
        for scope in masks:
            firm = (await ask(asked, text, principal=Principal(scope, Audience.APP, frozenset({scope}), Grade.L2)))["data"]["firm"]
            assert (firm["name"] is None, firm["licences"] is None) == (scope == "a", scope == "b")
    assert len(caches.plans) == 2
