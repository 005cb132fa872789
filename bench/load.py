"""The demo under steady load: every answer has to be the first one again, and memory must stop growing.

Starts ``hub demo`` on free ports of loopback, asks the demonstration's enterprises over a few connections for ``--seconds``, prints
requests a second, latency and resident memory each tenth of the time. Exit 1 on a wrong answer, or if memory grew by more than a
fifth after the first tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from bench.processes import Server, free_port

CLIENTS = 8
GROWTH = 1.2
LISTED = "{ enterprises(first: 20) { nodes { uscc } } }"
ASKED = "query ($uscc: USCC!) { enterprise(uscc: $uscc) { name status creditScore { grade } licences { nodes { name status } } } }"


@contextmanager
def demo(patience: float = 120.0) -> Iterator[tuple[Server, dict[str, Any]]]:
    """The demo, up, and what its ready file says."""
    with tempfile.TemporaryDirectory(prefix="load-") as name:
        ready, log = Path(name, "ready.json"), Path(name, "demo.log")
        words = [str(Path(sys.executable).with_name("hub")), "demo", "--port", str(free_port()), "--ready-file", str(ready)]
        with log.open("wb") as out, subprocess.Popen(words, stdout=out, stderr=out) as process:
            try:
                until = time.monotonic() + patience
                while not ready.exists():
                    if process.poll() is not None or time.monotonic() > until:
                        raise RuntimeError(f"the demo did not get ready:\n{log.read_text(encoding='utf-8')[-2000:]}")
                    time.sleep(0.1)
                found = orjson.loads(ready.read_bytes())
                yield Server("hub", found["pid"], int(found["endpoint"].rpartition(":")[2].partition("/")[0])), found
            finally:
                process.terminate()


async def ask(client: aiohttp.ClientSession, url: str, query: str, **variables: Any) -> bytes:
    """``data`` of one answer. Raises RuntimeError if there are errors."""
    async with client.post(url, json={"query": query, "variables": variables}) as response:
        answer = orjson.loads(await response.read())
    if answer.get("errors"):
        raise RuntimeError(f"errors in an answer: {answer['errors'][:2]}")
    return orjson.dumps(answer["data"])


async def load(server: Server, found: dict[str, Any], seconds: float) -> int:
    """Ask for ``seconds`` and print; 0 if all was well."""
    headers = {"Authorization": f"Bearer {found['tokens']['app']}"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=CLIENTS)) as client:
        url = found["endpoint"]
        codes = [node["uscc"] for node in orjson.loads(await ask(client, url, LISTED))["enterprises"]["nodes"]]
        first = {code: await ask(client, url, ASKED, uscc=code) for code in codes}
        seen: Counter[str] = Counter()
        memory = []
        for _ in range(10):
            began = time.monotonic()
            taken = await part(client, url, first, seen, began + seconds / 10)
            rate = len(taken) / (time.monotonic() - began)
            memory.append(server.memory())
            p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
            print(f"{rate:8.0f} req/s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   {memory[-1] / 2**20:6.1f} MB", flush=True)
    print(f"{seen['same']:,} answers as the first time, {seen['other']:,} not; memory × {memory[-1] / memory[0]:.2f}")
    return 1 if seen["other"] or memory[-1] > GROWTH * memory[0] else 0


async def part(client: aiohttp.ClientSession, url: str, first: dict[str, bytes], seen: Counter[str], until: float) -> list[float]:
    """Ask with all clients until then; milliseconds of each request."""
    taken: list[float] = []

    async def one(start: int) -> None:
        for code in itertools.cycle([*first][start:] + [*first][:start]):
            began = time.perf_counter()
            answer = await ask(client, url, ASKED, uscc=code)
            taken.append((time.perf_counter() - began) * 1000)
            seen["same" if answer == first[code] else "other"] += 1
            if time.monotonic() > until:
                return

    await asyncio.gather(*(one(number) for number in range(CLIENTS)))
    return taken


def main() -> int:
    """Run it; 0 if all was well."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default 60)")
    seconds = min(float(parser.parse_args().seconds), 24 * 3600.0)
    with demo() as (server, found):
        return asyncio.run(load(server, found, seconds))


if __name__ == "__main__":
    sys.exit(main())
