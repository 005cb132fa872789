"""A department that announces over NATS, through the whole hub: asked by key, listed, followed, and there again after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import orjson

from auth.principal import ANONYMOUS, Principal
from hub.answer import Answer
from hub.app import Hub
from hub.application import application
from hub.environment import environment
from schema.identifiers import complete_uscc, organisation_code
from tests.connectors.brokers import Subject, address, between, subject
from tests.connectors.loopback import nobody
from tests.serve.small import post
from tests.test_app import config, manifest

A, B, C = (complete_uscc(f"91330100{organisation_code(f'MA2{i:05d}')}") for i in range(3))
TEXT = """\
extend schema @system(name: "gazette", title: "登记公告", owner: "省市场监督管理局") @stream(url: "${{GAZETTE_URL}}", keep: {{count: 1000}})
type Enterprise @key(fields: "uscc") @topic(path: "{topic}.news", at: "data", order: "n") @entity(existence: ANCHOR, coverage: COMPLETE) {{
  uscc: USCC! @from(path: "dm") @sort
  name: String @from(path: "mc") @filter(ops: [EQ, PREFIX]) @sort
}}
type Subscription {{
  enterpriseChanged(uscc: [USCC!]): Enterprise @topic(path: "{topic}.news")
}}
"""


def body(uscc: str, name: str, n: int) -> bytes:
    return orjson.dumps({"data": {"dm": uscc, "mc": name, "n": n}})


def opened(home: Path, topic: Subject, url: str) -> Any:
    manifest(home / "systems", system="gazette", text=TEXT.format(topic=topic.name))
    made = config(home)
    return Hub.open(made, environment(made, {"GAZETTE_URL": url}), address="http://127.0.0.1:8000")


async def asked(hub: Hub, query: str) -> Any:
    return (await post(application(hub), {"query": query})).json


ONE = f'{{ enterprise(uscc: "{A}") {{ uscc name }} }}'
LIST = '{ enterprises(filter: {name: {prefix: "杭"}}, orderBy: {field: USCC}) { nodes { name } totalCount } }'


async def test_what_was_announced_is_asked_for_like_anything_else(tmp_path: Path) -> None:
    async with subject(address("HUB_TEST_NATS")) as topic:
        await topic.publish(body(A, "杭州一", 2), body(A, "旧名", 1), body(B, "宁波二", 1), body(C, "杭州三", 1))
        async with opened(tmp_path, topic, address("HUB_TEST_NATS")) as hub:
            assert await asked(hub, ONE) == {"data": {"enterprise": {"uscc": A, "name": "杭州一"}}}
            names = [{"name": name} for _, name in sorted([(A, "杭州一"), (C, "杭州三")])]
            assert await asked(hub, LIST) == {"data": {"enterprises": {"nodes": names, "totalCount": 2}}}


async def test_a_hub_that_starts_while_the_broker_is_away_answers_from_what_it_kept(tmp_path: Path) -> None:
    async with subject(address("HUB_TEST_NATS")) as topic:
        await topic.publish(body(A, "杭州一", 1))
        async with opened(tmp_path, topic, address("HUB_TEST_NATS")) as hub:
            assert (await asked(hub, ONE))["data"]["enterprise"]["name"] == "杭州一"
        async with opened(tmp_path, topic, f"nats://127.0.0.1:{nobody()}") as hub:
            assert await asked(hub, ONE) == {"data": {"enterprise": {"uscc": A, "name": "杭州一"}}}


async def test_subscribers_are_told_of_what_changes(tmp_path: Path) -> None:
    async def who() -> Principal:
        return ANONYMOUS

    async def told(answers: AsyncGenerator[Answer, None]) -> Any:
        async with asyncio.timeout(20):
            return orjson.loads((await anext(answers)).body)["data"]

    async with subject(address("HUB_TEST_NATS")) as topic, between(address("HUB_TEST_NATS")) as broker:
        await topic.publish(body(A, "杭州一", 1))
        async with opened(tmp_path, topic, f"nats://127.0.0.1:{broker.port}") as hub:
            await asked(hub, ONE)
            text = f'subscription {{ enterpriseChanged(uscc: "{B}") {{ uscc name }} }}'
            answers = hub.engine.subscribe(hub.engine.parse(text), who=who)
            first = asyncio.ensure_future(told(answers))
            await asyncio.sleep(0.1)  # until the feed stands: what is announced before is no news
            await topic.publish(body(A, "杭州新", 2), body(B, "宁波二", 1))
            assert await first == {"enterpriseChanged": {"uscc": B, "name": "宁波二"}}
            broker.cut()
            await topic.publish(body(B, "宁波新", 2))
            assert await told(answers) == {"enterpriseChanged": {"uscc": B, "name": "宁波新"}}, "nothing is lost when the connection breaks"
            await answers.aclose()
