"""The contract over SOAP: a real server in document and RPC style, SOAP 1.1 and 1.2, its WSDL live behind a credential or in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import web
from lxml import etree

from connectors.contract import ROWS, Contract, World
from connectors.soap import SoapConnector, SoapSettings
from connectors.spi import Field, Options, Relation, Secret
from tests.connectors import soap_service as service
from tests.connectors.loopback import never, nobody, served

SECRET = "soap-secret-4711"
SOAP_FIELDS = (
    Field("id", "nr"),
    Field("holder", "wer.@id"),
    Field("name", "bz[0].mc"),
    Field("level", "dj", "int"),
    Field("issuedOn", "bfrq"),
)


def soap_relation(name: str, native: Mapping[str, Any], **more: Any) -> Relation:
    return Relation(name, more.pop("fields", SOAP_FIELDS), Options({"at": "return.zz", **native}), **more)


BATCH = soap_relation(
    "batch", {"operation": "byIds", "input": {"ids": {"nr": "{keys}"}}, "batch": {"by": "id", "match": "nr", "max": 10}},
    fields=(Field("id", ""), *SOAP_FIELDS[1:]), keys=("id",), max_keys=10,
)  # fmt: skip
BY_HOLDER = soap_relation(
    "byHolder", {"operation": "byHolder", "input": {"czr": "{holder}"}},
    fields=(Field("holder", ""), *SOAP_FIELDS[:1], *SOAP_FIELDS[2:]), keys=("holder",), max_keys=1,
)  # fmt: skip
LIST = soap_relation("list", {"operation": "list", "input": {"mc": "{name}"}}, where=Options({"name": ["EQ", "PREFIX"]}))
WHOLE = soap_relation("whole", {"operation": "list"})
STUCK = soap_relation("stuck", {"operation": "stuck"})


def write(folder: str, name: str, text: str) -> None:
    Path(folder, name).write_text(text, encoding="utf-8")


class TestSoap(Contract):
    style = "document"
    version = "1.1"
    live = True
    relations = (BATCH, BY_HOLDER, LIST)

    def routes(self) -> list[web.RouteDef]:
        def answer(rows: Any, name: str) -> web.Response:
            content = service.envelope(self.version, service.answered(rows, style=self.style, name=name))
            return web.Response(body=content, content_type="text/xml" if self.version == "1.1" else "application/soap+xml")

        async def by_ids(asked: etree._Element, request: web.Request) -> web.Response:
            keys = [one.text for one in asked.iter("{*}nr")]
            return answer([one for one in reversed(ROWS) if one["id"] in keys], "byIds")

        async def by_holder(asked: etree._Element, request: web.Request) -> web.Response:
            rows = [{**one, "holder": None} for one in ROWS if one["holder"] == asked[0].text]
            return answer(rows, "byHolder")

        async def every(asked: etree._Element, request: web.Request) -> web.Response:
            wanted = [one.text or "" for one in asked if one.get(f"{{{service.XSI}}}nil") != "true"]
            return answer([one for one in ROWS if wanted in ([], [one["name"]])], "list")

        async def stuck(asked: etree._Element, request: web.Request) -> web.StreamResponse:
            return await never(request)

        async def described(request: web.Request) -> web.Response:
            if request.headers.get("X-App-Key") != SECRET:
                raise web.HTTPUnauthorized
            text = service.XSD if request.path.endswith(".xsd") else service.wsdl(str(request.url.with_query(None)), **self.said)
            return web.Response(text=text, content_type="text/xml")

        handlers: dict[str, service.Handler] = {"byIds": by_ids, "byHolder": by_holder, "list": every, "stuck": stuck}

        async def nonsense(request: web.Request) -> web.Response:
            return web.Response(text="<html><h1>系统维护中</h1></html>", content_type="text/html")

        return [
            web.get("/ws/zz", described),
            web.get("/ws/zz.xsd", described),
            web.post("/ws/zz", service.soap(handlers)),
            web.post("/garbage", nonsense),
        ]

    @property
    def said(self) -> dict[str, str]:
        return {"style": self.style, "version": self.version}

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with served(*self.routes()) as base:
            with TemporaryDirectory() as folder:
                write(folder, "zz.wsdl", service.wsdl("http://elsewhere.example/", **self.said))
                write(folder, "zz.xsd", service.XSD)
                auth = {"kind": "API_KEY", "header": "X-App-Key", "secret": Secret(SECRET)}
                filed = {"wsdl": "zz.wsdl", "beside": folder, "auth": auth}
                options = {**filed, "url": f"{base}/ws/zz"} if not self.live else {"wsdl": f"{base}/ws/zz?wsdl", "auth": auth}
                made = [
                    SoapConnector(SoapSettings.of(each))
                    for each in (options, {**filed, "url": f"http://127.0.0.1:{nobody()}/ws"}, {**filed, "url": f"{base}/garbage"})
                ]
                try:
                    yield World(
                        connector=made[0],
                        relations=self.relations,
                        stuck=STUCK,
                        gone=(made[1], BATCH),
                        garbage=(made[2], BATCH),
                        options=options,
                        secret=SECRET,
                        unsendable={"batch": frozenset({"\0", "a\0b", "\ud800"})},
                    )
                finally:
                    for connector in made:
                        await connector.close()


class TestSoap12(TestSoap):
    version = "1.2"
    live = False


class TestRpc(TestSoap):
    style = "rpc"
    live = False
    relations = (BATCH, BY_HOLDER, WHOLE)
