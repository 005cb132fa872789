"""Answers that are asked about instead of for: what is remembered of them, when they are used again, and by whom."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from connectors.http import Answer, Auth, Endpoint
from connectors.rest import RestConnector, RestSettings
from connectors.spi import Ask, Call, Field, Options, Page, Relation, Secret, SourceError
from connectors.validators import Validators, conditions_of
from schema.registry import Binding
from tests.connectors.loopback import served
from tests.schema.small import clean, manifest

MONDAY = "Mon, 05 Oct 2026 08:00:00 GMT"
TUESDAY = "Tue, 06 Oct 2026 08:00:00 GMT"


@dataclass
class Department:
    """Holds one list. Counts the bodies it has sent, and how it was asked."""

    rows: list[dict[str, str]] = field(default_factory=lambda: [{"dm": "A", "mc": "甲"}])
    tags: bool = True
    times: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    bodies: int = 0
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        sent, since = request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")
        self.asked.append((request.method, sent, since))
        if self.status:
            return web.Response(status=self.status)
        body = web.json_response({"data": self.rows}).body
        assert isinstance(body, bytes)
        tag = f'"{hashlib.sha256(body).hexdigest()[:8]}"'
        headers = {
            **({"ETag": tag} if self.tags else {}),
            **({"Last-Modified": MONDAY, "Date": TUESDAY} if self.times else {}),
            **self.headers,
        }
        if (self.tags and sent == tag) or (self.times and since == MONDAY):
            return web.Response(status=304, headers=headers)
        self.bodies += 1
        return web.Response(body=body, headers=headers, content_type="application/json")

    @asynccontextmanager
    async def asked_by(self, *auths: dict[str, Any], cached: bool = True, **native: Any) -> AsyncIterator[list[Any]]:
        """A question for each of ``auths``, each a system of its own."""
        place = Options({"path": "/list", "at": "data", "cached": cached, **native})
        relation = Relation("r", (Field("uscc", "dm"), Field("name", "mc")), place)
        async with served(web.route("*", "/list", self.answer)) as base:
            connectors = [RestConnector(RestSettings.of({"base": base, **auth})) for auth in auths or ({},)]

            def question(connector: RestConnector) -> Any:
                async def ask(**call: Any) -> Page:
                    (page,) = [page async for page in connector.fetch(connector.plan(Ask("r", ("name",)), relation), Call(**call))]
                    return page

                return ask

            try:
                yield [question(connector) for connector in connectors]
            finally:
                for connector in connectors:
                    await connector.close()


async def test_what_has_not_changed_is_not_sent_again() -> None:
    department = Department()
    async with department.asked_by() as (ask,):
        first, second = await ask(), await ask()
        department.rows.append({"dm": "B", "mc": "乙"})
        third, fourth = await ask(), await ask()
    assert [page.columns["name"] for page in (first, second, third, fourth)] == [["甲"], ["甲"], ["甲", "乙"], ["甲", "乙"]]
    assert (department.bodies, len(department.asked)) == (2, 4)
    assert (second.bytes, fourth.bytes) == (0, 0)
    assert first.bytes


async def test_a_time_of_change_will_do() -> None:
    department = Department(tags=False, times=True)
    async with department.asked_by() as (ask,):
        assert (await ask()).columns == (await ask()).columns
    assert department.asked == [("GET", None, None), ("GET", None, MONDAY)]
    assert department.bodies == 1


async def test_how_long_it_stays_fresh_is_what_was_said_last() -> None:
    department = Department(headers={"Cache-Control": "max-age=5"})
    async with department.asked_by() as (ask,):
        assert (await ask()).max_age == 5.0
        department.headers = {"Cache-Control": "max-age=60"}
        assert (await ask()).max_age == 60.0
        department.headers = {}
        assert (await ask()).max_age == 60.0
    assert department.bodies == 1


async def test_a_place_whose_answers_are_not_kept_is_asked_for_the_whole() -> None:
    department = Department()
    async with department.asked_by(cached=False) as (ask,):
        await ask()
        await ask()
    assert (department.bodies, {sent for _, sent, _ in department.asked}) == (2, {None})


async def test_a_search_by_post_is_not_asked_about() -> None:
    department = Department()
    async with department.asked_by(method="POST", body={"q": "1"}) as (ask,):
        await ask()
        await ask()
    assert (department.bodies, {sent for _, sent, _ in department.asked}) == (2, {None})


async def test_no_credential_sees_what_came_for_another() -> None:
    department = Department()
    ours, theirs = ({"auth": {"kind": "BEARER", "secret": Secret(token)}} for token in ("ours", "theirs"))
    async with department.asked_by(ours, theirs) as (ask_ours, ask_theirs):
        await ask_ours()
        await ask_theirs()
        await ask_ours()
    assert department.bodies == 2
    assert [sent is None for _, sent, _ in department.asked] == [True, True, False]


async def test_a_failure_takes_nothing_away() -> None:
    department = Department()
    async with department.asked_by() as (ask,):
        await ask()
        department.status = 503
        with pytest.raises(SourceError):
            await ask()
        department.status = 0
        assert (await ask()).columns["name"] == ["甲"]
    assert department.bodies == 1


async def test_not_modified_when_nobody_asked_is_broken() -> None:
    department = Department(status=304)
    async with department.asked_by() as (ask,):
        with pytest.raises(SourceError) as caught:
            await ask()
    assert caught.value.kind == "broken"


async def test_a_call_s_own_limit_holds_for_what_is_used_again() -> None:
    department = Department()
    async with department.asked_by() as (ask,):
        await ask()
        with pytest.raises(SourceError, match="too large"):
            await ask(max_bytes=5)


async def test_what_is_closed_leaves_nothing_behind() -> None:
    validators, department = Validators(), Department()
    async with served(web.get("/list", department.answer)) as base:
        one, other = (Endpoint(base, Auth(), {}, max_bytes=1000, validators=validators) for _ in range(2))
        await one.read("/list", Call())
        await other.read("/list", Call())
        half = validators.size / 2
        await one.close()
        assert validators.size == half
        assert (await other.read("/list", Call())).again
        await other.close()
    assert validators.size == 0


def said(body: bytes = b"{}", status: int = 200, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-").title(): value for name, value in headers.items()}, body)


def test_what_is_kept_is_bounded_in_bytes() -> None:
    validators = Validators(limit=100_000)
    for i in range(100):
        validators.put(("e", str(i)), said(b"0" * 5000, etag=f'"{i}"'))
    assert validators.size <= 100_000
    assert validators.get(("e", "0")) is None
    assert validators.get(("e", "99")) is not None
    validators.put(("e", "99"), said(b"0" * 50_000, etag='"large"'))
    assert validators.get(("e", "99")) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (said(etag='"a"'), {"If-None-Match": '"a"'}),
        (said(etag='W/"a"'), {"If-None-Match": 'W/"a"'}),
        (said(last_modified=MONDAY, date=TUESDAY), {"If-Modified-Since": MONDAY}),
        (said(last_modified=MONDAY, date=MONDAY), {}),  # it may change once more within that second
        (said(last_modified=MONDAY), {}),
        (said(last_modified="yesterday", date=TUESDAY), {}),
        (said(etag="bare"), {}),
        (said(etag='"标"'), {}),
        (said(etag='"' + "a" * 2000 + '"'), {}),
        (said(etag='"a"', cache_control="no-store"), {}),
        (said(etag='"a"', cache_control="no-cache"), {"If-None-Match": '"a"'}),
        (said(etag='"a"', vary="*"), {}),
        (said(etag='"a"', status=203), {}),
        (said(), {}),
    ],
)
def test_what_validates_an_answer(answer: Answer, expected: dict[str, str]) -> None:
    assert conditions_of(answer) == expected


LISTS = """
extend type Query { "公告\\nNotices" notices: [Notice!] @grade(level: L1) @get(path: "/notices"%s) }
"公告\\nA notice" type Notice { "标题\\nTitle" title: String @grade(level: L1) }
"""


@pytest.mark.parametrize(
    ("source", "place", "cached"),
    [("", "", False), ("", ', cache: "60s"', True), (', cache: "60s"', "", True), (', cache: "60s"', ', cache: "0s"', False)],
)
def test_a_connector_is_told_where_answers_are_kept(source: str, place: str, cached: bool) -> None:
    made = clean(manifest("s", LISTS % place, f'@rest(base: "${{URL}}"{source})')).registry
    (binding,) = (one for some in made.scans.values() for one in some)
    assert isinstance(binding, Binding)
    assert (bool(binding.cache), binding.relation.native.get("cached", False)) == (cached, cached)
