"""A hub over a supergraph, for as long as a test needs it. The one place here that knows how a hub is started.

The engine alone, as ``hub serve --supergraph`` makes it; its answers over HTTP are ``test_serving``'s business.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from auth.principal import ANONYMOUS, Audience, Principal
from hub.clock import SystemClock
from hub.connected import connect
from hub.environment import Environment
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.federation.serve import composition

# Query, variables and the caller's scopes (None: anonymous) -> the response.
Ask = Callable[[str, Mapping[str, Any], tuple[str, ...] | None], Awaitable[dict[str, Any]]]


@asynccontextmanager
async def hub(supergraph: str, urls: Mapping[str, str]) -> AsyncIterator[Ask]:
    """A hub that serves ``supergraph`` (its text) with its subgraphs at ``urls``, by the names that ``join__Graph`` gives them."""
    made = composition(supergraph, "supergraph.graphql", urls)
    assert made.ok, "\n".join(map(str, made.faults))
    connections = connect(made.registry, Environment({}))
    engine = Engine(made.schema, made.registry, Sources(made.registry.systems, connections.connectors, SystemClock()))

    async def ask(query: str, variables: Mapping[str, Any], scopes: tuple[str, ...] | None) -> dict[str, Any]:
        who = ANONYMOUS if scopes is None else Principal("tester", Audience.APP, frozenset(scopes))
        answer = await engine.execute(engine.parse(query), variables=variables, principal=who)
        found: dict[str, Any] = orjson.loads(answer.body)
        return found

    try:
        yield ask
    finally:
        await engine.close()
        await engine.sources.close()
