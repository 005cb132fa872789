"""REST: how keys get into an address, what an odd answer means."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from connectors.rest import RestConnector, RestSettings
from connectors.rest.template import parse
from connectors.spi import Ask, Call, Condition, Field, Options, Page, Plan, Relation, SourceError
from tests.connectors.loopback import served

KEY, NAME = Field("uscc", "dm"), Field("name", "mc")


def relation(native: Mapping[str, Any], fields: tuple[Field, ...] = (KEY, NAME), most: int = 0, **more: Any) -> Relation:
    return Relation("r", fields, Options(native), keys=("uscc",) if most else (), max_keys=most, **more)


@asynccontextmanager
async def asked(*answers: Any, **settings: Any) -> AsyncIterator[tuple[RestConnector, list[str]]]:
    """A connector to a source that gives ``answers`` in turn, and the addresses it is asked at."""
    seen: list[str] = []
    rest = list(answers)

    async def reply(request: web.Request) -> web.Response:
        seen.append(request.raw_path + (" " + (await request.text()) if request.method == "POST" else ""))
        answer = rest.pop(0) if rest else None
        return answer if isinstance(answer, web.Response) else web.Response(body=orjson.dumps(answer), content_type="application/json")

    async with served(web.route("*", "/{any:.*}", reply)) as base:
        connector = RestConnector(RestSettings.of({"base": base + "/api", **settings}))
        try:
            yield connector, seen
        finally:
            await connector.close()


async def fetched(connector: RestConnector, plan: Plan, **call: Any) -> Page:
    """All pages as one."""
    pages = [page async for page in connector.fetch(plan, Call(**call))]
    columns = {one.name: [value for page in pages for value in page.columns[one.name]] for one in plan.fields}
    faults = {key: fault for page in pages for key, fault in page.faults.items()}
    return Page(columns, sum(page.size for page in pages), pages[0].total, faults, pages[0].max_age)


@pytest.mark.parametrize("said", ["application/json", "text/plain; charset=ISO-8859-1", "application/json; charset=utf-8"])
async def test_a_source_that_does_not_know_its_own_charset(said: str) -> None:
    """Packed, and in a national charset: ``charset`` counts, not what the answer says."""
    body = gzip.compress('[{"dm": "A", "mc": "㐀镕𠮷市"}]'.encode("gb18030"))
    answer = web.Response(body=body, headers={"Content-Type": said, "Content-Encoding": "gzip"})
    async with asked(answer, charset="GB18030") as (connector, _):
        found = await fetched(connector, connector.plan(Ask("r", ("uscc", "name")), relation({"path": "/"})))
    assert found.columns["name"] == ["㐀镕𠮷市"]


async def test_a_charset_that_is_none_is_refused() -> None:
    for name in ("klingon", "base64"):
        with pytest.raises(SourceError, match=f"no charset '{name}'"):
            RestConnector(RestSettings.of({"base": "http://dept.example", "charset": name}))


async def test_packed_or_not_the_limit_is_of_what_is_read() -> None:
    """16 MiB of blanks are 16 KiB on the way."""
    bomb = gzip.compress(b'{"rows": []' + b" " * 2**24 + b"}")
    answers = [web.Response(body=bomb, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}) for _ in range(2)]
    assert len(bomb) < 20_000
    async with asked(*answers, maxBytes=2**20) as (connector, _):
        plan = connector.plan(Ask("r", ("uscc",)), relation({"path": "/", "at": "rows"}))
        with pytest.raises(SourceError, match="too large") as caught:
            await fetched(connector, plan)
    assert caught.value.kind == "broken"


def by_key(connector: RestConnector, one: Relation) -> Plan:
    return connector.plan(Ask("r", ("name",), by=("uscc",)), one)


async def test_a_batch_is_one_call() -> None:
    one = relation({"path": "/list?dm={keys}", "at": "data", "batch": {"by": "uscc", "match": "dm", "max": 50}}, most=50)
    async with asked({"data": [{"dm": "B", "mc": "b"}, {"dm": "A", "mc": "a"}, {"dm": "A", "mc": "a2"}]}) as (connector, seen):
        page = await fetched(connector, by_key(connector, one), keys=[("A",), ("B",), ("C&D=中",)])
    assert seen == ["/api/list?dm=A,B,C%26D%3D%E4%B8%AD"]
    assert page.columns == {"uscc": ["B", "A", "A"], "name": ["b", "a", "a2"]}


async def test_a_page_tells_how_many_bytes_it_was() -> None:
    one = relation({"path": "/list?dm={keys}", "at": "data", "batch": {"by": "uscc", "match": "dm", "max": 50}}, most=50)
    body = {"data": [{"dm": "A", "mc": "中"}]}
    async with asked(body) as (connector, _):
        pages = [page async for page in connector.fetch(by_key(connector, one), Call(keys=[("A",)]))]
    assert [page.bytes for page in pages] == [len(orjson.dumps(body))]


async def test_a_single_key_is_filled_in() -> None:
    one = relation({"path": "/one/{uscc}", "at": "data"}, (Field("uscc", ""), NAME), most=1)
    async with asked({"data": {"mc": "a"}}) as (connector, seen):
        page = await fetched(connector, by_key(connector, one), keys=[("A/B ",)])
    assert (seen, page.columns) == (["/api/one/A%2FB%20"], {"uscc": ["A/B "], "name": ["a"]})


async def test_a_key_of_two_fields_is_asked_singly() -> None:
    fields = (Field("station", ""), Field("day", "rq"), NAME)
    one = Relation("r", fields, Options({"path": "/s/{station}?d={day}"}), keys=("station", "day"), max_keys=1)
    async with asked([{"rq": "1", "mc": "x"}]) as (connector, seen):
        plan = connector.plan(Ask("r", ("name",), by=("station", "day")), one)
        page = await fetched(connector, plan, keys=[("S", "1")])
    assert (seen, page.columns) == (["/api/s/S?d=1"], {"station": ["S"], "day": ["1"], "name": ["x"]})


async def test_a_body_takes_the_keys_as_a_list() -> None:
    body = {"q": {"ids": "{keys}", "by": "dm:{keys}"}, "n": 1}
    one = relation({"path": "/find", "method": "POST", "body": body, "batch": {"match": "dm"}}, most=50)
    async with asked([]) as (connector, seen):
        await fetched(connector, by_key(connector, one), keys=[('A"',), (2,)])
    assert seen == ['/api/find {"q":{"ids":["A\\"",2],"by":"dm:A\\",2"},"n":1}']


async def test_pages_of_a_body_are_asked_for_in_the_body() -> None:
    one = relation(
        {"path": "/find", "method": "POST", "body": "{}", "at": "rows", "page": {"style": "PAGE", "page": "no", "limit": "n", "size": 2}}
    )
    async with asked({"rows": [{"dm": 1}]}, {"rows": []}) as (connector, seen):
        await fetched(connector, connector.plan(Ask("r", ("uscc",)), one))
    assert seen == ['/api/find {"no":1,"n":2}', '/api/find {"no":2,"n":2}']


async def test_nothing_given_nothing_sent() -> None:
    """A pair of the query whose parameter was not given falls away."""
    one = relation({"path": "/list?kind=1&since={since}&till={till}"}, args=("since", "till"))
    async with asked([], []) as (connector, seen):
        plan = connector.plan(Ask("r", ("uscc",), args=("since", "till")), one)
        await fetched(connector, plan, params={"since": "2024-01-01", "till": None})
        await fetched(connector, plan)
    assert seen == ["/api/list?kind=1&since=2024-01-01", "/api/list?kind=1"]


async def test_a_path_without_its_value_is_refused() -> None:
    one = relation({"path": "/list/{area}"}, args=("area",))
    async with asked() as (connector, seen):
        with pytest.raises(SourceError) as caught:
            await fetched(connector, connector.plan(Ask("r", ("uscc",), args=("area",)), one))
    assert (caught.value.kind, seen) == ("invalid", [])


async def test_a_filter_goes_into_the_address_once() -> None:
    one = relation({"path": "/list?mc={name}"}, where=Options({"name": ["EQ", "IN"], "uscc": ["EQ"]}))
    async with asked([]) as (connector, seen):
        plan = connector.plan(Ask("r", ("uscc",), where=(Condition("name", "EQ", "n"), Condition("uscc", "EQ", "u"))), one)
        assert [c.field for c in plan.ask.where] == ["name"]
        twice = connector.plan(Ask("r", ("uscc",), where=(Condition("name", "EQ", "n"), Condition("name", "EQ", "m"))), one)
        assert (twice.ask.where, len(twice.rest.where)) == ((), 2)
        await fetched(connector, plan, params={"n": "证 照"})
        assert seen == ["/api/list?mc=%E8%AF%81%20%E7%85%A7"]
        assert (await fetched(connector, plan, params={"n": None})).size == 0
    assert len(seen) == 1  # nothing equals null: nobody was asked


@pytest.mark.parametrize("keys", [[("",)], [(None,)]])
async def test_an_empty_key_asks_nobody(keys: list[tuple[Any]]) -> None:
    """An empty parameter means "all" to many departments."""
    one = relation({"path": "/list?dm={keys}", "batch": {"match": "dm"}}, most=50)
    async with asked([{"dm": "everybody"}]) as (connector, seen):
        assert (await fetched(connector, by_key(connector, one), keys=keys)).size == 0
    assert seen == []


@pytest.mark.parametrize(
    ("bad", "path"), [("a,b", "/list?dm={keys}"), ("\ud800", "/list?dm={keys}"), ("..", "/one/{uscc}"), (".", "/one/{uscc}")]
)
async def test_a_key_that_cannot_be_sent_is_a_fault(bad: str, path: str) -> None:
    one = relation({"path": path, "batch": {"match": "dm"}}, most=50 if "keys" in path else 1)
    async with asked([{"dm": "A", "mc": "a"}]) as (connector, seen):
        keys = [("A",), (bad,)][-one.max_keys :]
        page = await fetched(connector, by_key(connector, one), keys=keys)
    assert [(key, fault.kind) for key, fault in page.faults.items()] == [((bad,), "invalid")]
    assert page.columns["uscc"] == (["A"] if len(seen) == 1 else [])


async def test_more_keys_than_declared_are_refused() -> None:
    one = relation({"path": "/list?dm={keys}", "batch": {"match": "dm"}}, most=2)
    async with asked() as (connector, _):
        with pytest.raises(SourceError, match="takes 2 keys at once, not 3"):
            await fetched(connector, by_key(connector, one), keys=[("A",), ("B",), ("C",)])


@given(st.lists(st.text(min_size=1).filter(lambda text: "," not in text), min_size=1, max_size=5))
def test_any_text_stays_in_its_place(keys: list[str]) -> None:
    """Whatever a key holds, the address has the same path, the same pairs, and the keys come out as they went in."""
    try:
        target = parse("/a/{x}/b?k={keys}&z=1").target({"x": "one", "keys": keys})
    except ValueError:
        assert any("\ud800" <= c <= "\udfff" for key in keys for c in key)
        return
    path, _, query = target.partition("?")
    pairs = [pair.split("=") for pair in query.split("&")]
    assert (path, [pair[0] for pair in pairs], pairs[1][1]) == ("/a/one/b", ["k", "z"], "1")
    assert [unquote(key) for key in pairs[0][1].split(",")] == keys
    assert target.isascii()


@pytest.mark.parametrize(
    "document", [{"data": None}, {"data": {}}, {"data": {"list": []}}, {"data": {"list": None}}, {"data": {"list": [None]}}, {}, []]
)
async def test_nothing_there_is_no_rows(document: Any) -> None:
    async with asked(document) as (connector, _):
        assert (await fetched(connector, connector.plan(Ask("r", ("uscc",)), relation({"path": "/", "at": "data.list"})))).size == 0


@pytest.mark.parametrize("found", ["text", 1, True, ["text"], [[1]], [{"dm": 1}, 2]])
async def test_rows_that_are_no_objects_are_broken(found: Any) -> None:
    async with asked({"data": found}) as (connector, _):
        with pytest.raises(SourceError, match="not objects") as caught:
            await fetched(connector, connector.plan(Ask("r", ("uscc",)), relation({"path": "/", "at": "data"})))
    assert caught.value.kind == "broken"


async def test_bare_values_are_rows_where_the_path_says_so() -> None:
    async with asked({"data": ["A", "B"]}) as (connector, _):
        found = await fetched(connector, connector.plan(Ask("r", ("uscc",)), relation({"path": "/", "at": "data"}, (Field("uscc", "$"),))))
    assert found.columns == {"uscc": ["A", "B"]}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"code": "40401"}, None),
        ({"code": 40401, "data": {"dm": "A"}}, None),
        ({"code": "500"}, "broken"),
        ({"code": "E9"}, "invalid"),
        (web.Response(status=404, text="<html>"), None),
        (web.Response(status=404, text='{"code": "E9"}'), "invalid"),
        (web.Response(status=500, text='{"code": "E9"}'), "invalid"),
        (web.Response(status=500, text="oops"), "broken"),
        (web.Response(status=503, text="oops"), "down"),
        (web.Response(status=204), None),
    ],
)
async def test_a_departments_own_errors_come_first(answer: Any, kind: str | None) -> None:
    errors = [
        {"when": "$.code == '40401'", "code": "NOT_FOUND"},
        {"when": "$.code in ['500', '501']", "code": "BROKEN"},
        {"when": "$.code == 'E9'", "code": "E9"},
        {"when": "status == 404", "code": "NOT_FOUND"},
    ]
    async with asked(answer, errors=errors) as (connector, _):
        plan = connector.plan(Ask("r", ("uscc",)), relation({"path": "/", "at": "data"}))
        if kind is None:
            assert (await fetched(connector, plan)).size == 0
            return
        with pytest.raises(SourceError) as caught:
            await fetched(connector, plan)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("native", "most", "word"),
    [
        ({"path": "/x?k={uscx}"}, 1, r"'\{uscx\}' .* \(did you mean 'uscc'\?\)"),
        ({"path": "/x?k={uscc}"}, 5, r"a batch needs '\{keys\}'"),
        ({"path": "/x?k={keys}"}, 5, "a batch needs 'match'"),
        ({"path": "/x?k={keys}", "page": {"style": "CURSOR"}}, 1, "needs 'next'"),
        ({"path": "/x?k={keys}", "method": "POST", "page": {"style": "LINK"}}, 1, "LINK needs method GET"),
        ({"path": "/x?k={keys}", "page": {"style": "PAGES"}}, 1, r"did you mean 'PAGE'\?"),
        ({"path": "/x?k={keys}", "page": {"style": "PAGE", "size": 0}}, 1, "at least 1"),
        ({"path": "/x?k={keys}", "paeg": {}}, 1, r"unknown setting 'r.paeg' \(did you mean 'page'\?\)"),
        ({"path": "/x", "method": "POST", "body": "{keys"}, 1, "body is not JSON"),
        ({"path": "/x?k={keys}", "at": "a..b"}, 1, "unexpected '.'"),
        ({}, 1, "'r.path' is missing"),
    ],
)
async def test_a_manifests_fault_is_named(native: dict[str, Any], most: int, word: str) -> None:
    async with asked() as (connector, seen):
        with pytest.raises(SourceError, match=word) as caught:
            by_key(connector, relation(native, (Field("uscc", ""), NAME), most))
    assert (caught.value.kind, seen) == ("config", [])


async def test_what_is_asked_by_key_is_not_asked_without() -> None:
    async with asked() as (connector, _):
        with pytest.raises(SourceError, match="by key alone"):
            connector.plan(Ask("r", ("uscc",)), relation({"path": "/x?k={keys}", "batch": {"match": "dm"}}, most=5))


@pytest.mark.parametrize(
    ("status", "health", "kind"), [(200, "", None), (404, "", None), (404, "/well", "invalid"), (401, "", "denied"), (503, "", "down")]
)
async def test_describing_is_a_check(status: int, health: str, kind: str | None) -> None:
    async with asked(web.Response(status=status), health=health) as (connector, seen):
        if kind is None:
            assert (await connector.describe()).relations == ()
        else:
            with pytest.raises(SourceError) as caught:
                await connector.describe()
            assert caught.value.kind == kind
    assert seen == [f"/api{health or '/'}"]


async def test_a_plan_reads_well() -> None:
    one = relation({"path": "/list?dm={keys}&zt={state}", "batch": {"match": "dm"}}, most=50, args=("state",))
    async with asked() as (connector, _):
        assert by_key(connector, one).text == "GET /list?dm={keys}&zt={state} -> r by uscc [name]"


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Once", None])
async def test_a_write_s_key_travels_in_the_header_that_its_place_names(header: str | None) -> None:
    place = {"path": "/returns", "method": "POST", "at": "data", **({"idempotency": {"header": header}} if header else {})}
    keys: list[dict[str, str]] = []

    async def reply(request: web.Request) -> web.Response:
        keys.append({name: value for name, value in request.headers.items() if value == "k1"})
        return web.json_response({"data": {"mc": "a"}})

    async with served(web.post("/returns", reply)) as base:
        connector = RestConnector(RestSettings.of({"base": base}))
        plan = connector.plan(Ask("r", ("name",)), relation(place, (NAME,), effect="write"))
        await fetched(connector, plan, idempotency_key="k1")
        await connector.close()
    assert keys == [{header: "k1"} if header else {}]
