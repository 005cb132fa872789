"""A department as a process: a door on loopback that can be shut and opened again, and a control URL that stays.

``Door`` is what each protocol gives; ``serve`` opens it, says so in one line of JSON on standard output, and runs until SIGTERM
(or, with a lifeline, until standard input ends). Must not know any protocol's content.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any, Protocol

from aiohttp import web

from demo.faults import Faults, How, Mode, Tally

HOST = "127.0.0.1"


class Door(Protocol):
    """``open`` listens on a port (0: any) and returns it; ``shut`` stops listening and cuts every connection; ``url`` is where to ask."""

    async def open(self, port: int) -> int: ...

    async def shut(self) -> None: ...

    def url(self, port: int) -> str: ...


class WebDoor:
    """The door of an aiohttp application. ``path`` ends the URL. Connections are cut, not drained: a dead server says no goodbye."""

    def __init__(self, app: web.Application, path: str = "") -> None:
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        self._path = path
        self._server: asyncio.Server | None = None

    async def open(self, port: int) -> int:
        if self._runner.server is None:
            await self._runner.setup()
        assert self._runner.server is not None
        self._server = await asyncio.get_running_loop().create_server(self._runner.server, HOST, port)
        return listening_port(self._server)

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._runner.server.connections) if self._runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)  # lets the loop take the aborted sockets away

    def url(self, port: int) -> str:
        return f"http://{HOST}:{port}{self._path}"


def listening_port(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


class Control:
    """``POST /fault {mode, seconds?, how?}``, ``GET /fault``, ``GET /calls``, ``POST /reset``: JSON in and out; 400 for nonsense."""

    def __init__(self, system: str, door: Door, port: int, faults: Faults, tally: Tally) -> None:
        self._system = system
        self._door = door
        self._port = port
        self._faults = faults
        self._tally = tally
        self._turn = asyncio.Lock()  # one change at a time: a door is never opened twice

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/fault", self._set_fault)
        app.router.add_get("/fault", self._get_fault)
        app.router.add_get("/calls", self._calls)
        app.router.add_post("/reset", self._reset)
        return app

    async def _set_fault(self, request: web.Request) -> web.Response:
        try:
            asked = json.loads(await request.read())
            mode = Mode(asked["mode"])
            seconds = None if asked.get("seconds") is None else float(asked["seconds"])
            how = None if asked.get("how") is None else How(asked["how"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        async with self._turn:
            was_dead = self._faults.mode is Mode.DEAD
            self._faults.set(mode, seconds, how)
            if mode is Mode.DEAD and not was_dead:
                await self._door.shut()
            elif was_dead and mode is not Mode.DEAD:
                await self._door.open(self._port)
        return await self._get_fault(request)

    async def _get_fault(self, _request: web.Request) -> web.Response:
        return web.json_response({"system": self._system, **describe(self._faults)})

    async def _calls(self, _request: web.Request) -> web.Response:
        return web.json_response({"system": self._system, **self._tally.report()})

    async def _reset(self, _request: web.Request) -> web.Response:
        self._tally.reset()
        return web.json_response({"system": self._system})


def describe(faults: Faults) -> dict[str, Any]:
    """The present fault as the control URL shows it."""
    return {
        "mode": faults.mode.value,
        "seconds": faults.seconds if faults.mode is Mode.SLOW else None,
        "how": faults.how.value if faults.mode is Mode.WRONG else None,
    }


async def serve(
    system: str, door: Door, faults: Faults, tally: Tally, *, port: int = 0, control_port: int = 0, lifeline: bool = False
) -> None:
    """Run one department until SIGTERM or SIGINT, or with ``lifeline`` until standard input ends. OSError if a port is taken."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    if lifeline:
        loop.add_reader(sys.stdin.fileno(), _watch, stop)
    port = await door.open(port)
    control = WebDoor(Control(system, door, port, faults, tally).app())
    control_port = await control.open(control_port)
    ready = {"system": system, "url": door.url(port), "control": control.url(control_port), "pid": os.getpid()}
    os.write(sys.stdout.fileno(), json.dumps(ready).encode() + b"\n")  # one write: lines of several processes never mix
    await stop.wait()
    if lifeline:
        loop.remove_reader(sys.stdin.fileno())
    faults.set(Mode.DEAD)
    await door.shut()
    await control.shut()


def _watch(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        stop.set()
