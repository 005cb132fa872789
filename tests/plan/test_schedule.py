"""When a step may start, and how much of the time there is it may take."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLID

from hub.plan.model import Expand, Fetch, Unit
from hub.plan.schedule import budget, schedule
from hub.plan.slots import ELEMENT, Slot
from tests.bound import lookup

TIMEOUTS = {"fast": 1.0, "slow": 4.0}


def fetch(number: int, system: str, *needed: int) -> Fetch:
    key = tuple(Slot(step, "k", GraphQLID) for step in needed)
    return Fetch(number, 0, lookup(system, "Firm", "uscc", {"uscc": "uscc"}), key, ("uscc",))


def units(*steps: Any, groups: Any = ()) -> dict[tuple[int, ...], Unit]:
    return {tuple(step.id for step in unit.steps): unit for unit in schedule(steps, groups, TIMEOUTS.__getitem__)}


def test_a_unit_counts_what_it_needs_and_knows_what_needs_it() -> None:
    found = units(fetch(1, "fast"), fetch(2, "fast", 1), fetch(3, "slow", 1), fetch(4, "fast", 2, 3))
    assert {numbers: unit.waits for numbers, unit in found.items()} == {(1,): 0, (2,): 1, (3,): 1, (4,): 2}
    assert [found[(1,)].feeds, found[(2,)].feeds, found[(4,)].feeds] == [(1, 2), (3,), ()]


def test_fetches_that_share_their_calls_start_together() -> None:
    found = units(fetch(1, "fast"), fetch(2, "slow"), fetch(3, "fast", 1), fetch(4, "fast", 2), groups=[(1,), (2,), (3, 4)])
    assert found[(3, 4)].waits == 2


def test_below_is_the_longest_chain_and_steps_that_ask_nobody_take_no_time() -> None:
    expand = Expand(2, 0, 1, Slot(1, ELEMENT, GraphQLID))
    found = units(fetch(1, "fast"), expand, fetch(3, "slow", 2), fetch(4, "fast", 3), fetch(5, "fast", 1))
    assert [found[(number,)].below for number in range(1, 6)] == [5.0, 5.0, 1.0, 0.0, 0.0]
    assert found[(2,)].seconds == 0.0


@pytest.mark.parametrize(
    ("remaining", "taken"),
    [
        (10.0, 4.0),  # enough for all: the system's own timeout
        (5.0, 4.0),
        (2.5, 2.0),  # half of what all would take: half of its timeout
        (0.0, 0.0),
    ],
)
def test_time_that_is_short_is_divided_along_the_chain(remaining: float, taken: float) -> None:
    assert budget(Unit((), 0, (), seconds=4.0, below=1.0), remaining) == taken


def test_the_last_step_may_use_all_that_is_left() -> None:
    assert budget(Unit((), 0, (), seconds=4.0), 3.0) == 3.0
