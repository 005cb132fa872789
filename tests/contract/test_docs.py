"""What docs/connectors.md shows is what ``hub new connector`` writes and passes the contract; its tables name every setting."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from connectors.contract import ROWS, Contract, World
from connectors.files.words import Words as FilesWords
from connectors.graphql_document import Words as GraphqlWords
from connectors.kinds import KINDS, load
from connectors.rest.place import Words as RestWords
from connectors.settings import word
from connectors.soap.place import Words as SoapWords
from connectors.sql.statement import Words as SqlWords
from connectors.template.test_gateway import TestGateway as TestGateway  # the contract, collected here

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")


def test_the_page_shows_the_template() -> None:
    (code, *_) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code == (ROOT / "connectors" / "template" / "gateway.py").read_text(encoding="utf-8")
PAGE = (Path(__file__).parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
SHOWN: Any = sys.modules.setdefault("shown_gateway", ModuleType("shown_gateway"))
exec(compile(CODE, "docs/connectors.md", "exec", dont_inherit=True), vars(SHOWN))
Gateway, GatewaySettings = SHOWN.Gateway, SHOWN.GatewaySettings

SECRET = "gateway-secret-4711"
FIELDS = tuple(Field(name, name) for name in ("id", "holder", "name", "level", "issuedOn"))
EVERYTHING = Relation("everything", FIELDS, Options({"name": "ZZ"}))
BY_ID = Relation("byId", FIELDS, Options({"name": "ZZ"}), keys=("id",), max_keys=20)
RELATIONS = (EVERYTHING, BY_ID)
STUCK = Relation("stuck", FIELDS, Options({"name": "WAIT"}))


async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The department's side."""
    try:
        question = json.loads(await reader.readline())
        assert question["password"] == SECRET
        if question.get("table") == "WAIT":
            await reader.read()  # until the hub hangs up
        elif "tables" in question:
            writer.write(json.dumps({"ZZ": list(ROWS[0])}).encode() + b"\n")
        else:
            keys = [tuple(key) for key in question["keys"]]
            rows = [row for row in ROWS if not question["by"] or tuple(row[name] for name in question["by"]) in keys]
            writer.write(json.dumps(rows).encode() + b"\n")
            await writer.drain()
    finally:
        writer.close()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write("系统维护中\n".encode())
    writer.close()


class TestGateway(Contract):
    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        well, ill = await asyncio.start_server(gateway, "127.0.0.1", 0), await asyncio.start_server(nonsense, "127.0.0.1", 0)
        async with well, ill:
            options = {"host": "127.0.0.1", "port": well.sockets[0].getsockname()[1], "password": Secret(SECRET)}
            made = [
                Gateway(GatewaySettings.of({**options, "port": port}))
                for port in (options["port"], nobody(), ill.sockets[0].getsockname()[1])
            ]
            yield World(
                connector=made[0],
                relations=RELATIONS,
                stuck=STUCK,
                gone=(made[1], EVERYTHING),
                garbage=(made[2], EVERYTHING),
                options=options,
                secret=SECRET,
            )


def test_it_is_short() -> None:
    code = (ROOT / "connectors" / "template" / "gateway.py").read_text(encoding="utf-8")
    body = code[code.index("@dataclass") :]
    assert len([line for line in body.splitlines() if line.strip()]) < 40


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_is_documented(kind: str) -> None:
    words = {"rest": RestWords, "sql": SqlWords, "graphql": GraphqlWords, "soap": SoapWords}[kind]
    words = {"rest": RestWords, "sql": SqlWords, "graphql": GraphqlWords, "files": FilesWords}[kind]
    section = PAGE[PAGE.index(f"\n### {kind}\n") :].split("\n### ")[1]
    missing = [word(one.name) for one in (*fields(load(kind).Settings), *fields(words)) if f"`{word(one.name)}`" not in section]
    assert [name for name in missing if name not in ("cache", "stale")] == []
