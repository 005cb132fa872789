"""How entities are found: keys that are compound, nested, several, null, or of no use to ask by."""

from __future__ import annotations

from typing import Any

from tests.federation.estate import Case, Estate
from tests.federation.estates.writing import LINK_20, by

ENTERPRISES = [("91330000A", "西湖茶业"), ("91330000B", "钱江物流"), ("91330000C", "余杭纺织")]


def _compound() -> dict[str, Any]:
    permits = [
        {"authority": code, "number": number, "title": title, "fee": fee}
        for code, number, title, fee in (("HZ", "1", "食品经营", 10), ("NB", "1", "危化品", 20), ("HZ", "2", "印刷", 30))
    ]
    return {"Permit": permits, "Query.permits": permits}


COMPOUND = Estate(
    "key_compound",
    {
        "permits": LINK_20
        + """
        type Query { permits: [Permit!]! }
        type Permit @key(fields: "authority number") { authority: ID! number: ID! title: String }
        """,
        "fees": LINK_20
        + """
        type Permit @key(fields: "authority number") { authority: ID! number: ID! fee: Int }
        """,
    },
    (
        Case("{ permits { title fee } }", {"permits": 1, "fees": 1}, representations={"fees": 3}),
        Case("{ permits { authority title } }", {"permits": 1}, title="key_and_title"),
    ),
    _compound,
)


def _nested() -> dict[str, Any]:
    regions = (("330106", "西湖区", 12), ("330110", "余杭区", 7))
    offices = [{"code": "A1", "region": {"code": code, "name": name}, "staff": staff} for code, name, staff in regions]
    return {"Office": offices, "Query.offices": offices}


NESTED = Estate(
    "key_nested",
    {
        "offices": LINK_20
        + """
        type Query { offices: [Office!]! }
        type Office @key(fields: "code region { code }") { code: ID! region: Region! }
        type Region { code: ID! @shareable name: String }
        """,
        "staffing": LINK_20
        + """
        type Office @key(fields: "code region { code }") { code: ID! region: Region! staff: Int }
        type Region { code: ID! @shareable }
        """,
    },
    (
        Case("{ offices { code region { name } staff } }", {"offices": 1, "staffing": 1}, representations={"staffing": 2}),
        Case("{ offices { staff } }", {"offices": 1, "staffing": 1}, title="key_not_asked_for"),
    ),
    _nested,
)


def _several() -> dict[str, Any]:
    rows = [
        {"uscc": uscc, "oldNo": f"{number}", "archiveNo": f"D{number}", "name": name, "boxes": number}
        for number, (uscc, name) in enumerate(ENTERPRISES, 1)
    ]
    return {"Enterprise": rows, "Query.enterprises": rows}


SEVERAL = Estate(
    "key_several",
    {
        "register": LINK_20
        + """
        type Query { enterprises: [Enterprise!]! }
        type Enterprise @key(fields: "uscc") { uscc: ID! name: String }
        """,
        "numbers": LINK_20
        + """
        type Enterprise @key(fields: "uscc") @key(fields: "oldNo") { uscc: ID! oldNo: ID! }
        """,
        "archive": LINK_20
        + """
        type Enterprise @key(fields: "oldNo") @key(fields: "archiveNo") { oldNo: ID! archiveNo: ID! boxes: Int }
        """,
    },
    (
        Case("{ enterprises { name boxes } }", {"register": 1, "numbers": 1, "archive": 1}, title="two_hops"),
        Case("{ enterprises { name oldNo } }", {"register": 1, "numbers": 1}, title="one_hop"),
        Case("{ enterprises { archiveNo } }", {"register": 1, "numbers": 1, "archive": 1}, title="a_key_at_the_end"),
    ),
    _several,
)


def _unresolvable() -> dict[str, Any]:
    rows = [{"uscc": uscc, "name": name} for uscc, name in ENTERPRISES]
    inspections = [{"id": f"{number}", "enterprise": row} for number, row in enumerate((*rows, rows[0]))]
    return {"Enterprise": rows, "Inspection": inspections, "Query.inspections": inspections}


UNRESOLVABLE = Estate(
    "key_unresolvable",
    {
        "inspections": LINK_20
        + """
        type Query { inspections: [Inspection!]! }
        type Inspection @key(fields: "id") { id: ID! enterprise: Enterprise }
        type Enterprise @key(fields: "uscc", resolvable: false) { uscc: ID! }
        """,
        "register": LINK_20
        + """
        type Query { enterprise(uscc: ID!): Enterprise }
        type Enterprise @key(fields: "uscc") { uscc: ID! name: String }
        """,
    },
    (
        Case(
            "{ inspections { id enterprise { uscc name } } }",
            {"inspections": 1, "register": 1},
            representations={"register": 3},
            title="there",
        ),
        Case("{ inspections { enterprise { uscc } } }", {"inspections": 1}, title="the_key_is_there_already"),
        Case('{ enterprise(uscc: "91330000B") { uscc name } }', {"register": 1}, title="never_back"),
    ),
    _unresolvable,
    {"Query.enterprise": lambda rows, uscc: by(rows["Enterprise"], uscc=uscc)},
)


def _null_keys() -> dict[str, Any]:
    persons = [{"token": "p1", "name": "陈"}, {"token": None, "name": None}, {"token": "p2", "name": "林"}]
    permits = [
        {"id": "1", "holder": persons[0]},
        {"id": "2", "holder": persons[1]},
        {"id": "3", "holder": None},
        {"id": "4", "holder": persons[2]},
    ]
    return {"Person": persons, "Permit": permits, "Query.permits": permits}


NULL_KEYS = Estate(
    "null_keys",
    {
        "permits": LINK_20
        + """
        type Query { permits: [Permit!]! }
        type Permit @key(fields: "id") { id: ID! holder: Person }
        type Person @key(fields: "token", resolvable: false) { token: ID }
        """,
        "persons": LINK_20
        + """
        type Person @key(fields: "token") { token: ID name: String }
        """,
    },
    (
        Case(
            "{ permits { id holder { token name } } }",
            {"permits": 1, "persons": 1},
            representations={"persons": 2},
            unlike="sends the null, and one error empties all names",
        ),
    ),
    _null_keys,
)

BESIDE = Estate(
    "keys_of_another_view",
    {
        "counter": LINK_20
        + """
        type Query { latest: Permit @shareable permits: [Permit!]! @shareable }
        type Permit { title: String @shareable counter: Int }
        """,
        "permits": LINK_20
        + """
        type Query { latest: Permit @shareable permits: [Permit!]! @shareable }
        type Permit @key(fields: "number") { number: ID! title: String @shareable }
        """,
        "fees": LINK_20
        + """
        type Permit @key(fields: "number") { number: ID! fee: Int }
        """,
    },
    (
        Case("{ latest { title fee } }", {"permits": 1, "fees": 1}, title="from_where_the_rest_is_had"),
        Case("{ latest { title counter } }", {"counter": 1}, title="from_where_all_is_had"),
        Case("{ latest { counter fee } }", {"counter": 1, "permits": 1, "fees": 1}, title="one_has_no_key_and_another_has"),
        Case(
            "{ permits { counter fee number } }",
            {"counter": 1, "permits": 1, "fees": 1},
            representations={"fees": 3},
            title="element_by_element",
        ),
    ),
    lambda: {
        "Permit": (rows := [{"number": f"{at}", "title": f"许可 {at}", "counter": at, "fee": at * 10} for at in range(3)]),
        "Query.permits": rows,
        "Query.latest": rows[2],
    },
)

ESTATES = (COMPOUND, NESTED, SEVERAL, UNRESOLVABLE, NULL_KEYS, BESIDE)
