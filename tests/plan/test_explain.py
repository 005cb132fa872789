"""Plans as people and programs read them. What a text shows is compared whole, since it is what people compare too."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest
from hypothesis import given

from hub.plan.explain import Explained, explained
from hub.plan.view import View, columns_of, mentioned
from schema.registry import Authority, System
from tests.bound import link, lookup, obj, scan
from tests.plan.planned import planned
from tests.properties import examples
from tests.properties.generator import Case, cases
from tests.worlds import World, world

SDL = """
type Query { firm(uscc: ID!): Firm  firms(first: Int): FirmConnection }
type FirmConnection { nodes: [Firm!]! totalCount: Int }
type Firm { uscc: ID! name: String score: Score archiveNo: ID boxes: Int licences: [Licence!] }
type Score { points: Int grade: String }
type Licence { id: ID! title: String item: Item }
type Item { code: ID! name: String }
"""


def department_world() -> World:
    score = {"score": obj("Score", {"points": "p", "grade": "g"})}
    bindings = [
        lookup("register", "Firm", "uscc", {"uscc": "code", "name": "mc"}, anchor=True),
        lookup("copy", "Firm", "uscc", {"uscc": "c", "name": "n", **score}, authority=Authority.REPLICA),
        lookup("credit", "Firm", "uscc", {"uscc": "code", **score}, priority=1),
        lookup("bank", "Firm", "archiveNo", {"archiveNo": "no", **score}),
        lookup("taxes", "Firm", "uscc", {"uscc": "code", **score}),
        lookup("vault", "Firm", "archiveNo", {"archiveNo": "no", "boxes": "n"}, max_keys=1),
        scan("register", "Firm", {"uscc": "code"}),
        link("library", "Firm.licences", "Licence", {"uscc": "czr"}, {"id": "id", "title": "t", "item": obj("Item", {"code": "sx"})}),
        lookup("permits", "Item", "code", {"code": "bm", "name": "mc"}, max_keys=1),
    ]
    keys: dict[str, list[tuple[str, ...] | str]] = {"Firm": ["uscc", "archiveNo"], "Licence": ["id"], "Item": ["code"]}
    return world(SDL, bindings, {}, keys=keys, roots={"Query.firm": ("Firm", {"uscc": "uscc"})})


def told(text: str, denied: frozenset[str] = frozenset(), view: View | None = None, there: World | None = None) -> Explained:
    there = there or department_world()
    return explained(planned(there.schema, there.registry, text, denied=denied), there.registry, view)


def test_others_that_could_have_answered_stand_in_rank_order_with_the_reason() -> None:
    assert told('{ firm(uscc: "A") { score { points } } }').text == dedent(
        """\
        plan of the query: 2 systems, 2 calls at least
         1 arguments  firm
         2 fetch      register  Firm by uscc <- 1.uscc  []  up to 100 keys a call
         3 fetch      credit    Firm by uscc <- 1.uscc  [score.grade, score.points]  up to 100 keys a call
        instead of 3: bank (its key is not at hand), taxes (lower priority), copy (lower authority)"""
    )


def test_one_key_a_call_below_a_list_is_warned_of() -> None:
    assert told('{ firm(uscc: "A") { licences { item { name } } } }').text.splitlines()[-1] == (
        "warning: step 5 makes a call to permits for each row of a list"
    )


def test_a_system_that_is_asked_in_the_caller_s_name_is_warned_of() -> None:
    there = department_world()
    register = replace(there.registry.systems["register"], credential="delegated")
    systems: dict[str, System] = {**there.registry.systems, "register": register}
    found = told('{ firm(uscc: "A") { name } }', there=replace(there, registry=replace(there.registry, systems=systems)))
    assert found.warnings == ("step 2 shares no call to register with other callers: it is asked in the caller's own name",)


def test_who_may_not_see_systems_sees_numbers_everywhere() -> None:
    found = told('{ firm(uscc: "A") { score { points } licences { item { name } } } }', view=View(named=False))
    assert not [name for name in department_world().registry.systems if name in found.text or name in str(found.data)]
    assert found.systems == ("s1", "s2", "s3", "s4")
    assert "instead of 3: s5 (its key is not at hand), s6 (lower priority), s7 (lower authority)" in found.text


def test_fields_that_a_plan_needs_and_the_caller_may_not_see_stay_out() -> None:
    hidden = frozenset({"Firm.uscc", "Score.grade"})
    found = told('{ firm(uscc: "A") { score { points } } }', view=View(hidden))
    assert found.text.splitlines()[2:4] == [
        " 2 fetch      register  Firm by (hidden) <- 1  []  up to 100 keys a call",
        " 3 fetch      credit    Firm by (hidden) <- 1  [score.points]  up to 100 keys a call",
    ]
    assert "uscc" not in str(found.data)


def test_the_data_say_what_the_text_says() -> None:
    found = told("{ firms { nodes { name } totalCount } }", frozenset({"FirmConnection.totalCount"})).data
    assert [step["kind"] for step in found["steps"]] == ["scan", "fetch"]
    assert found["steps"][1] == {
        "id": 2,
        "kind": "fetch",
        "system": "register",
        "type": "Firm",
        "key": [{"field": "uscc", "from": "1.uscc"}],
        "columns": ["name"],
        "maxKeys": 100,
        "after": [1],
        "alternatives": [{"system": "copy", "why": "lower authority"}],
    }
    assert found["notAnswered"] == [{"coordinate": "FirmConnection.totalCount", "code": "FORBIDDEN"}]


def test_what_a_column_holds_is_known_with_all_it_lies_within() -> None:
    [credit] = [b for b in department_world().registry.lookups["Firm"] if b.system == "credit"]
    assert columns_of(credit)["score.grade"] == ("Firm.score", "Score.grade")


@given(cases())
@examples(40)
def test_nothing_hidden_is_in_any_view(made: Case) -> None:
    there = made.build()
    plan = planned(there.schema, there.registry, made.operation.text, made.operation.variables, made.denied)
    asked = set(plan.coordinates) - plan.denied
    hidden = frozenset(mentioned(plan) - asked)
    found = explained(plan, there.registry, View(hidden, named=False))
    for line in found.lines:
        [step] = [one for one in plan.steps if one.id == line.id]
        for column in line.parts.get("columns", ()):
            assert hidden.isdisjoint(columns_of(step.binding)[column])  # type: ignore[union-attr]
        for part in line.parts.get("key", ()):
            parent = str(line.parts["type"]).partition(".")[0]
            assert f"{parent}.{part['field']}" not in hidden
    assert not [system for system in found.systems if system in there.registry.systems and not system.startswith("s")]


@pytest.mark.parametrize("conditions", [{"a": True, "b": False}, {"a": False, "b": True}])
def test_conditions_show_by_what_is_planned(conditions: dict[str, bool]) -> None:
    there = department_world()
    fields = "name @include(if: $a) score @skip(if: $a) { points } boxes @include(if: $b)"
    text = f'query ($a: Boolean!, $b: Boolean!) {{ firm(uscc: "A") {{ {fields} }} }}'
    found = explained(planned(there.schema, there.registry, text, conditions), there.registry)
    assert ("credit" in found.systems) is not conditions["a"]
