"""Manifests of systems that deliver files: a file is to its type what a table is, and says how it is written."""

from __future__ import annotations

import pytest

from connectors.spi import Field, Options
from schema.registry import Binding, Role
from tests.schema.small import BY_USCC, SHOP, clean, codes, composed, manifest

FILES = '@files(base: "${URL}", encoding: "gb18030", expectBy: "08:00", keep: 30)'
SAID = '@file(name: "shops-*.csv", key: ["代码"], where: "\\"状态\\" = \'1\'", delimiter: "|", skip: 1, expectBy: "26h")'
FILE = SHOP + SAID + " @entity(existence: ANCHOR, coverage: COMPLETE) "


def column(binding: Binding, name: str) -> Field:
    return binding.relation.field(name)


def test_a_file_gives_a_lookup_and_a_list() -> None:
    body = FILE + (
        "{ uscc: USCC! @filter @sort\n"
        '  name: String @from(path: "名称") @filter(ops: [EQ, PREFIX])\n'
        '  checkedAt: DateTime @from(path: "时间") @sort }'
    )
    registry = clean(manifest("a", body, FILES)).registry
    (lookup,), (scan,) = registry.lookups["Shop"], registry.scans["Shop"]

    assert lookup.relation is scan.relation
    own = {"file": "shops-*.csv", "key": ["代码"], "unique": ["代码"], "where": "\"状态\" = '1'"}
    assert lookup.relation.native == Options({**own, "delimiter": "|", "skip": 1, "expectBy": "26h"})
    assert (lookup.relation.max_keys, lookup.relation.limit, lookup.relation.total, lookup.relation.each) == (500, True, True, True)
    assert lookup.relation.where == Options({"uscc": ["EQ", "IN", "GT"], "name": ["EQ", "PREFIX"]})
    assert column(lookup, "uscc").path == "代码"
    assert column(lookup, "checkedAt").type == "text"  # a file has no dates of its own
    assert scan.role is Role.SCAN
    system = registry.systems["a"]
    assert (system.kind, system.options["every"], system.options["keep"], system.options["expectBy"]) == ("files", 60.0, 30, "08:00")


def test_a_join_brings_rows_of_another_file() -> None:
    body = (
        SHOP + '{ uscc: USCC! permits: [Permit!] @join(on: "CYR = uscc", many: true) }\n'
        'type Permit @key(fields: "permitNo") @file(name: "permits.xlsx", key: ["ZH"], sheet: "许可") '
        '{ permitNo: ID! title: String @from(path: "MC") }'
    )
    registry = clean(manifest("a", body, FILES), manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String }")).registry
    (permits,) = registry.links["Shop.permits"]

    assert (permits.type, permits.many, permits.relation.keys, permits.relation.max_keys) == ("Permit", True, ("uscc",), 500)
    assert permits.relation.native == Options({"file": "permits.xlsx", "key": ["CYR"], "unique": ["ZH"], "sheet": "许可"})
    assert {binding.id for binding in registry.lookups["Permit"]} == {"a.permits.xlsx#许可"}


@pytest.mark.parametrize(
    ("body", "source", "told"),
    [
        (FILE + "{ uscc: USCC! name: String }", '@sql(url: "x")', ["WRONG_PLACE"]),
        (SHOP + '@table(name: "T", key: ["A"]) { uscc: USCC! name: String }', FILES, ["WRONG_PLACE"]),
        (SHOP + '{ uscc: USCC! name: String @get(path: "/{uscc}") }', FILES, ["WRONG_PLACE"]),
        (SHOP + '@file(name: "s.csv", key: ["A", "B"]) { uscc: USCC! name: String }', FILES, ["KEY_COLUMN_MISMATCH"]),
        (SHOP + "{ uscc: USCC! name: String }", FILES, ["KEY_WITHOUT_LOOKUP"]),
        (FILE + "{ uscc: USCC! name: String }", '@files(base: "x", expectBy: "8 o\'clock")', ["BAD_PATH"]),
        (FILE + "{ uscc: USCC! name: String }", '@files(base: "sftp://hub:pass@h/out")', ["SECRET_IN_FILE"]),
        (FILE + "{ uscc: USCC! name: String }", '@files(base: "x", auth: {kind: BEARER, secret: "a.key"})', ["BAD_AUTH"]),
    ],
)
def test_what_is_wrong_is_told_once(body: str, source: str, told: list[str]) -> None:
    usual = manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String }")
    assert [
        code for code in codes(composed(usual, manifest("a", body.replace("ANCHOR", "CONTRIBUTES"), source))) if code != "NO_BATCH"
    ] == told


def test_what_to_write_instead_is_told() -> None:
    usual = manifest("b", BY_USCC + SHOP + "{ uscc: USCC! name: String }")
    made = composed(usual, manifest("a", SHOP + '@table(name: "T", key: ["A"]) { uscc: USCC! name: String }', FILES))
    (fault,) = [fault for fault in made.faults if fault.code == "WRONG_PLACE"]
    assert (fault.message, fault.fix) == ("@table is for sql systems; this one is reached by files.", "write @file")
