"""A real HTTP server on a free port of loopback, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(*routes: web.RouteDef) -> AsyncIterator[str]:
    """``http://127.0.0.1:PORT`` while ``routes`` are served there."""
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.add_routes(routes)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        await runner.cleanup()


async def never(request: web.Request) -> web.StreamResponse:
    """Takes the request and does not answer."""
    await asyncio.Event().wait()
    raise AssertionError("woken")


@cache
def nobody() -> int:
    """A port of loopback where nobody listens. It stays taken as long as this process lives, so that nobody else begins to."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    port = int(taken.getsockname()[1])
    taken.detach()
    return port


def free() -> int:
    """A port of loopback for who will listen there at once."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
