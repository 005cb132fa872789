"""The engine over the real departments: exactly the calls that were planned, the oracle's answer, and systems that die and come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import pytest
import pytest_asyncio
from graphql import ExecutionResult

from auth.principal import Audience, Principal
from connectors.kinds import KINDS
from demo.facts import World
from demo.question import QUESTIONS, Question
from demo.supervisor import Departments
from hub.clock import SystemClock
from hub.connected import connect
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.canonical import canonical
from schema.compose import compose, load_systems
from schema.coordinates import Grade
from tests.demo.conftest import SYSTEMS, given

pytestmark = pytest.mark.asyncio(loop_scope="session")

WHOLE = QUESTIONS[0]
APP = Principal("app", Audience.APP, frozenset(), Grade.L2)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def engine(running: Departments) -> AsyncIterator[Engine]:
    composed = compose(canonical(), load_systems(SYSTEMS), kinds=set(KINDS))
    connectors = connect(composed.registry, given(running)).connectors
    sources = Sources(composed.registry.systems, connectors, SystemClock())
    yield Engine(composed.schema, composed.registry, sources)
    await sources.close()


async def ask(engine: Engine, question: Question) -> ExecutionResult:
    engine.sources.recorder.clear()
    document = engine.parse(question.query)
    assert not document.errors
    return await engine.run(document, question.variables, principal=APP)


def codes(result: ExecutionResult) -> Counter[str]:
    return Counter((error.extensions or {})["code"] for error in result.errors or ())


def without(data: dict[str, Any], paths: Iterable[Sequence[str | int]]) -> dict[str, Any]:
    """``data`` with null at each of ``paths``. Each of them has to be there."""
    for *way, last in paths:
        place: Any = data
        for step in way:
            place = place[step]
        assert isinstance(last, int) or last in place
        place[last] = None
    return data


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
async def test_the_planned_answer_is_the_expected_one(departments: Departments, engine: Engine, truth: World, question: Question) -> None:
    result = await ask(engine, question)
    assert result.errors is None
    assert result.data == question.answer(truth)


async def test_exactly_the_planned_calls_are_made_and_arrive(departments: Departments, engine: Engine) -> None:
    await ask(engine, WHOLE)
    made = Counter(call.system for call in engine.sources.recorder.calls())
    keys = Counter({call.system: 0 for call in engine.sources.recorder.calls()})
    for call in engine.sources.recorder.calls():
        keys[call.system] += call.keys
    assert made == {
        "legalEntityRegister": 2,  # three enterprises; then the one operator of a platform that was not among them
        "eLicenceLibrary": 1,  # three enterprises, one of them asked for twice
        "credit531x": 1,
        "marketEnforcementCore": 1,
        "internetPlusSupervision": 3,  # one key a call
        "adminPermitCatalogue": 1,  # the permit items of all their licences
        "fairOnline": 2,  # shops; then the platforms they trade on together with those asked for by id
        "socialFundWithholding": 1,
        "takeawayOnline": 1,
        "serviceIssueList": 1,
        "dischargePermits": 1,
    }
    assert keys["legalEntityRegister"] == 4
    assert keys["eLicenceLibrary"] == 3
    arrived = await departments.calls()
    for system, asked in arrived.items():
        # The answers of one come in pages; a delivery was fetched once, announcements were kept as they came, and both are asked here.
        if system not in ("internetPlusSupervision", "serviceIssueList", "dischargePermits"):
            assert (asked.calls, asked.keys) == (made[system], keys[system]), system
    assert arrived["internetPlusSupervision"].calls > 3


async def test_a_department_that_delivers_files_may_be_away(departments: Departments, engine: Engine, truth: World) -> None:
    await ask(engine, WHOLE)
    await departments.kill("serviceIssueList")
    result = await ask(engine, WHOLE)
    await departments.restart("serviceIssueList")
    assert (result.errors, result.data) == (None, WHOLE.answer(truth))


async def test_one_system_of_each_kind_is_killed_and_comes_back_without_a_restart_of_the_hub(
    departments: Departments, engine: Engine, truth: World
) -> None:
    for system in ("eLicenceLibrary", "fairOnline", "marketEnforcementCore", "socialFundWithholding", "takeawayOnline"):
        await departments.kill(system)
        try:
            lost = await ask(engine, WHOLE)
        finally:
            await departments.restart(system)
        assert set(codes(lost)) == {"SYSTEM_DOWN"}, system
        assert lost.data == without(WHOLE.answer(truth), [error.path or [] for error in lost.errors or ()]), system
        back = await ask(engine, WHOLE)
        assert (back.errors, back.data) == (None, WHOLE.answer(truth)), system


async def test_names_come_from_the_credit_platform_while_the_register_is_down(
    departments: Departments, engine: Engine, truth: World
) -> None:
    document = engine.parse("query ($uscc: USCC!) { enterprise(uscc: $uscc) { name status } }")
    assert not document.errors
    there = truth.credit_records[0]
    await departments.kill("legalEntityRegister")
    try:
        result = await engine.run(document, {"uscc": there.uscc}, principal=APP)
    finally:
        await departments.restart("legalEntityRegister")
    assert result.data == {"enterprise": {"name": there.name, "status": None}}
    assert codes(result) == {"SYSTEM_DOWN": 1}


async def test_a_system_that_hangs_costs_its_own_time_limit_and_its_own_fields(
    departments: Departments, engine: Engine, truth: World
) -> None:
    await departments.fault("credit531x", "hang")
    try:
        result = await ask(engine, WHOLE)
    finally:
        await departments.fault("credit531x", "ok")
    assert set(codes(result)) == {"SYSTEM_SLOW"}
    expected: dict[str, Any] = WHOLE.answer(truth)
    for name in ("first", "second", "third"):
        expected[name] |= {"creditScore": None, "creditRepairUrl": None}
    expected["again"]["creditScore"] = None
    assert result.data == expected
