"""``hub add`` as a person runs it: what is written, what is refused, and that nothing is overwritten."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.introspect.shell import elsewhere, run
from tests.introspect.small import USCCS

__all__ = ["elsewhere"]
pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture
def database(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "water.db")) as connection:
        connection.execute("CREATE TABLE T_SBXX (SBBH TEXT PRIMARY KEY, TYSHXYDM TEXT, YSL NUMERIC)")
        connection.executemany("INSERT INTO T_SBXX VALUES (?, ?, ?)", [(f"B{i}", code, i) for i, code in enumerate(USCCS)])
        connection.commit()
    return f"sqlite:///{tmp_path / 'water.db'}"


def test_a_manifest_is_written_checked_and_never_overwritten(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ["add", "sql", "waterMeter", "--url", database, "--title", "水表", "--owner", "省建设厅", "--department", "housing"]
    assert run(*said) == 0
    told = capsys.readouterr().out
    assert told.startswith("wrote systems/housing/waterMeter.graphql: 1 relation, 0 fields bound, 4 contributed (0 of them L3)")
    assert "WATER_METER_URL" in told
    file = tmp_path / "systems" / "housing" / "waterMeter.graphql"
    before = file.read_text(encoding="utf-8")
    assert '@system(name: "waterMeter", title: "水表", owner: "省建设厅")' in before
    assert str(tmp_path) not in before
    assert run("check", "systems") == 0
    assert run(*said) == 1
    assert "is there already and is not overwritten" in capsys.readouterr().err
    assert run(*said[:-1], "elsewhere") == 1
    assert "is described in systems/housing/waterMeter.graphql already" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == before


def test_a_password_need_not_stand_on_the_command_line(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", "sql", "waterMeter") == 1
    assert "Not given: variable WATER_METER_URL" in capsys.readouterr().err
    monkeypatch.setenv("WATER_METER_URL", database)
    assert run("add", "sql", "waterMeter", "--print") == 0
    assert run("add", "sql", "other", "--url", "${WATER_METER_URL}", "--print") == 0


def test_print_writes_nothing(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", "sql", "water", "--url", database, "--print") == 0
    assert "@sql(url: " in capsys.readouterr().out
    assert not (tmp_path / "systems").exists()


def test_out_names_the_file(database: str, tmp_path: Path) -> None:
    assert run("add", "sql", "water", "--url", database, "--out", "new/w.graphql") == 0
    assert (tmp_path / "new" / "w.graphql").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a-b", "--url", "sqlite:///water.db"], "is no name of a system"),
        (["water", "--url", "sqlite:///water.db", "--table", "T_SB"], "missing: There is no table 'T_SB'; there are: T_SBXX."),
        (["water", "--url", "sqlite:///none.db"], "down: The database cannot be reached."),
        (["water", "--url", "db2://x"], "config: no database is known by 'db2'"),
    ],
)
def test_what_cannot_be_read_is_told(arguments: list[str], said: str, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", "sql", *arguments) == 1
    assert said in capsys.readouterr().err


def test_rest_and_graphql_are_added_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shops.graphql").write_text("type Query { firm(uscc: String!): Firm } type Firm { uscc: String! name: String }")
    assert run("add", "graphql", "shops", "--schema", "shops.graphql") == 0
    schema = {"type": "object", "properties": {"uscc": {"type": "string"}, "headcount": {"type": "integer"}}}
    answer = {"200": {"content": {"application/json": {"schema": schema}}}}
    asked = [{"name": "uscc", "in": "query", "required": True, "schema": {"type": "string"}}]
    security = {"b": {"type": "http", "scheme": "bearer"}}
    document = {
        "openapi": "3.0.0", "servers": [{"url": "https://cb.example"}], "components": {"securitySchemes": security},
        "paths": {"/cb": {"get": {"parameters": asked, "responses": answer}}},
    }  # fmt: skip
    (tmp_path / "cb.json").write_text(json.dumps(document))
    assert run("add", "rest", "social", "--openapi", "cb.json") == 0
    told = capsys.readouterr().out
    assert "give its address: SOCIAL_URL=https://cb.example in the environment" in told
    assert "give its secret: HUB_SECRET_SOCIAL_TOKEN" in told
    assert run("check", "systems") == 0


def test_a_header_is_written_with_a_colon(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", "rest", "x", "--openapi", "x.json", "--header", "abc") == 1
    assert "NAME: VALUE" in capsys.readouterr().err
    assert run("add", "graphql", "x") == 1
