"""What goes wrong over HTTP, in the engine's terms; what goes onto the wire; what may be seen of it."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from connectors.http import Answer, Auth, Endpoint, decode, max_age, refusal
from connectors.spi import Call, Secret, SourceError
from tests.connectors.loopback import never, nobody, served


@asynccontextmanager
async def opened(base: str, auth: Auth | None = None, headers: Mapping[str, str | Secret] | None = None) -> AsyncIterator[Endpoint]:
    endpoint = Endpoint(base, auth or Auth(), headers or {}, max_bytes=1000)
    try:
        yield endpoint
    finally:
        await endpoint.close()


def said(status: int = 200, body: bytes = b"{}", **headers: Any) -> Answer:
    return Answer(status, {name.replace("_", "-").title(): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, None), (204, None), (302, "config"), (400, "invalid"), (401, "denied"), (403, "denied"), (404, "invalid"), (405, "invalid"),
        (408, "slow"), (422, "invalid"), (425, "busy"), (429, "busy"), (500, "broken"), (501, "broken"), (502, "down"),
        (503, "down"), (504, "down"),
    ],
)  # fmt: skip
def test_what_a_status_says(status: int, kind: str | None) -> None:
    found = refusal(said(status))
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:30 GMT"}, 0.0),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    found = refusal(said(429, b"", **headers))
    assert found is not None
    assert found.retry_after == seconds


@pytest.mark.parametrize(
    ("control", "seconds"),
    [("max-age=60", 60.0), ("private, max-age=5", 5.0), ("no-store, max-age=5", 0.0), ("no-cache", 0.0), ("s-maxage=9", None), ("", None)],
)
def test_how_long_an_answer_stays_fresh(control: str, seconds: float | None) -> None:
    assert max_age(said(cache_control=control)) == seconds


@pytest.mark.parametrize(
    ("kind", "charset"),
    [("application/json; charset=GBK", "gb18030"), ("application/json; charset=gb2312", "gb18030"), ('text/json; charset="utf-8"', "utf-8"),
     ("application/json", "utf-8"), ("application/json; charset=utf-16", "utf-16"), ("application/json", "utf-8-sig")],
)  # fmt: skip
def test_every_charset_is_read(kind: str, charset: str) -> None:
    assert decode(said(body='{"名": "㐀镕𠮷"}'.encode(charset), content_type=kind)) == {"名": "㐀镕𠮷"}


def test_what_says_to_be_gbk_and_is_utf8_is_not_read_as_other_characters() -> None:
    with pytest.raises(SourceError, match="another charset") as caught:
        decode(said(body='{"名": "危险化学品经营"}'.encode(), content_type="application/json; charset=GBK"))
    assert caught.value.kind == "broken"


@pytest.mark.parametrize(
    "text",
    ["12345678901234567.25", "0.12345678901234567890", "1234567890123456789", "123456789012345678901234567890", "-12345678901234567.25"],
)
def test_numbers_are_read_with_all_their_digits(text: str) -> None:
    assert str(decode(said(body=f'{{"a": [{text}], "b": 1.5}}'.encode()))["a"][0]) == text


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", "application/json"), (b"<html>", "text/html"), (b'{"a": ', "application/json"), (b'"\xff"', "application/json"),
     (b'{"a": NaN}', "application/json"), (b"{}", "application/json; charset=klingon"), (b"\xff\xff", "application/json; charset=gbk")],
)  # fmt: skip
def test_what_is_not_json_is_broken(body: bytes, kind: str) -> None:
    with pytest.raises(SourceError) as caught:
        decode(said(body=body, content_type=kind))
    assert caught.value.kind == "broken"


def test_no_content_is_nothing() -> None:
    assert decode(said(204, b"")) is None


async def test_a_refused_connection_is_down() -> None:
    async with opened(f"http://127.0.0.1:{nobody()}") as endpoint:
        assert await kind_of(endpoint) == "down"


async def test_silence_is_slow() -> None:
    async with served(web.get("/", never)) as base, opened(base) as endpoint:
        assert await kind_of(endpoint, deadline=asyncio.get_running_loop().time() + 0.05) == "slow"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"", "down"),  # closed before a word
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "broken"),  # closed within the body
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "broken"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "broken"),  # no gzip
        (b"220 ftp.example ready\r\n", "broken"),  # another protocol
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, "broken"),  # over the limit
    ],
)
async def test_a_source_that_misbehaves(reply: bytes, kind: str) -> None:
    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(misbehave, "127.0.0.1", 0)
    async with server, opened(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as endpoint:
        assert await kind_of(endpoint) == kind


async def test_a_small_gzip_of_a_large_answer_is_stopped() -> None:
    async def bomb(request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"0" * 1_000_000), headers={"Content-Encoding": "gzip"})

    async with served(web.get("/", bomb)) as base, opened(base) as endpoint:
        assert await kind_of(endpoint) == "broken"


async def test_a_call_may_lower_the_limit() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="0" * 100)

    async with served(web.get("/", answer)) as base, opened(base) as endpoint:
        assert (await endpoint.send("GET", "/", Call(max_bytes=100))).status == 200
        with pytest.raises(SourceError, match="too large"):
            await endpoint.send("GET", "/", Call(max_bytes=99))


async def test_a_redirect_is_not_followed() -> None:
    """A credential goes where the manifest says and nowhere else."""
    visited = []

    async def here(request: web.Request) -> web.Response:
        raise web.HTTPFound("/there")

    async def there(request: web.Request) -> web.Response:
        visited.append(dict(request.headers))
        return web.Response()

    async with served(web.get("/", here), web.get("/there", there)) as base, opened(base) as endpoint:
        found = refusal(await endpoint.send("GET", "/", Call()))
    assert found is not None
    assert (found.kind, visited) == ("config", [])


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        (Auth("BASIC", user="部门", secret=Secret("p:w")), {"Authorization": "Basic 6YOo6ZeoOnA6dw=="}),
        (Auth("BASIC", user=Secret("u"), password=Secret("p")), {"Authorization": "Basic dTpw"}),
        (Auth("BEARER", token=Secret("t")), {"Authorization": "Bearer t"}),
        (Auth("BEARER", secret=Secret("t")), {"Authorization": "Bearer t"}),
        (Auth("API_KEY", header="X-App-Key", secret=Secret("k")), {"X-App-Key": "k"}),
        (Auth("API_KEY", query="key", secret=Secret("a&b=c 中")), {"query": "x=1&key=a%26b%3Dc%20%E4%B8%AD"}),
        (Auth(), {"query": "x=1"}),
    ],
)
async def test_how_the_hub_shows_who_it_is(auth: Auth, sent: dict[str, str]) -> None:
    seen: dict[str, str] = {}

    async def look(request: web.Request) -> web.Response:
        seen.update({name.title(): value for name, value in request.headers.items()}, query=request.rel_url.raw_query_string)
        return web.Response()

    async with served(web.get("/", look)) as base, opened(base, auth, {"X-Dept": Secret("d")}) as endpoint:
        await endpoint.send("GET", "/?x=1", Call(request_id="r-1"))
    assert seen.items() >= {**sent, "X-Dept": "d", "X-Request-Id": "r-1"}.items()


@pytest.mark.parametrize(
    ("auth", "word"),
    [
        (Auth("BASIC", user="u"), "needs a secret"),
        (Auth("API_KEY", secret=Secret("k")), "'header' or 'query'"),
        (Auth("API_KEY", header="X-Key", secret=Secret("line\nbreak")), "header 'X-Key'"),
        (Auth("API_KEY", header="X-Key", secret=Secret("证")), "header 'X-Key'"),
    ],
)
def test_a_credential_that_cannot_be_shown(auth: Auth, word: str) -> None:
    with pytest.raises(SourceError, match=word) as caught:
        Endpoint("http://dept.example", auth, {}, max_bytes=1)
    assert caught.value.kind == "config"


@pytest.mark.parametrize(
    "base", ["", "dept.example", "ftp://dept.example", "http://", "http://user:pw@dept.example", "http://dept.example?key=1", "http://[::"]
)
def test_an_address_that_is_none(base: str) -> None:
    with pytest.raises(SourceError) as caught:
        Endpoint(base, Auth(), {}, max_bytes=1)
    assert caught.value.kind == "config"
    assert "pw" not in str(caught.value)


async def test_no_error_holds_a_key_a_secret_or_an_address() -> None:
    key = "91330102MA20RK15X5"
    for base in (f"http://127.0.0.1:{nobody()}", "http://no-such-host.invalid"):
        async with opened(base, Auth("API_KEY", query="key", secret=Secret("hidden"))) as endpoint:
            with pytest.raises(SourceError) as caught:
                await endpoint.send("GET", f"/x?k={key}", Call(deadline=asyncio.get_running_loop().time() + 5))
        shown = f"{caught.value!r} {caught.value} {caught.value.detail}"
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
        assert "hidden" not in shown
        assert key not in shown
        assert "127.0.0.1" not in caught.value.message


async def test_what_is_closed_stays_closed() -> None:
    async with served(web.get("/", never)) as base, opened(base) as endpoint:
        await endpoint.close()
        await endpoint.close()
        assert await kind_of(endpoint) == "down"


async def test_a_department_that_comes_back_is_there_again() -> None:
    """A pooled connection that died with its server does not fail the next call."""

    async def well(request: web.Request) -> web.Response:
        return web.Response(text="well")

    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    async with opened(f"http://127.0.0.1:{port}") as endpoint:
        for _ in range(2):
            app = web.Application()
            app.add_routes([web.get("/", well)])
            runner = web.AppRunner(app)
            await runner.setup()
            await web.SockSite(runner, listening).start()
            assert (await endpoint.send("GET", "/", Call())).body == b"well"
            await runner.cleanup()
            assert await kind_of(endpoint) == "down"
            listening = socket.create_server(("127.0.0.1", port))
        listening.close()


async def kind_of(endpoint: Endpoint, **call: Any) -> str:
    with pytest.raises(SourceError) as caught:
        await endpoint.send("GET", "/", Call(**call))
    return caught.value.kind
