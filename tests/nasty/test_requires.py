"""Fields whose calls need other fields of the entity. Engine and oracle have to agree on each story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub.run.policed import policed
from schema.coordinates import Coordinate, Coordinates, Grade
from schema.registry import Binding
from tests.bound import Need, link, lookup, obj, scan
from tests.memory import Faults
from tests.nasty.asking import ask, asked, plan
from tests.plan.planned import normalised
from tests.worlds import World, world

SDL = """
type Query { firms: [Firm!]  firm(code: ID!): Firm }
type Firm { code: ID!  score: Score  boss: Boss  tax(year: Int!): Tax  line: Int  rate: String  fee: String  offers: [Offer!] }
type Score { points: Int  grade: String }
type Boss { id: ID!  town: String }
type Tax { amount: Int }
type Offer { id: ID!  text: String }
"""
FIRMS = [{"code": key, "boss": f"b{key}"} for key in "123"]
SCORES = [{"code": "1", "p": 80}, {"code": "2", "p": 80}, {"code": "3", "p": None}]


def bank(*bindings: Binding, rows: Mapping[str, Any], scores: Any = SCORES) -> World:
    return world(
        SDL,
        [
            scan("register", "Firm", {"code": "code", "boss": obj("Boss", {"id": "boss"})}),
            lookup("register", "Firm", "code", {"code": "code", "boss": obj("Boss", {"id": "boss"})}, anchor=True),
            lookup("credit", "Firm", "code", {"code": "code", "score": obj("Score", {"points": "p", "grade": "g"})}),
            lookup("people", "Boss", "id", {"id": "id", "town": "t"}),
            *bindings,
        ],
        {
            "register": {"Firm": FIRMS},
            "credit": {"Firm": scores},
            "people": {"Boss": [{"id": "b1", "t": "杭"}, {"id": "b2", "t": "甬"}]},
            **rows,
        },
        keys={"Firm": ["code"], "Boss": ["id"], "Offer": ["id"]},
        roots={"Query.firm": ("Firm", {"code": "code"})},
    )


LINES = {"bank": {"Firm": [{"code": "1", "p": 80, "n": 5}, {"code": "2", "p": 80, "n": 6}, {"code": "3", "p": None, "n": 7}]}}


def lines(*, nullable: bool = True) -> Binding:
    fields = {"code": "code", "line": "n"}
    return lookup("bank", "Firm", "code", fields, requires={"score": Need("score.points", "p", nullable)})


async def test_a_required_field_from_another_system_goes_with_the_call() -> None:
    """Case 8: required and not selected; rows with the same value go in one call."""
    there = bank(lines(), rows=LINES)
    told = await ask(there, "{ firms { line } }")
    assert (told.data["firms"], told.errors) == ([{"line": 5}, {"line": 6}, {"line": 7}], [])
    assert [(call.keys, call.params) for call in there.calls("bank")] == [
        ((("1",), ("2",)), (("score", 80),)),
        ((("3",),), (("score", None),)),
    ]
    assert plan(there, "{ firms { line } }").splitlines()[3].split("  ")[-1] == "requires score: score.points"


async def test_null_where_the_call_takes_none_is_no_call() -> None:
    there = bank(lines(nullable=False), rows=LINES)
    told = await ask(there, "{ firms { line } }")
    assert (told.data["firms"], told.errors) == ([{"line": 5}, {"line": 6}, {"line": None}], [])
    assert asked(there, "bank") == [("Firm.by.code", (("1",), ("2",)))]


async def test_a_required_field_that_the_caller_asks_for_too_is_fetched_once() -> None:
    """Case 8: selected under another alias beside what requires it."""
    there = bank(lines(), rows=LINES)
    told = await ask(there, "{ firms { line rated: score { p: points grade } } }")
    assert told.data["firms"][0] == {"line": 5, "rated": {"p": 80, "grade": None}}
    assert len(there.calls("credit")) == 1


async def test_what_requires_a_hidden_field_is_hidden() -> None:
    """Case 8: masked; its system and the one that would give the required value are left in peace."""
    there = bank(lines(), rows=LINES)
    told = await ask(there, '{ firm(code: "1") { line } }', denied=frozenset({"Score.points"}))
    assert (told.data, told.errors) == ({"firm": {"line": None}}, [("firm.line", "FORBIDDEN")])
    assert there.calls("bank") == there.calls("credit") == []


async def test_a_failure_of_what_is_required_is_told_where_it_is_needed() -> None:
    """Case 28: an error in a required but unselected field, at the dependent field's path, for its row alone."""
    there = bank(lines(), rows=LINES)
    there.systems["credit"].faults = Faults(keys={("Firm.by.code", ("2",)): "slow"})
    told = await ask(there, "{ firms { line } }")
    assert told.data["firms"] == [{"line": 5}, {"line": None}, {"line": 7}]
    assert told.errors == [("firms.1.line", "SYSTEM_SLOW")]


async def test_a_chain_of_requirements_and_one_through_a_reference() -> None:
    """Case 7: the fee needs the rate, the rate needs the town of the boss, whom another system knows."""
    there = bank(
        lookup("rates", "Firm", "code", {"code": "code", "rate": "r"}, requires={"town": Need("boss.town", "t")}),
        lookup("fees", "Firm", "code", {"code": "code", "fee": "f"}, requires={"rate": Need("rate", "r", nullable=False)}),
        rows={
            "rates": {"Firm": [{"code": "1", "t": "杭", "r": "low"}, {"code": "2", "t": "杭", "r": "wrong"}]},
            "fees": {"Firm": [{"code": "1", "r": "low", "f": "7"}]},
        },
    )
    told = await ask(there, "{ firms { fee } }")
    assert ([one["fee"] for one in told.data["firms"]], told.errors) == (["7", None, None], [])
    assert [call.system for call in there.received] == ["register", "people", "rates", "rates", "rates", "fees"]
    assert plan(there, "{ firms { fee } }").count("requires") == 2


async def test_two_fields_that_require_one_field_with_different_arguments() -> None:
    """Case 6: last year's tax and this year's, beside the caller's own question about the year before."""
    there = bank(
        link("tax", "Firm.tax", "Tax", {"code": "code"}, {"amount": "a"}, many=False, args={"year": "y"}),
        lookup("bank", "Firm", "code", {"code": "code", "line": "n"}, requires={"tax": Need("tax(year: 2024).amount", "a")}),
        lookup("rates", "Firm", "code", {"code": "code", "rate": "r"}, requires={"tax": Need("tax(year: 2025).amount", "a")}),
        rows={
            "tax": {"Tax": [{"code": "1", "y": year, "a": amount} for year, amount in ((2023, 3), (2024, 4), (2025, 5))]},
            "bank": {"Firm": [{"code": "1", "a": amount, "n": amount * 10} for amount in (3, 4, 5)]},
            "rates": {"Firm": [{"code": "1", "a": amount, "r": f"at {amount}"} for amount in (3, 4, 5)]},
        },
    )
    told = await ask(there, '{ firm(code: "1") { line rate tax(year: 2023) { amount } again: tax(year: 2024) { amount } } }')
    assert told.data == {"firm": {"line": 40, "rate": "at 5", "tax": {"amount": 3}, "again": {"amount": 4}}}
    assert sorted(call.params for call in there.calls("tax")) == [(("year", year),) for year in (2023, 2024, 2025)]


async def test_a_list_may_need_a_field_too() -> None:
    """Case 7: a link by the key, with a required value beside it; each row gets the rows of its own value."""
    there = bank(
        link("offers", "Firm.offers", "Offer", {"code": "c"}, {"id": "id"}, requires={"score": Need("score.points", "p")}),
        rows={"offers": {"Offer": [{"c": "1", "p": 80, "id": "a"}, {"c": "1", "p": 1, "id": "x"}, {"c": "3", "p": None, "id": "b"}]}},
    )
    told = await ask(there, "{ firms { offers { id } } }")
    assert [one["offers"] for one in told.data["firms"]] == [[{"id": "a"}], [], [{"id": "b"}]]


def test_policy_decides_on_all_that_lies_in_a_required_object() -> None:
    """Case 8: what decides whether the required object is there is asked of policy too, though nobody selected it."""
    there = bank(lines(), rows=LINES)
    operation, _ = normalised(there.schema, "{ firms { line } }")
    names = ("Firm.line", "Firm.score", "Score.points", "Score.grade")
    told = replace(there.registry, coordinates=Coordinates(_row(*name.split(".")) for name in names))
    assert {row.field for row in policed(there.schema, told, operation)} == {"line", "score", "points", "grade"}


def _row(kind: str, name: str) -> Coordinate:
    return Coordinate(kind, name, grade=Grade.L1, nullable=True, description="")
