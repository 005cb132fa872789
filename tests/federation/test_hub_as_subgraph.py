"""The hub behind another router: what it tells of itself is composed with a second subgraph, and entities are had from both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from connectors.spi import Secret
from hub.app import Hub
from hub.application import server
from hub.config import Config, EngineConfig, Http, StoreConfig, SystemsConfig
from hub.environment import Environment
from hub.serve.server import address_of, listen
from schema.identifiers import complete_licence_id
from tests.connectors.loopback import served
from tests.federation.compose import installed, script
from tests.federation.estates.writing import link
from tests.federation.reference import gateway
from tests.federation.subgraph import Subgraph
from tests.test_app import manifest

ONE, TWO = (complete_licence_id("11100000000013338W001", "113300000024820150", number, "001") for number in ("3320220001", "3320220002"))
NOTES = (
    link("2.3")
    + """
    type Query { noted: [Licence!]! }
    type Licence @key(fields: "licenceId") { licenceId: LicenceID! notes: [String!] }
    scalar LicenceID
    """
)


@dataclass(frozen=True, slots=True)
class Both:
    """A hub over one department, and the subgraph that notes belong to. ``asked`` are the queries of the department's requests."""

    hub: str
    notes: str
    asked: list[str]


@asynccontextmanager
async def both(home: Path, one: str, two: str) -> AsyncIterator[Both]:
    asked: list[str] = []
    rows = [{"licenceId": one, "notes": ["甲"]}, {"licenceId": two, "notes": []}]
    notes = Subgraph("notes", NOTES, {"Licence": rows, "Query.noted": rows})

    async def department(request: web.Request) -> web.Response:
        asked.append(request.query["id"])
        return web.json_response(
            {"data": [{"id": each, "mc": f"证照 {each.split('.')[-3][-1]}"} for each in request.query["id"].split(",")]}
        )

    async def noted(request: web.Request) -> web.Response:
        body = await request.json()
        return web.json_response(notes.answer(body["query"], body.get("variables") or {}))

    manifest(home / "systems")
    settings = Config(
        http=Http(port=0),
        engine=EngineConfig(subgraph=True),
        systems=SystemsConfig(folder=str(home / "systems")),
        store=StoreConfig(url="sqlite:///hub.sqlite", key_file="hub.key"),
        home=home,
    )
    async with served(web.get("/get", department), web.post("/notes", noted)) as base:
        listening = listen(settings.http)
        given = Environment({"LICENCES_URL": base}, {"licences.key": Secret("k")})
        async with Hub.open(settings, given, address=address_of(listening)) as hub:
            running = server(hub)
            serving = asyncio.create_task(running.serve([listening]))
            try:
                yield Both(address_of(listening) + "/graphql", base + "/notes", asked)
            finally:
                running.stop()
                await serving


async def posted(url: str, query: str, **variables: Any) -> Any:
    async with aiohttp.ClientSession() as session, session.post(url, json={"query": query, "variables": variables}) as answer:
        return await answer.json()


async def test_a_router_gets_the_sdl_and_entities_over_http(tmp_path: Path) -> None:
    async with both(tmp_path, ONE, TWO) as there:
        told = await posted(there.hub, "{ _service { sdl } }")
        assert 'type Licence @key(fields: "licenceId") {' in told["data"]["_service"]["sdl"]
        query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on Licence { name } } }"
        wanted = [{"__typename": "Licence", "licenceId": each} for each in (ONE, TWO, ONE)]
        body = await posted(there.hub, query, representations=wanted)
        assert [each["name"] for each in body["data"]["_entities"]] == ["证照 1", "证照 2", "证照 1"]
        assert there.asked == [f"{ONE},{TWO}"]


@pytest.mark.npm
async def test_the_reference_gateway_federates_the_hub(tmp_path: Path) -> None:
    installed()
    async with both(tmp_path, ONE, TWO) as there, gateway() as ask:
        told = await posted(there.hub, "{ _service { sdl } }")
        made = script("compose.mjs", {"both": {"hub": told["data"]["_service"]["sdl"], "notes": NOTES}})["both"]
        assert (made.get("errors"), made["otherErrors"]) == (None, [])
        urls = {"hub": there.hub, "notes": there.notes}
        answer = await ask(supergraph=made["supergraph"], urls=urls, query="{ noted { notes name } }", variables={})
        assert answer == {"data": {"noted": [{"notes": ["甲"], "name": "证照 1"}, {"notes": [], "name": "证照 2"}]}}
        assert there.asked == [f"{ONE},{TWO}"]
