"""Brokers for tests: NATS, MQTT and AMQP servers as the deployment of the tests has them, and a way to stand between a hub and one.

Addresses come from ``HUB_TEST_NATS``, ``HUB_TEST_MQTT`` and ``HUB_TEST_AMQP``. Each test uses names of its own and takes them away.
"""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import nats
import pytest
from nats.js.client import JetStreamContext

from tests.conftest import SERVERS


def address(variable: str) -> str:
    """The server's address. Without one the test is skipped, or fails where ``CI`` says that all are there."""
    url = os.environ.get(variable, SERVERS[variable])
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2).close()
    except OSError as error:
        said = f"no server at {variable} ({type(error).__name__})"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    return url


def own() -> str:
    """A name that nobody else uses."""
    return f"hubtest{uuid.uuid4().hex[:10]}"


class Subject:
    """A stream of JetStream with all subjects under one name."""

    def __init__(self, name: str, stream: JetStreamContext) -> None:
        self.name = name
        self.stream = stream

    async def publish(self, *bodies: bytes, to: str = "news") -> None:
        for body in bodies:
            await self.stream.publish(f"{self.name}.{to}", body)


@asynccontextmanager
async def subject(url: str) -> AsyncIterator[Subject]:
    """A stream made for one test."""
    client = await nats.connect(url)
    stream, name = client.jetstream(), own()
    await stream.add_stream(name=name, subjects=[f"{name}.>"])
    try:
        yield Subject(name, stream)
    finally:
        with suppress(nats.js.errors.NotFoundError):
            await stream.delete_stream(name)
        await client.close()


class Between:
    """A listener that passes everything on to a broker, until told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self.mute = b""  # a connection on which the hub has sent this is not passed on any further
        self.shut = False  # hangs up on whoever comes
        self.silent = False  # takes connections and says nothing
        self.joined = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.joined += 1
        self._writers.add(writer)
        try:
            if self.shut:
                return
            if self.silent:
                await reader.read()
                return
            there, answer = await asyncio.open_connection(*self._to)
            self._writers.add(answer)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, answer, self.mute))
                group.create_task(self._pass(there, writer, b""))
        except* OSError:
            pass
        finally:
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mute: bytes) -> None:
        muted = False
        while part := await reader.read(65536):
            muted = muted or bool(mute and mute in part)
            if not muted:
                writer.write(part)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        """Every connection breaks."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()


@asynccontextmanager
async def between(url: str) -> AsyncIterator[Between]:
    """Stands before the broker at ``url``."""
    parts = urlsplit(url)
    made = Between(parts.hostname or "", parts.port or 0)
    server = await asyncio.start_server(made, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.cut()
        await asyncio.sleep(0)


@asynccontextmanager
async def nonsense() -> AsyncIterator[int]:
    """A port on which whoever comes is told something that is no protocol."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("系统维护中\r\n".encode() * 3)
        with suppress(OSError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
