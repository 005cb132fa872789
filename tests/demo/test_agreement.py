"""The departments and the expected answers agree: asked key by key over the real connectors, the systems say what the world says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from connectors.kinds import KINDS
from demo.facts import World
from demo.question import QUESTIONS, Question
from demo.supervisor import Departments
from hub.connected import connect
from hub.oracle import Oracle
from schema.canonical import canonical
from schema.compose import compose, load_systems
from tests.demo.conftest import SYSTEMS, given

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def oracle(running: Departments) -> AsyncIterator[Oracle]:
    composed = compose(canonical(), load_systems(SYSTEMS), kinds=set(KINDS))
    assert composed.ok, composed.faults
    connectors = connect(composed.registry, given(running)).connectors
    yield Oracle(composed.schema, composed.registry, connectors)
    for connector in connectors.values():
        await connector.close()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
async def test_the_naive_answer_is_the_expected_one(departments: Departments, oracle: Oracle, truth: World, question: Question) -> None:
    result = await oracle.execute(question.query, question.variables)

    assert result.errors is None
    assert result.data == question.answer(truth)
    if question.name == "Whole":
        unasked = {system for system, asked in (await departments.calls()).items() if not asked.calls}
        assert unasked <= {"registrationGazette", "dischargePermits"}, "they tell by themselves"


async def test_a_department_that_dies_takes_only_its_own_fields_with_it(departments: Departments, oracle: Oracle, truth: World) -> None:
    question = QUESTIONS[0]
    await departments.fault("credit531x", "dead")
    result = await oracle.execute(question.query, question.variables)

    expected = question.answer(truth)
    for name in ("first", "second", "third"):
        expected[name] |= {"creditScore": None, "creditRepairUrl": None}
    expected["again"]["creditScore"] = None
    assert result.data == expected
    assert result.errors is not None
    paths = {tuple(error.path or ()) for error in result.errors}
    assert paths == {(name, "creditScore") for name in ("first", "second", "third", "again")} | {
        (name, "creditRepairUrl") for name in ("first", "second", "third")
    }
    await departments.fault("credit531x", "ok")
    assert (await oracle.execute(question.query, question.variables)).data == question.answer(truth)
