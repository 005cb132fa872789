"""A folder of deliveries over time: a new one takes the place of the one before, a broken one does not, bad rows are put aside and told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.files import FilesConnector, FilesSettings
from connectors.files.due import late
from connectors.files.words import last
from connectors.spi import Ask, Call, Field, Options, Order, Relation, SourceError

CODE = Field("code", "代码")
FIELDS = (CODE, Field("name", "名称"), Field("level", "等级", "int"))
COMMON: dict[str, Any] = {"every": 0.0}
HEADER = "代码,名称,等级"


def relation(file: str = "firms.csv", **native: Any) -> Relation:
    """The firms of a file, asked by their code."""
    said = {"file": file, "key": ["代码"], "unique": ["代码"], **native}
    return Relation("firms", FIELDS, Options(said), keys=("code",), max_keys=100, order=("code",), limit=True, total=True)


@asynccontextmanager
async def opened(folder: Path, **said: Any) -> AsyncIterator[FilesConnector]:
    """A connector to the folder, its copies beside it."""
    now = said.pop("now", None)
    words = {"base": str(folder), "data": str(folder.parent / "copies"), **COMMON, **said}
    made = FilesConnector(FilesSettings.of(words), **({"now": now} if now else {}))
    try:
        yield made
    finally:
        await made.close()


def deliver(folder: Path, *lines: str, file: str = "firms.csv", encoding: str = "gb18030", end: str = "\r\n") -> Path:
    """What the department does: the whole file at once."""
    folder.mkdir(exist_ok=True)
    aside = folder / f".{file}"
    aside.write_bytes("".join(f"{line}\r\n" for line in (HEADER, *lines))[: None if end else -2].encode(encoding))
    return aside.rename(folder / file)


async def rows(connector: FilesConnector, where: Relation | None = None, *fields: str) -> list[tuple[Any, ...]]:
    """All rows in the order of their code."""
    where = where or relation()
    names = fields or ("code", "name", "level")
    plan = connector.plan(Ask(where.name, names, order=(Order("code"),)), where)
    pages = [page async for page in connector.fetch(plan, Call())]
    return [tuple(page.columns[name][at] for name in names) for page in pages for at in range(page.size)]


async def by_key(connector: FilesConnector, keys: Sequence[str], where: Relation | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """(name by code, what is wrong by code)."""
    where = where or relation()
    plan = connector.plan(Ask(where.name, ("name",), by=("code",)), where)
    pages = [page async for page in connector.fetch(plan, Call(keys=[(key,) for key in keys]))]
    found = {code: page.columns["name"][at] for page in pages for at, code in enumerate(page.columns["code"])}
    return found, {key[0]: fault.code for page in pages for key, fault in page.faults.items()}


async def failed(connector: FilesConnector, where: Relation | None = None) -> SourceError:
    """What asking raises."""
    with pytest.raises(SourceError) as caught:
        await rows(connector, where)
    return caught.value


async def test_a_new_delivery_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    deliver(folder, "001,甲,1")
    async with opened(folder) as connector:
        assert await rows(connector) == [("001", "甲", 1)]
        deliver(folder, "001,甲公司,1", "002,乙,2")
        assert await rows(connector) == [("001", "甲公司", 1), ("002", "乙", 2)]


async def test_a_reader_of_the_old_one_reads_it_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    deliver(folder, *(f"{i:05},甲{i},1" for i in range(12_000)))
    async with opened(folder, keep=1) as connector:
        plan = connector.plan(Ask("firms", ("code", "name")), relation())
        reading = connector.fetch(plan, Call(max_rows=100_000))
        first = await anext(aiter(reading))
        deliver(folder, *(f"{i:05},乙{i},1" for i in range(12_000)))
        assert (await rows(connector))[0][1] == "乙0"
        whole = [*first.columns["name"], *[name async for page in reading for name in page.columns["name"]]]
        assert len(whole) == 12_000
        assert all(name.startswith("甲") for name in whole)


async def test_it_is_looked_for_no_more_often_than_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    deliver(folder, "001,甲,1")
    async with opened(folder, every=3600.0) as connector:
        assert len(await rows(connector)) == 1
        deliver(folder, "001,甲,1", "002,乙,2")
        assert len(await rows(connector)) == 1


async def test_the_newest_of_dated_names_is_read_whatever_its_time(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for day, name in ((9, "旧"), (10, "新"), (2, "更旧")):
        deliver(folder, f"001,{name},1", file=f"firms-{day}.csv")
    deliver(folder, "001,上传中,1", file="firms-11.csv.part")
    async with opened(folder) as connector:
        assert await rows(connector, relation("firms-*.csv")) == [("001", "新", 1)]
    assert last(["a-20240101.csv", "a-20231231.csv"]) == "a-20240101.csv"


async def test_a_delivery_is_whole_when_its_mark_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    deliver(folder, "001,甲,1")
    async with opened(folder, ready=".ok") as connector:
        assert (await failed(connector)).kind == "missing"
        (folder / "firms.csv.ok").touch()
        assert await rows(connector) == [("001", "甲", 1)]


async def test_a_hub_that_starts_anew_reads_what_was_kept(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    deliver(folder, "001,甲,1")
    async with opened(folder) as connector:
        await rows(connector)
    (folder / "firms.csv").unlink()
    async with opened(folder) as connector:
        assert await rows(connector) == [("001", "甲", 1)]
        trouble = connector.condition()
        assert trouble is not None
        assert trouble.kind == "missing"
    time = datetime.now(UTC) + timedelta(days=3)
    async with opened(folder, expectBy="2d", now=lambda: time) as connector:
        late = connector.condition()
        assert late is not None
        assert late.code == "LATE"


async def test_so_many_deliveries_are_kept_with_what_came(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    async with opened(folder, keep=2) as connector:
        for day in range(4):
            deliver(folder, f"001,第{day}天,1")
            assert (await rows(connector))[0][1] == f"第{day}天"
    (kept,) = (tmp_path / "copies").iterdir()
    said = json.loads((kept / "deliveries.json").read_text(encoding="utf-8"))
    assert [one["rows"] for one in said["copies"]] == [1, 1]
    assert len([*kept.glob("*.parquet")]) == len([*kept.glob("*.origin")]) == 2
    assert (kept / f"{said['copies'][-1]['stem']}.origin").read_bytes() == (folder / "firms.csv").read_bytes()
    assert not [*kept.glob("*.reading"), *kept.glob("*.incoming")]
    assert {file.stat().st_mode & 0o077 for file in kept.glob("*.origin")} == {0}


async def test_bad_rows_are_put_aside_with_their_lines_and_reasons(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    deliver(folder, "001,甲,1", "002,乙", '003,"丙"丁,1', ",无码,1", "", "004,戊,1,1", '005,"己\r\n己",2', "006,庚,3", "007,辛,3")
    async with opened(folder) as connector:
        assert [row[0] for row in await rows(connector)] == ["001", "005", "006", "007"]
        (standing,) = connector.standing()
        assert standing.copy is not None
        assert (standing.copy.rows, standing.copy.bad) == (4, 4)
    (file,) = (tmp_path / "copies").glob("*/*.bad.jsonl")
    told = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(one["line"], one["reason"].split(":")[0]) for one in told] == [
        (3, "has 2 values for 3 columns"),
        (4, "cannot be read"),
        (5, "has no key"),
        (7, "has 4 values for 3 columns"),
    ]
    assert file.stat().st_mode & 0o077 == 0


async def test_a_late_delivery_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    deliver(folder, "001,甲,1")
    time = datetime(2024, 5, 1, 0, 30, tzinfo=UTC)  # half past eight in the province

    def now() -> datetime:
        return time

    async with opened(folder, expectBy="08:00", now=now) as connector:
        await rows(connector)
        assert connector.condition() is None
        time += timedelta(hours=23)
        assert connector.condition() is None
        time += timedelta(hours=1)
        trouble = connector.condition()
        assert trouble is not None
        assert trouble.code == "LATE"
        assert await rows(connector), "what came before is served"
        deliver(folder, "001,甲,2")
        await rows(connector)
        assert connector.condition() is None


@pytest.mark.parametrize(
    ("expected", "hours", "is_late"),
    [("", 1000, False), ("26h", 25, False), ("26h", 27, True), ("2d", 47, False), ("2d", 49, True), ("90m", 2, True)],
)
def test_a_delivery_is_due_so_long_after_the_one_before(expected: str, hours: int, is_late: bool) -> None:
    seen = datetime(2024, 5, 1, tzinfo=UTC)
    assert late(expected, seen, seen + timedelta(hours=hours)) is is_late


async def test_who_finds_a_copy_there_does_not_wait_for_a_slow_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "out"
    deliver(folder, "001,甲,1")
    async with opened(folder) as connector:
        await rows(connector)
        forever = asyncio.Event()

        async def hangs(_: str) -> list[Any]:
            await forever.wait()
            return []

        monkeypatch.setattr(connector._remote, "list", hangs)
        deliver(folder, "001,乙,1")
        plan = connector.plan(Ask("firms", ("name",)), relation())
        soon = asyncio.get_running_loop().time() + 0.2
        pages = [page async for page in connector.fetch(plan, Call(deadline=soon))]
        assert [page.columns["name"] for page in pages] == [["甲"]]
        assert await rows(connector) == [("001", "甲", 1)], "and who comes while it hangs does not wait at all"


async def test_several_sheets_and_lines_before_the_names(tmp_path: Path) -> None:
    import openpyxl  # type: ignore[import-untyped]

    folder = tmp_path / "out"
    folder.mkdir()
    book = openpyxl.Workbook()
    book.active.append(["说明"])
    sheet = book.create_sheet("名单")
    for row in (["企业名单（2024年第一季度）"], [None], ["代码", "名称", "等级", None], ["001", "甲", 1], ["002", 12.50, None]):
        sheet.append(row)
    book.save(folder / "firms.xlsx")
    async with opened(folder) as connector:
        where = relation("firms.xlsx", sheet="名单", skip=1)
        assert await rows(connector, where) == [("001", "甲", 1), ("002", "12.5", None)]
        assert "no '清单'" in (await failed(connector, relation("firms.xlsx", sheet="清单"))).detail


async def test_a_file_without_names_of_columns(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "firms.txt").write_text("001|甲|1\n002|乙|\n", encoding="utf-8")
    async with opened(folder) as connector:
        where = relation("firms.txt", columns=["代码", "名称", "等级"], delimiter="|")
        assert await rows(connector, where) == [("001", "甲", 1), ("002", "乙", None)]


async def test_json_lines_keep_numbers_exact_and_objects_apart(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    lines = ['{"代码": 1234567890123456789, "名称": {"全称": "甲"}, "金额": 1.10}', '{"代码": "002", "标签": ["a", 1.50], "是": true}']
    (folder / "firms.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    fields = (
        CODE,
        Field("name", "名称.全称"),
        Field("amount", "金额", "decimal"),
        Field("tags", "标签", "json"),
        Field("yes", "是", "bool"),
    )
    where = Relation("firms", fields, Options({"file": "firms.jsonl"}), order=("code",))
    async with opened(folder) as connector:
        found = await rows(connector, where, "code", "name", "amount", "tags", "yes")
    assert found == [("002", None, None, ["a", 1.5], "true"), ("1234567890123456789", "甲", "1.10", None, None)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"base": "ftp://dept.example/out"}, "the folder of @files is a path, sftp://… or s3://…"),
        ({"encoding": "gb13000"}, "the encoding 'gb13000' is not read"),
        ({"expectBy": "8"}, "cannot read expectBy '8'"),
        ({"keep": 0}, "setting 'keep' has to be at least 1"),
        ({"expect_by": "08:00"}, r"unknown setting 'expect_by' \(did you mean 'expectBy'\?\)"),
    ],
)
def test_what_is_wrong_with_a_setting_is_told(said: dict[str, Any], told: str) -> None:
    with pytest.raises(SourceError, match=told):
        FilesConnector(FilesSettings.of({"base": "/out", "data": "/tmp/none", **said}))


@pytest.mark.parametrize(
    ("native", "told"),
    [
        ({"file": "../firms.csv"}, "a file lies within the folder"),
        ({"file": "firms.dat"}, "nothing says how 'firms.dat' is written"),
        ({"delimiter": "||"}, "delimiter is one character"),
        ({"colour": "red"}, "unknown setting 'firms.colour'"),
    ],
)
async def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, native: dict[str, Any], told: str) -> None:
    async with opened(tmp_path) as connector:
        with pytest.raises(SourceError, match=told):
            connector.plan(Ask("firms", ("name",)), relation(**native))


async def test_a_condition_reaches_nothing_but_the_copies(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    deliver(folder, "001,甲,1", "002,乙,2")
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    async with opened(folder) as connector:
        assert await rows(connector, relation(where="\"等级\" = '2'")) == [("002", "乙", 2)]
        error = await failed(connector, relation(where=f"(SELECT count(*) FROM read_text('{outside}')) > 0"))
        assert error.kind == "config"
        assert "outside" not in f"{error.message}{error.detail}"


async def test_sums_and_extremes_are_as_the_file_writes_them(tmp_path: Path) -> None:
    from connectors.spi import Aggregate

    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "fees.csv").write_text("k,v\na,1.50\na,10\na,x\nb,0.3\nb,\n", encoding="utf-8")
    fields = (Field("k", "k"), Field("v", "v", "decimal"))
    where = Relation("fees", fields, Options({"file": "fees.csv"}), aggregates=("COUNT", "SUM", "MIN", "MAX"))
    functions = (Aggregate("SUM", "v"), Aggregate("MIN", "v"), Aggregate("MAX", "v"), Aggregate("COUNT"))
    async with opened(folder) as connector:
        plan = connector.plan(Ask("fees", aggregates=functions, group=("k",)), where)
        assert not plan.rest.aggregates
        pages = [page async for page in connector.fetch(plan, Call())]
    columns = pages[0].columns
    found = {columns["k"][at]: tuple(columns[one.name][at] for one in functions) for at in range(pages[0].size)}
    assert found == {"a": ("11.50", "1.50", "10", 3), "b": ("0.3", "0.3", "0.3", 2)}
