"""The one way in which properties ask the real engine, and the one way in which they compare its answers with the oracle's."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError, parse

from auth.access import Rows
from hub.oracle import Oracle
from hub.oracle.pages import cursor, place_of
from hub.oracle.values import Fault
from hub.run.cursors import Cursors, ListName, NoCursor
from hub.run.engine import Engine
from hub.run.sources import Sources
from tests.memory import Faults
from tests.properties.generator import Case
from tests.properties.operations import Operation
from tests.worlds import World


class StillClock:
    """A clock that stands still: no answer can be late. ``sleep`` lets others run."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class OpenCursors(Cursors):
    """The oracle's cursors in the engine's place, so that answers compare as they are. The sealed ones have tests of their own."""

    def write(self, name: ListName, place: Sequence[Any]) -> str:
        return cursor(tuple(place))

    def read(self, name: ListName, cursor: str, width: int) -> tuple[Any, ...]:
        try:
            return place_of(cursor, width)
        except Fault as fault:
            raise NoCursor(fault.code) from None


@dataclass(frozen=True, slots=True)
class Answer:
    """``errors`` counts (path, code) pairs, since their order is free."""

    data: Any
    errors: Counter[tuple[tuple[str | int, ...], str]]

    @property
    def text(self) -> str:
        """The data as JSON, in which the order of keys counts as well."""
        return json.dumps(self.data, ensure_ascii=False)

    def codes(self) -> set[str]:
        return {code for _, code in self.errors}


def engine(world: World, denied: frozenset[str] = frozenset()) -> Engine:
    """An engine over ``world`` for callers who may see all but ``denied``."""
    sources = Sources(world.registry.systems, world.connectors, StillClock())
    return Engine(world.schema, world.registry, sources, policy=lambda principal, rows: denied, cursors=OpenCursors())


async def run_engine(
    world: World, text: str, variables: Mapping[str, Any], denied: frozenset[str] = frozenset(), rules: Rows | None = None
) -> Answer:
    """What planner and executor answer."""
    asked = engine(world)
    document = asked.parse(text)
    assert not document.errors, (document.errors, text)
    result = await asked.run(document, variables, denied=denied, rows=rules)
    return Answer(result.data, _counted(result.errors))


async def run_oracle(
    world: World, text: str, variables: Mapping[str, Any], denied: frozenset[str] = frozenset(), rules: Rows | None = None
) -> Answer:
    """What the answer ought to be."""
    result = await Oracle(world.schema, world.registry, world.connectors).execute(parse(text), variables, denied=denied, rows=rules)
    return Answer(result.data, _counted(result.errors))


def _counted(errors: list[GraphQLError] | None) -> Counter[tuple[tuple[str | int, ...], str]]:
    return Counter((tuple(error.path or ()), str((error.extensions or {}).get("code"))) for error in errors or ())


async def both(case: Case, *, operation: Operation | None = None) -> tuple[Answer, Answer]:
    """The engine's answer and the oracle's, each from a world of its own."""
    asked = operation or case.operation
    found = await run_engine(case.build(), asked.text, asked.variables, case.denied, case.rules)
    return found, await run_oracle(case.build(), asked.text, asked.variables, case.denied, case.rules)


async def told(case: Case, *answers: Answer) -> str:
    """A failing case for people: the question, what is odd about the world, and the answers."""
    asked = case.operation
    odd = {name: faults for name, faults in case.faults.items() if faults != Faults(shuffled=faults.shuffled)}
    lines = [
        repr(case),
        asked.text,
        f"variables {dict(asked.variables)}",
        f"denied {sorted(case.denied)}",
        f"rules {case.rules}",
        f"faults {odd}",
    ]
    for answer in answers:
        lines += [answer.text, *(f"  {code} at {'.'.join(map(str, path))}" for path, code in sorted(answer.errors, key=str))]
    return "\n".join([*lines, case.sdl])
