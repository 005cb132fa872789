"""One of the four subgraphs as a process: ``python -m bench.graphs.subgraph NAME`` prints its port and serves until it is ended.

Answers lie ready, and HTTP and GraphQL are reduced to what the measurement needs, so that a subgraph costs little next to who is measured:
an entity is answered with all that the subgraph has of it, whatever the document selects. ``GET /calls`` tells how often it was asked.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any, cast

import orjson
import uvloop

from bench.four.data import CODES, rows
from bench.processes import announce

_ROOT = re.compile(r"(?:(\w+)\s*:\s*)?(enterprises?)\s*\(([^)]*)\)\s*\{")
_ARGUMENT = re.compile(r'(\w+)\s*:\s*(?:\$(\w+)|"(\w+)"|(\d+))')


def entity(name: str, code: str) -> dict[str, Any]:
    """What a subgraph has of an enterprise, in its own words."""
    found = [{key: value for key, value in row.items() if value != code} for row in rows(name, code)]
    own = found[0] if name == "register" else {name: found[0] if name == "credit" else found}
    return {"__typename": "Enterprise", "uscc": code, **own}


class Subgraph(asyncio.Protocol):
    """One connection: keep-alive, no pipelining."""

    calls = 0
    ready: dict[str, bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class has another base
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        if head.startswith(b"GET"):
            self.received = b""
            self.answer(b"%d" % Subgraph.calls)
        elif len(body) >= int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            self.received = b""
            Subgraph.calls += 1
            self.answer(b'{"data":{' + self.told(orjson.loads(body)) + b"}}")

    def told(self, asked: dict[str, Any]) -> bytes:
        variables = asked.get("variables") or {}
        wanted = variables.get("representations")
        if wanted is not None:
            return b'"_entities":[' + b",".join(self.ready[one["uscc"]] for one in wanted) + b"]"
        root = _ROOT.search(asked["query"])
        assert root is not None, asked
        given = {name: variables.get(variable, text or number) for name, variable, text, number in _ARGUMENT.findall(root[3])}
        key = (root[1] or root[2]).encode()
        if root[2] == "enterprise":
            return b'"' + key + b'":' + self.ready[given["uscc"]]
        codes = CODES[int(given["offset"]) :][: int(given["first"])]
        return b'"' + key + b'":[' + b",".join(self.ready[code] for code in codes) + b"]"

    def answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)


async def serve(name: str) -> None:
    """Serve until cancelled."""
    Subgraph.ready = {code: orjson.dumps(entity(name, code)) for code in CODES}
    listener = announce()
    server = await asyncio.get_running_loop().create_server(Subgraph, sock=listener)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
