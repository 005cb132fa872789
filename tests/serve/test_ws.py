"""graphql-transport-ws over a real socket: the protocol's rules one by one, and what a subscription brings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from hub.audit import AuditQuery
from hub.serve.ws import Sockets
from tests.serve.streams import OTHER, USCC, Running, running, token

SUBSCRIBE = '{"type": "subscribe", "id": "1", "payload": {"query": "subscription { enterpriseChanged { uscc } }"}}'
CHANGED = "subscription Changes { enterpriseChanged { uscc name } }"


async def initialised(socket: ClientWebSocketResponse, **payload: Any) -> ClientWebSocketResponse:
    await socket.send_json({"type": "connection_init", **({"payload": payload} if payload else {})})
    assert await socket.receive_json() == {"type": "connection_ack"}
    return socket


async def subscribe(socket: ClientWebSocketResponse, query: str, id: str = "1", **payload: Any) -> None:
    await socket.send_json({"type": "subscribe", "id": id, "payload": {"query": query, **payload}})


async def closed(socket: ClientWebSocketResponse) -> int | None:
    """The code with which the server closes."""
    message = await socket.receive(5)
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED), message
    return socket.close_code


def changed(uscc: str, name: str, id: str = "1") -> Mapping[str, Any]:
    return {"id": id, "type": "next", "payload": {"data": {"enterpriseChanged": {"uscc": uscc, "name": name}}}}


async def test_events_come_as_they_happen_until_the_client_has_enough(tmp_path: Path) -> None:
    async with running(tmp_path) as there, there.connect() as socket:
        await subscribe(await initialised(socket), CHANGED)
        await there.department.arrived.wait()
        there.department.publish(USCC)
        there.department.publish(OTHER, number=2)
        assert [await socket.receive_json(), await socket.receive_json()] == [changed(USCC, "甲"), changed(OTHER, "乙")]
        await socket.send_json({"type": "complete", "id": "1"})
        await there.department.left.wait()
        records = await there.hub.audit.records(AuditQuery())
        assert [(record.operation, record.coordinates[-1]) for record in records] == [("Changes", "Subscription.enterpriseChanged")] * 2


async def test_two_connections_share_one_feed_and_a_hang_up_leaves_the_other(tmp_path: Path) -> None:
    async with running(tmp_path) as there, there.connect() as first:
        async with there.connect() as second:
            for socket in (first, second):
                await subscribe(await initialised(socket), CHANGED)
            await there.department.arrived.wait()
            await both_listen(there, 2)
            there.department.publish(USCC)
            assert [await first.receive_json(), await second.receive_json()] == [changed(USCC, "甲")] * 2
        await both_listen(there, 1)
        there.department.publish(OTHER, number=2)
        assert await first.receive_json() == changed(OTHER, "乙")
        assert there.department.log.count("feed") == 1
        await first.close()
        await there.department.left.wait()


async def both_listen(there: Running, number: int) -> None:
    """Nothing tells when a subscriber has joined: look until it has."""

    def listening() -> int:
        return sum(len(stream.members) for stream in there.hub.engine.feeds._streams.values())

    for _ in range(500):
        if listening() == number:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(listening())


async def test_queries_and_mutations_are_answered_once(tmp_path: Path) -> None:
    async with running(tmp_path) as there, there.connect() as socket:
        await initialised(socket, authorization=there.token)
        await subscribe(socket, "query ($u: USCC!) { enterprise(uscc: $u) { name } }", "q", variables={"u": USCC})
        assert await socket.receive_json() == {"id": "q", "type": "next", "payload": {"data": {"enterprise": {"name": "甲"}}}}
        assert await socket.receive_json() == {"id": "q", "type": "complete"}
        await subscribe(socket, f'mutation {{ rename(uscc: "{USCC}", name: "丙") {{ uscc name }} }}', "q")
        assert (await socket.receive_json())["payload"]["data"] == {"rename": {"uscc": USCC, "name": "丙"}}
        assert there.department.names[USCC] == "丙"


async def test_a_fault_in_the_operation_is_an_error_and_the_connection_stays(tmp_path: Path) -> None:
    async with running(tmp_path) as there, there.connect() as socket:
        await initialised(socket)
        for query, code in (
            ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription {", "GRAPHQL_PARSE_FAILED"),
            ("subscription A { enterpriseChanged { uscc } } query B { __typename }", "OPERATION_NOT_FOUND"),
            (f"{{ {'a ' * 20_000} }}", "TOO_LARGE"),
        ):
            await subscribe(socket, query)
            message = await socket.receive_json()
            assert (message["id"], message["type"]) == ("1", "error")
            assert [error["extensions"]["code"] for error in message["payload"]] == [code]
        await socket.send_json({"type": "ping"})
        assert await socket.receive_json() == {"type": "pong"}


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["{"], 4400),
        (["[]"], 4400),
        (['{"type": "what"}'], 4400),
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}'], 4401),
        (['{"type": "connection_init"}', '{"type": "connection_init"}'], 4429),
        (['{"type": "connection_init", "payload": 1}'], 4400),
        (['{"type": "connection_init", "payload": {"authorization": "Bearer nonsense"}}'], 4403),
        (['{"type": "connection_init", "payload": {"authorization": 1}}'], 4403),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}}'], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": "1", "payload": "{ __typename }"}'], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": "1"}'], 4400),
        (['{"type": "connection_init"}', '{"type": "complete"}'], 4400),
        (['{"type": "connection_init"}', *[SUBSCRIBE] * 2], 4409),
    ],
)
async def test_whoever_breaks_the_protocol_is_closed_with_its_code(tmp_path: Path, frames: list[str], code: int) -> None:
    async with running(tmp_path) as there, there.connect() as socket:
        for frame in frames:
            await socket.send_str(frame)
        acknowledged = sum('"connection_init"' in frame for frame in frames[:-1]) or (code == 4429)
        for _ in range(int(bool(acknowledged))):
            assert (await socket.receive_json())["type"] == "connection_ack"
        assert await closed(socket) == code


async def test_whoever_does_not_say_who_it_is_is_closed(tmp_path: Path) -> None:
    async with running(tmp_path) as there:
        there.hub.sockets = Sockets(there.hub.sockets._answers, there.hub.verifier.principal, there.hub.drain, init_seconds=0.05)
        async with there.connect() as socket:
            assert await closed(socket) == 4408


async def test_another_protocol_is_not_spoken(tmp_path: Path) -> None:
    async with (
        running(tmp_path) as there,
        there.session.ws_connect(there.url.replace("http", "ws", 1), protocols=("graphql-ws",)) as socket,
    ):
        assert await closed(socket) == 4406


async def test_a_client_that_is_switched_off_hears_no_further_event(tmp_path: Path) -> None:
    """Case 37: Event stream subscription with planned fields; the agreement is revoked between events."""
    async with running(tmp_path) as there, there.connect() as socket:
        await subscribe(await initialised(socket, Authorization=await token(there.hub, "other")), CHANGED)
        await there.department.arrived.wait()
        there.department.publish(USCC)
        assert (await socket.receive_json())["type"] == "next"
        await there.hub.store.disable_client("other")
        await there.hub.verifier._refresh(0)
        there.department.publish(OTHER, number=2)
        message = await socket.receive_json()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
        await there.department.left.wait()


async def test_a_stopping_hub_ends_its_streams_and_takes_no_new_ones(tmp_path: Path) -> None:
    async with running(tmp_path) as there, there.connect() as socket:
        await subscribe(await initialised(socket), CHANGED)
        await there.department.arrived.wait()
        there.server.stop()
        message = await socket.receive_json()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "SHUTTING_DOWN")
        assert await closed(socket) == 1001


async def test_after_a_change_of_the_schema_one_subscribes_again(tmp_path: Path) -> None:
    async with running(tmp_path) as there, there.connect() as socket:
        await subscribe(await initialised(socket), CHANGED)
        await there.department.arrived.wait()
        await there.hub.reload()
        message = await socket.receive_json()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "SCHEMA_CHANGED")
        there.department.arrived.clear()
        await subscribe(socket, CHANGED)
        await there.department.arrived.wait()
        there.department.publish(USCC)
        assert await socket.receive_json() == changed(USCC, "甲")


async def test_a_write_that_has_begun_is_finished_and_recorded_though_the_caller_is_gone(tmp_path: Path) -> None:
    async with running(tmp_path) as there:
        there.department.answers = "late"
        async with there.connect() as socket:
            await initialised(socket, authorization=there.token)
            await subscribe(socket, f'mutation Gone {{ rename(uscc: "{USCC}", name: "丁") {{ uscc }} }}', "w")
            for _ in range(500):
                if there.department.log:
                    break
                await asyncio.sleep(0.01)
        for _ in range(500):
            records = await there.hub.audit.records(AuditQuery())
            if records:
                break
            await asyncio.sleep(0.01)
        assert [(record.operation, record.codes) for record in records] == [("Gone", ("OUTCOME_UNKNOWN",))]
        assert there.department.log == [f"write {USCC} 丁"]
