"""What XML makes possible beyond the faults of every kind (``tests/faults``): bombs, references to elsewhere, depth, and what a service
that is half well sends. Each is a coded error or a right answer, and asks nobody and nothing else.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from connectors.http import Answer
from connectors.soap import SoapConnector, SoapSettings
from connectors.soap.envelope import SOAP_11, parse
from connectors.soap.values import reader, rows_at
from connectors.spi import Ask, Call, Field, Options, Relation, SourceError
from tests.connectors import soap_service as service
from tests.connectors.loopback import served

BODY = "<a><r><n>{}</n></r></a>"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
LIST = Relation("list", (Field("id", "nr"),), Options({"operation": "list", "at": "return.zz"}))


def sent(body: str, *, head: str = "", status: int = 200) -> Answer:
    text = f'{head}<s:Envelope xmlns:s="{SOAP_11}"><s:Body>{body}</s:Body></s:Envelope>'
    return Answer(status, {"Content-Type": "text/xml; charset=utf-8"}, text.encode())


def refused(answer: Answer) -> SourceError:
    with pytest.raises(SourceError) as caught:
        parse(answer)
    assert caught.value.kind == "broken"
    return caught.value


@pytest.mark.parametrize(
    "head",
    [
        f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1:1/e.dtd"> %e;]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<?xml version="1.0"?><!-- a comment --><?pi a?>\n<!DOCTYPE x>',
    ],
    ids=["billion laughs", "a file", "a parameter entity", "an external subset", "after comments"],
)
def test_a_document_type_is_refused_before_anything_of_it_is_read(head: str) -> None:
    tracemalloc.start()
    try:
        found = refused(sent(BODY.format("&l9;&e;"), head=head))
        assert tracemalloc.get_traced_memory()[1] < 2**20, "nothing of it grew"
    finally:
        tracemalloc.stop()
    assert "document type" in found.detail


def test_an_entity_without_a_document_type_is_no_xml() -> None:
    refused(sent(BODY.format("&e;")))


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "gb18030"])
def test_a_document_type_in_another_charset_is_refused_too(charset: str) -> None:
    text = sent(BODY.format("&l1;"), head='<!DOCTYPE x [<!ENTITY l1 "x">]>').body.decode()
    refused(Answer(200, {"Content-Type": f"text/xml; charset={charset}"}, text.encode(charset)))


def test_the_words_of_a_document_type_within_a_text_are_a_text() -> None:
    payload = parse(sent(BODY.format("<![CDATA[<!DOCTYPE html><p>公告</p>]]>"))).payload
    assert [*map(reader(Field("n", "n")), rows_at(payload, ("r",), False))] == ["<!DOCTYPE html><p>公告</p>"]


def test_an_inclusion_is_an_element_like_any_other() -> None:
    body = BODY.format('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" parse="text"/>')
    (value,) = map(reader(Field("n", "n")), rows_at(parse(sent(body)).payload, ("r",), False))
    assert value == {"include": ""}


@pytest.mark.parametrize("depth", [3_000, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    refused(sent("<d>" * depth + "</d>" * depth))


def test_nesting_that_a_parser_still_takes_is_no_value() -> None:
    answer = sent(BODY.format("<d>" * 200 + "</d>" * 200))
    with pytest.raises(SourceError, match="nested too deeply"):
        reader(Field("n", "n"))(rows_at(parse(answer).payload, ("r",), False)[0])


def test_a_text_of_many_megabytes_is_refused() -> None:
    refused(sent(BODY.format("x" * 11_000_000)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"<a/>",
        b"\xff\xfe",
        b"<html><body>x</body></html>",
        b'{"code": 0}',
        b"<a b='1' b='2'/>",
        b"<a>\x01</a>",
        b"<a>\xc3\x28</a>",
    ],
)
def test_what_is_no_envelope_is_refused(body: bytes) -> None:
    refused(Answer(200, {"Content-Type": "text/xml"}, body))


@asynccontextmanager
async def asked(folder: Path, answer: Callable[[int], web.StreamResponse]) -> AsyncIterator[SoapConnector]:
    """A connector to a service that gives one answer after the other."""
    count = iter(range(1_000_000))

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        return answer(next(count))

    (folder / "zz.wsdl").write_text(service.wsdl("http://dept.example/ws"), encoding="utf-8")
    (folder / "zz.xsd").write_text(service.XSD, encoding="utf-8")
    async with served(web.post("/ws", handle)) as base:
        connector = SoapConnector(SoapSettings.of({"wsdl": "zz.wsdl", "beside": str(folder), "url": f"{base}/ws"}))
        try:
            yield connector
        finally:
            await connector.close()


async def one(connector: SoapConnector) -> list[object]:
    plan = connector.plan(Ask("list", ("id",)), LIST)
    return [value async for page in connector.fetch(plan, Call()) for value in page.columns["id"]]


def well(_: int) -> web.Response:
    row = {"id": "1", "holder": None, "name": "一", "level": 1, "issuedOn": None}
    return web.Response(body=service.envelope("1.1", service.answered([row])), content_type="text/xml")


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (401, {}, "", "denied"),
        (429, {"Retry-After": "7"}, "", "busy"),
        (503, {"Retry-After": "7"}, "<f>", "down"),
        (500, {}, "java.lang.NullPointerException", "broken"),
        (302, {"Location": "http://127.0.0.1:1/login"}, "", "config"),
        (200, {}, "<html>系统维护中</html>", "broken"),
        (404, {}, "<html>404</html>", "invalid"),
    ],
)
async def test_what_a_status_says_without_a_fault(tmp_path: Path, status: int, headers: dict[str, str], body: str, kind: str) -> None:
    async with asked(tmp_path, lambda _: web.Response(status=status, headers=headers, text=body)) as connector:
        with pytest.raises(SourceError) as caught:
            await one(connector)
    assert caught.value.kind == kind
    assert caught.value.retry_after == (7.0 if "Retry-After" in headers else None)


async def test_a_status_that_says_more_than_its_fault_counts(tmp_path: Path) -> None:
    fault = sent("<s:Fault><faultcode>s:Server</faultcode><faultstring>busy</faultstring></s:Fault>").body
    async with asked(tmp_path, lambda _: web.Response(status=429, body=fault, content_type="text/xml")) as connector:
        with pytest.raises(SourceError) as caught:
            await one(connector)
    assert caught.value.kind == "busy"


async def test_after_a_bad_answer_a_good_one_is_read(tmp_path: Path) -> None:
    def answer(number: int) -> web.Response:
        return web.Response(text="<oops", content_type="text/xml") if number == 0 else well(number)

    async with asked(tmp_path, answer) as connector:
        with pytest.raises(SourceError):
            await one(connector)
        assert await one(connector) == ["1"]


async def test_many_at_once_read_the_wsdl_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.open
    opened: list[str] = []

    def noted(path: Path, *arguments: str) -> object:
        opened.append(path.name)
        return read(path, *arguments)  # type: ignore[call-overload]  # as it came

    async with asked(tmp_path, well) as connector:
        monkeypatch.setattr(Path, "open", noted)
        assert await asyncio.gather(*(one(connector) for _ in range(8))) == [["1"]] * 8
    assert sorted(opened) == ["zz.wsdl", "zz.xsd"]


async def test_a_cancelled_first_call_leaves_the_next_one_well(tmp_path: Path) -> None:
    async with asked(tmp_path, well) as connector:
        first = asyncio.ensure_future(one(connector))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait({first})
        assert await one(connector) == ["1"]
