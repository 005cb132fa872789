"""Subscriptions in the engine: each event is answered like a query about its row, by rights that are looked at anew, over a shared feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from auth.errors import BadToken
from auth.principal import Audience, Principal
from connectors.spi import SourceError
from hub.answer import Answer
from hub.run.engine import Engine
from hub.run.feeds import TRIES, Feeds, Happened, Subscriber
from hub.run.sources import Sources
from tests.bound import feed, lookup
from tests.worlds import World, world

SDL = """type Query { firm(uscc: ID!): Firm }  type Firm { uscc: ID! name: String status: String grade: String }
type Subscription { changed(uscc: [ID!], district: String): Firm }"""
CHANGED = "Subscription.changed"
APP = Principal("app", Audience.APP)


class QuickClock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def there() -> World:
    bindings = [
        feed("gazette", CHANGED, "Firm", {"uscc": "code", "status": "zt"}, args={"district": "qx"}, narrows={"uscc": "uscc"}),
        lookup("register", "Firm", "uscc", {"uscc": "code", "name": "mc", "status": "zt"}, anchor=True),
        lookup("credit", "Firm", "uscc", {"uscc": "code", "grade": "dj"}),
    ]
    rows = {
        "register": {"Firm": [{"code": code, "mc": f"企业{code}", "zt": "旧"} for code in "ABC"]},
        "credit": {"Firm": [{"code": "A", "dj": "优"}]},
    }
    return world(SDL, bindings, rows, keys={"Firm": ["uscc"]}, roots={"Query.firm": ("Firm", {"uscc": "uscc"})})


def engine(made: World, **options: Any) -> Engine:
    return Engine(made.schema, made.registry, Sources(made.registry.systems, made.connectors, QuickClock()), **options)


async def always() -> Principal:
    return APP


def subscribe(asked: Engine, text: str, *, who: Any = always, variables: Mapping[str, Any] | None = None) -> AsyncGenerator[Answer, None]:
    return asked.subscribe(asked.parse(text), who=who, variables=variables, request_id="r")


def data(answer: Answer) -> Any:
    return orjson.loads(answer.body)["data"]


async def test_an_event_is_the_root_row_and_the_rest_comes_from_the_systems_that_have_it() -> None:
    """Case 37: Event stream subscription with planned fields; the event's own columns win."""
    made = there()
    made.systems["gazette"].publish(CHANGED, {"code": "A", "zt": "新"}, {"code": "B", "zt": "新"})
    asked = engine(made)
    answers = subscribe(asked, "subscription { changed { uscc status name grade } }")
    assert data(await anext(answers)) == {"changed": {"uscc": "A", "status": "新", "name": "企业A", "grade": "优"}}
    second = await anext(answers)
    assert data(second) == {"changed": {"uscc": "B", "status": "新", "name": "企业B", "grade": None}}
    assert (second.kind, second.systems, second.executed) == ("subscription", ("credit", "register"), True)
    await answers.aclose()
    assert made.systems["gazette"].listeners == 0


async def test_arguments_choose_among_the_events_or_go_to_the_source() -> None:
    made = there()
    made.systems["gazette"].publish(CHANGED, *({"code": code} for code in "ABCA"))
    asked = engine(made)
    text = 'subscription ($u: [ID!]) { changed(uscc: $u, district: "330106") { uscc } }'
    answers = subscribe(asked, text, variables={"u": ["C", "A"]})
    assert [data(await anext(answers))["changed"]["uscc"] for _ in range(3)] == ["A", "C", "A"]
    assert [call.params for call in made.calls("gazette")] == [(("qx", "330106"),)]
    await answers.aclose()


async def test_rights_that_end_between_two_events_end_the_subscription() -> None:
    """Case 37: Event stream subscription with planned fields; the agreement is revoked between events."""
    made = there()
    made.systems["gazette"].publish(CHANGED, {"code": "A"}, {"code": "B"})
    rights = [APP, APP]

    async def who() -> Principal:
        if not rights:
            raise BadToken("the client is switched off")
        return rights.pop()

    answers = [answer async for answer in subscribe(engine(made), "subscription { changed { uscc } }", who=who)]
    assert [answer.executed for answer in answers] == [True, False]
    assert answers[-1].codes == ("UNAUTHENTICATED",)
    assert "data" not in orjson.loads(answers[-1].body)


async def test_a_field_that_may_no_longer_be_seen_is_forbidden_from_the_next_event_on() -> None:
    made = there()
    made.systems["gazette"].publish(CHANGED, {"code": "A"}, {"code": "A"}, {"code": "A"})
    denied = iter([(), (), ("Firm.name",), (CHANGED,)])
    asked = engine(made)
    asked.mask = lambda ready, principal: now  # type: ignore[method-assign]
    now: frozenset[str] = frozenset()

    async def who() -> Principal:
        nonlocal now
        now = frozenset(next(denied))
        return APP

    answers = [answer async for answer in subscribe(asked, "subscription { changed { name } }", who=who)]
    assert [answer.codes for answer in answers] == [(), ("FORBIDDEN",), ("FORBIDDEN",)]
    assert data(answers[1]) == {"changed": {"name": None}}
    assert not answers[2].executed
    assert len(made.calls("register")) == 1


async def test_choosing_by_what_one_may_not_see_is_forbidden_and_nothing_is_connected() -> None:
    made = there()
    asked = engine(made, policy=lambda who, rows: frozenset({"Firm.uscc"} & {row.name for row in rows}))
    [answer] = [answer async for answer in subscribe(asked, 'subscription { changed(uscc: "A") { status } }')]
    assert answer.codes == ("FORBIDDEN",)
    assert made.received == []


async def test_all_subscribers_of_a_feed_share_one_connection_and_the_last_one_closes_it() -> None:
    made = there()
    asked = engine(made)
    answers = [subscribe(asked, text) for text in ("subscription { changed { uscc } }", "subscription { changed { status } }")]
    first = [asyncio.ensure_future(anext(one)) for one in answers]
    await asyncio.sleep(0)
    made.systems["gazette"].publish(CHANGED, {"code": "A", "zt": "新"})
    assert [data(await one) for one in first] == [{"changed": {"uscc": "A"}}, {"changed": {"status": "新"}}]
    assert len(made.calls("gazette")) == 1
    await answers[0].aclose()
    assert made.systems["gazette"].listeners == 1
    await answers[1].aclose()
    assert (made.systems["gazette"].listeners, asked.feeds.open) == (0, 0)


async def test_who_is_slow_is_ended_and_hurts_nobody_else() -> None:
    made = there()
    asked = engine(made)
    asked.feeds = Feeds(asked.sources, queue=3)
    quick, slow = subscribe(asked, "subscription { changed { uscc } }"), subscribe(asked, "subscription { changed { uscc } }")
    waiting = asyncio.ensure_future(anext(quick)), asyncio.ensure_future(anext(slow))
    for at, code in enumerate("ABCABCAB"):
        made.systems["gazette"].publish(CHANGED, {"code": code})
        if at == 0:
            await asyncio.gather(*waiting)
        else:
            assert data(await anext(quick)) == {"changed": {"uscc": code}}
    left = [answer async for answer in slow]
    assert [answer.codes for answer in left] == [("TOO_SLOW",)]
    made.systems["gazette"].publish(CHANGED, {"code": "C"})
    assert data(await anext(quick)) == {"changed": {"uscc": "C"}}
    await quick.aclose()


async def test_a_broken_connection_is_made_anew_where_it_broke_with_longer_and_longer_pauses() -> None:
    made = there()
    lost = SourceError("down", "cut")
    made.systems["gazette"].publish(CHANGED, {"code": "A"}, lost, lost, lost, {"code": "B"})
    asked = engine(made)
    answers = subscribe(asked, "subscription { changed { uscc } }")
    assert [data(await anext(answers))["changed"]["uscc"] for _ in "AB"] == ["A", "B"]
    pauses = asked.sources.clock.slept  # type: ignore[attr-defined]
    assert len(pauses) == 3
    assert all(low <= pause <= 3 * low for pause, low in zip(pauses, (0.25, 0.5, 1.0), strict=True))
    await answers.aclose()


@pytest.mark.parametrize(("kind", "code", "tries"), [("down", "SYSTEM_DOWN", TRIES), ("denied", "SYSTEM_DENIED", 1)])
async def test_a_feed_that_cannot_be_had_is_told(kind: Any, code: str, tries: int) -> None:
    made = there()
    made.systems["gazette"].publish(CHANGED, *[SourceError(kind, "as told")] * (TRIES + 1))
    [answer] = [answer async for answer in subscribe(engine(made), "subscription { changed { uscc } }")]
    assert (answer.codes, answer.executed, len(made.calls("gazette"))) == ((code,), False, tries)


async def test_a_system_without_feeds_is_told_to_be_set_up_wrongly() -> None:
    made = there()
    asked = Engine(made.schema, made.registry, Sources(made.registry.systems, {}, QuickClock()))
    [answer] = [answer async for answer in subscribe(asked, "subscription { changed { uscc } }")]
    assert answer.codes == ("SYSTEM_CONFIG",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("subscription { changed", "GRAPHQL_PARSE_FAILED"),
        ("subscription { changed { uscc } again: changed { uscc } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription ($u: [ID!]!) { changed(uscc: $u) { uscc } }", "BAD_VARIABLES"),
    ],
)
async def test_what_is_no_subscription_is_told_at_once(text: str, code: str) -> None:
    [answer] = [answer async for answer in subscribe(engine(there()), text)]
    assert (answer.codes, answer.executed) == ((code,), False)


async def test_when_the_hub_stops_every_subscription_is_told() -> None:
    asked = engine(there())
    answers = subscribe(asked, "subscription { changed { uscc } }")
    waiting = asyncio.ensure_future(anext(answers))
    await asyncio.sleep(0)
    await asked.close()
    assert (await waiting).codes == ("SHUTTING_DOWN",)
    assert [answer.codes async for answer in subscribe(asked, "subscription { changed { uscc } }")] == [("SHUTTING_DOWN",)]


async def test_a_subscriber_takes_what_waits_before_it_hears_that_there_is_no_more() -> None:
    subscriber = Subscriber(limit=10)
    subscriber.offer(Happened({"uscc": ["A"]}, 1))
    subscriber.end(None)
    subscriber.offer(Happened({"uscc": ["B"]}, 1))
    assert [happened.columns["uscc"] async for happened in subscriber] == [["A"]]
