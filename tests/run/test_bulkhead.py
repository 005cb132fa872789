"""Places at a busy system: as many as it takes, callers by turns, nothing lost when somebody goes away."""

from __future__ import annotations

import asyncio
import random

from hub.run.bulkhead import Bulkhead


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_caller_with_a_thousand_calls_delays_another_by_one_turn() -> None:
    bulkhead, served = Bulkhead(2), []

    async def call(caller: str) -> None:
        async with bulkhead.place(caller):
            served.append(caller)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(call("many")) for _ in range(1000)]
    await settled()
    before = len(served)
    await asyncio.create_task(call("one"))
    assert served[before:].index("one") <= 4
    await asyncio.gather(*tasks)
    assert (bulkhead.free, bulkhead.waiting) == (2, 0)


async def test_callers_take_turns_and_each_keeps_its_own_order() -> None:
    bulkhead, served = Bulkhead(1), []

    async def call(caller: str, number: int) -> None:
        async with bulkhead.place(caller):
            served.append(f"{caller}{number}")

    async with bulkhead.place("first"):
        tasks = [asyncio.create_task(call(caller, number)) for caller in "abc" for number in range(3)]
        await settled()
    await asyncio.gather(*tasks)
    assert served == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]


async def test_who_is_cancelled_while_waiting_leaves_the_queue() -> None:
    bulkhead = Bulkhead(1)
    async with bulkhead.place("x"):
        waiting = [asyncio.create_task(bulkhead.enter("y")) for _ in range(3)]
        await settled()
        waiting[1].cancel()
        await settled()
        assert bulkhead.waiting == 2
    await waiting[0]
    bulkhead.leave()
    await waiting[2]
    bulkhead.leave()
    assert (bulkhead.free, bulkhead.waiting) == (1, 0)


async def test_a_place_given_to_one_that_is_cancelled_in_that_moment_goes_to_the_next() -> None:
    bulkhead = Bulkhead(1)
    await bulkhead.enter("x")
    gone, stays = asyncio.create_task(bulkhead.enter("y")), asyncio.create_task(bulkhead.enter("z"))
    await settled()
    bulkhead.leave()  # y has it now, and has not run yet
    gone.cancel()
    await stays
    bulkhead.leave()
    assert bulkhead.free == 1


async def test_whatever_the_order_of_coming_and_going_no_place_is_lost() -> None:
    rng, bulkhead, most, inside = random.Random(1), Bulkhead(3), 0, 0

    async def call(caller: str) -> None:
        nonlocal most, inside
        async with bulkhead.place(caller):
            inside += 1
            most = max(most, inside)
            try:
                for _ in range(rng.randrange(4)):
                    await asyncio.sleep(0)
            finally:
                inside -= 1

    tasks = []
    for _ in range(500):
        tasks.append(asyncio.create_task(call(rng.choice("abcdef"))))
        if rng.random() < 0.3:
            rng.choice(tasks).cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (bulkhead.free, bulkhead.waiting, most) == (3, 0, 3)
