"""The gRPC department, asked by an ordinary gRPC client, and asked by the hub while something is wrong with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from grpc import aio  # type: ignore[import-untyped]

from connectors.grpc import GrpcConnector
from connectors.kinds import KINDS
from connectors.kinds import connect as connected
from connectors.spi import Ask, Call, Relation, SourceError
from demo.facts import World
from demo.native import merchant_fields
from demo.rpc import BATCH, PROTO, SERVICE, answer
from demo.seed import FIXTURES
from demo.supervisor import TAKEAWAY_SECRET, Asked, Departments
from hub.environment import fill
from schema.canonical import canonical
from schema.compose import compose, load_systems
from schema.registry import Registry
from tests.demo.conftest import SYSTEMS, given

pytestmark = pytest.mark.asyncio(loop_scope="session")

KNOWN, NONE, BUSY = FIXTURES[0][0], FIXTURES[1][0], FIXTURES[2][0]
NAME = "takeawayOnline"


async def ask(departments: Departments, *keys: str, key: str = "") -> list[Any]:
    """The merchants that the department sends, by its own protocol."""
    metadata = (("x-app-key", key or departments.environment()[TAKEAWAY_SECRET]),)
    body = PROTO.message("FindMerchantsRequest")(usccs=keys).SerializeToString()
    read = PROTO.message("FindMerchantsResponse").FromString
    async with aio.insecure_channel(departments.url(NAME).removeprefix("grpc://")) as channel:
        call = channel.unary_stream(f"/{SERVICE}/FindMerchants", response_deserializer=read)(body, metadata=metadata)
        return [merchant async for message in call for merchant in message.merchants]


async def test_merchants_come_a_firm_at_a_time(departments: Departments, truth: World) -> None:
    found = await ask(departments, BUSY, NONE, KNOWN, BUSY)
    there = {one.merchant_id: one for one in truth.merchants}
    assert [one.uscc for one in found] == [BUSY] * 3 + [KNOWN] * 2
    assert found == list(answer([merchant_fields(there[one.merchant_id]) for one in found]).merchants)
    assert (await departments.calls())[NAME] == Asked(1, 3, {"FindMerchants": (1, 3)})


@pytest.mark.parametrize(
    ("keys", "key", "status"),
    [
        ((KNOWN,), "wrong", "UNAUTHENTICATED"),
        ((), "", "INVALID_ARGUMENT"),
        (tuple(f"K{n}" for n in range(BATCH + 1)), "", "INVALID_ARGUMENT"),
    ],
)
async def test_what_it_cannot_answer_has_a_status(departments: Departments, keys: tuple[str, ...], key: str, status: str) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await ask(departments, *keys, key=key)
    assert caught.value.code().name == status


@pytest_asyncio.fixture(loop_scope="session")
async def registry() -> Registry:
    return compose(canonical(), load_systems(SYSTEMS), kinds=set(KINDS)).registry


@pytest_asyncio.fixture(loop_scope="session")
async def connector(departments: Departments, registry: Registry) -> AsyncIterator[GrpcConnector]:
    made = connected("grpc", fill(registry.systems[NAME].options, given(departments)).options)
    assert isinstance(made, GrpcConnector)
    yield made
    await made.close()


async def shops(connector: GrpcConnector, registry: Registry) -> dict[str, list[Any]]:
    asked: Relation = next(one.relation for one in registry.links["Enterprise.takeawayMerchants"])
    plan = connector.plan(Ask(asked.name, tuple(one.name for one in asked.fields), by=asked.keys), asked)
    (page,) = [page async for page in connector.fetch(plan, Call(keys=[(KNOWN,), (BUSY,)]))]
    return page.columns


@pytest.mark.parametrize("how", ["html", "text", "columns"])
async def test_nonsense_is_seen_for_what_it_is(departments: Departments, connector: GrpcConnector, registry: Registry, how: str) -> None:
    well = await shops(connector, registry)
    assert len(well["merchantId"]) == 5
    await departments.fault(NAME, "wrong", how=how)
    if how == "html":
        with pytest.raises(SourceError, match="no message of its type"):
            await shops(connector, registry)
        return
    ill = await shops(connector, registry)
    assert ill["merchantId"] == ([""] * 5 if how == "columns" else well["merchantId"])
    assert set(ill["licenceExpires"]) - {None} == (set() if how == "columns" else {"待核实"})


async def test_a_department_that_was_dead_is_asked_again_at_once(
    departments: Departments, connector: GrpcConnector, registry: Registry
) -> None:
    well = await shops(connector, registry)
    await departments.fault(NAME, "dead")
    for _ in range(2):
        with pytest.raises(SourceError) as caught:
            await shops(connector, registry)
        assert caught.value.kind == "down"
    await departments.fault(NAME, "ok")
    assert await shops(connector, registry) == well
