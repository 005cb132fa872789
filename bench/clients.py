"""64 clients, each asking for one enterprise out of four REST systems, through the hub's HTTP endpoint and through a hand-written handler.

Processes on loopback: four sources that answer after 10 to 20 ms, the hub over them (token checked, audit written), and a Starlette
endpoint that gathers the same four with aiohttp for each request (``bench.four.handler``). One more says what could be reached at all:
the handler on bare ASGI, with codes that travel together (``bench.four.together``). Every answer of either is compared, byte for
byte. Blocks alternate and change direction; printed are medians of the blocks. Exit 1 if an aim is missed: source calls a request,
requests a second against the handler with 64 clients, latency against it with one.

The hub commits an audit record before each answer leaves it, the handler writes none. Its store lies in memory here, so that latencies
compare the two programs and not this machine's disk; what the disk would add to an answer is printed beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from bench.caller import serving
from bench.closed import Load
from bench.four.data import CODES, SYSTEMS
from bench.processes import Server, module

CALLS, FASTER, SLOWER = 1.3, 2.0, 1.15  # the aims: calls a request at most, requests a second at least, latency at most
MEMORY = Path("/dev/shm")  # a file system in memory
QUERY = """query ($uscc: USCC!) { enterprise(uscc: $uscc) {
  uscc name address status legalRepName
  creditScore { score grade evaluatedAt }
  permits { permitNo title issuedOn validUntil authority }
  inspections { inspectionNo inspectedOn result }
} }"""


@dataclass(slots=True)
class Way:
    """One way to the answer, with ``clients`` at once. Each list has one figure a block: requests a second, milliseconds of latency
    (median and 99th percentile), processor milliseconds a request, calls a request by system."""

    name: str
    server: Server
    clients: int
    requests: int
    token: str = ""
    rate: list[float] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    calls: list[Counter[str]] = field(default_factory=list)

    def request(self, code: str) -> bytes:
        body = orjson.dumps({"query": QUERY, "variables": {"uscc": code}})
        token = f"authorization: Bearer {self.token}\r\n" if self.token else ""
        head = f"POST /graphql HTTP/1.1\r\nhost: hub\r\naccept: application/json\r\ncontent-type: application/json\r\n{token}"
        return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class Answers:
    """The answer of each code as it came first; every other has to be the same bytes."""

    def __init__(self) -> None:
        self._first: dict[str, bytes] = {}

    def check(self, code: str, body: bytes) -> None:
        first = self._first.setdefault(code, body)
        if body != first:
            raise RuntimeError(f"the answers for {code} differ:\n{first[:2000]!r}\n{body[:2000]!r}")
        if b'"errors"' in body or code.encode() not in body:
            raise RuntimeError(f"not the answer for {code}: {body[:500]!r}")


def asked(sources: dict[str, Server]) -> Counter[str]:
    """How many calls each source has had."""
    found: Counter[str] = Counter()
    for name, source in sources.items():
        connection = HTTPConnection("127.0.0.1", source.port, timeout=10)
        connection.request("GET", "/calls")
        found[name] = int(connection.getresponse().read())
        connection.close()
    return found


def measure(way: Way, sources: dict[str, Server], codes: list[str], answers: Answers) -> None:
    """One block."""
    load = Load(iter(codes[: way.requests]), way.request, answers.check)
    calls, cpu = asked(sources), way.server.cpu()
    seconds = uvloop.run(load.run(way.server.port, way.clients))
    cpu = way.server.cpu() - cpu
    way.calls.append(asked(sources) - calls)
    way.rate.append(way.requests / seconds)
    way.ms.append(statistics.median(load.seconds) * 1000)
    way.late.append(statistics.quantiles(load.seconds, n=100)[98] * 1000)
    way.cpu.append(cpu * 1000 / way.requests)


def report(ways: list[Way], console: Console) -> None:
    """The table: one line a way, medians of its blocks."""
    table = Table(title=f"one enterprise of {len(CODES):,} out of 4 systems, {len(ways[0].rate)} alternating blocks, answers equal")
    for head in ("way", "clients", "requests / s", "median ms", "p99 ms", "CPU ms", "calls / request", *SYSTEMS):
        table.add_column(head, justify="left" if head == "way" else "right")
    for way in ways:
        each = {name: statistics.median(calls[name] / way.requests for calls in way.calls) for name in SYSTEMS}
        figures = [f"{statistics.median(figure):.1f}" for figure in (way.rate, way.ms, way.late)]
        cpu = f"{statistics.median(way.cpu):.2f}"
        table.add_row(way.name, str(way.clients), *figures, cpu, f"{total(way):.2f}", *(f"{each[name]:.2f}" for name in SYSTEMS))
    console.print(table)


def disk(folder: Path | None = None, times: int = 20) -> float:
    """Median milliseconds that a small write takes to be safe on the disk of temporary files."""
    found = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            started = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 4096, 0)
            os.fdatasync(file.fileno())
            found.append((time.perf_counter() - started) * 1000)
    return statistics.median(found)


def total(way: Way) -> float:
    """Calls to all four systems together, a request."""
    return statistics.median(calls.total() / way.requests for calls in way.calls)


def judged(ways: list[Way], console: Console) -> bool:
    """Print the three aims with what was reached; whether all are met."""
    many, by_hand, one, one_by_hand, together = ways
    faster = statistics.median(a / b for a, b in zip(many.rate, by_hand.rate, strict=True))
    cheaper = statistics.median(b / a for a, b in zip(many.cpu, by_hand.cpu, strict=True))
    slower = statistics.median(a / b for a, b in zip(one.ms, one_by_hand.ms, strict=True))
    aims = [
        (total(many) <= CALLS, f"{total(many):.2f} source calls a request; aim ≤ {CALLS}"),
        (faster >= FASTER, f"{faster:.2f}× the requests a second (CPU {cheaper:.2f}× less); aim ≥ {FASTER}×"),
        (slower <= SLOWER, f"{slower:.2f}× the latency with one client; aim ≤ {SLOWER}×"),
    ]
    for met, line in aims:
        console.print(f"{line}: {'met' if met else 'MISSED'}")
    most = statistics.median(a / b for a, b in zip(together.rate, by_hand.rate, strict=True))
    console.print(f"for nothing but its calls, put together by hand: {most:.2f}× the requests a second; no aim, but what there is to reach")
    console.print(f"a commit on this machine's disk would add {disk():.1f} ms to an answer of the hub (one commit for all that wait)")
    return all(met for met, _ in aims)


def main() -> int:
    """Measure and print; 0 if all aims are met."""
    parser = argparse.ArgumentParser(prog="python -m bench.clients", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--blocks", type=int, default=5, help="alternating blocks a way (default 5)")
    parser.add_argument("--requests", type=int, default=2_000, help="requests a block with 64 clients (default 2000)")
    given = parser.parse_args()
    with ExitStack() as stack:
        sources = {name: stack.enter_context(module("bench.four.source", name)) for name in SYSTEMS}
        addresses = [source.url for source in sources.values()]
        by_hand = stack.enter_context(module("bench.four.handler", *addresses))
        together = stack.enter_context(module("bench.four.together", *addresses))
        urls = {f"{name.upper()}_URL": source.url for name, source in sources.items()}
        server, token = stack.enter_context(
            serving(Path(__file__).parent / "four" / "systems", urls, "L3", MEMORY if MEMORY.is_dir() else None)
        )
        ways = [
            Way("hub", server, 64, given.requests, token),
            Way("by hand", by_hand, 64, given.requests),
            Way("hub", server, 1, 100, token),
            Way("by hand", by_hand, 1, 100),
            Way("by hand, together", together, 64, given.requests),
        ]
        answers, choose = Answers(), random.Random(20260103)
        for way in (*ways[:2], ways[-1]):  # warm: connections, caches of documents and plans
            asyncio.run(Load(iter(CODES[:500]), way.request, answers.check).run(way.server.port, way.clients))
        for number in range(given.blocks):
            codes = choose.choices(CODES, k=given.requests)
            for way in ways if number % 2 == 0 else reversed(ways):
                measure(way, sources, codes, answers)
    console = Console(width=140)
    report(ways, console)
    return 0 if judged(ways, console) else 1


if __name__ == "__main__":
    sys.exit(main())
