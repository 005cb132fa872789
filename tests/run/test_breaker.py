"""A system that does not answer is left alone for a while, tried carefully, and asked again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from connectors.spi import Relation, SourceError
from hub.run.breaker import Breaker
from schema.registry import Breaker as Settings
from tests.run.scripted import Script, fetch, sources
from tests.virtual import run

QUICK = Settings(failures=3, within=10.0, pause=5.0, probes=1)


def failed(breaker: Breaker, *times: float, failure: bool | None = True) -> None:
    for now in times:
        breaker.done(breaker.admit(now), now, failure)


# ---- the states


def test_failures_within_the_window_open_it() -> None:
    breaker = Breaker(QUICK)
    failed(breaker, 0.0, 1.0)
    assert breaker.state(1.0) == "CLOSED"
    failed(breaker, 2.0)
    assert (breaker.state(2.0), breaker.admit(6.9), breaker.state(7.0)) == ("OPEN", 0, "HALF_OPEN")


def test_failures_far_apart_do_not() -> None:
    breaker = Breaker(QUICK)
    failed(breaker, *(6.0 * number for number in range(20)))
    assert breaker.state(115.0) == "CLOSED"


def test_failures_among_many_answers_do_not() -> None:
    breaker = Breaker(QUICK)
    for number in range(40):
        failed(breaker, number / 10, failure=number % 3 == 0)
    assert breaker.state(4.0) == "CLOSED"


def test_one_try_at_a_time_and_what_it_comes_to_decides() -> None:
    breaker = Breaker(QUICK)
    failed(breaker, 0.0, 0.0, 0.0)
    era = breaker.admit(5.0)
    assert era
    assert breaker.admit(5.0) == 0
    breaker.done(era, 5.1, False)
    assert breaker.state(5.1) == "CLOSED"
    failed(breaker, 5.2, 5.2)
    assert breaker.state(5.2) == "CLOSED"  # it begins to count anew


def test_each_try_that_fails_makes_the_pause_longer_up_to_sixteen_times() -> None:
    breaker, now, pauses = Breaker(QUICK), 0.0, []
    failed(breaker, 0.0, 0.0, 0.0)
    for _ in range(7):
        opened = now
        while breaker.state(now) == "OPEN":
            now += 1.0
        pauses.append(now - opened)
        failed(breaker, now)
    assert pauses == [5.0, 10.0, 20.0, 40.0, 80.0, 80.0, 80.0]
    now += 80.0
    failed(breaker, now, failure=False)
    failed(breaker, now, now, now)
    assert breaker.state(now + 5.0) == "HALF_OPEN"  # after an answer the pause is short again


def test_a_try_that_tells_nothing_gives_its_place_to_another() -> None:
    breaker = Breaker(QUICK)
    failed(breaker, 0.0, 0.0, 0.0)
    failed(breaker, 5.0, failure=None)
    assert breaker.state(5.0) == "HALF_OPEN"
    assert breaker.admit(5.0)


def test_calls_of_before_have_nothing_to_say_any_more() -> None:
    breaker = Breaker(QUICK)
    old = [breaker.admit(0.0) for _ in range(5)]
    failed(breaker, 0.0, 0.0, 0.0)
    trying = breaker.admit(5.0)
    for era in old:
        breaker.done(era, 5.0, False)
    assert breaker.admit(5.0) == 0  # the one try still runs
    breaker.done(trying, 6.0, False)
    for era in old:
        breaker.done(era, 6.0, True)
    assert breaker.state(6.0) == "CLOSED"


def test_without_a_number_of_failures_it_never_opens() -> None:
    breaker = Breaker(replace(QUICK, failures=0))
    failed(breaker, *[0.0] * 100)
    assert breaker.state(0.0) == "CLOSED"


# ---- calls


def test_a_system_that_is_left_alone_is_not_asked_and_its_callers_hear_so_at_once() -> None:
    async def story() -> None:
        asked, recorder, _ = sources(Script(after="down"), breaker=QUICK)
        for _ in range(3):
            with pytest.raises(SourceError):
                await fetch(asked)
        with pytest.raises(SourceError) as caught:
            await fetch(asked)
        assert (caught.value.kind, caught.value.untouched) == ("down", True)
        assert len(recorder.calls()) == 3
        assert asked.standings["s"].refused == {"breaker": 1}

    run(story())


def test_one_call_tries_it_after_the_pause_and_the_others_hear_so_at_once() -> None:
    async def story() -> None:
        asked, recorder, began = sources(Script("down", "down", "down", "late"), breaker=QUICK)
        for _ in range(3):
            with pytest.raises(SourceError):
                await fetch(asked)
        await asyncio.sleep(5.0)
        found = await asyncio.gather(*(fetch(asked) for _ in range(4)), return_exceptions=True)
        assert [isinstance(one, SourceError) for one in found] == [False, True, True, True]
        assert began.times == [0.0, 0.0, 0.0, 5.0]
        await asyncio.gather(*(fetch(asked) for _ in range(4)))
        assert len(recorder.calls()) == 8

    run(story())


@pytest.mark.parametrize("kind", ["busy", "invalid", "denied", "missing", "broken", "bug", "config"])
def test_whoever_answers_is_there(kind: str) -> None:
    async def story() -> None:
        asked, recorder, _ = sources(Script(after=kind), breaker=QUICK)
        for _ in range(10):
            with pytest.raises(SourceError):
                await fetch(asked)
        assert len(recorder.calls()) == 10

    run(story())


def test_hanging_counts_unless_the_caller_had_hardly_any_time() -> None:
    async def story(deadline: float) -> int:
        asked, recorder, _ = sources(Script(after="hang"), breaker=QUICK, timeout=2.0)
        for _ in range(5):
            with pytest.raises(SourceError):
                await fetch(asked, deadline=asyncio.get_running_loop().time() + deadline)
        return len(recorder.calls())

    assert run(story(9.0)) == 3
    assert run(story(0.1)) == 5


def test_those_who_wait_for_a_place_hear_as_soon_as_it_is_left_alone() -> None:
    async def story() -> None:
        asked, recorder, _ = sources(Script(after="hang"), breaker=QUICK, timeout=2.0, concurrency=3)
        early = [asyncio.ensure_future(fetch(asked)) for _ in range(3)]
        await asyncio.sleep(1.0)
        late = [asyncio.ensure_future(fetch(asked)) for _ in range(7)]
        found = await asyncio.gather(*early, *late, return_exceptions=True)
        assert asyncio.get_running_loop().time() == 2.0
        assert [one.kind for one in found if isinstance(one, SourceError)] == ["slow"] * 3 + ["down"] * 7
        assert len(recorder.calls()) == 3

    run(story())


def test_a_try_that_is_cancelled_does_not_keep_the_system_left_alone() -> None:
    async def story() -> None:
        asked, _, _ = sources(Script("down", "down", "down", "hang"), breaker=QUICK)
        for _ in range(3):
            with pytest.raises(SourceError):
                await fetch(asked)
        await asyncio.sleep(5.0)
        trying = asyncio.ensure_future(fetch(asked))
        await asyncio.sleep(0.1)
        trying.cancel()
        await asyncio.wait({trying})
        await fetch(asked)

    run(story())


def test_a_read_that_is_tried_again_says_what_it_came_to_first() -> None:
    async def story() -> None:
        asked, recorder, _ = sources(Script(after="down"), breaker=Settings(failures=1), retries=3)
        with pytest.raises(SourceError) as caught:
            await fetch(asked)
        assert not caught.value.untouched  # it was asked once
        assert len(recorder.calls()) == 1

    run(story())


def test_all_places_of_a_system_are_left_alone_together() -> None:
    async def story() -> None:
        asked, _, _ = sources(Script(after="down"), breaker=QUICK)
        for _ in range(3):
            with pytest.raises(SourceError):
                await fetch(asked)
        with pytest.raises(SourceError) as caught:
            await fetch(asked, relation=Relation("others", ()))
        assert caught.value.untouched

    run(story())
