"""Subgraphs that the hub composes itself: the reference library's schema, the monolith's answers, and every fault in its place."""

from __future__ import annotations

import pytest
from graphql import build_schema, lexicographic_sort_schema, print_ast, print_schema

from schema.federation import merge, subgraph
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
    faults += [*more, *read_document(document, "").faults]
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
