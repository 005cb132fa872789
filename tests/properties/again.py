"""P33: what may be served again is what would be answered anew; an earlier answer stands in only while its system is down.

Every binding of a case is kept for a minute; what each question gets is compared with a world that keeps nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from auth.principal import Audience, Principal
from connectors.spi import Call, Page, Plan, SourceError
from hub.run import cache
from hub.run.cache import Cache
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.coordinates import Grade
from tests.memory import Memory
from tests.properties.actions import mutation
from tests.properties.engine import Answer, OpenCursors, StillClock, answer_of, run_engine, run_oracle, told
from tests.properties.generator import Case
from tests.properties.kept import other_literals
from tests.properties.mistake import Planted
from tests.properties.schedules import masks
from tests.worlds import World

MINUTE, HOUR = 60.0, 3600.0


class Hand(StillClock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at


def keeping(case: Case) -> Case:
    """The same case, whose answers may all be served again."""
    return replace(case, bindings=tuple(replace(b, cache=MINUTE, stale=HOUR) if b.relation.effect == "read" else b for b in case.bindings))


def over(world: World, clock: Any = None) -> Engine:
    sources = Sources(world.registry.systems, world.connectors, clock or StillClock(), cache=Cache())
    return Engine(world.schema, world.registry, sources, cursors=OpenCursors(), timeout=2 * HOUR)


async def ask(there: Engine, case: Case, **more: Any) -> Answer:
    asked = more.pop("operation", case.operation)
    found = await there.run(there.parse(asked.text), asked.variables, denied=more.pop("denied", case.denied), rows=case.rules, **more)
    return answer_of(found)


async def same_when_served_again(case: Case) -> None:
    """Other keys, other rights and other literals before; then the question itself, twice, and the second time no system is asked."""
    case = case.calm()
    world = keeping(case).build()
    there = over(world)
    for operation, denied in (
        *((other_literals(case), denied) for denied in masks(case)[:2]),
        *((case.operation, denied) for denied in reversed(masks(case))),
    ):
        found = await ask(there, case, operation=operation, denied=denied)
        alone = await run_engine(case.build(), operation.text, operation.variables, denied, case.rules)
        assert (found.text, found.errors) == (alone.text, alone.errors), await told(case, found, alone)
        assert found.extensions == alone.extensions, await told(case, found, alone)
    count = len(world.received)
    found = await ask(there, case)
    assert world.received[count:] == [], await told(case, found)


async def callers_apart(case: Case) -> None:
    """Of systems that get the caller's own identity nobody sees what another was answered."""
    case = case.calm()
    world = keeping(case).build()
    for memory in world.systems.values():
        memory.fetch = _for_one(memory, "a")  # type: ignore[method-assign]
    systems = {name: replace(system, credential="delegated") for name, system in world.registry.systems.items()}
    registry = replace(world.registry, systems=systems)
    there = over(replace(world, registry=registry))
    for who in ("a", "b"):
        principal = Principal(who, Audience.APP, frozenset(), Grade.L4)
        found = await ask(there, case, principal=principal)
        alone = await ask(over(replace(world, registry=registry)), case, principal=principal)
        assert (found.text, found.errors) == (alone.text, alone.errors), await told(case, found, alone)


def _for_one(memory: Memory, who: str) -> Any:
    right = memory.fetch

    async def fetch(plan: Plan, call: Call) -> AsyncIterator[Page]:
        if call.principal != who:
            raise SourceError("denied", "not for you", source=memory.system)
        async for page in right(plan, call):
            yield page

    return fetch


async def stands_in_only_while_down(case: Case) -> None:
    """What has changed shows as soon as an answer's time is over; while no system answers, what was last known stands in, and says so."""
    case = replace(case.calm(), rules={})
    world, clock = keeping(case).build(), Hand()
    there = over(world, clock)
    before = await ask(there, case)
    for memory in world.systems.values():
        memory.rows = {name: rows[::2] for name, rows in memory.rows.items()}
    clock.at = MINUTE / 2
    assert (await ask(there, case)).text == before.text, await told(case, before)
    clock.at = MINUTE + 1
    found, after = await ask(there, case), await ask(over(world), case)
    assert (found.text, found.errors) == (after.text, after.errors), await told(case, found, after)
    for memory in world.systems.values():
        memory.fetch = _down(memory)  # type: ignore[method-assign]
    clock.at += MINUTE + 1
    stood = await ask(there, case)
    assert stood.errors or stood.text == after.text, await told(case, stood, after)
    if stood.text != "{}" and world.received:
        assert stood.errors or "STALE" in str(stood.extensions), await told(case, stood, after)
    clock.at += 2 * HOUR
    gone = await ask(there, case)
    alone = await ask(over(world), case)
    assert (gone.text, gone.errors) == (alone.text, alone.errors), await told(case, gone, alone)


def _down(memory: Memory) -> Any:
    def fetch(plan: Plan, call: Call) -> AsyncIterator[Page]:
        raise SourceError("down", "as told", source=memory.system)

    return fetch


async def written_is_read(base: Case) -> None:
    """After a write, what its system answered before is not served again."""
    case = mutation(base.calm())
    if case is None:
        return
    world = keeping(case).build()
    there, judged = over(world), case.build()
    for operation in (base.operation, case.operation, base.operation):
        found = await ask(there, case, operation=operation)
        right = await run_oracle(judged, operation.text, operation.variables, case.denied, case.rules)
        assert found.text == right.text, await told(case, found, right)


def _without_rest(right: Any) -> Any:
    return lambda self, system, binding, columns, rest, caller: right(self, system, binding, columns, "", caller)


def _without_caller(right: Any) -> Any:
    return lambda self, system, binding, columns, rest, caller: right(self, system, binding, columns, rest, "")


def _any_columns(right: Any) -> Any:
    return lambda self, name: (name.columns, *name.bound.shapes)


def _always_stale(right: Any) -> Any:
    return lambda self, name, keys, now, stale: right(self, name, keys, now, stale=True)


def _first_key_s_rows(right: Any) -> Any:
    def together(found: Any, now: float) -> Any:
        first = next(iter(found.values()))
        return right(dict.fromkeys(found, first), now)

    return together


AGAIN = (
    Planted("what is kept is known without its parameters", Cache, "name", _without_rest, same_when_served_again),
    Planted("what is kept is known without its caller", Cache, "name", _without_caller, callers_apart),
    Planted("an answer serves a question for more columns", Cache, "_serving", _any_columns, same_when_served_again),
    Planted("of kept rows each key gets the first one's", cache, "_together", _first_key_s_rows, same_when_served_again),
    Planted("an earlier answer stands in while its system is up", Cache, "_found", _always_stale, stands_in_only_while_down),
    Planted("a write drops nothing", Cache, "drop", lambda right: lambda self, system: None, written_is_read),
)
