"""The contract of connectors over ``gateway``, with a department's side that holds the contract's rows and speaks the real protocol."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.contract import ROWS, Contract, World
from connectors.spi import Field, Options, Relation, Secret
from connectors.template.gateway import Gateway, GatewaySettings

SECRET = "not-for-anybody-4711"
FIELDS = tuple(Field(name, name) for name in ("id", "holder", "name", "level", "issuedOn"))
EVERYTHING = Relation("everything", FIELDS, Options({"name": "ZZ"}))
BY_ID = Relation("byId", FIELDS, Options({"name": "ZZ"}), keys=("id",), max_keys=20)
RELATIONS = (EVERYTHING, BY_ID)
STUCK = Relation("stuck", FIELDS, Options({"name": "WAIT"}))


async def department(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers one question."""
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
    writer.close()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers what nobody can read."""
    await reader.readline()
    writer.write("系统维护中\n".encode())
    writer.close()


def nobody() -> int:
    """A port where nobody listens."""
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        return int(there.getsockname()[1])


class TestGateway(Contract):
    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        well, ill = [await asyncio.start_server(each, "127.0.0.1", 0) for each in (department, nonsense)]
        async with well, ill:
            options = {"host": "127.0.0.1", "port": well.sockets[0].getsockname()[1], "secret": Secret(SECRET)}
            ports = (options["port"], nobody(), ill.sockets[0].getsockname()[1])
            made, gone, garbage = (Gateway(GatewaySettings.of({**options, "port": port})) for port in ports)
            yield World(
                connector=made,
                relations=RELATIONS,
                stuck=STUCK,
                gone=(gone, EVERYTHING),
                garbage=(garbage, EVERYTHING),
                options=options,
                secret=SECRET,
            )
