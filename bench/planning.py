"""Planning time of one question of thirty fields in provinces of 400, 5,000 and 20,000 systems: planned anew, and from the cache.

The systems are made up (``bench.registries``) and none is called. *Cold*: the operation is normalised already, its plan is not
there. *Cached*: all that the engine does from a text to the plan when both are. Printed are medians in microseconds of rounds that
alternate between the provinces. The aim: 20,000 systems take at most three times the cold time of 400. Exit 1 if it is missed.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from auth.policy import denied
from auth.principal import Audience, Principal
from bench.registries import ASKED, QUESTION, Province, province
from hub.clock import SystemClock
from hub.plan.planner import plan_query
from hub.run.prepared import Preparer
from schema.coordinates import Grade

AIM = 3.0
SIZES = (400, 5_000, 20_000)
APP = Principal("app", Audience.APP, frozenset(), Grade.L2)
REPEATS = 20  # of each measurement in one round


@dataclass(slots=True)
class Measured:
    """One province and its figures: microseconds a plan, one a round."""

    systems: int
    there: Province
    preparer: Preparer
    cold: list[float] = field(default_factory=list)
    cached: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, systems: int) -> Measured:
        there = province(systems)
        return cls(systems, there, Preparer(there.schema, there.registry, denied, SystemClock(), lambda name, coordinate: False))

    def round(self) -> None:
        """Measure both once more."""
        document = self.preparer.document(QUESTION)
        prepared = self.preparer.ready(document, None, {}).prepared
        self.preparer.plan(prepared, self.preparer.denied(prepared, APP))
        self.cold.append(_timed(lambda: plan_query(self.there.schema, self.there.registry, prepared.operation, frozenset())))

        def cached() -> None:
            ready = self.preparer.ready(self.preparer.document(QUESTION), None, {}).prepared
            self.preparer.plan(ready, self.preparer.denied(ready, APP))

        self.cached.append(_timed(cached))


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(REPEATS):
        run()
    return (time.perf_counter() - start) * 1_000_000 / REPEATS


def main() -> int:
    """Measure and print; 0 if the aim is met."""
    parser = argparse.ArgumentParser(prog="python -m bench.planning", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=25, help="rounds over all provinces (default 25)")
    rounds: int = parser.parse_args().rounds
    console = Console(width=120)
    measured = [Measured.of(systems) for systems in SIZES]
    gc.collect()
    gc.freeze()  # as the server does: what is here now stays
    for number in range(rounds):
        for each in measured if number % 2 == 0 else reversed(measured):
            each.round()
    table = Table(title=f"one question of {ASKED} fields, {rounds} rounds")
    for head in ("systems", "bindings", "on the hot type", "systems asked", "candidates", "cold µs", "min – max", "cached µs"):
        table.add_column(head, justify="right")
    for each in measured:
        registry = each.there.registry
        plan = plan_query(
            each.there.schema, registry, each.preparer.ready(each.preparer.document(QUESTION), None, {}).operation, frozenset()
        )
        table.add_row(
            f"{each.systems:,}",
            f"{sum(map(len, registry.lookups.values())):,}",
            f"{each.there.hot:,}",
            str(len(plan.systems)),
            str(plan.candidates),
            f"{statistics.median(each.cold):.0f}",
            f"{min(each.cold):.0f} – {max(each.cold):.0f}",
            f"{statistics.median(each.cached):.1f}",
        )
    console.print(table)
    ratio = statistics.median(measured[-1].cold) / statistics.median(measured[0].cold)
    console.print(f"{SIZES[-1]:,} systems: {ratio:.2f}× the time of {SIZES[0]:,}; aim ≤ {AIM:.0f}×: {'met' if ratio <= AIM else 'MISSED'}")
    return 0 if ratio <= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
