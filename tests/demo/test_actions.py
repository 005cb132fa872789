"""Over the real departments: a change that the register's gazette announces, and an application that the credit platform takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from auth.principal import Audience, Principal
from connectors.kinds import KINDS
from demo.facts import World
from demo.gazette import change
from demo.seed import FIXTURES
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

APP = Principal("app", Audience.APP, frozenset({"credit:repair"}), Grade.L2)
APPLY = """mutation Apply($uscc: USCC!, $reason: String!) {
  applyForCreditRepair(uscc: $uscc, reason: $reason) { uscc name creditRepairStatus creditScore { grade } }
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def engine(departments: Departments) -> AsyncIterator[Engine]:
    composed = compose(canonical(), load_systems(SYSTEMS), kinds=set(KINDS))
    connectors = connect(composed.registry, given(departments)).connectors
    sources = Sources(composed.registry.systems, connectors, SystemClock())
    made = Engine(composed.schema, composed.registry, sources)
    yield made
    await made.close()
    await sources.close()


async def ask(engine: Engine, text: str, who: Principal = APP, **variables: Any) -> dict[str, Any]:
    answered = await engine.execute(engine.parse(text), variables=variables, principal=who)
    body: dict[str, Any] = orjson.loads(answered.body)
    return body


async def test_an_announced_change_is_answered_from_all_departments(engine: Engine, truth: World) -> None:
    async def who() -> Principal:
        return APP

    document = engine.parse("subscription { enterpriseChanged { uscc status name creditScore { grade } } }")
    answers = engine.subscribe(document, who=who)
    seen = [orjson.loads((await anext(answers)).body)["data"]["enterpriseChanged"] for _ in range(2)]
    await answers.aclose()
    by_uscc = {entity.uscc: entity for entity in truth.enterprises}
    grades = {record.uscc: record.grade for record in truth.credit_records}
    numbers = {change(truth, number)["data"]["tyshxydm"]: number for number in range(600)}
    for found in seen:
        entity = by_uscc[found["uscc"]]
        assert (found["status"], found["name"]) == (entity.status, entity.name)
        assert found["creditScore"] == ({"grade": grades[entity.uscc]} if entity.uscc in grades else None)
    assert all(found["uscc"] in numbers for found in seen)


async def test_an_application_is_made_once_and_seen_by_what_is_read_next(engine: Engine, truth: World, departments: Departments) -> None:
    """Case 39: Mutation followed by fields of another system keyed by its result."""
    uscc = next(record.uscc for record in reversed(truth.credit_records))
    name = next(entity.name for entity in truth.enterprises if entity.uscc == uscc)
    grade = next(record.grade for record in truth.credit_records if record.uscc == uscc)
    before = await ask(engine, "query ($uscc: USCC!) { enterprise(uscc: $uscc) { creditRepairStatus } }", uscc=uscc)
    assert before == {"data": {"enterprise": {"creditRepairStatus": None}}}
    done = await ask(engine, APPLY, uscc=uscc, reason="已履行处罚决定")
    assert done["data"]["applyForCreditRepair"] == {
        "uscc": uscc,
        "name": name,
        "creditRepairStatus": "受理中",
        "creditScore": {"grade": grade},
    }
    assert (await departments.calls())["credit531x"].endpoints["POST /api/v2/xyxf"] == (1, 1)
    again = await ask(engine, APPLY, uscc=uscc, reason="再次申请")
    assert [error["extensions"]["code"] for error in again["errors"]] == ["SYSTEM_REFUSED"]


async def test_whoever_lacks_the_scope_changes_nothing(engine: Engine, departments: Departments) -> None:
    body = await ask(engine, APPLY, Principal("app", Audience.APP, frozenset(), Grade.L2), uscc=FIXTURES[0][0], reason="x")
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
    assert (await departments.calls())["credit531x"].calls == 0


async def test_an_application_whose_answer_is_lost_is_told_with_what_to_ask(engine: Engine, departments: Departments) -> None:
    await departments.fault("credit531x", "slow", seconds=3)
    body = await ask(engine, APPLY, uscc=FIXTURES[2][0], reason="x")
    [error] = body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["retryable"]) == ("OUTCOME_UNKNOWN", False)
    assert "`enterprise`" in error["message"]
    assert (await departments.calls())["credit531x"].endpoints["POST /api/v2/xyxf"] == (1, 1)
