"""Who tells a field: what is provided on the way, extensions of earlier federation, what took over from another, what several share."""

from __future__ import annotations

from typing import Any

from tests.federation.estate import Case, Estate
from tests.federation.estates.writing import LINK_20, by, told


def _holders() -> dict[str, Any]:
    seats = [{"street": "文三路", "district": "西湖区"}, {"street": "塘栖路", "district": "余杭区"}]
    persons = [{"id": "p1", "name": "陈", "phone": "0571-1"}]
    enterprises = [
        {"id": f"e{one}", "name": name, "seat": seats[one], "capital": 100 + one} for one, name in enumerate(("西湖茶业", "钱江物流"))
    ]
    permits = [{"number": f"{one}", "holder": holder} for one, holder in enumerate(enterprises)]
    parties = [*enterprises, *persons]
    return {
        "Person": persons,
        "Enterprise": enterprises,
        "Permit": permits,
        "Query.permits": permits,
        "Query.parties": parties,
        "Query.subjects": parties,
    }


def _enterprises() -> dict[str, Any]:
    rows = _holders()
    return {
        "Enterprise": rows["Enterprise"],
        "Permit": rows["Permit"],
        "Query.permits": rows["Permit"],
        "Query.enterprises": rows["Enterprise"],
    }


PROVIDES = Estate(
    "provides_nested",
    {
        "permits": LINK_20
        + """
        type Query { permits: [Permit!]! @provides(fields: "holder { name }") }
        type Permit @key(fields: "number") { number: ID! holder: Enterprise @provides(fields: "seat { district }") }
        type Enterprise @key(fields: "id") { id: ID! name: String @external seat: Seat @external }
        type Seat { district: String @external }
        """,
        "register": LINK_20
        + """
        type Query { enterprise(id: ID!): Enterprise }
        type Enterprise @key(fields: "id") { id: ID! name: String @shareable seat: Seat @shareable capital: Int }
        type Seat @shareable { district: String street: String }
        """,
    },
    (
        Case(
            "{ permits { number holder { id name seat { district } } } }",
            {"permits": 1},
            title="both_provided",
            reference={"permits": 1, "register": 1},
        ),
        Case("{ permits { number holder { id name } } }", {"permits": 1}, title="provided_from_further_up"),
        Case("{ permits { holder { name capital } } }", {"permits": 1, "register": 1}, title="part_provided"),
        Case("{ permits { holder { seat { district street } } } }", {"permits": 1, "register": 1}, title="below_what_is_provided"),
        Case('{ enterprise(id: "e1") { name seat { street } } }', {"register": 1}, title="from_the_owner"),
    ),
    _holders,
    {"Query.enterprise": lambda rows, id: by(rows["Enterprise"], id=id)},
)

PROVIDES_ABSTRACT = Estate(
    "provides_abstract",
    {
        "index": LINK_20
        + """
        type Query {
          parties: [Party!]! @provides(fields: "... on Enterprise { name } ... on Person { phone }")
          subjects: [Subject!]! @provides(fields: "... on Enterprise { name seat { street } }")
        }
        union Party = Enterprise | Person
        interface Subject { id: ID! }
        type Enterprise implements Subject @key(fields: "id") { id: ID! name: String @external seat: Seat @external }
        type Person implements Subject @key(fields: "id") { id: ID! phone: String @external }
        type Seat { street: String @external }
        """,
        "register": LINK_20
        + """
        type Enterprise @key(fields: "id") { id: ID! name: String @shareable seat: Seat @shareable capital: Int }
        type Seat @shareable { street: String }
        type Person @key(fields: "id") { id: ID! name: String phone: String @shareable }
        """,
    },
    (
        Case("{ parties { ... on Enterprise { id name } ... on Person { id phone } } }", {"index": 1}, title="members_of_a_union"),
        Case(
            "{ parties { __typename ... on Enterprise { name } ... on Person { name } } }", {"index": 1, "register": 1}, title="one_of_them"
        ),
        Case("{ subjects { id ... on Enterprise { name seat { street } } } }", {"index": 1}, title="implementations"),
        Case("{ subjects { ... on Person { phone } } }", {"index": 1, "register": 1}, title="not_provided_here"),
    ),
    _holders,
)

PROVIDES_INTERFACE = Estate(
    "provides_interface",
    {
        "index": LINK_20
        + """
        type Query { cases: [Case!]! open: [Case!]! @provides(fields: "subjects { name }") }
        type Case @key(fields: "number") { number: ID! subjects: [Subject!] @external }
        interface Subject { id: ID! name: String }
        type Enterprise implements Subject @key(fields: "id") { id: ID! name: String @external }
        type Person implements Subject @key(fields: "id") { id: ID! name: String @external }
        """,
        "register": LINK_20
        + """
        type Case @key(fields: "number") { number: ID! subjects: [Subject!] @shareable title: String }
        interface Subject { id: ID! name: String }
        type Enterprise implements Subject @key(fields: "id") { id: ID! name: String @shareable capital: Int }
        type Person implements Subject @key(fields: "id") { id: ID! name: String @shareable }
        """,
    },
    (
        Case("{ open { number subjects { __typename id name } } }", {"index": 1}, title="fields_of_the_interface"),
        Case(
            "{ open { subjects { ... on Person { name } } } }",
            {"index": 1},
            title="of_one_type",
            reference={"index": 1, "register": 1},
        ),
        Case("{ cases { subjects { name } } }", {"index": 1, "register": 1}, title="not_on_that_way"),
        Case(
            "{ open { subjects { name ... on Enterprise { capital } } } }",
            {"index": 1, "register": 1},
            representations={"register": 2},
            title="only_the_rest",
        ),
    ),
    lambda: {
        **(held := _holders()),
        "Case": (cases := [{"number": "1", "subjects": held["Query.parties"]}, {"number": "2", "subjects": held["Person"]}]),
        "Query.cases": cases,
        "Query.open": cases[:1],
    },
)

EXTENSIONS = Estate(
    "external_extensions",
    {
        "register": """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "id") { id: ID! name: String capital: Int seat: Seat }
        type Seat { street: String district: String }
        """,
        "permits": """
        extend type Query { permits: [Permit!]! }
        type Permit @key(fields: "number") { number: ID! holder: Enterprise @provides(fields: "name") }
        extend type Enterprise @key(fields: "id") {
          id: ID! @external
          name: String @external
          capital: Int @external
          fee: Int @requires(fields: "capital")
        }
        """,
        "credit": """
        type Enterprise @extends @key(fields: "id") { id: ID! @external grade: String }
        """,
    },
    (
        Case("{ permits { number holder { name } } }", {"permits": 1}, title="provided"),
        Case("{ enterprises { name fee } }", {"register": 1, "permits": 1}, title="needed"),
        Case("{ permits { holder { grade } } }", {"permits": 1, "credit": 1}, title="one_extension_to_another"),
        Case("{ permits { holder { fee grade seat { street } } } }", {"permits": 2, "credit": 1, "register": 1}, title="all_three"),
    ),
    _enterprises,
    {
        "Enterprise.fee": lambda row: told(row, "capital", lambda row: row["capital"]) // 10,
        "Enterprise.grade": lambda row: f"甲{row['id']}",
    },
)


def _risks() -> dict[str, Any]:
    rows = [{"id": f"e{one}", "name": f"{one} 号", "risk": one * 10, "region": f"3301{one:02}"} for one in range(1, 4)]
    return {"Enterprise": rows, "Query.enterprises": rows, "Query.inspected": rows[:2]}


def _old(row: Any) -> int:
    raise AssertionError("what was taken over is asked of nobody")


OVERRIDE = Estate(
    "override",
    {
        "register": LINK_20
        + """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "id") { id: ID! name: String risk: Int }
        """,
        "inspections": LINK_20
        + """
        type Query { inspected: [Enterprise!]! }
        type Enterprise @key(fields: "id") { id: ID! risk: Int @override(from: "register") }
        """,
    },
    (
        Case("{ enterprises { name risk } }", {"register": 1, "inspections": 1}, title="taken_over"),
        Case("{ inspected { risk name } }", {"inspections": 1, "register": 1}, title="at_hand"),
        Case("{ enterprises { name } }", {"register": 1}, title="the_rest_stays"),
        Case("{ inspected { risk } }", {"inspections": 1}, down=("register",), title="whom_it_was_taken_from_is_down"),
        Case(
            "{ enterprises { name risk } }",
            {"register": 1, "inspections": 1},
            down=("inspections",),
            denied=("Enterprise.risk",),
            errors=("enterprises.0.risk", "enterprises.1.risk", "enterprises.2.risk"),
            title="who_took_over_is_down",
            unlike="one error for all rows",
        ),
    ),
    _risks,
    own={"register": {"Enterprise.risk": _old}},
)

OVERRIDE_GONE = Estate(
    "override_of_a_subgraph_that_is_gone",
    {
        "register": LINK_20
        + """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "id") { id: ID! name: String }
        """,
        "inspections": LINK_20
        + """
        type Enterprise @key(fields: "id") { id: ID! risk: Int @override(from: "ledger") }
        """,
    },
    (Case("{ enterprises { name risk } }", {"register": 1, "inspections": 1}, title="as_if_never_there"),),
    _risks,
)

OVERRIDE_REQUIRES = Estate(
    "override_requires",
    {
        "register": LINK_20
        + """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "id") { id: ID! name: String region: String risk: Int office: String }
        """,
        "inspections": LINK_20
        + """
        type Enterprise @key(fields: "id") {
          id: ID! risk: Int @external
          plan: String @requires(fields: "risk")
        }
        """,
        "credit": LINK_20
        + """
        type Enterprise @key(fields: "id") {
          id: ID! region: String @external
          risk: Int @override(from: "register")
          office: String @override(from: "register") @requires(fields: "region")
        }
        """,
    },
    (
        Case("{ enterprises { plan } }", {"register": 1, "credit": 1, "inspections": 1}, title="needed_from_whom_took_over"),
        Case("{ enterprises { office } }", {"register": 1, "credit": 1}, title="taken_over_with_its_need"),
        Case("{ enterprises { office plan risk } }", {"register": 1, "credit": 1, "inspections": 1}, title="together"),
        Case("{ enterprises { plan office } }", {"register": 1, "credit": 1, "inspections": 1}, title="what_is_needed_joins_what_is_asked"),
    ),
    _risks,
    {"Enterprise.office": lambda row: f"{row['region']}-01", "Enterprise.plan": lambda row: f"{row['risk']} a year"},
    own={"register": {"Enterprise.risk": _old, "Enterprise.office": _old}},
)

OVERRIDE_MEMBERS = Estate(
    "override_of_interface_members",
    {
        "register": LINK_20
        + """
        type Query { subjects: [Subject!]! }
        interface Subject { id: ID! phone: String }
        type Enterprise implements Subject @key(fields: "id") { id: ID! name: String phone: String }
        type Person implements Subject @key(fields: "id") { id: ID! name: String phone: String }
        """,
        "contacts": LINK_20
        + """
        type Person @key(fields: "id") { id: ID! phone: String @override(from: "register") }
        """,
    },
    (
        Case("{ subjects { id phone } }", {"register": 1, "contacts": 1}, representations={"contacts": 1}, title="one_member"),
        Case("{ subjects { ... on Enterprise { phone } } }", {"register": 1}, title="the_other_stays"),
    ),
    lambda: {
        "Enterprise": (firms := [{"id": "e1", "name": "西湖茶业", "phone": "0571-1"}, {"id": "e2", "name": "钱江物流", "phone": None}]),
        "Person": (persons := [{"id": "p1", "name": "陈", "phone": "0571-2"}]),
        "Query.subjects": [*firms, *persons],
    },
    own={"register": {"Person.phone": _old}},
)

SHAREABLE = Estate(
    "shareable",
    {
        "register": LINK_20
        + """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "id") { id: ID! name: String @shareable seat: Seat @shareable capital: Int }
        type Seat @shareable { street: String }
        """,
        "permits": LINK_20
        + """
        type Query { permits: [Permit!]! }
        type Permit @key(fields: "number") { number: ID! holder: Enterprise }
        type Enterprise @key(fields: "id") { id: ID! name: String @shareable seat: Seat @shareable }
        type Seat @shareable { street: String district: String }
        """,
    },
    (
        Case("{ permits { holder { name } } }", {"permits": 1}, title="at_hand"),
        Case("{ enterprises { name seat { street } } }", {"register": 1}, title="at_hand_there"),
        Case("{ enterprises { seat { street district } } }", {"register": 1, "permits": 1}, title="part_of_a_value"),
        Case("{ permits { holder { name seat { district } capital } } }", {"permits": 1, "register": 1}, title="only_the_rest"),
    ),
    _enterprises,
)

ESTATES = (
    PROVIDES,
    PROVIDES_ABSTRACT,
    PROVIDES_INTERFACE,
    EXTENSIONS,
    OVERRIDE,
    OVERRIDE_GONE,
    OVERRIDE_REQUIRES,
    OVERRIDE_MEMBERS,
    SHAREABLE,
)
