"""企业登记变更公告: announces changes of registration, one after the other, as server-sent events. Must not know the hub.

The changes come from the seed alone: the n-th is always the same, so that whoever was cut off can go on after the last that it saw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Any

import orjson
from aiohttp import web

from demo.facts import World
from demo.faults import HTML, Cut, Faults, How, Tally, spoil
from demo.native import STATUSES

SECONDS = 1.0  # between two changes


def change(truth: World, number: int) -> dict[str, Any]:
    """The change of that number, as it is announced: ``{lsh, data: {tyshxydm, djzt}}``."""
    entity = Random(f"{truth.seed}/change/{number}").choice(truth.enterprises)
    return {"lsh": number, "data": {"tyshxydm": entity.uscc, "djzt": STATUSES[entity.status]}}


def gazette(truth: World, faults: Faults, tally: Tally, *, seconds: float = SECONDS) -> web.Application:
    """``GET /djbg``: from the present change on, or from the one after ``Last-Event-ID``."""
    begun: list[float] = []

    def now() -> int:
        """How many changes there have been."""
        return int((asyncio.get_running_loop().time() - begun[0]) / seconds) if begun else 0

    async def start(_: web.Application) -> None:
        begun.append(asyncio.get_running_loop().time())

    async def announce(request: web.Request) -> web.StreamResponse:
        after = request.headers.get("Last-Event-ID", "")
        number = int(after) + 1 if after.isdecimal() else now() + 1
        tally.add("GET /djbg", 0)
        response = web.StreamResponse(headers={"content-type": "text/event-stream", "cache-control": "no-store"})
        await response.prepare(request)
        await response.write(b": \n\n")
        while True:
            due = begun[0] + number * seconds - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, due))
            try:
                how = await faults.gate()
            except Cut:
                if request.transport is not None:
                    request.transport.abort()
                return response
            for line in _event(change(truth, number), number, how):
                await response.write(line)
            number += 1

    app = web.Application()
    app.on_startup.append(start)
    app.router.add_get("/djbg", announce)
    return app


def _event(told: dict[str, Any], number: int, how: How | None) -> Iterator[bytes]:
    data = HTML.encode() if how is How.HTML else orjson.dumps(told if how is None else {**told, "data": spoil([told["data"]], how)[0]})
    yield b"id: %d\nevent: bg\ndata: " % number + data + b"\n\n"
