"""Kafka: all partitions of a topic, each from the offset after the last one kept. ``path`` is the topic.

The hub joins no group and commits nothing there: the offsets lie in its store. A topic that ends before what was read of it was made anew.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    CorruptRecordException,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaProtocolError,
    KafkaTimeoutError,
    RequestTimedOutError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from connectors.settings import refused
from connectors.spi import SourceError
from connectors.streams.link import BATCH, JOINING, Link
from connectors.streams.messages import Batch, Message, Position, Words

_LINGER = 30_000  # milliseconds of one request for messages; the next one follows
_DENIED = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading begins: of each partition the next offset, and ``ends``, the offset after the last one that it holds now."""

    origin: str
    following: Mapping[int, int]
    ends: Mapping[int, int]
    missed: bool


async def topics(link: Link) -> list[str]:
    """All topics but those that Kafka keeps for itself."""
    async with _connected(link) as consumer:
        return [one for one in await consumer.topics() if not one.startswith("__")]


async def watch(link: Link, words: Words, identity: str, durable: bool, position: Position) -> AsyncIterator[Batch]:
    async with _connected(link) as consumer:
        if words.path not in await consumer.topics():
            raise refused("The source has no such topic.", words.path)
        assigned = _partitions(consumer, words.path)
        begins, ends = await consumer.beginning_offsets(assigned), await consumer.end_offsets(assigned)
        found = place(words.path, position, _numbered(begins), _numbered(ends))
        consumer.assign(assigned)
        for one in assigned:
            consumer.seek(one, found.following[one.partition])
        current = all(found.following[number] >= end for number, end in found.ends.items())
        yield Batch(origin=found.origin, current=current, missed=found.missed)
        while _partitions(consumer, words.path) == assigned:  # a topic that has grown is joined again, from where each partition is
            # What a topic holds at its end may be no message, so where the reader stands is asked, and soon.
            records = await consumer.getmany(timeout_ms=_LINGER if current else 200, max_records=BATCH)
            if not current:
                current = all([await consumer.position(one) >= found.ends[one.partition] for one in assigned])
            messages = [_message(record) for partition in assigned for record in records.get(partition, ())]
            yield Batch(messages, origin=found.origin, current=current)


def place(topic: str, position: Position, begins: Mapping[int, int], ends: Mapping[int, int]) -> Place:
    """Where to go on after ``position`` in a topic whose partitions hold the offsets from ``begins`` to before ``ends``."""
    known = {int(partition): offset + 1 for partition, offset in position.sequences.items()}
    if not position.origin.startswith(f"{topic} ") or any(following > ends.get(number, 0) for number, following in known.items()):
        return Place(f"{topic} {uuid.uuid4().hex[:12]}", begins, ends, missed=False)
    following = {number: max(begin, known.get(number, 0)) for number, begin in begins.items()}
    return Place(position.origin, following, ends, missed=any(begins[number] > known[number] for number in known))


def _partitions(consumer: Any, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]


def _numbered(offsets: Mapping[TopicPartition, int]) -> dict[int, int]:
    return {one.partition: offset for one, offset in offsets.items()}


def _message(record: ConsumerRecord) -> Message:
    return Message(record.value or b"", record.topic, record.offset, str(record.partition), record.timestamp / 1000)


@asynccontextmanager
async def _connected(link: Link) -> AsyncIterator[Any]:
    """A consumer of no group. Raises SourceError."""
    secure, login = link.tls is not None, link.user is not None
    consumer = AIOKafkaConsumer(
        bootstrap_servers=[f"{host}:{port}" for host, port in link.hosts],
        client_id="hub",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        request_timeout_ms=int(JOINING * 1000),
        security_protocol=f"SASL_{'SSL' if secure else 'PLAINTEXT'}" if login else "SSL" if secure else "PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_plain_username=link.user,
        sasl_plain_password=link.password.reveal() if link.password else None,
        ssl_context=link.tls,
    )
    try:
        await consumer.start()
        yield consumer
    except (TimeoutError, KafkaTimeoutError, RequestTimedOutError):
        raise SourceError("slow", "The source did not answer in time.") from None
    except _DENIED as error:
        raise SourceError("denied", "The source refused the hub's credential.", detail=type(error).__name__) from None
    except (KafkaConnectionError, OSError) as error:
        raise SourceError("down", "The source cannot be reached.", detail=type(error).__name__, untouched=True) from None
    except (KafkaProtocolError, CorruptRecordException) as error:
        raise SourceError("broken", "The source does not speak Kafka.", detail=type(error).__name__) from None
    except KafkaError as error:
        raise SourceError("down", "The source cut the connection.", detail=type(error).__name__) from None
    finally:
        await consumer.stop()
