"""How a system is doing: told from its last calls, with the reason and what it was before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.spi import Options
from hub.run.health import HISTORY, Change, Health
from hub.run.standing import Standings
from schema.registry import Breaker, Limits, System
from tests.properties.again import Hand

DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Days(Hand):
    """A clock by hand, for both kinds of time."""

    def now(self) -> datetime:
        return DAY + timedelta(seconds=self.at)


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("", "UNKNOWN"),
        ("ok", "OK"),
        ("ok ok down", "DEGRADED"),
        ("ok down down down", "DOWN"),
        ("down down", "DEGRADED"),
        ("down slow broken", "DOWN"),
        ("down down down ok", "DEGRADED"),
        ("down" + " ok" * 20, "OK"),
        ("ok cancelled invalid missing", "OK"),
        ("invalid cancelled", "UNKNOWN"),
    ],
)
def test_it_is_read_from_recent_calls(outcomes: str, state: str) -> None:
    health = Health(Days())
    for outcome in outcomes.split():
        health.called("byId", outcome, left_alone=False)
    assert health.state == state


def test_each_change_is_remembered_with_its_time_and_reason() -> None:
    clock = Days()
    health = Health(clock)
    for outcome in ("ok", "ok", "slow", "down", "down", "ok"):
        clock.at += 1.0
        health.called("byId", outcome, left_alone=False)
    assert [(change.state, change.reason, (change.at - DAY).seconds) for change in health.history] == [
        ("OK", "", 1),
        ("DEGRADED", "slow", 3),
        ("DOWN", "down", 5),
        ("DEGRADED", "down", 6),
    ]
    assert (health.since, health.reason) == (DAY + timedelta(seconds=6), "down")
    assert health.last_success == DAY + timedelta(seconds=6)
    assert health.last_failure is not None
    assert (health.last_failure.kind, health.last_failure.relation, health.last_failure.at) == ("down", "byId", DAY + timedelta(seconds=5))


def test_the_history_is_bounded() -> None:
    health = Health(Days())
    for _ in range(HISTORY):
        for outcome in ("down", "down", "down", "ok"):
            health.called("byId", outcome, left_alone=False)
    assert len(health.history) == HISTORY


def test_a_system_that_is_left_alone_is_down() -> None:
    health = Health(Days())
    assert health.called("byId", "down", left_alone=True) == Change(DAY, "DOWN", "down")


def test_what_is_known_of_a_system_outlives_a_change_that_leaves_it_as_it_was() -> None:
    system = System("s", "", "", "rest", Options({"base": "http://a"}), limits=Limits(breaker=Breaker(failures=1)))
    standings = Standings(Days())
    known = standings.of(system)
    known.over(known.admit(), "byId", "down", 1.0)
    assert standings.of(replace(system, title="改名")) is known
    stricter = standings.of(replace(system, limits=Limits(timeout=1.0)))
    assert (stricter.breaker_state(), stricter.health.state) == ("CLOSED", "DOWN")
    moved = standings.of(replace(system, options=Options({"base": "http://b"})))
    assert moved.health.state == "UNKNOWN"
