"""``hub check --live``: what a manifest names and its source does not have, at its place in the file."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from hub.introspect.live import CODES
from tests.connectors.loopback import served
from tests.house.files import ROOT
from tests.introspect.shell import elsewhere, ran, run
from tests.introspect.small import USCCS
from tests.introspect.test_graphs import service
from tests.introspect.test_try import manifest
from tests.introspect.test_wsdl import laid

__all__ = ["elsewhere"]
pytestmark = pytest.mark.usefixtures("elsewhere")


def database(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "w.db")) as connection:
        connection.execute("CREATE TABLE T_QYXX (TYSHXYDM TEXT PRIMARY KEY, QYMC TEXT, RS INTEGER)")
        connection.execute("CREATE TABLE T_SB (BH TEXT PRIMARY KEY, DM TEXT)")
        connection.executemany("INSERT INTO T_QYXX VALUES (?, ?, ?)", [(code, "甲", i) for i, code in enumerate(USCCS)])
        connection.executemany("INSERT INTO T_SB VALUES (?, ?)", [(f"B{i}", code) for i, code in enumerate(USCCS)])
        connection.commit()
    return f"sqlite:///{folder / 'w.db'}"


def edit(system: str, before: str, after: str) -> None:
    file = Path("systems", f"{system}.graphql")
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def test_a_changed_database_is_told_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    url = database(tmp_path)
    monkeypatch.setenv("W_URL", url)
    assert run("add", "sql", "w", "--url", url) == 0
    assert run("check", "systems", "--live") == 0
    assert "w: as its manifest says" in capsys.readouterr().out
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        connection.execute("ALTER TABLE T_QYXX RENAME COLUMN QYMC TO QYMCH")
        connection.execute("ALTER TABLE T_SB RENAME TO T_SBX")
        connection.commit()
    assert run("check", "systems", "--live") == 1
    told = capsys.readouterr().out
    text = (tmp_path / "systems" / "w.graphql").read_text(encoding="utf-8").splitlines()
    column = re.search(r"systems/w\.graphql:(\d+):(\d+) MISSING_COLUMN Table 'T_QYXX' has no column 'QYMC'\. Did you mean 'QYMCH'\?", told)
    assert column
    assert text[int(column[1]) - 1][int(column[2]) - 1 :].startswith('@from(path: "QYMC")')
    assert "fix: write QYMCH" in told
    table = re.search(r"systems/w\.graphql:(\d+):(\d+) MISSING_TABLE There is no table 'T_SB'\. Did you mean 'T_SBX'\?", told)
    assert table
    assert text[int(table[1]) - 1][int(table[2]) - 1 :].startswith('@table(name: "T_SB"')


async def test_a_graphql_service_that_changed_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async with service() as url:
        monkeypatch.setenv("SHOPS_URL", url)
        assert await ran("add", "graphql", "shops", "--url", url) == 0
        assert await ran("check", "systems", "--live") == 0
        edit("shops", 'name: "firm", argument: "uscc"', 'name: "firm", argument: "usc"')
        edit("shops", '"shopsByUscc"', '"shopsByUsc"')
        edit("shops", '"place.street"', '"place.strt"')
        capsys.readouterr()
        assert await ran("check", "systems", "--live") == 1
    told = capsys.readouterr().out
    assert "The source's field 'firm' has no argument 'usc'. Did you mean 'uscc'?" in told
    assert "The source's query type has no field 'shopsByUsc'. Did you mean 'shopsByUscc'?" in told
    assert "The source's type 'Place' has no field 'strt'. Did you mean 'street'?" in told


async def test_paths_of_a_rest_list_are_seen_in_its_first_page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def bureaus(request: web.Request) -> web.Response:
        return web.json_response([{"id": "1", "name": "一", "parts": [{"x": 1}]}])

    manifest(
        "b",
        """\
extend schema @system(name: "b", title: "局", owner: "局") @rest(base: "${B_URL}")
extend type Query {
  "局\\nBureaus"
  bureaus: [Bureau!] @grade(level: L1) @get(path: "/bureaus")
}
"局\\nA bureau"
type Bureau {
  "名\\nName"
  name: String @grade(level: L1) @from(path: "nam")
  "部\\nParts"
  parts: [Part!] @grade(level: L1)
}
"部\\nA part"
type Part {
  "数\\nNumber"
  x: Int @grade(level: L1)
  "量\\nQuantity"
  y: Int @grade(level: L1)
}
""",
    )
    async with served(web.get("/bureaus", bureaus), web.get("/", bureaus)) as base:
        monkeypatch.setenv("B_URL", base)
        assert await ran("check", "systems", "--live") == 1
    told = capsys.readouterr().out
    assert "systems/b.graphql:9:34 MISSING_PATH No row of the first page has anything at 'nam'." in told
    assert "systems/b.graphql:11:3 MISSING_PATH No row of the first page has anything at 'y'." in told


async def test_a_wsdl_that_changed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def there(request: web.Request) -> web.Response:
        return web.Response(text="SOAP service")

    async with served(web.get("/ws", there)) as base:
        monkeypatch.setenv("TAX_URL", f"{base}/ws")
        assert await ran("add", "soap", "tax", "--wsdl", str(laid(tmp_path / "from"))) == 0
        assert await ran("check", "systems", "--live") == 0
        types = tmp_path / "systems" / "tax.nsr.xsd"
        types.write_text(types.read_text(encoding="utf-8").replace('name="nsxydj"', 'name="nsxyjb"'), encoding="utf-8")
        capsys.readouterr()
        assert await ran("check", "systems", "--live") == 1
        assert "MISSING_FIELD The WSDL has no element 'nsxydj' for 'nsxydj' in what 'cxNsr' brings." in capsys.readouterr().out
        edit("tax", '"jg.nsr"', '"jg.nsrs"')
        assert await ran("check", "systems", "--live") == 1
        assert "There is no element 'nsrs' on the way to 'jg.nsrs' in what 'cxNsr' brings." in capsys.readouterr().out
        edit("tax", '"cxNsr"', '"cxNsrs"')
        assert await ran("check", "systems", "--live") == 1
        assert "The WSDL has no operation 'cxNsrs'. Did you mean 'cxNsr'?" in capsys.readouterr().out


def test_what_cannot_be_asked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    url = database(tmp_path)
    assert run("add", "sql", "w", "--url", url) == 0
    assert run("check", "systems", "--live") == 1
    assert "NOT_CONNECTED w: not given: variable W_URL." in capsys.readouterr().out
    monkeypatch.setenv("W_URL", f"sqlite:///{tmp_path / 'gone.db'}")
    assert run("check", "systems", "--live") == 1
    assert "CANNOT_ASK w: The database cannot be reached." in capsys.readouterr().out


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_in_the_docs(code: str) -> None:
    assert f"`{code}`" in (ROOT / "docs" / "adding-a-system.md").read_text(encoding="utf-8")
