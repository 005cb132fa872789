"""A supergraph that is broken or does not hold together is not served: every fault has its place."""

from __future__ import annotations

import pytest

from schema.federation.serve import composition
from schema.federation.supergraph import read
from tests.federation.estates import ESTATES

GOOD = """\
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
enum join__Graph {
  REGISTER @join__graph(name: "register", url: "http://register.example/graphql")
  CASES @join__graph(name: "cases", url: "http://cases.example/graphql")
}
type Query @join__type(graph: REGISTER) @join__type(graph: CASES) {
  enterprises: [Enterprise!]! @join__field(graph: REGISTER)
}
type Enterprise @join__type(graph: REGISTER, key: "uscc") @join__type(graph: CASES, key: "uscc") {
  uscc: ID!
  name: String @join__field(graph: REGISTER) @join__field(graph: CASES, external: true)
  cases(first: Int): [Case!] @join__field(graph: CASES, requires: "name")
}
type Case @join__type(graph: CASES) { title: String }
"""


def faults(text: str) -> list[str]:
    """``line:column CODE message`` of each, in their order."""
    return [f"{one.line}:{one.column} {one.code} {one.message}" for one in read(text, "supergraph.graphql").faults]


def test_a_good_one_has_none() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("type Case", "type Case {", "14:13 SYNTAX Syntax Error: Expected Name, found '@'."),
        ("join/v0.3", "join/v0.9", "1:57 NOT_SUPPORTED join v0.9 is not known; v0.1, v0.2, v0.3, v0.4, v0.5 are."),
        (
            "link/v1.0",
            'connect/v0.2", for: EXECUTION, x: "',
            "1:8 NOT_SUPPORTED The feature 'connect' is needed to execute this graph and is not supported.",
        ),
        ('@link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) ', "", "1:1 NO_SYSTEM This is no supergraph"),
        (
            "specs.apollo.dev/link/v1.0",
            'specs.apollo.dev/inaccessible/v0.2", for: SECURITY, as: "hidden", x: "',
            "1:8 NOT_SUPPORTED The feature 'inaccessible' has another name here.",
        ),
        (
            'specs.apollo.dev/link/v1.0"',
            'specs.apollo.dev/policy/v0.1", import: [{name: "@policy", as: "@may"}]',
            "1:8 NOT_SUPPORTED The feature 'policy' has another name here.",
        ),
        ("enum join__Graph", "enum Graph", "0:0 NO_SYSTEM The graph names no subgraphs"),
        (
            '@join__graph(name: "cases", url: "http://cases.example/graphql")',
            "",
            "4:3 NO_SYSTEM 'CASES' does not say which",
        ),
        ('name: "cases"', 'name: "register"', "4:3 SYSTEM_TWICE The subgraph 'register' is there twice."),
        (
            "type Case @join__type(graph: CASES)",
            "type Case @join__type(graph: CASE)",
            "14:11 NO_SYSTEM There is no subgraph 'CASE'.",
        ),
        ("type Case @join__type(graph: CASES)", "type Case", "14:1 INVALID_SCHEMA No subgraph has 'Case'."),
        (
            ' @join__type(graph: CASES, key: "uscc")',
            "",
            "12:30 UNKNOWN_TYPE The subgraph 'cases' does not have 'Enterprise'",
        ),
        ('REGISTER, key: "uscc"', 'REGISTER, key: "code"', "9:17 BAD_KEY 'code' does not fit 'Enterprise': Cannot query field 'code'"),
        ('REGISTER, key: "uscc"', 'REGISTER, key: "uscc {"', "9:17 BAD_KEY 'uscc {' does not fit 'Enterprise': Syntax Error"),
        ('requires: "name"', 'requires: "names"', "12:30 BAD_REQUIRE 'names' does not fit 'Enterprise': Cannot query field 'names'"),
        ('requires: "name"', 'type: "[Case"', "12:30 BAD_ARGUMENT '[Case' is no type"),
        (
            "@join__field(graph: REGISTER) @join__field(graph: CASES, external",
            "@join__field(graph: CASES, external",
            "11:3 UNREACHABLE No subgraph tells",
        ),
        ("[Case!]", "[Kase!]", "12:23 INVALID_SCHEMA Unknown type 'Kase'."),
        ("title: String", 'title: String @requiresScopes(scopes: ["a"])', "14:53 BAD_SCOPE @requiresScopes needs lists of lists."),
    ],
)
def test_each_fault_has_its_code_and_place(good: str, bad: str, said: str) -> None:
    assert good in GOOD
    found = faults(GOOD.replace(good, bad))
    assert any(one.startswith(said) for one in found), found


def test_all_faults_are_told_at_once() -> None:
    text = GOOD.replace('requires: "name"', 'requires: "names"').replace('REGISTER, key: "uscc"', 'REGISTER, key: "code"')
    assert [one.split()[1] for one in faults(text)] == ["BAD_KEY", "BAD_REQUIRE"]


def test_where_subgraphs_are_may_be_said_beside_it() -> None:
    moved = composition(GOOD, "supergraph.graphql", {"cases": "http://elsewhere.example"})
    assert moved.ok
    assert {name: system.options["url"] for name, system in moved.registry.systems.items()} == {
        "register": "http://register.example/graphql",
        "cases": "http://elsewhere.example",
    }
    nowhere = composition(GOOD.replace("http://cases.example/graphql", ""), "supergraph.graphql", {"case": "http://elsewhere.example"})
    assert [fault.message for fault in nowhere.faults] == [
        "There is no subgraph 'case' to give an address for.",
        "The supergraph does not say where 'cases' is.",
    ]


def test_what_a_caller_may_see_follows_what_it_is_made_of() -> None:
    text = GOOD.replace("  name: String", '  name: String @requiresScopes(scopes: [["names"]])')
    made = composition(text, "supergraph.graphql", {})
    assert made.registry.forbidden(frozenset({"Enterprise.name"})) == {"Enterprise.name", "Enterprise.cases"}


def test_directives_for_callers_stay_with_their_defaults() -> None:
    text = (
        GOOD + 'directive @access(level: Level = HIGH, to: [String!] = ["a"]) on FIELD\nenum Level @join__type(graph: CASES) { HIGH LOW }\n'
    )
    made = composition(text, "supergraph.graphql", {})
    assert made.ok
    found = made.schema.get_directive("access")
    assert found is not None
    assert sorted(found.args) == ["level", "to"]
    assert made.schema.get_directive("join__type") is None


def test_subscriptions_are_told_of_and_left_out() -> None:
    text = GOOD.replace("{ query: Query }", "{ query: Query subscription: News }") + (
        "type News @join__type(graph: CASES) { case: Case @join__field(graph: CASES) }\n"
    )
    made = composition(text, "supergraph.graphql", {})
    assert made.ok
    assert [fault.code for fault in made.faults] == ["NOT_SERVED"]
    assert made.schema.subscription_type is None


@pytest.mark.parametrize("estate", ESTATES, ids=lambda one: one.name)
def test_the_public_schema_is_that_of_the_reference_library(estate: object) -> None:
    """Types and fields; descriptions and the order of both aside."""
    from graphql import build_schema, lexicographic_sort_schema, print_schema

    made = read(estate.composed(), "supergraph.graphql")  # type: ignore[attr-defined]
    assert made.schema is not None
    expected = build_schema(estate.composed("api"))  # type: ignore[attr-defined]
    assert print_schema(lexicographic_sort_schema(made.schema)) == print_schema(lexicographic_sort_schema(expected))
