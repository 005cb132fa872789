"""Streams over a real NATS server: what is kept, what is counted, and where a hub that comes back goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.feeds import News
from connectors.spi import Ask, Call, Field, Options, Order, Relation, SourceError
from connectors.streams import StreamConnector, StreamSettings
from tests.connectors.brokers import Subject, address, between, subject
from tests.connectors.loopback import nobody
from tests.connectors.messages import FIELDS, body, heard, permits, rows
from tests.connectors.messages import connected as joined


def relation(topic: str, **words: Any) -> Relation:
    return permits(f"{topic}.news", **words)


@pytest.fixture
async def topic() -> AsyncIterator[Subject]:
    async with subject(address("HUB_TEST_NATS")) as found:
        yield found


@asynccontextmanager
async def connected(folder: Path | None, *asked: Relation, url: str = "", **words: Any) -> AsyncIterator[StreamConnector]:
    async with joined(url or address("HUB_TEST_NATS"), folder, *asked, **words) as connector:
        yield connector


async def test_the_latest_value_of_each_key_is_kept(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    await topic.publish(body("A", "new"), body("B"), body("A", "granted"))
    async with connected(tmp_path, asked) as connector:
        assert await rows(connector, asked) == {"A": "granted", "B": "ok"}


async def test_a_hub_that_comes_back_goes_on_where_it_was(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    await topic.publish(body("A", "new"), body("B"))
    async with connected(tmp_path, asked) as connector:
        await heard(connector, asked, applied=2)
    await topic.publish(body("A", "granted"), body("C"))
    async with connected(tmp_path, asked) as connector:
        assert await rows(connector, asked) == {"A": "granted", "B": "ok", "C": "ok"}
        await heard(connector, asked, applied=4, repeated=0)


async def test_what_is_kept_answers_while_nobody_is_there(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    await topic.publish(body("A"))
    async with connected(tmp_path, asked) as connector:
        await heard(connector, asked, applied=1)
    async with connected(tmp_path, asked, url=f"nats://127.0.0.1:{nobody()}") as connector:
        assert await rows(connector, asked) == {"A": "ok"}
        [state] = await connector.states()
        assert (state.joined, state.fault and state.fault.kind) == (False, "down")
        assert state.heard is not None, "how old it is can be told"
        condition = connector.condition()
        assert condition is not None, "and health shows it"
        assert condition.kind == "down"


async def test_what_was_never_there_is_down(tmp_path: Path) -> None:
    asked = relation("nothing")
    async with connected(tmp_path, asked, url=f"nats://127.0.0.1:{nobody()}") as connector:
        with pytest.raises(SourceError, match="cannot be reached") as caught:
            await rows(connector, asked)
        assert caught.value.kind == "down"


async def test_a_connection_that_breaks_is_made_again(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    async with between(address("HUB_TEST_NATS")) as broker:
        async with connected(tmp_path, asked, url=f"nats://127.0.0.1:{broker.port}") as connector:
            await topic.publish(body("A", "new"))
            await heard(connector, asked, applied=1)
            broker.cut()
            await topic.publish(body("A", "granted"))
            await heard(connector, asked, applied=2, repeated=0)
            assert await rows(connector, asked) == {"A": "granted"}
            assert connector.condition() is None
        assert broker.joined == 2


async def test_a_stream_made_anew_is_read_from_its_beginning(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    await topic.publish(body("A"), body("B"))
    async with connected(tmp_path, asked) as connector:
        await heard(connector, asked, applied=2)
    await topic.stream.delete_stream(topic.name)
    await topic.stream.add_stream(name=topic.name, subjects=[f"{topic.name}.>"])
    await topic.publish(body("C"))
    async with connected(tmp_path, asked) as connector:
        assert await rows(connector, asked) == {"A": "ok", "B": "ok", "C": "ok"}


async def test_what_the_stream_no_longer_holds_is_told(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    await topic.publish(body("A"))
    async with connected(tmp_path, asked) as connector:
        await heard(connector, asked, applied=1)
    await topic.publish(body("B"), body("C"))
    await topic.stream.purge_stream(topic.name, keep=1)
    async with connected(tmp_path, asked) as connector:
        await heard(connector, asked, applied=2, missed=1)
        assert await rows(connector, asked) == {"A": "ok", "C": "ok"}


async def test_so_many_keys_are_kept_the_newest(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    await topic.publish(body("A"), body("B"), body("C"), body("A", "again"))
    async with connected(tmp_path, asked, keep={"count": 2}) as connector:
        assert await rows(connector, asked) == {"C": "ok", "A": "again"}


async def test_what_was_not_heard_of_for_long_is_gone(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    await topic.publish(body("A"))
    for later, kept in ((0.0, {"A": "ok"}), (7200.0, {})):
        async with connected(tmp_path, asked, keep={"age": 3600.0}, now=lambda later=later: time.time() + later) as connector:
            assert await rows(connector, asked) == kept


async def test_a_message_takes_its_row_away(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name, deleted="zt == 'revoked'", order="n")
    await topic.publish(body("A", n=1), body("B", n=1), body("A", "revoked", n=3), body("A", "late", n=2))
    async with connected(tmp_path, asked) as connector:
        assert await rows(connector, asked) == {"B": "ok"}
        await heard(connector, asked, late=1, applied=3)


async def test_a_row_shows_the_subject_it_came_by(topic: Subject, tmp_path: Path) -> None:
    fields = (Field("id", "_topic[1]", nullable=False), Field("state", "zt"))
    native = Options({"path": f"{topic.name}.*", "type": "Station", "key": ("_topic[1]",)})
    asked = Relation("stations", fields, native, keys=("id",), max_keys=10)
    await topic.publish(b'{"zt": "rain"}', to="S1")
    await topic.publish(b'{"zt": "sun"}', to="S2")
    async with connected(tmp_path, asked) as connector:
        assert await rows(connector, asked) == {"S1": "rain", "S2": "sun"}


async def test_a_manifest_that_reads_the_messages_otherwise_reads_what_is_kept(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    await topic.publish(body("A", zt2="other", dj=7), body("B", zt2="other", dj="x1"))
    async with connected(tmp_path, replace(asked, fields=FIELDS[:2])) as connector:
        await heard(connector, asked, applied=2)
    changed = replace(asked, fields=(FIELDS[0], Field("state", "zt2"), FIELDS[2]))
    async with connected(tmp_path, changed) as connector:
        assert await rows(connector, changed) == {"A": "other"}
        [dead] = await connector.dead(changed)
        assert (dead.reason, dead.place) == ("WRONG_TYPE", "dj")


async def test_without_a_folder_nothing_lasts(topic: Subject) -> None:
    asked = relation(topic.name)
    await topic.publish(body("A"))
    async with connected(None, asked) as connector:
        assert await rows(connector, asked) == {"A": "ok"}
    async with connected(None, asked) as connector:
        await heard(connector, asked, applied=1)


async def test_it_describes_the_subjects_that_are_there(topic: Subject, tmp_path: Path) -> None:
    async with connected(tmp_path) as connector:
        assert f"{topic.name}.>" in [one.name for one in (await connector.describe()).relations]


async def test_a_subject_that_nobody_holds_is_named_to_operators(tmp_path: Path) -> None:
    asked = relation("nobodyholdsthis")
    async with connected(tmp_path, asked) as connector:
        with pytest.raises(SourceError, match="No stream of the source holds this subject") as caught:
            await rows(connector, asked)
        assert (caught.value.kind, caught.value.detail) == ("config", "nobodyholdsthis.news")


async def test_a_feed_tells_what_changes_from_now_on(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    await topic.publish(body("A", "old"))
    async with connected(tmp_path, asked) as connector:
        feed = Follower(connector, asked)
        first = await feed.next()
        assert (first.page is not None and first.page.size) == 0
        await topic.publish(body("B", "new"), body("B", "new"), b"not JSON", body("A", "newer"))
        assert await feed.told(2) == [("B", "new"), ("A", "newer")]
        await feed.close()


async def test_a_feed_goes_on_after_the_news_it_had(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    async with connected(tmp_path, asked) as connector:
        feed = Follower(connector, asked)
        cursor = (await feed.next()).cursor
        await feed.close()
        await topic.publish(body("A"), body("B"))
        await heard(connector, asked, applied=2)
        again = Follower(connector, asked, cursor)
        assert await again.told(2) == [("A", "ok"), ("B", "ok")]
        await again.close()


async def test_one_who_falls_behind_gets_the_last_value_of_each_key(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    async with connected(tmp_path, asked) as connector:
        feed = Follower(connector, asked)
        cursor = (await feed.next()).cursor
        await feed.close()
        await asyncio.gather(*(topic.publish(*(body(key, str(i)) for i in range(300))) for key in "AB"))
        await heard(connector, asked, applied=600)
        late = Follower(connector, asked, cursor)
        assert sorted(await late.told(2)) == [("A", "299"), ("B", "299")]
        await late.close()


async def test_a_feed_breaks_while_the_stream_is_gone(topic: Subject, tmp_path: Path) -> None:
    asked = relation(topic.name)
    async with (
        between(address("HUB_TEST_NATS")) as broker,
        connected(tmp_path, asked, url=f"nats://127.0.0.1:{broker.port}") as connector,
    ):
        feed = Follower(connector, asked)
        await feed.next()
        broker.shut = True
        broker.cut()
        with pytest.raises(SourceError):
            await feed.next()
        await feed.close()


async def test_lists_are_sorted_and_cut_by_the_store(topic: Subject, tmp_path: Path) -> None:
    asked = replace(relation(topic.name), keys=(), max_keys=0, limit=True)
    await topic.publish(*(body(key) for key in "BCA"))
    async with connected(tmp_path, asked) as connector:
        plan = connector.plan(Ask("permits", ("id",), order=(Order("id", True),), limit="n"), asked)
        assert plan.rest == Ask("permits")
        [page] = [page async for page in connector.fetch(plan, Call({"n": 2}))]
        assert page.columns["id"] == ["C", "B"]
        assert plan.text == f"nats {topic.name}.news -> permits [id] order id desc limit :n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"url": "http://x"}, "has to begin with"),
        ({"url": "nats://user:password@x"}, "credentials belong into"),
        ({"url": "nats://"}, "names no host"),
        ({"url": "nats://x", "auth": {"kind": "API_KEY"}}, "needs a secret"),
        ({"url": "nats://x", "keep": {"count": 0}}, "at least 1"),
        ({"url": "nats://x", "keap": {}}, "unknown setting 'keap' .did you mean 'keep'"),
    ],
)
async def test_settings_that_make_no_sense_are_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        StreamConnector(StreamSettings.of(words))
    assert caught.value.kind == "config"


class Follower:
    """One connection to a feed."""

    def __init__(self, connector: StreamConnector, asked: Relation, after: str = "") -> None:
        plan = connector.plan(Ask(asked.name, ("id", "state")), replace(asked, keys=(), max_keys=0))
        self._news = connector.events(plan, Call(), after)

    async def next(self) -> News:
        async with asyncio.timeout(20):
            return await anext(self._news)

    async def told(self, count: int) -> list[tuple[str, str]]:
        """So many (key, state)."""
        found: list[tuple[str, str]] = []
        while len(found) < count:
            page = (await self.next()).page
            assert page is not None
            found += zip(page.columns["id"], page.columns["state"], strict=True)
        return found

    async def close(self) -> None:
        assert isinstance(self._news, AsyncGenerator)
        await self._news.aclose()
