"""What can be reached: ``bench.four.handler`` once more, with nothing left between the socket and the sources, and codes that
arrive while four calls are in flight sent together.

``python -m bench.four.together REGISTER_URL CREDIT_URL PERMITS_URL INSPECTIONS_URL`` prints its port. It is what the hub would be if it
checked no token, read no query, planned nothing, kept no audit, bore no failure and knew these four by heart. Must not know the hub.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import MutableMapping
from typing import Any

import aiohttp
import orjson
import uvicorn

from bench.four.handler import NAMES, Row, built
from bench.processes import announce

KEYS = ("tyshxydm", "tyshxydm", "czr", "xydm")
MOST = 4  # calls in flight to one source


class Lane:
    """Codes on their way to one source, by who waits for them."""

    def __init__(self, client: aiohttp.ClientSession, url: str, key: str) -> None:
        self._client = client
        self._url = url
        self._key = key
        self._waiting: dict[str, list[asyncio.Future[list[Row]]]] = {}
        self._calls: set[asyncio.Task[None]] = set()

    def rows(self, code: str) -> asyncio.Future[list[Row]]:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._leave)
        found = loop.create_future()
        self._waiting.setdefault(code, []).append(found)
        return found

    def _leave(self) -> None:
        if self._waiting and len(self._calls) < MOST:
            waiting, self._waiting = self._waiting, {}
            call = asyncio.ensure_future(self._call(waiting))
            self._calls.add(call)
            call.add_done_callback(self._back)

    def _back(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._leave()

    async def _call(self, waiting: dict[str, list[asyncio.Future[list[Row]]]]) -> None:
        async with self._client.get(f"{self._url}?codes={','.join(waiting)}") as answer:
            rows: list[Row] = orjson.loads(await answer.read())["data"]
        found: dict[str, list[Row]] = {}
        for row in rows:
            found.setdefault(row[self._key], []).append(row)
        for code, futures in waiting.items():
            for future in futures:
                future.set_result(found.get(code, []))


class App:
    """The ASGI application: whatever is asked is a POST for the enterprise whose code is the variable ``uscc``."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._lanes: list[Lane] = []

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await self._lifespan(receive, send)
        code = orjson.loads((await receive())["body"])["variables"]["uscc"]
        body = orjson.dumps({"data": {"enterprise": built(*await asyncio.gather(*(lane.rows(code) for lane in self._lanes)))}})
        fields = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            places = zip(self._urls, NAMES, KEYS, strict=True)
            self._lanes = [Lane(client, f"{url}/{name}", key) for url, name, key in places]
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    uvicorn.Server(uvicorn.Config(App(sys.argv[1:]), log_level="warning", access_log=False)).run([announce()])
