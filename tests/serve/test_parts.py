"""@defer over a real socket: parts of multipart/mixed where the hub is set so and the client takes them, one answer otherwise."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.answer import Answer
from hub.config import EngineConfig
from hub.serve.multipart import sent, wanted
from tests.serve.streams import USCC, Running, running

QUERY = 'query Later { enterprise(uscc: "%s") { uscc ... @defer(label: "names") { name } } }' % USCC  # noqa: UP031  # braces
PARTS = "multipart/mixed;deferSpec=20220824, application/json;q=0.9"


def parts(body: bytes) -> list[Any]:
    """What a client of the boundary ``-`` reads."""
    preamble, *found, end = body.split(b"\r\n---")
    assert (preamble, end) == (b"", b"--\r\n")
    heads = [part.split(b"\r\n\r\n", 1) for part in found]
    assert {head for head, _ in heads} == {b"\r\ncontent-type: application/json; charset=utf-8"}
    return [orjson.loads(text) for _, text in heads]


async def asked(there: Running, accept: str, query: str = QUERY) -> tuple[str, bytes]:
    async with there.session.post(there.url, json={"query": query}, headers={"accept": accept}) as response:
        return response.content_type, await response.read()


async def test_what_is_deferred_comes_in_a_part_of_its_own(tmp_path: Path) -> None:
    async with running(tmp_path, engine=EngineConfig(incremental=True)) as there:
        kind, body = await asked(there, PARTS)
        assert kind == "multipart/mixed"
        assert parts(body) == [
            {
                "data": {"enterprise": {"uscc": USCC}},
                "pending": [{"id": "0", "path": ["enterprise"], "label": "names"}],
                "hasNext": True,
            },
            {"hasNext": False, "incremental": [{"data": {"name": "甲"}, "id": "0"}], "completed": [{"id": "0"}]},
        ]
        assert there.department.log == [f"read {USCC}"]


async def test_who_takes_no_parts_gets_one_answer(tmp_path: Path) -> None:
    async with running(tmp_path, engine=EngineConfig(incremental=True)) as there:
        kind, body = await asked(there, "application/json")
        assert (kind, orjson.loads(body)) == ("application/json", {"data": {"enterprise": {"uscc": USCC, "name": "甲"}}})
        kind, body = await asked(there, PARTS, QUERY.replace("label:", "if: false, label:"))
        assert (kind, orjson.loads(body)) == ("application/json", {"data": {"enterprise": {"uscc": USCC, "name": "甲"}}})
        kind, body = await asked(there, "multipart/mixed", "{ nothing }")
        assert (kind, orjson.loads(body)["errors"][0]["extensions"]["code"]) == ("application/json", "GRAPHQL_VALIDATION_FAILED")


async def test_a_hub_that_is_not_set_so_answers_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as there:
        kind, body = await asked(there, PARTS)
        assert (kind, orjson.loads(body)) == ("application/json", {"data": {"enterprise": {"uscc": USCC, "name": "甲"}}})


@pytest.mark.parametrize(
    ("accept", "takes"),
    [
        (None, False),
        (b"application/json", False),
        (b"*/*", False),
        (b"multipart/mixed;q=0", False),
        (b"multipart/mixed", True),
        (b"multipart/mixed;incrementalSpec=v0.2, application/json", True),
    ],
)
def test_who_takes_parts(accept: bytes | None, takes: bool) -> None:
    assert wanted(accept) is takes


class Waiting:
    """A rest that never comes."""

    async def next(self) -> Answer | None:
        await asyncio.Event().wait()
        return None

    def failed(self) -> Answer:
        raise AssertionError("nothing has gone wrong")

    def close(self) -> None:
        raise AssertionError("whoever made it closes it")


async def test_who_hangs_up_between_the_parts_is_waited_for_no_longer() -> None:
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    first = Answer(b"{}", True, (), (), (), "Later", "query")
    async with asyncio.timeout(5):
        assert await sent(first, Waiting(), [], receive, send) == first
    assert [message.get("more_body") for message in said] == [None, True]
