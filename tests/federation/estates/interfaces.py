"""Entities that are known by their interface: entity interfaces, and subgraphs to which an interface is an object."""

from __future__ import annotations

from typing import Any

from tests.federation.estate import Case, Estate
from tests.federation.estates.writing import LINK

PARTIES = """
type Query { parties: [Party!]! }
interface Party @key(fields: "id") { id: ID! name: String phone: String }
type Enterprise implements Party @key(fields: "id") { id: ID! name: String phone: String capital: Int }
type Person implements Party @key(fields: "id") { id: ID! name: String phone: String born: Int }
"""


def _parties() -> dict[str, Any]:
    enterprises = [{"id": f"e{one}", "name": name, "capital": one} for one, name in enumerate(("西湖茶业", "钱江物流"))]
    persons = [{"id": "p1", "name": "陈", "born": 1980}]
    parties = [enterprises[0], *persons, enterprises[1]]
    for row in parties:
        row["phone"], row["notes"], row["flagged"] = f"0571-{row['id']}", [f"注 {row['id']}"], row is enterprises[0]
    letters = [{"number": f"{one}", "to": row} for one, row in enumerate((*parties, parties[0]))]
    return {
        "Enterprise": enterprises,
        "Person": persons,
        "Party": parties,
        "Letter": letters,
        "Query.parties": parties,
        "Query.noted": parties[:2],
        "Query.letters": letters,
    }


ENTITY = Estate(
    "entity_interface",
    {
        "register": LINK + PARTIES,
        "letters": LINK
        + """
        type Query { letters: [Letter!]! }
        type Letter @key(fields: "number") { number: ID! to: Party }
        interface Party { id: ID! }
        type Enterprise implements Party @key(fields: "id") { id: ID! }
        type Person implements Party @key(fields: "id") { id: ID! }
        """,
    },
    (
        Case("{ letters { number to { id } } }", {"letters": 1}, title="what_is_at_hand"),
        Case("{ letters { to { __typename name } } }", {"letters": 1, "register": 1}, representations={"register": 3}, title="all_types"),
        Case(
            "{ letters { to { ... on Person { born } } } }",
            {"letters": 1, "register": 1},
            representations={"register": 1},
            title="one_type",
        ),
        Case("{ parties { __typename id name ... on Enterprise { capital } } }", {"register": 1}, title="at_home"),
    ),
    _parties,
)

OBJECT = Estate(
    "interface_object",
    {
        "register": LINK + PARTIES,
        "notes": LINK
        + """
        type Query { noted: [Party!]! }
        type Party @interfaceObject @key(fields: "id") { id: ID! notes: [String!] flagged: Boolean }
        """,
    },
    (
        Case("{ parties { name notes } }", {"register": 1, "notes": 1}, representations={"notes": 3}, title="from_the_interface"),
        Case("{ parties { ... on Person { notes } } }", {"register": 1, "notes": 1}, representations={"notes": 1}, title="of_one_type"),
        Case("{ noted { id notes flagged } }", {"notes": 1}, title="without_its_type"),
        Case("{ noted { __typename notes } }", {"notes": 1, "register": 1}, title="the_type_is_asked_for"),
        Case("{ noted { notes name } }", {"notes": 1, "register": 1}, title="fields_of_the_interface"),
        Case(
            "{ noted { ... on Enterprise { capital flagged } } }",
            {"notes": 1, "register": 1},
            title="fields_of_one_type",
            reference={"notes": 2, "register": 1},
        ),
    ),
    _parties,
)

UNRESOLVABLE = Estate(
    "interface_object_unresolvable",
    {
        "register": LINK + PARTIES,
        "notes": LINK
        + """
        type Query { noted: [Party!]! }
        type Party @interfaceObject @key(fields: "id", resolvable: false) { id: ID! }
        """,
    },
    (
        Case("{ noted { id } }", {"notes": 1}, title="the_key"),
        Case("{ noted { __typename id name } }", {"notes": 1, "register": 1}, title="the_rest"),
        Case("{ parties { id name } }", {"register": 1}, title="never_asked"),
    ),
    _parties,
)

REQUIRES = Estate(
    "interface_object_requires",
    {
        "register": LINK + PARTIES,
        "notes": LINK
        + """
        type Query { noted: [Party!]! }
        type Party @interfaceObject @key(fields: "id") {
          id: ID!
          name: String @external
          phone: String @external
          greeting: String @requires(fields: "name")
          card: String @requires(fields: "name phone")
        }
        """,
    },
    (
        Case("{ parties { greeting } }", {"register": 1, "notes": 1}, title="from_the_interface"),
        Case("{ noted { greeting } }", {"notes": 2, "register": 1}, title="there_and_back"),
        Case("{ noted { name card ... on Enterprise { capital } } }", {"notes": 2, "register": 1}, title="beside_its_type"),
        Case(
            "{ noted { name greeting ... on Enterprise { card capital } } }",
            {"notes": 2, "register": 1},
            representations={"notes": 2},
            title="types_that_require_different_things",
        ),
        Case(
            "{ parties { ... on Enterprise { card } ... on Person { greeting } } }",
            {"register": 1, "notes": 1},
            representations={"notes": 3},
            title="each_type_its_own",
            unlike="does not send what one of two types requires",
        ),
    ),
    _parties,
    {"Party.greeting": lambda row: f"{row['name']} 您好", "Party.card": lambda row: f"{row['name']} {row['phone']}"},
)

INDIRECT = Estate(
    "interface_object_extended_elsewhere",
    {
        "register": LINK + PARTIES,
        "notes": LINK
        + """
        type Query { noted: [Party!]! }
        type Party @interfaceObject @key(fields: "id") { id: ID! notes: [String!] }
        """,
        "permits": LINK
        + """
        type Enterprise @key(fields: "id") { id: ID! permits: Int }
        """,
        "flags": LINK
        + """
        type Party @interfaceObject @key(fields: "id") { id: ID! flagged: Boolean }
        """,
    },
    (
        Case("{ noted { notes ... on Enterprise { permits } } }", {"notes": 1, "register": 1, "permits": 1}, title="a_type_of_a_third"),
        Case("{ noted { flagged } }", {"notes": 1, "flags": 1}, title="one_object_to_another"),
        Case("{ parties { notes flagged } }", {"register": 1, "notes": 1, "flags": 1}, title="both"),
    ),
    _parties,
    {"Enterprise.permits": lambda row: int(row["id"][1:]) * 2},
)

ESTATES = (ENTITY, OBJECT, UNRESOLVABLE, REQUIRES, INDIRECT)
