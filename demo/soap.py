"""社保、公积金代扣代缴 as it is: SOAP 1.1, its WSDL at ``?wsdl``, a UsernameToken with a password digest, answers in GB 18030.

At most 50 units at once; what it does not have is left out, but a single one that it does not know is a fault. Must not know the hub.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from aiohttp import web
from lxml import etree

from demo.facts import World
from demo.faults import HTML, Cut, Faults, How, Tally, spoil
from demo.native import unit_xml

PATH = "/services/sbjs"
USER = "hub"
BATCH = 50
URN = "http://sbjs.rlsbt.example/v1"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class Fault(Exception):
    """What is answered instead: a code of SOAP and the department's own."""

    def __init__(self, code: str, own: str, text: str) -> None:
        super().__init__(text)
        self.code, self.own, self.text = code, own, text


def social_fund(world: World, faults: Faults, tally: Tally, password: str) -> web.Application:
    """``POST /services/sbjs`` cxJfdw; ``GET …?wsdl`` and the schema it imports."""
    records = {unit.uscc: unit_xml(unit) for unit in world.insured_units}

    async def asked(request: web.Request) -> web.Response:
        envelope = etree.fromstring(await request.read(), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
        keys = list(dict.fromkeys(one.text or "" for one in envelope.iterfind(f".//{{{URN}}}tyshxydm")))
        tally.add("cxJfdw", len(keys))
        try:
            how = await faults.gate()
        except Cut:
            if request.transport is not None:
                request.transport.abort()
            raise web.HTTPServiceUnavailable from None  # goes nowhere: the connection is gone
        if how is How.HTML:
            return web.Response(text=HTML, content_type="text/html")
        try:
            found = _answered(envelope, keys)
        except Fault as fault:
            return _sent(_fault(fault), 500)
        payload = {"jfdw": found} if how is None else spoil({"jfdw": found}, how)
        return _sent(_element("cxJfdwResponse", payload))

    def _answered(envelope: Any, keys: list[str]) -> list[dict[str, Any]]:
        if not _known(envelope, password):
            raise Fault("wsse:FailedAuthentication", "401", "用户名或口令无效")
        if not keys or len(keys) > BATCH:
            raise Fault("soap:Client", "400", f"统一社会信用代码应为1至{BATCH}个")
        found = [records[key] for key in keys if key in records]
        if len(keys) == 1 and not found:
            raise Fault("soap:Client", "404", "查无此单位")
        return found

    async def described(request: web.Request) -> web.Response:
        name = "socialFundWithholding" + (".xsd" if request.path.endswith(".xsd") else ".wsdl")
        text = files("systems").joinpath("human-resources", name).read_text(encoding="utf-8")
        here = str(request.url.with_query(None))
        return web.Response(text=text.replace("http://sbjs.rlsbt.example/services/sbjs", here), content_type="text/xml")

    app = web.Application()
    app.router.add_post(PATH, asked)
    app.router.add_get(PATH, described)
    app.router.add_get("/services/socialFundWithholding.xsd", described)
    return app


def _known(envelope: Any, password: str) -> bool:
    """UsernameToken Profile 1.1: Base64(SHA-1(nonce + created + password))."""
    token = envelope.find(f".//{{{WSSE}}}UsernameToken")
    if token is None or token.findtext(f"{{{WSSE}}}Username") != USER:
        return False
    nonce = base64.b64decode(token.findtext(f"{{{WSSE}}}Nonce") or "")
    created = next((one.text or "" for one in token if etree.QName(one).localname == "Created"), "")
    right = base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()
    return hmac.compare_digest(right, token.findtext(f"{{{WSSE}}}Password") or "")


def _sent(content: Any, status: int = 200) -> web.Response:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "wsse": WSSE})
    etree.SubElement(envelope, f"{{{SOAP}}}Body").append(content)
    body = etree.tostring(envelope, encoding="GB18030", xml_declaration=True)
    return web.Response(body=body, status=status, content_type="text/xml", charset="GB18030")


def _fault(fault: Fault) -> Any:
    made = etree.Element(f"{{{SOAP}}}Fault")
    etree.SubElement(made, "faultcode").text = fault.code
    etree.SubElement(made, "faultstring").text = fault.text
    etree.SubElement(made, "detail").append(_element("cw", {"dm": fault.own, "ms": fault.text}))
    return made


def _element(name: str, value: Any) -> Any:
    """Plain data as an element: ``@name`` is an attribute, a list its elements, None is nil."""
    made = etree.Element(f"{{{URN}}}{name}")
    if isinstance(value, Mapping):
        for inner, each in value.items():
            if "@" in inner:
                made.set(inner.replace("@", ""), each)
            else:
                made.extend(_element(inner, one) for one in (each if isinstance(each, list) else [each]))
    elif value is None:
        made.set(NIL, "true")
    else:
        made.text = str(value)
    return made
