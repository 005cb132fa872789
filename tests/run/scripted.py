"""A system that does what its script says, one word a call, under a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.spi import Ask, Call, Catalog, Connector, Options, Page, Plan, Relation, SourceError
from hub.recorder import Recorder
from hub.run.sources import Sources
from schema.registry import Limits, System
from tests.virtual import LoopClock

THINGS = Relation("things", ())


@dataclass(slots=True)
class Began:
    """When each call reached the system."""

    times: list[float] = field(default_factory=list)


class Script(Connector):
    """``ok``, ``hang``, ``late`` (an answer after a second), ``bug`` or a SourceError's kind; then ``after``."""

    kind = "script"
    Settings = object

    def __init__(self, *words: str, after: str = "ok", retry_after: float | None = None) -> None:
        super().__init__(None)
        self.words = list(words)
        self.after = after
        self.retry_after = retry_after
        self.began = Began()

    async def describe(self) -> Catalog:
        return Catalog(())

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        self.began.times.append(asyncio.get_running_loop().time())
        word = self.words.pop(0) if self.words else self.after
        if word == "hang":
            await asyncio.sleep(1e6)
        if word == "late":
            await asyncio.sleep(1.0)
        elif word == "bug":
            raise ZeroDivisionError("secret detail")
        elif word != "ok":
            raise SourceError(word, "no", source="s", retry_after=self.retry_after)  # type: ignore[arg-type]
        yield Page({}, 0)


def sources(connector: Script, **limits: Any) -> tuple[Sources, Recorder, Began]:
    """One system ``s`` over a scripted connector; what called it, and when."""
    recorder = Recorder()
    options: Mapping[str, Any] = {"retries": 0, **limits}
    system = System("s", "", "", "script", Options(), limits=Limits(**options))
    return Sources({"s": system}, {"s": connector}, LoopClock(), recorder), recorder, connector.began


async def fetch(asked: Sources, deadline: float | None = None, caller: str = "", relation: Relation = THINGS) -> list[Page]:
    plan = asked.plan("s", Ask(relation.name), relation)
    return await asked.pages("s", plan, Call(deadline=deadline), caller)
