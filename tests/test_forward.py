"""A department that is asked in the caller's own name, through the whole hub: each call carries the token that its caller showed, and no
answer that came for one token is given to who showed another."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from auth.principal import Audience
from hub.app import Hub
from hub.application import application
from hub.environment import Environment
from schema.coordinates import Grade
from schema.identifiers import complete_uscc, organisation_code
from tests.connectors.loopback import never, served
from tests.serve.small import post
from tests.test_app import manifest, opened, token

A = complete_uscc(f"91330100{organisation_code('MA200000')}")
TEXT = """\
extend schema @system(name: "personal", title: "个人空间", owner: "省大数据局")
  @rest(base: "${{PERSONAL_URL}}", auth: {{kind: FORWARD}}{kept})
type Query {{
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup @get(path: "/firms?dm={{keys}}", batch: {{by: "uscc", match: "dm", max: 50}})
  all: [Enterprise!] @get(path: "/firms")
}}
type Enterprise @key(fields: "uscc") @entity(existence: ANCHOR, coverage: COMPLETE) {{
  uscc: USCC! @from(path: "dm")
  name: String @from(path: "mc")
}}
type Subscription {{
  enterpriseChanged: Enterprise @topic(path: "/news")
}}
"""
ONE, LIST = f'{{ enterprise(uscc: "{A}") {{ name }} }}', "{ enterprises(first: 5) { nodes { name } } }"


@dataclass
class Department:
    """Tells each who shows a token what that token is, and nobody else anything; marks its answers, all of them by the same tag."""

    asked: Counter[str] = field(default_factory=Counter)
    together: asyncio.Event = field(default_factory=asyncio.Event)

    async def firms(self, request: web.Request) -> web.Response:
        shown = request.headers.get("Authorization", "")
        self.asked[shown] += 1
        if not shown:
            return web.Response(status=401)
        if request.headers.get("If-None-Match"):
            return web.Response(status=304)
        return web.json_response([{"dm": A, "mc": name_of(shown)}], headers={"ETag": '"1"'})

    async def news(self, request: web.Request) -> web.StreamResponse:
        """One event, as soon as two are there to hear theirs, and silence after it."""
        self.asked[request.headers["Authorization"]] += 1
        made = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await made.prepare(request)
        if len(self.asked) == 2:
            self.together.set()
        await self.together.wait()
        await made.write(f'data: {{"dm": "{A}", "mc": "{name_of(request.headers["Authorization"])}"}}\n\n'.encode())
        return await never(request)


def name_of(shown: str) -> str:
    return hashlib.sha256(shown.encode()).hexdigest()[:12]


@asynccontextmanager
async def hub_over(home: Path, department: Department, kept: str = "") -> AsyncIterator[tuple[Hub, list[str]]]:
    """A hub, and the tokens of three: the first two are one client's."""
    manifest(home / "systems", system="personal", text=TEXT.format(kept=kept))
    async with (
        served(web.get("/firms", department.firms), web.get("/news", department.news)) as base,
        opened(home, given=Environment({"PERSONAL_URL": base})) as hub,
    ):
        tokens = []
        for name in ("app", "partner"):
            secret = await hub.store.add_client(name, name, Audience(name), Grade.L4)
            basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
            for _ in range(2 if name == "app" else 1):
                answer: Any = await hub.tokens.token({"grant_type": "client_credentials"}, f"Basic {basic}")
                tokens.append(f"Bearer {answer.body['access_token']}")
        assert len(set(tokens)) == 3
        yield hub, tokens


async def ask(hub: Hub, query: str, shown: str) -> Any:
    return (await post(application(hub), {"query": query}, **({"authorization": shown} if shown else {}))).json


@pytest.mark.parametrize("kept", ["", ', cache: "1h"'])
async def test_each_call_carries_the_token_of_its_caller(tmp_path: Path, kept: str) -> None:
    department = Department()
    async with hub_over(tmp_path, department, kept) as (hub, tokens):
        seen = []
        for _ in range(2):
            found = await asyncio.gather(*(ask(hub, ONE, shown) for shown in tokens * 3))
            assert found == [{"data": {"enterprise": {"name": name_of(shown)}}} for shown in tokens * 3]
            found = await asyncio.gather(*(ask(hub, LIST, shown) for shown in tokens * 3))
            assert found == [{"data": {"enterprises": {"nodes": [{"name": name_of(shown)}]}}} for shown in tokens * 3]
            seen.append(department.asked.copy())
    assert set(department.asked) == set(tokens)
    assert (seen[0] == seen[1]) is bool(kept), "what was kept for a token serves that token"


async def test_one_who_shows_nothing_is_forwarded_as_nobody(tmp_path: Path) -> None:
    department = Department()
    async with hub_over(tmp_path, department, ', cache: "1h"') as (hub, tokens):
        assert (await ask(hub, ONE, tokens[0]))["data"]["enterprise"]["name"]
        refused = await ask(hub, ONE, "")
        health = await ask(hub, "{ hub { systems { health } } }", await token(hub))
    assert refused["data"] == {"enterprise": {"name": None}}
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]
    assert department.asked == {tokens[0]: 1, "": 1}
    assert health == {"data": {"hub": {"systems": [{"health": "OK"}]}}}, "that a caller may not see something is no trouble of the system"


async def test_each_subscriber_hears_what_is_told_to_its_own_token(tmp_path: Path) -> None:
    """Also of two tokens of one client."""
    department = Department()
    async with hub_over(tmp_path, department) as (hub, tokens):

        async def heard(shown: str) -> Any:
            text = "subscription { enterpriseChanged { name } }"
            async with aclosing(hub.engine.subscribe(hub.engine.parse(text), who=partial(hub.verifier.principal, shown))) as answers:
                return orjson.loads((await anext(answers)).body)["data"]["enterpriseChanged"]["name"]

        found = list(await asyncio.wait_for(asyncio.gather(heard(tokens[0]), heard(tokens[1])), 20))
    assert found == [name_of(tokens[0]), name_of(tokens[1])]
    assert department.asked == {tokens[0]: 1, tokens[1]: 1}


async def test_no_token_is_in_a_log_or_an_answer(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with hub_over(tmp_path, Department()) as (hub, tokens):
            answers = [await ask(hub, query, tokens[0]) for query in (ONE, LIST, "{ hub { me { audience } } }")]
            principal = await hub.verifier.principal(tokens[0])
    secret = tokens[0].removeprefix("Bearer ")
    assert secret not in f"{logs} {answers} {principal} {principal.caller!r}"
    assert principal.caller == "app"
