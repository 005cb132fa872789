"""Nulls, odd values and very large answers: what assembly makes of them. Every small answer is the oracle's as well."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import orjson
import pytest

from hub.run import positions, slices
from hub.run.convert import Reading
from tests.bound import Lies, leaf, lookup, obj, scan
from tests.properties.engine import Answer, engine, run_engine, run_oracle
from tests.worlds import World, world

Row = Mapping[str, Any]


def thing_world(sdl: str, parts: Mapping[str, Lies | str], rows: Sequence[Row]) -> Callable[[], World]:
    """``things`` lists all rows of ``Thing``, ``thing(id)`` looks one up; ``parts`` say where its fields lie."""
    schema = "type Query { thing(id: ID!): Thing things: [Thing] }\n" + sdl

    def build() -> World:
        bindings = [lookup("s", "Thing", "id", parts, anchor=True), scan("s", "Thing", parts, coordinate="Query.things")]
        return world(schema, bindings, {"s": {"Thing": list(rows)}}, keys={"Thing": ["id"]}, roots={"Query.thing": ("Thing", {"id": "id"})})

    return build


async def ask(build: Callable[[], World], text: str) -> Answer:
    """The engine's answer, which is the oracle's."""
    found = await run_engine(build(), text, {})
    wanted = await run_oracle(build(), text, {})
    assert (found.text, found.errors) == (wanted.text, wanted.errors)
    return found


@pytest.mark.parametrize(
    ("kind", "native", "shown", "errors"),
    [
        ("[[Int!]]", [[1, 2], None, []], [[1, 2], None, []], []),
        ("[[Int!]]", [[1, None], [3]], [None, [3]], [("NON_NULL", 0, 1)]),
        ("[[Int!]]", [[1, "x"], 7, [3]], [None, None, [3]], [("BAD_VALUE", 0, 1), ("BAD_VALUE", 1)]),
        ("[[Int]!]", [[1, None], [None]], [[1, None], [None]], []),
        ("[[Int]!]", [[1], None], None, [("NON_NULL", 1)]),
        ("[[Int]!]", [["x", 2]], [[None, 2]], [("BAD_VALUE", 0, 0)]),
        ("[[Int!]!]", [[1], [2, None]], None, [("NON_NULL", 1, 1)]),
        ("[[[Int!]]]", [[[1, None], [2]], None], [[None, [2]], None], [("NON_NULL", 0, 0, 1)]),
    ],
)
async def test_lists_of_lists_lose_what_the_nearest_nullable_list_holds(kind: str, native: Any, shown: Any, errors: list[Any]) -> None:
    """Case 25: list of lists with null inner list, null element, element that cannot be read, under each placing of non-null."""
    build = thing_world(f"type Thing {{ id: ID! grid: {kind} }}", {"id": "id", "grid": leaf("g", "json")}, [{"id": "1", "g": native}])
    found = await ask(build, '{ thing(id: "1") { id cells: grid } }')
    assert found.data == {"thing": {"id": "1", "cells": shown}}
    assert found.errors == Counter({(("thing", "cells", *path), code): 1 for code, *path in errors})


async def test_a_non_null_grid_takes_its_entity_along() -> None:
    """Case 25: ``[[T]!]!`` with a null inner list: the entity is null, one error at the inner list."""
    rows: list[Row] = [{"id": "1", "g": [[1], None]}, {"id": "2", "g": [[None]]}]
    build = thing_world("type Thing { id: ID! grid: [[Int]!]! }", {"id": "id", "grid": leaf("g", "json")}, rows)
    found = await ask(build, "{ things { id grid } }")
    assert found.data == {"things": [None, {"id": "2", "grid": [[None]]}]}
    assert found.errors == Counter([(("things", 0, "grid", 1), "NON_NULL")])


DEEP = "type Thing { id: ID! a: A } type A { b: B! x: Int! } type B { c: C! } type C { d: Int! e: Int! }"
DEEP_PARTS: Mapping[str, Lies | str] = {
    "id": "id",
    "a": obj("A", {"x": "x", "b": obj("B", {"c": obj("C", {"d": "d", "e": "e"})})}),
}


async def test_a_null_three_levels_down_empties_the_nearest_nullable_position() -> None:
    """Case 26: non-null leaf null three levels below a nullable position in a list: that is null, one error, with aliases and index."""
    rows = [{"id": str(n), "x": n, "d": None if n == 1 else n, "e": n} for n in range(3)]
    found = await ask(thing_world(DEEP, DEEP_PARTS, rows), "{ all: things { id first: a { second: b { third: c { last: d } } } } }")
    deep = [{"second": {"third": {"last": n}}} for n in range(3)]
    assert found.data == {
        "all": [{"id": "0", "first": deep[0]}, {"id": "1", "first": None}, {"id": "2", "first": deep[2]}],
    }
    assert found.errors == Counter([(("all", 1, "first", "second", "third", "last"), "NON_NULL")])


async def test_a_non_null_chain_up_to_the_list_nulls_the_item() -> None:
    """Case 26: with no nullable position in between it is the list's item that is null, and its neighbours stay."""
    sdl = "type Thing { id: ID! a: A! } type A { b: B! } type B { c: Int! }"
    parts: Mapping[str, Lies | str] = {"id": "id", "a": obj("A", {"b": obj("B", {"c": "c"})})}
    rows = [{"id": str(n), "c": "x" if n == 60 else n} for n in range(120)]
    found = await ask(thing_world(sdl, parts, rows), "{ things { a { b { deep: c } } } }")
    assert [row for row, thing in enumerate(found.data["things"]) if thing is None] == [60]
    assert found.errors == Counter([(("things", 60, "a", "b", "deep"), "BAD_VALUE")])


async def test_of_two_errors_under_one_emptied_parent_one_is_kept() -> None:
    """Case 27: two non-null fields fail under one parent: one error, that which emptied it; nothing is told below it."""
    rows: list[Row] = [{"id": "1", "x": None, "d": None, "e": None}, {"id": "2", "x": 2, "d": 2, "e": 2}]
    found = await ask(thing_world(DEEP, DEEP_PARTS, rows), "{ things { id a { x b { c { d e } } } } }")
    assert found.data["things"][0] == {"id": "1", "a": None}
    assert sum(found.errors.values()) <= 1
    wrong: list[Row] = [{"id": "1", "x": "no", "d": "no", "e": "no"}, rows[1]]
    found = await ask(thing_world(DEEP, DEEP_PARTS, wrong), "{ things { id a { x b { c { d e } } } } }")
    assert found.data["things"][0] == {"id": "1", "a": None}
    assert [code for _, code in found.errors.elements()] == ["BAD_VALUE"]


async def test_errors_stay_where_they_are_if_the_caller_says_so() -> None:
    """Case 27: ``@experimental_disableErrorPropagation``: every null has its own error and empties nothing above it."""
    sdl = "directive @experimental_disableErrorPropagation on QUERY | MUTATION | SUBSCRIPTION\n" + DEEP
    rows: list[Row] = [{"id": "1", "x": "no", "d": None, "e": "no"}, {"id": "2", "x": 2, "d": 2, "e": 2}]
    build = thing_world(sdl, DEEP_PARTS, rows)
    found = await ask(build, "query @experimental_disableErrorPropagation { things { id a { x b { c { d e } } } } }")
    assert found.data["things"][0] == {"id": "1", "a": {"x": None, "b": {"c": {"d": None, "e": None}}}}
    below = ("things", 0, "a", "b", "c")
    told = [(("things", 0, "a", "x"), "BAD_VALUE"), ((*below, "d"), "NON_NULL"), ((*below, "e"), "BAD_VALUE")]
    assert found.errors == Counter(told)


async def test_errors_come_in_the_order_of_the_answer() -> None:
    """Case 27: whatever was found first: rows by index, fields as they were asked, also where that is not the order of letters."""
    sdl = "type Thing { id: ID! x: Int y: [Int] z: A } type A { b: Int }"
    parts: Mapping[str, Lies | str] = {"id": "id", "x": "x", "y": leaf("y", "json"), "z": obj("A", {"b": "b"})}
    rows = [{"id": str(n), "x": "no", "y": [1, "no", 2, "no"], "b": "no"} for n in range(11)]
    asked = engine(thing_world(sdl, parts, rows)())
    result = await asked.run(asked.parse("{ two: things { z { b } y x } one: things { x again: x } }"))
    paths = [tuple(error.path or ()) for error in result.errors or ()]
    two = [(("two", n, *rest)) for n in range(11) for rest in (("z", "b"), ("y", 1), ("y", 3), ("x",))]
    assert paths == two + [("one", n, key) for n in range(11) for key in ("x", "again")]


async def test_null_with_an_error_differs_from_null_without() -> None:
    """Case 29: a key that its source could not answer is null with an error; a value that the source has as null is null without."""
    sdl = "type Thing { id: ID! name: String note: String }"

    def build() -> World:
        there = world(
            "type Query { thing(id: ID!): Thing }\n" + sdl,
            [
                lookup("register", "Thing", "id", {"id": "id", "name": "n"}, anchor=True),
                lookup("notes", "Thing", "id", {"id": "id", "note": "t"}),
            ],
            {
                "register": {"Thing": [{"id": one, "n": None if one == "b" else one} for one in "abc"]},
                "notes": {"Thing": [{"id": one, "t": one} for one in "ab"]},
            },
            keys={"Thing": ["id"]},
            roots={"Query.thing": ("Thing", {"id": "id"})},
        )
        there.systems["notes"].faults.keys["Thing.by.id", ("a",)] = "denied"
        return there

    found = await ask(build, "{ " + " ".join(f'{one}: thing(id: "{one}") {{ name note }}' for one in "abc") + " }")
    assert found.data == {"a": {"name": "a", "note": None}, "b": {"name": None, "note": "b"}, "c": {"name": "c", "note": None}}
    assert [path for path, _ in found.errors.elements()] == [("a", "note")]


ODD: list[tuple[str, Any, Any]] = [
    ("Grade", "1", "GOOD"),
    ("Grade", "9", None),
    ("Int", 2_147_483_647, 2_147_483_647),
    ("Int", 2_147_483_648, None),
    ("Int", -2_147_483_649, None),
    ("Int", True, None),
    ("Int", "12", 12),
    ("Int", 1.5, None),
    ("Float", float("nan"), None),
    ("Float", float("inf"), None),
    ("Float", 3, 3.0),
    ("ID", 42, "42"),
    ("ID", True, None),
    ("ID", 1.5, None),
    ("String", 1_234_567_890_123_456_789, "1234567890123456789"),
    ("String", True, "true"),
    ("String", {"a": 1}, None),
    ("Boolean", "是", True),
    ("Boolean", "maybe", None),
    ("DateTime", "2026-01-02T03:04:05", "2026-01-02T03:04:05+08:00"),
    ("DateTime", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
    ("DateTime", "yesterday", None),
    ("Date", "20260230", None),
]


@pytest.mark.parametrize(("kind", "native", "shown"), ODD)
@pytest.mark.parametrize("rows", [1, 60])
async def test_values_of_another_kind_are_read_exactly_or_told(kind: str, native: Any, shown: Any, rows: int) -> None:
    """Case 30: unknown enum value, Int past 32 bits, NaN, bool for Int, int for ID, naive moment, 19 digits as text."""
    sdl = f"scalar Date scalar DateTime enum Grade {{ GOOD POOR }} type Thing {{ id: ID! value: {kind} }}"
    parts = {"id": leaf("id"), "value": leaf("v", "json", values={"1": "GOOD"} if kind == "Grade" else None)}
    good = {"Grade": "1", "Int": 1, "Float": 1.0, "Boolean": True, "DateTime": "2026-01-01T00:00:00Z", "Date": "2026-01-01"}
    there = [{"id": str(n), "v": good.get(kind, "x")} for n in range(rows - 1)] + [{"id": "odd", "v": native}]
    found = await ask(thing_world(sdl, parts, there), "{ things { value } }")
    assert found.data["things"][-1] == {"value": shown}
    assert found.errors == Counter([] if shown is not None else [(("things", rows - 1, "value"), "BAD_VALUE")])


@pytest.mark.parametrize("rows", [3, 200])
async def test_response_keys_may_be_any_name(rows: int) -> None:
    """Case 42: keys that mean something to Python, to JSON readers or to the code itself are keys like others."""
    names = ["def", "class", "None", "self", "__proto__", "__class__", "__init__", "v0", "v1", "gc", "constructor", "_", "lambda", "print"]
    build = thing_world("type Thing { id: ID! }", {"id": "id"}, [{"id": str(n)} for n in range(rows)])
    text = "{ def: things { " + " ".join(f"{name}: id" for name in names) + " __typename class2: __typename } }"
    found = await ask(build, text)
    last = found.data["def"][-1]
    assert list(last) == [*names, "__typename", "class2"]
    assert {last[name] for name in names} == {str(rows - 1)}


@pytest.mark.parametrize("alias", ["编号", "é", 'a"b', "a-b", "1a", "a\u200b"])
async def test_aliases_outside_the_grammar_are_refused(alias: str) -> None:
    """Case 42: an alias that is no GraphQL name never gets as far as a plan."""
    there = thing_world("type Thing { id: ID! }", {"id": "id"}, [])()
    document = engine(there).parse(f"{{ things {{ {alias}: id }} }}")
    assert document.fault == "GRAPHQL_PARSE_FAILED"
    assert document.errors


async def test_a_hundred_thousand_rows_leave_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 43: 100,000 rows of three fields: between two turns of the loop no more than some slices are converted, built or written.

    What is counted is values handled between two beats, so that a busy machine changes nothing.
    """
    size, beats = 100_000, 0
    handled: Counter[tuple[str, int]] = Counter()

    def counted(name: str, count: Callable[..., int], right: Any) -> Any:
        def wrapper(*args: Any) -> Any:
            handled[name, beats] += count(*args)
            return right(*args)

        return wrapper

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    rows = [{"id": f"T{n:06d}", "n": n, "d": f"{2000 + n % 25}0{1 + n % 9}1{n % 10}"} for n in range(size)]
    parts = {"id": leaf("id"), "n": leaf("n", "int"), "on": leaf("d", format="yyyyMMdd")}
    there = thing_world("scalar Date type Thing { id: ID! n: Int on: Date }", parts, rows)()
    asked = engine(there)
    document = asked.parse("{ things { id n on } }")
    monkeypatch.setattr(Reading, "column", counted("converted", lambda _, values: len(values), Reading.column))
    monkeypatch.setattr(positions, "_shape", counted("built", lambda keys: 1, positions._shape))
    encode = counted("written", lambda body: len(body) if isinstance(body, list) else 0, msgspec.json.encode)
    monkeypatch.setattr(msgspec.json, "encode", encode)
    heart = asyncio.create_task(beat())
    answer = await asked.execute(document)
    heart.cancel()
    listed = orjson.loads(answer.body)["data"]["things"]
    assert (len(listed), listed[-1]) == (size, {"id": "T099999", "n": 99_999, "on": "2024-01-19"})
    for name, most in (("converted", slices.SLICE), ("built", 1), ("written", slices.SLICE)):
        at_once = {at: count for (what, at), count in handled.items() if what == name}
        assert max(at_once.values()) <= most, name
        assert len(at_once) >= size // slices.SLICE, name
