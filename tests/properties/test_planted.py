"""Properties that let a mistake pass are worth nothing: each planted one must be noticed, and nothing without it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.properties.checks import CHECKS
from tests.properties.found import before, made, noticed
from tests.properties.planted import PLANTED, Planted


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_nothing_is_noticed_where_nothing_is_planted(check: Any) -> None:
    for seed in range(10):
        await check(made(seed))


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.story)
async def test_a_planted_mistake_is_noticed(planted: Planted) -> None:
    assert await noticed(planted, [seed for story, seed in before().items() if story == planted.story])
