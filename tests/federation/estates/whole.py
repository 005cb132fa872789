"""What concerns whole operations: shared roots, mutations in order, conditions, type names, batches, faults."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from tests.federation.estate import Case, Estate
from tests.federation.estates.writing import LINK, by, told


def _statistics() -> dict[str, Any]:
    year = {"permits": 12, "inspections": 34, "best": {"permits": 3, "inspections": 4}}
    return {"Query.statistics": {"number": 1, "permits": 100, "inspections": 200, "year": year}, "Query.yearly": [year]}


ROOTS = Estate(
    "shared_roots",
    {
        "permits": LINK
        + """
        type Query { statistics: Statistics @shareable yearly: [Year!] }
        type Statistics { number: Int @shareable permits: Int year: Year @shareable }
        type Year { permits: Int @shareable best: Best @shareable }
        type Best @shareable { permits: Int }
        """,
        "inspections": LINK
        + """
        type Query { statistics: Statistics @shareable }
        type Statistics { number: Int @shareable inspections: Int year: Year @shareable }
        type Year { permits: Int @shareable best: Best @shareable }
        type Best @shareable { permits: Int }
        """,
    },
    (
        Case("{ statistics { permits inspections } }", {"permits": 1, "inspections": 1}, title="a_share_of_each"),
        Case("{ statistics { number permits } }", {"permits": 1}, title="one_has_all"),
        Case("{ statistics { inspections year { permits best { permits } } } }", {"inspections": 1}, title="the_other_has_all"),
        Case("{ statistics { number } }", {"inspections": 1}, title="both_have_it", unlike="takes either"),
    ),
    _statistics,
)


def _ledger() -> dict[str, Any]:
    enterprises = [{"id": "e1", "name": "西湖茶业"}]
    permits = [{"number": f"{one}", "state": "APPLIED", "holder": enterprises[0]} for one in range(3)]
    return {"Permit": permits, "Enterprise": enterprises, "Total": [{"value": 5}], "Query.total": 5}


def _set(change: Any) -> Any:
    def changed(rows: Any, n: int) -> int:
        total = rows["Total"][0]
        total["value"] = change(total["value"], n)
        return int(total["value"])

    return changed


def _grant(rows: Any, number: str) -> Any:
    row = by(rows["Permit"], number=number)
    if row is not None:
        row["state"] = "GRANTED"  # type: ignore[index]
    return row


MUTATIONS = Estate(
    "mutations",
    {
        "ledger": LINK
        + """
        type Query { total: Int }
        type Mutation { add(n: Int!): Int grant(number: ID!): Permit }
        type Permit @key(fields: "number") { number: ID! state: String holder: Enterprise }
        type Enterprise @key(fields: "id", resolvable: false) { id: ID! }
        """,
        "factors": LINK
        + """
        type Mutation { multiply(n: Int!): Int }
        type Permit @key(fields: "number") { number: ID! sealed: Boolean }
        """,
        "register": LINK
        + """
        type Enterprise @key(fields: "id") { id: ID! name: String }
        """,
    },
    (
        Case("mutation { a: add(n: 1) b: multiply(n: 10) c: add(n: 3) }", {"ledger": 2, "factors": 1}, title="in_order"),
        Case("mutation { b: multiply(n: 10) a: add(n: 1) d: multiply(n: 2) }", {"ledger": 1, "factors": 2}, title="in_the_other_order"),
        Case(
            'mutation { grant(number: "1") { number state sealed holder { name } } }',
            {"ledger": 1, "factors": 1, "register": 1},
            title="and_what_it_leads_to",
        ),
        Case('mutation { grant(number: "9") { state sealed } }', {"ledger": 1}, title="nothing_to_change"),
    ),
    _ledger,
    {
        "Mutation.add": _set(lambda value, n: value + n),
        "Mutation.multiply": _set(lambda value, n: value * n),
        "Mutation.grant": _grant,
        "Permit.sealed": lambda row: row["number"] == "1",
    },
)


def _enterprises() -> dict[str, Any]:
    rows = [
        {"id": f"e{one}", "name": name, "capital": one * 100, "risk": one} for one, name in enumerate(("西湖茶业", "钱江物流", "余杭纺织"))
    ]
    return {"Enterprise": rows, "Query.enterprises": rows, "Query.inspected": rows[1:]}


THREE = {
    "register": LINK
    + """
    type Query { enterprises: [Enterprise!]! }
    type Enterprise @key(fields: "id") { id: ID! name: String capital: Int }
    """,
    "inspections": LINK
    + """
    type Query { inspected: [Enterprise!]! }
    type Enterprise @key(fields: "id") { id: ID! risk: Int }
    """,
    "fees": LINK
    + """
    type Enterprise @key(fields: "id") { id: ID! capital: Int @external fee: Int @requires(fields: "capital") }
    """,
}
FEE = {"Enterprise.fee": lambda row: told(row, "capital", lambda row: row["capital"]) // 10}

CONDITIONS = Estate(
    "conditions",
    THREE,
    (
        Case(
            "query($with: Boolean!) { enterprises { name risk @include(if: $with) } }",
            {"register": 1},
            variables={"with": False},
            title="not_included",
        ),
        Case(
            "query($with: Boolean!) { enterprises { name risk @include(if: $with) } }",
            {"register": 1, "inspections": 1},
            variables={"with": True},
            title="included",
        ),
        Case(
            "query($less: Boolean = true) { enterprises { name ... @skip(if: $less) { risk fee } } }",
            {"register": 1},
            title="skipped_by_a_default",
        ),
        Case(
            "query($a: Boolean!, $b: Boolean!) { enterprises { name fee @skip(if: $a) @include(if: $b) } }",
            {"register": 1},
            variables={"a": True, "b": True},
            title="skipped_and_included",
        ),
        Case(
            "query($a: Boolean!) { enterprises { ...All @include(if: $a) id } } fragment All on Enterprise { risk fee }",
            {"register": 1},
            variables={"a": False},
            title="a_fragment",
        ),
        Case(
            "query($a: Boolean!) { enterprises @include(if: $a) { name risk } inspected { risk } }",
            {"inspections": 1},
            variables={"a": False},
            title="a_root",
        ),
        Case("query($a: Boolean!) { enterprises @include(if: $a) { name } }", {}, variables={"a": False}, title="nothing_left"),
        Case("{ enterprises { risk @include(if: false) fee @skip(if: true) id } }", {"register": 1}, title="literals"),
    ),
    _enterprises,
    FEE,
)

TYPENAMES = Estate(
    "typenames",
    THREE,
    (
        Case("{ __typename }", {}, title="of_the_root"),
        Case("{ kind: __typename enterprises { __typename } }", {"register": 1}, title="of_a_list"),
        Case("{ inspected { __typename risk fee again: __typename } }", {"inspections": 1, "register": 1, "fees": 1}, title="on_the_way"),
        Case("{ enterprises { ... on Enterprise { t: __typename } name } }", {"register": 1}, title="in_a_fragment"),
        Case("{ __typename __schema { queryType { name } } }", {}, title="beside_introspection"),
    ),
    _enterprises,
    FEE,
)


def _network() -> dict[str, Any]:
    enterprises = [{"id": f"e{one}", "name": f"{one} 号"} for one in range(3)]
    persons = [{"id": f"p{one}", "name": f"第 {one} 人"} for one in range(2)]
    permits = [
        {
            "number": f"{one}",
            "holder": enterprises[one % 2],
            "agent": enterprises[2 - one % 3],
            "signers": [persons[one % 2], enterprises[0]],
        }
        for one in range(6)
    ]
    groups = [[enterprises[0], enterprises[1]], [], [enterprises[1], None], None]
    return {"Enterprise": enterprises, "Person": persons, "Permit": permits, "Query.permits": permits, "Query.groups": groups}


BATCHES = Estate(
    "batches",
    {
        "permits": LINK
        + """
        type Query { permits: [Permit!]! groups: [[Enterprise]] }
        type Permit @key(fields: "number") { number: ID! holder: Enterprise agent: Enterprise signers: [Signer] }
        union Signer = Person | Enterprise
        type Enterprise @key(fields: "id", resolvable: false) { id: ID! }
        type Person @key(fields: "id", resolvable: false) { id: ID! }
        """,
        "register": LINK
        + """
        type Enterprise @key(fields: "id") { id: ID! name: String }
        type Person @key(fields: "id") { id: ID! name: String }
        """,
    },
    (
        Case("{ permits { holder { name } } }", {"permits": 1, "register": 1}, representations={"register": 2}, title="each_key_once"),
        Case("{ groups { id name } }", {"permits": 1, "register": 1}, representations={"register": 2}, title="lists_of_lists"),
        Case(
            "{ permits { holder { name } agent { name } } }",
            {"permits": 1, "register": 1},
            representations={"register": 3},
            title="two_places",
            reference={"permits": 1, "register": 2},
        ),
        Case(
            "{ permits { signers { ... on Person { name } ... on Enterprise { name } } } }",
            {"permits": 1, "register": 1},
            representations={"register": 3},
            title="two_types",
        ),
        Case(
            "{ __typename permits { __typename holder { __typename name } signers { __typename } } groups { __typename } }",
            {"permits": 1, "register": 1},
            representations={"register": 2},
            title="type_names_within",
        ),
        Case(
            "{ permits { holder { name } } groups { name } }",
            {"permits": 1, "register": 1},
            representations={"register": 2},
            title="two_roots",
            reference={"permits": 1, "register": 2},
        ),
    ),
    _network,
)


def _faulty(row: Any) -> int:
    if row["id"] == "e1":
        raise GraphQLError("no such figure")
    return int(row["id"][1:])


def _part() -> dict[str, Any]:
    rows = _enterprises()
    return {**rows, "Enterprise": rows["Enterprise"]}


FAULTS = Estate(
    "faults",
    THREE,
    (
        Case("{ enterprises { name risk } }", {"register": 1, "inspections": 1}, title="one_of_a_batch"),
        Case(
            "{ enterprises { name fee risk } }",
            {"register": 1, "inspections": 1, "fees": 1},
            down=("fees",),
            denied=("Enterprise.fee",),
            errors=("enterprises.0.fee", "enterprises.1.fee", "enterprises.2.fee", "enterprises.1.risk"),
            title="one_is_down",
            unlike="one error for all rows",
        ),
        Case(
            "{ inspected { id fee } }",
            {"inspections": 1, "register": 1},
            down=("register",),
            denied=("Enterprise.fee",),
            errors=("inspected.0.fee", "inspected.1.fee"),
            title="what_is_needed_is_down",
            unlike="asks with nothing",
        ),
    ),
    _part,
    {**FEE, "Enterprise.risk": _faulty},
)

ESTATES = (ROOTS, MUTATIONS, CONDITIONS, TYPENAMES, BATCHES, FAULTS)
