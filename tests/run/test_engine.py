"""A whole request through the engine: the calls that systems receive, the bytes that come out, the errors on the way."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from auth.principal import Audience, Principal
from hub.clock import SystemClock
from hub.run.cursors import Cursors
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.coordinates import Grade
from tests.bound import Lies, items, leaf, link, lookup, obj, scan
from tests.plan.test_planner import SDL
from tests.worlds import World, world

FIRMS = [{"code": code, "mc": f"企业{code}", "sj": "A"} for code in "ABCDE"]
LICENCES = [{"id": f"{code}{n}", "t": f"证{n}", "czr": code, "sx": f"item{n % 2}"} for code in "ABC" for n in range(3)]
ITEMS = [{"bm": "item0", "mc": "甲"}, {"bm": "item1", "mc": "乙"}]


def department_world(**rows: Any) -> World:
    firm: dict[str, Lies | str] = {"uscc": "code", "name": "mc", "parent": obj("Firm", {"uscc": "sj"})}
    licence: dict[str, Lies | str] = {"id": "id", "title": "t", "holder": obj("Firm", {"uscc": "czr"}), "item": obj("Item", {"code": "sx"})}
    bindings = [
        lookup("register", "Firm", "uscc", firm, anchor=True, max_keys=2),
        scan("register", "Firm", firm, order=("uscc",), limit=True, total=True, where={"uscc": ["EQ", "IN", "GT"]}),
        link("library", "Firm.licences", "Licence", {"uscc": "czr"}, licence, max_keys=50),
        lookup("permits", "Item", "code", {"code": "bm", "name": "mc"}, anchor=True),
    ]
    data = {"register": {"Firm": FIRMS}, "library": {"Licence": LICENCES}, "permits": {"Item": ITEMS}} | rows
    return world(
        SDL, bindings, data, keys={"Firm": ["uscc"], "Licence": ["id"], "Item": ["code"]}, roots={"Query.firm": ("Firm", {"uscc": "uscc"})}
    )


def engine(there: World, **options: Any) -> Engine:
    options.setdefault("cursors", Cursors(b"the same for every engine here"))
    return Engine(there.schema, there.registry, Sources(there.registry.systems, there.connectors, SystemClock()), **options)


async def answer(there: World, document: str, **options: Any) -> dict[str, Any]:
    asked = engine(there, **{key: options.pop(key) for key in ("max_errors", "max_scan", "policy") if key in options})
    answered = await asked.execute(asked.parse(document), **options)
    body: dict[str, Any] = orjson.loads(answered.body)
    return body


async def test_nine_rows_with_two_different_keys_make_one_call_of_two_keys() -> None:
    there = department_world()
    firms = " ".join(f'{name.lower()}: firm(uscc: "{name}") {{ licences {{ item {{ name }} }} }}' for name in "ABC")
    document = f"{{ {firms} }}"
    body = await answer(there, document)
    assert [licence["item"]["name"] for licence in body["data"]["b"]["licences"]] == ["甲", "乙", "甲"]
    assert [call.keys for call in there.calls("permits")] == [(("item0",), ("item1",))]
    assert [len(call.keys) for call in there.calls("library")] == [3]
    assert sorted(len(call.keys) for call in there.calls("register")) == [1, 2]  # three keys, two at once


async def test_a_key_seen_at_one_level_is_not_asked_again_at_the_next() -> None:
    there = department_world()
    body = await answer(there, '{ firm(uscc: "A") { name parent { name parent { name } } } }')
    assert body["data"]["firm"]["parent"]["parent"] == {"name": "企业A"}
    assert [call.keys for call in there.calls("register")] == [(("A",),)]


async def test_what_a_missing_entity_would_have_had_is_not_an_error() -> None:
    body = await answer(department_world(), '{ firm(uscc: "Z") { name licences { title } } }')
    assert body == {"data": {"firm": None}}


async def test_a_failed_system_nulls_its_fields_only_and_names_no_system() -> None:
    there = department_world()
    there.systems["library"].faults.down["Firm.licences"] = "down"
    body = await answer(there, '{ firm(uscc: "A") { name licences { title } } }')
    assert body["data"] == {"firm": {"name": "企业A", "licences": None}}
    [error] = body["errors"]
    assert (error["path"], error["extensions"]["code"], error["locations"]) == (
        ["firm", "licences"],
        "SYSTEM_DOWN",
        [{"line": 1, "column": 26}],
    )
    assert "library" not in orjson.dumps(body).decode()


async def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    there, seen, after = department_world(), [], None
    for _ in range(5):
        document = (
            "query P($after: String) { firms(first: 2, after: $after) { nodes { uscc } pageInfo { hasNextPage endCursor } totalCount } }"
        )
        page = (await answer(there, document, variables={"after": after}))["data"]["firms"]
        seen += [node["uscc"] for node in page["nodes"]]
        assert page["totalCount"] == 5
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == list("ABCDE")


async def test_a_caller_without_the_grade_gets_null_and_the_system_no_call() -> None:
    there = department_world()
    body = await answer(there, '{ firm(uscc: "A") { name licences { title } } }', policy=lambda who, rows: frozenset({"Firm.licences"}))
    assert body["data"] == {"firm": {"name": "企业A", "licences": None}}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
    assert there.calls("library") == []


async def test_two_callers_with_different_rights_do_not_share_a_plan() -> None:
    there = department_world()
    asked = engine(there, policy=lambda who, rows: frozenset() if who.ceiling > Grade.L1 else frozenset({"Firm.name"}))
    document = asked.parse('{ firm(uscc: "A") { name } }')
    open_, closed = Principal("app", Audience.APP, frozenset(), Grade.L2), Principal()
    answers = [orjson.loads((await asked.execute(document, principal=who)).body)["data"]["firm"]["name"] for who in (open_, closed, open_)]
    assert answers == ["企业A", None, "企业A"]


async def test_errors_past_the_cap_are_counted() -> None:
    there = department_world()
    body = await answer(
        there, '{ firm(uscc: "A") { licences { title } } }', max_errors=2, policy=lambda who, rows: frozenset({"Licence.title"})
    )
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN", "FORBIDDEN", "ERRORS_OMITTED"]
    assert body["errors"][-1]["extensions"]["omitted"] == 1


@pytest.mark.parametrize(
    ("document", "variables", "name", "code"),
    [
        ("{ firm", {}, None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, None, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { firm(uscc: 1) { name } } query B { __typename }", {}, None, "OPERATION_NOT_FOUND"),
        ("query A { __typename }", {}, "C", "OPERATION_NOT_FOUND"),
        ("query ($u: ID!) { firm(uscc: $u) { name } }", {}, None, "BAD_VARIABLES"),
    ],
)
async def test_what_is_not_a_request_has_no_data(document: str, variables: dict[str, Any], name: str | None, code: str) -> None:
    body = await answer(department_world(), document, variables=variables, operation_name=name)
    assert "data" not in body
    assert {error["extensions"]["code"] for error in body["errors"]} == {code}


async def test_the_answer_tells_the_audit_what_was_asked_of_whom() -> None:
    asked = engine(department_world())
    found = await asked.execute(asked.parse('query Overview { firm(uscc: "A") { name licences { title } } }'))
    assert (found.operation, found.kind, found.systems, found.executed) == ("Overview", "query", ("library", "register"), True)
    assert found.coordinates == ("Firm.licences", "Firm.name", "Licence.title", "Query.firm")


@pytest.mark.parametrize(("count", "code"), [(30, None), (5_001, "FILTER_NOT_PUSHABLE")])
async def test_what_a_source_cannot_filter_is_done_here_within_a_bound(count: int, code: str | None) -> None:
    firm: dict[str, Lies | str] = {"uscc": "code", "name": "mc"}
    sdl = SDL.replace("firms(first: Int, after: String)", "firms(first: Int, after: String, filter: FirmFilter)")
    sdl += "input FirmFilter { name: NameFilter } input NameFilter { eq: String }"
    rows = {"register": {"Firm": [{"code": f"{number:05}", "mc": str(number % 10)} for number in range(count)]}}
    there = world(sdl, [scan("register", "Firm", firm)], rows, keys={"Firm": ["uscc"]}, filters={"FirmFilter": {"name": "name"}})
    body = await answer(there, '{ firms(first: 2, filter: {name: {eq: "7"}}) { nodes { uscc } totalCount } }')
    if code is None:
        assert body == {"data": {"firms": {"nodes": [{"uscc": "00007"}, {"uscc": "00017"}], "totalCount": 3}}}
    else:
        assert (body["data"], [error["extensions"]["code"] for error in body["errors"]]) == ({"firms": None}, [code])


async def test_a_list_that_is_too_long_is_refused_by_what_its_source_can_do() -> None:
    firm: dict[str, Lies | str] = {"uscc": "code", "name": "mc"}
    sdl = SDL.replace("firms(first: Int, after: String)", "firms(first: Int, after: String, filter: FirmFilter)")
    sdl += "input FirmFilter { uscc: Text name: Text } input Text { eq: String }"
    source = scan("register", "Firm", firm, where={"uscc": ["EQ"]})
    rows = {"register": {"Firm": [{"code": f"{number:05}", "mc": "7"} for number in range(30)]}}
    filters = {"FirmFilter": {"uscc": "uscc", "name": "name"}}
    there = world(sdl, [source], rows, keys={"Firm": ["uscc"]}, filters=filters)
    body = await answer(there, '{ firms(filter: {name: {eq: "7"}}) { nodes { uscc } } }', max_scan=20)
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "FILTER_NOT_PUSHABLE"
    assert "holds more than 20 rows. What it filters by itself: uscc." in error["message"]


async def test_pages_by_a_composite_key_follow_each_other() -> None:
    sdl = """type Query { days(first: Int, after: String): DayConnection } type Day { station: ID! day: ID! aqi: Int }
    type DayConnection { nodes: [Day!]! pageInfo: PageInfo! } type PageInfo { hasNextPage: Boolean! endCursor: String }"""
    rows = [{"s": station, "d": day, "v": 1} for station in ("b", "a") for day in ("2", "1", "3")]
    seen: list[str] = []
    for order in ((), ("station", "day")):
        source = scan("air", "Day", {"station": "s", "day": "d", "aqi": leaf("v", "int")}, order=order, limit=True)
        there = world(sdl, [source], {"air": {"Day": rows}}, keys={"Day": [("station", "day")]})
        after, more = None, True
        while more:
            document = (
                "query P($after: String) { days(first: 4, after: $after) { nodes { station day } pageInfo { hasNextPage endCursor } } }"
            )
            page = (await answer(there, document, variables={"after": after}))["data"]["days"]
            seen += [node["station"] + node["day"] for node in page["nodes"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == ["a1", "a2", "a3", "b1", "b2", "b3"] * 2


NUMBERED = """type Query { thing(id: ID!): Thing  things(first: Int, after: String): ThingConnection }
type Thing { id: ID! name: String notes: [Note] } type Note { text: String }
type ThingConnection { nodes: [Thing!]! pageInfo: PageInfo! } type PageInfo { endCursor: String }"""


def numbered() -> World:
    """A source that keeps as numbers what the province calls an ID, and sorts it as numbers."""
    fields: dict[str, Lies | str] = {"id": leaf("n", "int"), "name": "m", "notes": items("l", "Note", {"text": "t"})}
    bindings = [
        lookup("s", "Thing", "id", fields, anchor=True),
        scan("s", "Thing", fields, order=("id",), limit=True, where={"id": ["GT"]}),
    ]
    rows = {"s": {"Thing": [{"n": n, "m": f"n{n}", "l": [{"t": "a"}, "b", None]} for n in (9, 10, 100)]}}
    return world(NUMBERED, bindings, rows, keys={"Thing": ["id"]}, roots={"Query.thing": ("Thing", {"id": "id"})})


async def test_a_key_that_its_source_cannot_write_has_no_row_and_harms_no_other() -> None:
    there = numbered()
    body = await answer(there, '{ a: thing(id: "09") { name } b: thing(id: "9") { name } }')
    assert body == {"data": {"a": None, "b": {"name": "n9"}}}
    assert [call.keys for call in there.calls("s")] == [((9,),)]


async def test_a_source_that_sorts_otherwise_is_not_asked_to_sort() -> None:
    there, seen, after = numbered(), [], None
    for _ in range(3):
        document = "query P($after: String) { things(first: 1, after: $after) { nodes { id } pageInfo { endCursor } } }"
        page = (await answer(there, document, variables={"after": after}))["data"]["things"]
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == ["10", "100", "9"]


async def test_an_element_that_is_no_object_is_told_at_its_place() -> None:
    body = await answer(numbered(), '{ thing(id: "9") { notes { text } } }')
    assert body["data"] == {"thing": {"notes": [{"text": "a"}, None, None]}}
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [(["thing", "notes", 1], "BAD_VALUE")]


async def test_looking_up_by_what_one_may_not_see_is_refused_without_a_call() -> None:
    there = numbered()
    body = await answer(there, '{ thing(id: "9") { name } }', policy=lambda who, rows: frozenset({"Thing.id"} & {row.name for row in rows}))
    assert (body["data"], [error["extensions"]["code"] for error in body["errors"]]) == ({"thing": None}, ["FORBIDDEN"])
    assert there.calls("s") == []
