"""A thousand farms, five checks at each, the laboratory of each check: three REST sources, against Strawberry with DataLoaders.

Five processes on loopback: the three sources (``bench.farms``), the hub over them, and a plain Strawberry server with loaders
(``bench.loaders``) over the same ones. Measured and judged as in ``bench.leaves``: answers equal byte for byte as canonical JSON,
alternating blocks, medians, processor time of the server process. Exit 1 if the aim is missed.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from bench import farms
from bench.caller import serving
from bench.leaves import AIM, Way, compare, measure, report
from bench.processes import module

QUERY = "{ farms { farmNo name area checks { checkNo produce pieces sampledOn laboratory { labNo name accreditedUntil } } } }"
DEPARTMENTS = ("farms", "checks", "laboratories")


def main() -> int:
    """Measure and print; 0 if the hub takes ``AIM`` times less processor time, or less still."""
    parser = argparse.ArgumentParser(prog="python -m bench.nested", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--blocks", type=int, default=7, help="alternating blocks a server (default 7)")
    blocks: int = parser.parse_args().blocks
    console = Console()
    with ExitStack() as stack:
        sources = {name: stack.enter_context(module("bench.farms", name)) for name in DEPARTMENTS}
        ordinary = stack.enter_context(module("bench.loaders", *(sources[name].url for name in DEPARTMENTS)))
        urls = {f"BENCH_{name.upper()}_URL": source.url for name, source in sources.items()}
        server, token = stack.enter_context(serving(Path(farms.__file__).parent, urls))
        ways = [Way("hub", server, QUERY, 10, token), Way("Strawberry with DataLoaders", ordinary, QUERY, 2)]
        for number in range(blocks):
            for way in ways if number % 2 == 0 else reversed(ways):
                measure(way)
            compare(ways, farms.LEAVES)
    ratio = report(ways, farms.LEAVES, console)
    console.print(f"{ratio:.1f}× less processor time than resolvers with loaders; aim ≥ {AIM:.0f}×: {'met' if ratio >= AIM else 'MISSED'}")
    return 0 if ratio >= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
