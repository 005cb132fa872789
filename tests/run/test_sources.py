"""The engine's policy towards one system: deadline, retry, concurrency, a connector's own mistakes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from connectors.spi import Ask, Call, Catalog, Connector, Options, Page, Plan, Relation, SourceError
from hub.clock import SystemClock
from hub.recorder import Recorder
from hub.run.sources import Sources
from schema.registry import Limits, System

RELATION = Relation("things", ())


class Script(Connector):
    """Does what its script says, one word a call."""

    kind = "script"
    Settings = object

    def __init__(self, *words: str) -> None:
        super().__init__(None)
        self.words = list(words)
        self.running = self.most = 0
        self.closed = 0

    async def describe(self) -> Catalog:
        return Catalog(())

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0)
            word = self.words.pop(0) if self.words else "ok"
            if word == "hang":
                await asyncio.Event().wait()
            if word == "bug":
                raise ZeroDivisionError("secret detail")
            if word != "ok":
                raise SourceError(word, "no", source="s")  # type: ignore[arg-type]
            yield Page({}, 0)
        finally:
            self.running -= 1

    async def close(self) -> None:
        self.closed += 1


def sources(connector: Connector, **limits: float) -> tuple[Sources, Recorder]:
    recorder = Recorder()
    system = System("s", "", "", "script", Options(), limits=Limits(**limits))  # type: ignore[arg-type]
    return Sources({"s": system}, {"s": connector}, SystemClock(), recorder), recorder


async def fetch(asked: Sources, deadline: float | None = None) -> list[Page]:
    plan = asked.plan("s", Ask("things"), RELATION)
    return await asked.pages("s", plan, Call(deadline=deadline))


async def test_a_system_that_is_down_for_a_moment_is_asked_again() -> None:
    asked, recorder = sources(Script("down", "ok"), retries=1)
    await fetch(asked)
    assert [call.outcome for call in recorder.calls("s")] == ["down", "ok"]


@pytest.mark.parametrize("kind", ["broken", "denied", "invalid"])
async def test_what_asking_again_cannot_mend_is_not_asked_again(kind: str) -> None:
    asked, recorder = sources(Script(kind), retries=3)
    with pytest.raises(SourceError) as caught:
        await fetch(asked)
    assert caught.value.kind == kind
    assert len(recorder.calls()) == 1


async def test_a_system_that_hangs_is_slow_by_its_own_limit() -> None:
    asked, recorder = sources(Script("hang"), timeout=0.02)
    with pytest.raises(SourceError) as caught:
        await fetch(asked)
    assert caught.value.kind == "slow"
    assert [call.outcome for call in recorder.calls()] == ["slow"]


async def test_the_request_s_deadline_is_shorter_than_the_system_s() -> None:
    asked, _ = sources(Script("hang"), timeout=60)
    with pytest.raises(SourceError) as caught:
        await fetch(asked, deadline=SystemClock().monotonic() + 0.02)
    assert caught.value.kind == "slow"


async def test_no_more_calls_at_once_than_the_system_takes() -> None:
    connector = Script()
    asked, _ = sources(connector, concurrency=3)
    await asyncio.gather(*(fetch(asked) for _ in range(10)))
    assert connector.most == 3


async def test_a_connector_s_mistake_is_a_broken_source_without_its_detail() -> None:
    asked, _ = sources(Script("bug"))
    with pytest.raises(SourceError) as caught:
        await fetch(asked)
    assert (caught.value.kind, "secret" in caught.value.message) == ("broken", False)


async def test_closing_twice_closes_once() -> None:
    connector = Script()
    asked, _ = sources(connector)
    await asked.close()
    await asked.close()
    assert connector.closed == 1
