"""The measure of comparison: a plain Strawberry schema with a resolver, as its documentation shows, under uvicorn.

``produceSamples`` asks the same source as the hub does; ``heldSamples`` has the objects ready in memory, which no hub could, and so
bounds what resolvers alone cost. ``python -m bench.ordinary SOURCE_URL`` prints its port. Must not know the hub.
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
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL

from bench.processes import announce
from bench.rows import rows

_client: list[aiohttp.ClientSession] = []


@strawberry.type
class ProduceSample:
    sample_no: strawberry.ID
    produce: str | None
    pieces: int | None
    passed: bool | None
    sampled_on: datetime.date | None


def sample(row: dict[str, Any]) -> ProduceSample:
    """One native row as an object."""
    return ProduceSample(
        sample_no=row["ypbh"],
        produce=row["pm"],
        pieces=row["js"],
        passed=row["hg"],
        sampled_on=datetime.datetime.strptime(row["cyrq"], "%Y%m%d").date(),
    )


_held = [sample(row) for row in rows()]


@strawberry.type
class Query:
    @strawberry.field
    async def produce_samples(self) -> list[ProduceSample] | None:
        async with _client[0].get("/samples") as answer:
            return [sample(row) for row in orjson.loads(await answer.read())["data"]]

    @strawberry.field
    def held_samples(self) -> list[ProduceSample] | None:
        return _held


def main(source: str) -> None:
    """Serve it at ``/graphql`` on a free port of loopback."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(source) as client:
            _client.append(client)
            yield

    app = Starlette(routes=[Route("/graphql", GraphQL[Any, Any](strawberry.Schema(Query)))], lifespan=lifespan)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run([announce()])


if __name__ == "__main__":
    main(sys.argv[1])
