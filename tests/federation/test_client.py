"""A real client, three real subgraphs and the hub, each a process of its own: ``@apollo/client`` over HTTP.

One subgraph is killed and started again, and the client sees what it alone knows go and come back.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.estate import PORTS
from tests.federation.compose import DEMO, HERE, installed, node
from tests.federation.test_serving import hub, said_by
from tests.house.files import ROOT

pytestmark = pytest.mark.npm
KEYS = {"Enterprise": ["uscc"], "Permit": ["number"], "Inspection": ["no"], "Fine": ["no"], "Rectification": ["no"]}
QUESTION = """
query Enterprise($uscc: ID!, $briefly: Boolean = false) {
  enterprise(uscc: $uscc) { ...Card inspections { no result ...Led permit { number title } } }
}
fragment Card on Enterprise { uscc name visitsAYear permits @skip(if: $briefly) { number title validUntil } }
fragment Led on Inspection { measures { no ...Measured ... on Fine { yuan } } }
fragment Measured on Measure { date ... on Rectification { until } }
"""
ORDER = """
mutation Order($no: ID!, $until: String!) {
  rectify(no: $no, until: $until) { no measures { no date ... on Rectification { until } } }
}
"""
UNDECIDED = {"uscc": "91330108MA2HYD5X3A"}


@asynccontextmanager
async def subgraph(name: str, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """One of the demo's subgraphs as a process that listens; killed on leaving."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "demo.estate", f"{name}={port}", env=env)
    try:
        async with asyncio.timeout(60):
            while not await _listens(port):
                assert process.returncode is None, f"{name} has ended"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await asyncio.sleep(0.02)
        return False
    writer.close()
    return True


@asynccontextmanager
async def apollo(address: str) -> AsyncIterator[Any]:
    """A function that asks through the client: text and variables -> data, errors, and what went over the wire."""
    installed()
    given = (address, json.dumps({"Measure": ["Fine", "Rectification"]}), json.dumps(KEYS))
    command = (*node().node(), str(HERE / "client.mjs"), *given)
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    writer, reader = process.stdin, process.stdout

    async def ask(text: str, variables: dict[str, Any], source: str = "network-only", persisted: bool = False) -> dict[str, Any]:
        line = {"text": text, "variables": variables, "from": source, "persisted": persisted}
        writer.write(json.dumps(line).encode() + b"\n")
        found: dict[str, Any] = json.loads(await reader.readline())
        assert "failed" not in found, found["failed"]
        return found

    try:
        yield ask
    finally:
        writer.close()
        await process.wait()


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[tuple[Any, dict[str, int], AsyncExitStack]]:
    """A client of the hub over two of the subgraphs; the third, permits, is the test's to start."""
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in PORTS}
    ports = {name: one.getsockname()[1] for name, one in sockets.items()}
    for one in sockets.values():
        one.close()
    urls = [word for name, port in ports.items() for word in ("--url", f"{name}=http://127.0.0.1:{port}/graphql")]
    async with AsyncExitStack() as stack:
        for name in ("enterprises", "inspections"):
            await stack.enter_async_context(subgraph(name, ports[name]))
        process = await stack.enter_async_context(hub(folder, "--supergraph", str(DEMO), *urls))
        address = (await said_by(process, "个子图")).split()[3]
        await said_by(process, "Started server")
        yield await stack.enter_async_context(apollo(address)), ports, stack


async def test_a_client_sees_the_estate_as_one_service_while_a_subgraph_goes_and_comes_back(tmp_path: Path) -> None:
    async with world(tmp_path) as (ask, ports, _):
        async with subgraph("permits", ports["permits"]):
            whole = await ask(QUESTION, UNDECIDED)
        assert whole["errors"] == []
        found = whole["data"]["enterprise"]
        assert [one["title"] for one in found["permits"]] == ["危险化学品经营许可", "道路运输经营许可"]
        assert found["inspections"][0]["measures"] == [
            {"__typename": "Fine", "no": "F-1", "date": "2026-04-20", "yuan": 5000},
            {"__typename": "Rectification", "no": "Z-1", "date": "2026-04-20", "until": "2026-06-30"},
        ]

        gone = await ask(QUESTION, UNDECIDED)
        assert gone["data"]["enterprise"] == {
            **found,
            "permits": None,
            "inspections": [{**one, "permit": None} for one in found["inspections"]],
        }
        assert {error["extensions"]["code"] for error in gone["errors"]} == {"SYSTEM_DOWN"}
        assert sorted(".".join(map(str, error["path"])) for error in gone["errors"]) == [
            "enterprise.inspections.0.permit.title",
            "enterprise.inspections.1.permit.title",
            "enterprise.permits",
        ]

        async with subgraph("permits", ports["permits"]):
            assert await ask(QUESTION, UNDECIDED) == whole


async def test_what_is_changed_is_seen_in_the_clients_own_cache(tmp_path: Path) -> None:
    """By the type names that the client asked for, of whatever it asked by an interface."""
    async with world(tmp_path) as (ask, _, _):
        briefly = {**UNDECIDED, "briefly": True}
        before = await ask(QUESTION.replace("permit { number title }", ""), briefly)
        assert before["errors"] == []
        changed = await ask(ORDER, {"no": "J-2", "until": "2026-09-30"})
        assert changed["data"]["rectify"]["measures"][-1] == {
            "__typename": "Rectification",
            "no": "Z-3",
            "date": "2026-06-01",
            "until": "2026-09-30",
        }
        kept = await ask(QUESTION.replace("permit { number title }", ""), briefly, source="cache-only")
        assert kept["sent"] == []
        assert [one["no"] for one in kept["data"]["enterprise"]["inspections"][0]["measures"]] == ["F-1", "Z-1", "Z-3"]


async def test_a_client_that_sends_hashes_of_its_queries_is_answered(tmp_path: Path) -> None:
    text = "query Names { enterprises { uscc name } }"
    async with world(tmp_path) as (ask, _, _):
        plain = await ask(text, {})
        first, second = await ask(text, {}, persisted=True), await ask(text, {}, persisted=True)
        assert first["data"] == second["data"] == plain["data"]
        assert [one["text"] for one in first["sent"]] == [False, True]
        assert [one["text"] for one in second["sent"]] == [False]
