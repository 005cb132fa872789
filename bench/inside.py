"""What the engine itself takes, without HTTP and without sources: whole requests in process over connectors that answer from memory.

Shapes: one enterprise of ten leaves over four systems (where the cost per request counts), 5,000 flat rows of five leaves, a thousand
farms with five checks each and their laboratories, a thousand enterprises with a page of licences each and their items. Prints
microseconds of processor time a request, best and median of many blocks. ``--profile SHAPE`` prints where they go instead. Judges
nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import pstats
import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from auth.principal import Audience, Principal
from bench import farms, rows
from bench.nested import QUERY as NESTED
from connectors.kinds import KINDS
from connectors.spi import Call, Catalog, Connector, Page, Plan
from hub.clock import SystemClock
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.canonical import canonical
from schema.compose import compose, load_systems
from schema.coordinates import Grade

HERE = Path(__file__).parent
USCC = "91330106MA2CFLDG1G"
SMALL = (
    f'{{ enterprise(uscc: "{USCC}") {{ name status establishedOn address creditScore {{ score grade }}'
    " licences { nodes { name issuedOn item { name leadDept } } } } }"
)
PAGES = (
    "{ enterprises(first: 1000) { nodes { uscc name status establishedOn"
    " licences { totalCount nodes { licenceId name issuedOn item { itemCode name } } } } } }"
)
FLAT = "{ produceSamples { sampleNo produce pieces passed sampledOn } }"
WHO = Principal("bench", Audience.APP, frozenset(), Grade.L2)


class Ready(Connector):
    """Holds rows by relation, and finds those of the keys by the path of the relation's first key column."""

    kind = "ready"
    Settings = dict

    async def describe(self) -> Catalog:
        return Catalog(())

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        groups: Mapping[Any, list[Mapping[str, Any]]] = self.settings[plan.relation.name]
        found = [row for key in call.keys for row in groups.get(key[0], ())] if plan.ask.by else groups[None]
        yield Page.of(found, plan.fields)


def ready() -> Mapping[str, Mapping[str, Any]]:
    """What each system holds: relation -> key -> rows, under None all of them."""
    there = farms.rows()
    firms = [
        {
            "TYSHXYDM": f"FIRM{number:05d}" if number else USCC,
            "QYMC": f"第{number}茶业",
            "DJZT": "存续",
            "CLRQ": "20150608",
            "ZS": "龙井路1号",
        }
        for number in range(1_000)
    ]
    items = [{"SXBM": f"0001310{number:05d}", "SXMC": "食品经营许可", "ZGBM": "省市场监管局"} for number in range(200)]
    licences = [
        {"zzbs": f"Z{number:06d}", "czr": firms[(number + 4) // 5]["TYSHXYDM"], "zzmc": "许可证", "bfrq": "20240102"}
        | {"sxdm": items[number % 200]["SXBM"]}
        for number in range(4_996)  # one for the first, five for each other
    ]
    return {
        "legalEntityRegister": {"T_FRXX": {None: firms, **grouped(firms, "TYSHXYDM")}},
        "credit531x": {"byUscc": {USCC: [{"tyshxydm": USCC, "pf": 830, "dj": "A"}]}},
        "eLicenceLibrary": {"Enterprise.licences": grouped(licences, "czr")},
        "adminPermitCatalogue": {"XK_SX": grouped(items, "SXBM")},
        "produceSampling": {"Query.produceSamples": {None: rows.rows()}},
        "farmRegister": {"Query.farms": {None: there["farms"]}},
        "farmSampling": {"Farm.checks": grouped(there["checks"], "ncbh")},
        "laboratories": {"byLabNo": grouped(there["laboratories"], "jgbh")},
    }


def grouped(there: farms.Rows, key: str) -> dict[Any, farms.Rows]:
    found: dict[Any, farms.Rows] = {}
    for row in there:
        found.setdefault(row[key], []).append(row)
    return found


def engine(folder: Path) -> Engine:
    """An engine over the manifests in ``folder``, every system answered from memory."""
    made = compose(canonical(), load_systems(folder), kinds=set(KINDS))
    held = ready()
    connectors = {name: Ready(held.get(name, {}), system=name) for name in made.registry.systems}
    asked = Engine(made.schema, made.registry, Sources(made.registry.systems, connectors, SystemClock()))
    gc.collect()  # as the hub does when it has started
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    return asked


SHAPES = {
    "small": (HERE.parent / "systems", SMALL, 300),
    "flat": (HERE / "systems", FLAT, 20),
    "pages": (HERE.parent / "systems", PAGES, 10),
    "nested": (HERE / "farms", NESTED, 10),
}


async def block(asked: Engine, query: str, count: int) -> float:
    """Microseconds of processor time a request."""
    document = asked.parse(query)
    start = time.process_time()
    for _ in range(count):
        await asked.execute(document, principal=WHO)
    return (time.process_time() - start) * 1e6 / count


async def measured(blocks: int, console: Console) -> None:
    table = Table(title="engine.execute in process, µs of processor time a request")
    for head in ("shape", "bytes", "best", "median"):
        table.add_column(head, justify="left" if head == "shape" else "right")
    for name, (folder, query, count) in SHAPES.items():
        asked = engine(folder)
        answer = await asked.execute(asked.parse(query), principal=WHO)
        if answer.codes:
            raise RuntimeError(f"{name}: {answer.body[:500]!r}")
        found = [await block(asked, query, count) for _ in range(blocks)]
        table.add_row(name, f"{len(answer.body):,}", f"{min(found):,.0f}", f"{statistics.median(found):,.0f}")
    console.print(table)


async def profiled(name: str) -> None:
    folder, query, count = SHAPES[name]
    asked = engine(folder)
    await block(asked, query, 3)
    profile = cProfile.Profile()
    profile.enable()
    await block(asked, query, count)
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(35)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.inside", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--blocks", type=int, default=15, help="blocks of requests a shape (default 15)")
    parser.add_argument("--profile", choices=SHAPES, help="where the time of one shape goes")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(profiled(given.profile) if given.profile else measured(given.blocks, Console()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
