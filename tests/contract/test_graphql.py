"""The contract over GraphQL: a real server on graphql-core that answers in an order of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web
from graphql import build_schema, graphql

from connectors.contract import ROWS, Contract, World
from connectors.graphql import GraphqlConnector, GraphqlSettings
from connectors.spi import Field, Options, Relation, Secret
from tests.connectors.loopback import nobody, served

SECRET = "graphql-secret-4711"
SCHEMA = build_schema("""
    type Query {
      licences(nrs: [ID!]!): [Licence]
      licence(nr: ID!): Licence
      byHolder(wer: String!): Held
      all: [Licence!]
      stuck: [Licence!]
    }
    type Held { nodes: [Licence!] }
    type Licence { nr: ID!  wer: Holder  zz: [Detail]  dj: Int  bfrq: String }
    type Holder { id: String }
    type Detail { mc: String }
""")
NATIVE = [{"nr": r["id"], "wer": {"id": r["holder"]}, "zz": [{"mc": r["name"]}], "dj": r["level"], "bfrq": r["issuedOn"]} for r in ROWS]
GRAPHQL_FIELDS = (
    Field("id", "nr"),
    Field("holder", "wer.id"),
    Field("name", "zz[0].mc"),
    Field("level", "dj", "int"),
    Field("issuedOn", "bfrq"),
)


class Root:
    """Resolvers of the query type."""

    def licences(self, info: Any, nrs: list[str]) -> list[Any]:
        by_nr = {row["nr"]: row for row in NATIVE}
        return [by_nr.get(nr) for nr in reversed(nrs)]

    def licence(self, info: Any, nr: str) -> Any:
        return next((row for row in NATIVE if row["nr"] == nr), None)

    def byHolder(self, info: Any, wer: str) -> Any:
        return {"nodes": [row for row in NATIVE if (row["wer"] or {}).get("id") == wer]}

    def all(self, info: Any) -> Any:
        return NATIVE

    async def stuck(self, info: Any) -> Any:
        await asyncio.Event().wait()


async def endpoint(request: web.Request) -> web.Response:
    if request.headers.get("Authorization") != f"Bearer {SECRET}":
        raise web.HTTPForbidden
    asked: Mapping[str, Any] = orjson.loads(await request.read())
    done = await graphql(SCHEMA, asked["query"], Root(), variable_values=asked.get("variables"))
    answer: dict[str, Any] = {"data": done.data} if done.data is not None else {}
    if done.errors:
        answer["errors"] = [error.formatted for error in done.errors]
    return web.Response(
        body=orjson.dumps(answer), content_type="application/graphql-response+json", status=200 if "data" in answer else 400
    )


async def nonsense(request: web.Request) -> web.Response:
    return web.json_response(["not", "GraphQL"])


BATCH = Relation(
    "batch", (Field("id", ""), *GRAPHQL_FIELDS[1:]),
    Options({"name": "licences", "argument": "nrs", "batch": {"by": "id", "match": "nr", "max": 9}}), keys=("id",), max_keys=9,
)  # fmt: skip
TYPED = Relation(
    "typed", GRAPHQL_FIELDS, Options({"name": "licences", "argument": "nrs", "keyType": "[ID!]!", "batch": {"by": "id", "max": 4}}),
    keys=("id",), max_keys=4,
)  # fmt: skip
SINGLE = Relation("single", GRAPHQL_FIELDS, Options({"name": "licence", "argument": "nr"}), keys=("id",), max_keys=1)
BY_HOLDER = Relation(
    "byHolder", (Field("holder", ""), *GRAPHQL_FIELDS[:1], *GRAPHQL_FIELDS[2:]),
    Options({"name": "byHolder", "argument": "wer", "at": "nodes"}), keys=("holder",), max_keys=1,
)  # fmt: skip
ALL = Relation("all", GRAPHQL_FIELDS, Options({"name": "all"}))
RELATIONS = (BATCH, TYPED, SINGLE, BY_HOLDER, ALL)
STUCK = Relation("stuck", GRAPHQL_FIELDS, Options({"name": "stuck"}))


class TestGraphql(Contract):
    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with served(web.post("/graphql", endpoint), web.post("/garbage", nonsense)) as base:
            options = {"url": f"{base}/graphql", "auth": {"kind": "BEARER", "secret": Secret(SECRET)}}
            made = [
                GraphqlConnector(GraphqlSettings.of({**options, "url": url}))
                for url in (f"{base}/graphql", f"http://127.0.0.1:{nobody()}/graphql", f"{base}/garbage")
            ]
            try:
                yield World(
                    connector=made[0],
                    relations=RELATIONS,
                    stuck=STUCK,
                    gone=(made[1], BATCH),
                    garbage=(made[2], TYPED),
                    options=options,
                    secret=SECRET,
                )
            finally:
                for connector in made:
                    await connector.close()
