"""Random queries: behind the hub every estate answers as the monolith, and what is skipped is asked of nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.federation.estate import Estate, public, running, stamped
from tests.federation.estates import ESTATES
from tests.federation.queries import Queries
from tests.federation.served import hub
from tests.federation.test_estates import paths

EXAMPLES = int(os.environ.get("HUB_EXAMPLES", "2"))
SCOPES = ("risk:all", "person:read", "phone:read", "planning")  # all that the estates ask for


def words(value: Any, seen: set[int] | None = None) -> Iterator[str]:
    """All texts in the rows of an estate."""
    seen = set() if seen is None else seen
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and id(value) not in seen:
        seen.add(id(value))
        for part in value.values() if isinstance(value, dict) else value:
            yield from words(part, seen)


def queries(estate: Estate, examples: int = EXAMPLES) -> list[str]:
    known = sorted(set(words(stamped(estate))))
    asked = {"CNY", "JPY"} if any("currency" in sdl for sdl in estate.subgraphs.values()) else {*known}
    return [Queries(public(estate), sorted(asked), f"{estate.name} {number}").valid() for number in range(examples)]


@pytest.mark.parametrize("estate", ESTATES, ids=lambda one: one.name)
async def test_random_queries_are_answered_as_by_the_monolith(estate: Estate) -> None:
    async with running(estate) as there, hub(estate.composed(), there.urls) as ask:
        for query in queries(estate):
            expected, answer = there.monolith(query), await ask(query, {}, SCOPES)
            assert (answer.get("data"), paths(answer)) == (expected["data"], paths(expected)), query
