"""The one way in which properties ask the real engine, and the one way in which they compare its answers with the oracle's."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from graphql import ExecutionResult, GraphQLSchema

from auth.access import Rows
from hub.oracle import Oracle
from hub.oracle.pages import cursor, place_of
from hub.oracle.values import Fault
from hub.run.cursors import Cursors, ListName, NoCursor
from hub.run.documents import Document
from hub.run.engine import Engine
from hub.run.sources import Sources
from tests.memory import Faults, Received
from tests.properties.generator import Case
from tests.properties.operations import judged_document
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
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The data as JSON, in which the order of keys counts as well."""
        return json.dumps(self.data, ensure_ascii=False)

    def codes(self) -> set[str]:
        return {code for _, code in self.errors}


def engine(world: World, denied: frozenset[str] = frozenset(), rules: Rows | None = None) -> Engine:
    """An engine over ``world`` for callers who may see all but ``denied``. Like the real policy it knows no more than what it is asked."""
    sources = Sources(world.registry.systems, world.connectors, StillClock())
    return Engine(
        world.schema,
        world.registry,
        sources,
        policy=lambda principal, rows: denied.intersection(row.name for row in rows),
        rows=lambda principal: rules or {},
        cursors=OpenCursors(),
    )


def document(schema: GraphQLSchema, text: str) -> Document:
    """``text`` parsed and validated, which costs more than answering it does."""
    made = judged_document(schema, text)
    assert not made.errors, (made.errors, text)
    return made


async def run_engine(
    world: World, text: str, variables: Mapping[str, Any], denied: frozenset[str] = frozenset(), rules: Rows | None = None
) -> Answer:
    """What planner and executor answer."""
    return answer_of(await engine(world).run(document(world.schema, text), variables, denied=denied, rows=rules))


async def run_oracle(
    world: World, text: str, variables: Mapping[str, Any], denied: frozenset[str] = frozenset(), rules: Rows | None = None
) -> Answer:
    """What the answer ought to be."""
    return answer_of(
        await Oracle(world.schema, world.registry, world.connectors).execute(
            document(world.schema, text).tree or text, variables, denied=denied, rows=rules
        )
    )


def answer_of(result: ExecutionResult) -> Answer:
    errors = Counter((tuple(error.path or ()), str((error.extensions or {}).get("code"))) for error in result.errors or ())
    return Answer(result.data, errors, dict(result.extensions or {}))


@dataclass(frozen=True, slots=True)
class Ran:
    """The engine's answer to a case, the calls that it made, in order, and its plan as text."""

    answer: Answer
    received: tuple[Received, ...]
    plan: str


_memory: ContextVar[dict[Any, tuple[Case, Any]] | None] = ContextVar("memory", default=None)


@contextmanager
def remembered() -> Iterator[None]:
    """Within it a case that is asked again is not run again: all checks of one case share their runs."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def _key(what: str, case: Case) -> Any:
    return (what, case.denied, *(id(getattr(case, part.name)) for part in fields(case) if part.name != "denied"))


async def ran(case: Case) -> Ran:
    """The engine asked the case's question in a world of its own."""
    memory = _memory.get()
    key = _key("engine", case)
    if memory is None or key not in memory:
        made = case.build()
        asked = engine(made, case.denied, case.rules)
        operation = document(made.schema, case.operation.text)
        answer = answer_of(await asked.run(operation, case.operation.variables))
        found = Ran(answer, tuple(made.received), asked.explain(operation, case.operation.variables))
        if memory is None:
            return found
        memory[key] = (case, found)  # the case as well, so that the ids in the key stay taken
    kept: Ran = memory[key][1]
    return kept


async def judged(case: Case) -> Answer:
    """The oracle asked the case's question in a world of its own."""
    memory = _memory.get()
    key = _key("oracle", case)
    if memory is None or key not in memory:
        found = await run_oracle(case.build(), case.operation.text, case.operation.variables, case.denied, case.rules)
        if memory is None:
            return found
        memory[key] = (case, found)
    kept: Answer = memory[key][1]
    return kept


async def both(case: Case) -> tuple[Answer, Answer]:
    """The engine's answer and the oracle's, each from a world of its own."""
    return (await ran(case)).answer, await judged(case)


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
