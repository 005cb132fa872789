"""Cases 37 to 41: events, mutations in order, and resolvers of the hub's own beside planned fields."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from graphql import build_schema

from hub.clock import SystemClock
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.contribute import with_incremental
from schema.registry import Limits
from tests.bound import feed, lookup, write
from tests.worlds import World, with_limits, world

SDL = """type Query { item(id: ID!): Item  hub: Hub  sure: Hub! }
type Item { id: ID! amount: Int label: String note: Note }  type Note { text: String }  type Hub { me: String  other: String! }
type Mutation { set(id: ID!, value: Int): Item  must(id: ID!, value: Int): Item!  hub: String }
type Subscription { changed: Item }"""


def there(*, limits: Limits | None = None) -> World:
    """A store that is written to, and a library that knows labels by the same id."""
    schema = build_schema(SDL)
    sets: dict[str, Any] = {"rows": "Item", "by": ("id", "nr"), "sets": {"value": "n"}}
    bindings = [
        lookup("store", "Item", "id", {"id": "nr", "amount": leaf_int("n")}, anchor=True),
        lookup("library", "Item", "id", {"id": "nr", "label": "t"}),
        write("store", "Mutation.set", "Item", {"id": "nr"}, check="item", **sets),
        write("store", "Mutation.must", "Item", {"id": "nr"}, **sets),
        feed("store", "Subscription.changed", "Item", {"id": "nr"}),
    ]
    rows: dict[str, Any] = {"store": {"Item": [{"nr": "1", "n": 1}]}, "library": {"Item": [{"nr": "1", "t": "甲"}]}}
    made = world(schema, bindings, rows, keys={"Item": ["id"]}, roots={"Query.item": ("Item", {"id": "id"})})
    return made if limits is None else World(made.schema, with_limits(made.registry, limits), made.systems, made.received)


def leaf_int(path: str) -> Any:
    from tests.bound import leaf

    return leaf(path, "int")


CORE = frozenset({"Query.hub", "Query.sure", "Mutation.hub"})


def engine(made: World) -> Engine:
    return Engine(made.schema, made.registry, Sources(made.registry.systems, made.connectors, SystemClock()), core_roots=CORE)


async def ask(made: World, text: str) -> dict[str, Any]:
    asked = engine(made)
    document = asked.parse(text)
    assert not document.errors, document.errors
    body: dict[str, Any] = orjson.loads((await asked.execute(document)).body)
    return body


def codes(body: dict[str, Any]) -> list[tuple[list[str | int], str]]:
    return [(error["path"], error["extensions"]["code"]) for error in body.get("errors", ())]


def writes(made: World) -> list[dict[str, Any]]:
    return [dict(call.params) for call in made.received if call.relation.startswith("Mutation.")]


# -- mutations ---------------------------------------------------------------------------------------------------------


async def test_mutations_are_done_in_the_order_in_which_they_stand() -> None:
    """Case 38: Mutation: a: add, b: multiply, c: add in order."""
    made = there()
    made.systems["store"].latency = 0.0
    body = await ask(
        made, 'mutation { a: set(id: "1", value: 5) { amount } b: set(id: "1", value: 7) { amount } c: set(id: "1") { amount } }'
    )
    assert body == {"data": {"a": {"amount": 5}, "b": {"amount": 7}, "c": {"amount": None}}}
    assert [call["value"] for call in writes(made)] == [5, 7, None]


async def test_what_comes_after_a_non_null_failure_is_not_done() -> None:
    """Case 38: Mutation: first fails non-null -> later ones not run."""
    made = there()
    made.systems["store"].faults.down["Mutation.must"] = "invalid"
    body = await ask(made, 'mutation { a: must(id: "1", value: 5) { id } b: set(id: "1", value: 7) { id } }')
    assert body["data"] is None
    assert codes(body) == [(["a"], "SYSTEM_REFUSED")]
    assert [call["value"] for call in writes(made)] == [5]


async def test_a_nullable_failure_does_not_stop_what_comes_after() -> None:
    """Case 38: Mutation: a nullable one fails -> later ones run."""
    made = there()
    made.systems["store"].faults.down["Mutation.set"] = "denied"
    body = await ask(made, 'mutation { a: set(id: "1", value: 5) { id } b: must(id: "1", value: 7) { amount } }')
    assert body["data"] == {"a": None, "b": {"amount": 7}}
    assert codes(body) == [(["a"], "SYSTEM_DENIED")]


async def test_a_non_null_field_far_below_stops_what_comes_after_as_well() -> None:
    """Case 38: Mutation: null bubbles from a read step up to the root."""
    made = there()
    made.systems["store"].rows["Item"] = []
    body = await ask(made, 'mutation { a: must(id: "1", value: 5) { id } b: set(id: "1", value: 7) { id } }')
    assert (body["data"], codes(body), len(writes(made))) == (None, [(["a"], "NON_NULL")], 1)


async def test_a_read_after_a_write_does_not_come_from_before_it() -> None:
    """Case 38: Mutation: read-after-write not from cache."""
    made = there()
    text = 'mutation { __typename a: set(id: "1", value: 5) { amount label } b: set(id: "1", value: 6) { amount label } }'
    assert (await ask(made, text))["data"] == {
        "__typename": "Mutation",
        "a": {"amount": 5, "label": "甲"},
        "b": {"amount": 6, "label": "甲"},
    }
    assert [call.relation for call in made.calls("store")] == ["Mutation.set", "Item.by.id"] * 2


async def test_a_write_is_never_repeated_and_its_lost_answer_is_told() -> None:
    """Case 38: Mutation: exactly one call, whatever the system's retries are; an unknown outcome is no failure to be tried again."""
    for kind, code in (("down", "OUTCOME_UNKNOWN"), ("slow", "OUTCOME_UNKNOWN"), ("broken", "OUTCOME_UNKNOWN"), ("busy", "SYSTEM_BUSY")):
        made = there(limits=Limits(retries=3))
        made.systems["store"].faults.down["Mutation.set"] = kind  # type: ignore[assignment]
        body = await ask(made, 'mutation { set(id: "1", value: 5) { id } }')
        assert (codes(body), len(writes(made))) == ([(["set"], code)], 1)
        assert ("`item`" in body["errors"][0]["message"]) is (code == "OUTCOME_UNKNOWN")


async def test_fields_of_other_systems_are_fetched_by_what_a_mutation_answered() -> None:
    """Case 39: Mutation followed by fields of another system keyed by its result."""
    made = there()
    body = await ask(made, 'mutation { set(id: "1", value: 5) { label } }')
    assert body == {"data": {"set": {"label": "甲"}}}
    assert [(call.relation, call.keys) for call in made.received] == [("Mutation.set", ()), ("Item.by.id", (("1",),))]
    nobody = await ask(made, 'mutation { set(id: "9", value: 5) { label } }')
    assert nobody == {"data": {"set": None}}


async def test_a_resolver_of_the_hub_takes_its_turn_among_mutations() -> None:
    """Case 40: Island resolver in a mutation: it runs after the write before it and before the one after."""
    made = there()
    seen: list[int] = []
    assert made.schema.mutation_type is not None

    async def resolve(root: Any, info: Any) -> str:
        seen.append(len(writes(made)))
        return "done"

    made.schema.mutation_type.fields["hub"].resolve = resolve
    body = await ask(made, 'mutation { a: set(id: "1", value: 1) { id } hub b: set(id: "1", value: 2) { id } }')
    assert (list(body["data"]), seen) == (["a", "hub", "b"], [1])


# -- resolvers ---------------------------------------------------------------------------------------------------------


class Secret(Exception):
    """Whose text must not go out."""


def _raises(root: Any, info: Any) -> Any:
    raise Secret("91330106MA2AXK0T11 at db.internal")


async def _raises_later(root: Any, info: Any) -> Any:
    await asyncio.sleep(0)
    raise Secret("91330106MA2AXK0T11 at db.internal")


def _returned(root: Any, info: Any) -> Any:
    return Secret("91330106MA2AXK0T11 at db.internal")


async def _awaited(root: Any, info: Any) -> Any:
    return {"me": "app", "other": _later("x")}


async def _later(value: Any) -> Any:
    return value


@pytest.mark.parametrize("resolve", [_raises, _raises_later, _returned])
async def test_a_resolver_that_fails_takes_its_field_and_tells_nothing(resolve: Callable[..., Any]) -> None:
    """Case 40: Island resolver that raises, returns an exception object."""
    made = there()
    assert made.schema.query_type is not None
    made.schema.query_type.fields["hub"].resolve = resolve
    body = await ask(made, '{ hub { me } item(id: "1") { amount } }')
    assert body["data"] == {"hub": None, "item": {"amount": 1}}
    assert codes(body) == [(["hub"], "INTERNAL")]
    assert "db.internal" not in orjson.dumps(body).decode()


@pytest.mark.parametrize("resolve", [_raises, _raises_later, _returned])
async def test_a_non_null_resolver_that_fails_empties_the_data(resolve: Callable[..., Any]) -> None:
    """Case 40: Island resolver that is non-null."""
    made = there()
    assert made.schema.query_type is not None
    made.schema.query_type.fields["sure"].resolve = resolve
    body = await ask(made, '{ item(id: "1") { amount } sure { me } }')
    assert (body["data"], codes(body)) == (None, [(["sure"], "INTERNAL")])
    assert "db.internal" not in orjson.dumps(body).decode()


async def test_a_resolver_may_be_awaited_at_any_depth() -> None:
    """Case 40: Island resolver that returns an awaitable."""
    made = there()
    assert made.schema.query_type is not None
    made.schema.query_type.fields["hub"].resolve = _awaited
    body = await ask(made, '{ hub { me other } item(id: "1") { amount } }')
    assert body == {"data": {"hub": {"me": "app", "other": "x"}, "item": {"amount": 1}}}


@pytest.mark.parametrize(("value", "data"), [(None, None), ("text", {"me": None}), (17, {"me": None}), ({"you": 1}, {"me": None})])
async def test_a_resolver_that_returns_something_else_is_null_there(value: Any, data: Any) -> None:
    """Case 41: Resolver returning a ref with a wrong type or None."""
    made = there()
    assert made.schema.query_type is not None
    made.schema.query_type.fields["hub"].resolve = lambda root, info: value
    assert (await ask(made, '{ hub { me } item(id: "1") { amount } }'))["data"] == {"hub": data, "item": {"amount": 1}}


async def test_none_for_a_non_null_resolver_is_told_at_its_place() -> None:
    """Case 41: Resolver returning None where null may not be."""
    made = there()
    assert made.schema.query_type is not None
    made.schema.query_type.fields["hub"].resolve = lambda root, info: {"me": "app", "other": None}
    body = await ask(made, '{ hub { me other } item(id: "1") { amount } }')
    assert body["data"] == {"hub": None, "item": {"amount": 1}}
    assert [path for path, _ in codes(body)] == [["hub", "other"]]


# -- later or at once --------------------------------------------------------------------------------------------------


async def test_what_may_come_later_comes_at_once_planned_or_not() -> None:
    """@defer and @stream are known to the schema and inlined, below planned fields and below resolvers."""
    made = there()
    made = World(with_incremental(made.schema), made.registry, made.systems, made.received)
    assert made.schema.query_type is not None
    made.schema.query_type.fields["hub"].resolve = _awaited
    text = """query Q($later: Boolean!) { # defer "@defer" and say @stream
      ... @defer(label: "i", if: $later) { item(id: "1") { amount ...Label @defer } }
      hub { me ... @defer { other } } __schema { directives { name } } }  fragment Label on Item { label }"""
    asked = engine(made)
    document = asked.parse(text)
    assert not document.errors, document.errors
    body = orjson.loads((await asked.execute(document, variables={"later": True})).body)
    names = {directive["name"] for directive in body["data"].pop("__schema")["directives"]}
    assert body == {"data": {"item": {"amount": 1, "label": "甲"}, "hub": {"me": "app", "other": "x"}}}
    assert {"defer", "stream"} <= names
    assert asked.parse('mutation { ... @defer { set(id: "1") { id } } }').errors
