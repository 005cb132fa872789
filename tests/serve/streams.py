"""A whole hub on a real port, in front of a real department that publishes a feed and takes applications: for tests of transports."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from hub.app import Hub
from hub.application import serve, server
from hub.config import Config, EngineConfig, Http, StoreConfig, SystemsConfig
from hub.environment import Environment
from hub.serve.server import Server, address_of, listen
from tests.connectors.loopback import served

USCC = "91330106MA2AXK0T11"
OTHER = "91330106MA27000820"
MANIFEST = """\
extend schema
  @system(name: "gazette", title: "登记公告", owner: "省市场监督管理局")
  @rest(base: "${GAZETTE_URL}", limits: {timeout: "1s"})
type Query {
  byUscc(uscc: USCC!): Enterprise @lookup @get(path: "/register?codes={keys}", batch: {by: "uscc", match: "code", max: 100})
}
type Enterprise @key(fields: "uscc") {
  uscc: USCC! @from(path: "code")
  name: String @from(path: "mc")
}
type Subscription {
  enterpriseChanged(uscc: [USCC!]): Enterprise @topic(path: "/feed", at: "data", event: "changed", carries: "uscc")
}
extend type Mutation {
  "更名\\nGives an enterprise another name"
  rename(uscc: USCC!, name: String!): Enterprise
    @send(method: PUT, path: "/register/{uscc}", body: {mc: "{name}"}, carries: "uscc", check: "enterprise")
    @grade(level: L1) @requiresScopes(scopes: [["rename"]])
}
"""


@dataclass(slots=True)
class Department:
    """``publish`` tells all listeners; ``answers`` says how writes are answered: ok, cut, late or refused."""

    names: dict[str, str] = field(default_factory=lambda: {USCC: "甲", OTHER: "乙"})
    log: list[str] = field(default_factory=list)
    seen: list[Mapping[str, str]] = field(default_factory=list)
    answers: str = "ok"
    listeners: list[asyncio.Queue[bytes | None]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, code: str, *, number: int = 1) -> None:
        self.send(f"id: {number}\nevent: changed\ndata: {json.dumps({'data': {'code': code}})}\n\n")

    def send(self, text: str | None) -> None:
        for listener in self.listeners:
            listener.put_nowait(text.encode() if text is not None else None)

    async def feed(self, request: web.Request) -> web.StreamResponse:
        self.log.append("feed")
        self.seen.append(dict(request.headers))
        mine: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.listeners.append(mine)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": welcome\n\nevent: other\ndata: {}\n\n")
        self.arrived.set()
        try:
            while (part := await mine.get()) is not None:
                await response.write(part)
        finally:
            self.listeners.remove(mine)
            self.left.set()
        return response

    async def register(self, request: web.Request) -> web.StreamResponse:
        codes = request.query["codes"].split(",")
        self.log.append("read " + ",".join(codes))
        return web.json_response([{"code": code, "mc": self.names[code]} for code in codes if code in self.names])

    async def rename(self, request: web.Request) -> web.StreamResponse:
        code, name = request.match_info["code"], (await request.json())["mc"]
        self.log.append(f"write {code} {name}")
        if self.answers == "refused":
            return web.json_response({"error": "no"}, status=409)
        self.names[code] = name
        if self.answers == "cut":
            assert request.transport is not None
            request.transport.abort()
        if self.answers == "late":
            await asyncio.sleep(5)  # longer than the manifest lets it
        return web.json_response({"code": code})


@dataclass(frozen=True, slots=True)
class Running:
    """``session`` is a client's; ``token`` a bearer header with all scopes."""

    hub: Hub
    server: Server
    address: str
    department: Department
    session: aiohttp.ClientSession
    token: str

    @property
    def url(self) -> str:
        return self.address + self.hub.config.http.path

    async def post(self, query: str, *, token: bool = True, accept: str = "application/json", **payload: Any) -> Any:
        headers = {"accept": accept, **({"authorization": self.token} if token else {})}
        async with self.session.post(self.url, json={"query": query, **payload}, headers=headers) as response:
            return await response.json(content_type=None)

    def connect(self, **options: Any) -> Any:
        """A WebSocket, to be entered."""
        return self.session.ws_connect(self.url.replace("http", "ws", 1), protocols=("graphql-transport-ws",), **options)

    def stream(self, query: str | None, *, token: str = "", **payload: Any) -> Any:
        """A POST that wants events, to be entered."""
        headers = {"accept": "text/event-stream", **({"authorization": token} if token else {})}
        return self.session.post(self.url, json={"query": query, **payload}, headers=headers)


@asynccontextmanager
async def running(home: Path, engine: EngineConfig | None = None, **http: Any) -> AsyncIterator[Running]:
    """The hub and its department, until left."""
    (home / "systems").mkdir(exist_ok=True)
    (home / "systems" / "gazette.graphql").write_text(MANIFEST, encoding="utf-8")
    department = Department()
    routes = (
        web.get("/feed", department.feed),
        web.get("/register", department.register),
        web.put("/register/{code}", department.rename),
    )
    config = Config(
        http=Http(port=0, **http),
        engine=engine or EngineConfig(),
        systems=SystemsConfig(folder=str(home / "systems")),
        store=StoreConfig(url="sqlite:///hub.sqlite", key_file="hub.key"),
        home=home,
    )
    async with served(*routes) as url:
        listening = listen(config.http)
        async with Hub.open(config, Environment({"GAZETTE_URL": url}), address=address_of(listening)) as hub:
            by = server(hub)
            task = asyncio.create_task(serve(hub, listening, by))
            async with aiohttp.ClientSession() as session:
                try:
                    yield Running(hub, by, address_of(listening), department, session, await token(hub))
                finally:
                    by.stop()
                    await task


async def token(hub: Hub, name: str = "app") -> str:
    """A bearer header of a fresh client with every scope."""
    import base64

    from auth.principal import Audience
    from schema.coordinates import Grade

    secret = await hub.store.add_client(name, name, Audience.APP, Grade.L4, ["rename"])
    basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
    answer = await hub.tokens.token({"grant_type": "client_credentials"}, f"Basic {basic}")
    return f"Bearer {answer.body['access_token']}"
