"""The demo's federation behind the hub: three subgraphs of another library answer one question, one goes and comes back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from strawberry.asgi import GraphQL

from demo.estate import PORTS, schema
from tests.federation.compose import DEMO, MARK
from tests.federation.estate import digest
from tests.federation.served import hub

QUESTION = """{
  enterprises { name visitsAYear permits { title holder { name } } inspections { result permit { title validUntil } } }
}"""


@asynccontextmanager
async def subgraph(name: str, listening: socket.socket) -> AsyncIterator[None]:
    """One of the demo's subgraphs in this process; gone on leaving."""
    config = uvicorn.Config(GraphQL(schema(name), graphql_ide=None), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def bound(port: int = 0) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))


def test_what_was_composed_is_up_to_date() -> None:
    expected = digest({name: schema(name).as_str() for name in PORTS})
    assert DEMO.read_text(encoding="utf-8").startswith(f"{MARK}{expected}\n"), "python -m tests.federation.compose"


async def test_three_subgraphs_answer_one_question_and_one_that_goes_costs_its_own_fields() -> None:
    sockets = {name: bound() for name in PORTS}
    ports = {name: one.getsockname()[1] for name, one in sockets.items()}
    urls = {name: f"http://127.0.0.1:{port}/" for name, port in ports.items()}
    async with (
        subgraph("enterprises", sockets["enterprises"]),
        subgraph("inspections", sockets["inspections"]),
        hub(DEMO.read_text(encoding="utf-8"), urls) as ask,
    ):
        async with subgraph("permits", sockets["permits"]):
            whole = await ask(QUESTION, {}, ())
        assert "errors" not in whole
        assert whole["data"]["enterprises"][2] == {
            "name": "钱江物流有限公司",
            "visitsAYear": 1,
            "permits": [
                {"title": "危险化学品经营许可", "holder": {"name": "钱江物流有限公司"}},
                {"title": "道路运输经营许可", "holder": {"name": "钱江物流有限公司"}},
            ],
            "inspections": [
                {"result": "整改", "permit": {"title": "危险化学品经营许可", "validUntil": "2026-12-31"}},
                {"result": "合格", "permit": {"title": "道路运输经营许可", "validUntil": "2029-01-31"}},
            ],
        }
        gone = await ask(QUESTION, {}, ())
        assert gone["data"]["enterprises"][2] == {
            "name": "钱江物流有限公司",
            "visitsAYear": 1,
            "permits": None,
            "inspections": [{"result": "整改", "permit": None}, {"result": "合格", "permit": None}],
        }
        assert {error["extensions"]["code"] for error in gone["errors"]} == {"SYSTEM_DOWN"}
        async with subgraph("permits", bound(ports["permits"])):
            assert await ask(QUESTION, {}, ()) == whole
