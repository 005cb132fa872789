"""graphql-sse in distinct connections mode over a real socket."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse

from hub.serve import sse
from hub.serve.request import wants_events
from hub.serve.sse import Events
from tests.serve.streams import OTHER, USCC, running, token

CHANGED = "subscription Changes($u: [USCC!]) { enterpriseChanged(uscc: $u) { uscc name } }"


async def event(response: ClientResponse) -> tuple[str, Any]:
    """The next event: its name and its data."""
    text = ":"
    async with asyncio.timeout(5):
        while text.startswith(":"):  # a comment
            text = (await response.content.readuntil(b"\n\n")).decode()
    fields = dict(line.split(":", 1) for line in text.rstrip("\n").split("\n"))
    data = fields.get("data", "").strip()
    return fields.get("event", "").strip(), orjson.loads(data) if data else None


async def test_events_come_as_they_happen_and_a_hang_up_ends_the_feed(tmp_path: Path) -> None:
    async with running(tmp_path) as there:
        async with there.stream(CHANGED, variables={"u": [OTHER]}) as response:
            await there.department.arrived.wait()
            there.department.publish(USCC)
            there.department.publish(OTHER, number=2)
            assert await event(response) == ("next", {"data": {"enterpriseChanged": {"uscc": OTHER, "name": "乙"}}})
            assert (response.status, response.content_type) == (200, "text/event-stream")
        await there.department.left.wait()


async def test_a_text_may_be_named_by_its_hash(tmp_path: Path) -> None:
    known = {"persistedQuery": {"version": 1, "sha256Hash": sha256(CHANGED.encode()).hexdigest()}}
    async with running(tmp_path) as there:
        async with there.stream(None, extensions=known) as response:
            assert response.status == 200
            assert "PersistedQueryNotFound" in await response.text()
        async with there.stream(CHANGED, extensions=known):
            await there.department.arrived.wait()
        await there.department.left.wait()
        there.department.arrived.clear()
        async with there.stream(None, extensions=known) as response:
            await there.department.arrived.wait()
            there.department.publish(USCC)
            assert (await event(response))[1]["data"]["enterpriseChanged"]["uscc"] == USCC


async def test_a_broken_feed_goes_on_where_it_broke(tmp_path: Path) -> None:
    async with running(tmp_path) as there, there.stream(CHANGED) as response:
        await there.department.arrived.wait()
        there.department.publish(USCC, number=7)
        assert (await event(response))[1]["data"]["enterpriseChanged"]["uscc"] == USCC
        there.department.arrived.clear()
        there.department.send(None)  # the department ends the connection
        await asyncio.wait_for(there.department.arrived.wait(), 5)
        assert [headers.get("Last-Event-ID") for headers in there.department.seen] == [None, "7"]
        there.department.publish(OTHER, number=8)
        assert (await event(response))[1]["data"]["enterpriseChanged"]["uscc"] == OTHER


async def test_an_event_that_cannot_be_read_harms_no_other(tmp_path: Path) -> None:
    async with running(tmp_path) as there, there.stream(CHANGED) as response:
        await there.department.arrived.wait()
        there.department.send("event: changed\ndata: <html>\n\n")
        there.department.publish(USCC)
        name, body = await event(response)
        assert (name, body["data"], body["errors"][0]["extensions"]["code"]) == ("next", {"enterpriseChanged": None}, "SYSTEM_BROKEN")
        assert (await event(response))[1]["data"]["enterpriseChanged"]["uscc"] == USCC


async def test_a_query_is_one_event_and_the_end(tmp_path: Path) -> None:
    async with running(tmp_path) as there:
        async with there.stream(f'{{ enterprise(uscc: "{USCC}") {{ name }} }}') as response:
            assert await event(response) == ("next", {"data": {"enterprise": {"name": "甲"}}})
            assert await event(response) == ("complete", None)
        parameters = {"query": "{ __typename }"}
        async with there.session.get(there.url, params=parameters, headers={"accept": "text/event-stream"}) as response:
            assert await event(response) == ("next", {"data": {"__typename": "Query"}})


@pytest.mark.parametrize(
    ("payload", "headers", "status", "code"),
    [
        ({"query": "subscription {"}, {}, 400, "GRAPHQL_PARSE_FAILED"),
        ({"query": "subscription { nothing }"}, {}, 400, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": ""}, {}, 400, "BAD_REQUEST"),
        ({"query": "{ __typename }"}, {"authorization": "Bearer nonsense"}, 401, "UNAUTHENTICATED"),
        ({"query": "{ __typename }"}, {"content-type": "text/plain"}, 415, "BAD_REQUEST"),
        ({"query": 'mutation { rename(uscc: "91330106MA2AXK0T11", name: "x") { uscc } }'}, {}, 200, "FORBIDDEN"),
    ],
)
async def test_what_cannot_be_run_is_told_by_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payload: dict[str, Any], headers: dict[str, str], status: int, code: str
) -> None:
    monkeypatch.setattr(sse, "GRACE", 20.0)  # that it cannot be run takes longer to find out on a busy machine
    async with running(tmp_path) as there:
        given = {"accept": "text/event-stream", "content-type": "application/json", **headers}
        async with there.session.post(there.url, data=orjson.dumps(payload), headers=given) as response:
            assert response.status == status
            body = (await event(response))[1] if status == 200 else orjson.loads(await response.read())
            assert [error["extensions"]["code"] for error in body["errors"]] == [code]


async def test_a_get_changes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as there:
        query = f'mutation {{ rename(uscc: "{USCC}", name: "x") {{ uscc }} }}'
        given = {"accept": "text/event-stream", "authorization": there.token}
        async with there.session.get(there.url, params={"query": query}, headers=given) as response:
            assert response.status == 400
        assert there.department.log == []


async def test_silence_is_filled_with_comments(tmp_path: Path) -> None:
    async with running(tmp_path) as there:
        events = there.hub.endpoint.events
        assert isinstance(events, Events)
        events._keep_alive = 0.02
        async with there.stream(CHANGED) as response:
            assert await response.content.readuntil(b"\n\n") == b":\n\n"


async def test_a_client_that_is_switched_off_hears_why_and_no_more(tmp_path: Path) -> None:
    async with running(tmp_path) as there, there.stream(CHANGED, token=await token(there.hub, "other")) as response:
        await there.department.arrived.wait()
        await there.hub.store.disable_client("other")
        await there.hub.verifier._refresh(0)
        there.department.publish(USCC)
        name, body = await event(response)
        assert (name, [error["extensions"]["code"] for error in body["errors"]]) == ("next", ["UNAUTHENTICATED"])
        assert await event(response) == ("complete", None)


async def test_a_stopping_hub_ends_its_streams(tmp_path: Path) -> None:
    async with running(tmp_path) as there, there.stream(CHANGED) as response:
        await there.department.arrived.wait()
        there.server.stop()
        name, body = await event(response)
        assert (name, body["errors"][0]["extensions"]["code"]) == ("next", "SHUTTING_DOWN")
        assert await event(response) == ("complete", None)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (b"text/event-stream", True),
        (b"text/event-stream, application/json;q=0.9", True),
        (b"application/json, text/event-stream;q=0.5", False),
        (b"*/*", False),
        (b"text/event-stream;q=0", False),
        (None, False),
    ],
)
def test_who_wants_events(accept: bytes | None, wanted: bool) -> None:
    assert wants_events(accept) is wanted
