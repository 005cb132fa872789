"""The same stories over every protocol that has a server here: what comes twice, late or spoilt, and what if either side stops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.spi import Secret, SourceError
from connectors.streams import StreamConnector
from tests.connectors.brokers import Source, address, between, filtered, queued, subject
from tests.connectors.loopback import nobody
from tests.connectors.messages import body, connected, heard, permits, rows, until

FILES = ("first", "second")  # where the hubs of a test keep what they know
Opened = Callable[[str, Path], AbstractAsyncContextManager[Source]]


@asynccontextmanager
async def over_nats(url: str, folder: Path) -> AsyncIterator[Source]:
    async with subject(url) as found:
        yield found


@asynccontextmanager
async def over_mqtt(url: str, folder: Path) -> AsyncIterator[Source]:
    async with filtered(url, *(folder / name for name in FILES)) as found:
        yield found


@asynccontextmanager
async def over_amqp(url: str, folder: Path) -> AsyncIterator[Source]:
    async with queued(url) as found:
        yield found


PROTOCOLS: dict[str, tuple[str, Opened]] = {
    "nats": ("HUB_TEST_NATS", over_nats),
    "mqtt": ("HUB_TEST_MQTT", over_mqtt),
    "amqp": ("HUB_TEST_AMQP", over_amqp),
}


class Stage:
    """One protocol's broker, and ``source`` of a test's messages there."""

    def __init__(self, scheme: str, url: str, source: Source, folder: Path) -> None:
        self.url = url
        self.scheme = scheme
        self.source = source
        self._folder = folder

    def hub(self, *asked: Any, port: int = 0, keeps: str = FILES[0], **words: Any) -> AbstractAsyncContextManager[StreamConnector]:
        """A hub that has joined; at ``port``, if that is not the broker's own."""
        url = f"{self.scheme}://127.0.0.1:{port}" if port else self.url
        return connected(url, self._folder / keeps if keeps else None, *asked, **words)


@pytest.fixture(params=PROTOCOLS)
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    variable, opened = PROTOCOLS[request.param]
    url = address(variable)
    place = url.replace("guest@", "")
    async with opened(url, tmp_path) as source:
        yield Stage(request.param, place, source, tmp_path)


async def joined(connector: StreamConnector) -> None:
    """Until the broker will bring what is published from now on."""

    async def there() -> bool:
        states = await connector.states()
        return bool(states) and all(state.joined for state in states)

    await until(there)


async def test_a_hub_that_comes_back_goes_on_without_loss_or_repetition(stage: Stage) -> None:
    asked = permits(stage.source.path)
    async with stage.hub(asked) as connector:
        await joined(connector)
        await stage.source.publish(body("A", "new"), body("B"))
        await heard(connector, asked, applied=2)
    await stage.source.publish(body("A", "granted"), body("C"), body("A", "revoked"))
    async with stage.hub(asked) as connector:
        await heard(connector, asked, applied=5, repeated=0, missed=0, dead=0)
        assert await rows(connector, asked) == {"A": "revoked", "B": "ok", "C": "ok"}


async def test_what_was_stored_and_not_yet_acknowledged_comes_again_and_is_no_news(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub dies between its commit and the word to the broker."""
    from connectors.streams.keeper import Keeper
    from connectors.streams.messages import Batch

    take = Keeper._take

    async def dies(self: Keeper, batch: Batch) -> None:
        if batch.messages:
            await self._do(lambda: self._store.apply(self.kept, batch, 0.0))
            raise SourceError("down", "The hub dies.")
        await take(self, batch)

    asked = permits(stage.source.path)
    with monkeypatch.context() as patched:
        patched.setattr(Keeper, "_take", dies)
        async with stage.hub(asked) as connector:
            await joined(connector)
            await stage.source.publish(body("A", "new"))
            await heard(connector, asked, applied=1)
    async with stage.hub(asked) as connector:
        await joined(connector)
        await stage.source.publish(body("B"))
        await heard(connector, asked, applied=2)
        assert await rows(connector, asked) == {"A": "new", "B": "ok"}


async def test_a_message_that_comes_twice_is_applied_once(stage: Stage) -> None:
    asked = permits(stage.source.path)
    async with stage.hub(asked) as connector:
        await joined(connector)
        await stage.source.publish(body("A", "new"), body("A", "new"), body("B"))
        await heard(connector, asked, applied=2, repeated=1)
        assert await rows(connector, asked) == {"A": "new", "B": "ok"}


async def test_an_older_message_after_a_newer_one_is_left_out(stage: Stage) -> None:
    asked = permits(stage.source.path, order="n")
    async with stage.hub(asked) as connector:
        await joined(connector)
        await stage.source.publish(body("A", "granted", n=2), body("A", "new", n=1), body("A", "granted", n=2))
        await heard(connector, asked, applied=1, late=1, repeated=1)
        assert await rows(connector, asked) == {"A": "granted"}


async def test_a_message_that_cannot_be_taken_is_put_aside_and_the_next_one_is_read(stage: Stage) -> None:
    asked = permits(stage.source.path)
    async with stage.hub(asked) as connector:
        await joined(connector)
        await stage.source.publish(b"{not JSON", body(None), b"\xff", body("A"))
        await heard(connector, asked, applied=1, dead=3)
        assert await rows(connector, asked) == {"A": "ok"}
        assert [one.reason for one in await connector.dead(asked)] == ["NOT_UTF8", "NO_KEY", "NOT_JSON"]
    async with stage.hub(asked) as connector:
        await joined(connector)
        await stage.source.publish(body("B"))
        await heard(connector, asked, applied=2, dead=3)


async def test_a_broker_that_goes_and_comes_back_brings_what_came_in_between(stage: Stage) -> None:
    asked = permits(stage.source.path)
    async with between(stage.url) as broker, stage.hub(asked, port=broker.port) as connector:
        await joined(connector)
        await stage.source.publish(body("A", "new"))
        await heard(connector, asked, applied=1)
        assert await rows(connector, asked) == {"A": "new"}  # all that there was has been read
        broker.shut = True
        broker.cut()

        async def told() -> bool:
            found = connector.condition()
            return found is not None and found.kind == "down"

        await until(told)
        assert await rows(connector, asked) == {"A": "new"}, "what is known is still answered"
        await stage.source.publish(body("A", "granted"), body("B"))
        broker.shut = False
        await heard(connector, asked, applied=3, repeated=0, missed=0)
        assert await rows(connector, asked) == {"A": "granted", "B": "ok"}


@pytest.mark.parametrize("stage", ["nats", "mqtt"], indirect=True)  # a queue of AMQP is for one hub
async def test_two_hubs_do_not_take_from_a_topic_what_the_other_needs(stage: Stage) -> None:
    asked = permits(stage.source.path)
    async with stage.hub(asked) as one, stage.hub(asked, keeps=FILES[1]) as other:
        await joined(one)
        await joined(other)
        await stage.source.publish(body("A"), body("B"))
        for connector in (one, other):
            await heard(connector, asked, applied=2)


async def test_many_messages_arrive_all_of_them(stage: Stage) -> None:
    asked = permits(stage.source.path)
    async with stage.hub(asked) as connector:
        await joined(connector)
        await stage.source.publish(*(body(f"K{at % 50}", str(at)) for at in range(700)))
        await heard(connector, asked, applied=700, repeated=0)
        assert (await rows(connector, asked))["K49"] == "699"


async def test_a_wrong_address_says_neither_where_nor_with_which_credential(stage: Stage) -> None:
    asked = permits(stage.source.path)
    auth = {"kind": "BASIC", "user": "hub", "secret": Secret("stream-secret-4711")}
    async with stage.hub(asked, port=nobody(), auth=auth) as connector:
        with pytest.raises(SourceError, match="cannot be reached") as caught:
            await rows(connector, asked)
        assert (caught.value.kind, caught.value.untouched) == ("down", True)
        assert "127.0.0.1" not in f"{caught.value} {caught.value.detail}"
        assert "4711" not in f"{caught.value} {caught.value.detail}"


async def test_one_who_takes_connections_and_says_nothing_is_slow(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"connectors.streams.{stage.scheme}.JOINING", 1.0)
    asked = permits(stage.source.path)
    async with between(stage.url) as broker:
        broker.silent = True
        async with stage.hub(asked, port=broker.port) as connector:
            with pytest.raises(SourceError) as caught:
                await rows(connector, asked)
            assert caught.value.kind == "slow"
