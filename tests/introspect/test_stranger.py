"""The stranger's path: who has never seen the hub goes from nothing to a federated answer. Commands and edited lines are counted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from demo.native import FUNDS
from demo.seed import FIXTURES, world
from demo.supervisor import FUND_SECRET, FUND_USER, Departments
from tests.connectors.brokers import address, subject
from tests.connectors.databases import postgres
from tests.connectors.loopback import served
from tests.house.files import ROOT
from tests.introspect.shell import elsewhere, ran
from tests.introspect.small import USCCS
from tests.introspect.test_graphs import service
from tests.introspect.test_openapi import answers, envelope, query

__all__ = ["elsewhere"]
pytestmark = pytest.mark.usefixtures("elsewhere")

MOST_COMMANDS, MOST_LINES = 2, 5
DDL = (
    'CREATE TABLE "T_SBXX" ("SBBH" varchar(20) PRIMARY KEY, "TYSHXYDM" varchar(18), "YSL" numeric(10, 2), '
    '"CBRQ" char(8), "LXDH" varchar(20))',
    "COMMENT ON TABLE \"T_SBXX\" IS '水表信息'",
    "COMMENT ON COLUMN \"T_SBXX\".\"TYSHXYDM\" IS '统一社会信用代码'",
    "COMMENT ON COLUMN \"T_SBXX\".\"CBRQ\" IS '抄表日期'",
)  # fmt: skip
INSERT = 'INSERT INTO "T_SBXX" VALUES (?, ?, ?, ?, ?)'
METERS = [(f"B{i}", USCCS[i // 2], f"{i}.50", f"2024010{i + 1}", f"1380000000{i}") for i in range(6)]
DOCS = ROOT / "docs" / "adding-a-system.md"


@dataclass
class Steps:
    """What a person did."""

    commands: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    async def command(self, *arguments: str) -> None:
        self.commands.append("hub " + " ".join(arguments))
        assert await ran(*arguments) == 0, self.commands[-1]

    def edit(self, *lines: str) -> None:
        """Write lines at the end of hub.toml."""
        self.lines += lines
        with Path("hub.toml").open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def is_short(self) -> bool:
        return len(self.commands) <= MOST_COMMANDS and len(self.lines) <= MOST_LINES


async def test_from_a_table_of_postgresql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = Steps()
    async with postgres(tmp_path, DDL, INSERT, METERS) as database:
        await done.command(
            "add", "sql", "waterMeter", "--url", database.url, "--schema", database.schema, "--title", "水表", "--owner", "省建设厅"
        )
        text = (tmp_path / "systems" / "waterMeter.graphql").read_text(encoding="utf-8")
        done.edit("[variables]", f'WATER_METER_URL = "{database.url}"')
        capsys.readouterr()
        await done.command("dev", "--ask", f'{{ enterprise(uscc: "{USCCS[1]}") {{ sbxxs {{ meterNo waterUsed cbrq }} }} }}')
    assert json.loads(capsys.readouterr().out) == {
        "data": {"enterprise": {"sbxxs": [{"meterNo": f"B{i}", "waterUsed": f"{i}.50", "cbrq": f"2024-01-0{i + 1}"} for i in (2, 3)]}}
    }
    assert done.is_short(), done
    shown = re.search(r"^```graphql\n(# 水表: proposed.*?)^```$", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert shown
    assert shown[1] == text.replace(database.schema, "water"), "the page shows what is written"


def described() -> dict[str, Any]:
    text = {"type": "string"}
    row = {"nsrsbh": {**text, "description": "纳税人识别号"}, "nsxydj": {**text, "description": "纳税信用等级"}}
    listed = {"type": "object", "properties": {"list": {"type": "array", "items": {"type": "object", "properties": row}}}}
    asked = [query("nsrsbh", "纳税人识别号，多个以逗号分隔")]
    return {
        "openapi": "3.0.3",
        "info": {"title": "电子税务局", "version": "1"},
        "paths": {"/api/nsrxx": {"get": {"parameters": asked, "responses": answers(envelope(listed))}}},
        "components": {"securitySchemes": {"app": {"type": "apiKey", "in": "header", "name": "X-App-Key"}}},
    }


async def test_from_an_openapi_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def docs(request: web.Request) -> web.Response:
        return web.json_response(described())

    async def taxpayers(request: web.Request) -> web.Response:
        assert request.headers["X-App-Key"] == "k"
        rows = [{"nsrsbh": code, "nsxydj": "A"} for code in request.query["nsrsbh"].split(",")]
        return web.json_response({"code": "0", "data": {"list": rows}})

    done = Steps()
    async with served(web.get("/v3/api-docs", docs), web.get("/api/nsrxx", taxpayers)) as base:
        await done.command("add", "rest", "tax", "--openapi", f"{base}/v3/api-docs", "--owner", "省税务局")
        done.edit("[secrets]", 'folder = "secrets"', "[variables]", f'TAX_URL = "{base}"')
        secret("tax.key", "k")
        done.lines.append("k")
        capsys.readouterr()
        await done.command("dev", "--ask", f'{{ enterprise(uscc: "{USCCS[1]}") {{ taxCreditGrade }} }}')
    assert json.loads(capsys.readouterr().out) == {"data": {"enterprise": {"taxCreditGrade": "A"}}}
    assert done.is_short(), done


def secret(name: str, value: str) -> None:
    Path("secrets").mkdir()
    Path("secrets", name).write_text(value, encoding="utf-8")


async def test_from_a_graphql_service(capsys: pytest.CaptureFixture[str]) -> None:
    done = Steps()
    async with service() as url:
        await done.command("add", "graphql", "shops", "--url", url, "--title", "公平在线", "--owner", "省市场监管局")
        done.edit("[variables]", f'SHOPS_URL = "{url}"')
        capsys.readouterr()
        await done.command("dev", "--ask", f'{{ enterprise(uscc: "{USCCS[0]}") {{ headcount shops {{ shopName state }} }} }}')
    assert json.loads(capsys.readouterr().out) == {
        "data": {"enterprise": {"headcount": 7, "shops": [{"shopName": f"店{i}", "state": "OPEN"} for i in (0, 1)]}}
    }
    assert done.is_short(), done


async def test_from_a_wsdl(capsys: pytest.CaptureFixture[str]) -> None:
    done = Steps()
    async with Departments(["socialFundWithholding"], enterprises=5) as departments:
        url, given = departments.url("socialFundWithholding"), departments.environment()
        await done.command("add", "soap", "fund", "--wsdl", f"{url}?wsdl", "--owner", "省人社厅")
        secrets = [f'HUB_SECRET_FUND_USER = "{given[FUND_USER]}"', f'HUB_SECRET_FUND_PASSWORD = "{given[FUND_SECRET]}"']
        done.edit("[variables]", f'FUND_URL = "{url}"', *secrets)
        capsys.readouterr()
        await done.command("dev", "--ask", f'{{ enterprise(uscc: "{FIXTURES[1][0]}") {{ name sfqf qfys xz {{ code headcount }} }} }}')
    unit = world(enterprises=5).insured_units[1]
    assert json.loads(capsys.readouterr().out)["data"]["enterprise"] == {
        "name": unit.name,
        "sfqf": True,
        "qfys": unit.months_in_arrears,
        "xz": [{"code": FUNDS[one.fund], "headcount": one.headcount} for one in unit.contributions],
    }
    assert done.is_short(), done


async def test_from_a_folder_of_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = Steps()
    folder = tmp_path / "in"
    folder.mkdir()
    rows = "".join(f"B{i},{code},{used},{read}\n" for i, (_, code, used, read, _) in enumerate(METERS))
    (folder / "水表-2023Q4.csv").write_text("水表编号,统一社会信用代码,用水量,抄表日期\n", encoding="gb18030")
    (folder / "水表-2024Q1.csv").write_text("水表编号,统一社会信用代码,用水量,抄表日期\n" + rows, encoding="gb18030")
    firms = "".join(f"{code},企业{i}\n" for i, code in enumerate(USCCS))
    (folder / "企业名单.csv").write_text("统一社会信用代码,企业名称\n" + firms, encoding="gb18030")
    await done.command("add", "files", "waterMeter", "in", "--title", "水表", "--owner", "省建设厅")
    done.edit("[variables]", f'WATER_METER_URL = "{folder}"')
    capsys.readouterr()
    await done.command(
        "dev", "--ask", f'{{ enterprise(uscc: "{USCCS[1]}") {{ name waterMeters {{ meterNo waterUsed readOn: column4 }} }} }}'
    )
    answer = json.loads(capsys.readouterr().out)
    meters = [{"meterNo": f"B{i}", "waterUsed": f"{i}.50", "readOn": f"2024-01-0{i + 1}"} for i in (2, 3)]
    assert answer == {"data": {"enterprise": {"name": "企业1", "waterMeters": meters}}}
    assert done.is_short(), done
    assert (len(done.commands), len(done.lines)) == (2, 2)


async def test_from_a_stream(capsys: pytest.CaptureFixture[str]) -> None:
    done, broker = Steps(), address("HUB_TEST_NATS")
    async with subject(broker) as topic, service() as shops:
        await topic.publish(*(json.dumps({"tyshxydm": code, "pwzt": f"状态{i}"}).encode() for i, code in enumerate(USCCS)))
        await done.command("add", "stream", "permits", broker, topic.path, "--title", "排污许可", "--owner", "省生态环境厅")
        done.edit("[variables]", f'PERMITS_URL = "{broker}"')
        capsys.readouterr()
        await done.command("dev", "--ask", f'{{ enterprise(uscc: "{USCCS[1]}") {{ pwzt }} }}')
        assert json.loads(capsys.readouterr().out) == {"data": {"enterprise": {"pwzt": "状态1"}}}
        assert done.is_short(), done
        assert (len(done.commands), len(done.lines)) == (2, 2)
        await ran("add", "graphql", "shops", "--url", shops)
        done.edit(f'SHOPS_URL = "{shops}"')
        capsys.readouterr()
        await ran("dev", "--ask", f'{{ enterprise(uscc: "{USCCS[0]}") {{ name pwzt shops {{ shopId }} }} }}')
    enterprise = {"name": "甲公司", "pwzt": "状态0", "shops": [{"shopId": "s0"}, {"shopId": "s1"}]}
    assert json.loads(capsys.readouterr().out) == {"data": {"enterprise": enterprise}}


async def test_systems_added_one_after_the_other_answer_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = Steps()
    async with postgres(tmp_path, DDL, INSERT, METERS) as database, service() as url:
        await done.command("add", "sql", "waterMeter", "--url", database.url, "--schema", database.schema)
        await done.command("add", "graphql", "shops", "--url", url)
        done.edit("[variables]", f'WATER_METER_URL = "{database.url}"', f'SHOPS_URL = "{url}"')
        capsys.readouterr()
        asked = f'{{ enterprise(uscc: "{USCCS[0]}") {{ name sbxxs {{ meterNo }} shops {{ shopId }} }} }}'
        await done.command("dev", "--ask", asked)
    assert json.loads(capsys.readouterr().out) == {
        "data": {
            "enterprise": {
                "name": "甲公司",
                "sbxxs": [{"meterNo": "B0"}, {"meterNo": "B1"}],
                "shops": [{"shopId": "s0"}, {"shopId": "s1"}],
            }
        }
    }
