"""A federation of four subgraphs behind the hub and behind Apollo's gateway, in one run: ``python -m bench.federation``.

Two questions: one enterprise with all that four subgraphs have of it (20 permits, 10 inspections), and a page of 50 with credit and
permits. Subgraphs answer from memory, at once. Every answer of either is compared. Blocks alternate and change direction; printed are
medians of the blocks. The other gateway comes from npm, as ``bench/graphs/package-lock.json`` says.

Processor time is the figure that other work on the machine disturbs least. The hub commits an audit record before each answer leaves it,
with its store in memory where there is such a file system; the gateway writes none.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from bench.caller import HUB
from bench.closed import Load
from bench.four.data import CODES
from bench.graphs.sdl import SDL
from bench.processes import Server, command, free_port, module

GRAPHS = Path(__file__).parent / "graphs"
MEMORY = Path("/dev/shm")  # a file system in memory
PAGES = 190  # different offsets that are asked for
ONE = """query ($uscc: ID!) { enterprise(uscc: $uscc) {
  uscc qymc zs djzt fddbr { xm zjlx } credit { pf dj pjsj } permits { bh mc fzrq yxqz jg } inspections { jcbh rq jg }
} }"""
PAGE = "query ($offset: Int!) { enterprises(first: 50, offset: $offset) { uscc qymc credit { pf dj } permits { bh mc } } }"


@dataclass(slots=True)
class Way:
    """One gateway with ``clients`` at once and one question. Each list has one figure a block: requests a second, milliseconds of latency
    (median and 99th percentile), processor milliseconds a request, subgraph calls a request."""

    name: str
    server: Server
    path: str
    question: str
    clients: int
    rate: list[float] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)

    def request(self, code: str) -> bytes:
        variables = {"uscc": code} if self.question == "one" else {"offset": int(code)}
        body = orjson.dumps({"query": ONE if self.question == "one" else PAGE, "variables": variables})
        head = f"POST {self.path} HTTP/1.1\r\nhost: gateway\r\naccept: application/json\r\ncontent-type: application/json\r\n"
        return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class Answers:
    """The answer of each code as it came first; every other has to be the same."""

    def __init__(self) -> None:
        self._first: dict[str, bytes] = {}

    def check(self, code: str, body: bytes) -> None:
        first = self._first.setdefault(code, body.strip())
        if body.strip() != first:
            raise RuntimeError(f"the answers for {code} differ:\n{first[:2000]!r}\n{body[:2000]!r}")
        if b'"errors"' in body or b"null" in body:
            raise RuntimeError(f"not the answer for {code}: {body[:500]!r}")


def codes(question: str, choose: random.Random, number: int) -> Iterator[str]:
    """So many enterprises, or offsets of pages."""
    return iter(choose.choices(CODES, k=number) if question == "one" else [str(choose.randrange(PAGES)) for _ in range(number)])


def asked(subgraphs: dict[str, Server]) -> int:
    """How many calls the subgraphs have had together."""
    found = 0
    for one in subgraphs.values():
        connection = HTTPConnection("127.0.0.1", one.port, timeout=10)
        connection.request("GET", "/calls")
        found += int(connection.getresponse().read())
        connection.close()
    return found


def measure(way: Way, subgraphs: dict[str, Server], number: int, choose: random.Random, answers: Answers) -> None:
    """One block."""
    load = Load(codes(way.question, choose, number), way.request, answers.check)
    calls, cpu = asked(subgraphs), way.server.cpu()
    seconds = uvloop.run(load.run(way.server.port, way.clients))
    way.cpu.append((way.server.cpu() - cpu) * 1000 / number)
    way.calls.append((asked(subgraphs) - calls) / number)
    way.rate.append(number / seconds)
    way.ms.append(statistics.median(load.seconds) * 1000)
    way.late.append(statistics.quantiles(load.seconds, n=100)[98] * 1000)


def report(ways: list[Way], console: Console) -> None:
    """One line a way, medians of its blocks."""
    table = Table(title=f"four subgraphs, {len(ways[0].rate)} alternating blocks, answers equal")
    for head in ("question", "clients", "gateway", "requests / s", "median ms", "p99 ms", "CPU ms a request", "calls a request"):
        table.add_column(head, justify="left" if head in ("question", "gateway") else "right")
    for way in ways:
        figures = [f"{statistics.median(figure):.1f}" for figure in (way.rate, way.ms, way.late)]
        table.add_row(
            way.question,
            str(way.clients),
            way.name,
            *figures,
            f"{statistics.median(way.cpu):.2f}",
            f"{statistics.median(way.calls):.2f}",
        )
    console.print(table)


# -- the two gateways -------------------------------------------------------------------------------------------------


def node() -> ModuleType:
    """``explorer/build.py``, which knows where node and npm are."""
    spec = spec_from_file_location("explorer_build", Path(__file__).parents[1] / "explorer" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    found = module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def composed(subgraphs: dict[str, Server], folder: Path) -> Path:
    """The supergraph of the running subgraphs."""
    if not (GRAPHS / "node_modules").is_dir():
        subprocess.run([*node().npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=GRAPHS, check=True)
    given: Any = {name: {"sdl": SDL[name], "url": one.url + "/graphql"} for name, one in subgraphs.items()}
    made = subprocess.run([*node().node(), str(GRAPHS / "compose.mjs")], input=orjson.dumps(given), capture_output=True, check=True)
    file = folder / "supergraph.graphql"
    file.write_bytes(made.stdout)
    return file


@contextmanager
def gateways(supergraph: Path, folder: Path) -> Iterator[dict[str, tuple[Server, str]]]:
    """Both at once: name -> the server and the path of its endpoint."""
    port, other = free_port(), free_port()
    store = {"HUB_STORE_URL": f"sqlite:///{folder}/hub.sqlite", "HUB_STORE_KEY_FILE": f"{folder}/hub.key", "HUB_LOGS_LEVEL": "warning"}
    words = [HUB, "serve", "--supergraph", str(supergraph), "--port", str(port)]
    theirs = [*node().node(), str(GRAPHS / "gateway.mjs"), str(other), str(supergraph)]
    ready = "/?query=%7B__typename%7D"
    with (
        command(words, port, "/readyz", store, folder / "hub.log") as hub,
        command(theirs, other, ready, {"NODE_ENV": "production"}, folder / "gateway.log") as apollo,
    ):
        yield {"hub": (hub, "/graphql"), "Apollo gateway": (apollo, "/")}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.federation", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--blocks", type=int, default=5, help="alternating blocks a way (default 5)")
    parser.add_argument("--requests", type=int, default=1_000, help="requests a block (default 1000; a quarter of it for pages)")
    given = parser.parse_args()
    with ExitStack() as stack:
        subgraphs = {name: stack.enter_context(module("bench.graphs.subgraph", name)) for name in SDL}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=MEMORY if MEMORY.is_dir() else None)))
        both = stack.enter_context(gateways(composed(subgraphs, folder), folder))
        ways = [
            Way(name, server, path, question, clients)
            for question in ("one", "page")
            for clients in (1, 16, 64)
            for name, (server, path) in both.items()
        ]
        numbers = {"one": given.requests, "page": max(64, given.requests // 4)}
        answers, choose = Answers(), random.Random(20260104)
        for way in ways:  # warm: connections, plans, compiled code
            warm = Load(codes(way.question, choose, numbers[way.question]), way.request, answers.check)
            asyncio.run(warm.run(way.server.port, way.clients))
        for block in range(given.blocks):
            for way in ways if block % 2 == 0 else reversed(ways):
                measure(way, subgraphs, numbers[way.question] // (4 if way.clients == 1 else 1), choose, answers)
    report(ways, Console(width=140))
    return 0


if __name__ == "__main__":
    sys.exit(main())
