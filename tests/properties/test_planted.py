"""Properties that let a mistake pass are worth nothing: each planted one must be noticed, and nothing without it."""

from __future__ import annotations

import pytest

from tests.properties.checks import CHECKS
from tests.properties.generator import case
from tests.properties.planted import PLANTED, Planted

SEEDS = range(150)


async def _noticed(seeds: range) -> str:
    """What goes wrong first: an assertion of a property, or an exception out of the engine."""
    for seed in seeds:
        for check in CHECKS:
            try:
                await check(case(seed, 1 + seed % 3))
            except (AssertionError, ArithmeticError, LookupError, TypeError, ValueError) as error:
                return f"{check.__name__}: {error}"
    return ""


async def test_nothing_is_noticed_where_nothing_is_planted() -> None:
    assert await _noticed(SEEDS[:25]) == ""


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.story)
async def test_a_planted_mistake_is_noticed(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planted.owner, planted.name, planted.wrong(getattr(planted.owner, planted.name)))
    assert await _noticed(SEEDS) != ""
