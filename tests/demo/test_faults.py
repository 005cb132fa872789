"""What each fault does to a client of each protocol, and that it ends when told so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from demo.faults import NONSENSE, Faults, How, Mode, spoil
from demo.seed import FIXTURES
from demo.supervisor import CREDIT_SECRET, DepartmentFailed, Departments

pytestmark = pytest.mark.asyncio(loop_scope="session")

KNOWN = FIXTURES[0][0]
Client = Callable[[], Awaitable[Any]]


def client(system: str, departments: Departments, http: aiohttp.ClientSession) -> Client:
    """One request to the department by its own protocol; gives the text of a web answer, or the rows of a table."""

    async def rest(path: str) -> str:
        headers = {"X-App-Key": departments.environment()[CREDIT_SECRET]}
        async with http.get(departments.url(system) + path, headers=headers) as response:
            return await response.text()

    async def graphql() -> str:
        document = '{ platforms(ids: ["PT0001"]) { platformId monitoredSince } }'
        async with http.post(departments.url(system), json={"query": document}) as response:
            return await response.text()

    async def sql() -> list[dict[str, Any]]:
        engine = create_async_engine(departments.url(system))
        try:
            async with engine.connect() as connection:
                found = await connection.execute(text("SELECT AH, LARQ, FKJE, XZQH FROM AJ_JBXX ORDER BY AH LIMIT 3"))
                return [dict(row) for row in found.mappings()]
        finally:
            await engine.dispose()

    return {
        "credit531x": lambda: rest(f"/api/v2/xydj?tyshxydm={KNOWN}"),
        "internetPlusSupervision": lambda: rest(f"/ssj/v1/jcjg?tydm={KNOWN}"),
        "fairOnline": graphql,
        "marketEnforcementCore": sql,
    }[system]


ONE_OF_EACH = ["credit531x", "fairOnline", "marketEnforcementCore"]
UNREACHABLE = (aiohttp.ClientConnectorError, DBAPIError, ConnectionRefusedError)


@pytest.mark.parametrize("system", ONE_OF_EACH)
async def test_a_dead_department_refuses_connections_and_comes_back_on_the_same_port(
    departments: Departments, http: aiohttp.ClientSession, system: str
) -> None:
    ask = client(system, departments, http)
    well = await ask()
    await departments.fault(system, "dead")

    with pytest.raises(UNREACHABLE) as refused:
        await ask()
    assert "onnect" in str(refused.value)
    assert (await departments.calls())[system].calls == 1, "the control URL lives, and nothing reached the department"
    await departments.fault(system, "dead")
    await departments.fault(system, "ok")
    assert await ask() == well


@pytest.mark.parametrize("system", ONE_OF_EACH)
async def test_a_hanging_department_takes_the_request_and_never_answers(
    departments: Departments, http: aiohttp.ClientSession, system: str
) -> None:
    ask = client(system, departments, http)
    well = await ask()
    await departments.fault(system, "hang")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(), 0.3)
    waiting = asyncio.ensure_future(ask())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.3)
    await departments.fault(system, "ok")
    outcome = (await asyncio.gather(waiting, return_exceptions=True))[0]
    if system == "credit531x":  # its connection is cut, and this client asks once more where that is harmless (GET)
        assert outcome == well
        assert (await departments.calls())[system].calls == 4
    else:
        assert isinstance(outcome, aiohttp.ClientError | DBAPIError)
    assert await ask() == well


@pytest.mark.parametrize("system", ONE_OF_EACH)
async def test_a_slow_department_answers_late(departments: Departments, http: aiohttp.ClientSession, system: str) -> None:
    ask = client(system, departments, http)
    well = await ask()
    await departments.fault(system, "slow", seconds=60)

    waiting = asyncio.ensure_future(ask())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.3)
    await departments.fault(system, "ok")
    assert await waiting == well, "a request that waited is answered as soon as the department is itself again"
    await departments.fault(system, "slow", seconds=0.01)
    assert await ask() == well


async def test_wrong_is_html_where_json_is_due(departments: Departments, http: aiohttp.ClientSession) -> None:
    for system in ("credit531x", "fairOnline"):
        await departments.fault(system, "wrong")
        answer = await client(system, departments, http)()
        assert answer.startswith("<!DOCTYPE html>")
    await departments.fault("marketEnforcementCore", "wrong")
    assert await client("marketEnforcementCore", departments, http)() == [{"MESSAGE": "系统维护中"}]


async def test_wrong_columns_are_columns_that_nobody_asked_for(departments: Departments, http: aiohttp.ClientSession) -> None:
    for system in ("internetPlusSupervision", "fairOnline", "marketEnforcementCore"):
        await departments.fault(system, "wrong", how="columns")

    answer = await client("internetPlusSupervision", departments, http)()
    assert '"x_jcbh"' in answer
    assert '"jcbh"' not in answer
    assert '"total":7' in answer
    assert '"x_platformId"' in await client("fairOnline", departments, http)()
    with pytest.raises(DBAPIError, match=r"1054.*Unknown column 'AH'"):
        await client("marketEnforcementCore", departments, http)()


async def test_wrong_text_stands_where_numbers_and_dates_are_due(departments: Departments, http: aiohttp.ClientSession) -> None:
    for system in ("credit531x", "fairOnline", "marketEnforcementCore"):
        await departments.fault(system, "wrong", how="text")

    credit = await client("credit531x", departments, http)()
    assert f'"pf":"{NONSENSE}"' in credit
    assert f'"pjsj":"{NONSENSE}"' in credit
    assert f'"tyshxydm":"{KNOWN}"' in credit
    assert f'{{"platformId":"PT0001","monitoredSince":"{NONSENSE}"}}' in await client("fairOnline", departments, http)()
    for row in await client("marketEnforcementCore", departments, http)():
        assert row["AH"].startswith("ZJ")
        assert row["LARQ"] == NONSENSE
        assert row["FKJE"] in (NONSENSE, None)
        assert len(row["XZQH"]) == 6


async def test_after_any_fault_the_same_process_serves(departments: Departments, http: aiohttp.ClientSession) -> None:
    before = departments.pids()
    for system in ONE_OF_EACH:
        ask = client(system, departments, http)
        well = await ask()
        for mode, how in (("wrong", "html"), ("wrong", "text"), ("wrong", "columns"), ("dead", None), ("hang", None), ("ok", None)):
            await departments.fault(system, mode, how=how)
        assert await ask() == well
    assert departments.pids() == before


async def test_a_command_that_makes_no_sense_is_refused(departments: Departments, http: aiohttp.ClientSession) -> None:
    for body in (b"", b"[]", b'{"mode": "asleep"}', b'{"mode": "slow", "seconds": "long"}', b'{"mode": "wrong", "how": "purple"}'):
        async with http.post(departments.control("credit531x") + "/fault", data=body) as response:
            assert response.status == 400
    async with http.get(departments.control("credit531x") + "/fault") as response:
        assert await response.json() == {"system": "credit531x", "mode": "ok", "seconds": None, "how": None}
    with pytest.raises(ValueError, match="asleep"):
        await departments.fault("credit531x", "asleep")
    with pytest.raises(DepartmentFailed, match="not running"):
        await Departments().fault("credit531x", "ok")


async def test_spoiling_touches_records_and_leaves_the_envelope() -> None:
    payload = {
        "code": 0,
        "total": 1,
        "rows": [{"no": "JC1", "n": 5, "on": "20240101", "ok": True, "none": None, "in": {"at": "2024-01-01T00:00:00"}}],
    }

    assert spoil(payload, How.HTML) == payload
    assert spoil(payload, How.COLUMNS)["rows"][0].keys() == {"x_no", "x_n", "x_on", "x_ok", "x_none", "x_in"}
    assert spoil(payload, How.TEXT) == {
        "code": 0,
        "total": 1,
        "rows": [{"no": "JC1", "n": NONSENSE, "on": NONSENSE, "ok": True, "none": None, "in": {"at": NONSENSE}}],
    }


async def test_the_gate_says_how_to_spoil_only_when_wrong() -> None:
    faults = Faults()
    assert await faults.gate() is None
    faults.set(Mode.WRONG)
    assert await faults.gate() is How.HTML
    faults.set(Mode.SLOW, 60)
    waiting = asyncio.ensure_future(faults.gate())
    await asyncio.sleep(0)
    faults.set(Mode.WRONG, how=How.TEXT)
    assert await waiting is How.TEXT
