"""The generator at length: random cases against the oracle and all other properties, in several processes.

``python -m tests.properties.soak --minutes 5``, or ``--cases 20000``. Prints the seed it started from, cases a second, how many cases had
each feature, and the number of differences. A failing case is made small and printed as a test. Exit 1 on any difference.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import logging
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from hub.plan.operation import Unplannable
from tests import virtual
from tests.properties import checks
from tests.properties.engine import ran, remembered
from tests.properties.features import FEATURES, features
from tests.properties.folded import as_by_itself
from tests.properties.generator import Case, case
from tests.properties.printed import printed
from tests.properties.reduce import reduced

CHECKS = (*checks.CHECKS, as_by_itself)
BATCH = 25  # cases that a worker takes at a time
WORKERS = 2
FEW = 100  # failing cases that are named
REDUCED = 3  # failing cases that are made small
# These ask questions of their own, which cost as much as all the rest, and are therefore tried on each fourth case.
ASKED_OTHERWISE = (
    *("skipped_is_not_asked", "one_value_everywhere", "as_by_itself"),
    *("narrowed_as_the_oracle_says", "cut_as_the_oracle_says", "pages_are_the_list", "figures_as_the_oracle_says"),
)
EVERY = 4


Failed = tuple[int, int, str, str]  # seed, size, property, what was wrong


@dataclass(slots=True)
class Tally:
    """What came of some cases."""

    cases: int = 0
    refused: int = 0  # questions that were too complex to plan, which the engine says by name: there is nothing to compare
    features: Counter[str] = field(default_factory=Counter)
    failed: list[Failed] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.cases += other.cases
        self.refused += other.refused
        self.features.update(other.features)
        self.failed += other.failed


def made(seed: int) -> Case:
    """The case of a seed; sizes take turns."""
    return case(seed, 1 + seed % 4)


async def wrong(one: Case, name: str) -> str:
    """What is wrong where the property called ``name`` does not hold, else nothing. An exception of the engine's is a failure as well.
    Raises Unplannable."""
    check = next(check for check in CHECKS if check.__name__ == name)
    try:
        await check(one)
    except Unplannable:
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


async def fails(one: Case, name: str) -> bool:
    """Whether the property called ``name`` does not hold."""
    try:
        return bool(await wrong(one, name))
    except Unplannable:
        return False


async def _batch(seeds: range) -> Tally:
    tally = Tally()
    for seed in seeds:
        one = made(seed)
        names = [check.__name__ for check in CHECKS if seed % (4 * EVERY) < 4 or check.__name__ not in ASKED_OTHERWISE]
        with remembered():
            failed: list[Failed] = []
            for name in names:
                try:
                    text = await wrong(one, name)
                except Unplannable:
                    tally.refused += 1
                    continue
                failed += [(seed, one.size, name, text)] if text else []
            if not failed:
                with suppress(Unplannable):
                    tally.features.update(features(one, await ran(one)))
        tally.failed += failed
        tally.cases += 1
    return tally


def work(seeds: range) -> Tally:
    """Judge the cases of ``seeds``; runs in a worker."""
    return virtual.run(_batch(seeds))  # a machine that stands still for a while must not look like a system that does


def quiet() -> None:
    """A worker's start: faults are wanted here and need no log; cases live long enough to make the collector work for nothing."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    gc.set_threshold(50_000, 20, 20)


def soak(
    seed: int, cases: int | None, seconds: float | None, workers: int = WORKERS, said: Callable[[Tally], None] = lambda tally: None
) -> Tally:
    """Judge cases from ``seed`` on until there were ``cases`` of them or ``seconds`` have passed. ``said`` hears each thousand."""
    tally, started = Tally(), time.monotonic()
    last = sys.maxsize if cases is None else seed + cases
    batches = (range(start, min(start + BATCH, last)) for start in itertools.count(seed, BATCH))
    waiting = itertools.takewhile(len, batches)
    with ProcessPoolExecutor(workers, initializer=quiet) as pool:
        running: set[Future[Tally]] = set()
        while True:
            late = seconds is not None and time.monotonic() - started > seconds
            while not late and len(running) < 2 * workers and (batch := next(waiting, None)) is not None:
                running.add(pool.submit(work, batch))
            if not running:
                return tally
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                before = tally.cases
                tally.add(one.result())
                if tally.cases // 1000 > before // 1000:
                    said(tally)


async def shown(failed: list[Failed]) -> list[str]:
    """Some failing cases, made small, as tests: one for each property first."""
    first = {name: (seed, size, text) for seed, size, name, text in reversed(failed)}
    texts = []
    for name, (seed, size, text) in sorted(first.items())[:REDUCED]:
        if not await fails(case(seed, size), name):
            texts.append(f"# {name} did not hold for case({seed}, {size}), but does when it is tried again:\n{text}")
            continue
        small = await reduced(case(seed, size), lambda one, name=name: fails(one, name))  # type: ignore[misc]
        texts.append(f"# {name} does not hold for case({seed}, {size}); made small:\n{printed(small, name)}")
    return texts


def report(tally: Tally, seconds: float) -> str:
    """Counts for people."""
    lines = [f"{tally.cases:,} cases in {seconds:.0f} s, {tally.cases / max(seconds, 0.001):.1f} cases/s"]
    width = max(map(len, FEATURES))
    lines += [f"  {name:<{width}} {tally.features[name]:>8,}" for name in FEATURES]
    lines += [f"{tally.refused} questions were too complex to plan"] if tally.refused else []
    never = [name for name in FEATURES if not tally.features[name]]
    lines += [f"never seen: {', '.join(never)}"] if never else []
    lines += [f"{name} did not hold for case({seed}, {size})" for seed, size, name, _ in sorted(tally.failed)[:FEW]]
    return "\n".join([*lines, f"{len(tally.failed)} differences"])


def _progress(tally: Tally) -> None:
    print(f"{tally.cases:,} cases, {len(tally.failed)} differences", flush=True)


def main() -> int:
    """Run it; 0 if every property held for every case."""
    parser = argparse.ArgumentParser(prog="python -m tests.properties.soak", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, help="how long (5 unless --cases is given)")
    parser.add_argument("--cases", type=int, help="how many cases")
    parser.add_argument("--seed", type=int, help="where to start (a random place unless given)")
    parser.add_argument("--workers", type=int, default=WORKERS, help=f"processes (default {WORKERS})")
    parser.add_argument("--planted", action="store_true", help="instead: which property notices each planted mistake, and how soon")
    asked = parser.parse_args()
    quiet()
    if asked.planted:
        from tests.properties.found import table

        print(asyncio.run(table()))
        return 0
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(2**32)
    minutes = asked.minutes if asked.minutes is not None or asked.cases is not None else 5.0
    print(f"seed {seed}, {asked.workers} processes on {os.cpu_count()} cores", flush=True)
    started = time.monotonic()
    tally = soak(seed, asked.cases, minutes * 60 if minutes is not None else None, asked.workers, _progress)
    print(report(tally, time.monotonic() - started))
    for text in virtual.run(shown(tally.failed)):
        print("\n" + text)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
