"""Columns that are always there, and rows that lack them: an error where a renamed column would otherwise look like one that is empty."""

from __future__ import annotations

from typing import Any

from schema.identifiers import complete_uscc, organisation_code
from tests.nasty.asking import Told, ask
from tests.schema.small import canonical
from tests.worlds import World, composed

A, B, C, D = (complete_uscc(f"91330100{organisation_code(f'MA2{i:05d}')}") for i in range(4))
TEXT = """
extend schema @system(name: "shops", title: "店铺系统", owner: "省商务厅") @python(connector: "memory")
type Query {
  byUscc(uscc: USCC! @is(field: "uscc")): Shop @lookup @field(name: "byUscc", batch: {by: "uscc", match: "code"})
  byNo(no: ID! @is(field: "permitNo")): Permit @lookup @field(name: "byNo", batch: {by: "no", match: "zh"})
  shops: [Shop!] @field(name: "shops")
}
type Shop @key(fields: "uscc") @entity(existence: ANCHOR, coverage: COMPLETE) {
  uscc: USCC! @from(path: "code")
  name: String @from(path: "mc", always: true)
  capital: Decimal @from(path: "zb.je", always: true)
  state: State @from(path: "zt")
  place: Place @from(path: "dz")
  tags: [String!] @from(path: "bq", always: true)
  main: Permit @from(expr: "{permitNo: zzh}", always: true)
}
type Place { street: String @from(path: "jd", always: true)  opened: Date @from(path: "rq") }
enum State { OPEN @from(path: "1")  SHUT @from(path: "2") }
type Permit @key(fields: "permitNo") { permitNo: ID! @from(path: "zh")  title: String @from(path: "bt") }
extend type Shop {
  "历次地点\\nFormer places"
  former: [Place!] @from(path: "lc", always: true) @grade(level: L1)
}
"""
WHOLE = {
    "code": A, "mc": "甲", "zb": {"je": "1.5"}, "zt": "1", "dz": {"jd": "一路", "rq": "2020-01-31"}, "bq": ["新"], "zzh": "P1",
    "lc": [{"jd": "旧路"}, {"jd": None, "rq": "2019-01-31"}],
}  # fmt: skip
EVERY = "name capital state place { street opened } tags main { permitNo title } former { street opened }"


def shops(*rows: Any) -> World:
    there = {"byUscc": rows, "shops": rows, "byNo": [{"zh": "P1", "bt": "证"}]}
    return composed({"shops.graphql": TEXT}, {"shops": there}, canonical=canonical())


async def one(row: Any, fields: str = EVERY) -> Told:
    return await ask(shops(row), f'{{ shop(uscc: "{A}") {{ {fields} }} }}')


async def test_null_is_a_value() -> None:
    assert (await one(WHOLE)).errors == []
    told = await one({"code": A, **dict.fromkeys(WHOLE.keys() - {"code"})})
    assert told.errors == []
    assert told.data == {"shop": dict.fromkeys(("name", "capital", "state", "place", "tags", "main", "former"))}


async def test_what_a_row_lacks_is_an_error_at_its_field_alone() -> None:
    told = await one({name: value for name, value in WHOLE.items() if name not in ("mc", "zt", "bq")})
    assert told.errors == [("shop.name", "BAD_VALUE"), ("shop.tags", "BAD_VALUE")]
    assert told.data["shop"]["state"] is None, "which nobody said is always there"
    assert told.data["shop"]["capital"] == "1.5"


async def test_each_name_on_the_way_counts_and_null_ends_it() -> None:
    assert (await one({**WHOLE, "zb": {}}, "capital")).errors == [("shop.capital", "BAD_VALUE")]
    assert (await one({**WHOLE, "zb": None}, "capital")).errors == []
    assert (await one({name: value for name, value in WHOLE.items() if name != "zb"}, "capital")).errors == [("shop.capital", "BAD_VALUE")]


async def test_within_an_object_and_within_a_list() -> None:
    told = await one({**WHOLE, "dz": {"rq": "2020-01-31"}, "lc": [{"rq": "2019-01-31"}, {"jd": None}, {"jd": "旧路"}]}, EVERY)
    assert told.errors == [("shop.former.0.street", "BAD_VALUE"), ("shop.place.street", "BAD_VALUE")]
    assert told.data["shop"]["place"] == {"street": None, "opened": "2020-01-31"}
    assert [each["street"] for each in told.data["shop"]["former"]] == [None, None, "旧路"]


async def test_a_list_and_a_reference_that_are_gone() -> None:
    told = await one(
        {name: value for name, value in WHOLE.items() if name not in ("lc", "zzh")}, "main { permitNo title } former { street }"
    )
    assert {code for _, code in told.errors} == {"BAD_VALUE"}
    assert {path.split(".")[1] for path, _ in told.errors} == {"main", "former"}


async def test_in_a_list_of_all_each_row_speaks_for_itself() -> None:
    rows = [{**WHOLE, "code": code, "mc": name} for code, name in ((A, "甲"), (B, None), (C, "丙"), (D, "丁"))]
    del rows[2]["mc"]
    told = await ask(shops(*rows), "{ shops(first: 10) { nodes { name } } }")
    found = [node["name"] for node in told.data["shops"]["nodes"]]
    assert (sorted(filter(None, found)), found.count(None)) == (["丁", "甲"], 2)
    assert [code for _, code in told.errors] == ["BAD_VALUE"]
