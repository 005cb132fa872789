"""Fields that need others of their entity first: nested, with arguments, in fragments, one after the other, to and fro."""

from __future__ import annotations

from typing import Any

from tests.federation.estate import Case, Estate
from tests.federation.estates.writing import LINK_27, told

RATES = {"CNY": 1, "JPY": 20}
MIXED = "asks for one of two amounts and takes it for both"


def _money(row: Any) -> int:
    return int(row["money"])


def _score(row: Any) -> int:
    return int(row["capital"] or 0) // 10 + 1


def _frequency(row: Any) -> int:
    return 12 - int(told(row, "score", _score)) % 12


def _seal(row: Any) -> str:
    return f"印({row['number']})"


def _sealed(row: Any) -> str:
    return f"[{told(row, 'seal', _seal)}]"


def _enterprises(**columns: Any) -> dict[str, Any]:
    rows = [{"uscc": f"91330000{letter}", "name": name} for letter, name in (("A", "西湖茶业"), ("B", "钱江物流"), ("C", "余杭纺织"))]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return {"Enterprise": rows, "Query.enterprises": rows}


def _nested() -> dict[str, Any]:
    seats = [{"street": "文三路", "district": {"code": code, "name": name}} for code, name in (("330106", "西湖区"), ("330110", "余杭区"))]
    return _enterprises(seat=[*seats, None], employees=[12, 300, 7])


NESTED = Estate(
    "requires_nested",
    {
        "register": LINK_27
        + """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "uscc") { uscc: ID! name: String employees: Int seat: Seat }
        type Seat { street: String district: District }
        type District { code: ID! name: String }
        """,
        "inspections": LINK_27
        + """
        type Enterprise @key(fields: "uscc") {
          uscc: ID!
          employees: Int @external
          seat: Seat @external
          office: String @requires(fields: "seat { district { code } }")
          plan: String @requires(fields: "employees seat { district { code } street }")
        }
        type Seat { street: String @external district: District @external }
        type District { code: ID! @external }
        """,
    },
    (
        Case("{ enterprises { office } }", {"register": 1, "inspections": 1}, representations={"inspections": 3}, title="hidden"),
        Case("{ enterprises { name seat { district { name } } office plan } }", {"register": 1, "inspections": 1}, title="beside_its_own"),
        Case("{ enterprises { uscc seat { street } } }", {"register": 1}, title="not_asked_for"),
    ),
    _nested,
    {
        "Enterprise.office": lambda row: row["seat"] and f"{row['seat']['district']['code']}-01",
        "Enterprise.plan": lambda row: row["seat"] and f"{row['employees']} {row['seat']['street']} {row['seat']['district']['code']}",
    },
)

ARGUMENTS = Estate(
    "requires_arguments",
    {
        "register": LINK_27
        + """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "uscc") { uscc: ID! name: String capital(currency: String!): Int }
        """,
        "licences": LINK_27
        + """
        type Enterprise @key(fields: "uscc") {
          uscc: ID!
          capital(currency: String!): Int @external
          fee: Int @requires(fields: "capital(currency: \\"CNY\\")")
          surcharge(percent: Int!): Int @requires(fields: "capital(currency: \\"CNY\\")")
        }
        """,
    },
    (
        Case("{ enterprises { fee } }", {"register": 1, "licences": 1}, title="hidden"),
        Case(
            '{ enterprises { capital(currency: "JPY") fee surcharge(percent: 5) more: surcharge(percent: 50) } }',
            {"register": 1, "licences": 1},
            title="beside_other_arguments",
            unlike=MIXED,
        ),
        Case(
            "query($currency: String!) { enterprises { capital(currency: $currency) fee } }",
            {"register": 1, "licences": 1},
            variables={"currency": "CNY"},
            title="beside_a_variable",
        ),
    ),
    lambda: _enterprises(money=[100, 200, 300]),
    {
        "Enterprise.capital": lambda row, currency: row["money"] * RATES[currency],
        "Enterprise.fee": lambda row: told(row, "capital", _money) // 10,
        "Enterprise.surcharge": lambda row, percent: told(row, "capital", _money) * percent // 100,
    },
)


CONFLICT = Estate(
    "requires_arguments_conflict",
    {
        "register": LINK_27
        + """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "uscc") { uscc: ID! capital(currency: String!): Int }
        """,
        "licences": LINK_27
        + """
        type Enterprise @key(fields: "uscc") {
          uscc: ID!
          capital(currency: String!): Int @external
          feeHere: Int @requires(fields: "capital(currency: \\"CNY\\")")
          feeThere: Int @requires(fields: "capital(currency: \\"JPY\\")")
        }
        """,
    },
    (
        Case("{ enterprises { feeHere feeThere } }", {"register": 1, "licences": 1}, title="two_values_of_one_field", unlike=MIXED),
        Case('{ enterprises { feeThere capital(currency: "CNY") } }', {"register": 1, "licences": 1}, title="one_of_them", unlike=MIXED),
    ),
    lambda: _enterprises(money=[100, 200, 300]),
    {
        "Enterprise.capital": lambda row, currency: row["money"] * RATES[currency],
        "Enterprise.feeHere": lambda row: told(row, "capital", _money),
        "Enterprise.feeThere": lambda row: told(row, "capital", lambda row: row["money"] * RATES["JPY"]),
    },
)


def _fragments() -> dict[str, Any]:
    persons = [{"token": "p1", "risk": 3}, {"token": "p2", "risk": None}]
    enterprises = [{"uscc": "91330000A", "grade": "甲"}]
    permits = [{"id": f"{number}", "holder": holder} for number, holder in enumerate((*persons, *enterprises, None))]
    return {"Person": persons, "Enterprise": enterprises, "Permit": permits, "Query.permits": permits}


FRAGMENTS = Estate(
    "requires_fragments",
    {
        "permits": LINK_27
        + """
        type Query { permits: [Permit!]! }
        type Permit @key(fields: "id") { id: ID! holder: Holder }
        union Holder = Person | Enterprise
        type Person { token: ID! risk: Int }
        type Enterprise { uscc: ID! grade: String }
        """,
        "inspections": LINK_27
        + """
        type Permit @key(fields: "id") {
          id: ID!
          holder: Holder @external
          frequency: String @requires(fields: "holder { ... on Person { risk } ... on Enterprise { grade } }")
          kind: String @requires(fields: "holder { __typename }")
        }
        union Holder = Person | Enterprise
        type Person { risk: Int @external }
        type Enterprise { grade: String @external }
        """,
    },
    (
        Case("{ permits { id frequency } }", {"permits": 1, "inspections": 1}, representations={"inspections": 4}, title="by_type"),
        Case("{ permits { kind holder { ... on Person { token } } } }", {"permits": 1, "inspections": 1}, title="only_the_type"),
    ),
    _fragments,
    {
        "Permit.frequency": lambda row: row["holder"] and f"{row['holder'].get('risk')} {row['holder'].get('grade')}",
        "Permit.kind": lambda row: row["holder"] and row["holder"]["__typename"],
    },
)

CHAIN = Estate(
    "requires_chain",
    {
        "register": LINK_27
        + """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "uscc") { uscc: ID! name: String capital: Int }
        """,
        "credit": LINK_27
        + """
        type Enterprise @key(fields: "uscc") {
          uscc: ID!
          capital: Int @external
          score: Int @requires(fields: "capital")
          bonus: Int
        }
        """,
        "inspections": LINK_27
        + """
        type Enterprise @key(fields: "uscc") {
          uscc: ID!
          score: Int @external
          frequency: Int @requires(fields: "score")
        }
        """,
        "fees": LINK_27
        + """
        type Enterprise @key(fields: "uscc") {
          uscc: ID!
          frequency: Int @external
          score: Int @external
          fee: Int @requires(fields: "frequency score")
        }
        """,
    },
    (
        Case("{ enterprises { fee } }", {"register": 1, "credit": 1, "inspections": 1, "fees": 1}, title="all_of_it"),
        Case("{ enterprises { frequency } }", {"register": 1, "credit": 1, "inspections": 1}, title="two_links"),
        Case("{ enterprises { bonus score } }", {"register": 1, "credit": 1}, title="beside_what_needs_nothing"),
        Case("{ enterprises { bonus } }", {"register": 1, "credit": 1}, title="nothing_needed"),
    ),
    lambda: _enterprises(capital=[100, None, 300], bonus=[1, 2, 3]),
    {
        "Enterprise.score": _score,
        "Enterprise.frequency": _frequency,
        "Enterprise.fee": lambda row: told(row, "frequency", _frequency) * 100 + told(row, "score", _score),
    },
)


CIRCLE = Estate(
    "requires_circle",
    {
        "permits": LINK_27
        + """
        type Query { permits: [Permit!]! }
        type Permit @key(fields: "id") {
          id: ID!
          number: String
          seal: String @external
          sealed: String @requires(fields: "seal")
        }
        """,
        "seals": LINK_27
        + """
        type Permit @key(fields: "id") {
          id: ID!
          number: String @external
          sealed: String @external
          seal: String @requires(fields: "number")
          archived: String @requires(fields: "sealed")
        }
        """,
    },
    (
        Case("{ permits { sealed } }", {"permits": 2, "seals": 1}, title="there_and_back"),
        Case(
            "{ permits { archived } }",
            {"permits": 2, "seals": 2},
            title="and_there_again",
            unlike="asks for sealed at once, without its seal",
        ),
        Case("{ permits { number seal } }", {"permits": 1, "seals": 1}, title="there"),
    ),
    lambda: {"Permit": (rows := [{"id": one, "number": f"浙-{one}"} for one in "123"]), "Query.permits": rows},
    {
        "Permit.seal": _seal,
        "Permit.sealed": _sealed,
        "Permit.archived": lambda row: f"档 {told(row, 'sealed', _sealed)}",
    },
)


def _interfaces() -> dict[str, Any]:
    persons = [{"id": "p1", "name": "陈", "risk": 2, "born": 1980}]
    enterprises = [{"id": "e1", "name": "西湖茶业", "risk": 5, "grade": "甲"}]
    subjects = [*persons, *enterprises]
    rows = [{"id": f"{number}", "subject": one} for number, one in enumerate(subjects)]
    return {"Person": persons, "Enterprise": enterprises, "Case": rows, "Query.subjects": subjects, "Query.cases": rows}


INTERFACES = Estate(
    "requires_interface",
    {
        "register": LINK_27
        + """
        type Query { subjects: [Subject!]! cases: [Case!]! }
        interface Subject { id: ID! name: String risk: Int }
        type Person implements Subject @key(fields: "id") { id: ID! name: String risk: Int born: Int }
        type Enterprise implements Subject @key(fields: "id") { id: ID! name: String risk: Int grade: String }
        type Case @key(fields: "id") { id: ID! subject: Subject }
        """,
        "inspections": LINK_27
        + """
        interface Subject { id: ID! risk: Int frequency: String }
        type Person implements Subject @key(fields: "id") {
          id: ID! risk: Int @external born: Int @external frequency: String @requires(fields: "risk born")
        }
        type Enterprise implements Subject @key(fields: "id") {
          id: ID! risk: Int @external grade: String @external frequency: String @requires(fields: "risk grade")
        }
        type Case @key(fields: "id") {
          id: ID!
          subject: Subject @external
          urgency: String @requires(fields: "subject { id risk }")
          notice: String @requires(fields: "subject { ... on Person { born } ... on Enterprise { grade } }")
        }
        """,
    },
    (
        Case("{ subjects { name frequency } }", {"register": 1, "inspections": 1}, title="each_its_own"),
        Case("{ subjects { ... on Person { frequency } } }", {"register": 1, "inspections": 1}, title="one_of_them"),
        Case("{ cases { urgency } }", {"register": 1, "inspections": 1}, title="through_a_field"),
        Case("{ cases { notice } }", {"register": 1, "inspections": 1}, representations={"inspections": 2}, title="fragments_on_its_types"),
    ),
    _interfaces,
    {
        "Person.frequency": lambda row: f"{row['risk']} {row['born']}",
        "Enterprise.frequency": lambda row: f"{row['risk']} {row['grade']}",
        "Case.urgency": lambda row: f"{row['subject']['id']} {row['subject']['risk']}",
        "Case.notice": lambda row: f"{row['subject'].get('born')} {row['subject'].get('grade')}",
    },
)


def _elsewhere() -> dict[str, Any]:
    owners = [{"token": "p1", "risk": 3, "name": "陈"}, {"token": "p2", "risk": 9, "name": "林"}]
    return {"Person": owners, **_enterprises(owner=[owners[0], owners[1], None])}


ELSEWHERE = Estate(
    "requires_of_another_entity",
    {
        "register": LINK_27
        + """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "uscc") { uscc: ID! owner: Person }
        type Person @key(fields: "token") { token: ID! name: String }
        """,
        "persons": LINK_27
        + """
        type Person @key(fields: "token") { token: ID! risk: Int }
        """,
        "inspections": LINK_27
        + """
        type Enterprise @key(fields: "uscc") {
          uscc: ID! owner: Person @external frequency: String @requires(fields: "owner { risk }")
        }
        type Person @key(fields: "token", resolvable: false) { token: ID! risk: Int @external }
        """,
    },
    (
        Case(
            "{ enterprises { frequency } }", {"register": 1, "persons": 1, "inspections": 1}, representations={"persons": 2}, title="hidden"
        ),
        Case("{ enterprises { owner { name } frequency } }", {"register": 1, "persons": 1, "inspections": 1}, title="beside_its_own"),
    ),
    _elsewhere,
    {"Enterprise.frequency": lambda row: row["owner"] and f"{row['owner']['risk']} a year"},
)

ESTATES = (NESTED, ARGUMENTS, CONFLICT, FRAGMENTS, CHAIN, CIRCLE, INTERFACES, ELSEWHERE)
