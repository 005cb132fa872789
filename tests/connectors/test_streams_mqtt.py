"""What MQTT alone has: retained messages, sessions that the broker keeps or loses, subscriptions that are shared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.spi import SourceError
from tests.connectors.brokers import Filter, address, filtered, identities
from tests.connectors.messages import body, connected, heard, permits, rows, until

KEEPS = "kept"


@pytest.fixture
async def topic(tmp_path: Path) -> AsyncIterator[Filter]:
    async with filtered(address("HUB_TEST_MQTT"), tmp_path / KEEPS) as found:
        yield found


async def test_retained_messages_are_there_at_the_first_question(topic: Filter, tmp_path: Path) -> None:
    asked = permits(f"{topic.name}/+/permit")
    for nr in "ABC":
        await topic.retain(f"{nr}/permit", body(nr))
    async with connected(address("HUB_TEST_MQTT"), tmp_path / KEEPS, asked) as connector:
        assert await rows(connector, asked) == {"A": "ok", "B": "ok", "C": "ok"}
    async with connected(address("HUB_TEST_MQTT"), tmp_path / KEEPS, asked) as connector:
        await topic.retain("D/permit", body("D"))
        await heard(connector, asked, applied=4, repeated=0)  # those of before are not sent again


async def test_a_session_that_the_broker_lost_is_told(topic: Filter, tmp_path: Path) -> None:
    asked = permits(f"{topic.name}/+/permit")
    await topic.retain("A/permit", body("A"))
    async with connected(address("HUB_TEST_MQTT"), tmp_path / KEEPS, asked) as connector:
        await heard(connector, asked, applied=1, missed=0)
    await topic.forget(*identities(tmp_path / KEEPS))
    await topic.retain("B/permit", body("B"))
    async with connected(address("HUB_TEST_MQTT"), tmp_path / KEEPS, asked) as connector:
        await heard(connector, asked, applied=2, missed=1)
        assert await rows(connector, asked) == {"A": "ok", "B": "ok"}


async def test_without_a_folder_the_broker_keeps_nothing_for_the_hub(topic: Filter) -> None:
    asked = permits(topic.path)
    async with connected(address("HUB_TEST_MQTT"), None, asked) as connector:
        await until(lambda: _joined(connector))
    await topic.publish(body("A"))
    async with connected(address("HUB_TEST_MQTT"), None, asked) as connector:
        await topic.retain("news", body("B"))
        await heard(connector, asked, applied=1)
        assert await rows(connector, asked) == {"B": "ok"}


async def test_a_look_at_a_shared_subscription_takes_nothing_from_those_who_share_it(topic: Filter) -> None:
    asked = permits(f"$share/offices/{topic.path}")
    async with topic.subscribed(f"$share/offices/{topic.path}") as other, connected(address("HUB_TEST_MQTT"), None, asked) as connector:
        await until(lambda: _joined(connector))
        await topic.publish(*(body(nr) for nr in "ABCD"))
        await heard(connector, asked, applied=4)
        assert [(await anext(other.messages)).payload for _ in "ABCD"] == [body(nr) for nr in "ABCD"]


async def test_a_filter_that_is_none_is_named_to_operators(tmp_path: Path) -> None:
    asked = permits("permits/#/news")
    async with connected(address("HUB_TEST_MQTT"), tmp_path / KEEPS, asked) as connector:
        with pytest.raises(SourceError, match="does not take this topic") as caught:
            await rows(connector, asked)
        assert (caught.value.kind, caught.value.detail) == ("config", "permits/#/news")


async def test_a_broker_tells_no_topics(tmp_path: Path) -> None:
    async with connected(address("HUB_TEST_MQTT"), tmp_path / KEEPS) as connector:
        assert (await connector.describe()).relations == ()


async def _joined(connector: object) -> bool:
    [state] = await connector.states()  # type: ignore[attr-defined]
    return bool(state.joined)
