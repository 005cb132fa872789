"""From a table nobody has described to its answer, on each database: reflected, proposed, checked, asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.spi import SourceError
from hub.introspect.tables import find
from tests.connectors.databases import ENGINES, Engine, sqlite
from tests.introspect.small import USCCS, answered, empty, faults, written

READINGS = (
    'CREATE TABLE "T_SBXX" ("SBBH" varchar(20) PRIMARY KEY, "TYSHXYDM" varchar(18), "YSL" numeric(10, 2), "CBRQ" char(8), '
    '"LXDH" varchar(20), "SQ" bigint)',
)
INSERT = 'INSERT INTO "T_SBXX" VALUES (?, ?, ?, ?, ?, ?)'
ROWS = [(f"B{i}", USCCS[i // 2], f"{i}.50", f"2024010{i + 1}", f"1380000000{i}", 3_000_000_000 + i) for i in range(6)]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
async def test_a_table_about_enterprises_hangs_from_them(engine: Engine, tmp_path: Path) -> None:
    async with engine(tmp_path, READINGS, INSERT, ROWS) as database:
        found = await find(database.url, variable="WATER_URL", tables=["T_SBXX"], schema=database.schema)
        text = written(found)
        assert faults(text) == []
        assert database.password not in text
        assert not any(str(value) in text for row in ROWS for value in row)
        (tmp_path / "systems").mkdir()
        (tmp_path / "systems" / "water.graphql").write_text(text, encoding="utf-8")
        about = f'enterprise(uscc: "{USCCS[1]}") {{ uscc sbxxs {{ meterNo waterUsed cbrq contactPhone sq }} }}'
        query = f'{{ {about} sbxx(meterNo: "B0") {{ enterprise {{ uscc }} }} }}'
        answer = await answered(tmp_path / "systems", query, {"WATER_URL": database.url})
    rows = [
        {
            "meterNo": f"B{i}",
            "waterUsed": f"{i}.50",
            "cbrq": f"2024-01-0{i + 1}",
            "contactPhone": f"1380000000{i}",
            "sq": str(3_000_000_000 + i),
        }
        for i in (2, 3)
    ]
    if engine is sqlite:  # it keeps numerics as floating point numbers
        for row in rows:
            row["waterUsed"] = row["waterUsed"].rstrip("0")
    assert answer == {
        "data": {"enterprise": {"uscc": USCCS[1], "sbxxs": rows}, "sbxx": {"enterprise": {"uscc": USCCS[0]}}},
    }


COMPANIES = (
    'CREATE TABLE "T_QYXX" ("TYSHXYDM" varchar(18) PRIMARY KEY, "QYMC" varchar(60), "DJZT" varchar(10), "CLRQ" date, "CBRS" integer)',
)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
async def test_a_table_of_enterprises_binds_them(engine: Engine, tmp_path: Path) -> None:
    rows = [(code, f"企业{i}", ("存续", "注销")[i % 2], f"2020-01-0{i + 1}", i) for i, code in enumerate(USCCS)]
    async with engine(tmp_path, COMPANIES, 'INSERT INTO "T_QYXX" VALUES (?, ?, ?, ?, ?)', rows) as database:
        text = written(await find(database.url, variable="SOCIAL_URL", schema=database.schema), "social")
        assert faults(text) == []
        (tmp_path / "systems").mkdir()
        (tmp_path / "systems" / "social.graphql").write_text(text, encoding="utf-8")
        query = f'{{ enterprise(uscc: "{USCCS[1]}") {{ name status establishedOn insuredCount }} }}'
        answer = await answered(tmp_path / "systems", query, {"SOCIAL_URL": database.url})
    assert answer == {"data": {"enterprise": {"name": "企业1", "status": "CANCELLED", "establishedOn": "2020-01-02", "insuredCount": 1}}}


async def test_comments_of_columns_become_descriptions(tmp_path: Path) -> None:
    from tests.connectors.databases import postgres

    ddl = (
        'CREATE TABLE "YH" ("BH" integer PRIMARY KEY, "A1" varchar(18), "A2" text)',
        "COMMENT ON TABLE \"YH\" IS '用户档案'",
        'COMMENT ON COLUMN "YH"."A1" IS \'统一社会信用代码\'',
        'COMMENT ON COLUMN "YH"."A2" IS \'抄表\n周期"（月）"\'',
    )
    async with postgres(tmp_path, ddl, 'INSERT INTO "YH" VALUES (?, ?, ?)', [(1, USCCS[0], "1")]) as database:
        text = written(await find(database.url, variable="WATER_URL", schema=database.schema))
    assert faults(text) == []
    assert '"用户档案\\nTo be written: YH"' in text
    assert '"抄表 周期\\"（月）\\"\\nTo be written: A2"' in text
    assert 'enterprise: Enterprise @from(expr: "{uscc: A1}")' in text


async def test_odd_names_and_types_do_no_harm(tmp_path: Path) -> None:
    ddl = (
        'CREATE TABLE "a-b c" ("编号" text PRIMARY KEY, "x y" text, "__typename" text, '
        '"select" int, "1st" int, "图片" blob, "a.b" text, "n\nl" text)',
        'CREATE TABLE "Query" ("id" int PRIMARY KEY, "hub" text)',
        'CREATE TABLE "enterprise" ("id" int PRIMARY KEY, "na_me" text, "naMe" text)',
        'CREATE TABLE "noKey" ("v" text)',
        'CREATE VIEW "看板" AS SELECT "编号", "x y" FROM "a-b c"',
    )
    rows = [(f"b{i}", "v", "t", i, i, b"\0", "p", "q") for i in range(3)]
    async with sqlite(tmp_path, ddl, 'INSERT INTO "a-b c" VALUES (?, ?, ?, ?, ?, ?, ?, ?)', rows) as database:
        text = written(await find(database.url, variable="ODD_URL"), "odd")
        assert faults(text) == []
        assert "# Left out: noKey has no primary key, and no column that looks like one." in text
        assert "# Not served: 图片 (BLOB)." in text
        (tmp_path / "systems").mkdir()
        (tmp_path / "systems" / "odd.graphql").write_text(text, encoding="utf-8")
        answer = await answered(tmp_path / "systems", '{ aBC(number: "b1") { number xY select n1St aB nL } }', {"ODD_URL": database.url})
    assert answer == {"data": {"aBC": {"number": "b1", "xY": "v", "select": 1, "n1St": 1, "aB": "p", "nL": "q"}}}


async def test_an_empty_table_is_proposed_by_its_names(tmp_path: Path) -> None:
    async with sqlite(tmp_path, READINGS, INSERT, []) as database:
        text = written(await find(database.url, variable="WATER_URL"))
    assert faults(text) == []
    assert "sbxxs: [Sbxx!]" in text


async def test_the_same_source_gives_the_same_text(tmp_path: Path) -> None:
    async with sqlite(tmp_path, READINGS, INSERT, ROWS) as database:
        first, second = [written(await find(database.url, variable="WATER_URL")) for _ in range(2)]
    assert first == second


async def test_a_table_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    async with sqlite(tmp_path, READINGS, INSERT, []) as database:
        with pytest.raises(SourceError, match=r"no table 'T_SBX'; there are: T_SBXX"):
            await find(database.url, variable="WATER_URL", tables=["T_SBX"])


def test_what_others_serve_is_served_as_a_copy_and_what_they_contribute_gets_another_name() -> None:
    from hub.connected import composed, packaged
    from hub.introspect.canon import canon
    from hub.introspect.found import Column, Found, Relation

    columns = (Column("uscc", "text", samples=USCCS), Column("qymc", "text"), Column("creditRepairUrl", "text"))
    found = Found("sql", (Relation("firms", columns, key=("uscc",)),), source={"url": "${X_URL}"})
    text = written(found, "copy", canon(composed(packaged())))
    assert "@serves(authority: REPLICA)" in text
    assert "copyCreditRepairUrl" in text
    assert "REPLICA" not in written(found, "copy")
    assert empty().ok
