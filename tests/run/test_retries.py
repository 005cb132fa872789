"""Reads that failed are tried again: after a while, by chance of a little more or less, and never past the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from connectors.spi import SourceError
from hub.run.sources import BACKOFF
from tests.run.scripted import THINGS, Script, fetch, sources
from tests.virtual import run


def tried(script: Script, retries: int, deadline: float | None = None, effect: str = "read") -> Sequence[float]:
    """When the system was asked for one read, whatever came of it."""

    async def story() -> Sequence[float]:
        asked, _, began = sources(script, retries=retries, timeout=5.0)
        try:
            await fetch(asked, deadline=deadline, relation=replace(THINGS, effect=effect))  # type: ignore[arg-type]
        except SourceError:
            assert deadline is None or asyncio.get_running_loop().time() < deadline
        return began.times

    return run(story())


def test_each_pause_is_twice_the_one_before_give_or_take_half() -> None:
    pauses = [later - earlier for _ in range(50) for earlier, later in [tried(Script(after="down"), 1)]]
    assert BACKOFF / 2 <= min(pauses) < BACKOFF < max(pauses) <= BACKOFF * 1.5
    times = tried(Script(after="busy"), 4)
    assert len(times) == 5
    for number in range(4):
        assert BACKOFF * 2**number / 2 <= times[number + 1] - times[number] <= BACKOFF * 2**number * 1.5


def test_a_source_says_when_to_come_back() -> None:
    first, second = tried(Script("busy", retry_after=2.0), 1)
    assert 2.0 + BACKOFF / 2 <= second - first <= 2.0 + BACKOFF * 1.5  # not all of its callers in the same moment


@pytest.mark.parametrize(("retry_after", "deadline"), [(30.0, None), (2.0, 1.9), (None, 0.02)])
def test_nothing_is_tried_again_that_could_not_begin_before_the_deadline(retry_after: float | None, deadline: float | None) -> None:
    assert tried(Script(after="busy", retry_after=retry_after), 3, deadline) == [0.0]


def test_what_took_its_whole_time_is_not_tried_again() -> None:
    assert tried(Script(after="hang"), 3) == [0.0]


@pytest.mark.parametrize("kind", ["down", "busy", "slow"])
def test_a_write_is_never_tried_again(kind: str) -> None:
    assert tried(Script(after=kind), 3, effect="write") == [0.0]
