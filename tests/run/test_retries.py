"""Reads that failed are tried again: after a while, by chance of a little more or less, and never past the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from connectors.spi import Ask, Call, SourceError
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


def written(script: Script, deadline: float | None = None) -> tuple[Sequence[float], SourceError | None]:
    """When a write with a key was made, and what came of it."""

    async def story() -> tuple[Sequence[float], SourceError | None]:
        asked, _, began = sources(script, retries=1, timeout=2.0)
        plan = asked.plan("s", Ask("things"), WRITE)
        try:
            await asked.pages("s", plan, Call(deadline=deadline, idempotency_key="k"))
        except SourceError as error:
            return began.times, error
        return began.times, None

    return run(story())


WRITE = replace(THINGS, effect="write")


@pytest.mark.parametrize("word", ["down", "busy", "hang"])
def test_a_write_with_a_key_is_made_again_even_when_it_took_its_whole_time(word: str) -> None:
    times, error = written(Script(word), deadline=10.0)
    assert (len(times), error) == (2, None)


def test_no_try_of_a_write_begins_after_the_request_s_time() -> None:
    times, error = written(Script(after="hang"), deadline=2.02)
    assert error is not None
    assert (len(times), error.untouched) == (1, False)


def test_a_write_of_which_one_try_may_have_got_there_is_of_unknown_outcome() -> None:
    times, error = written(Script("hang", "invalid"), deadline=10.0)
    assert error is not None
    assert (len(times), error.kind, error.untouched) == (2, "invalid", False)
