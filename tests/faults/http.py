"""A server that speaks HTTP as badly as a fault says: for every kind that is spoken to by HTTP. Written by hand, since no library would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.faults import HTML
from tests.connectors.loopback import nobody
from tests.faults.records import written
from tests.faults.wire import WIRE, certificate, wire

MOST = 100_000
"""``maxBytes`` of a manifest over it, for ``huge``."""
VALID = "certificate_valid"
TLS = 'tls: {ca: "127.0.0.1.crt"}'


@dataclass(frozen=True, slots=True)
class Request:
    """``headers`` by name in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[[Request], Any]  # data for JSON, or bytes of XML; None: the credential is refused


@dataclass(slots=True)
class Served:
    """``base`` for a manifest; ``then`` for ``There.then``."""

    base: str
    then: Callable[[], Awaitable[None]] | None = None


@asynccontextmanager
async def served(fault: str, answer: Answer, folder: Path) -> AsyncIterator[Served]:
    """A server whose right answers are ``answer``'s. What it shows over TLS lies in ``folder``, and is trusted by a manifest with ``TLS``,
    so that nothing but its age can be wrong with it; ``VALID`` is no fault, and proves that."""
    made = certificate(folder, days=(-10, -1) if fault == "certificate_expired" else (-10, 10))
    shown = made if fault in ("certificate_expired", VALID) else None

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while (request := await _read(reader)) is not None:
                writer.write(response(fault, answer(request)))
                await writer.drain()
                if fault in ("wrong_length", "pool_exhausted"):
                    break
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=shown.server() if shown else None)
    port = server.sockets[0].getsockname()[1]
    try:
        async with wire(port) as between:
            if fault == "refuses":
                yield Served(f"http://127.0.0.1:{nobody()}")
            elif fault in WIRE:
                between.mode = fault  # type: ignore[assignment]  # WIRE holds modes
                between.whole = 120  # within the body
                yield Served(f"http://127.0.0.1:{between.port}")
            elif fault == "restarted":
                yield Served(f"http://127.0.0.1:{between.port}", between.cut)
            elif shown:
                yield Served(f"https://localhost:{port}")
            else:
                yield Served(f"http://127.0.0.1:{port}")
    finally:
        server.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, target, _ = first.split(" ")
    return Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def response(fault: str, found: Any) -> bytes:
    """All bytes of one response: XML, or the JSON of ``found``, or what the fault makes of it."""
    xml = isinstance(found, bytes)
    body = found if xml else written(found).encode()
    kind, status, headers = "text/xml" if xml else "application/json", "200 OK", ""
    length: int | None = None
    if found is None:
        status, body = "401 Unauthorized", b"{}"
    match fault:
        case "wrong_length":
            length = len(body) // 2
        case "fails_500":
            status, body = "500 Internal Server Error", b"java.lang.NullPointerException at cn.gov.records.Dao.find(Dao.java:42)"
        case "busy_429":
            status, headers, body = "429 Too Many Requests", "Retry-After: 60\r\n", b"{}"
        case "pool_exhausted":
            status, body = "503 Service Unavailable", b"no connection left"
        case "html":
            kind, body = "text/html; charset=utf-8", HTML.encode()
        case "wrong_charset":
            kind += "; charset=GBK"  # and it is UTF-8
        case "huge":
            body = body[:-1] + b" " * (2 * MOST) + body[-1:]
        case "deep" if xml:
            body = body.replace(b"</answer>", b"<d>" * 100_000 + b"</d>" * 100_000 + b"</answer>")
        case "deep":
            body = body[:-1] + b',"deep":' + b"[" * 100_000 + b"]" * 100_000 + body[-1:]
        case "doubled_name" if xml:
            body = body.replace(b"<dj>", b"<dj>77</dj><dj>")
        case "doubled_name":
            body = body.replace(b'"dj":', b'"dj":77,"dj":')  # the last one counts, as readers of JSON have it
        case "clock_skew":
            headers = "Date: Sat, 01 Jan 2000 00:00:00 GMT\r\nExpires: Sun, 02 Jan 2000 00:00:00 GMT\r\nCache-Control: max-age=60\r\n"
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n{headers}\r\n".encode() + body
