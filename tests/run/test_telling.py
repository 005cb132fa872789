"""``extensions.explain`` of a request: who may ask for it, what is run, and whether what it says of the run is so."""

from __future__ import annotations

from collections import Counter
from contextvars import copy_context
from typing import Any

import orjson
import pytest
from hypothesis import given

from auth.principal import ANONYMOUS, Audience, Principal
from hub.recorder import Recorded
from hub.run.analysis import Analysis, called
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.coordinates import Grade
from tests.properties import examples
from tests.properties.engine import StillClock
from tests.properties.engine import engine as engine_of
from tests.properties.generator import Case, cases
from tests.run.test_engine import department_world
from tests.worlds import World

OPERATOR = Principal("ops", Audience.OPERATOR, frozenset(), Grade.L4)
EXPLAINING = Principal("app", Audience.APP, frozenset({"hub:explain"}), Grade.L2)
FIRM = '{ firm(uscc: "A") { name licences { title } } }'


async def ask(there: World, mode: Any, principal: Principal = OPERATOR, document: str = FIRM, **options: Any) -> dict[str, Any]:
    asked = Engine(there.schema, there.registry, Sources(there.registry.systems, there.connectors, StillClock()), **options)
    answer = await asked.execute(asked.parse(document), principal=principal, extensions={"explain": mode})
    body: dict[str, Any] = orjson.loads(answer.body)
    return body


async def test_the_plan_comes_beside_the_answer() -> None:
    body = await ask(department_world(), "plan")
    assert body["data"]["firm"]["name"] == "企业A"
    told = body["extensions"]["explain"]
    assert (told["mode"], told["systems"], told["text"].splitlines()[0]) == (
        "plan",
        ["library", "register"],
        "plan of the query: 2 systems, 2 calls at least",
    )


async def test_a_dry_run_calls_nobody() -> None:
    there = department_world()
    body = await ask(there, "dryRun")
    assert body["data"] is None
    assert "errors" not in body
    assert len(body["extensions"]["explain"]["steps"]) == 4
    assert there.received == []


async def test_an_analysis_says_what_each_step_did() -> None:
    there = department_world()
    there.systems["library"].faults.down["Firm.licences"] = "down"
    told = (await ask(there, "analyze"))["extensions"]["explain"]
    measured = {step["system"]: step["measured"] for step in told["steps"] if "system" in step}
    times = {"queueMs": 0.0, "sourceMs": 0.0}
    assert measured == {
        "register": {"calls": 1, "keys": 1, "rows": 1, **times, "errors": {}},
        "library": {"calls": 1, "keys": 1, "rows": 0, **times, "errors": {"SYSTEM_DOWN": 1}},
    }
    assert "   1 call, 1 key, 0 rows, 0 ms waiting, 0 ms at the source, SYSTEM_DOWN 1" in told["text"]
    assert told["assemblyMs"] == 0.0


async def test_a_key_that_another_step_has_asked_for_is_counted_as_coalesced() -> None:
    there = department_world()
    holders = '{ firm(uscc: "A") { name licences { title holder { name } } } }'
    told = (await ask(there, "analyze", document=holders))["extensions"]["explain"]
    saved = [step["measured"] for step in told["steps"] if "coalesced" in step.get("measured", {})]
    assert [(one["calls"], one["keys"], one["coalesced"]) for one in saved] == [(0, 1, 1)]
    assert "0 calls, 1 key, 0 rows, 1 coalesced, " in told["text"]
    assert [call.keys for call in there.calls("register")] == [(("A",),)]


def test_bytes_are_those_of_all_calls_of_a_step() -> None:
    analysis = Analysis()
    step = analysis.of(1, ["A", "B"], copy_context())
    for size in (120, None, 80):  # None: its connector does not count them
        step.run(called, Recorded("library", "Firm.licences", 1, 3, "ok", 0.5, bytes=size), 0.0)
    assert analysis.steps[1].data == {"calls": 3, "keys": 2, "rows": 9, "bytes": 200, "queueMs": 0.0, "sourceMs": 1500.0, "errors": {}}


@pytest.mark.parametrize("principal", [ANONYMOUS, Principal("app", Audience.APP, frozenset(), Grade.L4)])
async def test_who_may_not_see_plans_is_refused_before_anything_is_asked(principal: Principal) -> None:
    there = department_world()
    body = await ask(there, "plan", principal)
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
    assert "data" not in body
    assert there.received == []


@pytest.mark.parametrize("mode", ["", "PLAN", 1, ["plan"], {"mode": "plan"}])
async def test_another_mode_is_a_bad_request(mode: Any) -> None:
    body = await ask(department_world(), mode)
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_REQUEST"]


async def test_a_client_that_may_see_plans_but_no_systems_gets_numbers() -> None:
    body = await ask(department_world(), "analyze", EXPLAINING)
    text = orjson.dumps(body["extensions"]).decode()
    assert "library" not in text
    assert "register" not in text
    assert body["extensions"]["explain"]["systems"] == ["s1", "s2"]
    both = Principal("app", Audience.APP, frozenset({"hub:explain", "hub:systems"}), Grade.L2)
    assert (await ask(department_world(), "plan", both))["extensions"]["explain"]["systems"] == ["library", "register"]


async def test_keys_that_the_caller_may_not_see_are_not_told() -> None:
    hidden = frozenset({"Firm.uscc"})

    def policy(who: Principal, rows: Any) -> frozenset[str]:
        return hidden & {row.name for row in rows}

    body = await ask(department_world(), "dryRun", OPERATOR, "{ firms { nodes { name } } }", policy=policy)
    assert "uscc" not in orjson.dumps(body).decode()


@given(cases())
@examples(40)
async def test_p31_what_an_analysis_counts_is_what_the_recorder_saw(made: Case) -> None:
    there = made.build()
    asked = engine_of(there, made.denied)
    answer = await asked.execute(
        asked.parse(made.operation.text),
        variables=made.operation.variables,
        principal=OPERATOR,
        request_id="this",
        extensions={"explain": "analyze"},
    )
    counted: Counter[tuple[str, str]] = Counter()
    steps = orjson.loads(answer.body)["extensions"]["explain"]["steps"]
    apart = not any("forItsRows" in step for step in steps)  # a list's step counts what it asks other systems to choose its rows
    for step in steps:
        if "measured" in step:
            step["system"] = step.get("system", "") if apart else ""
            counted[step["system"], "calls"] += step["measured"]["calls"]
            counted[step["system"], "rows"] += step["measured"]["rows"]
            counted[step["system"], "errors"] += sum(step["measured"]["errors"].values())
    seen: Counter[tuple[str, str]] = Counter()
    for call in asked.sources.recorder.calls(request_id="this"):
        name = call.system if apart else ""
        seen.update({(name, "calls"): 1, (name, "rows"): call.rows, (name, "errors"): call.outcome != "ok"})
    assert +counted == +seen
