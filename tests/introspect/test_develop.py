"""The author's loop without systems: ``hub new``, ``hub dev --mock``, ``hub test``, ``hub doctor``."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from hub.cli import doctoring
from hub.config import Config, Http
from hub.store.migrate import head
from tests.connectors.loopback import free, served
from tests.house.files import ROOT
from tests.introspect.shell import elsewhere, run
from tests.introspect.small import USCCS
from tests.introspect.test_try import manifest

__all__ = ["elsewhere"]
pytestmark = pytest.mark.usefixtures("elsewhere")

WATER = f"""\
extend schema @system(name: "water", title: "水表", owner: "水务局") @sql(url: "${{WATER_URL}}")
extend type Query {{
  "水表\\nA meter"
  meter(meterNo: ID! @is(field: "meterNo")): Meter @grade(level: L2)
}}
type Enterprise @key(fields: "uscc") @table(name: "T_QY", key: ["DM"]) @mock(file: "mock/firms.json") {{
  uscc: USCC!
  name: String @from(path: "MC")
  establishedOn: Date @from(path: "RQ", format: "yyyyMMdd")
}}
extend type Enterprise {{
  "水表\\nIts meters"
  meters: [Meter!] @grade(level: L2) @join(on: "DM = uscc", many: true)
}}
"水表\\nA meter"
type Meter @key(fields: "meterNo") @table(name: "T_SB", key: ["BH"]) @entity(existence: ANCHOR, coverage: COMPLETE)
  @mock(rows: [{{BH: "B1", DM: "{USCCS[0]}", YSL: "1.5"}}, {{BH: "B2", DM: "{USCCS[0]}", YSL: "2"}}]) {{
  "表号\\nNumber"
  meterNo: ID! @grade(level: L2)
  "用水量\\nWater used"
  used: Decimal @grade(level: L2) @from(path: "YSL")
}}
"""
QUERY = f'{{ enterprise(uscc: "{USCCS[0]}") {{ name establishedOn meters {{ meterNo used }} }} meter(meterNo: "B2") {{ used }} }}'
ANSWER = {
    "data": {
        "enterprise": {
            "name": "甲",
            "establishedOn": "2024-01-31",
            "meters": [{"meterNo": "B1", "used": "1.5"}, {"meterNo": "B2", "used": "2"}],
        },
        "meter": {"used": "2"},
    }
}


@pytest.fixture
def water(elsewhere: Path) -> Path:
    manifest("water", WATER)
    (elsewhere / "systems" / "mock").mkdir()
    firms(elsewhere, [{"DM": USCCS[0], "MC": "甲", "RQ": "20240131"}])
    return elsewhere


def firms(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "systems" / "mock" / "firms.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


# --- dev ----------------------------------------------------------------------------------------------------------------------


def test_mocked_systems_answer_offline(water: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dev", "--mock", "--ask", QUERY) == 0
    assert json.loads(capsys.readouterr().out) == ANSWER
    (water / "query.graphql").write_text(QUERY, encoding="utf-8")
    assert run("dev", "--mock", "--ask", "query.graphql") == 0


def test_without_mock_what_is_not_given_is_told(water: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dev", "--ask", QUERY) == 1
    told = capsys.readouterr()
    assert "water is not connected: not given: variable WATER_URL" in told.err
    assert "SYSTEM_CONFIG" in told.out


def test_a_hub_for_the_author_takes_changes_over(water: Path) -> None:
    command = [str(Path(sys.executable).with_name("hub")), "dev", "--mock", "--port", str(free())]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        said: dict[str, str] = {}
        while "token" not in said:
            line = process.stdout.readline()
            assert line, "it ended"
            word, _, rest = line.strip().partition(" ")
            said[word] = rest.strip()
        assert post(said["GraphQL"], said["token"], QUERY) == ANSWER
        text = WATER.replace('"用水量\\nWater used"\n  used', '"用水量\\nWater used"\n  consumed')
        (water / "systems" / "water.graphql").write_text(text, encoding="utf-8")
        changed = QUERY.replace("used", "consumed")
        process.send_signal(signal.SIGHUP)  # at once, not with the next look at the folder
        until = time.monotonic() + 20
        while "errors" in post(said["GraphQL"], said["token"], changed):
            assert time.monotonic() < until, "the change was not taken over"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        if process.stdout is not None:
            process.stdout.close()


def post(url: str, token: str, query: str) -> Any:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}", "accept": "application/json"}
    sent = urllib.request.Request(url, json.dumps({"query": query}).encode(), headers)
    with urllib.request.urlopen(sent, timeout=10) as answer:
        return json.load(answer)


# --- test ---------------------------------------------------------------------------------------------------------------------


def test_a_manifest_reads_its_own_rows(water: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", "systems/water.graphql") == 0
    told = capsys.readouterr().out
    assert "FAIL" not in told
    assert "ok   systems/water.graphql: water.T_SB: 2 rows are read" in told
    assert f'enterprise(uscc: "{USCCS[0]}") {{ meters {{ used meterNo }} }}' in told or "meters {" in told


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('format: "yyyyMMdd"', 'format: "yyyy-MM-dd"', "Enterprise.establishedOn: a value at 'RQ' cannot be read as Date"),
        ('@from(path: "MC")', '@from(path: "MCH")', "Enterprise.name: no row has anything at 'MCH'"),
        ('@join(on: "DM = uscc"', '@join(on: "DMX = uscc"', "water.Enterprise.meters: no row has the key 'uscc' at 'DMX'"),
        ('@mock(file: "mock/firms.json")', '@mock(file: "mock/none.json")', "mock/none.json cannot be read: FileNotFoundError"),
        ('@mock(file: "mock/firms.json")', "", "write @mock on type Enterprise"),
    ],
)
def test_what_a_manifest_reads_wrongly_is_told(before: str, after: str, said: str, water: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert before in WATER
    (water / "systems" / "water.graphql").write_text(WATER.replace(before, after), encoding="utf-8")
    assert run("test", "systems/water.graphql") == 1
    assert said in capsys.readouterr().out


def test_a_manifest_without_rows_is_not_tested(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("new", "cases", "--kind", "sql") == 0
    assert run("test", "systems/cases.graphql") == 1
    assert "write @mock(rows: […])" in capsys.readouterr().out
    assert run("test", "systems/none.graphql") == 1


# --- new ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rest", "sql", "soap", "graphql", "grpc"])
def test_an_empty_manifest_is_without_fault(kind: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("new", "waterMeter", "--kind", kind, "--title", "水表") == 0
    text = (elsewhere / "systems" / "waterMeter.graphql").read_text(encoding="utf-8")
    assert ("${WATER_METER_ADDRESS}" if kind == "grpc" else "${WATER_METER_URL}") in text
    assert run("check", "systems") == 0
    assert run("new", "waterMeter", "--kind", kind) == 1
    assert "is not overwritten" in capsys.readouterr().err


# --- doctor -------------------------------------------------------------------------------------------------------------------


def test_the_doctor_looks_and_shows_no_secret(water: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HUB_HTTP_PORT", "0")
    monkeypatch.setenv("WATER_URL", "postgresql://reader:t0p-secret@db/water")
    assert run("doctor") == 0
    told = capsys.readouterr().out
    assert "t0p-secret" not in told
    assert "ok    system     water: address is given" in told
    assert "ok    store      SQLite, not there yet" in told
    assert not (water / "var").exists()
    assert run("migrate") == 0
    capsys.readouterr()
    assert run("doctor") == 0
    assert f"ok    store      revision {head()}" in capsys.readouterr().out
    (water / "var" / "hub.key").chmod(0o644)
    assert run("doctor") == 1
    assert "FAIL  key file   others may read it (mode 644): chmod 600" in capsys.readouterr().out


async def test_the_doctor_asks_a_hub_that_runs_already_how_its_systems_are() -> None:
    def said(checks: dict[str, bool], systems: dict[str, int]) -> web.RouteDef:
        async def ready(_: web.Request) -> web.StreamResponse:
            return web.json_response({"checks": checks, "systems": systems}, status=200 if all(checks.values()) else 503)

        return web.get("/readyz", ready)

    async def lines(*routes: web.RouteDef) -> list[tuple[str, str, str]]:
        async with served(*routes) as address:
            port = int(address.rpartition(":")[2])
            return [(line.state, line.what, line.said) for line in await doctoring._port(Config(http=Http(port=port)))]

    [port, health] = await lines(said({"store": True}, {"OK": 7, "DEGRADED": 0, "DOWN": 0, "UNKNOWN": 1}))
    assert (port[:2], health) == (("ok", "port"), ("ok", "health", "systems: 7 OK, 1 UNKNOWN"))
    [_, unready, ill] = await lines(said({"store": False}, {"OK": 7, "DEGRADED": 0, "DOWN": 1, "UNKNOWN": 0}))
    assert unready == ("FAIL", "hub", "it is not ready: store")
    assert ill[:2] == ("note", "health")
    assert ill[2].startswith("systems: 7 OK, 1 DOWN; operators see which and why")
    [other] = await lines()
    assert other[0] == "FAIL"


def test_the_doctor_tells_what_is_in_the_way(water: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (water / "systems" / "water.graphql").write_text(WATER + "type {", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("HUB_HTTP_PORT", str(taken.getsockname()[1]))
        monkeypatch.setattr(doctoring, "_PATIENCE", 0.05)
        assert run("doctor") == 1
    told = capsys.readouterr().out
    assert "FAIL  manifests  1 error below" in told
    assert "cannot be listened on: Address already in use" in told
    assert "2 to be mended" in told
    (water / "hub.toml").write_text("[http]\nprot = 1\n", encoding="utf-8")
    assert run("doctor") == 2
    assert "Did you mean `port`?" in capsys.readouterr().out
