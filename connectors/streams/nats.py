"""NATS JetStream: a consumer of its own from the sequence after the last one kept. ``path`` is a subject, ``*`` and ``>`` included.

The server keeps no place for the hub: the sequence lies in the hub's store, and a stream made anew is told by its time of creation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error, NoServersError, ProtocolError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

from connectors.settings import refused
from connectors.spi import SourceError
from connectors.streams.link import BATCH, JOINING, Link
from connectors.streams.messages import Batch, Message, Position, Words

_LINGER = 30.0  # seconds of one request for messages; the next one follows
_FORGOTTEN = 120.0  # seconds after which the server drops a consumer that nobody asks


async def topics(link: Link) -> list[str]:
    """Subjects of all streams."""
    async with _connected(link) as client:
        found = await client.jetstream(timeout=JOINING).streams_info()
        return [subject for stream in found for subject in stream.config.subjects or ()]


async def watch(link: Link, words: Words, identity: str, durable: bool, position: Position) -> AsyncIterator[Batch]:
    async with _connected(link) as client:
        stream = client.jetstream(timeout=JOINING)
        try:
            name = await stream.find_stream_name_by_subject(words.path)
        except NotFoundError:
            raise refused("No stream of the source holds this subject.", words.path) from None
        info = await stream.stream_info(name)
        origin = f"{name} {info.created}"
        last = position.sequences.get("", 0) if position.origin == origin else 0
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=last + 1,
            ack_policy=AckPolicy.EXPLICIT,
            max_ack_pending=2 * BATCH,
            inactive_threshold=_FORGOTTEN,
            filter_subject=words.path,
        )
        pulled = await stream.pull_subscribe(words.path, stream=name, config=config)
        waiting = (await pulled.consumer_info()).num_pending or 0
        missed = bool(last) and info.state.first_seq > last + 1
        yield Batch(origin=origin, current=not waiting, missed=missed)
        while True:
            try:
                messages = await pulled.fetch(BATCH, timeout=_LINGER)
            except TimeoutError:
                continue
            waiting = messages[-1].metadata.num_pending

            async def done(taken: list[Msg] = messages) -> None:
                for message in taken:
                    await message.ack()

            yield Batch([_message(one) for one in messages], done, origin, current=not waiting)


def _message(message: Msg) -> Message:
    place = message.metadata
    return Message(message.data, message.subject, place.sequence.stream, at=place.timestamp.timestamp())


@asynccontextmanager
async def _connected(link: Link) -> AsyncIterator[Client]:
    """A connection that breaks rather than mends itself: the keeper knows where to go on. Raises SourceError."""
    options: dict[str, Any] = {
        "user": link.user,
        "password": link.password.reveal() if link.password else None,
        "token": link.token.reveal() if link.token else None,
        "tls": link.tls,
    }

    async def unheard(error: Exception) -> None:
        """Errors come out where they are waited for."""

    client = Client()
    try:
        await client.connect(
            [f"nats://{link.host}:{link.port}"],
            allow_reconnect=False,
            connect_timeout=int(JOINING),
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            ping_interval=20,
            error_cb=unheard,
            **{name: value for name, value in options.items() if value is not None},
        )
        yield client
    except TimeoutError:
        raise SourceError("slow", "The source did not answer in time.") from None
    except (NoServersError, OSError) as error:
        if isinstance(client.last_error, TimeoutError):
            raise SourceError("slow", "The source did not answer in time.") from None
        raise SourceError("down", "The source cannot be reached.", detail=type(error).__name__, untouched=True) from None
    except ServiceUnavailableError:
        raise refused("The source has no JetStream.") from None
    except APIError as error:
        raise SourceError("invalid", "The source did not accept the request.", detail=f"code {error.code} {error.err_code}") from None
    except Error as error:
        said = str(error).lower()
        if "authorization" in said or "authentication" in said:
            raise SourceError("denied", "The source refused the hub's credential.", detail=type(error).__name__) from None
        if "info" in said or isinstance(error, ProtocolError):
            raise SourceError("broken", "The source does not speak NATS.", detail=type(error).__name__) from None
        raise SourceError("down", "The source cut the connection.", detail=type(error).__name__) from None
    finally:
        await client.close()
