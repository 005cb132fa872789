"""Other people's libraries agree: what is checked in is what they compose, and their gateway answers as the estates say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.federation.compose import DEMO, composed, demonstrated, texts
from tests.federation.estate import Case, Estate, running
from tests.federation.estates import ESTATES
from tests.federation.estates.rights import OTHERS as UNKNOWN_RIGHTS
from tests.federation.reference import differences, gateway
from tests.federation.served import hub
from tests.federation.test_random import queries

pytestmark = pytest.mark.npm


def test_what_is_checked_in_is_what_they_compose() -> None:
    for estate, made in zip(ESTATES, composed(ESTATES).values(), strict=True):
        assert "errors" not in made, (estate.name, made)
        for writing, text in texts(estate, made).items():
            assert estate.composed(writing) == text, (estate.name, writing)


def test_the_demo_is_what_they_compose() -> None:
    assert demonstrated() == DEMO.read_text(encoding="utf-8")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ask() -> AsyncIterator[Any]:
    async with gateway() as found:
        yield found


CASES = [(one, case) for one in ESTATES for case in one.cases if not case.unlike]


@pytest.mark.parametrize("estate", ESTATES, ids=lambda one: one.name)
@pytest.mark.asyncio(loop_scope="module")
async def test_the_hub_asks_no_more_than_the_reference_gateway(ask: Any, estate: Estate) -> None:
    if any(case.unlike == UNKNOWN_RIGHTS for case in estate.cases):
        return
    for query in queries(estate, 8):
        async with running(estate) as theirs:
            answer = await ask(supergraph=estate.composed(), urls=dict(theirs.urls), query=query, variables={})
        if answer.get("data") != theirs.monolith(query)["data"]:  # it is wrong, or its own errors empty more
            continue
        async with running(estate) as ours, hub(estate.composed(), ours.urls) as asked:
            await asked(query, {}, ())
        assert sum(ours.calls().values()) <= sum(theirs.calls().values()), (query, ours.calls(), theirs.calls())


@pytest.mark.parametrize(("estate", "case"), CASES, ids=[f"{one.name}-{case.title}" for one, case in CASES])
@pytest.mark.asyncio(loop_scope="module")
async def test_the_reference_gateway_agrees(ask: Any, estate: Estate, case: Case) -> None:
    assert await differences(ask, estate, case) == []
