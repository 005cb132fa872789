"""The measure of comparison for nested lists: a plain Strawberry schema with DataLoaders, as anyone would write it, under uvicorn.

``python -m bench.loaders FARMS_URL CHECKS_URL LABORATORIES_URL`` prints its port. Must not know the hub.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import strawberry
import uvicorn
from aiodataloader import DataLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.types import Info

from bench.farms import Rows
from bench.processes import announce

BATCH = 200  # keys a call, as the departments allow
_clients: dict[str, aiohttp.ClientSession] = {}


async def ask(name: str, path: str) -> Rows:
    """The rows that one department answers."""
    async with _clients[name].get(path) as answer:
        found: Rows = orjson.loads(await answer.read())["data"]
        return found


def date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)  # reads yyyyMMdd as well, in a tenth of what strptime takes


class Loaders:
    """One request's loaders."""

    def __init__(self) -> None:
        self.checks: DataLoader[str, Rows] = DataLoader(self._checks, max_batch_size=BATCH)
        self.laboratories: DataLoader[str, dict[str, Any] | None] = DataLoader(self._laboratories, max_batch_size=BATCH)

    async def _checks(self, farms: list[str]) -> list[Rows]:
        groups: dict[str, Rows] = {farm: [] for farm in farms}
        for row in await ask("checks", "/checks?ncbh=" + ",".join(farms)):
            groups[row["ncbh"]].append(row)
        return [groups[farm] for farm in farms]

    async def _laboratories(self, numbers: list[str]) -> list[dict[str, Any] | None]:
        found = {row["jgbh"]: row for row in await ask("laboratories", "/laboratories?jgbh=" + ",".join(numbers))}
        return [found.get(number) for number in numbers]


@strawberry.type
class Laboratory:
    lab_no: strawberry.ID
    name: str | None
    accredited_until: datetime.date | None


@strawberry.type
class Check:
    check_no: strawberry.ID
    produce: str | None
    pieces: int | None
    sampled_on: datetime.date | None
    of: strawberry.Private[str]

    @strawberry.field
    async def laboratory(self, info: Info[Loaders, None]) -> Laboratory | None:
        row = await info.context.laboratories.load(self.of)
        return None if row is None else Laboratory(lab_no=row["jgbh"], name=row["mc"], accredited_until=date(row["yxq"]))


@strawberry.type
class Farm:
    farm_no: strawberry.ID
    name: str | None
    area: int | None

    @strawberry.field
    async def checks(self, info: Info[Loaders, None]) -> list[Check] | None:
        return [
            Check(check_no=row["pcbh"], produce=row["pm"], pieces=row["js"], sampled_on=date(row["cyrq"]), of=row["jgbh"])
            for row in await info.context.checks.load(self.farm_no)
        ]


@strawberry.type
class Query:
    @strawberry.field
    async def farms(self) -> list[Farm] | None:
        return [Farm(farm_no=row["ncbh"], name=row["mc"], area=row["mj"]) for row in await ask("farms", "/farms")]


class Endpoint(GraphQL[Loaders, None]):
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Loaders:
        return Loaders()


def main(farms: str, checks: str, laboratories: str) -> None:
    """Serve it at ``/graphql`` on a free port of loopback."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        for name, url in (("farms", farms), ("checks", checks), ("laboratories", laboratories)):
            _clients[name] = aiohttp.ClientSession(url)
        yield
        for client in _clients.values():
            await client.close()

    app = Starlette(routes=[Route("/graphql", Endpoint(strawberry.Schema(Query)))], lifespan=lifespan)
    listener = announce()
    uvicorn.Server(uvicorn.Config(app, fd=listener.fileno(), log_level="warning", access_log=False)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
