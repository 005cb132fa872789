"""How long manifests take from files to a schema and a registry: the first time, and after a change of one of them.

The manifests are made up (``bench.manifests``). *First* is a fresh process: canonical types, reading, parsing, composing. *Changed* is a
hub with 430 systems told to reload after one file was written again, until its engine is another. Figures are milliseconds of processor
time, since other programs may be at work; what the clock said is beside them. Exit 1 if an aim is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from bench.manifests import manifests
from hub.app import Hub
from hub.config import Config, StoreConfig, SystemsConfig
from hub.connected import Connections, composed
from hub.environment import Environment
from schema.registry import Registry

FIRST = {430: 2_000.0, 2_000: 10_000.0, 20_000: 0.0}  # systems -> aim in milliseconds; 0: none
PROVINCE = 430
CHANGED = {"bindings": 200.0, "public SDL": 1_000.0}  # what changes -> aim
COLUMN = 'path: "MC"'  # where one made-up system has its name
WORDS = "\\nName"


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds of processor time and of the clock; the most memory that the process had, in MiB."""

    cpu: float
    wall: float
    memory: float = 0.0


def written(folder: Path, systems: int) -> Path:
    """A folder ``systems`` of so many manifests."""
    for each in manifests(systems):
        file = folder / each.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(each.text, encoding="utf-8")
    return folder / "systems"


def composed_once(folder: Path) -> Figure:
    """Compose what lies in ``folder``, in this process, which has composed nothing before."""
    before = (time.process_time(), time.perf_counter())
    made = composed(folder)
    after = (time.process_time(), time.perf_counter())
    if made.faults:
        raise SystemExit(f"the manifests are at fault: {made.faults[0]}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Figure((after[0] - before[0]) * 1000, (after[1] - before[1]) * 1000, memory)


def first(systems: int) -> Figure:
    """The same in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        folder = written(Path(place), systems)
        told = subprocess.run([sys.executable, "-m", "bench.composing", "--folder", str(folder)], check=True, capture_output=True)
        return Figure(**json.loads(told.stdout))


def unconnected(registry: Registry, given: Environment, before: Connections | None) -> Connections:
    """Nobody is asked here."""
    return Connections(registry.systems)


async def changed(rounds: int) -> Mapping[str, Figure]:
    """What a reload takes after a change of one manifest, medians."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        file = _one_of(written(home, PROVINCE))
        text = file.read_text(encoding="utf-8")
        config = Config(systems=SystemsConfig(folder="systems"), store=StoreConfig("sqlite:///hub.sqlite", "hub.key"), home=home)
        async with Hub.open(config, Environment(), address="http://127.0.0.1:8000", connecting=unconnected) as hub:
            gc.collect()  # as the hub does when it has started
            gc.freeze()
            gc.set_threshold(200_000, 20, 100)
            bindings = [await _reloaded(hub, file, text.replace(COLUMN, f'path: "MC{n}"')) for n in range(rounds)]
            public = [await _reloaded(hub, file, text.replace(WORDS, f"{WORDS} {n}")) for n in range(rounds)]
    return {"bindings": _median(bindings), "public SDL": _median(public)}


def _one_of(folder: Path) -> Path:
    found = ((file, file.read_text(encoding="utf-8")) for file in sorted(folder.rglob("*.graphql")))
    return next(file for file, text in found if COLUMN in text and WORDS in text)


async def _reloaded(hub: Hub, file: Path, text: str) -> Figure:
    engine, schema = hub.engine, hub.composition.schema
    await asyncio.to_thread(file.write_text, text, encoding="utf-8")
    before = (time.process_time(), time.perf_counter())
    faults = await hub.reload()
    after = (time.process_time(), time.perf_counter())
    if faults or hub.engine is engine or (hub.composition.schema is schema) != (f"{WORDS} " not in text):
        raise SystemExit("the change was not taken over as it should be")
    return Figure((after[0] - before[0]) * 1000, (after[1] - before[1]) * 1000)


def _median(figures: list[Figure]) -> Figure:
    return Figure(statistics.median(each.cpu for each in figures), statistics.median(each.wall for each in figures))


def main() -> int:
    """Measure and print; 0 if all aims are met."""
    parser = argparse.ArgumentParser(prog="python -m bench.composing", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--all", action="store_true", help="20,000 systems too: a minute, and 4 GB of memory")
    parser.add_argument("--rounds", type=int, default=7, help="changes of each kind")
    parser.add_argument("--folder", type=Path, help="compose this folder once and print the figure as JSON")
    given = parser.parse_args()
    if given.folder:
        print(json.dumps(asdict(composed_once(given.folder))))
        return 0
    table = Table("manifests", title="From manifests to schema and registry")
    for head in ("CPU ms", "wall ms", "memory MiB", "aim", ""):
        table.add_column(head, justify="right")
    missed = False
    rows = [(f"{systems:,}, first", first(systems), aim) for systems, aim in FIRST.items() if aim or given.all]
    rows += [(f"{PROVINCE}, {what} of one changed", figure, CHANGED[what]) for what, figure in asyncio.run(changed(given.rounds)).items()]
    for name, figure, aim in rows:
        late = bool(aim) and figure.cpu > aim
        missed = missed or late
        memory, wanted = (f"{number:,.0f}" if number else "" for number in (figure.memory, aim))
        table.add_row(name, f"{figure.cpu:,.0f}", f"{figure.wall:,.0f}", memory, wanted, "MISSED" if late else "met" if aim else "")
    Console().print(table)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
