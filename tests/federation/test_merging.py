"""Subgraphs that the hub composes itself: the reference library's schema, the monolith's answers, and every fault in its place."""

from __future__ import annotations

import pytest
from graphql import build_schema, lexicographic_sort_schema, print_ast, print_schema

from schema.federation import merge, subgraph
from schema.federation.satisfied import unsatisfied
from schema.federation.supergraph import read, read_document
from tests.federation.estate import Case, Estate, running
from tests.federation.estates import ESTATES
from tests.federation.served import hub

CASES = [pytest.param(one, case, id=f"{one.name}-{case.title or number}") for one in ESTATES for number, case in enumerate(one.cases[:1])]
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable", "@external", "@requires"])\n'


def composed(**sdls: str) -> tuple[str, list[str]]:
    """The supergraph as text, and ``file:line:column CODE`` of each fault."""
    read_ = [subgraph.read(name, f"http://{name}.example", sdl, f"{name}.graphqls") for name, sdl in sdls.items()]
    faults = [fault for _, some in read_ for fault in some]
    document, more = merge.merge([one for one, _ in read_ if one is not None])
    found = read_document(document, "")
    faults += [*more, *found.faults, *unsatisfied(found, document)]
    return print_ast(document), [f"{one.file}:{one.line}:{one.column} {one.code}" for one in sorted(set(faults))]


@pytest.mark.parametrize("estate", ESTATES, ids=lambda one: one.name)
def test_an_estate_composes_to_the_schema_of_the_reference_library(estate: Estate) -> None:
    text, faults = composed(**estate.subgraphs)
    assert faults == []
    made = read(text, "supergraph.graphql")
    assert made.schema is not None
    expected = build_schema(estate.composed("api"))
    assert print_schema(lexicographic_sort_schema(made.schema)) == print_schema(lexicographic_sort_schema(expected))


@pytest.mark.parametrize(("estate", "case"), CASES)
async def test_an_estate_that_the_hub_composed_answers_as_the_monolith(estate: Estate, case: Case) -> None:
    text, _ = composed(**estate.subgraphs)
    async with running(estate) as there, hub(text, there.urls) as ask:
        for name in case.down:
            there.subgraphs[name].down = True
        answer = await ask(case.query, case.variables, case.scopes)
    assert answer.get("data") == there.monolith(case.query, case.variables, case.denied)["data"]
    assert there.calls() == case.calls


REGISTER = LINK + 'type Query { all: [Enterprise] }\ntype Enterprise @key(fields: "id") { id: ID! name: String }\n'


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("type Enterprise {", "cases.graphqls:2:18 SYNTAX"),
        ('type Enterprise @key(fields: "id") { id: ID! name: String }', "cases.graphqls:2:46 CONTRIBUTED_TWICE"),
        ('type Enterprise @key(fields: "id") { id: ID! name: [String] @shareable }', "register.graphqls:3:46 TYPE_MISMATCH"),
        ("interface Enterprise { id: ID! }", "register.graphqls:3:1 TYPE_MISMATCH"),
        ('type Enterprise @key(fields: "code") { id: ID! }', "cases.graphqls:2:17 BAD_KEY"),
        ('type Enterprise @key(fields: "id") { id: ID! a: Int @requires(fields: "nam") }', "cases.graphqls:2:53 BAD_REQUIRE"),
        ('type Enterprise @key(fields: "id") { id: ID! a: Kase }', "cases.graphqls:2:49 INVALID_SCHEMA"),
        ('type Enterprise @key(fields: "id") { id: ID! a: Int @override(from: "register") }', "cases.graphqls:2:53 UNKNOWN_WORD"),
        (
            "type Query { all(first: Int!): [Enterprise] @shareable }\ntype Enterprise { id: ID! @shareable }",
            "cases.graphqls:2:18 NO_SUCH_ARGUMENT",
        ),
    ],
)
def test_each_fault_is_told_where_the_subgraph_is_written(other: str, said: str) -> None:
    _, faults = composed(register=REGISTER, cases=LINK + other)
    assert said in "\n".join(faults), faults


THERE = LINK + 'type Query { all: [E] }\ntype E @key(fields: "id") { id: ID! name: String }\n'


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("type E { id: ID! @shareable extra: Int }", ["other.graphqls:2:29 'E.extra' {met}: no key leads from there to who tells it."]),
        (
            'type E @key(fields: "id", resolvable: false) { id: ID! extra: Int }',
            ["other.graphqls:2:56 'E.extra' {met}: no key leads from there to who tells it."],
        ),
        (
            'type E @key(fields: "code") { code: ID! extra: Int }',
            [
                "other.graphqls:2:31 'E.code' {met}: no key leads from there to who tells it.",
                "other.graphqls:2:41 'E.extra' {met}: no key leads from there to who tells it.",
            ],
        ),
        (
            'type E @key(fields: "id") { id: ID! size: Int @external extra: Int @requires(fields: "size") }',
            ["other.graphqls:2:37 No subgraph tells 'E.size'."],
        ),
    ],
)
def test_a_field_that_no_key_leads_to_is_told(other: str, said: list[str]) -> None:
    met = "cannot be had of objects that are met at Query.all"
    assert told(there=THERE, other=LINK + other) == [one.format(met=met) for one in said]


def test_a_requirement_that_cannot_be_had_is_told() -> None:
    sizes = LINK + 'type E @key(fields: "id", resolvable: false) { id: ID! size: Int }\ntype Query { sized: E }'
    fees = LINK + 'type E @key(fields: "id") { id: ID! size: Int @external fee: Int @requires(fields: "size") }'
    assert told(there=THERE, sizes=sizes, fees=fees) == [
        "fees.graphqls:2:66 'E.fee' cannot be had of objects that are met at Query.all: it requires 'size', which cannot be had there.",
        "sizes.graphqls:2:56 'E.size' cannot be had of objects that are met at Query.all: no key leads from there to who tells it.",
    ]


def test_an_object_of_an_interface_whose_type_nobody_can_be_asked_for_is_told() -> None:
    register = (
        'type Query { a: P }\ninterface P @key(fields: "id", resolvable: false) { id: ID! }\n'
        'type E implements P @key(fields: "id") { id: ID! }'
    )
    notes = 'type Query { noted: P }\ntype P @federation__interfaceObject @key(fields: "id") { id: ID! note: String }'
    assert [one.partition(" ")[0] for one in told(register=LINK + register, notes=LINK + notes)] == ["notes.graphqls:3:37"]


def test_what_another_graph_has_a_key_for_can_be_had() -> None:
    """One shows the object without a key; the other, that can be asked for the same field, has one."""
    plain = LINK + "type Query { item: I @shareable }\ntype I { name: String @shareable own: Int }"
    keyed = LINK + 'type Query { item: I @shareable }\ntype I @key(fields: "id") { id: ID! name: String @shareable }'
    assert told(plain=plain, keyed=keyed, prices=LINK + 'type I @key(fields: "id") { id: ID! price: Int }') == []


def told(**sdls: str) -> list[str]:
    """``file:line:column message`` of each fault."""
    subgraphs = [one for name, sdl in sdls.items() if (one := subgraph.read(name, "", sdl, f"{name}.graphqls")[0]) is not None]
    document, faults = merge.merge(subgraphs)
    found = read_document(document, "")
    some = sorted({*faults, *found.faults, *unsatisfied(found, document)})
    return [f"{one.file}:{one.line}:{one.column} {one.message if one.code == 'UNREACHABLE' else one.code}" for one in some]


def test_a_type_that_stands_for_an_interface_needs_one() -> None:
    _, faults = composed(cases=LINK + 'type Query { a: A }\ntype A @federation__interfaceObject @key(fields: "id") { id: ID! }')
    assert "cases.graphqls:3:1 UNKNOWN_TYPE" in faults


def test_a_word_of_a_link_that_federation_does_not_have_is_told() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@kee", "@context"])\n'
    _, faults = composed(register=REGISTER, cases=link + "type Case { title: String }")
    assert faults == ["cases.graphqls:1:15 NOT_SUPPORTED", "cases.graphqls:1:15 UNKNOWN_WORD"]


def test_an_enum_that_is_given_and_shown_is_the_same_everywhere() -> None:
    one = LINK + "type Query { a(size: Size): Size @shareable }\nenum Size { SMALL LARGE }"
    other = LINK + "type Query { a(size: Size): Size @shareable }\nenum Size { SMALL }"
    assert composed(one=one, other=other)[1] == ["one.graphqls:3:19 UNKNOWN_ENUM_VALUE"]


def test_the_result_does_not_depend_on_the_order_of_subgraphs() -> None:
    for estate in ESTATES:
        assert composed(**estate.subgraphs)[0] == composed(**dict(reversed(list(estate.subgraphs.items()))))[0]
