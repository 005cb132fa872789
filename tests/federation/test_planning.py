"""What is planned over graphs, in small: keys that may be null, what is told of plans, what callers may not see, what changes a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from auth.access import Access, Rule
from connectors.spi import Call, Plan, SourceError
from hub.clock import SystemClock
from hub.plan.explain import explained
from hub.plan.view import View
from hub.run.engine import Engine
from hub.run.prepared import Caches
from hub.run.sources import Sources
from schema.compose import Composition
from schema.epochs import Epochs
from schema.federation.serve import composition
from tests.federation.estates.writing import LINK_27
from tests.federation.subgraph import Subgraph
from tests.federation.test_generated import Direct
from tests.federation.test_merging import composed

LISTS = (
    LINK_27
    + """
type Query { items: [Item!]! }
type Mutation { add(name: String!): Item }
type Item @key(fields: "id") @key(fields: "code") { id: ID code: String name: String }
"""
)
PRICES = (
    LINK_27
    + """
type Item @key(fields: "id") @key(fields: "code") {
  id: ID code: String price: Int name: String @external tag: String @requires(fields: "name")
}
"""
)
ITEMS = [{"id": "1", "code": None, "name": "茶"}, {"id": None, "code": "b", "name": None}, {"id": None, "code": None, "name": "丝"}]
STOCK = [{"id": "1", "code": "a", "price": 10, "__typename": "Item"}, {"id": "2", "code": "b", "price": 20, "__typename": "Item"}]


def served(**sdls: str) -> Composition:
    text, faults = composed(**sdls)
    assert faults == []
    made = composition(text, "supergraph.graphql", {})
    assert made.ok
    return made


def engine_of(made: Composition, subgraphs: Mapping[str, Subgraph], caches: Caches | None = None) -> Engine:
    connectors = {name: Direct(one) for name, one in subgraphs.items()}
    return Engine(made.schema, made.registry, Sources(made.registry.systems, connectors, SystemClock()), caches=caches)


def world() -> tuple[Engine, dict[str, Subgraph]]:
    items = [{"__typename": "Item", **one} for one in ITEMS]
    tag = {"Item.tag": lambda row: f"[{row['name']}]"}
    subgraphs = {
        "lists": Subgraph("lists", LISTS, {"Item": items, "Query.items": items, "Mutation.add": items[0]}),
        "prices": Subgraph("prices", PRICES, {"Item": STOCK}, tag),
    }
    return engine_of(served(lists=LISTS, prices=PRICES), subgraphs), subgraphs


async def ask(engine: Engine, query: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((await engine.execute(engine.parse(query))).body)
    return found


async def test_of_several_keys_each_row_has_the_first_that_is_not_null() -> None:
    engine, subgraphs = world()
    assert await ask(engine, "{ items { price } }") == {"data": {"items": [{"price": 10}, {"price": 20}, {"price": None}]}}
    assert [one.representations for one in subgraphs["prices"].asked] == [2]


async def test_a_requirement_that_is_null_is_sent_as_null() -> None:
    engine, subgraphs = world()
    assert await ask(engine, "{ items { price tag } }") == {
        "data": {"items": [{"price": 10, "tag": "[茶]"}, {"price": 20, "tag": "[None]"}, {"price": None, "tag": None}]}
    }
    assert len(subgraphs["prices"].asked) == 1


async def test_a_mutation_whose_answer_is_lost_has_an_unknown_outcome() -> None:
    engine, subgraphs = world()

    class Lost(Direct):
        async def _send(self, sent: Any, call: Call, *, once: bool = False) -> Any:
            assert once
            raise SourceError("slow", "no answer in time")

    engine.sources._connectors["lists"] = Lost(subgraphs["lists"])
    answer = await ask(engine, 'mutation { add(name: "茶") { name } }')
    assert answer["data"] == {"add": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["OUTCOME_UNKNOWN"]


def test_a_plan_tells_what_it_asks_graphs_for() -> None:
    engine, _ = world()
    text = engine.explain(engine.parse("query Prices { items { name tag } }"))
    assert text.splitlines() == [
        "plan of Prices: 2 systems, 2 calls at least",
        " 1 fetch      lists   Query  [items[].code, items[].id, items[].name]",
        " 2 expand     1.items  all",
        " 3 fetch      prices  Item by id <- 2  [<Item>tag]  up to 2000 keys a call  after 2  requires name: name",
    ]


def test_what_a_caller_may_not_see_is_not_told_of_plans() -> None:
    engine, _ = world()
    document = engine.parse("{ items { tag } }")
    ready = engine.preparer.ready(document, None, {})
    plan = engine.preparer.plan(ready.prepared, frozenset())
    shown = explained(plan, engine.registry, View(frozenset({"Item.name", "Item.id"}))).text
    assert "name" not in shown
    assert "(hidden)" in shown


async def test_rows_that_rules_hide_are_not_shown_from_graphs() -> None:
    """A graph's rows are not looked at one by one, so none of the type is shown."""
    engine, subgraphs = world()
    result = await engine.run(engine.parse("{ items { name } }"), rows={"Item": (Rule("name", "EQ", "茶"),)})
    assert result.data is None
    assert [error.message for error in result.errors or ()] != []
    assert subgraphs["lists"].asked == []
    assert Access(frozenset(), {}).rows == {}


async def test_a_field_that_moves_to_another_graph_is_planned_anew() -> None:
    moved = LISTS.replace("name: String", "name: String price: Int"), PRICES.replace("price: Int", "")
    before, after = served(lists=LISTS, prices=PRICES), served(lists=moved[0], prices=moved[1])
    assert Epochs(before.schema, before.registry).of(["Item"]) != Epochs(after.schema, after.registry).of(["Item"])
    caches = Caches()
    items = [{"__typename": "Item", "id": "1", "code": "a", "name": "茶", "price": 7}]
    for made, sdls, prices in ((before, (LISTS, PRICES), 10), (after, moved, 7)):
        subgraphs = {
            "lists": Subgraph("lists", sdls[0], {"Item": items, "Query.items": items}),
            "prices": Subgraph("prices", sdls[1], {"Item": STOCK}),
        }
        engine = engine_of(made, subgraphs, caches)
        assert await ask(engine, "{ items { price } }") == {"data": {"items": [{"price": prices}]}}


async def test_an_error_without_a_place_is_that_of_entities_that_are_null() -> None:
    engine, subgraphs = world()

    class Vague(Direct):
        async def _send(self, sent: Any, call: Call, *, once: bool = False) -> Any:
            return {"_entities": [{"price": 10}, None]}, [{"message": "something went wrong"}], 0

    engine.sources._connectors["prices"] = Vague(subgraphs["prices"])
    answer = await ask(engine, "{ items { price } }")
    assert answer["data"] == {"items": [{"price": 10}, {"price": None}, {"price": None}]}
    assert [error["path"] for error in answer["errors"]] == [["items", 1, "price"]]


async def test_a_graph_that_does_not_answer_for_each_entity_is_broken() -> None:
    engine, subgraphs = world()

    class Short(Direct):
        async def _send(self, sent: Any, call: Call, *, once: bool = False) -> Any:
            return {"_entities": [{"price": 10}]}, [], 0

    engine.sources._connectors["prices"] = Short(subgraphs["prices"])
    answer = await ask(engine, "{ items { price } }")
    assert answer["data"] == {"items": [{"price": None}] * 3}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["SYSTEM_BROKEN", "SYSTEM_BROKEN"]


def test_a_plan_of_a_graph_holds_names_and_no_value() -> None:
    engine, _ = world()
    gate = engine.registry.gates["lists"]
    plan: Plan = engine.sources.plan("lists", _asking(), gate.roots["Query"].relation)
    assert plan.text == "query($first_3: Int) { items { posts_3: posts(first: $first_3) { ... on A { title } } } }"


PAIRED = LINK_27 + 'type Query { first: Item second: Item } type Item @key(fields: "id") { id: ID! }\n'
STOCKED = LINK_27 + 'type Item @key(fields: "id") { id: ID! stock: Int! place(floor: Int): String }\n'


def paired() -> tuple[Engine, dict[str, Subgraph]]:
    """Two items at two fields, of which a graph breaks its word: its stock may not be null, and is."""
    items = [{"__typename": "Item", "id": number, "stock": None, "place": f"仓 {number}"} for number in ("1", "2")]
    data = {"Item": items, "Query.first": items[0], "Query.second": items[1]}
    place = {"Item.place": lambda row, floor: f"{row['place']} {floor}"}
    subgraphs = {"pairs": Subgraph("pairs", PAIRED, data), "stock": Subgraph("stock", STOCKED, data, place)}
    return engine_of(served(pairs=PAIRED, stock=STOCKED), subgraphs), subgraphs


async def test_who_breaks_its_word_takes_nothing_away_from_who_did_not_ask_for_it() -> None:
    """Both are asked for in one call, as lists of their own."""
    engine, subgraphs = paired()
    answer = await ask(engine, "{ first { place(floor: 1) } second { stock place(floor: 2) } }")
    assert answer["data"] == {"first": {"place": "仓 1 1"}, "second": None}
    (asked,) = subgraphs["stock"].asked
    assert asked.representations == 2
    assert "_entities1: _entities(representations: $representations1)" in asked.document


async def test_of_those_that_stand_apart_one_may_be_all_that_is_left_to_ask_for() -> None:
    """Keys of one list alone: the other is empty, and no answer is taken for another's."""
    engine, subgraphs = paired()
    rows = subgraphs["pairs"].rows
    subgraphs["pairs"].rows = {**rows, "Query.first": None}
    answer = await ask(engine, "{ first { place(floor: 1) } second { id stock place(floor: 2) } }")
    assert answer["data"] == {"first": None, "second": None}
    assert [list(error["path"]) for error in answer["errors"]] == [["second", "stock"]]
    assert [one.representations for one in subgraphs["stock"].asked] == [1]


def _asking() -> Any:
    from connectors.spi import Ask

    return Ask("query", ("items[].posts@3(first:Int)[].<A>title",), ("$key",))


WIDE = (
    LINK_27
    + """
type Query { nodes: [Node!]! }
interface Node { id: ID! name: String next: [Node!] price: Price }
type Price @shareable { amount: Int }
"""
)
WIDE_PRICES = LINK_27 + "type Price @shareable { currency: String }\n"


def wide(types: int) -> tuple[Engine, dict[str, Subgraph]]:
    """An interface of many types, and another graph that knows more of each."""
    names = [f"T{number}" for number in range(types)]
    nodes = WIDE + "\n".join(
        f'type {name} implements Node @key(fields: "id") {{ id: ID! name: String next: [Node!] price: Price @shareable }}' for name in names
    )
    prices = WIDE_PRICES + "\n".join(f'type {name} @key(fields: "id") {{ id: ID! price: Price @shareable stock: Int }}' for name in names)
    rows: dict[str, list[dict[str, Any]]] = {
        name: [
            {
                "__typename": name,
                "id": name,
                "name": name.lower(),
                "price": {"__typename": "Price", "amount": 1, "currency": "CNY"},
                "stock": 2,
            }
        ]
        for name in names
    }
    every = [row for some in rows.values() for row in some]
    for row in every:
        row["next"] = every[:2]
    data = {**rows, "Query.nodes": every}
    subgraphs = {"nodes": Subgraph("nodes", nodes, data), "prices": Subgraph("prices", prices, data)}
    return engine_of(served(nodes=nodes, prices=prices), subgraphs), subgraphs


async def test_an_interface_of_many_types_is_planned_once_for_what_is_alike() -> None:
    engine, subgraphs = wide(30)
    answer = await ask(engine, "{ nodes { name next { id next { id next { name } } } } }")
    two = [{"id": "T0", "next": [{"name": "t0"}, {"name": "t1"}]}, {"id": "T1", "next": [{"name": "t0"}, {"name": "t1"}]}]
    assert answer["data"]["nodes"][29] == {"name": "t29", "next": [{"id": "T0", "next": two}, {"id": "T1", "next": two}]}
    assert len(subgraphs["nodes"].asked) == 1
    assert engine.explain(engine.parse("{ nodes { name next { id next { id next { name } } } } }")).count("expand") == 4


def test_which_of_two_graphs_is_asked_for_an_interface_is_known_without_looking_at_all_ways_down() -> None:
    """Of thirty types, eight deep, there are more ways than could be looked at."""
    names = [f"T{number}" for number in range(30)]
    head = LINK_27 + "type Query { nodes: [Node!]! @shareable }\ninterface Node { id: ID! next: [Node!] }\n"
    types = 'type %s implements Node @key(fields: "id") { id: ID! next: [Node!] @shareable %s: Int }\n'
    sdls = {own: head + "".join(types % (name, own) for name in names) for own in ("one", "other")}
    engine = engine_of(served(**sdls), {})
    query = "{ nodes " + "{ id next " * 8 + "{ id ... on T1 { other } }" + " }" * 8 + " }"
    lines = engine.explain(engine.parse(query)).splitlines()
    assert lines[0] == "plan of the query: 1 system, 1 call at least"


async def test_what_only_its_own_type_leads_to_is_not_had_of_the_interface() -> None:
    engine, subgraphs = wide(3)
    answer = await ask(engine, "{ nodes { price { amount currency } ... on T1 { stock } } }")
    price = {"amount": 1, "currency": "CNY"}
    assert answer == {"data": {"nodes": [{"price": price}, {"price": price, "stock": 2}, {"price": price}]}}
    assert len(subgraphs["prices"].asked) == 1
