"""The SOAP department, asked by an ordinary SOAP client, and asked by the hub while something is wrong with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from lxml import etree

from connectors.kinds import KINDS
from connectors.kinds import connect as connected
from connectors.soap import SoapConnector
from connectors.soap.documents import gather
from connectors.soap.wsdl import Service, Token
from connectors.spi import Ask, Call, Page, Relation, SourceError
from demo.facts import World
from demo.native import unit_xml
from demo.seed import FIXTURES
from demo.supervisor import FUND_SECRET, Asked, Departments
from hub.environment import fill
from schema.canonical import canonical
from schema.compose import compose, load_systems
from schema.registry import Registry
from tests.demo.conftest import SYSTEMS, given

pytestmark = pytest.mark.asyncio(loop_scope="session")

KNOWN, OWING, BUSY = FIXTURES[0][0], FIXTURES[1][0], FIXTURES[2][0]
NOBODY = "91310115MA1K35XY5H"
NAME = "socialFundWithholding"


async def ask(http: aiohttp.ClientSession, departments: Departments, *keys: str, password: str = "") -> tuple[int, etree._Element]:
    """(status, first element of the body), by the WSDL that the department serves itself."""

    async def bring(place: str) -> bytes:
        async with http.get(place) as response:
            return await response.read()

    place = departments.url(NAME) + "?wsdl"
    service = Service(place, await gather(place, bring))
    assert service.address == departments.url(NAME)
    token = Token("hub", password or departments.environment()[FUND_SECRET], True, datetime(2026, 3, 1, tzinfo=UTC))
    request = service.request("cxJfdw", {"tyshxydm": list(keys)}, {}, token)
    async with http.post(service.address, data=request.content, headers=request.headers) as response:
        assert response.charset == "GB18030"
        return response.status, etree.fromstring(await response.read())[0][0]


async def test_units_come_in_a_batch(departments: Departments, http: aiohttp.ClientSession, truth: World) -> None:
    status, answer = await ask(http, departments, KNOWN, NOBODY, OWING, KNOWN)

    assert (status, answer.tag) == (200, "{http://sbjs.rlsbt.example/v1}cxJfdwResponse")
    units = {unit.uscc: unit_xml(unit) for unit in truth.insured_units}
    assert [one.findtext("{*}tyshxydm") for one in answer] == [KNOWN, OWING]
    assert [one.findtext("{*}djrq") for one in answer] == [units[code]["djrq"] for code in (KNOWN, OWING)]
    assert [kind.get("dm") for kind in answer[0].findall("{*}xz")] == [one["@dm"] for one in units[KNOWN]["xz"]]
    assert (await departments.calls())[NAME] == Asked(1, 3, {"cxJfdw": (1, 3)})


@pytest.mark.parametrize(
    ("keys", "password", "code", "own"),
    [
        ((KNOWN,), "wrong", "wsse:FailedAuthentication", "401"),
        ((NOBODY,), "", "soap:Client", "404"),
        (tuple(f"K{n}" for n in range(51)), "", "soap:Client", "400"),
    ],
)
async def test_what_it_cannot_answer_is_a_fault(
    departments: Departments, http: aiohttp.ClientSession, keys: tuple[str, ...], password: str, code: str, own: str
) -> None:
    status, fault = await ask(http, departments, *keys, password=password)
    assert (status, fault.findtext("faultcode"), fault.findtext("detail/{*}cw/{*}dm")) == (500, code, own)


@pytest_asyncio.fixture(loop_scope="session")
async def registry() -> Registry:
    return compose(canonical(), load_systems(SYSTEMS), kinds=set(KINDS)).registry


@pytest_asyncio.fixture(loop_scope="session")
async def connector(departments: Departments, registry: Registry) -> AsyncIterator[SoapConnector]:
    environment, system = given(departments), registry.systems[NAME]
    made = connected("soap", fill(system.options, environment).options, beside=environment.beside(system.file))
    assert isinstance(made, SoapConnector)
    yield made
    await made.close()


def relation(registry: Registry) -> Relation:
    return next(one.relation for one in registry.lookups["Enterprise"] if one.system == NAME)


async def units(connector: SoapConnector, registry: Registry, *keys: str) -> Page:
    asked = relation(registry)
    plan = connector.plan(Ask(asked.name, tuple(one.name for one in asked.fields), by=("uscc",)), asked)
    (page,) = [page async for page in connector.fetch(plan, Call(keys=[(key,) for key in keys]))]
    return page


async def test_a_single_one_that_it_does_not_know_is_absent(connector: SoapConnector, registry: Registry) -> None:
    assert (await units(connector, registry, NOBODY)).size == 0


@pytest.mark.parametrize("how", ["html", "text", "columns"])
async def test_nonsense_is_seen_for_what_it_is(departments: Departments, connector: SoapConnector, registry: Registry, how: str) -> None:
    well = await units(connector, registry, KNOWN, BUSY)
    await departments.fault(NAME, "wrong", how=how)

    if how == "html":
        with pytest.raises(SourceError, match="did not answer with SOAP"):
            await units(connector, registry, KNOWN, BUSY)
        return
    ill: Any = (await units(connector, registry, KNOWN, BUSY)).columns
    assert ill["uscc"] == ([None, None] if how == "columns" else well.columns["uscc"])
    assert ill["socialFund.registeredOn"] == ([None, None] if how == "columns" else ["待核实", "待核实"])
