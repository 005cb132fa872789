"""25,000 leaf values through the hub's HTTP endpoint, token checked and audit written, against ordinary resolvers.

Three processes on loopback: a REST source with 5,000 rows, the hub over it, and a plain Strawberry server (``bench.ordinary``) over it.
All answers have to be equal, byte for byte as canonical JSON. Blocks of requests alternate between the servers, one client, one connection
each; printed are medians of milliseconds a request and of processor milliseconds of the server process. The aim is judged by processor
time, which says how many requests a core can serve and is the steadier figure on a shared machine. Exit 1 if it is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.caller import hub
from bench.processes import Server, module
from bench.rows import LEAVES, ROWS

AIM = 15.0
SELECTION = "{ sampleNo produce pieces passed sampledOn }"


@dataclass(slots=True)
class Way:
    """One way to the same answer. ``ms`` and ``cpu`` are milliseconds a request, one figure a block."""

    name: str
    server: Server
    query: str
    block: int
    token: str = ""
    ms: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    answer: bytes = b""
    size: int = 0


def ask(connection: HTTPConnection, way: Way) -> bytes:
    """The body of one answer. Raises RuntimeError on any status but 200."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if way.token:
        headers["Authorization"] = f"Bearer {way.token}"
    connection.request("POST", "/graphql", orjson.dumps({"query": way.query}), headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{way.name}: {answer.status} {body[:500]!r}")
    return body


def canonical(body: bytes) -> bytes:
    """``data`` of an answer in one spelling, its keys in the order they came. Raises RuntimeError if there are errors."""
    answer = orjson.loads(body)
    if answer.get("errors"):
        raise RuntimeError(f"errors in the answer: {answer['errors'][:3]}")
    return orjson.dumps(answer["data"])


def measure(way: Way) -> None:
    """One block of requests over one connection."""
    connection = HTTPConnection("127.0.0.1", way.server.port, timeout=120)
    ask(connection, way)
    body = b""
    cpu, start = way.server.cpu(), time.perf_counter()
    for _ in range(way.block):
        body = ask(connection, way)
    way.ms.append((time.perf_counter() - start) * 1000 / way.block)
    way.cpu.append((way.server.cpu() - cpu) * 1000 / way.block)
    way.answer, way.size = canonical(body), len(body)
    connection.close()


def compare(ways: list[Way], leaves: int) -> None:
    """Raises RuntimeError unless all answers are the same and have so many values."""
    found = {way.answer for way in ways}
    if len(found) != 1:
        raise RuntimeError("the answers differ: " + ", ".join(f"{way.name} {way.answer[:120]!r}" for way in ways))
    values = counted(orjson.loads(found.pop()))
    if values != leaves:
        raise RuntimeError(f"{values} values instead of {leaves}")


def counted(data: Any) -> int:
    """How many values that are not null an answer has."""
    if isinstance(data, dict | list):
        return sum(map(counted, data.values() if isinstance(data, dict) else data))
    return data is not None


def report(ways: list[Way], leaves: int, console: Console) -> float:
    """Print the table; return how many times less processor time the hub takes than ordinary resolvers over the same source."""
    table = Table(title=f"{leaves:,} leaf values, {len(ways[0].ms)} alternating blocks, answers equal ({ways[0].size:,} bytes)")
    for head in ("way", "ms / request", "min – max", "server CPU ms", "× wall", "× CPU"):
        table.add_column(head, justify="left" if head == "way" else "right")
    base, base_cpu = statistics.median(ways[0].ms), statistics.median(ways[0].cpu)
    for way in ways:
        ms, cpu = statistics.median(way.ms), statistics.median(way.cpu)
        spread = f"{min(way.ms):.1f} – {max(way.ms):.1f}"
        table.add_row(way.name, f"{ms:.1f}", spread, f"{cpu:.1f}", f"{ms / base:.1f}", f"{cpu / base_cpu:.1f}")
    console.print(table)
    return statistics.median(ways[1].cpu) / base_cpu


def main() -> int:
    """Measure and print; 0 if the hub takes ``AIM`` times less processor time, or less still."""
    parser = argparse.ArgumentParser(prog="python -m bench.leaves", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--blocks", type=int, default=7, help="alternating blocks a server (default 7)")
    blocks: int = parser.parse_args().blocks
    console = Console()
    with (
        module("bench.rows") as source,
        module("bench.ordinary", source.url) as ordinary,
        hub(source) as (server, token),
    ):
        ways = [
            Way("hub", server, f"{{ produceSamples {SELECTION} }}", 20, token),
            Way("ordinary resolvers", ordinary, f"{{ produceSamples {SELECTION} }}", 3),
            Way("ordinary resolvers, rows held", ordinary, f"{{ produceSamples: heldSamples {SELECTION} }}", 3),
        ]
        for number in range(blocks):
            for way in ways if number % 2 == 0 else reversed(ways):
                measure(way)
            compare(ways, ROWS * LEAVES)
    ratio = report(ways, ROWS * LEAVES, console)
    console.print(f"{ratio:.1f}× less processor time than ordinary resolvers; aim ≥ {AIM:.0f}×: {'met' if ratio >= AIM else 'MISSED'}")
    return 0 if ratio >= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
