"""What AMQP alone has: queues that are emptied, or only looked at; log-ins, virtual hosts, queues that are not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.spi import Secret, SourceError
from tests.connectors.brokers import Queue, address, own, queued
from tests.connectors.messages import body, connected, heard, permits, rows, until

URL = "HUB_TEST_AMQP"
WRONG = {"kind": "BASIC", "user": "guest", "secret": Secret("stream-secret-4711")}


def broker() -> str:
    return address(URL).replace("guest@", "")


@pytest.fixture
async def queue() -> AsyncIterator[Queue]:
    async with queued(address(URL)) as found:
        yield found


async def test_what_is_stored_is_gone_from_the_queue(queue: Queue, tmp_path: Path) -> None:
    asked = permits(queue.path)
    await queue.publish(body("A"), b"not JSON", body("B"))
    async with connected(broker(), tmp_path, asked) as connector:
        assert await rows(connector, asked) == {"A": "ok", "B": "ok"}
        await heard(connector, asked, applied=2, dead=1)
    assert await queue.waiting() == 0


async def test_a_look_leaves_everything_where_it_is(queue: Queue) -> None:
    asked = permits(queue.path)
    bodies = [body(f"K{at}") for at in range(300)]
    await queue.publish(*bodies)
    for _ in range(2):
        async with connected(broker(), None, asked) as connector:
            assert len(await rows(connector, asked)) == 300

    async def back() -> bool:
        return await queue.waiting() == 300

    await until(back)
    assert [(await queue.queue.get(no_ack=True)).body for _ in bodies] == bodies, "in their order"


async def test_what_another_took_and_gave_back_comes_too(queue: Queue, tmp_path: Path) -> None:
    asked = permits(queue.path, order="n")
    await queue.publish(body("A", "new", n=1), body("A", "granted", n=2))
    taken = await queue.queue.get()
    async with connected(broker(), tmp_path, asked) as connector:
        assert await rows(connector, asked) == {"A": "granted"}
        await taken.nack(requeue=True)
        await heard(connector, asked, applied=1, late=1)
        assert await rows(connector, asked) == {"A": "granted"}


async def test_a_queue_that_is_taken_away_is_told(queue: Queue, tmp_path: Path) -> None:
    asked = permits(queue.path)
    await queue.publish(body("A"))
    async with connected(broker(), tmp_path, asked) as connector:
        await heard(connector, asked, applied=1)
        await queue.remove()

        async def told() -> bool:
            found = connector.condition()
            return found is not None and found.kind == "config"

        await until(told)
        assert await rows(connector, asked) == {"A": "ok"}


@pytest.mark.parametrize(
    ("place", "words", "kind", "said"),
    [
        ("", {"auth": WRONG}, "denied", "refused the hub's credential"),
        ("/nosuchhost", {}, "denied", "does not let the hub in"),
        ("", {}, "config", "no such queue"),
    ],
)
async def test_what_the_broker_refuses_is_told(tmp_path: Path, place: str, words: dict[str, Any], kind: str, said: str) -> None:
    asked = permits(own())
    async with connected(broker() + place, tmp_path, asked, **words) as connector:
        with pytest.raises(SourceError, match=said) as caught:
            await rows(connector, asked)
        assert caught.value.kind == kind
        assert not {"4711", "127.0.0.1", "nosuchhost"} & {*f"{caught.value} {caught.value.detail}".split()}
