"""The measure of comparison: the same answer by hand, as a Starlette endpoint that gathers the four sources for each request with aiohttp.

``python -m bench.four.handler REGISTER_URL CREDIT_URL PERMITS_URL INSPECTIONS_URL`` prints its port. It checks no token, reads no query,
writes no audit and knows its sources' words by heart. Must not know the hub.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.processes import announce

Row = dict[str, Any]
NAMES = ("register", "credit", "permits", "inspections")
STATUS = {"存续": "ACTIVE", "吊销": "REVOKED", "注销": "CANCELLED"}
_client: list[aiohttp.ClientSession] = []
_urls: list[str] = []


async def _rows(url: str) -> list[Row]:
    async with _client[0].get(url) as answer:
        found: list[Row] = orjson.loads(await answer.read())["data"]
        return found


def _day(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"


async def enterprise(uscc: str) -> dict[str, Any] | None:
    """One enterprise from all four, asked at once."""
    return built(*await asyncio.gather(*(_rows(f"{url}/{name}?codes={uscc}") for url, name in zip(_urls, NAMES, strict=True))))


def built(register: list[Row], credit: list[Row], permits: list[Row], inspections: list[Row]) -> dict[str, Any] | None:
    """The answer out of native rows."""
    if not register:
        return None
    [one], [score] = register, credit
    at = score["pjsj"]
    return {
        "uscc": one["tyshxydm"],
        "name": one["qymc"],
        "address": one["zs"],
        "status": STATUS[one["djzt"]],
        "legalRepName": one["fddbr"]["xm"],
        "creditScore": {
            "score": score["pf"],
            "grade": score["dj"],
            "evaluatedAt": f"{_day(at)}T{at[8:10]}:{at[10:12]}:{at[12:]}+08:00",
        },
        "permits": [
            {
                "permitNo": row["bh"],
                "title": row["mc"],
                "issuedOn": _day(row["fzrq"]),
                "validUntil": _day(row["yxqz"]),
                "authority": row["jg"],
            }
            for row in permits
        ],
        "inspections": [{"inspectionNo": row["jcbh"], "inspectedOn": _day(row["rq"]), "result": row["jg"]} for row in inspections],
    }


async def answer(request: Request) -> Response:
    """POST: the enterprise whose code is the variable ``uscc``."""
    asked = orjson.loads(await request.body())
    data = {"enterprise": await enterprise(asked["variables"]["uscc"])}
    return Response(orjson.dumps({"data": data}), media_type="application/json")


def main(urls: list[str]) -> None:
    """Serve it at ``/graphql`` on a free port of loopback."""
    _urls[:] = urls

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            _client.append(client)
            yield

    app = Starlette(routes=[Route("/graphql", answer, methods=["POST"])], lifespan=lifespan)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run([announce()])


if __name__ == "__main__":
    main(sys.argv[1:])
