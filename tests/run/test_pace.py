"""So many calls may begin in a time: in every window, by turns, and never one that would begin too late."""

from __future__ import annotations

import asyncio
import random

import pytest

from connectors.spi import SourceError
from hub.run.bulkhead import Bulkhead
from hub.run.pace import Pace
from tests.run.scripted import Script, fetch, sources
from tests.virtual import run


@pytest.mark.parametrize(("rate", "most", "window"), [(3.0, 3, 1.0), (10.0, 10, 1.0), (2.5, 2, 0.8), (0.5, 1, 2.0)])
def test_no_window_has_more_than_the_rate_allows(rate: float, most: int, window: float) -> None:
    pace, rng, now, begun = Pace(rate), random.Random(1), 0.0, []
    for _ in range(200):
        now = max(now + rng.choice((0.0, 0.0, 0.05, 1.5)), pace.earliest(now))
        pace.begin(now)
        begun.append(now)
    assert max(sum(at <= other < at + window - 1e-9 for other in begun) for at in begun) == most


def test_when_a_call_can_begin_is_known_beforehand() -> None:
    pace = Pace(2.0)
    assert [pace.earliest(0.0, ahead) for ahead in range(5)] == [0.0, 0.0, 1.0, 1.0, 2.0]
    pace.begin(0.0)
    pace.begin(0.4)
    assert [pace.earliest(0.5, ahead) for ahead in range(4)] == [1.0, 1.4, 2.0, 2.4]
    assert pace.earliest(9.0) == 9.0


async def test_who_stands_behind_whom() -> None:
    places = Bulkhead(1)
    await places.enter("")
    waiting = [asyncio.ensure_future(places.enter(caller)) for caller in ("a", "a", "a", "b")]
    await asyncio.sleep(0)
    assert {caller: places.ahead(caller) for caller in "abc"} == {"a": 4, "b": 3, "c": 2}
    for _ in waiting:
        places.leave()
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)


def test_calls_wait_for_their_time() -> None:
    async def story() -> list[float]:
        asked, _, began = sources(Script(), rate=2.0)
        await asyncio.gather(*(fetch(asked) for _ in range(5)))
        return began.times

    assert run(story()) == [0.0, 0.0, 1.0, 1.0, 2.0]


def test_a_call_that_cannot_begin_in_time_fails_at_once_and_is_never_made() -> None:
    async def story() -> None:
        asked, recorder, began = sources(Script(), rate=1.0)
        loop = asyncio.get_running_loop()
        await fetch(asked)
        with pytest.raises(SourceError) as caught:
            await fetch(asked, deadline=loop.time() + 0.5)
        assert (caught.value.kind, caught.value.untouched, loop.time()) == ("busy", True, 0.0)
        assert len(recorder.calls()) == 1
        assert asked.standings["s"].refused == {"rate": 1}
        await fetch(asked, deadline=loop.time() + 1.5)
        assert began.times == [0.0, 1.0]

    run(story())


def test_one_that_waits_behind_too_many_is_told_before_it_waits() -> None:
    async def story() -> None:
        asked, recorder, _ = sources(Script(), rate=1.0)
        loop = asyncio.get_running_loop()
        first = [asyncio.ensure_future(fetch(asked, caller="greedy", deadline=9.5)) for _ in range(4)]
        await asyncio.sleep(0.01)
        for caller, ahead in (("greedy", 3), ("modest", 2)):  # all of the greedy one's come before its next, two before another's
            with pytest.raises(SourceError):
                await fetch(asked, caller=caller, deadline=ahead + 0.5)
            assert loop.time() == 0.01
        await fetch(asked, caller="modest", deadline=3.5)
        assert loop.time() == 3.0
        await asyncio.gather(*first)
        assert [call.outcome for call in recorder.calls()] == ["ok"] * 5

    run(story())


def test_who_goes_away_while_waiting_gives_its_turn_to_the_next() -> None:
    async def story() -> None:
        asked, _, began = sources(Script(), rate=1.0, concurrency=1)
        gone, stays = (asyncio.ensure_future(fetch(asked, caller=name)) for name in ("a", "b"))
        await fetch(asked)
        await asyncio.sleep(0.5)
        gone.cancel()
        await stays
        assert began.times == [0.0, 1.0]
        assert (asked.standings["s"].places.free, asked.standings["s"].places.waiting) == (1, 0)

    run(story())
