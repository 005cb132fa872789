"""AMQP 0-9-1: what lies in a queue, taken from there. ``path`` is the queue, the path of the address the virtual host.

A message is acknowledged after it is stored, so the broker brings again whatever was not. What is only looked at goes back into the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    AuthenticationError,
    ChannelClosed,
    ChannelNotFoundEntity,
    IncompatibleProtocolError,
    ProbableAuthenticationError,
    ProtocolSyntaxError,
)
from aiormq.exceptions import ChannelAccessRefused, ConnectionNotAllowed
from pamqp.exceptions import PAMQPException

from connectors.settings import refused
from connectors.spi import SourceError
from connectors.streams.link import BATCH, JOINING, Link
from connectors.streams.messages import Batch, Message, Position, Words

_QUIET = 0.25  # seconds without a message after which the broker is asked whether the queue holds any more
_ORIGIN = "amqp"  # there are no numbers whose life could end


async def topics(link: Link) -> list[str]:
    """None: a broker does not tell what queues there are."""
    async with _connected(link):
        return []


async def watch(link: Link, words: Words, identity: str, durable: bool, position: Position) -> AsyncIterator[Batch]:
    async with _connected(link) as channel:
        queue = await channel.get_queue(words.path)
        async with aclosing(_taken(channel, queue, identity) if durable else _looked(channel, queue)) as batches:
            async for batch in batches:
                yield batch


async def _taken(channel: AbstractChannel, queue: AbstractQueue, identity: str) -> AsyncGenerator[Batch, None]:
    incoming: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
    _when_over(channel, lambda: incoming.put_nowait(None))
    # The broker says so when the queue is taken away from under its readers; the channel stays.
    (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lambda _: incoming.put_nowait(None))
    await channel.set_qos(prefetch_count=2 * BATCH)
    left = _count(queue)
    yield Batch(origin=_ORIGIN, current=not left)
    await queue.consume(incoming.put, consumer_tag=identity)
    current = not left
    while True:
        try:
            found = [await asyncio.wait_for(incoming.get(), None if current else _QUIET)]
        except TimeoutError:
            # Others take from this queue too, or what they had taken did not come back.
            current = not _count(await channel.get_queue(queue.name))
            yield Batch(origin=_ORIGIN, current=current)
            continue
        while len(found) < BATCH and not incoming.empty():
            found.append(incoming.get_nowait())
        taken = [one for one in found if one is not None]
        left -= len(taken)
        current = current or left <= 0

        async def done(last: AbstractIncomingMessage | None = taken[-1] if taken else None) -> None:
            if last is not None:
                await last.ack(multiple=True)

        if taken:
            yield Batch([_message(one) for one in taken], done, _ORIGIN, current)
        if None in found:
            return


async def _looked(channel: AbstractChannel, queue: AbstractQueue) -> AsyncGenerator[Batch, None]:
    """What lies in the queue now, once: whoever else takes from it finds it there again."""
    over = asyncio.Event()
    _when_over(channel, over.set)
    last: AbstractIncomingMessage | None = None
    try:
        found: list[AbstractIncomingMessage] = []
        for _ in range(_count(queue)):
            one = await queue.get(fail=False)
            if one is None:
                break
            last = one
            found.append(one)
            if len(found) == BATCH:
                yield Batch([_message(one) for one in found], origin=_ORIGIN)
                found = []
        yield Batch([_message(one) for one in found], origin=_ORIGIN, current=True)
    finally:
        if last is not None and not channel.is_closed:
            await last.nack(multiple=True, requeue=True)
    await over.wait()


def _count(queue: AbstractQueue) -> int:
    return queue.declaration_result.message_count or 0


def _message(message: AbstractIncomingMessage) -> Message:
    return Message(message.body, message.routing_key or "", at=message.timestamp.timestamp() if message.timestamp else None)


def _when_over(channel: AbstractChannel, call: Any) -> None:
    """``call`` when the channel is closed, by either side."""
    channel.close_callbacks.add(lambda *_: call())


class _Connection(aio_pika.Connection):
    """Closed below whatever comes. The driver would begin to close it when it is collected, without anybody to wait for that."""

    def __del__(self) -> None:
        pass


@asynccontextmanager
async def _connected(link: Link) -> AsyncIterator[AbstractChannel]:
    """A channel that breaks rather than mends itself. Without a credential the hub is guest, as everyone is. Raises SourceError."""
    connection: aio_pika.abc.AbstractConnection | None = None
    try:
        async with asyncio.timeout(JOINING):
            connection = await aio_pika.connect(
                host=link.host,
                port=link.port,
                login=link.user or "guest",
                password=link.password.reveal() if link.password else "guest",
                virtualhost=link.path or "/",
                ssl=link.tls is not None,
                ssl_context=link.tls,
                timeout=JOINING,
                connection_class=_Connection,
            )
            channel = await connection.channel(publisher_confirms=False)
        yield channel
    except TimeoutError:
        raise SourceError("slow", "The source did not answer in time.") from None
    except (AuthenticationError, ProbableAuthenticationError) as error:
        raise SourceError("denied", "The source refused the hub's credential.", detail=type(error).__name__) from None
    except (ConnectionNotAllowed, ChannelAccessRefused) as error:
        raise SourceError("denied", "The source does not let the hub read this queue.", detail=type(error).__name__) from None
    except ChannelNotFoundEntity:
        raise refused("The source has no such queue.") from None
    except ChannelClosed as error:
        raise refused("The source does not let this queue be read.", type(error).__name__) from None
    except (IncompatibleProtocolError, ProtocolSyntaxError, PAMQPException, ValueError) as error:
        if "Connection.Close" in str(error):  # what the driver makes of a virtual host that is not there or not for the hub
            raise SourceError("denied", "The source does not let the hub in.", detail="virtual host") from None
        raise SourceError("broken", "The source does not speak AMQP.", detail=type(error).__name__) from None
    except (AMQPError, OSError, RuntimeError) as error:
        # What begins and ends before it says that it is AMQP is something else; a broker that hangs up has not begun.
        if connection is None and isinstance(error.__cause__, asyncio.IncompleteReadError) and error.__cause__.expected != 1:
            raise SourceError("broken", "The source does not speak AMQP.", detail=type(error).__name__) from None
        if connection is None:
            raise SourceError("down", "The source cannot be reached.", detail=type(error).__name__, untouched=True) from None
        raise SourceError("down", "The source cut the connection.", detail=type(error).__name__) from None
    finally:
        if connection is not None:
            with suppress(AMQPConnectionError, OSError, RuntimeError):
                await connection.close()
