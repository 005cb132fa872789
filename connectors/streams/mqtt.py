"""MQTT 5: a subscription of quality 1 in a session that the broker keeps for the hub. ``path`` is a topic filter, ``+`` and ``#`` included.

A message is acknowledged after it is stored, so the broker sends again whatever was not. MQTT numbers nothing and marks no end: what the
broker held counts as brought when nothing has come for a short while.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiomqtt import Client, Message, MqttCodeError, MqttError, ProtocolVersion
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from connectors.settings import refused
from connectors.spi import SourceError
from connectors.streams import messages
from connectors.streams.link import BATCH, JOINING, Link
from connectors.streams.messages import Batch, Position, Words

_REMEMBERED = 30 * 86400  # seconds that the broker keeps the session, and what comes for it, while the hub is away
_QUIET = 0.25  # seconds without a message after which what the broker held is taken to have come
_ORIGIN = "mqtt"  # there are no numbers whose life could end
_SHARED = "$share/"
_PROTOCOL, _VERSION, _LOGIN, _REFUSED, _BANNED, _FILTER = 130, 132, 134, 135, 138, 143  # reason codes of MQTT 5


async def topics(link: Link) -> list[str]:
    """None: a broker does not tell what topics there are."""
    async with _connected(link, "", clean=True):
        return []


async def watch(link: Link, words: Words, identity: str, durable: bool, position: Position) -> AsyncIterator[Batch]:
    # What a shared subscription brings is taken from the others who share it; a look takes nothing.
    path = words.path if durable or not words.path.startswith(_SHARED) else words.path.split("/", 2)[-1]
    async with _connected(link, identity if durable else "", clean=not durable) as client:
        await _subscribe(client, path, first=not position.origin)
        yield Batch(origin=_ORIGIN, missed=bool(position.origin) and not client.present)
        incoming, current, begun, silences = client.messages, False, client.time(), 0
        coming = asyncio.ensure_future(anext(incoming))
        try:
            while True:
                # Waited for without being cancelled: a message that is taken from the queue must not get lost on the way.
                await asyncio.wait({coming}, timeout=None if current else _QUIET / 2)
                found = [coming.result()] if coming.done() else []
                while len(incoming) and 0 < len(found) < BATCH:
                    found.append(await anext(incoming))
                if found:
                    coming = asyncio.ensure_future(anext(incoming))
                # Two silences: one may be the hub's own, that was busy elsewhere while messages came.
                silences = 0 if found else silences + 1
                current = current or silences > 1 or client.time() - begun > JOINING  # on a busy topic it is never quiet
                if not found and not current:
                    continue

                async def done(taken: list[Message] = found) -> None:
                    for message in taken:
                        client.acknowledge(message)

                yield Batch([messages.Message(one.payload, one.topic.value) for one in found], done, _ORIGIN, current)
        finally:
            coming.cancel()


async def _subscribe(client: _Session, path: str, first: bool) -> None:
    """Retained messages come at the first time, and when the broker no longer knows the session. Raises SourceError, MqttError."""
    retained = SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE if first else SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
    options = SubscribeOptions(qos=1, retainHandling=retained)
    try:
        answers = await client.subscribe(path, options=options)
    except ValueError:
        raise refused("The source does not take this topic.", path) from None
    for answer in answers:
        code = answer.value if isinstance(answer, ReasonCode) else answer
        if code in (_LOGIN, _REFUSED):
            raise SourceError("denied", "The source does not let the hub read this topic.", detail=f"code {code}")
        if code >= 128:
            raise refused("The source does not take this topic.", path if code == _FILTER else f"{path}, code {code}")


class _Session(Client):
    """A client that acknowledges when told to, knows whether the broker remembered it, and hears of a connection that breaks before it
    is made. ``aiomqtt`` has no words for these; what is used of its inside is in this class alone."""

    present = False
    reached = False
    _over = False

    async def join(self) -> None:
        """Connect. Raises MqttError, and whatever the driver makes of an answer that is none."""
        self._client.manual_ack_set(True)
        joining: asyncio.Future[Any] = asyncio.ensure_future(self.__aenter__())
        cut: asyncio.Future[Any] = self._disconnected
        try:
            await asyncio.wait({joining, cut}, return_when=asyncio.FIRST_COMPLETED)
            (joining if joining.done() else cut).result()
        finally:
            joining.cancel()

    def acknowledge(self, message: Message) -> None:
        """Where the connection is gone, the broker sends the message again."""
        self._client.ack(message.mid, message.qos)

    def leave(self) -> None:
        """At once and whatever the state, a connection included that is only being made in its thread."""
        self._over = True
        self._loop.call_soon(self._hang_up)

    def time(self) -> float:
        return self._loop.time()

    def _hang_up(self) -> None:
        self._client.disconnect()
        self._client.loop_write()
        for future in (self._connected, self._disconnected):
            if future.done() and not future.cancelled():
                future.exception()  # heard of

    def _client_connect(self) -> None:
        super()._client_connect()
        if self._over:
            self._loop.call_soon_threadsafe(self._hang_up)

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason_code: ReasonCode, properties: Properties | None = None) -> None:
        self.present, self.reached = flags.session_present, True
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason_code: ReasonCode, properties: Properties | None = None) -> None:
        if not self._connected.done() and not self._disconnected.done():
            self._disconnected.set_exception(MqttCodeError(reason_code))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)


@asynccontextmanager
async def _connected(link: Link, identity: str, clean: bool) -> AsyncIterator[_Session]:
    """A connection that breaks rather than mends itself. Raises SourceError."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = 2 * BATCH
    properties.SessionExpiryInterval = 0 if clean else _REMEMBERED
    client = _Session(
        link.host,
        link.port,
        username=link.user,
        password=link.password.reveal() if link.password else None,
        identifier=identity,
        protocol=ProtocolVersion.V5,
        clean_start=clean,
        properties=properties,
        tls_context=link.tls,
        keepalive=20,
        timeout=JOINING,
    )
    try:
        await client.join()
        yield client
    except MqttConnectError as error:
        code = error.rc.value if isinstance(error.rc, ReasonCode) else error.rc
        if code in (_LOGIN, _REFUSED, _BANNED):
            raise SourceError("denied", "The source refused the hub's credential.", detail=f"code {code}") from None
        if code == _VERSION:
            raise refused("The source does not speak MQTT 5.") from None
        raise SourceError("down", "The source does not take connections now.", detail=f"code {code}", untouched=True) from None
    except MqttCodeError as error:
        if isinstance(error.rc, ReasonCode) and error.rc.value == _PROTOCOL:
            raise SourceError("broken", "The source does not speak MQTT.", detail=f"code {_PROTOCOL}") from None
        raise SourceError("down", "The source cut the connection.", detail=type(error).__name__) from None
    except MqttError as error:
        if "timed out" in str(error):
            raise SourceError("slow", "The source did not answer in time.") from None
        if client.reached:
            raise SourceError("down", "The source cut the connection.", detail=type(error).__name__) from None
        raise SourceError("down", "The source cannot be reached.", detail=type(error).__name__, untouched=True) from None
    finally:
        client.leave()
