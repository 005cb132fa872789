"""The properties of mutations and subscriptions; like those of ``checks``, each takes a case and raises AssertionError."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import orjson

from auth.principal import ANONYMOUS, Principal
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.registry import Limits
from tests.memory import Received
from tests.properties.actions import mutation, publish, subscription
from tests.properties.engine import Answer, OpenCursors, StillClock, engine, run_engine, run_oracle, told
from tests.properties.generator import Case
from tests.worlds import with_limits


def _writes(received: list[Received]) -> list[tuple[str, Any]]:
    return [(call.relation, call.params) for call in received if call.relation.startswith("Mutation.")]


async def in_order_and_once(base: Case) -> None:
    """P29: the same data and errors as the oracle's, and the same writes in the same order."""
    case = mutation(base)
    if case is None:
        return
    mine, naive = case.build(), case.build()
    found = await run_engine(mine, case.operation.text, case.operation.variables, case.denied)
    wanted = await run_oracle(naive, case.operation.text, case.operation.variables, case.denied)
    errors = found.errors
    if found.data is None:  # what happened to the fields before the one that emptied the data, the engine tells as well
        last = {path[:1] for path, _ in wanted.errors}
        errors = Counter({(path, code): count for (path, code), count in found.errors.items() if path[:1] in last})
    assert (found.text, errors) == (wanted.text, wanted.errors), await told(case, found, wanted)
    assert _writes(mine.received) == _writes(naive.received), await told(case, found, wanted)


async def once_under_retries(base: Case) -> None:
    """P29: reads that fail at first are tried again, and no write is ever repeated, whatever becomes of it."""
    case = mutation(base)
    if case is None:
        return
    calm, shaken = case.build(), case.build()
    shaken = replace(shaken, registry=with_limits(shaken.registry, Limits(retries=2)))
    for system in shaken.systems.values():
        for binding in case.bindings:
            if binding.system == system.system and binding.relation.effect == "read" and not system.faults.down:
                system.faults = replace(system.faults, calls={**system.faults.calls, (binding.relation.name, 0): "busy"})
    wanted = await run_engine(calm, case.operation.text, case.operation.variables, case.denied)
    sources = Sources(shaken.registry.systems, shaken.connectors, StillClock())
    asked = Engine(shaken.schema, shaken.registry, sources, cursors=OpenCursors())
    result = await asked.run(asked.parse(case.operation.text), case.operation.variables, denied=case.denied)
    if not any(system.faults.down for system in calm.systems.values()):
        assert Answer(result.data, Counter()).text == wanted.text, await told(case, wanted)
    assert _writes(shaken.received) == _writes(calm.received)


async def like_a_query(base: Case) -> None:
    """P30: the data of an event, and its errors, are those of a query that has the event's row given to it."""
    made = subscription(base)
    if made is None:
        return
    news, asked = made
    there = news.build()
    publish(there)
    listening = engine(there, news.denied)

    async def who() -> Principal:
        return ANONYMOUS

    document = listening.parse(news.operation.text)
    assert not document.errors, document.errors
    answers = listening.subscribe(document, who=who, variables=news.operation.variables)
    body = orjson.loads((await anext(answers)).body)
    await answers.aclose()
    for run in (run_engine, run_oracle):
        wanted = await run(asked.build(), asked.operation.text, asked.operation.variables, asked.denied)
        row = wanted.data["given"] and wanted.data["given"][0]
        errors = Counter((path[2:] if len(path) > 1 else (), code) for path, code in wanted.errors)
        assert body["data"]["changed"] == row, await told(asked, wanted)
        found = Counter((tuple(error["path"][1:]), error["extensions"]["code"]) for error in body.get("errors", ()))
        assert found == errors, await told(asked, wanted)
