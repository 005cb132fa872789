"""Answers that are served again: for how long, to whom, with which columns, and in whose place while a system is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from auth.principal import Audience, Principal
from connectors.spi import Call, Options, Page, Plan
from hub.run.cache import Cache
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.coordinates import Grade
from schema.registry import Binding, Limits
from tests.bound import feed, link, lookup, scan, write
from tests.virtual import LoopClock, run
from tests.worlds import PLAIN, World, world

SDL = """
type Query { firm(uscc: ID!): Firm  firms(first: Int, after: String): FirmConnection  other(uscc: ID!): Firm }
type Mutation { rename(uscc: ID!, name: String!): Firm }
type Subscription { renamed: Firm }
type Firm { uscc: ID! name: String town: String staff: Int licences: [Licence!] tax(year: Int!): String }
type FirmConnection { nodes: [Firm!]! totalCount: Int }
type Licence { id: ID! title: String }
"""
FIRMS = [{"dm": dm, "mc": f"企业{dm}", "zs": "杭州", "rs": number} for number, dm in enumerate("ABCD")]
FIELDS: dict[str, Any] = {"uscc": "dm", "name": "mc", "town": "zs"}


class Hub:
    """An engine over a register, whose rows are kept, and two systems more."""

    def __init__(self, *, cache: float = 60.0, stale: float = 0.0, max_keys: int = 100, size: int = 10**6, **system: Any) -> None:
        def kept(binding: Binding) -> Binding:
            return replace(binding, cache=cache, stale=stale)

        bindings = [
            kept(lookup("register", "Firm", "uscc", FIELDS, anchor=True, max_keys=max_keys)),
            kept(scan("register", "Firm", FIELDS, order=("uscc",), limit=True, total=True, where={"uscc": ["GT"]})),
            lookup("staff", "Firm", "uscc", {"uscc": "dm", "staff": "rs"}, rows="Firm"),
            kept(link("library", "Firm.licences", "Licence", {"uscc": "czr"}, {"id": "id", "title": "t"})),
            write("register", "Mutation.rename", "Firm", {"uscc": "dm"}, rows="Firm", by=("uscc", "dm"), sets={"name": "mc"}),
            feed("register", "Subscription.renamed", "Firm", {"uscc": "dm"}),
        ]
        rows: Mapping[str, Any] = {
            "register": {"Firm": FIRMS},
            "staff": {"Firm": FIRMS},
            "library": {"Licence": [{"id": 1, "t": "甲", "czr": "A"}, {"id": 2, "t": "乙", "czr": "A"}]},
        }
        self.world: World = world(
            SDL,
            bindings,
            rows,
            keys={"Firm": ["uscc"], "Licence": ["id"]},
            roots={"Query.firm": ("Firm", {"uscc": "uscc"}), "Query.other": ("Firm", {"uscc": "uscc"})},
            limits=system.pop("limits", PLAIN),
        )
        systems = {name: replace(one, **system) for name, one in self.world.registry.systems.items()}
        self.registry = replace(self.world.registry, systems=systems)
        self.cache = Cache(size)
        self.sources = Sources(systems, self.world.connectors, LoopClock(), cache=self.cache)
        self.engine = Engine(self.world.schema, self.registry, self.sources)

    async def ask(self, text: str, who: str = "", **more: Any) -> dict[str, Any]:
        principal = Principal(who, Audience.OPERATOR, frozenset(), Grade.L4)
        answer = await self.engine.execute(self.engine.parse(text), principal=principal, **more)
        body: dict[str, Any] = orjson.loads(answer.body)
        return body

    async def name(self, uscc: str = "A", who: str = "") -> Any:
        return (await self.ask(f'{{ firm(uscc: "{uscc}") {{ name }} }}', who))["data"]["firm"]

    def keys(self, system: str = "register") -> list[tuple[str, ...]]:
        """The keys of each call that a system has received."""
        return [tuple(key[0] for key in call.keys) for call in self.world.calls(system)]

    def rename(self, uscc: str, name: str) -> None:
        """Without the hub."""
        rows = self.world.systems["register"].rows["Firm"]
        rows[:] = [{**row, "mc": name} if row["dm"] == uscc else row for row in rows]

    def fails(self, *relations: str, kind: str = "down") -> None:
        register = self.world.systems["register"]
        names = [name for one in relations for name in (("Firm.by.uscc", "Firm.all") if one == "Firm" else (one,))]
        register.faults = replace(register.faults, down=dict.fromkeys(names, kind))  # type: ignore[arg-type]


# ---- for how long


def test_a_row_is_asked_for_once_until_its_time_is_over() -> None:
    async def story() -> None:
        hub = Hub()
        assert await hub.name() == {"name": "企业A"}
        hub.rename("A", "改名")
        await asyncio.sleep(59.0)
        assert await hub.name() == {"name": "企业A"}
        await asyncio.sleep(1.0)
        assert await hub.name() == {"name": "改名"}
        assert hub.keys() == [("A",), ("A",)]

    run(story())


def test_of_several_keys_those_that_are_there_are_not_asked_for_again_and_the_rest_goes_in_one_call() -> None:
    async def story() -> None:
        hub = Hub()
        await hub.name("B")
        body = await hub.ask("{ " + " ".join(f'{one.lower()}: firm(uscc: "{one}") {{ name }}' for one in "ABCD") + " }")
        assert body == {"data": {one.lower(): {"name": f"企业{one}"} for one in "ABCD"}}
        assert hub.keys() == [("B",), ("A", "C", "D")]

    run(story())


def test_what_no_manifest_keeps_is_asked_for_each_time() -> None:
    async def story() -> None:
        hub = Hub(cache=0.0)
        await hub.name()
        await hub.name()
        assert hub.keys() == [("A",), ("A",)]
        assert hub.cache.size == 0

    run(story())


def test_that_there_is_nothing_is_known_for_a_tenth_of_the_time() -> None:
    async def story() -> None:
        hub = Hub()
        assert [await hub.name("X"), await hub.name("X")] == [None, None]
        await asyncio.sleep(6.0)
        assert await hub.name("X") is None
        assert hub.keys() == [("X",), ("X",)]

    run(story())


@pytest.mark.parametrize(("allowed", "calls"), [(5.0, 2), (600.0, 1), (0.0, 3), (None, 1)])
def test_the_source_may_allow_less_and_never_more(allowed: float | None, calls: int) -> None:
    async def story() -> None:
        hub = Hub(cache=10.0)
        register = hub.world.systems["register"]
        fetch = register.fetch

        async def dated(plan: Plan, call: Call) -> AsyncIterator[Page]:
            async for page in fetch(plan, call):
                page.max_age = allowed
                yield page

        register.fetch = dated  # type: ignore[method-assign]
        for _ in range(3):
            await hub.name()
            await asyncio.sleep(3.0)
        assert len(hub.keys()) == calls

    run(story())


def test_a_failure_is_not_kept() -> None:
    async def story() -> None:
        hub = Hub()
        hub.fails("Firm")
        assert await hub.name() == {"name": None}
        hub.fails()
        assert await hub.name() == {"name": "企业A"}

    run(story())


# ---- for which question


def test_an_answer_with_more_columns_serves_a_question_for_fewer_and_never_the_other_way_round() -> None:
    async def story() -> None:
        hub = Hub()
        await hub.ask('{ firm(uscc: "A") { name } }')
        assert (await hub.ask('{ firm(uscc: "A") { name town } }'))["data"]["firm"] == {"name": "企业A", "town": "杭州"}
        assert (await hub.ask('{ firm(uscc: "A") { town } }'))["data"]["firm"] == {"town": "杭州"}
        assert len(hub.keys()) == 2
        both = await hub.ask('{ a: firm(uscc: "A") { town } b: firm(uscc: "B") { town } }')
        assert both["data"] == {"a": {"town": "杭州"}, "b": {"town": "杭州"}}
        assert hub.keys()[2:] == [("B",)]

    run(story())


def test_lists_links_and_their_totals_are_kept_whole() -> None:
    async def story() -> None:
        hub = Hub()
        text = '{ firms(first: 2) { totalCount nodes { uscc } } firm(uscc: "A") { licences { title } } }'
        first = await hub.ask(text)
        count = len(hub.world.received)
        assert await hub.ask(text) == first
        assert first["data"]["firm"] == {"licences": [{"title": "甲"}, {"title": "乙"}]}
        assert len(hub.world.received) == count
        await hub.ask("{ firms(first: 3) { nodes { uscc } } }")  # another page is another question
        assert len(hub.world.received) == count + 1

    run(story())


def test_callers_share_what_the_hub_asked_for_as_itself_and_nothing_else() -> None:
    async def story(credential: str) -> int:
        hub = Hub(credential=credential)
        for who in ("a", "b", "a"):
            await hub.name(who=who)
            await hub.ask("{ firms(first: 2) { nodes { uscc } } }", who)
        return len(hub.keys())

    assert run(story("hub")) == 2
    assert run(story("delegated")) == 4


def test_a_manifest_that_says_something_else_begins_anew() -> None:
    async def story() -> None:
        hub = Hub()
        await hub.name()
        [binding] = [one for one in hub.registry.lookups["Firm"] if one.system == "register"]
        other = replace(binding, relation=replace(binding.relation, native=Options({**binding.relation.native, "where": "SC = 0"})))
        tables = {"Firm": tuple(other if one is binding else one for one in hub.registry.lookups["Firm"])}
        changed = replace(hub.registry, lookups=tables, epoch="2")
        for registry in (changed, hub.registry):
            sources = Sources(registry.systems, hub.world.connectors, LoopClock(), cache=hub.cache)
            hub.engine = Engine(hub.world.schema, registry, sources)
            await hub.name()
        assert len(hub.keys()) == 2

    run(story())


# ---- writes and news


def test_a_write_drops_what_its_system_has_answered_and_nothing_of_others() -> None:
    async def story() -> None:
        hub = Hub()
        text = '{ firm(uscc: "A") { name licences { title } } firms(first: 1) { nodes { name } } }'
        await hub.ask(text)
        await hub.ask('mutation { rename(uscc: "A", name: "新名") { uscc town } }')
        before = len(hub.world.calls("library"))
        found = await hub.ask(text)
        assert (found["data"]["firm"]["name"], found["data"]["firms"]["nodes"][0]["name"]) == ("新名", "新名")
        assert len(hub.world.calls("library")) == before

    run(story())


def test_a_read_that_began_before_a_write_does_not_bring_back_what_was_there_before() -> None:
    async def story() -> None:
        hub = Hub()
        register = hub.world.systems["register"]
        register.clock, register.latency = LoopClock(), 1.0
        fetch = register.fetch

        async def early(plan: Plan, call: Call) -> AsyncIterator[Page]:
            if plan.relation.effect == "read":  # it looks first and answers a while later
                rows, register.latency = [page async for page in _at_once(register, fetch, plan, call)], 1.0
                await asyncio.sleep(1.0)
                for page in rows:
                    yield page
            else:
                async for page in fetch(plan, call):
                    yield page

        register.fetch = early  # type: ignore[method-assign]
        reading = asyncio.ensure_future(hub.name())
        await asyncio.sleep(0.1)
        register.latency = 0.0
        await hub.ask('mutation { rename(uscc: "A", name: "新名") { uscc } }')
        assert await reading == {"name": "企业A"}
        assert await hub.name() == {"name": "新名"}

    run(story())


async def _at_once(register: Any, fetch: Any, plan: Plan, call: Call) -> AsyncIterator[Page]:
    register.latency = 0.0
    async for page in fetch(plan, call):
        yield page


@pytest.mark.parametrize("kind", ["slow", "broken", "invalid"])
def test_a_write_that_fails_may_have_been_done(kind: str) -> None:
    async def story() -> None:
        hub = Hub()
        await hub.name()
        hub.rename("A", "新名")
        hub.fails("Mutation.rename", kind=kind)
        await hub.ask('mutation { rename(uscc: "A", name: "新名") { uscc } }')
        assert await hub.name() == {"name": "新名"}

    run(story())


def test_news_of_a_system_is_not_told_with_what_it_answered_before() -> None:
    async def story() -> None:
        hub = Hub()
        await hub.name()
        hub.rename("A", "改名")
        hub.world.systems["register"].publish("Subscription.renamed", {"dm": "A"})

        async def who() -> Principal:
            return Principal("a", Audience.OPERATOR, frozenset(), Grade.L4)

        answers = hub.engine.subscribe(hub.engine.parse("subscription { renamed { uscc name } }"), who=who)
        body = orjson.loads((await anext(answers)).body)
        await answers.aclose()
        assert body["data"] == {"renamed": {"uscc": "A", "name": "改名"}}
        await hub.engine.close()

    run(story())


# ---- one call at a time


@pytest.mark.parametrize("max_keys", [1, 100])
def test_a_key_that_is_under_way_is_not_sent_again(max_keys: int) -> None:
    async def story() -> None:
        hub = Hub(max_keys=max_keys)
        register = hub.world.systems["register"]
        register.clock, register.latency = LoopClock(), 1.0
        asked = [asyncio.ensure_future(hub.name("A"))]
        await asyncio.sleep(0.3)
        asked += [asyncio.ensure_future(hub.name(one)) for one in "AAB"]
        await asyncio.sleep(0.3)
        asked[0].cancel()  # who goes away does not take the call along
        both = asyncio.ensure_future(hub.ask('{ a: firm(uscc: "A") { name } c: firm(uscc: "C") { name } }'))
        found = await asyncio.gather(*asked, both, return_exceptions=True)
        assert found[1:4] == [{"name": "企业A"}, {"name": "企业A"}, {"name": "企业B"}]
        assert found[4] == {"data": {"a": {"name": "企业A"}, "c": {"name": "企业C"}}}
        assert hub.keys() == [("A",), ("B",), ("C",)]
        assert hub.engine.shared is not None
        assert hub.engine.shared.idle

    run(story())


def test_a_list_that_is_under_way_is_not_asked_for_again() -> None:
    async def story() -> None:
        hub = Hub()
        register = hub.world.systems["register"]
        register.clock, register.latency = LoopClock(), 1.0
        asked = []
        for _ in range(3):
            asked.append(asyncio.ensure_future(hub.ask("{ firms(first: 2) { nodes { uscc } } }")))
            await asyncio.sleep(0.3)
        asked[0].cancel()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert found[1] == found[2] == {"data": {"firms": {"nodes": [{"uscc": "A"}, {"uscc": "B"}]}}}
        assert len(hub.keys()) == 1

    run(story())


def test_a_call_for_a_list_ends_when_nobody_waits_for_it() -> None:
    async def story() -> None:
        hub = Hub()
        register = hub.world.systems["register"]
        register.clock, register.latency = LoopClock(), 1e6
        asked = [asyncio.ensure_future(hub.ask("{ firms(first: 2) { nodes { uscc } } }")) for _ in range(2)]
        await asyncio.sleep(0.1)
        for one in asked:
            one.cancel()
        await asyncio.wait(asked)
        await asyncio.sleep(0.1)
        assert hub.sources.standings["register"].places.free == 16

    run(story())


# ---- while the system is down


def test_an_old_answer_stands_in_while_the_system_is_down_and_says_so() -> None:
    async def story() -> None:
        hub = Hub(cache=60.0, stale=3600.0)
        await hub.name("A")
        hub.rename("A", "改名")
        await asyncio.sleep(100.0)
        hub.fails("Firm")
        body = await hub.ask('{ a: firm(uscc: "A") { name } b: firm(uscc: "B") { name } }')
        assert body["data"] == {"a": {"name": "企业A"}, "b": {"name": None}}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["SYSTEM_DOWN"]
        [notice] = body["extensions"]["notices"]
        assert (notice["code"], notice["coordinate"], notice["age"]) == ("STALE", "Firm", 100)
        assert "100 秒前" in notice["message"]
        hub.fails()
        body = await hub.ask('{ firm(uscc: "A") { name } }')
        assert body == {"data": {"firm": {"name": "改名"}}}

    run(story())


def test_it_stands_in_for_so_long_and_no_longer() -> None:
    async def story() -> None:
        hub = Hub(cache=60.0, stale=100.0)
        await hub.name()
        await hub.ask("{ firms(first: 1) { nodes { name } } }")
        hub.fails("Firm")
        await asyncio.sleep(159.0)
        assert await hub.name() == {"name": "企业A"}
        assert "errors" not in await hub.ask("{ firms(first: 1) { nodes { name } } }")
        await asyncio.sleep(1.0)
        assert await hub.name() == {"name": None}
        assert "errors" in await hub.ask("{ firms(first: 1) { nodes { name } } }")

    run(story())


@pytest.mark.parametrize("kind", ["denied", "invalid", "broken", "config"])
def test_an_answer_that_one_does_not_like_is_an_answer(kind: str) -> None:
    async def story() -> None:
        hub = Hub(cache=60.0, stale=3600.0)
        await hub.name()
        await asyncio.sleep(100.0)
        hub.fails("Firm", kind=kind)
        assert await hub.name() == {"name": None}

    run(story())


def test_a_system_that_is_left_alone_is_stood_in_for_at_once() -> None:
    async def story() -> None:
        hub = Hub(cache=1.0, stale=3600.0, limits=Limits(retries=0, timeout=2.0))
        text = '{ firm(uscc: "A") { name } firms(first: 1) { nodes { uscc } } }'
        right = await hub.ask(text)
        register = hub.world.systems["register"]
        register.clock, register.latency = LoopClock(), 1e6
        await asyncio.sleep(10.0)
        took = []
        for _ in range(5):
            began = asyncio.get_running_loop().time()
            assert (await hub.ask(text))["data"] == right["data"]
            took.append(asyncio.get_running_loop().time() - began)
        assert took == [2.0, 2.0, 2.0, 0.0, 0.0]

    run(story())


def test_who_cannot_wait_any_longer_gets_the_old_answer_too() -> None:
    async def story() -> None:
        hub = Hub(cache=1.0, stale=3600.0, limits=replace(PLAIN, timeout=60.0))
        hub.engine = Engine(hub.world.schema, hub.registry, hub.sources, timeout=3.0)
        await hub.name()
        await asyncio.sleep(10.0)
        register = hub.world.systems["register"]
        register.clock, register.latency = LoopClock(), 1e6
        first = asyncio.ensure_future(hub.name())
        await asyncio.sleep(1.0)
        assert list(await asyncio.gather(first, hub.name())) == [{"name": "企业A"}] * 2
        assert asyncio.get_running_loop().time() == 13.0  # when the call is over that both wait for

    run(story())


def test_that_nothing_was_there_does_not_stand_in_for_an_entity_but_for_a_list() -> None:
    async def story() -> None:
        hub = Hub(cache=10.0, stale=3600.0)
        text = '{ firm(uscc: "%s") { town licences { id } } }'
        assert (await hub.ask(text % "B"))["data"] == {"firm": {"town": "杭州", "licences": []}}
        assert (await hub.ask(text % "X"))["data"] == {"firm": None}
        await asyncio.sleep(100.0)
        for system in hub.world.systems.values():
            system.faults = replace(system.faults, down={"Firm.by.uscc": "down", "Firm.licences": "down"})
        assert (await hub.ask(text % "B"))["data"] == {"firm": {"town": "杭州", "licences": []}}
        assert (await hub.ask(text % "X"))["errors"][0]["path"] == ["firm", "town"]

    run(story())


# ---- its size and what is told of it


def test_it_takes_no_more_than_it_may() -> None:
    async def story() -> None:
        hub = Hub(size=3000)
        for _ in range(2):
            for one in "ABCD":
                await hub.name(one)
        assert hub.cache.size <= 3000
        assert 4 < len(hub.keys()) <= 8

    run(story())


def test_an_analysis_tells_what_was_not_asked_for() -> None:
    async def story() -> None:
        hub = Hub(cache=10.0, stale=100.0)
        text = '{ a: firm(uscc: "A") { name } b: firm(uscc: "B") { name } firms(first: 1) { nodes { uscc } } }'
        await hub.name("A")
        await hub.ask("{ firms(first: 1) { nodes { uscc } } }")

        async def measured() -> list[dict[str, Any]]:
            told = (await hub.ask(text, extensions={"explain": "analyze"}))["extensions"]["explain"]
            steps = [step["measured"] for step in told["steps"] if "measured" in step]
            found = [{name: one[name] for name in ("calls", "keys", "cached", "stale") if name in one} for one in steps]
            return sorted(found, key=lambda one: one["keys"])

        assert await measured() == [{"calls": 0, "keys": 0, "cached": 1}, {"calls": 1, "keys": 2, "cached": 1}]
        await asyncio.sleep(50.0)
        hub.fails("Firm")
        assert await measured() == [{"calls": 1, "keys": 0, "stale": 1}, {"calls": 1, "keys": 2, "stale": 2}]
        assert hub.sources.standings["register"].kept == {"hit": 2, "miss": 6, "stale": 3}

    run(story())
