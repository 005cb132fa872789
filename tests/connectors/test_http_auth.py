"""How the hub shows who it is to sources over HTTP: tokens that it has to fetch first, signatures of each request."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from connectors.credentials import Algorithm, Clock, Signed
from connectors.http import Auth, Endpoint, Exchange, onlooker
from connectors.rest import RestConnector, RestSettings
from connectors.spi import Ask, Call, Caller, Field, Options, Relation, Secret, SourceError
from tests.connectors.loopback import never, nobody, served


@dataclass
class Department:
    """Gives tokens ``t1``, ``t2``, … to its client, and data to who shows one of ``good``."""

    grants: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    instead: web.Response | None = None
    life: Any = 3600

    async def grant(self, request: web.Request) -> web.Response:
        self.grants.append((request.headers["Authorization"], parse_qs(await request.text())))
        await asyncio.sleep(0)
        if self.instead is not None:
            return self.instead
        return web.json_response({"access_token": f"t{len(self.grants)}", "token_type": "bearer", "expires_in": self.life})

    async def data(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.append(f"{request.method} {token}")
        return web.json_response({"token": token}, status=401 if token in self.refused or not token else 200)


@asynccontextmanager
async def open_to(department: Department, clock: Clock | None = None, at: str = "/token", **more: Any) -> AsyncIterator[Endpoint]:
    routes = [web.post("/token", department.grant), web.post("/hangs", never), web.route("*", "/data", department.data)]
    async with served(*routes) as base:
        url = at if at.startswith("http") else base + at
        auth = Auth("OAUTH2", user=Secret("部门 1"), secret=Secret("s:e/c"), token_url=url, **more)
        endpoint = Endpoint(base, auth, {}, max_bytes=1000, clock=clock)
        try:
            yield endpoint
        finally:
            await endpoint.close()


async def test_a_client_fetches_a_token_and_shows_it() -> None:
    department = Department()
    async with open_to(department, scope="a:read b:read") as endpoint:
        assert (await endpoint.send("GET", "/data", Call())).status == 200
        assert (await endpoint.send("POST", "/data", Call(), json={})).status == 200
    shown = base64.b64encode(b"%E9%83%A8%E9%97%A8+1:s%3Ae%2Fc").decode()
    assert department.grants == [(f"Basic {shown}", {"grant_type": ["client_credentials"], "scope": ["a:read b:read"]})]
    assert department.asked == ["GET t1", "POST t1"]


async def test_many_who_wait_ask_for_it_once() -> None:
    department = Department()
    async with open_to(department) as endpoint:
        answers = await asyncio.gather(*(endpoint.send("GET", "/data", Call()) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert len(department.grants) == 1


@pytest.mark.parametrize(("life", "serves"), [(3600, 3569), (100, 89), ("100", 89), (None, 269), (-1, 269)])
async def test_a_token_is_renewed_shortly_before_its_end(life: Any, serves: float) -> None:
    now = [1000.0]
    department = Department(life=life)
    async with open_to(department, Clock(ticks=lambda: now[0])) as endpoint:
        await endpoint.send("GET", "/data", Call())
        now[0] += serves
        await endpoint.send("GET", "/data", Call())
        now[0] += 2
        await endpoint.send("GET", "/data", Call())
    assert department.asked == ["GET t1", "GET t1", "GET t2"]


async def test_a_read_refused_goes_out_again_with_a_new_token() -> None:
    department = Department(refused={"t1"})
    async with open_to(department) as endpoint:
        assert (await endpoint.send("GET", "/data", Call())).status == 200
    assert department.asked == ["GET t1", "GET t2"]


async def test_many_reads_refused_take_one_new_token() -> None:
    department = Department()
    async with open_to(department) as endpoint:
        await endpoint.send("GET", "/data", Call())
        department.refused.add("t1")
        answers = await asyncio.gather(*(endpoint.send("GET", "/data", Call()) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert len(department.grants) == 2


async def test_a_read_refused_twice_is_refused() -> None:
    department = Department(refused={"t1", "t2", "t3"})
    async with open_to(department) as endpoint:
        assert (await endpoint.send("GET", "/data", Call())).status == 401
    assert department.asked == ["GET t1", "GET t2"]


async def test_a_write_refused_is_not_sent_again_and_the_next_call_has_a_new_token() -> None:
    department = Department(refused={"t1"})
    async with open_to(department) as endpoint:
        assert (await endpoint.send("POST", "/data", Call(), json={}, once=True)).status == 401
        assert (await endpoint.send("POST", "/data", Call(), json={}, once=True)).status == 200
    assert department.asked == ["POST t1", "POST t2"]


@pytest.mark.parametrize(
    ("instead", "kind"),
    [
        (web.Response(status=400, text='{"error": "invalid_scope"}'), "denied"),
        (web.Response(status=401, text='{"error": "invalid_client"}'), "denied"),
        (web.Response(status=404), "config"),
        (web.Response(status=302), "config"),
        (web.Response(status=429), "busy"),
        (web.Response(status=503), "down"),
        (web.Response(status=500), "broken"),
        (web.Response(text="<html>"), "broken"),
        (web.Response(text="[]"), "broken"),
        (web.Response(text='{"access_token": "a b\\n"}'), "broken"),
        (web.Response(text='{"access_token": "hidden", "token_type": "mac"}'), "broken"),
    ],
)
async def test_what_the_token_service_answers_wrongly(instead: web.Response, kind: str) -> None:
    department = Department(instead=instead)
    async with open_to(department) as endpoint:
        with pytest.raises(SourceError) as caught:
            await endpoint.send("POST", "/data", Call(), json={}, once=True)
    assert caught.value.kind == kind
    assert caught.value.untouched  # the source of the data heard nothing, so even a write may be made again
    assert "token service" in caught.value.message
    assert not any(word in f"{caught.value.message} {caught.value.detail}" for word in ("127.0.0.1", "hidden", "s:e/c"))
    assert department.asked == []


async def test_a_failure_is_not_kept() -> None:
    department = Department(instead=web.Response(status=503))
    async with open_to(department) as endpoint:
        with pytest.raises(SourceError):
            await endpoint.send("GET", "/data", Call())
        department.instead = None
        assert (await endpoint.send("GET", "/data", Call())).status == 200


async def test_nobody_gives_tokens() -> None:
    async with open_to(Department(), at=f"http://127.0.0.1:{nobody()}/token") as endpoint:
        with pytest.raises(SourceError, match="token service cannot be reached") as caught:
            await endpoint.send("GET", "/data", Call())
    assert caught.value.kind == "down"


async def test_who_cannot_wait_for_a_token_is_told_so() -> None:
    async with open_to(Department(), at="/hangs") as endpoint:
        with pytest.raises(SourceError, match="token service did not answer in time") as caught:
            await endpoint.send("GET", "/data", Call(deadline=asyncio.get_running_loop().time() + 0.02))
    assert caught.value.kind == "slow"


async def test_who_waits_for_a_token_while_the_hub_closes_is_told_so() -> None:
    asked = asyncio.Event()

    async def hangs(request: web.Request) -> web.StreamResponse:
        asked.set()
        return await never(request)

    async with served(web.post("/token", hangs)) as base:
        auth = Auth("OAUTH2", user=Secret("a"), secret=Secret("s"), token_url=base + "/token")
        endpoint = Endpoint(base, auth, {}, max_bytes=1000)
        waiting = asyncio.create_task(endpoint.send("GET", "/data", Call()))
        await asked.wait()
        await endpoint.close()
        with pytest.raises(SourceError) as caught:
            await waiting
    assert caught.value.kind == "down"


async def test_an_author_who_looks_on_sees_no_token() -> None:
    seen: Any = []
    looking = onlooker.set(seen)
    try:
        async with open_to(Department()) as endpoint:
            await endpoint.send("GET", "/data", Call())
    finally:
        onlooker.reset(looking)
    assert [(one.method, one.headers["Authorization"]) for one in seen] == [("GET", "****")]


def test_a_client_needs_all_of_it() -> None:
    with pytest.raises(SourceError, match="'tokenUrl', 'user' and 'secret'"):
        Endpoint("http://dept.example", Auth("OAUTH2", secret=Secret("s"), token_url="http://dept.example/t"), {}, max_bytes=1)


# ---- signed requests

POSTED = b'{"x":1}'


def test_known_vectors() -> None:
    """HMAC with SHA-256: RFC 4231 §4.3; SM3: GB/T 32905 annex A.1 for the hash."""
    jefe = hmac.new(b"Jefe", b"what do ya want for nothing?", "sha256").hexdigest()
    assert jefe == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hashlib.new("sm3", b"abc").hexdigest() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def by_definition(key: bytes, text: bytes) -> str:
    """HMAC with SM3 as RFC 2104 writes it, from the hash alone."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.new("sm3", bytes(part ^ 0x36 for part in padded) + text).digest()
    return hashlib.new("sm3", bytes(part ^ 0x5C for part in padded) + inner).hexdigest()


@pytest.mark.parametrize("algorithm", ["SHA256", "SM3"])
async def test_a_request_is_signed(algorithm: Algorithm) -> None:
    got: list[tuple[str, bytes, Any]] = []

    async def reply(request: web.Request) -> web.Response:
        got.append((request.raw_path, await request.read(), request.headers))
        return web.json_response({})

    nonces = iter(["n1", "n2"])
    clock = Clock(now=lambda: 1_790_000_000.1234, nonce=lambda: next(nonces))
    async with served(web.route("*", "/{any:.*}", reply)) as base:
        auth = Auth("HMAC", user=Secret("app1"), secret=Secret("钥匙"), algorithm=algorithm, signed=Signed(signature="X-Sign"))
        endpoint = Endpoint(base + "/api", auth, {}, max_bytes=1000, clock=clock)
        await endpoint.send("POST", "/list?b=%E4%B8%AD&a=2&a=1", Call(), json={"x": 1}, once=True)
        await endpoint.send("GET", "/one", Call())
        await endpoint.close()

    name = algorithm.lower()
    texts = [
        f"POST\n/api/list?a=1&a=2&b=%E4%B8%AD\n1790000000123\nn1\n{hashlib.new(name, POSTED).hexdigest()}",
        f"GET\n/api/one\n1790000000123\nn2\n{hashlib.new(name, b'').hexdigest()}",
    ]
    for text, (_, _, headers) in zip(texts, got, strict=True):
        assert (headers["X-App-Id"], headers["X-Timestamp"]) == ("app1", "1790000000123")
        assert headers["X-Sign"] == hmac.new("钥匙".encode(), text.encode(), name).hexdigest()
        if algorithm == "SM3":
            assert headers["X-Sign"] == by_definition("钥匙".encode(), text.encode())
    assert [headers["X-Nonce"] for _, _, headers in got] == ["n1", "n2"]
    assert got[0][:2] == ("/api/list?b=%E4%B8%AD&a=2&a=1", POSTED)  # what goes out stays as it was


async def test_an_author_who_looks_on_sees_no_signature() -> None:
    async def reply(request: web.Request) -> web.Response:
        return web.json_response({})

    seen: Any = []
    looking = onlooker.set(seen)
    try:
        async with served(web.get("/", reply)) as base:
            endpoint = Endpoint(base, Auth("HMAC", user=Secret("hidden1"), secret=Secret("hidden2")), {}, max_bytes=1000)
            await endpoint.send("GET", "/", Call())
            await endpoint.close()
    finally:
        onlooker.reset(looking)
    assert {name: seen[0].headers[name] for name in ("X-App-Id", "X-Signature")} == {"X-App-Id": "****", "X-Signature": "****"}
    assert "hidden" not in repr(seen)


def test_a_signature_needs_an_application() -> None:
    with pytest.raises(SourceError, match="'user' and 'secret'"):
        Endpoint("http://dept.example", Auth("HMAC", secret=Secret("s")), {}, max_bytes=1)


def test_the_words_of_a_manifest_are_read() -> None:
    words = {"kind": "HMAC", "user": Secret("a"), "secret": Secret("s"), "algorithm": "SM3", "signed": {"app": "A", "nonce": "N"}}
    auth = RestSettings.of({"base": "http://dept.example", "auth": words}).auth
    assert (auth.algorithm, auth.signed) == ("SM3", Signed(app="A", nonce="N"))
    client = {"kind": "OAUTH2", "user": Secret("a"), "secret": Secret("s"), "tokenUrl": "http://dept.example/t", "scope": "x"}
    assert RestSettings.of({"base": "http://dept.example", "auth": client}).auth.token_url == "http://dept.example/t"


async def test_a_search_by_post_goes_out_again_too() -> None:
    department = Department(refused={"t1"})
    async with served(web.post("/token", department.grant), web.route("*", "/data", department.data)) as base:
        words = {"kind": "OAUTH2", "user": Secret("a"), "secret": Secret("s"), "tokenUrl": base + "/token"}
        connector = RestConnector(RestSettings.of({"base": base, "auth": words}))
        search = Relation("r", (Field("token", "token"),), Options({"path": "/data", "method": "POST", "body": {}}))
        plan = connector.plan(Ask("r", ("token",)), search)
        assert [page.columns["token"] async for page in connector.fetch(plan, Call())] == [["t2"]]
        await connector.close()
    assert department.asked == ["POST t1", "POST t2"]


# ---- the caller's own token


async def test_the_caller_s_token_goes_along_and_nobody_s_does_not() -> None:
    department = Department()
    async with served(web.get("/data", department.data)) as base:
        endpoint = Endpoint(base, Auth("FORWARD"), {}, max_bytes=1000)
        told: list[Exchange] = []
        onlooker.set(told)
        for call in (Call(principal=Caller("a", Secret("t1"))), Call(principal=Caller("a", Secret("t2"))), Call(principal="a"), Call()):
            await endpoint.send("GET", "/data", call)
        await endpoint.close()
    assert department.asked == ["GET t1", "GET t2", "GET ", "GET "]
    assert [exchange.headers.get("Authorization") for exchange in told] == ["****", "****", None, None]


async def test_what_validates_an_answer_is_known_by_the_token_too() -> None:
    sent = []

    async def reply(request: web.Request) -> web.Response:
        sent.append((request.headers["Authorization"][-2:], request.headers.get("If-None-Match")))
        return web.Response(status=304 if "If-None-Match" in request.headers else 200, headers={"ETag": '"1"'}, text=sent[-1][0])

    async with served(web.get("/data", reply)) as base:
        endpoint = Endpoint(base, Auth("FORWARD"), {}, max_bytes=1000)
        bodies = [(await endpoint.read("/data", Call(principal=Caller("a", Secret(token))))).body for token in ("t1", "t2", "t1")]
        await endpoint.close()
    assert bodies == [b"t1", b"t2", b"t1"]
    assert sent == [("t1", None), ("t2", None), ("t1", '"1"')]


async def test_a_system_that_is_asked_by_callers_alone_is_well_when_it_refuses_nobody_in_particular() -> None:
    department = Department()
    async with served(web.get("/data", department.data)) as base:
        for kind, well in (("FORWARD", True), ("NONE", False)):
            connector = RestConnector(RestSettings.of({"base": base, "health": "/data", "auth": {"kind": kind}}))
            if well:
                await connector.describe()
            else:
                with pytest.raises(SourceError):
                    await connector.describe()
            await connector.close()
