"""Interfaces and unions: rows of several types, each served by systems of its own. Engine and oracle have to agree on each story."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.bound import Lies, either, link, lookup, obj, scan
from tests.memory import Faults
from tests.nasty.asking import ask, asked, plan
from tests.worlds import World, world

SDL = """
type Query { firm(id: ID!): Firm  findings: [Finding]  everything: [Any!] }
interface Finding { id: ID  severity: Int }
union Any = Firm | Leak | Fire
type Firm { id: ID!  name: String  findings: [Finding]  last: Finding }
type Leak implements Finding { id: ID  severity: Int  litres: Int }
type Fire implements Finding { id: ID  severity: Int  cause: String }
"""
FOUND = either("kind", {"L": ("Leak", {"id": "no"}), "F": ("Fire", {"id": "no", "severity": "sev"})})
FINDINGS: list[dict[str, Any]] = [
    {"firm": "1", "kind": "L", "no": "l1"},
    {"firm": "1", "kind": "F", "no": "f1", "sev": 3},
    {"firm": "1", "kind": "quake", "no": "q1"},
    {"firm": "1", "kind": None, "no": "n1"},
    {"firm": "2", "kind": "L", "no": "l2"},
]


def inspections() -> World:
    """Findings in one system; what is known of leaks in a second, of fires in a third."""
    everything = either("kind", {"firm": ("Firm", {"id": "no"}), "L": ("Leak", {"id": "no"}), "F": ("Fire", {"id": "no"})})
    return world(
        SDL,
        [
            lookup("register", "Firm", "id", {"id": "id", "name": "n"}, anchor=True),
            link("inspection", "Firm.findings", "Finding", {"id": "firm"}, FOUND),
            link("inspection", "Firm.last", "Finding", {"id": "firm"}, FOUND, rows="Last", many=False),
            scan("inspection", "Finding", FOUND, coordinate="Query.findings", rows="Finding"),
            scan("inspection", "Any", everything, coordinate="Query.everything", rows="Any"),
            lookup("water", "Leak", "id", {"id": "id", "severity": "s", "litres": "l"}),
            lookup("brigade", "Fire", "id", {"id": "id", "cause": "c"}),
        ],
        {
            "register": {"Firm": [{"id": "1", "n": "甲"}, {"id": "2", "n": "乙"}]},
            "inspection": {
                "Finding": FINDINGS,
                "Last": [{"firm": "1", "kind": "F", "no": "f1", "sev": 3}, {"firm": "2", "kind": "quake"}],
                "Any": [{"kind": "firm", "no": "1"}, {"kind": "L", "no": "l1"}],
            },
            "water": {"Leak": [{"id": "l1", "s": 1, "l": 40}]},
            "brigade": {"Fire": [{"id": "f1", "c": "wire"}]},
        },
        keys={"Firm": ["id"], "Leak": ["id"], "Fire": ["id"]},
        roots={"Query.firm": ("Firm", {"id": "id"})},
    )


async def test_an_interface_field_is_served_by_another_system_for_each_type() -> None:
    """Case 12: the severity of a leak from the water company, of a fire from the finding itself."""
    there = inspections()
    told = await ask(there, '{ firm(id: "1") { findings { __typename id severity ... on Leak { litres } ... on Fire { cause } } } }')
    assert told.data["firm"]["findings"][:2] == [
        {"__typename": "Leak", "id": "l1", "severity": 1, "litres": 40},
        {"__typename": "Fire", "id": "f1", "severity": 3, "cause": "wire"},
    ]
    assert (asked(there, "water"), asked(there, "brigade")) == ([("Leak.by.id", (("l1",),))], [("Fire.by.id", (("f1",),))])


async def test_a_type_that_the_hub_does_not_know_is_an_error_at_its_row_alone() -> None:
    """Case 11: an unknown typename is told; no typename at all is null."""
    told = await ask(inspections(), '{ firm(id: "1") { findings { id } last { id } } other: firm(id: "2") { last { id } } }')
    assert told.data["firm"] == {"findings": [{"id": "l1"}, {"id": "f1"}, None, None], "last": {"id": "f1"}}
    assert (told.data["other"], told.errors) == (
        {"last": None},
        [("firm.findings.2", "BAD_VALUE"), ("other.last", "BAD_VALUE")],
    )


async def test_a_member_that_is_not_asked_about_is_not_called_for() -> None:
    """Case 11: a fragment on one member of a union leaves the systems of the others in peace."""
    there = inspections()
    told = await ask(there, "{ everything { ... on Firm { name } } findings { ... on Fire { cause } } }")
    assert told.data["everything"] == [{"name": "甲"}, {}]
    assert there.calls("water") == []


async def test_a_member_whose_system_is_down_costs_its_own_fields() -> None:
    there = inspections()
    there.systems["water"].faults = Faults(down={"Leak.by.id": "down"})
    told = await ask(there, "{ findings { severity } }")
    assert told.data["findings"] == [{"severity": None}, {"severity": 3}, None, None, {"severity": None}]
    assert [code for _, code in told.errors] == ["SYSTEM_DOWN", "BAD_VALUE", "SYSTEM_DOWN"]


@pytest.mark.parametrize("fragments", ["a b c", "c b a"])
async def test_one_key_in_three_fragments_is_merged_for_each_type(fragments: str) -> None:
    """Case 15: the same response key in three fragments with other selections and type conditions."""
    spreads = " ".join(f"...{name}" for name in fragments.split())
    document = f"""{{ firm(id: "1") {{ {spreads} }} }}
      fragment a on Firm {{ all: findings {{ id ... on Fire {{ cause }} }} }}
      fragment b on Firm {{ all: findings {{ ... on Finding {{ severity }} ... on Leak {{ litres }} }} }}
      fragment c on Firm {{ name all: findings {{ ... on Leak {{ id what: __typename }} }} }}"""
    there = inspections()
    told = await ask(there, document)
    leak, fire = told.data["firm"]["all"][:2]
    assert leak == {"id": "l1", "severity": 1, "litres": 40, "what": "Leak"}
    assert fire == {"id": "f1", "severity": 3, "cause": "wire"}
    assert [call.relation for call in there.received].count("Firm.findings") == 1


def kinds(count: int) -> World:
    """An interface of ``count`` types in a union; each type has a system of its own that knows a field of the interface."""
    names = [f"K{number}" for number in range(count)]
    types = "".join(f"type {name} implements Named {{ id: ID! name: String }} " for name in names)
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {name: {name: [{"id": name, "n": f"I am {name}"}]} for name in names}
    rows["index"] = {"All": [{"kind": name, "no": name} for name in names]}
    variants: dict[str, tuple[str, Mapping[str, Lies | str]]] = {name: (name, {"id": "no"}) for name in names}
    return world(
        f"type Query {{ all: [All!] }} interface Named {{ name: String }} union All = {' | '.join(names)} {types}",
        [
            scan("index", "All", either("kind", variants), coordinate="Query.all", rows="All"),
            *(lookup(name, name, "id", {"id": "id", "name": "n"}) for name in names),
        ],
        rows,
        keys={name: ["id"] for name in names},
    )


async def test_seventy_types_of_an_interface_are_planned_in_a_line_each() -> None:
    """Case 10: a fragment on the interface inside a union; the plan grows by one step a type, and two fragments add none."""
    text = "{ all { ... on Named { name } ...more } } fragment more on Named { name again: name }"
    lines = {count: len(plan(kinds(count), text).splitlines()) for count in (10, 35, 70)}
    assert lines == {10: 12, 35: 37, 70: 72}
    told = await ask(kinds(70), text)
    assert told.data["all"][69] == {"name": "I am K69", "again": "I am K69"}


async def test_a_reference_back_and_forth_asks_for_nobody_twice() -> None:
    """Case 9: a person's boss's boss, six deep: one call a depth at most, and none for who was asked before."""
    there = world(
        "type Query { one(id: ID!): One } type One { id: ID! name: String boss: One }",
        [lookup("s", "One", "id", {"id": "id", "name": "n", "boss": obj("One", {"id": "b"})})],
        {"s": {"One": [{"id": "a", "n": "A", "b": "b"}, {"id": "b", "n": "B", "b": "a"}]}},
        keys={"One": ["id"]},
        roots={"Query.one": ("One", {"id": "id"})},
    )
    told = await ask(there, '{ one(id: "a") ' + "{ name boss " * 6 + "{ name } " + "}" * 7)
    assert told.data["one"]["boss"]["boss"]["boss"]["boss"]["boss"]["boss"] == {"name": "A"}
    assert asked(there, "s") == [("One.by.id", (("a",),)), ("One.by.id", (("b",),))]


async def test_a_name_or_a_key_alone_takes_no_call() -> None:
    """Case 13: only ``__typename``, only the key: what the reference carries is enough."""
    there = inspections()
    told = await ask(there, "{ everything { __typename ... on Firm { id } } }")
    assert told.data["everything"] == [{"__typename": "Firm", "id": "1"}, {"__typename": "Leak"}]
    assert [call.system for call in there.received] == ["inspection"]
