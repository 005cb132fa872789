"""Types that are not the same in every subgraph: enums, inputs, unions, nullability, arguments."""

from __future__ import annotations

from typing import Any

from tests.federation.estate import Case, Estate
from tests.federation.estates.writing import LINK, by


def _enterprises() -> dict[str, Any]:
    rows = [
        {"id": f"e{one}", "name": name, "status": status, "count": one}
        for one, (name, status) in enumerate((("西湖茶业", "OPEN"), ("钱江物流", "CLOSED"), ("余杭纺织", "OPEN")))
    ]
    return {"Enterprise": rows, "Query.enterprises": rows, "Query.all": rows}


ENUMS = Estate(
    "enum_intersection",
    {
        "register": LINK
        + """
        type Query { enterprises(status: Wanted): [Enterprise!]! }
        type Enterprise @key(fields: "id") { id: ID! name: String status: Status }
        enum Status { OPEN CLOSED }
        enum Wanted { OPEN CLOSED MOVED }
        """,
        "permits": LINK
        + """
        type Enterprise @key(fields: "id") { id: ID! permits(of: Wanted): Int was: Status }
        enum Status { SUSPENDED CLOSED }
        enum Wanted { OPEN CLOSED SUSPENDED }
        """,
    },
    (
        Case("{ enterprises { status was } }", {"register": 1, "permits": 1}, title="all_values_come_out"),
        Case("{ enterprises(status: OPEN) { name permits(of: CLOSED) } }", {"register": 1, "permits": 1}, title="common_values_go_in"),
        Case(
            "query($wanted: Wanted) { enterprises(status: $wanted) { permits(of: $wanted) } }",
            {"register": 1, "permits": 1},
            variables={"wanted": "OPEN"},
            title="in_a_variable",
        ),
        Case('{ __type(name: "Wanted") { enumValues { name } } }', {}, title="what_clients_see"),
    ),
    _enterprises,
    {
        "Query.enterprises": lambda rows, status=None: [row for row in rows["Enterprise"] if status in (None, row["status"])],
        "Enterprise.permits": lambda row, of=None: len(of or ""),
        "Enterprise.was": lambda row: "SUSPENDED" if row["id"] == "e0" else "CLOSED",
    },
)

INPUTS = Estate(
    "input_intersection",
    {
        "register": LINK
        + """
        type Query { enterprises(filter: Filter): [Enterprise!]! }
        type Enterprise @key(fields: "id") { id: ID! name: String }
        input Filter { first: Int = 2 since: String district: String }
        """,
        "permits": LINK
        + """
        type Query { permitted(filter: Filter!): [Enterprise!]! }
        type Enterprise @key(fields: "id") { id: ID! permits(filter: Filter): Int }
        input Filter { first: Int! = 2 item: String district: String }
        """,
    },
    (
        Case("{ enterprises(filter: {first: 1}) { name permits(filter: {first: 7}) } }", {"register": 1, "permits": 1}, title="literals"),
        Case(
            "query($filter: Filter!) { permitted(filter: $filter) { name permits(filter: $filter) } }",
            {"permits": 1, "register": 1},
            variables={"filter": {"first": 2, "district": "330106"}},
            title="a_variable",
        ),
        Case('{ __type(name: "Filter") { inputFields { name } } }', {}, title="what_clients_see"),
    ),
    _enterprises,
    {
        "Query.enterprises": lambda rows, filter=None: rows["Enterprise"][: (filter or {}).get("first")],
        "Query.permitted": lambda rows, filter=None: rows["Enterprise"][: (filter or {}).get("first")],
        "Enterprise.permits": lambda row, filter=None: (filter or {}).get("first"),
    },
)


def _reports() -> dict[str, Any]:
    licence, permit = {"__typename": "Licence", "title": "执照"}, {"__typename": "Permit", "title": "许可", "number": "1"}
    rows = [{"id": "r1", "about": licence, "attached": [licence]}, {"id": "r2", "about": licence, "attached": [licence, permit]}]
    return {"Report": rows, "Query.report": rows[0], "Query.latest": rows[1], "Query.reports": rows}


UNIONS = Estate(
    "union_differs",
    {
        "register": LINK
        + """
        type Query { report: Report @shareable reports: [Report!]! }
        type Report @key(fields: "id") { id: ID! about: Subject @shareable }
        union Subject = Licence
        type Licence @shareable { title: String }
        """,
        "permits": LINK
        + """
        type Query { report: Report @shareable latest: Report }
        type Report @key(fields: "id") { id: ID! about: Subject @shareable attached: [Subject!] }
        union Subject = Licence | Permit
        type Licence @shareable { title: String }
        type Permit { title: String number: ID! }
        """,
    },
    (
        Case("{ reports { about { __typename ... on Licence { title } } } }", {"register": 1}, title="known_to_both"),
        Case("{ reports { about { ... on Licence { title } ... on Permit { number } } } }", {"register": 1}, title="unknown_to_one"),
        Case("{ latest { attached { __typename ... on Permit { title } ... on Licence { title } } } }", {"permits": 1}, title="the_wider"),
        Case("{ reports { about { ... on Permit { number } } attached { ... on Permit { number } } } }", {"permits": 1, "register": 1}),
    ),
    _reports,
)


def _members() -> dict[str, Any]:
    persons, enterprises = [{"id": "p1", "name": "陈", "code": "1"}], [{"id": "e1", "name": None, "code": None}]
    parties = [*persons, *enterprises]
    return {"Person": persons, "Enterprise": enterprises, "Query.parties": parties, "Query.subjects": parties}


CHILDREN = Estate(
    "child_types_differ",
    {
        "register": LINK
        + """
        type Query { parties: [Party!]! }
        union Party = Person | Enterprise
        type Person @key(fields: "id") { id: ID! name: String! @shareable code: ID! @shareable }
        type Enterprise @key(fields: "id") { id: ID! name: String @shareable code: ID @shareable }
        """,
        "index": LINK
        + """
        type Query { subjects: [Subject!]! }
        interface Subject { name: String }
        type Person implements Subject @key(fields: "id") { id: ID! name: String @shareable code: ID @shareable height: Int }
        type Enterprise implements Subject @key(fields: "id") { id: ID! name: String @shareable code: ID @shareable height: Float }
        """,
    },
    (
        Case("{ parties { ... on Person { id name code } ... on Enterprise { id code name } } }", {"register": 1}, title="of_one_name"),
        Case("{ subjects { name ... on Person { tall: height } ... on Enterprise { high: height } } }", {"index": 1}, title="of_two_names"),
        Case("{ parties { ... on Person { height } } }", {"register": 1, "index": 1}, title="from_the_other"),
        Case(
            "{ parties { ... on Enterprise { h: height } ... on Person { name } } }",
            {"register": 1, "index": 1},
            title="other_fields_of_the_other",
        ),
    ),
    _members,
    {"Person.height": lambda row: 175, "Enterprise.height": lambda row: 12.5},
)

ARGUMENTS = Estate(
    "arguments_differ",
    {
        "register": LINK
        + """
        type Query { enterprise(id: ID!, asOf: String): Enterprise @shareable }
        type Enterprise @key(fields: "id") { id: ID! name(short: Boolean): String @shareable }
        """,
        "index": LINK
        + """
        type Query { enterprise(id: ID!): Enterprise @shareable }
        type Enterprise @key(fields: "id") { id: ID! name: String @shareable count(from: Int! = 1): Int }
        """,
    },
    (
        Case('{ enterprise(id: "e1") { name count(from: 5) } }', {"index": 1}, title="common_arguments"),
        Case('{ enterprise(id: "e2") { count more: count(from: 7) } }', {"index": 1}, title="defaults"),
        Case('{ enterprise(id: "no") { name } }', {"index": 1}, title="nobody"),
    ),
    _enterprises,
    {
        "Query.enterprise": lambda rows, id: by(rows["Enterprise"], id=id),
        "Enterprise.count": lambda row, **given: row["count"] + given["from"],
    },
)

ESTATES = (ENUMS, INPUTS, UNIONS, CHILDREN, ARGUMENTS)
