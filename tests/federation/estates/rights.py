"""What not everybody sees: inaccessible to all, for those who are known, who have scopes, whom a policy lets through."""

from __future__ import annotations

from typing import Any

from tests.federation.estate import Case, Estate
from tests.federation.estates.writing import LINK


def _enterprises() -> dict[str, Any]:
    rows = [
        {"id": f"e{one}", "oldNo": f"{one}", "name": name, "risk": one, "owner": {"name": "陈", "phone": f"0571-{one}"}, "kind": "OPEN"}
        for one, name in enumerate(("西湖茶业", "钱江物流"))
    ]
    return {"Enterprise": rows, "Query.enterprises": rows}


INACCESSIBLE = Estate(
    "inaccessible",
    {
        "register": LINK
        + """
        type Query { enterprises(kind: Kind, trace: String @inaccessible): [Enterprise!]! ledger: Ledger @inaccessible }
        type Enterprise @key(fields: "oldNo") @tag(name: "core") {
          oldNo: ID! @inaccessible
          name: String @tag(name: "public")
          kind: Kind
        }
        enum Kind { OPEN CLOSED HIDDEN @inaccessible }
        type Ledger @inaccessible { lines: Int }
        """,
        "inspections": LINK
        + """
        type Enterprise @key(fields: "oldNo") { oldNo: ID! @inaccessible risk: Int owner: Person }
        type Person { name: String phone: String @inaccessible @tag(name: "private") }
        """,
    },
    (
        Case("{ enterprises { name risk owner { name } } }", {"register": 1, "inspections": 1}, title="a_key_that_nobody_sees"),
        Case("{ enterprises(kind: OPEN) { kind } }", {"register": 1}, title="what_is_left_of_an_enum"),
        Case("{ enterprises { oldNo } }", {}, errors=("",), title="a_field", unlike="does not check documents"),
        Case("{ ledger { lines } }", {}, errors=("",), title="a_type", unlike="does not check documents"),
        Case("{ enterprises(kind: HIDDEN) { name } }", {}, errors=("",), title="a_value", unlike="does not check documents"),
        Case('{ enterprises(trace: "x") { name } }', {}, errors=("",), title="an_argument", unlike="does not check documents"),
        Case('{ __type(name: "Enterprise") { fields { name } } }', {}, title="what_clients_see"),
    ),
    _enterprises,
    {"Query.enterprises": lambda rows, **given: rows["Enterprise"]},
)

OTHERS = "does not know of rights"

RIGHTS = Estate(
    "rights",
    {
        "register": LINK
        + """
        type Query { enterprises: [Enterprise!]! known: [Enterprise!] @authenticated }
        type Enterprise @key(fields: "id") { id: ID! name: String owner: Person }
        type Person @requiresScopes(scopes: [["person:read"]]) { name: String phone: String @requiresScopes(scopes: [["phone:read"]]) }
        """,
        "inspections": LINK
        + """
        type Enterprise @key(fields: "id") {
          id: ID!
          risk: Int @requiresScopes(scopes: [["risk:read", "inspections"], ["risk:all"]])
          last: String @authenticated
          next: String @policy(policies: [["planning"]])
        }
        """,
    },
    (
        Case(
            "{ enterprises { name risk } }",
            {"register": 1, "inspections": 1},
            scopes=("risk:all",),
            title="one_scope_of_two_ways",
            unlike=OTHERS,
        ),
        Case(
            "{ enterprises { risk } }",
            {"register": 1, "inspections": 1},
            scopes=("risk:read", "inspections"),
            title="both_scopes",
            unlike=OTHERS,
        ),
        Case(
            "{ enterprises { name risk } }",
            {"register": 1},
            scopes=("risk:read",),
            denied=("Enterprise.risk",),
            errors=("enterprises.0.risk", "enterprises.1.risk"),
            title="half_of_the_scopes",
            unlike=OTHERS,
        ),
        Case("{ enterprises { last } }", {"register": 1, "inspections": 1}, title="known", unlike=OTHERS),
        Case(
            "{ enterprises { name last } }",
            {"register": 1},
            scopes=None,
            denied=("Enterprise.last",),
            errors=("enterprises.0.last", "enterprises.1.last"),
            title="unknown",
            unlike=OTHERS,
        ),
        Case("{ known { id } }", {}, scopes=None, denied=("Query.known",), errors=("known",), title="a_root_unknown", unlike=OTHERS),
        Case(
            "{ enterprises { name next } }",
            {"register": 1},
            denied=("Enterprise.next",),
            errors=("enterprises.0.next", "enterprises.1.next"),
            title="no_policy",
            unlike=OTHERS,
        ),
        Case("{ enterprises { next } }", {"register": 1, "inspections": 1}, scopes=("planning",), title="a_policy", unlike=OTHERS),
        Case(
            "{ enterprises { owner { name phone } } }",
            {"register": 1},
            scopes=("person:read",),
            denied=("Person.phone",),
            errors=("enterprises.0.owner.phone", "enterprises.1.owner.phone"),
            title="a_type_and_its_field",
            unlike=OTHERS,
        ),
        Case(
            "{ enterprises { id owner { name } } }",
            {"register": 1},
            scopes=("phone:read",),
            denied=("Enterprise.owner",),
            errors=("enterprises.0.owner", "enterprises.1.owner"),
            title="a_type",
            unlike=OTHERS,
        ),
    ),
    lambda: _enterprises() | {"Query.known": []},
    {"Enterprise.last": lambda row: "2026-05-01", "Enterprise.next": lambda row: "2027-05-01"},
)

ESTATES = (INACCESSIBLE, RIGHTS)
