"""A mutation whose source tells by a key what it has carried out already: made again with the same key, and only then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.spi import SourceError
from hub.run.engine import Engine
from hub.run.sources import Sources
from tests.bound import lookup, write
from tests.virtual import LoopClock, run
from tests.worlds import PLAIN, world

SDL = "type Query { firm(uscc: ID!): Firm } type Mutation { rename(uscc: ID!, name: String!): Firm } type Firm { uscc: ID! name: String }"


def renamed(idempotent: bool, *failures: str) -> tuple[Any, list[str], list[str]]:
    """The data of a mutation whose source fails at first, the codes, and the key of each call."""

    async def story() -> tuple[Any, list[str], list[str]]:
        fields = {"uscc": "dm", "name": "mc"}
        made = write("register", "Mutation.rename", "Firm", fields, rows="Firm", by=("uscc", "dm"), sets={"name": "mc"})
        there = world(
            SDL,
            [lookup("register", "Firm", "uscc", {"uscc": "dm", "name": "mc"}), replace(made, idempotent=idempotent)],
            {"register": {"Firm": [{"dm": "A", "mc": "旧名"}]}},
            keys={"Firm": ["uscc"]},
            roots={"Query.firm": ("Firm", {"uscc": "uscc"})},
            limits=replace(PLAIN, retries=2),
        )
        register, keys, left = there.systems["register"], [], list(failures)
        fetch = register.fetch

        def failing(plan: Any, call: Any) -> Any:
            keys.append(call.idempotency_key)
            if left:
                raise SourceError(left.pop(0), "as told", source="register")  # type: ignore[arg-type]
            return fetch(plan, call)

        register.fetch = failing  # type: ignore[method-assign]
        asked = Engine(there.schema, there.registry, Sources(there.registry.systems, there.connectors, LoopClock()))
        found = await asked.run(asked.parse('mutation { rename(uscc: "A", name: "新名") { name } }'))
        return found.data, [str((error.extensions or {}).get("code")) for error in found.errors or ()], keys

    return run(story())


def test_it_is_made_again_with_the_same_key() -> None:
    data, codes, keys = renamed(True, "down", "slow")
    assert (data, codes) == ({"rename": {"name": "新名"}}, [])
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert keys[0] != renamed(True)[2][0]  # each mutation has a key of its own


def test_what_may_have_been_done_by_an_earlier_call_is_of_unknown_outcome() -> None:
    assert renamed(True, "slow", "invalid")[1] == ["OUTCOME_UNKNOWN"]
    assert renamed(True, "invalid")[1] == ["SYSTEM_REFUSED"]


@pytest.mark.parametrize("failure", ["down", "slow", "busy"])
def test_without_a_key_it_is_made_once(failure: str) -> None:
    data, codes, keys = renamed(False, failure)
    assert (data, len(codes), keys) == ({"rename": None}, 1, [""])
