"""From a folder that nobody has described to its manifest: each format, encodings, keys, types; and what is left out, and why."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import duckdb
import openpyxl  # type: ignore[import-untyped]
import pytest

from hub.introspect.named import grouped
from tests.introspect.shell import elsewhere, run
from tests.introspect.small import USCCS

__all__ = ["elsewhere"]
pytestmark = pytest.mark.usefixtures("elsewhere")
METERS = "水表编号,统一社会信用代码,用水量,抄表日期,区号,流水号\n" + "".join(
    f"B{i},{USCCS[i // 2]},{i}.50,2024/01/0{i + 1},057{i},{9_000_000_000_000_000_000 + i}\n" for i in range(6)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


def added(*more: str) -> str:
    """The manifest that is written; it passes its check."""
    assert run("add", "files", "water", "in", *more) == 0
    assert run("check", "systems") == 0
    return Path("systems/water.graphql").read_text(encoding="utf-8")


def typed(text: str, path: str) -> str:
    """What a column became: type, and format if there is one."""
    told = {}
    for name, kind, said in re.findall(r"^  (\w+): (\S+)(?: @from\(([^)]*)\))? @grade", text, re.MULTILINE):
        words = dict(re.findall(r'(\w+): "([^"]*)"', said))
        told[words.get("path", name)] = " ".join([kind, *([words["format"]] if "format" in words else [])])
    return told[path]


def test_values_tell_types(folder: Path) -> None:
    (folder / "水表-2024Q1.csv").write_text(METERS, encoding="utf-8")
    text = added()
    told = {path: typed(text, path) for path in ("水表编号", "用水量", "抄表日期", "区号", "流水号")}
    assert told == {"水表编号": "ID!", "用水量": "Decimal", "抄表日期": "Date yyyy/MM/dd", "区号": "String", "流水号": "String"}
    assert '@file(name: "水表-*.csv", key: ["水表编号"])' in text
    assert '@join(on: "统一社会信用代码 = uscc", many: true)' in text
    assert '@files(base: "${WATER_URL}")' in text
    assert str(folder) not in text
    assert not any(code in text for code in USCCS)


def test_one_value_far_down_changes_a_type(folder: Path) -> None:
    (folder / "a.csv").write_text("id,n,m\n" + "".join(f"K{i},{i},{i}\n" for i in range(3_000)) + "L,007,-1\n")
    text = added()
    assert (typed(text, "n"), typed(text, "m")) == ("String", "Int")


@pytest.mark.parametrize(("encoding", "said"), [("utf-8", ""), ("utf-8-sig", ""), ("gb18030", "gb18030"), ("utf-16", "utf-16")])
def test_the_encoding_is_found_out(encoding: str, said: str, folder: Path) -> None:
    (folder / "水表.csv").write_text(METERS.replace(",", ";"), encoding=encoding)
    text = added()
    assert 'key: ["水表编号"]' in text
    assert ('@files(base: "${WATER_URL}"' + (f', encoding: "{said}")' if said else ")")) in text


def test_files_of_two_encodings_say_so_each(folder: Path) -> None:
    (folder / "水表.csv").write_text(METERS, encoding="gb18030")
    (folder / "b.csv").write_text("id,名称\n1,甲乙丙丁戊己庚辛壬癸\n2,甲\n", encoding="utf-8")
    text = added()
    assert '@file(name: "水表.csv", key: ["水表编号"], encoding: "gb18030")' in text
    assert '@file(name: "b.csv", key: ["id"])' in text


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ("名称,编号\n甲,1\n甲,2\n", "编号"),
        ("序号,名称,代码\n1,甲,x\n2,乙,y\n", "代码"),
        ("名称,数\n甲,1\n乙,1\n", "名称"),
        (f"名称,甲\n某,{USCCS[0]}\n谁,{USCCS[1]}\n", "甲"),
        ("编号,名称\n1,甲\n1,乙\n", None),
        ("数,名称\n1,甲\n1,乙\n", None),
        ("编号,名称\n,甲\n2,乙\n", None),
        ("编号,名称\n", None),
    ],
)
def test_the_key_is_in_each_row_and_in_no_two_the_same(
    rows: str, key: str | None, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.csv").write_text(rows, encoding="utf-8")
    if key is not None:
        assert f'key: ["{key}"]' in added()
        return
    assert run("add", "files", "water", "in") == 1
    assert "Left out: a.csv has no " in capsys.readouterr().err
    assert not Path("systems").exists()


def test_every_format_is_read(folder: Path) -> None:
    (folder / "lines.jsonl").write_text('{"id": "a", "org": {"code": 1}, "tags": ["x"], "ok": true}\n{"id": "b", "ok": false}\n')
    duckdb.sql(f"COPY (SELECT 'k' || i AS code, i AS n FROM range(3) t(i)) TO '{folder / 'cols-20240131.parquet'}' (FORMAT parquet)")
    book = openpyxl.Workbook()
    sheets: dict[str, list[list[object]]] = {
        "one": [["id", "d"], ["a", date(2024, 1, 2)]],
        "two": [["code", "x"], ["b", 1]],
        "none": [["id"]],
    }
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    book.save(folder / "book.xlsx")
    text = added()
    assert (typed(text, "org.code"), typed(text, "tags"), typed(text, "ok"), typed(text, "n")) == (
        "Int",
        "[String!] json",
        "Boolean",
        "Int",
    )
    assert typed(text, "d") == "Date"
    assert "# Left out: book.xlsx, sheet none has no rows." in text
    assert '@file(name: "cols-*.parquet", key: ["code"])' in text
    assert '@file(name: "book.xlsx", key: ["id"], sheet: "one")' in text
    assert '@file(name: "book.xlsx", key: ["code"], sheet: "two")' in text


def test_what_cannot_be_read_is_left_out_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "good.csv").write_text("id,a\n1,x\n2,y\n")
    (folder / "page.csv").write_text("<html><body>login</body></html>")
    (folder / "cut.csv").write_text('id,a\n1,"x')
    (folder / "notes.md").write_text("# not a table")
    text = added()
    assert "# Left out: page.csv: A web page or XML came where a table was due." in text
    assert "# Left out: cut.csv: The file was cut off." in text
    assert run("add", "files", "other", "in", "--file", "page.csv") == 1
    assert "A web page or XML came" in capsys.readouterr().err


def test_files_can_be_chosen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a-1.csv", "a-2.csv", "b.csv"):
        (folder / name).write_text("id,a\n1,x\n2,y\n")
    assert run("add", "files", "water", "--url", "in", "--file", "c*.csv") == 1
    assert "There is no file 'c*.csv'; there are: a-1.csv, a-2.csv, b.csv." in capsys.readouterr().err
    text = added("--file", "a-?.csv")
    assert '@file(name: "a-?.csv", key: ["id"])' in text
    assert "b.csv" not in text


def test_nothing_is_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.csv").write_text("id,a\n1,x\n2,y\n")
    before = added()
    assert run("add", "files", "water", "in") == 1
    assert "is there already and is not overwritten" in capsys.readouterr().err
    assert Path("systems/water.graphql").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(("place", "said"), [("none", "The folder or the file is not there."), ("ftp://x/y", "a path, sftp://… or s3://…")])
def test_a_folder_that_is_none_is_told(place: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", "files", "water", place) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "patterns"),
    [
        (["wtqd-2021Q3.csv", "wtqd-2021Q4.csv"], {"wtqd-*.csv": "wtqd-2021Q4.csv"}),
        (["名单2024年2月.xlsx", "名单2024年10月.xlsx"], {"名单*.xlsx": "名单2024年10月.xlsx"}),
        (["a_2024-01-31.csv", "a_2024-02-29.csv", "a.csv"], {"a_*.csv": "a_2024-02-29.csv", "a.csv": "a.csv"}),
        (["t1.csv", "tables.csv"], {"t?.csv": "t1.csv", "tables.csv": "tables.csv"}),
        (["20240101.csv", "b.csv"], {"20240101.csv": "20240101.csv", "b.csv": "b.csv"}),
        (["a-1.csv.part", ".a-2.csv", "a.md"], {}),
    ],
)
def test_names_that_differ_in_a_date_alone_are_one(names: list[str], patterns: dict[str, str]) -> None:
    assert {one.pattern: one.newest for one in grouped(names)} == patterns


def test_a_changed_folder_is_told_by_line(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "水表-2024Q1.csv").write_text(METERS, encoding="utf-8")
    (folder / "b.csv").write_text("id,a\n1,x\n2,y\n")
    added()
    monkeypatch.setenv("WATER_URL", str(folder))
    assert run("check", "systems", "--live") == 0
    (folder / "水表-2024Q2.csv").write_text(METERS.replace("用水量", "用水数量"), encoding="utf-8")
    (folder / "b.csv").unlink()
    capsys.readouterr()
    monkeypatch.setenv("HUB_SYSTEMS_DATA", str(folder.parent / "new"))
    assert run("check", "systems", "--live") == 1
    told = capsys.readouterr().out
    assert "MISSING_COLUMN File '水表-*.csv' has no column '用水量'. Did you mean '用水数量'?" in told
    assert "MISSING_TABLE There is no file 'b.csv'." in told


def test_an_empty_manifest_of_files_passes_as_it_is(tmp_path: Path) -> None:
    assert run("new", "water", "--kind", "files") == 0
    text = (tmp_path / "systems" / "water.graphql").read_text(encoding="utf-8")
    assert '@files(base: "${WATER_URL}"' in text
    assert run("check", "systems") == 0
