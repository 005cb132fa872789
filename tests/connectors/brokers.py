"""Brokers for tests: NATS, MQTT and AMQP servers as the deployment of the tests has them, and a way to stand between a hub and one.

Addresses come from ``HUB_TEST_NATS``, ``HUB_TEST_MQTT`` and ``HUB_TEST_AMQP``. Each test uses names of its own and takes them away.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aio_pika
import aiomqtt
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


class Source(Protocol):
    """Where a test's messages come from, whatever the protocol. ``path`` is what a manifest calls it."""

    @property
    def path(self) -> str: ...

    async def publish(self, *bodies: bytes) -> None: ...


class Subject:
    """A stream of JetStream with all subjects under one name."""

    def __init__(self, name: str, stream: JetStreamContext) -> None:
        self.name = name
        self.stream = stream

    @property
    def path(self) -> str:
        return f"{self.name}.news"

    async def publish(self, *bodies: bytes, to: str = "news") -> None:
        for body in bodies:
            await self.stream.publish(f"{self.name}.{to}", body)


@asynccontextmanager
async def subject(url: str, name: str = "") -> AsyncIterator[Subject]:
    """A stream made for one test, with a name of its own unless one is given."""
    client = await nats.connect(url)
    stream, name = client.jetstream(), name or own()
    await stream.add_stream(name=name, subjects=[f"{name}.>"])
    try:
        yield Subject(name, stream)
    finally:
        with suppress(nats.js.errors.NotFoundError):
            await stream.delete_stream(name)
        await client.close()


class Filter:
    """Topics of MQTT under one name. ``retained`` are those that hold a message."""

    def __init__(self, name: str, client: aiomqtt.Client, place: tuple[str, int]) -> None:
        self.name = name
        self.path = f"{name}/news"
        self._place = place
        self._client = client
        self._retained: set[str] = set()

    async def publish(self, *bodies: bytes) -> None:
        for body in bodies:
            await self._client.publish(self.path, body, qos=1)

    async def retain(self, to: str, body: bytes) -> None:
        """The broker shows this to whoever subscribes."""
        self._retained.add(f"{self.name}/{to}")
        await self._client.publish(f"{self.name}/{to}", body, qos=1, retain=True)

    @asynccontextmanager
    async def subscribed(self, path: str) -> AsyncIterator[aiomqtt.Client]:
        """Someone else who reads."""
        async with aiomqtt.Client(*self._place, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe(path, qos=1)
            yield client

    async def forget(self, *sessions: str) -> None:
        """The broker keeps nothing for these any longer."""
        for one in sessions:
            async with aiomqtt.Client(*self._place, identifier=one, protocol=aiomqtt.ProtocolVersion.V5, clean_start=True):
                pass

    async def clear(self) -> None:
        for topic in self._retained:
            await self._client.publish(topic, b"", qos=1, retain=True)


@asynccontextmanager
async def filtered(url: str, *folders: Path, system: str = "permits", name: str = "") -> AsyncIterator[Filter]:
    """Topics for one test, and no trace of them or of the sessions of the stores in ``folders`` afterwards. ``name`` as of ``subject``."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 0
    async with aiomqtt.Client(host, port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        made = Filter(name or own(), client, (host, port))
        try:
            yield made
        finally:
            await made.clear()
            await made.forget(*(one for folder in folders for one in identities(folder, system)))


def identities(folder: Path, system: str = "permits") -> list[str]:
    """Under which names the store in ``folder`` has joined brokers."""
    if not (folder / "stream.sqlite").exists():
        return []
    with closing(sqlite3.connect(folder / "stream.sqlite")) as store:
        return [f"hub-{own}-{system}-{topic}" for own, topic in store.execute("SELECT identity.id, topics.id FROM identity, topics")]


class Queue:
    """A queue of AMQP."""

    def __init__(self, path: str, channel: aio_pika.abc.AbstractChannel, queue: aio_pika.abc.AbstractQueue) -> None:
        self.path = path
        self._channel = channel
        self.queue = queue

    async def publish(self, *bodies: bytes) -> None:
        for body in bodies:
            await self._channel.default_exchange.publish(aio_pika.Message(body), self.path)

    async def remove(self) -> None:
        await self._channel.queue_delete(self.path)

    async def waiting(self) -> int:
        """How many messages lie in it."""
        return (await self._channel.declare_queue(self.path, passive=True)).declaration_result.message_count or 0


@asynccontextmanager
async def queued(url: str, *more: str, name: str = "") -> AsyncIterator[Queue]:
    """A queue for one test; others with ``more`` after its name. ``name`` as of ``subject``."""
    parts = urlsplit(url)
    async with await aio_pika.connect(host=parts.hostname or "", port=parts.port or 0) as connection:
        channel = await connection.channel()
        name = name or own()
        made = [await channel.declare_queue(one, durable=True) for one in (name, *(f"{name}{one}" for one in more))]
        try:
            yield Queue(name, channel, made[0])
        finally:
            for queue in made:
                await channel.queue_delete(queue.name)


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
            writer.write_eof()
            await reader.read()  # one who hangs up on what was said to him may take his answer back with it
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
