"""``hub serve --supergraph`` as a process: an existing federation behind the hub in one command."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.federation.estate import running
from tests.federation.estates import ESTATES
from tests.house.files import ROOT

ESTATE = next(one for one in ESTATES if one.name == "faults")


@asynccontextmanager
async def hub(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    command = (sys.executable, "-c", "from hub.cli import main; main()", "serve", "--port", "0", *arguments)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=env, stderr=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_federation_moves_behind_the_hub_in_one_command(tmp_path: Path) -> None:
    (tmp_path / "supergraph.graphql").write_text(ESTATE.composed(), encoding="utf-8")
    async with running(ESTATE) as there:
        urls = [word for name, url in there.urls.items() for word in ("--url", f"{name}={url}")]
        async with hub(tmp_path, "--supergraph", "supergraph.graphql", *urls) as process:
            address = await said_by(process, "个子图")
            async with aiohttp.ClientSession() as session:
                answer = await asked(session, address.split()[3], "{ enterprises { name fee } }")
                assert answer == there.monolith("{ enterprises { name fee } }")
                assert there.calls() == {"register": 1, "fees": 1}
                there.subgraphs["fees"].down = True
                answer = await asked(session, address.split()[3], "{ enterprises { name fee } }")
                assert [one["fee"] for one in answer["data"]["enterprises"]] == [None] * 3
                assert {one["extensions"]["code"] for one in answer["errors"]} == {"SYSTEM_DOWN"}
                there.subgraphs["fees"].down = False
                assert await asked(session, address.split()[3], "{ enterprises { name fee } }") == there.monolith(
                    "{ enterprises { name fee } }"
                )
            process.send_signal(signal.SIGTERM)
            await process.communicate()
            assert process.returncode == 0
    assert os.listdir(tmp_path) == ["supergraph.graphql"]  # nothing is kept, since nothing says where


async def test_a_broken_supergraph_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "broken.graphql").write_text(ESTATE.composed().replace('requires: "', 'requires: "no'), encoding="utf-8")
    async with hub(tmp_path, "--supergraph", "broken.graphql") as process:
        _, said = await process.communicate()
    assert process.returncode == 1
    assert "broken.graphql:" in said.decode()
    assert "BAD_REQUIRE" in said.decode()


async def test_a_supergraph_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    async with hub(tmp_path, "--supergraph", "none.graphql") as process:
        _, said = await process.communicate()
    assert process.returncode == 1
    assert "none.graphql" in said.decode()
    assert "Traceback" not in said.decode()


async def test_a_changed_supergraph_is_taken_over_and_a_broken_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(ESTATE.composed(), encoding="utf-8")
    async with hub(tmp_path, "--supergraph", "supergraph.graphql") as process:
        address = await said_by(process, "个子图")
        await said_by(process, "Started server")
        async with aiohttp.ClientSession() as session:
            changed = ESTATE.composed().replace("fee: Int", "charge: Int")
            for text, wait in (("type Broken {", "schema kept"), (changed, "schema taken over")):
                file.write_text(text, encoding="utf-8")
                process.send_signal(signal.SIGHUP)
                await said_by(process, wait)
            answer = await asked(session, address.split()[3], '{ __type(name: "Enterprise") { fields { name } } }')
    assert "charge" in {one["name"] for one in answer["data"]["__type"]["fields"]}


async def said_by(process: asyncio.subprocess.Process, words: str) -> str:
    """The next line on standard error with these words."""
    assert process.stderr is not None
    while line := (await process.stderr.readline()).decode():
        if words in line:
            return line
    raise AssertionError(f"the hub has ended and never said {words!r}")


async def asked(session: aiohttp.ClientSession, address: str, query: str) -> Any:
    async with session.post(address, json={"query": query}) as response:
        return await response.json()
