"""Clients of a measurement: so many connections, each asking again as soon as it has its answer. Reduced to what that needs, so that the
clients cost little next to who is measured. Must not know what is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import cast

Check = Callable[[str, bytes], None]


class _Client(asyncio.Protocol):
    """One connection: asks for the next of ``codes`` until there are none."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.code = ""
        self.since = 0.0
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class has another base
        self.ask()

    def ask(self) -> None:
        code = next(self.load.codes, None)
        if code is None:
            self.transport.close()
            return
        self.code, self.received = code, b""
        self.since = time.perf_counter()
        self.transport.write(self.load.request(code))

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self.load.seconds.append(time.perf_counter() - self.since)
        try:
            if not lower.startswith(b"http/1.1 200"):
                raise RuntimeError(f"{head!r} {body[:300]!r}")
            self.load.check(self.code, body)
        except Exception as error:  # handed to whoever waits for the load
            self.load.failed(error)
            self.transport.close()
            return
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        self.load.left(error)


class Load:
    """Requests for ``codes``, spread over ``clients`` connections. ``seconds`` are the latencies, in the order of the answers."""

    def __init__(self, codes: Iterator[str], request: Callable[[str], bytes], check: Check) -> None:
        self.codes = codes
        self.request = request
        self.check = check
        self.seconds: list[float] = []
        self._over: asyncio.Future[None] | None = None
        self._open = 0

    async def run(self, port: int, clients: int) -> float:
        """Run to the end; seconds it took. Raises what ``check`` raised, RuntimeError on any status but 200."""
        loop = asyncio.get_running_loop()
        self._over, self._open = loop.create_future(), clients
        started = time.perf_counter()
        await asyncio.gather(*(loop.create_connection(lambda: _Client(self), "127.0.0.1", port) for _ in range(clients)))
        await self._over
        return time.perf_counter() - started

    def failed(self, error: Exception) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_exception(error)

    def left(self, error: Exception | None) -> None:
        self._open -= 1
        if error is not None:
            self.failed(error)
        elif not self._open and self._over is not None and not self._over.done():
            self._over.set_result(None)
