"""An open hub as an ASGI application, and served until it is told to stop. With ``hub.app`` it is the composition root."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.app import Hub
from hub.serve import explorer, health, oauth
from hub.serve.server import Server


def application(hub: Hub) -> ASGIApp:
    """The ASGI application of an open hub. Requests for the endpoint go there at once; all others are routed."""
    http = hub.config.http
    routes: list[BaseRoute] = [*oauth.routes(hub.tokens)]
    checks = {"schema": _composed(hub), "store": hub.store.is_current}
    routes += health.routes(checks, hub.drain, hub.metrics if http.metrics else None, hub.health)
    if http.explorer:
        routes += explorer.routes(http.path)
        routes.append(Route("/", lambda _: RedirectResponse("/explorer"), methods=["GET"]))
    rest, endpoint, path = Starlette(routes=routes), hub.endpoint, http.path

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == path:
            await endpoint(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == path:
            await hub.sockets(scope, receive, send)
        else:
            await rest(scope, receive, send)

    if not http.origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=http.origins,
        allow_methods=("GET", "POST"),
        allow_headers=("content-type", "authorization", "x-request-id"),
        expose_headers=("x-request-id", "retry-after"),
        max_age=600,
    )


def _composed(hub: Hub) -> Callable[[], Any]:
    async def check() -> bool:
        return hub.composition.ok

    return check


def server(hub: Hub) -> Server:
    """A server of an open hub."""
    return Server(application(hub), hub.config.http, hub.drain, hub.config.limits.body)


def _settle_memory() -> None:
    """What is here now stays: keep the collector from walking it. An answer of 5,000 rows makes 10,000 dicts without a cycle among them,
    so look for cycles less often than after each 700 objects: with the default, a good part of such an answer's time went there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    sys.setswitchinterval(0.001)  # the audit thread takes the interpreter for each row it writes; nobody waits 5 ms for that


async def serve(hub: Hub, listening: socket.socket, by: Server | None = None) -> None:
    """Serve until told to stop: SIGTERM, SIGINT, or ``by.stop``. SIGHUP reloads the manifests; so does a change, if so configured."""
    loop, tasks = asyncio.get_running_loop(), set()
    _settle_memory()

    def reload() -> None:
        task = asyncio.ensure_future(hub.reloaded())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    with contextlib.suppress(NotImplementedError, RuntimeError):  # not on Windows, not off the main thread
        loop.add_signal_handler(signal.SIGHUP, reload)
    watching = asyncio.ensure_future(hub.watch()) if hub.config.systems.reload else None
    try:
        await (by or server(hub)).serve([listening])
    finally:
        for task in (*tasks, *([watching] if watching else [])):
            task.cancel()
        await asyncio.gather(*tasks, *([watching] if watching else []), return_exceptions=True)
