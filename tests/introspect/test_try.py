"""``hub try``: a call shown whole, its credential as stars, and what cannot be read told by name."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from tests.connectors.loopback import nobody, served
from tests.introspect.shell import elsewhere, ran, run
from tests.introspect.small import USCCS

__all__ = ["elsewhere"]
pytestmark = pytest.mark.usefixtures("elsewhere")

CREDIT = """\
extend schema
  @system(name: "credit", title: "信用", owner: "发改委")
  @rest(base: "${CREDIT_URL}", auth: {kind: API_KEY, header: "X-App-Key", secret: "credit.key"})
type Query {
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup
    @get(path: "/xydj?dm={keys}", at: "data.list", batch: {by: "uscc", match: "dm", max: 10})
}
type Enterprise @key(fields: "uscc") {
  uscc: USCC! @from(path: "dm")
  establishedOn: Date @from(path: "rq", format: "yyyyMMdd")
  creditScore: CreditScore @from(expr: "{score: pf, grade: dj}")
}
type CreditScore { score: Int  grade: CreditGrade }
"""


def manifest(name: str, text: str) -> None:
    Path("systems").mkdir(exist_ok=True)
    Path("systems", f"{name}.graphql").write_text(text, encoding="utf-8")


async def test_a_call_is_shown_whole_credentials_as_stars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    keys: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        keys.append(request.headers["X-App-Key"])
        rows = [{"dm": code, "rq": "20240131", "pf": 812, "dj": "A"} for code in request.query["dm"].split(",")]
        return web.json_response({"code": "0", "data": {"list": rows}})

    manifest("credit", CREDIT)
    async with served(web.get("/xydj", answer)) as base:
        monkeypatch.setenv("CREDIT_URL", base)
        monkeypatch.setenv("HUB_SECRET_CREDIT_KEY", "t0p-secret")
        assert await ran("try", "credit.byUscc", f"uscc={USCCS[0]}", f"uscc={USCCS[1]}") == 0
    told = capsys.readouterr().out
    assert keys == ["t0p-secret"]
    assert "t0p-secret" not in told
    assert "X-App-Key: ****" in told
    assert f"GET {base}/xydj?dm={USCCS[0]},{USCCS[1]}" in told
    assert "reply 200" in told
    assert '"pf": 812' in told
    assert "rows: 2" in told
    assert '"20240131" -> "2024-01-31"' in told
    assert "problems: none" in told


@pytest.mark.parametrize("target", ["credit.Enterprise", "credit.creditScore", "credit.Enterprise.creditScore"])
async def test_values_that_cannot_be_read_are_told(
    target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"data": {"list": [{"dm": USCCS[0], "rq": "2024/1/31", "pf": "many", "dj": "AAA"}]}})

    manifest("credit", CREDIT)
    async with served(web.get("/xydj", answer)) as base:
        monkeypatch.setenv("CREDIT_URL", base)
        monkeypatch.setenv("HUB_SECRET_CREDIT_KEY", "k")
        assert await ran("try", target, f"uscc={USCCS[0]}") == 1
    told = capsys.readouterr().out
    assert "establishedOn: rq cannot be read as Date written as yyyyMMdd" in told
    assert "creditScore.score: pf cannot be read as Int" in told
    assert "creditScore.grade: dj cannot be read as CreditGrade" in told


def test_a_system_that_is_down_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    manifest("credit", CREDIT)
    monkeypatch.setenv("CREDIT_URL", f"http://127.0.0.1:{nobody()}")
    monkeypatch.setenv("HUB_SECRET_CREDIT_KEY", "k")
    assert run("try", "credit.byUscc", f"uscc={USCCS[0]}") == 1
    assert "down: The source cannot be reached." in capsys.readouterr().out


def test_a_table_is_tried_by_key_and_as_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        connection.execute("CREATE TABLE T (DM TEXT PRIMARY KEY, RS INTEGER)")
        connection.executemany("INSERT INTO T VALUES (?, ?)", [(code, i) for i, code in enumerate(USCCS)])
        connection.commit()
    monkeypatch.setenv("W_URL", f"sqlite:///{tmp_path / 'w.db'}")
    assert run("add", "sql", "w", "--url", f"sqlite:///{tmp_path / 'w.db'}") == 0
    capsys.readouterr()
    assert run("try", "w.T", f"uscc={USCCS[3]}") == 0
    told = capsys.readouterr().out
    assert 'FROM "T" WHERE "DM" IN (:keys)' in told
    assert "3 -> 3" in told
    assert run("try", "w.T.scan", "--rows", "2") == 0
    assert "rows: 2" in capsys.readouterr().out
    assert run("try", "w.T", "uscc=" + USCCS[0][:-1] + ("A" if USCCS[0][-1] != "A" else "B")) == 1
    assert "USCC: character 18" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["crdit.byUscc"], "There is no system 'crdit'. Did you mean 'credit'?"),
        (["credit.byUsc"], "credit has no 'byUsc'. Did you mean 'byUscc'? What can be tried: byUscc."),
        (["credit.byUscc", "uscc=1"], "not connected: not given: variable CREDIT_URL"),
    ],
)
def test_what_cannot_be_tried_says_what_can(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    manifest("credit", CREDIT)
    assert run("try", *arguments) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [([], "give uscc=…"), (["usc=1"], "it takes uscc"), (["uscc"], "Write NAME=VALUE"), (["uscc=1"], "USCC: character 2")],
)
def test_keys_are_asked_for_by_name(
    given: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest("credit", CREDIT)
    monkeypatch.setenv("CREDIT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HUB_SECRET_CREDIT_KEY", "k")
    assert run("try", "credit.byUscc", *given) == 1
    assert said in capsys.readouterr().err
