"""A column of JSON text: what is no JSON is a value that cannot be read, for the oracle and for the engine."""

from __future__ import annotations

import pytest

from tests.bound import Lies, items, lookup
from tests.properties.engine import run_engine, run_oracle
from tests.worlds import World, world

SDL = "type Query { firm(id: ID!): Firm } type Firm { id: ID! visits: [Visit] } type Visit { day: String length: Float }"


def firm(visits: str) -> World:
    fields: dict[str, Lies | str] = {"id": "ID", "visits": items("FK", "Visit", {"day": "RQ", "length": "SC"}, format="json")}
    return world(
        SDL,
        [lookup("a", "Firm", "id", fields)],
        {"a": {"Firm": [{"ID": "1", "FK": visits}]}},
        keys={"Firm": ["id"]},
        roots={"Query.firm": ("Firm", {"id": "id"})},
    )


@pytest.mark.parametrize("text", ['[{"RQ": "x", "SC": NaN}]', '[{"SC": -Infinity}]', "[{'RQ': 1}]", "[1,", ""])
async def test_text_that_is_no_json_is_a_value_that_cannot_be_read(text: str) -> None:
    for run in (run_engine, run_oracle):
        found = await run(firm(text), '{ firm(id: "1") { visits { day } } }', {})
        assert (found.data, found.codes()) == ({"firm": {"visits": None}}, {"BAD_VALUE"})
