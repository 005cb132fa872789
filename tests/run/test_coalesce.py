"""Requests that share their calls: fewer calls, the same answers, and nobody hears of another's going away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphql import GraphQLID
from hypothesis import given

from hub.clock import SystemClock
from hub.run.chunks import Asker, Question
from hub.run.coalesce import IN_FLIGHT, Coalescer, Lane, Wanted
from hub.run.engine import Engine
from hub.run.rows import Key
from hub.run.sent import Answered, Sent
from hub.run.sources import Sources
from schema.registry import Registry
from tests.properties import examples
from tests.properties.engine import OpenCursors, StillClock
from tests.properties.generator import Case, cases
from tests.run.test_engine import department_world, engine
from tests.worlds import World


class Held:
    """A source whose calls come back when they are let go; it remembers the keys of each."""

    def __init__(self) -> None:
        self.calls: list[tuple[Key, ...]] = []
        self.gate = asyncio.Event()

    async def send(self, chunk: Sequence[Key], asker: Asker) -> Answered:
        self.calls.append(tuple(chunk))
        await self.gate.wait()
        return Answered({"k": [key[0] for key in chunk]}, {key: [row] for row, key in enumerate(chunk)})


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def want(lane: Lane, *keys: str, caller: str = "") -> Wanted:
    return lane.want([(key,) for key in keys], Asker(60.0, "r", caller), 60.0)


async def answer(sent: Sent) -> Mapping[Key, Answered]:
    there = asyncio.Event()
    sent.then(there.set)
    await there.wait()
    return sent.result()


async def test_who_comes_first_waits_for_nobody_and_who_comes_later_travels_together() -> None:
    source, asked = Held(), []
    lane = Lane(source.send, 100)
    for number in range(IN_FLIGHT + 10):
        asked.append(want(lane, str(number % (IN_FLIGHT + 5))))
        await settled()
    assert [len(call) for call in source.calls] == [1] * IN_FLIGHT
    source.gate.set()
    answers = [await answer(one) for one in asked]
    assert len(source.calls) == IN_FLIGHT + 1
    assert len(source.calls[-1]) == len(set(source.calls[-1])) == IN_FLIGHT + 5  # a key that two ask for is sent once
    assert all((str(number % (IN_FLIGHT + 5)),) in answers[number] for number in range(IN_FLIGHT + 10))


async def test_questions_of_one_moment_share_a_call_as_large_as_the_relation_takes() -> None:
    source = Held()
    source.gate.set()
    lane = Lane(source.send, 4)
    await asyncio.gather(*(answer(want(lane, "a", f"b{number}")) for number in range(5)))
    assert [len(call) for call in source.calls] == [4, 2]


async def test_many_questions_of_one_moment_are_divided_over_the_calls_that_may_be_in_flight() -> None:
    source = Held()
    lane = Lane(source.send, 100)
    asked = [want(lane, f"{number % 64}") for number in range(68)]  # four of them ask for a key of another's
    await settled()
    assert [len(call) for call in source.calls] == [16] * IN_FLIGHT
    source.gate.set()
    answers = [await answer(one) for one in asked]
    assert [set(found) for found in answers] == [{(f"{number % 64}",)} for number in range(68)]


async def test_questions_of_many_keys_are_divided_only_where_they_ask_for_different_ones() -> None:
    source = Held()
    lane = Lane(source.send, 100)
    for number in range(4):
        want(lane, *(f"{number}/{key}" for key in range(16)))
    await settled()
    assert [len(call) for call in source.calls] == [16] * IN_FLIGHT
    source = Held()
    lane = Lane(source.send, 100)
    for number in range(10):
        want(lane, *(str(number + key) for key in range(30)))
    await settled()
    assert [len(call) for call in source.calls] == [39]


async def test_one_that_goes_away_leaves_the_call_to_the_others() -> None:
    source = Held()
    lane = Lane(source.send, 100)
    first, second = want(lane, "a"), want(lane, "b")
    await settled()
    first.withdraw()
    await settled()
    source.gate.set()
    assert set(await answer(second)) == {("b",)}
    assert source.calls == [(("a",), ("b",))]
    assert not first.done


async def test_one_whose_time_is_over_while_it_waits_hears_that_the_source_is_slow() -> None:
    there = department_world()
    asked = engine(there)
    gate = asyncio.Event()
    register = there.systems["register"]
    fetch = register.fetch

    async def held(plan: Any, call: Any) -> Any:
        await gate.wait()
        async for page in fetch(plan, call):
            yield page

    register.fetch = held  # type: ignore[method-assign]  # the same source, but it does not answer yet
    slow = Engine(there.schema, there.registry, asked.sources, timeout=0.02)
    result = await slow.run(slow.parse('{ firm(uscc: "A") { name } }'))
    assert [(error.extensions or {})["code"] for error in result.errors or ()] == ["SYSTEM_SLOW"]
    gate.set()


async def test_callers_own_identities_keys_sent_singly_and_parameters_are_never_shared() -> None:
    there = department_world()
    registry: Registry = replace(
        there.registry, systems={name: replace(system, credential="delegated") for name, system in there.registry.systems.items()}
    )
    [binding] = there.registry.lookups["Firm"]
    question = Question(binding, ("uscc",), (GraphQLID,))

    def shares(systems: Any, question: Question) -> bool:
        return Coalescer(Sources(systems, there.connectors, SystemClock())).shares(question)

    assert shares(there.registry.systems, question)
    assert not shares(registry.systems, question)
    assert not shares(there.registry.systems, replace(question, params={"year": 2026}))
    single = replace(binding, relation=replace(binding.relation, max_keys=1))
    assert not shares(there.registry.systems, replace(question, binding=single))


async def test_sixty_four_requests_for_one_enterprise_each_make_few_calls() -> None:
    there = department_world()
    asked = engine(there)
    document = asked.parse("query ($uscc: ID!) { firm(uscc: $uscc) { name licences { title } } }")
    results = await asyncio.gather(*(asked.run(document, {"uscc": "ABCDE"[number % 5]}) for number in range(64)))
    assert [result.data["firm"]["name"] for result in results if result.data] == [f"企业{'ABCDE'[number % 5]}" for number in range(64)]
    assert len(there.received) < 10


@given(cases())
@examples(30)
async def test_p17_p18_together_or_alone_shared_or_not_every_answer_is_the_same(case: Case) -> None:
    async def answers(coalesce: bool, count: int) -> list[tuple[Any, int]]:
        world: World = case.build()
        sources = Sources(world.registry.systems, world.connectors, StillClock())
        asked = Engine(world.schema, world.registry, sources, coalesce=coalesce, cursors=OpenCursors())
        document = asked.parse(case.operation.text)
        run = [asked.run(document, case.operation.variables, denied=case.denied) for _ in range(count)]
        return [(result.data, len(result.errors or ())) for result in await asyncio.gather(*run)]

    case = case.calm()
    [alone] = await answers(False, 1)
    assert await answers(True, 5) == [alone] * 5
