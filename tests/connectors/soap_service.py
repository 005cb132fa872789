"""A SOAP service over a world's rows, on loopback: its WSDL in document or RPC style, SOAP 1.1 or 1.2, and who answers by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiohttp import web
from lxml import etree

URN = "urn:zhengwu:licences"
ENVELOPES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
WSDL_SOAP = {"1.1": "http://schemas.xmlsoap.org/wsdl/soap/", "1.2": "http://schemas.xmlsoap.org/wsdl/soap12/"}
XSI = "http://www.w3.org/2001/XMLSchema-instance"
OPERATIONS = ("byIds", "byHolder", "list", "stuck")

XSD = f"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{URN}" targetNamespace="{URN}" elementFormDefault="qualified">
  <xs:complexType name="Ids"><xs:sequence>
    <xs:element name="nr" type="xs:string" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType>
  <xs:complexType name="Wer"><xs:attribute name="id" type="xs:string"/></xs:complexType>
  <xs:complexType name="Bz"><xs:sequence>
    <xs:element name="mc" type="xs:string" nillable="true"/><xs:element name="sj" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType>
  <xs:complexType name="Zz"><xs:sequence>
    <xs:element name="nr" type="xs:string"/>
    <xs:element name="wer" type="Wer"/>
    <xs:element name="bz" type="Bz" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="dj" type="xs:int" minOccurs="0"/>
    <xs:element name="bfrq" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType>
  <xs:complexType name="Zzs"><xs:sequence>
    <xs:element name="zz" type="Zz" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType>
  <xs:element name="byIds"><xs:complexType><xs:sequence><xs:element name="ids" type="Ids"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="byHolder"><xs:complexType><xs:sequence>
    <xs:element name="czr" type="xs:string"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="list"><xs:complexType><xs:sequence>
    <xs:element name="mc" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="stuck"><xs:complexType><xs:sequence/></xs:complexType></xs:element>
  <xs:element name="answer"><xs:complexType><xs:sequence><xs:element name="return" type="Zzs"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="AppHeader"><xs:complexType><xs:sequence>
    <xs:element name="appId" type="xs:string"/><xs:element name="appKey" type="xs:string"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>
"""

_PARTS = {  # RPC: the parts are types
    "byIds": '<part name="ids" type="t:Ids"/>',
    "byHolder": '<part name="czr" type="xs:string"/>',
    "list": "",
    "stuck": "",
}


def wsdl(address: str, *, style: str = "document", version: str = "1.1", schema: str = "zz.xsd") -> str:
    """The WSDL of the service at ``address``; its types lie in ``schema``."""
    rpc = style == "rpc"
    body = f'<s:body use="literal" namespace="{URN}"/>' if rpc else '<s:body use="literal"/>'
    messages = "".join(
        f'<message name="{name}In">' + (_PARTS[name] if rpc else f'<part name="parameters" element="t:{name}"/>') + "</message>"
        for name in OPERATIONS
    )
    answer = '<part name="return" type="t:Zzs"/>' if rpc else '<part name="parameters" element="t:answer"/>'
    port = "".join(f'<operation name="{n}"><input message="t:{n}In"/><output message="t:out"/></operation>' for n in OPERATIONS)
    bound = "".join(
        f'<operation name="{n}"><s:operation soapAction="{URN}#{n}"/><input>{body}</input><output>{body}</output></operation>'
        for n in OPERATIONS
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="{WSDL_SOAP[version]}" xmlns:xs="http://www.w3.org/2001/XMLSchema"
  xmlns:t="{URN}" targetNamespace="{URN}">
  <types><xs:schema><xs:import namespace="{URN}" schemaLocation="{schema}"/></xs:schema></types>
  {messages}<message name="out">{answer}</message>
  <portType name="Zz">{port}</portType>
  <binding name="ZzBinding" type="t:Zz"><s:binding style="{style}" transport="http://schemas.xmlsoap.org/soap/http"/>{bound}</binding>
  <service name="ZzService"><port name="ZzPort" binding="t:ZzBinding"><s:address location="{address}"/></port></service>
</definitions>
"""


def row(one: Mapping[str, Any]) -> etree._Element:
    """One row as this service writes it: an attribute, a repeated element, xsi:nil, elements that are left out."""
    node = etree.Element(f"{{{URN}}}zz")
    _text(node, "nr", one["id"])
    _text(node, "wer").attrib.update({"id": one["holder"]} if one["holder"] is not None else {})
    named = _text(node, "bz")
    mc = _text(named, "mc", one["name"])
    if one["name"] is None:
        mc.set(f"{{{XSI}}}nil", "true")
    if one["level"] is not None:
        _text(node, "dj", str(one["level"]))
    if one["issuedOn"] is not None:
        _text(node, "bfrq", one["issuedOn"])
    return node


def _text(node: etree._Element, name: str, text: str | None = None) -> etree._Element:
    made = etree.SubElement(node, f"{{{URN}}}{name}")
    made.text = text
    return made


def envelope(version: str, content: etree._Element) -> bytes:
    root = etree.Element(f"{{{ENVELOPES[version]}}}Envelope", nsmap={"soap": ENVELOPES[version], "ns2": URN})
    etree.SubElement(root, f"{{{ENVELOPES[version]}}}Body").append(content)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def answered(rows: Iterable[Mapping[str, Any]], *, style: str = "document", name: str = "answer") -> etree._Element:
    root = etree.Element(f"{{{URN}}}{name}Response" if style == "rpc" else f"{{{URN}}}answer")
    inner = etree.SubElement(root, "return") if style == "rpc" else _text(root, "return")
    inner.extend(row(one) for one in rows)
    return root


Handler = Callable[[etree._Element, web.Request], Awaitable[web.StreamResponse]]


def soap(handlers: Mapping[str, Handler]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Hand a request to the operation that its body names."""

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = etree.fromstring(await request.read())
        body = next(child for child in asked if etree.QName(child).localname == "Body")
        return await handlers[etree.QName(body[0]).localname](body[0], request)

    return handle
