"""@defer in parts: a slow department holds up what is deferred and nothing else, and a fault in it takes away nothing told before."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from graphql import experimental_execute_incrementally, parse

from hub.answer import Answer
from hub.clock import SystemClock
from hub.run.deferred import in_parts
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.contribute import with_incremental
from tests.bound import leaf, lookup, obj
from tests.serve.test_hanging_up import Held
from tests.worlds import World, world

SDL = """type Query { firm(uscc: ID!): Firm }
type Firm { uscc: ID! name: String score: Int must: String! detail: Detail }  type Detail { text: String must: String! }"""


def there(must: str | None = "有") -> World:
    """A register that answers at once, and a platform that knows what is deferred."""
    row = {"nr": "1", "score": 5, "must": must, "text": "文"}
    detail = {"detail": obj("Detail", {"text": "text", "must": "must"})}
    made = world(
        SDL,
        [
            lookup("register", "Firm", "uscc", {"uscc": "nr", "name": leaf("mc")}, anchor=True),
            lookup("platform", "Firm", "uscc", {"uscc": "nr", "score": leaf("score", "int"), "must": leaf("must"), **detail}),
        ],
        {"register": {"Firm": [{"nr": "1", "mc": "甲"}]}, "platform": {"Firm": [row]}},
        keys={"Firm": ["uscc"]},
        roots={"Query.firm": ("Firm", {"uscc": "uscc"})},
    )
    return World(with_incremental(made.schema), made.registry, made.systems, made.received)


async def asked(made: World, text: str) -> Answer:
    engine = Engine(made.schema, made.registry, Sources(made.registry.systems, made.connectors, SystemClock()))
    document = engine.parse(text)
    assert not document.errors, document.errors
    return await in_parts(engine, document)


async def rest(first: Answer) -> dict[str, Any]:
    assert first.rest is not None
    part = await first.rest.next()
    assert part is not None
    assert await first.rest.next() is None
    found: dict[str, Any] = orjson.loads(part.body)
    return found


async def test_the_first_part_waits_for_nobody_that_only_the_rest_needs() -> None:
    made = there()
    held = Held(made.systems["platform"])
    first = await asked(made, '{ firm(uscc: "1") { name ... @defer { score } } }')
    assert orjson.loads(first.body) == {
        "data": {"firm": {"name": "甲"}},
        "pending": [{"id": "0", "path": ["firm"]}],
        "hasNext": True,
    }
    assert first.systems == ("platform", "register")  # the record is kept now, and names whom the rest is asked of
    coming = asyncio.create_task(rest(first))
    held.let_go(0)
    assert await coming == {
        "hasNext": False,
        "incremental": [{"data": {"score": 5}, "id": "0"}],
        "completed": [{"id": "0"}],
    }


async def test_who_hangs_up_between_the_parts_ends_the_calls_for_the_rest() -> None:
    made = there()
    held = Held(made.systems["platform"])
    first = await asked(made, '{ firm(uscc: "1") { name ... @defer { score } } }')
    assert first.rest is not None
    assert len(held.calls) == 1
    first.rest.close()
    for _ in range(10):
        await asyncio.sleep(0)
    assert held.cancelled == [("1",)]
    assert await first.rest.next() is None


async def test_a_null_that_may_not_be_one_takes_its_own_fragment_and_no_other() -> None:
    text = '{ firm(uscc: "1") { name ... @defer(label: "bad") { a: must } ... @defer(label: "good") { score } } }'
    first = await asked(there(None), text)
    assert orjson.loads(first.body)["data"] == {"firm": {"name": "甲"}}
    found = await rest(first)
    [bad, good] = found["completed"]
    assert (bad["id"], [(one["path"], one["extensions"]["code"]) for one in bad["errors"]]) == ("0", [(["firm", "a"], "NON_NULL")])
    assert (good, found["incremental"]) == ({"id": "1"}, [{"data": {"score": 5}, "id": "1"}])


async def test_frames_are_those_of_graphql_core() -> None:
    """Nested groups, one within another's object, a field of two groups, one that brings nothing new, aliases and labels."""
    text = """{ firm(uscc: "1") { name
      ... @defer(label: "outer") { s: score  detail { text ... @defer(label: "inner") { must } } }
      ... @defer(label: "both") { s: score  must }
      ... @defer(label: "empty") { name ... @defer(label: "below") { again: score } } } }"""
    made = there()
    first = await asked(made, text)
    mine = [orjson.loads(first.body), await rest(first)]
    firm = {"uscc": "1", "name": "甲", "score": 5, "must": "有", "detail": {"text": "文", "must": "有"}}
    theirs: Any = experimental_execute_incrementally(made.schema, parse(text), {"firm": firm})
    frames = [theirs.initial_result.formatted, *[part.formatted async for part in theirs.subsequent_results]]
    assert mine[0] == frames[0]
    assert _sets(mine[1:]) == _sets(frames[1:])


def _sets(frames: list[Any]) -> dict[str, list[str]]:
    """What is in frames, whichever it is in: how much comes together depends on what is there at the same time."""
    return {
        name: sorted(orjson.dumps(one, option=orjson.OPT_SORT_KEYS).decode() for frame in frames for one in frame.get(name) or ())
        for name in ("pending", "incremental", "completed")
    }
