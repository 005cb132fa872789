"""One of the four systems as a process: ``python -m bench.four.source NAME`` prints its port and serves until it is ended.

``GET /NAME?codes=a,b,c`` answers the rows of these codes after 10 to 20 ms, whatever their number; ``GET /calls`` how often it was asked.
Answers lie ready and HTTP is reduced to what the measurement needs, so that the source costs little next to who is measured.
"""

from __future__ import annotations

import asyncio
import random
import sys
from typing import cast
from urllib.parse import unquote

import orjson
import uvloop

from bench.four.data import CODES, rows
from bench.processes import announce

LEAST, MOST = 0.010, 0.020  # seconds until an answer


class Source(asyncio.Protocol):
    """One connection. A request is answered when its time has come; keep-alive, no pipelining, GET without body."""

    calls = 0
    ready: dict[str, bytes]
    delay = random.Random(20260102)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class has another base
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.received.endswith(b"\r\n\r\n"):
            return
        target = self.received.split(b" ", 2)[1].decode()
        self.received = b""
        if target == "/calls":
            self.answer(b"%d" % Source.calls)
            return
        Source.calls += 1
        codes = unquote(target.partition("codes=")[2].partition("&")[0]).split(",")
        found = b",".join(self.ready[code] for code in codes if code in self.ready)
        seconds = self.delay.uniform(LEAST, MOST)
        asyncio.get_running_loop().call_later(seconds, self.answer, b'{"code":"0","data":[' + found + b"]}")

    def answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)


async def serve(system: str) -> None:
    """Serve the rows of ``system`` until cancelled."""
    Source.ready = {code: orjson.dumps(rows(system, code))[1:-1] for code in CODES}
    listener = announce()
    server = await asyncio.get_running_loop().create_server(Source, sock=listener)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
