"""Properties that let a mistake pass are worth nothing: each planted one must be noticed, and nothing without it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.properties.checks import CHECKS
from tests.properties.generator import Case, case
from tests.properties.planted import PLANTED, Planted

SEEDS = 400


@cache
def _case(seed: int) -> Case:
    return case(seed, 1 + seed % 3)


async def _noticed(planted: Planted) -> bool:
    for seed in range(SEEDS):
        try:
            await planted.by(_case(seed))
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_nothing_is_noticed_where_nothing_is_planted(check: Any) -> None:
    for seed in range(10):
        await check(_case(seed))


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.story)
async def test_a_planted_mistake_is_noticed(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planted.owner, planted.name, planted.wrong(getattr(planted.owner, planted.name)))
    assert await _noticed(planted)
