"""What holds whatever the schedule: latencies by chance, calls shared or not, one key a call or many, some requests going away.

Each check runs a case in virtual time (``tests.virtual``), which also sees to it that nothing goes on when it is over.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.registry import Limits
from tests.properties.engine import OpenCursors, document
from tests.properties.generator import Case
from tests.properties.operations import Operation
from tests.properties.shape import less
from tests.virtual import LoopClock, Uneven, run
from tests.worlds import PLAIN, World, with_limits

PATIENT = replace(PLAIN, timeout=1000.0, concurrency=3)
Told = tuple[str, Counter[tuple[tuple[str | int, ...], str]]]  # data as JSON, and the errors
EPSILON = 1e-6  # seconds


@dataclass(frozen=True, slots=True)
class Way:
    """How a case is run: ``coalesce`` shares calls between requests, ``single`` sends one key a call, ``seed`` draws the latencies."""

    coalesce: bool = True
    single: bool = False
    seed: int = 0


def single(case: Case) -> Case:
    """The case with systems that take their keys one by one."""
    bindings = tuple(replace(one, relation=replace(one.relation, max_keys=min(one.relation.max_keys, 1))) for one in case.bindings)
    return replace(case, bindings=bindings)


class Asking:
    """An engine over a case in virtual time."""

    def __init__(self, case: Case, way: Way, limits: Limits = PATIENT, timeout: float = 1000.0, most: float = 1.0) -> None:
        self.case = case
        self.world: World = (single(case) if way.single else case).build()
        for name, memory in self.world.systems.items():
            memory.clock, memory.latency = Uneven(f"{case.seed}/{way.seed}/{name}", most), 1.0
        registry = with_limits(self.world.registry, limits)
        self.sources = Sources(registry.systems, self.world.connectors, LoopClock())
        self.engine = Engine(self.world.schema, registry, self.sources, coalesce=way.coalesce, timeout=timeout, cursors=OpenCursors())

    async def ask(self, denied: frozenset[str] | None = None, operation: Operation | None = None) -> Told:
        operation = operation or self.case.operation
        parsed = document(self.world.schema, operation.text)
        hidden = self.case.denied if denied is None else denied
        found = await self.engine.run(parsed, operation.variables, denied=hidden)
        return told(found.data, found.errors)

    def clean(self) -> None:
        """Every place at every system is free again, and no question waits."""
        for name, standing in self.sources.standings.items():
            places = standing.places
            assert (places.waiting, places.free) == (0, self.sources.limits(name).concurrency), f"{name} has lost places"
        shared = self.engine.shared
        assert shared is None or shared.idle, "questions that nobody asks any more"


def told(data: Any, errors: Any) -> Told:
    pairs = ((tuple(error.path or ()), str((error.extensions or {}).get("code"))) for error in errors or ())
    return json.dumps(data, ensure_ascii=False), Counter(pairs)


def alone(case: Case, denied: frozenset[str] | None = None) -> Told:
    """The answer of a request that nothing disturbs."""

    async def once() -> Told:
        asking = Asking(case, Way(coalesce=False))
        found = await asking.ask(denied)
        asking.clean()
        return found

    return run(once())


async def any_schedule(case: Case) -> None:
    """P17: shared or not, one key a call or many, in any order: every one of several requests has the same answer."""
    right = await in_thread(alone, case)
    for way in (Way(False, True, 1), Way(True, False, 2), Way(True, True, 3), Way(True, False, 4)):
        for found in await in_thread(_together, case, way):
            assert found == right, f"{way}\n{case.operation.text}\n{right}\n{found}"


def _together(case: Case, way: Way) -> list[Told]:
    async def ask() -> list[Told]:
        asking, later = Asking(case, way), Uneven(way)

        async def one() -> Told:
            await later.sleep(1.0)
            return await asking.ask()

        found = await asyncio.gather(*(one() for _ in range(5)))
        asking.clean()
        return list(found)

    return run(ask())


def masks(case: Case) -> list[frozenset[str]]:
    """What several callers may not see."""
    rng = random.Random(case.seed)
    named = sorted({f"{binding.type}.{name}" for binding in case.bindings for name in binding.fields})
    return [case.denied, frozenset(), *(frozenset(rng.sample(named, min(len(named), 2))) for _ in range(3))]


async def apart(case: Case) -> None:
    """P18: requests under different masks at one time get what each would get alone, whichever of them go away in between."""
    hidden = masks(case)
    right = {denied: await in_thread(alone, case, denied) for denied in hidden}
    gone = random.Random(f"gone/{case.seed}").sample(range(len(hidden)), 2)
    for seed, leaving in enumerate(((), gone)):
        for number, found in (await in_thread(_leaving, case, hidden, leaving, seed)).items():
            assert found == right[hidden[number]], f"{hidden[number]} {leaving}\n{case.operation.text}\n{right[hidden[number]]}\n{found}"


def _leaving(case: Case, hidden: list[frozenset[str]], leaving: Any, seed: int) -> Mapping[int, Told]:
    async def ask() -> Mapping[int, Told]:
        asking, later = Asking(case, Way(seed=seed)), Uneven(f"{case.seed}/{seed}", 0.5)
        tasks = [asyncio.create_task(asking.ask(denied)) for denied in hidden]
        for number in leaving:
            await later.sleep(1.0)
            tasks[number].cancel()
        await asyncio.wait(tasks)
        asking.clean()
        return {number: task.result() for number, task in enumerate(tasks) if not task.cancelled()}

    return run(ask())


async def in_time(case: Case) -> None:
    """P19: with sources slower than the request may last, every request ends by its deadline, and nothing goes on after it."""
    rng = random.Random(f"time/{case.seed}")
    limits = Limits(timeout=rng.choice((0.4, 1.0, 50.0)), concurrency=rng.choice((1, 2, 8)), retries=1)
    await in_thread(_late, case, limits)


def _late(case: Case, limits: Limits) -> None:
    deadline = 2.0

    async def ask() -> None:
        asking, later = Asking(case, Way(), limits, deadline, most=3.0), Uneven(case.seed, 0.5)

        async def one() -> None:
            await later.sleep(1.0)
            begun = asyncio.get_running_loop().time()
            await asking.ask()
            took = asyncio.get_running_loop().time() - begun
            assert took <= deadline + EPSILON, f"{took} s {limits}\n{case.operation.text}"

        await asyncio.gather(*(one() for _ in range(4)))
        asking.clean()

    run(ask())


async def late_is_contained(case: Case) -> None:
    """P21: what is late is null with an error that says so; all other data are as if nothing had been late.

    Root fields that are null anyway are left out, as in ``checks.faults_explained``.
    """
    case = case.calm()
    right, calm = await in_thread(alone, case)
    found, errors = await in_thread(_hurried, case)
    story = f"{case!r}\n{case.operation.text}\n{right}\n{found}\n{errors}"
    whole, part = json.loads(right), json.loads(found)
    there = [key for key, value in (whole or {}).items() if value is not None]
    told = {code for path, code in errors if whole is None or path[0] in there}
    assert told - {code for _, code in calm} <= {"SYSTEM_SLOW", "NON_NULL"}, story
    if whole is None or part is None:
        return
    lost = less({key: part[key] for key in there}, {key: whole[key] for key in there})
    assert lost is not None, story
    for place in lost:
        assert any(path[: len(place)] == place or place[: len(path)] == path for path, _ in errors), f"{place}\n{story}"


def _hurried(case: Case) -> Told:
    async def ask() -> Told:
        asking = Asking(case, Way(seed=9), PATIENT, timeout=1.0, most=2.0)
        found = await asking.ask()
        asking.clean()
        return found

    return run(ask())


async def in_thread(work: Any, *args: Any) -> Any:
    """Virtual time needs a loop of its own, and a thread has room for one."""
    return await asyncio.to_thread(work, *args)
