"""Three departments and a schema small enough to know by heart, and a way to ask the oracle about them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from graphql import ExecutionResult

from hub.oracle import Oracle
from tests.bound import Lies, either, items, leaf, link, lookup, obj, scan
from tests.worlds import World, world

SDL = """
scalar Decimal  scalar Date  scalar DateTime  scalar USCC
enum Status { ACTIVE REVOKED }
type Query {
  firm(uscc: USCC): Firm
  firms(first: Int, after: String, filter: FirmFilter, orderBy: [FirmOrder!]): FirmConnection
  allFirms: [Firm!]
  unserved: [Nowhere]
}
input FirmFilter { status: StatusFilter  uscc: TextFilter  oldNo: TextFilter  unbound: TextFilter  grade: TextFilter }
enum FirmOrderField { STATUS CAPITAL POINTS }
enum Direction { ASC DESC }
input FirmOrder { field: FirmOrderField! direction: Direction = ASC }
input StatusFilter { eq: Status in: [Status!] }
input TextFilter { eq: String in: [String!] }
type Nowhere { id: ID! }
type FirmConnection { edges: [FirmEdge!] nodes: [Firm!]! pageInfo: PageInfo! totalCount: Int }
type FirmEdge { cursor: String! node: Firm }
type LicenceConnection { edges: [LicenceEdge!] nodes: [Licence!]! pageInfo: PageInfo! totalCount: Int }
type LicenceEdge { cursor: String! node: Licence }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type Firm {
  uscc: USCC
  oldNo: ID
  archiveNo: ID
  name: String
  status: Status
  capital: Decimal
  founded: Date
  checkedAt: DateTime
  staff: Int
  listed: Boolean
  tags: [String!]
  sizes: [Int]
  boss: String!
  address: Address
  score: Score
  parent: Firm
  licences(first: Int, after: String): LicenceConnection
  oldest: Licence
  notes: [Note!]
  owner: Owner
  unbound: String
}
type Address { street: String town: String }
type Score { points: Int! grade: String }
type Note { text: String! at: Date }
type Licence { id: ID! title: String holder: Firm issuer: String! }
interface Named { name: String }
union Owner = Firm | Human
type Human implements Named { name: String age: Int }
"""

FIRM: dict[str, Lies | str] = {
    "uscc": "code",
    "name": "mc",
    "status": leaf("zt", values={"1": "ACTIVE", "2": "REVOKED"}),
    "capital": leaf("zb", "decimal"),
    "founded": leaf("rq", format="yyyyMMdd"),
    "checkedAt": leaf("sj", "datetime"),
    "staff": leaf("rs", "int"),
    "listed": leaf("ss"),
    "tags": leaf("bq", format="csv"),
    "sizes": leaf("gm", "json", format="json"),
    "address": obj("Address", {"street": "jd", "town": "z"}),
    "parent": obj("Firm", {"uscc": "fcode"}),
    "notes": items("bz", "Note", {"text": "t", "at": "a"}),
    "owner": either("lx", {"f": ("Firm", {"uscc": "ocode"}), "h": ("Human", {"name": "xm", "age": "nl"})}),
}
ROWS: dict[str, dict[str, list[dict[str, Any]]]] = {
    "register": {
        "Firm": [
            {"code": "A", "mc": "甲", "zt": "1", "zb": Decimal("12.50"), "rq": "20200131", "rs": "7", "ss": "是", "bq": "x, y"},
            {"code": "B", "mc": "乙", "zt": "2", "fcode": "A", "jd": "1 路", "lx": "h", "xm": "张", "nl": 40},
            {"code": "C", "mc": "丙", "zt": "1", "lx": "f", "ocode": "A", "bz": [{"t": "n", "a": "2020-01-01"}, {"t": None}]},
        ]
    },
    "credit": {
        "Firm": [{"code": "A", "p": 88, "g": "优", "no": "a1"}, {"code": "B", "p": None, "g": None, "no": None}],
        "Archive": [{"old": "a1", "arch": "z9"}],
    },
    "library": {
        "Licence": [
            {"id": "L3", "t": "three", "czr": "A", "by": "x"},
            {"id": "L1", "t": "one", "czr": "A", "by": "x"},
            {"id": "L2", "t": "two", "czr": "A", "by": None},
            {"id": "L9", "t": "nine", "czr": "B", "by": "x"},
        ]
    },
}


def small(**changes: Any) -> World:
    licence: dict[str, Lies | str] = {"id": "id", "title": "t", "issuer": "by", "holder": obj("Firm", {"uscc": "czr"})}
    bindings = [
        lookup("register", "Firm", "uscc", FIRM, anchor=True),
        scan("register", "Firm", FIRM),
        lookup("credit", "Firm", "uscc", {"uscc": "code", "oldNo": "no", "score": obj("Score", {"points": "p", "grade": "g"})}),
        lookup("credit", "Firm", "oldNo", {"oldNo": "old", "archiveNo": "arch"}, rows="Archive"),
        link("library", "Firm.licences", "Licence", {"uscc": "czr"}, licence),
        link("library", "Firm.oldest", "Licence", {"archiveNo": "arch"}, licence, many=False),
    ]
    rows = {system: {name: [dict(row) for row in some] for name, some in tables.items()} for system, tables in ROWS.items()}
    for system, tables in changes.items():
        rows[system].update(tables)
    return world(
        SDL,
        bindings,
        rows,
        keys={"Firm": ("uscc", "oldNo"), "Licence": ("id",)},
        roots={"Query.firm": ("Firm", {"uscc": "uscc"})},
        orders={"FirmOrder": {"STATUS": "status", "CAPITAL": "capital", "POINTS": "score.points"}},
        filters={"FirmFilter": {n: n for n in ("status", "uscc", "oldNo", "unbound")} | {"grade": "score.grade"}},
    )


async def ask(asked: World, document: str, variables: dict[str, Any] | None = None, denied: set[str] | None = None) -> ExecutionResult:
    return await Oracle(asked.schema, asked.registry, asked.connectors).execute(document, variables, denied=frozenset(denied or ()))


def errors(result: ExecutionResult) -> list[tuple[str, str]]:
    return sorted((".".join(map(str, error.path or ())), (error.extensions or {})["code"]) for error in result.errors or [])
