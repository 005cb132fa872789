"""The contract over streams: brokers that brought the rows of the contract as messages, one a row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.contract import ROWS, Contract, World
from connectors.contract_world import OPERATORS
from connectors.spi import Field, Options, Relation, Secret
from connectors.streams import StreamConnector, StreamSettings
from tests.connectors.brokers import Between, address, between, filtered, nonsense, queued, subject
from tests.connectors.loopback import nobody

SECRET = "stream-secret-4711"
FIELDS = (
    Field("id", "nr", nullable=False), Field("holder", "wer.id"), Field("name", "zz[0].mc"), Field("level", "dj", "int"),
    Field("issuedOn", "bfrq"),
)  # fmt: skip
NAMES = tuple(one.name for one in FIELDS)
BODIES = tuple(
    orjson.dumps({"nr": r["id"], "wer": {"id": r["holder"]}, "zz": [{"mc": r["name"]}], "dj": r["level"], "bfrq": r["issuedOn"]})
    for r in ROWS
)
ABLE: dict[str, Any] = {
    "where": Options({name: OPERATORS if name != "level" else OPERATORS[:-1] for name in NAMES}),
    "order": NAMES, "limit": True, "total": True, "seek": True, "each": True, "aggregates": ("COUNT", "SUM", "MIN", "MAX"),
}  # fmt: skip


def relations(path: str) -> tuple[Relation, ...]:
    native = Options({"path": path, "type": "Licence", "key": ("nr",)})
    return (
        Relation("byId", FIELDS, native, keys=("id",), max_keys=500, **ABLE),
        Relation("byHolder", FIELDS, native, keys=("holder",), max_keys=500, **ABLE),
        Relation("everything", FIELDS, native, **ABLE),
        Relation("plain", FIELDS, native),
    )


RELATIONS = relations("")  # each world has a path of its own


class Streams(Contract):
    """What the worlds of all protocols share. ``known`` are settings for a broker that does not take whoever comes."""

    scheme = ""
    known: Mapping[str, Any] = {}

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @asynccontextmanager
    async def brought(self, broker: Between, path: str, stuck: str) -> AsyncIterator[World]:
        """A hub at ``broker`` that asks for ``path``; ``stuck`` is a path that the broker does not hear of."""
        broker.mute = stuck.encode()
        async with nonsense() as ill:
            options = {
                "url": f"{self.scheme}://127.0.0.1:{broker.port}",
                "auth": {"kind": "BASIC", "user": "hub", "secret": Secret(SECRET)},
            }
            made = [
                StreamConnector(
                    StreamSettings.of({**options, **more, "url": f"{self.scheme}://127.0.0.1:{port}", "data": f"{self.folder}/{port}"}),
                    system="permits",
                )
                for port, more in ((broker.port, self.known), (nobody(), {}), (ill, {}))
            ]
            found = relations(path)
            try:
                await made[0].open(found)
                yield World(
                    connector=made[0],
                    relations=found,
                    stuck=relations(stuck)[0],
                    gone=(made[1], found[0]),
                    garbage=(made[2], found[0]),
                    options=options,
                    secret=SECRET,
                )
            finally:
                for connector in made:
                    await connector.close()


class TestNats(Streams):
    scheme = "nats"

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        url = address("HUB_TEST_NATS")
        async with subject(url) as topic, between(url) as broker:
            await asyncio.gather(*(topic.publish(body) for body in BODIES))
            async with self.brought(broker, f"{topic.name}.news", f"{topic.name}.stuck") as world:
                yield world


class TestMqtt(Streams):
    scheme = "mqtt"

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        url = address("HUB_TEST_MQTT")
        async with between(url) as broker, filtered(url, self.folder / str(broker.port)) as topic:
            for at, body in enumerate(BODIES):
                await topic.retain(f"news/{at}", body)
            async with self.brought(broker, f"{topic.name}/news/+", f"{topic.name}/stuck") as world:
                yield world


class TestAmqp(Streams):
    scheme = "amqp"
    known = {"auth": {"kind": "NONE"}}  # the one guest whom a new broker knows: no secret to look for  # noqa: RUF012

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        url = address("HUB_TEST_AMQP")
        async with queued(url, "stuck") as queue, between(url) as broker:
            await queue.publish(*BODIES)
            async with self.brought(broker, queue.path, f"{queue.path}stuck") as world:
                yield world
