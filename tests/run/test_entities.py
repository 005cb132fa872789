"""The hub as a subgraph: entities by their keys, as another router asks for them, and the SDL that it composes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import build_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.access import Rule
from auth.principal import ANONYMOUS, Principal
from hub.clock import SystemClock
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.subgraph import federated, keys, subgraph_sdl
from tests.bound import Lies, link, lookup, obj
from tests.plan.test_planner import SDL
from tests.worlds import World, world

SCHEMA = build_schema(SDL)
FIRMS = [{"code": code, "mc": f"企业{code}", "sj": "A", "old": f"{code}0"} for code in "ABCDE"]
LICENCES = [{"id": f"{code}{n}", "t": f"证{n}", "czr": code, "sx": f"item{n % 2}"} for code in "ABC" for n in range(2)]
ENTITIES = "query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Firm { %s } ... on Item { name } } }"


def department_world() -> World:
    firm: dict[str, Lies | str] = {"uscc": "code", "name": "mc", "parent": obj("Firm", {"uscc": "sj"}), "archiveNo": "old"}
    licence: dict[str, Lies | str] = {"id": "id", "title": "t", "item": obj("Item", {"code": "sx"})}
    bindings = [
        lookup("register", "Firm", "uscc", firm, anchor=True),
        lookup("vault", "Firm", "archiveNo", {"archiveNo": "no", "boxes": "n", "uscc": "code"}),
        link("library", "Firm.licences", "Licence", {"uscc": "czr"}, licence, max_keys=50),
        lookup("permits", "Item", "code", {"code": "bm", "name": "mc"}, anchor=True),
    ]
    rows: dict[str, Any] = {
        "register": {"Firm": FIRMS},
        "vault": {"Firm": [{"no": f"{code}0", "n": place, "code": code} for place, code in enumerate("ABCDE")]},
        "library": {"Licence": LICENCES},
        "permits": {"Item": [{"bm": "item0", "mc": "甲"}, {"bm": "item1", "mc": "乙"}]},
    }
    known: dict[str, list[tuple[str, ...] | str]] = {"Firm": ["uscc", "archiveNo"], "Licence": ["id"], "Item": ["code"]}
    return world(SCHEMA, bindings, rows, keys=known, roots={"Query.firm": ("Firm", {"uscc": "uscc"})})


def engine(there: World, **options: Any) -> Engine:
    schema = federated(there.schema, there.registry)
    return Engine(schema, there.registry, Sources(there.registry.systems, there.connectors, SystemClock()), **options)


async def asked(there: World, document: str, variables: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    one = engine(there, **options)
    answer = await one.execute(one.parse(document), variables=variables)
    body: dict[str, Any] = orjson.loads(answer.body)
    return body


async def entities(there: World, fields: str, *representations: Any, **options: Any) -> dict[str, Any]:
    return await asked(there, ENTITIES % fields, {"r": list(representations)}, **options)


def firm(uscc: object) -> dict[str, Any]:
    return {"__typename": "Firm", "uscc": uscc}


def told(body: dict[str, Any]) -> list[tuple[list[Any], str]]:
    return [(error["path"], error["extensions"]["code"]) for error in body.get("errors", [])]


async def test_entities_come_in_the_order_in_which_they_are_asked_for_and_each_key_is_sent_once() -> None:
    there = department_world()
    body = await entities(there, "name", firm("B"), {"__typename": "Item", "code": "item1"}, firm("no"), firm("A"), firm("B"))
    assert body["data"]["_entities"] == [
        {"__typename": "Firm", "name": "企业B"},
        {"__typename": "Item", "name": "乙"},
        None,
        {"__typename": "Firm", "name": "企业A"},
        {"__typename": "Firm", "name": "企业B"},
    ]
    assert "errors" not in body
    assert [call.keys for call in there.calls("register")] == [(("B",), ("no",), ("A",))]
    assert [call.keys for call in there.calls("permits")] == [(("item1",),)]


async def test_the_first_key_that_a_representation_brings_whole_is_taken() -> None:
    there = department_world()
    given = {"__typename": "Firm", "archiveNo": "C0"}
    body = await entities(there, "name uscc boxes", given, {**given, "uscc": None}, firm("D"))
    assert body["data"]["_entities"] == [
        {"__typename": "Firm", "name": "企业C", "uscc": "C", "boxes": 2},
        {"__typename": "Firm", "name": "企业C", "uscc": "C", "boxes": 2},
        {"__typename": "Firm", "name": "企业D", "uscc": "D", "boxes": 3},
    ]


async def test_what_cannot_be_looked_up_is_a_fault_of_its_own() -> None:
    there = department_world()
    wrong = [7, {"uscc": "A"}, {"__typename": "Nobody", "id": "1"}, {"__typename": "Firm", "name": "企业A"}, firm({"a": 1})]
    body = await entities(there, "name", *wrong, firm("A"))
    assert body["data"]["_entities"] == [None] * 5 + [{"__typename": "Firm", "name": "企业A"}]
    assert told(body) == [(["_entities", at], "BAD_VARIABLES") for at in range(5)]
    assert "uscc, archiveNo" in body["errors"][3]["message"]


async def test_there_may_not_be_too_many() -> None:
    there = department_world()
    body = await entities(there, "name", *(firm(str(number)) for number in range(4)), max_scan=3)
    assert (body["data"], told(body)) == (None, [(["_entities"], "TOO_LARGE")])
    assert there.received == []


def test_a_plan_tells_by_which_keys_entities_come() -> None:
    asked = engine(department_world())
    assert asked.explain(asked.parse(ENTITIES % "boxes")).splitlines()[1:4] == [
        " 1 entities   _entities  by Firm uscc, Firm archiveNo, Item code as given",
        " 2 fetch      register  Firm by uscc <- 1.uscc  [archiveNo]  up to 100 keys a call  of Firm uscc",
        " 3 fetch      vault     Firm by archiveNo <- 2.archiveNo  [boxes, uscc]  up to 100 keys a call  after 2  of Firm uscc",
    ]


async def test_nobody_is_asked_for_nothing() -> None:
    there = department_world()
    assert (await entities(there, "name"))["data"] == {"_entities": []}
    assert (await asked(there, "query($r: [_Any!]!) { _entities(representations: $r) { ... on Item { name } } }", {"r": [firm("A")]}))[
        "data"
    ] == {"_entities": [{}]}
    assert there.received == []


async def test_a_key_that_may_not_be_seen_leads_nowhere() -> None:
    there = department_world()
    body = await entities(
        there, "boxes", firm("A"), {"__typename": "Item", "code": "item0"}, policy=lambda who, rows: frozenset({"Firm.uscc"})
    )
    assert body["data"]["_entities"] == [None, {"__typename": "Item", "name": "甲"}]
    assert told(body) == [(["_entities", 0], "FORBIDDEN")]
    assert [call.system for call in there.received] == ["permits"]


async def test_a_field_that_may_not_be_seen_is_not_asked_for() -> None:
    there = department_world()
    denied = frozenset({"Firm.licences"})
    body = await entities(there, "name licences { title }", firm("A"), policy=lambda who, rows: denied & {row.name for row in rows})
    assert body["data"]["_entities"] == [{"__typename": "Firm", "name": "企业A", "licences": None}]
    assert told(body) == [(["_entities", 0, "licences"], "FORBIDDEN")]
    assert there.calls("library") == []


async def test_rows_that_may_not_be_seen_are_not_there() -> None:
    there = department_world()
    rules = {"Firm": (Rule("name", "EQ", "企业A"),)}
    body = await entities(there, "uscc", firm("A"), firm("B"), rows=lambda who: rules)
    assert body["data"]["_entities"] == [{"__typename": "Firm", "uscc": "A"}, None]


async def test_a_system_that_is_down_costs_its_own_fields() -> None:
    there = department_world()
    there.systems["library"].faults.down["Firm.licences"] = "down"
    body = await entities(there, "name licences { title }", firm("A"), firm("B"))
    assert [one["name"] for one in body["data"]["_entities"]] == ["企业A", "企业B"]
    assert told(body) == [(["_entities", at, "licences"], "SYSTEM_DOWN") for at in (0, 1)]


async def test_representations_may_stand_in_the_document() -> None:
    query = '{ a: _entities(representations: [{__typename: "Firm", uscc: "A"}]) { ... on Firm { name } } firm(uscc: "B") { name } }'
    body = await asked(department_world(), query)
    assert body["data"] == {"a": [{"name": "企业A"}], "firm": {"name": "企业B"}}


FIELDS = st.lists(st.sampled_from(["name", "boxes", "parent { name }", "licences { title item { name } }", "__typename"]), min_size=1)


@settings(max_examples=25)
@given(codes=st.lists(st.sampled_from([*"ABCDEXY"]), max_size=8), fields=FIELDS)
async def test_a_representation_is_a_lookup_by_key(codes: list[str], fields: list[str]) -> None:
    there, chosen = department_world(), " ".join(fields)
    body = await asked(
        there, f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Firm {{ {chosen} }} }} }}", {"r": [*map(firm, codes)]}
    )
    roots = " ".join(f'f{at}: firm(uscc: "{code}") {{ {chosen} }}' for at, code in enumerate(codes))
    single = await asked(department_world(), f"{{ __typename {roots} }}")
    assert body["data"]["_entities"] == [single["data"][f"f{at}"] for at in range(len(codes))]
    sent = [key for call in there.calls("register") for key in call.keys]
    assert len(sent) == len(set(sent))


# -- the SDL ----------------------------------------------------------------------------------------------------------


async def test_the_service_tells_the_keys_of_entities() -> None:
    there = department_world()
    sdl = (await asked(there, "{ _service { sdl } }"))["data"]["_service"]["sdl"]
    assert 'type Firm @key(fields: "uscc") @key(fields: "archiveNo") {' in sdl
    assert 'type Licence @key(fields: "id", resolvable: false) {' in sdl
    assert "type PageInfo @shareable {" in sdl
    assert "_entities" not in sdl
    assert sdl.startswith("extend schema @link(")


async def test_what_a_caller_may_not_see_is_not_in_its_sdl() -> None:
    denied = frozenset({"Firm.archiveNo", "Firm.licences"})

    def policy(who: Principal, rows: Any) -> frozenset[str]:
        return denied if who is ANONYMOUS else frozenset()

    sdl = (await asked(department_world(), "{ _service { sdl } __typename }", policy=policy))["data"]["_service"]["sdl"]
    assert 'type Firm @key(fields: "uscc") {' in sdl
    assert ("archiveNo" in sdl, "licences" in sdl) == (False, False)


def test_only_what_can_be_asked_for_is_an_entity_here() -> None:
    there = department_world()
    assert [*keys(there.schema, there.registry)] == [
        ("Firm", ("uscc",), True),
        ("Firm", ("archiveNo",), True),
        ("Item", ("code",), True),
        ("Licence", ("id",), False),
    ]
    entity = federated(there.schema, there.registry).type_map["_Entity"]
    assert [kind.name for kind in entity.types] == ["Firm", "Item"]  # type: ignore[attr-defined]


def test_the_same_schema_is_extended_once() -> None:
    there = department_world()
    assert federated(there.schema, there.registry) is federated(there.schema, there.registry)
    assert subgraph_sdl(federated(there.schema, there.registry), there.registry) == subgraph_sdl(there.schema, there.registry)


@pytest.mark.parametrize("query", ["{ _service { sdl } }", "{ _entities(representations: []) { __typename } }"])
async def test_a_hub_that_is_no_subgraph_knows_neither(query: str) -> None:
    there = department_world()
    plain = Engine(there.schema, there.registry, Sources(there.registry.systems, there.connectors, SystemClock()))
    assert [error.message.partition(" on ")[0] for error in plain.parse(query).errors] == [
        f"Cannot query field '{query.split()[1].partition('(')[0]}'"
    ]
