"""Nasty cases of running: keys, batches, late and failing calls, callers that share calls or must not. In virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLID

from auth.principal import Audience, Principal
from connectors.spi import Call, Page, Plan
from hub.recorder import Recorder
from hub.run.chunks import Asker, Question
from hub.run.coalesce import Coalescer
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.registry import Limits
from tests.bound import Lies, leaf, lookup
from tests.run.test_engine import department_world
from tests.virtual import LoopClock, run
from tests.worlds import World, world

Fetch = Callable[[Plan, Call], AsyncIterator[Page]]


def engine(there: World, *, delegated: tuple[str, ...] = (), timeout: float = 10.0, limits: Limits | None = None) -> Engine:
    """An engine over ``there`` in virtual time; ``delegated`` systems get the caller's own identity."""
    systems = {
        name: replace(one, credential="delegated" if name in delegated else "hub", limits=limits or one.limits)
        for name, one in there.registry.systems.items()
    }
    registry = replace(there.registry, systems=systems)
    sources = Sources(systems, there.connectors, LoopClock(), Recorder())
    return Engine(there.schema, registry, sources, timeout=timeout)


def slow(there: World, system: str, seconds: float) -> None:
    there.systems[system].clock, there.systems[system].latency = LoopClock(), seconds


def wrapped(there: World, system: str, around: Callable[[Fetch, Plan, Call], AsyncIterator[Page]]) -> None:
    """Do ``around`` whenever ``system`` is asked."""
    memory, fetch = there.systems[system], there.systems[system].fetch
    memory.fetch = lambda plan, call: around(fetch, plan, call)  # type: ignore[method-assign]  # the same source, told to misbehave


async def ask(asked: Engine, text: str, **options: Any) -> Any:
    return await asked.run(asked.parse(text), **options)


def coded(result: Any) -> Counter[tuple[tuple[str | int, ...], str]]:
    return Counter((tuple(error.path), error.extensions["code"]) for error in result.errors or ())


def firms(names: str, fields: str) -> str:
    return "{ " + " ".join(f'{name.lower()}: firm(uscc: "{name}") {{ {fields} }}' for name in names) + " }"


def test_a_null_key_makes_no_call_and_no_error() -> None:
    """Case 21: a null key is not sent; what hangs on it is null, its siblings are there."""
    there = department_world(register={"Firm": [{"code": "A", "mc": "甲", "sj": None}, {"code": "B", "mc": "乙", "sj": "A"}]})
    result = run(ask(engine(there), firms("AB", "name parent { name }")))
    assert result.data == {"a": {"name": "甲", "parent": None}, "b": {"name": "乙", "parent": {"name": "甲"}}}
    assert not result.errors
    assert all(None not in key for call in there.received for key in call.keys)


def test_a_key_that_comes_often_is_sent_once_and_fills_every_row_with_an_object_of_its_own() -> None:
    """Case 22: duplicate keys in a list."""
    there = department_world()
    result = run(ask(engine(there), firms("ABC", "licences { item { name } }")))
    found = [licence["item"] for firm in result.data.values() for licence in firm["licences"]]
    assert [item["name"] for item in found] == ["甲", "乙", "甲"] * 3
    assert len({id(item) for item in found}) == 9
    assert [call.keys for call in there.calls("permits")] == [(("item0",), ("item1",))]


@pytest.mark.parametrize(
    ("odd", "names", "code"),
    [
        ("in another order", ["企业A", "企业B"], None),
        ("without the second", ["企业A", None], None),
        ("the first twice", [None, "企业B"], "SYSTEM_BROKEN"),
        ("with a stranger", [None, None], "SYSTEM_BROKEN"),
        ("a column one value short", [None, None], "SYSTEM_BROKEN"),
        ("without a column", [None, None], "SYSTEM_BROKEN"),
    ],
)
def test_a_batch_is_checked_against_what_was_asked(odd: str, names: list[str | None], code: str | None) -> None:
    """Case 23: another order, missing, doubled and strange keys, columns of the wrong length: no row is ever shifted."""
    there = department_world()

    async def around(fetch: Fetch, plan: Plan, call: Call) -> AsyncIterator[Page]:
        async for page in fetch(plan, call):
            [key] = plan.relation.keys
            rows = range(page.size)
            order = {"in another order": rows[::-1], "without the second": rows[:1], "the first twice": [0, *rows]}.get(odd, rows)
            columns = {name: [column[row] for row in order] for name, column in page.columns.items()}
            if odd == "with a stranger":
                columns = {name: [*column, "Z"] for name, column in columns.items()}
            size = len(columns[key])
            if odd == "a column one value short":
                columns["name"].pop()
            if odd == "without a column":
                del columns["name"]
            yield Page(columns, size)

    wrapped(there, "register", around)
    result = run(ask(engine(there), firms("AB", "name")))
    assert [firm and firm["name"] for firm in result.data.values()] == names
    assert {found for _, found in coded(result)} == ({code} if code else set())


def test_the_middle_chunk_of_three_fails_and_takes_its_own_rows() -> None:
    """Case 24: a batch over its maximum travels in three calls, the second fails; errors have the right indexes."""
    rows = [{"id": f"L{n}", "t": "证", "czr": "A", "sx": f"item{n}"} for n in range(6)]
    items = [{"bm": f"item{n}", "mc": f"事项{n}"} for n in range(6)]
    there = department_world(library={"Licence": rows}, permits={"Item": items})
    [binding] = there.registry.lookups["Item"]
    small = replace(binding, relation=replace(binding.relation, max_keys=2))
    there = replace(there, registry=replace(there.registry, lookups={**there.registry.lookups, "Item": (small,)}))
    there.systems["permits"].faults.calls["Item.by.code", 1] = "down"
    result = run(ask(engine(there), '{ firm(uscc: "A") { licences { item { name } } } }'))
    names = [licence["item"] and licence["item"]["name"] for licence in result.data["firm"]["licences"]]
    assert names[:2] + names[4:] == ["事项0", "事项1", "事项4", "事项5"]
    assert [len(call.keys) for call in there.calls("permits")] == [2, 2, 2]
    assert coded(result) == {(("firm", "licences", row, "item", "name"), "SYSTEM_DOWN"): 1 for row in (2, 3)}


def three() -> World:
    """A firm out of three systems that are asked at once: name, grade, phone."""
    bindings = [
        lookup("register", "Firm", "uscc", {"uscc": "k", "name": leaf("mc")}, anchor=True),
        lookup("credit", "Firm", "uscc", {"uscc": "k", "grade": leaf("dj")}),
        lookup("phones", "Firm", "uscc", {"uscc": "k", "phone": leaf("dh")}),
    ]
    rows = [{"k": key, "mc": f"企业{key}", "dj": "A", "dh": "0571"} for key in "ABCDEFGH"]
    data = {system: {"Firm": rows} for system in ("register", "credit", "phones")}
    sdl = "type Query { firm(uscc: ID!): Firm } type Firm { uscc: ID! name: String grade: String phone: String }"
    return world(sdl, bindings, data, keys={"Firm": ["uscc"]}, roots={"Query.firm": ("Firm", {"uscc": "uscc"})})


def test_one_of_three_is_late_and_the_others_data_arrive() -> None:
    """Case 31: a timeout of one of three parallel systems; its late answer is heard by nobody."""
    there = three()
    slow(there, "credit", 60.0)
    heard = []

    async def around(fetch: Fetch, plan: Plan, call: Call) -> AsyncIterator[Page]:
        async with aclosing(fetch(plan, call)) as pages:  # type: ignore[type-var]  # a generator, as all fetches are
            async for page in pages:
                heard.append(page)
                yield page

    wrapped(there, "credit", around)
    asked = engine(there, limits=Limits(timeout=2.0, retries=0))

    async def timed() -> tuple[Any, float]:
        result = await ask(asked, '{ firm(uscc: "A") { name grade phone } }')
        took = asyncio.get_running_loop().time()
        await asyncio.sleep(100)
        return result, took

    result, took = run(timed())
    assert result.data == {"firm": {"name": "企业A", "grade": None, "phone": "0571"}}
    assert coded(result) == {(("firm", "grade"), "SYSTEM_SLOW"): 1}
    assert (took, heard) == (2.0, [])


def test_a_slow_system_at_the_top_leaves_time_for_those_below_it() -> None:
    """Case 31: with less time than all need, it is divided: the permits are still asked for though the licences took their share."""
    there, text = department_world(), '{ firm(uscc: "A") { licences { item { name } } } }'
    limits = Limits(timeout=2.0, retries=0)
    slow(there, "library", 1.2)
    assert not run(ask(engine(there, timeout=3.0, limits=limits), text)).errors
    slow(there, "library", 1.8)
    result = run(ask(engine(there, timeout=3.0, limits=limits), text))
    assert coded(result) == {(("firm", "licences"), "SYSTEM_SLOW"): 1}


def test_the_first_of_a_shared_call_goes_away_and_the_others_have_their_answer() -> None:
    """Case 33: the leader's request is cancelled; followers are unaffected, and there is no second call."""
    there = three()
    slow(there, "register", 1.0)
    asked = engine(there)

    async def leader_leaves() -> list[Any]:
        tasks = [asyncio.create_task(ask(asked, f'{{ firm(uscc: "{key}") {{ name }} }}')) for key in "AAB"]
        await asyncio.sleep(0.5)
        tasks[0].cancel()
        await asyncio.wait(tasks)
        assert tasks[0].cancelled()
        return [task.result().data["firm"]["name"] for task in tasks[1:]]

    assert run(leader_leaves()) == ["企业A", "企业B"]
    assert [call.keys for call in there.calls("register")] == [(("A",), ("B",))]


def test_a_follower_with_less_time_gives_up_alone() -> None:
    """Case 33: each waits for a shared call until its own deadline; the answer that one no longer hears is there for the other."""
    there = three()
    slow(there, "register", 3.0)
    lanes = Coalescer(engine(there, limits=Limits(timeout=50.0)).sources)
    [binding] = [one for one in there.registry.lookups["Firm"] if one.system == "register"]
    question = Question(binding, ("uscc", "name"), (GraphQLID,))

    async def both() -> list[str]:
        hasty, patient = lanes.rows(question, [("A",)], Asker(1.0)), lanes.rows(question, [("A",)], Asker(9.0))
        told = []
        for name, one in (("hasty", hasty), ("patient", patient)):
            one.then(lambda name=name, one=one: told.append(f"{name} {asyncio.get_running_loop().time():.0f} {one.result()['A',].fault}"))  # type: ignore[misc]
        await asyncio.sleep(10)
        return told

    assert [line.replace("None", "-")[:12] for line in run(both())] == ["hasty 1 Faul", "patient 3 -"]
    assert len(there.calls("register")) == 1


def test_what_one_caller_may_not_be_told_does_not_reach_another() -> None:
    """Case 33: a shared call goes out in the hub's name: no caller's token can fail it for the others."""
    there, names = three(), []

    async def around(fetch: Fetch, plan: Plan, call: Call) -> AsyncIterator[Page]:
        names.append(call.principal)
        async for page in fetch(plan, call):
            yield page

    wrapped(there, "register", around)
    asked = engine(there)

    async def all_at_once() -> list[Any]:
        callers = [Principal(name, Audience.APP) for name in ("one", "two", "three")]
        return list(await asyncio.gather(*(ask(asked, '{ firm(uscc: "A") { name } }', principal=caller) for caller in callers)))

    assert [result.data["firm"]["name"] for result in run(all_at_once())] == ["企业A"] * 3
    assert names == [""]


def test_callers_with_different_row_filters_share_nothing() -> None:
    """Case 34: the same key at the same moment under two row filters: two calls, and each has its own rows."""
    there = three()
    lanes = Coalescer(engine(there).sources)
    [binding] = [one for one in there.registry.lookups["Firm"] if one.system == "register"]
    question = Question(binding, ("uscc", "name"), (GraphQLID,))

    async def together() -> int:
        for scope in ("district=330106", "district=330102", "district=330106"):
            lanes.rows(replace(question, scope=scope), [("A",)], Asker(9.0))
        await asyncio.sleep(1)
        return len(there.calls("register"))

    assert run(together()) == 2


def test_one_of_a_shared_call_sees_no_row_of_another() -> None:
    """Case 34: even where a call is shared, what a request gets in hand are the rows of its own keys."""
    there = department_world()
    lanes = Coalescer(engine(there).sources)
    [binding] = there.registry.links["Firm.licences"]
    question = Question(binding, ("uscc", "title"), (GraphQLID,))

    async def together() -> list[Any]:
        waiting = [lanes.rows(question, [(key,)], Asker(9.0)) for key in "AB"]
        await asyncio.sleep(1)
        return [one.result() for one in waiting]

    first, second = run(together())
    assert len(there.calls("library")) == 1
    assert set(first["A",].columns["uscc"]) == {"A"}
    assert set(second["B",].columns["uscc"]) == {"B"}


def test_one_entity_by_two_keys_has_the_same_values() -> None:
    """Case 36: the same entity by code and by old number in one query."""
    fields: dict[str, Lies | str] = {"uscc": "k", "old": "jh", "name": leaf("mc")}
    there = world(
        "type Query { firm(uscc: ID!): Firm byOld(old: ID!): Firm } type Firm { uscc: ID! old: ID name: String grade: String }",
        [
            lookup("register", "Firm", "uscc", fields, anchor=True),
            lookup("register", "Firm", "old", fields),
            lookup("credit", "Firm", "uscc", {"uscc": "k", "grade": leaf("dj")}),
        ],
        {"register": {"Firm": [{"k": "A", "jh": "7", "mc": "企业A"}]}, "credit": {"Firm": [{"k": "A", "dj": "B"}]}},
        keys={"Firm": ["uscc", "old"]},
        roots={"Query.firm": ("Firm", {"uscc": "uscc"}), "Query.byOld": ("Firm", {"old": "old"})},
    )
    result = run(ask(engine(there), '{ firm(uscc: "A") { uscc old name grade } byOld(old: "7") { uscc old name grade } }'))
    assert not result.errors
    assert result.data["firm"] == result.data["byOld"] == {"uscc": "A", "old": "7", "name": "企业A", "grade": "B"}
    assert sum(len(call.keys) for call in there.calls("credit")) == 1


def test_a_system_that_gets_the_caller_s_identity_is_asked_for_each_caller() -> None:
    """Case 52: delegated credentials: equal keys at one moment, but no call and no row is shared across principals."""
    there = three()

    async def around(fetch: Fetch, plan: Plan, call: Call) -> AsyncIterator[Page]:
        async for page in fetch(plan, call):
            yield Page({**page.columns, "grade": [f"for {call.principal}"] * page.size}, page.size) if "grade" in page.columns else page

    wrapped(there, "credit", around)
    asked = engine(there, delegated=("credit",))

    async def all_at_once() -> list[Any]:
        callers = [Principal(name, Audience.APP) for name in ("one", "two", "one")]
        return list(await asyncio.gather(*(ask(asked, '{ firm(uscc: "A") { name grade } }', principal=caller) for caller in callers)))

    assert [result.data["firm"]["grade"] for result in run(all_at_once())] == ["for one", "for two", "for one"]
    assert (len(there.calls("credit")), len(there.calls("register"))) == (3, 1)


def test_a_large_question_does_not_hold_up_a_small_one() -> None:
    """Bulkhead: one caller with many calls at a system that takes two at once; another's single call is next in turn."""
    there = three()
    [binding] = [one for one in there.registry.lookups["Firm"] if one.system == "phones"]
    single = replace(binding, relation=replace(binding.relation, max_keys=1))
    slow(there, "phones", 1.0)
    asked = engine(there, limits=Limits(timeout=90.0, concurrency=2), timeout=90.0)
    lookups = tuple(single if one is binding else one for one in there.registry.lookups["Firm"])
    asked = Engine(there.schema, replace(asked.registry, lookups={"Firm": lookups}), asked.sources, timeout=90.0)

    async def both() -> float:
        large = asyncio.create_task(ask(asked, firms("ABCDEFG", "phone"), principal=Principal("large", Audience.APP)))
        await asyncio.sleep(0.5)
        await ask(asked, '{ firm(uscc: "H") { phone } }', principal=Principal("small", Audience.APP))
        took = asyncio.get_running_loop().time() - 0.5
        await large
        return took

    assert run(both()) <= 1.5  # half a second for the two in flight, one for its own; seven calls would take four
