"""Federations and queries made at random: behind the hub they answer as the monolith."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import orjson
from graphql import build_schema
from hypothesis import given
from hypothesis import strategies as st

from connectors.graphql import GraphqlConnector, GraphqlSettings
from connectors.spi import Call, SourceError
from hub.clock import SystemClock
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.federation.serve import composition
from tests.federation.estate import monolith, stamped
from tests.federation.generated import Maker, Written, query
from tests.federation.subgraph import Subgraph
from tests.properties import examples


class Direct(GraphqlConnector):
    """Speaks to a subgraph of this process."""

    def __init__(self, subgraph: Subgraph) -> None:
        super().__init__(GraphqlSettings("http://127.0.0.1:9"), system=subgraph.name)
        self.subgraph = subgraph

    async def _send(
        self, sent: Mapping[str, Any], call: Call, *, once: bool = False
    ) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]], int]:
        body = orjson.loads(orjson.dumps(sent))
        answer = self.subgraph.answer(body["query"], body.get("variables") or {})
        if answer.get("data") is None:
            raise SourceError("broken", "The source failed.")
        return answer["data"], answer.get("errors", ()), 0


@given(st.integers(0, 10**9), st.integers(0, 10**9))
@examples(40)
async def test_any_federation_answers_as_the_monolith(made: int, asked: int) -> None:
    estate = Maker(Random(made)).estate()
    await compare(estate, query(Random(asked), build_schema(estate.composed("api"))))


async def compare(estate: Written, text: str) -> None:
    rows = stamped(estate)
    subgraphs = {
        name: Subgraph(name, sdl, rows, {**estate.resolvers, **estate.own.get(name, {})}) for name, sdl in estate.subgraphs.items()
    }
    served = composition(estate.composed(), "supergraph.graphql", {})
    assert served.ok, served.faults
    connectors = {name: Direct(one) for name, one in subgraphs.items()}
    engine = Engine(served.schema, served.registry, Sources(served.registry.systems, connectors, SystemClock()))
    answer = orjson.loads((await engine.execute(engine.parse(text))).body)
    expected = monolith(estate, rows)(text)
    assert answer["data"] == expected["data"], text
    # Which of them is told, and where, is up to the subgraphs: a null that may not be one moves up there before the hub hears of it.
    assert bool(answer.get("errors")) == bool(expected.get("errors")), text
