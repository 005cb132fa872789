"""SOAP beyond the contract: what goes onto the wire, how answers are read, where a WSDL may come from."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from lxml import etree

from connectors.http import Answer, Exchange, onlooker
from connectors.paths import ABSENT
from connectors.rules import ErrorWord, compile_rules, verdict
from connectors.soap import SoapConnector, SoapSettings
from connectors.soap.envelope import parse
from connectors.soap.values import reader, rows_at
from connectors.spi import Ask, Call, Field, Options, Relation, Secret, SourceError
from tests.connectors import soap_service as service
from tests.connectors.loopback import served

ENVELOPE = '<s:Envelope xmlns:s="{ns}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Body>{body}</s:Body></s:Envelope>'
NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
LIST = Relation("list", (Field("id", "nr"),), Options({"operation": "list", "at": "return.zz"}))
BY_IDS = Relation(
    "byIds", (Field("id", "nr"),), Options({"operation": "byIds", "input": {"ids": {"nr": "{keys}"}}, "at": "return.zz"}), ("id",), 10
)


def answer(body: str, *, version: str = "1.1", charset: str = "utf-8", status: int = 200, **headers: str) -> Answer:
    text = ENVELOPE.format(ns=service.ENVELOPES[version], body=body)
    return Answer(status, {"Content-Type": f"text/xml; charset={charset}", **headers}, text.encode(charset))


def column(body: str, path: str, kind: str = "text", **more: Any) -> list[Any]:
    """The values of one column of the rows ``r`` within the payload."""
    return [*map(reader(Field("c", path, kind, **more)), rows_at(parse(answer(f"<a>{body}</a>")).payload, ("r",), path == "$"))]


@asynccontextmanager
async def asked(
    folder: Path, said: Callable[[], bytes] | None = None, **options: Any
) -> AsyncIterator[tuple[SoapConnector, list[web.Request]]]:
    """A connector to a service that notes what it is asked and answers with no rows, its WSDL in a folder."""
    requests: list[web.Request] = []

    async def answered(request: web.Request) -> web.Response:
        await request.read()
        requests.append(request)
        return web.Response(body=said() if said else service.envelope("1.1", service.answered([])), content_type="text/xml")

    (folder / "zz.wsdl").write_text(service.wsdl("http://dept.example/ws", version=options.pop("version", "1.1")), encoding="utf-8")
    (folder / "zz.xsd").write_text(service.XSD, encoding="utf-8")
    async with served(web.post("/ws", answered)) as base:
        settings = SoapSettings.of({"wsdl": "zz.wsdl", "beside": str(folder), "url": f"{base}/ws", **options})
        connector = SoapConnector(settings, now=lambda: NOW)
        try:
            yield connector, requests
        finally:
            await connector.close()


async def fetched(connector: SoapConnector, relation: Relation, *keys: tuple[Any, ...], **params: Any) -> list[Any]:
    plan = connector.plan(Ask(relation.name, ("id",), by=relation.keys), relation)
    return [value async for page in connector.fetch(plan, Call(params, keys)) for value in page.columns["id"]]


async def content(request: web.Request) -> etree._Element:
    return etree.fromstring(await request.read())


# ---- the request


async def test_keys_are_elements_and_values_are_escaped(tmp_path: Path) -> None:
    async with asked(tmp_path) as (connector, requests):
        await fetched(connector, BY_IDS, ("<a>&'\"",), ("]]>",), ("换\r\n行",))
        assert [one.text for one in (await content(requests[0])).iter("{*}nr")] == ["<a>&'\"", "]]>", "换\r\n行"]


async def test_soap_11_names_its_action_in_a_header_and_soap_12_in_the_content_type(tmp_path: Path) -> None:
    async with asked(tmp_path) as (connector, requests):
        await fetched(connector, LIST)
        assert requests[0].headers["SOAPAction"] == f'"{service.URN}#list"'
        assert requests[0].headers["Content-Type"] == "text/xml; charset=utf-8"
    async with asked(tmp_path, version="1.2") as (connector, requests):
        await fetched(connector, LIST)
        assert "SOAPAction" not in requests[0].headers
        assert requests[0].headers["Content-Type"] == f'application/soap+xml; charset=utf-8; action="{service.URN}#list"'
        assert (await content(requests[0])).tag == f"{{{service.ENVELOPES['1.2']}}}Envelope"


async def test_headers_of_soap_carry_secrets_that_an_onlooker_does_not_see(tmp_path: Path) -> None:
    header = {"AppHeader": {"appId": "hub", "appKey": {"secret": Secret("geheim-4711")}}}
    told: list[Exchange] = []
    onlooker.set(told)
    async with asked(tmp_path, header=header) as (connector, requests):
        await fetched(connector, LIST)
        assert (await content(requests[0])).findtext(".//{*}Header/{*}AppHeader/{*}appKey") == "geheim-4711"
    assert told[0].sent is not None
    assert (b"hub" in told[0].sent, b"geheim-4711" in told[0].sent) == (True, False)


async def test_a_header_that_the_wsdl_does_not_know_is_refused_by_name(tmp_path: Path) -> None:
    async with asked(tmp_path, header={"AppHeadr": {}}) as (connector, _):
        with pytest.raises(SourceError, match=r"no element 'AppHeadr' for a SOAP header .did you mean 'AppHeader'"):
            await fetched(connector, LIST)


async def test_a_username_token_as_text(tmp_path: Path) -> None:
    security = {"user": Secret("hub"), "secret": Secret("geheim")}
    async with asked(tmp_path, security=security) as (connector, requests):
        await fetched(connector, LIST)
        token = (await content(requests[0])).find(".//{*}Header/{*}Security/{*}UsernameToken")
        assert token is not None
        assert (token.findtext("{*}Username"), token.findtext("{*}Password")) == ("hub", "geheim")


async def test_a_username_token_as_digest(tmp_path: Path) -> None:
    """UsernameToken Profile 1.1: Base64(SHA-1(nonce + created + password))."""
    async with asked(tmp_path, security={"user": "hub", "secret": Secret("geheim"), "password": "DIGEST"}) as (connector, requests):
        await fetched(connector, LIST)
        token = (await content(requests[0])).find(".//{*}UsernameToken")
        assert token is not None
        nonce, created = base64.b64decode(token.findtext("{*}Nonce") or ""), token.findtext("{*}Created") or ""
        assert created == "2026-03-01T08:30:00Z"
        expected = base64.b64encode(hashlib.sha1(nonce + created.encode() + b"geheim").digest()).decode()
        assert token.findtext("{*}Password") == expected


async def test_a_parameter_that_is_not_given_has_no_element(tmp_path: Path) -> None:
    relation = Relation("list", (Field("id", "nr"),), Options({"operation": "list", "input": {"mc": "{name}"}}), args=("name",))
    async with asked(tmp_path) as (connector, requests):
        await fetched(connector, relation, name=None)
        await fetched(connector, relation, name="营业执照")
        assert [(await content(one)).findtext(".//{*}mc") for one in requests] == [None, "营业执照"]


@pytest.mark.parametrize(
    ("native", "said"),
    [
        ({"operation": "lst"}, "the WSDL has no operation 'lst' (did you mean 'list'?)"),
        ({"operation": "list", "input": {"mv": "x"}}, "operation 'list': the input does not fit the WSDL"),
        ({"operation": "byHolder", "input": {}}, "operation 'byHolder': the input does not fit the WSDL"),
        ({"operation": "list", "input": {"mc": "{nmae}"}}, "list: '{nmae}' in the input is neither a key nor an argument"),
    ],
)
async def test_what_does_not_fit_the_wsdl_is_told_by_name(tmp_path: Path, native: Mapping[str, Any], said: str) -> None:
    async with asked(tmp_path) as (connector, requests):
        with pytest.raises(SourceError) as caught:
            await fetched(connector, Relation("list", (Field("id", "nr"),), Options(native)))
        assert (caught.value.kind, caught.value.message) == ("config", said)
        assert requests == []


async def test_keys_of_an_element_that_comes_once_are_joined(tmp_path: Path) -> None:
    native = {"operation": "byHolder", "input": {"czr": "{keys}"}, "batch": {"match": "nr"}}
    relation = Relation("byHolder", (Field("id", "nr"),), Options(native), ("id",), 10)
    async with asked(tmp_path) as (connector, requests):
        plan = connector.plan(Ask("byHolder", ("id",), by=("id",)), relation)
        pages = [page async for page in connector.fetch(plan, Call(keys=[("a",), ("b",), ("c,d",)]))]
        assert [*pages[0].faults] == [("c,d",)]
        assert (await content(requests[0])).findtext(".//{*}czr") == "a,b"


# ---- the answer


def test_nil_missing_and_empty_are_told_apart() -> None:
    rows = '<r><n xsi:nil="true"/></r><r><m/></r><r><n/></r><r><n>x</n></r>'
    assert column(rows, "n") == [None, None, "", "x"]
    assert column(rows.replace(">x<", "> 7 <"), "n", "int") == [None, None, None, 7]


def test_what_a_row_lacks_is_told_from_what_is_nil_in_it() -> None:
    body = '<r><n>1</n><o k="1"/></r><r><n/><o/></r><r><n xsi:nil="true"/><o xsi:nil="true"/></r><r><m>1</m></r>'
    assert column(body, "n", "int", always=True) == [1, None, None, ABSENT]
    assert column(body, "n", "int") == [1, None, None, None]
    assert column(body, "o.@k", always=True) == ["1", ABSENT, None, ABSENT]
    listed = "<r><b><n>1</n><m/></b><b><m/></b></r>"
    assert column(listed, "b", "json", items=(Field("n", "n", always=True),)) == [[{"n": "1"}, {"n": ABSENT}]]
    assert column(body, "b.c", "json", always=True) == [ABSENT] * 4


def test_names_count_and_their_namespaces_do_not() -> None:
    assert column('<q:r xmlns:q="urn:a"><p:n xmlns:p="urn:b">x</p:n></q:r><r xmlns="urn:c"><n>y</n></r>', "n") == ["x", "y"]


def test_attributes_and_nested_elements_by_path() -> None:
    rows = '<r dm="1"><o dm="2" xsi:type="t"><n>x</n></o></r>'
    assert [column(rows, path) for path in ("@dm", "o.@dm", "o.n", "o.@type")] == [["1"], ["2"], ["x"], [None]]


def test_repeated_elements_are_a_list_though_there_be_one_or_none() -> None:
    items = (Field("code", "dm"), Field("kind", "lx.@v"))
    one = '<r><l><e><dm>1</dm><lx v="a"/></e></l></r>'
    found = column(f"{one}<r><l/></r><r><x/></r>", "l.e", "json", items=items)
    assert found == [[{"dm": "1", "lx": {"@v": "a"}}], [], None]
    assert column("<r><t>a</t><t>b</t></r><r><t>a</t></r>", "t", "json") == [["a", "b"], ["a"]]


def test_an_element_that_came_twice_is_not_the_first_of_them() -> None:
    assert column("<r><n>1</n><n>2</n></r>", "n") == [["1", "2"]]


def test_empty_rows_are_none_and_texts_are_no_rows() -> None:
    assert column('<r/><r xsi:nil="true"/><r><n>x</n></r>', "n") == ["x"]
    with pytest.raises(SourceError, match="rows are not objects"):
        column("<r>系统维护中</r>", "n")


def test_dates_lose_the_offset_that_no_date_needs() -> None:
    assert column("<r><d>2024-01-31+08:00</d></r><r><d>2024-01-31</d></r><r><d>待核实</d></r>", "d", "date") == [
        "2024-01-31",
        "2024-01-31",
        "待核实",
    ]


@pytest.mark.parametrize(
    ("said", "declared", "sent", "read"),
    [
        ("", "", "utf-8", True),
        ("GB18030", "", "gb18030", True),
        ("", "GBK", "gb18030", True),
        ("utf-8", "GB2312", "gb18030", True),  # the header is wrong, and the bytes prove it
        ("ISO-8859-1", "utf-8", "utf-8", True),  # what servers add unasked
        ("gb18030", "utf-8", "utf-8", False),  # both can be read, differently
        ("utf-8", "utf-8", "gb18030", False),
        ("", "no-such-set", "utf-8", False),
        ("utf-16", "", "utf-16", True),
    ],
)
def test_charsets(said: str, declared: str, sent: str, read: bool) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    body = (head + ENVELOPE.format(ns=service.ENVELOPES["1.1"], body="<a><r><n>行政许可𠮷</n></r></a>")).encode(sent)
    sent_as = Answer(200, {"Content-Type": f"text/xml; charset={said}" if said else "text/xml"}, body)
    if not read:
        with pytest.raises(SourceError) as caught:
            parse(sent_as)
        assert caught.value.kind == "broken"
        return
    payload = parse(sent_as).payload
    assert payload is not None
    assert payload.findtext(".//n") == "行政许可𠮷"


# ---- faults

OLD = "<s:Fault><faultcode>{code}</faultcode><faultstring>身份证号 330106 不存在</faultstring><detail><c>40401</c></detail></s:Fault>"
NEW = """<s:Fault><s:Code><s:Value>s:{code}</s:Value>{sub}</s:Code><s:Reason><s:Text xml:lang="zh">不存在</s:Text></s:Reason></s:Fault>"""


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("s:Client", 500, "invalid"), ("Client", 400, "invalid"), ("s:Server", 500, "broken"), ("s:Server", 503, "down"),
        ("s:Server.Busy", 500, "busy"), ("s:Server.Timeout", 500, "slow"), ("s:Client.Authentication", 500, "denied"),
        ("wsse:FailedAuthentication", 500, "denied"), ("s:MustUnderstand", 500, "config"), ("s:VersionMismatch", 500, "config"),
        ("自定义", 200, "broken"),
    ],
)  # fmt: skip
def test_what_a_fault_of_soap_11_says(code: str, status: int, kind: str) -> None:
    found = parse(answer(OLD.format(code=code), status=status)).fault(status)
    assert found is not None
    assert found.kind == kind
    assert "330106" not in found.message + found.detail


@pytest.mark.parametrize(
    ("code", "sub", "kind"),
    [("Sender", "", "invalid"), ("Receiver", "", "broken"), ("Sender", "wsse:InvalidSecurity", "denied"), ("Receiver", "a:Busy", "busy")],
)
def test_what_a_fault_of_soap_12_says(code: str, sub: str, kind: str) -> None:
    inner = f"<s:Subcode><s:Value>{sub}</s:Value></s:Subcode>" if sub else ""
    found = parse(answer(NEW.format(code=code, sub=inner), version="1.2", status=500)).fault(500)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    ("when", "body"),
    [
        ("fault.code == 'Client.NoRecord'", OLD.format(code="s:Client.NoRecord")),
        ("$.fault.detail.c == 40401", OLD.format(code="s:Server")),
        ("fault.reason == '不存在'", NEW.format(code="Sender", sub="")),
        ("code == '40401'", "<a><code>40401</code></a>"),
        ("head.code == '40401'", '<a><head><code lang="zh">40401</code></head></a>'),
    ],
)
def test_rules_see_the_payload_and_the_fault(when: str, body: str) -> None:
    version = "1.2" if "s:Code" in body else "1.1"
    rules = compile_rules((ErrorWord(when, "NOT_FOUND"),))
    found = verdict(rules, 500, parse(answer(body, version=version)).document)
    assert found is not None
    assert found.kind == "missing"
    assert verdict(rules, 200, parse(answer("<a><code>0</code></a>")).document) is None


async def test_a_fault_that_means_absent_gives_no_rows(tmp_path: Path) -> None:
    body = ENVELOPE.format(ns=service.ENVELOPES["1.1"], body=OLD.format(code="s:Client")).encode()
    rules = [{"when": "fault.detail.c == '40401'", "code": "NOT_FOUND"}]
    async with asked(tmp_path, lambda: body, errors=rules) as (connector, _):
        assert await fetched(connector, BY_IDS, ("L-1",)) == []
    async with asked(tmp_path, lambda: body) as (connector, _):
        with pytest.raises(SourceError) as caught:
            await fetched(connector, BY_IDS, ("L-1",))
        assert caught.value.kind == "invalid"


# ---- the WSDL


async def test_the_catalog_says_what_operations_take_and_bring(tmp_path: Path) -> None:
    async with asked(tmp_path) as (connector, _):
        relations = {one.name: one for one in (await connector.describe()).relations}
        assert {name: one.args for name, one in relations.items()} == {
            "byHolder": ("czr",),
            "byIds": ("ids.nr",),
            "list": ("mc",),
            "stuck": (),
        }
        (rows,) = relations["list"].fields
        assert [(one.path, one.type) for one in rows.items] == [
            ("nr", "text"),
            ("wer.@id", "text"),
            ("bz", "json"),
            ("dj", "int"),
            ("bfrq", "text"),
        ]


async def test_a_schema_outside_of_the_manifests_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "dept").mkdir()
    async with asked(tmp_path / "dept") as (connector, _):
        (tmp_path / "secret.xsd").write_text(service.XSD, encoding="utf-8")
        (tmp_path / "dept" / "zz.wsdl").write_text(service.wsdl("http://dept.example", schema="../secret.xsd"), encoding="utf-8")
        with pytest.raises(SourceError, match=r"'secret\.xsd'.*lies outside of the manifest's folder"):
            await fetched(connector, LIST)


@pytest.mark.parametrize("schema", ["http://127.0.0.1:1/zz.xsd", "https://dept.example/zz.xsd", "ftp://dept.example/zz.xsd"])
async def test_a_schema_elsewhere_is_not_asked_for(tmp_path: Path, schema: str) -> None:
    async with asked(tmp_path) as (connector, _):
        (tmp_path / "zz.wsdl").write_text(service.wsdl("http://dept.example", schema=schema), encoding="utf-8")
        with pytest.raises(SourceError, match="from elsewhere"):
            await fetched(connector, LIST)


async def test_a_live_wsdl_imports_from_its_own_origin_alone() -> None:
    async def described(request: web.Request) -> web.Response:
        return web.Response(
            text=service.wsdl(str(request.url.with_query(None)), schema="http://127.0.0.1:1/zz.xsd"), content_type="text/xml"
        )

    async with served(web.get("/ws", described)) as base:
        connector = SoapConnector(SoapSettings.of({"wsdl": f"{base}/ws?wsdl"}))
        with pytest.raises(SourceError, match="from elsewhere"):
            await fetched(connector, LIST)
        await connector.close()


async def test_a_live_wsdl_does_not_send_the_credential_to_another_address() -> None:
    async def described(request: web.Request) -> web.Response:
        text = service.XSD if request.path.endswith(".xsd") else service.wsdl("http://127.0.0.1:1/ws")
        return web.Response(text=text, content_type="text/xml")

    async with served(web.get("/ws", described), web.get("/zz.xsd", described)) as base:
        connector = SoapConnector(SoapSettings.of({"wsdl": f"{base}/ws?wsdl"}))
        with pytest.raises(SourceError, match="gives an address elsewhere"):
            await fetched(connector, LIST)
        await connector.close()


async def test_a_wsdl_with_a_document_type_is_refused(tmp_path: Path) -> None:
    async with asked(tmp_path) as (connector, _):
        text = service.wsdl("http://dept.example").partition("\n")[2]
        (tmp_path / "zz.wsdl").write_text('<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + text, encoding="utf-8")
        with pytest.raises(SourceError, match="document type"):
            await fetched(connector, LIST)


async def test_a_wsdl_that_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    async with asked(tmp_path) as (connector, _):
        whole = (tmp_path / "zz.wsdl").read_bytes()
        (tmp_path / "zz.wsdl").write_bytes(whole[:200])
        with pytest.raises(SourceError, match="is not XML"):
            await fetched(connector, LIST)
        (tmp_path / "zz.wsdl").write_bytes(whole)
        assert await fetched(connector, LIST) == []


async def test_an_unknown_port_is_told_by_name(tmp_path: Path) -> None:
    async with asked(tmp_path, port="ZzPrt") as (connector, _):
        with pytest.raises(SourceError, match=r"no SOAP port 'ZzPrt' .did you mean 'ZzPort'"):
            await fetched(connector, LIST)
