"""SOAP 1.1, document/literal: two keys a call, with a UsernameToken, the WSDL beside the manifest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lxml import etree

from tests.faults.asking import KEYS, LIMITS, RIGHT, ROWS, SECRET, TRUTH, Kind, There, manifest
from tests.faults.http import MOST, TLS, Request, served
from tests.faults.records import long_truth, spoiled

URN = "urn:records"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_ELEMENTS = "".join(f'<x:element name="{name}" type="x:string" minOccurs="0" nillable="true"/>' for name in ROWS[0])
WSDL = f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:t="{URN}" targetNamespace="{URN}">
  <types><x:schema targetNamespace="{URN}" elementFormDefault="qualified">
    <x:element name="records"><x:complexType><x:sequence>
      <x:element name="code" type="x:string" maxOccurs="unbounded"/>
    </x:sequence></x:complexType></x:element>
    <x:element name="answer"><x:complexType><x:sequence>
      <x:element name="record" minOccurs="0" maxOccurs="unbounded">
        <x:complexType><x:sequence>{_ELEMENTS}</x:sequence></x:complexType>
      </x:element>
    </x:sequence></x:complexType></x:element>
  </x:schema></types>
  <message name="in"><part name="p" element="t:records"/></message><message name="out"><part name="p" element="t:answer"/></message>
  <portType name="P"><operation name="records"><input message="t:in"/><output message="t:out"/></operation></portType>
  <binding name="B" type="t:P"><s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="records"><s:operation soapAction="records"/>
      <input><s:body use="literal"/></input><output><s:body use="literal"/></output></operation></binding>
  <service name="S"><port name="Q" binding="t:B"><s:address location="http://records.example/ws"/></port></service>
</definitions>
"""


@asynccontextmanager
async def serve(fault: str, folder: Path) -> AsyncIterator[There]:
    (folder / "records.wsdl").write_text(WSDL, encoding="utf-8")

    def answer(request: Request) -> Any:
        asked = etree.fromstring(request.body)
        codes = [one.text for one in asked.iter(f"{{{URN}}}code")]
        if asked.findtext(".//{*}UsernameToken/{*}Password") != SECRET or (fault == "denied_midway" and KEYS[2] in codes):
            return None
        return envelope(spoiled(fault, [row for row in ROWS if row["code"] in codes]))

    async with served(fault, answer, folder) as source:
        truth = long_truth() if fault == "long_numbers" else TRUTH
        secrets = {"records.user": "hub", "records.password": SECRET}
        yield There({"RECORDS_URL": f"{source.base}/ws"}, secrets, then=source.then, truth=truth, beside=str(folder))


def envelope(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The rows as this service sends them; None is nil."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, None: URN})
    answer = etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Body"), f"{{{URN}}}answer")
    for row in rows:
        record = etree.SubElement(answer, f"{{{URN}}}record")
        for name, value in row.items():
            made = etree.SubElement(record, f"{{{URN}}}{name}")
            if value is None:
                made.set(NIL, "true")
            else:
                made.text = str(value)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


SOAP_KIND = Kind(
    "SOAP",
    manifest(
        '@soap(wsdl: "records.wsdl", url: "${RECORDS_URL}", security: {user: "records.user", secret: "records.password"}, '
        f"{TLS}, maxBytes: {MOST}, {LIMITS})",
        '@call(operation: "records", input: {code: "{keys}"}, at: "record", batch: {by: "uscc", match: "code", max: 2})',
        always=True,
    ),
    serve,
    sees={
        "refuses": "SYSTEM_DOWN",
        "hangs": "SYSTEM_SLOW",
        "resets": "SYSTEM_DOWN",
        "drips": "SYSTEM_SLOW",
        "wrong_length": "SYSTEM_BROKEN",
        "truncated": "SYSTEM_BROKEN",
        "fails_500": "SYSTEM_BROKEN",
        "busy_429": "SYSTEM_BUSY",
        "denied_midway": "SYSTEM_DENIED at c",
        "html": "SYSTEM_BROKEN",
        "wrong_charset": "SYSTEM_BROKEN at c",  # the document says UTF-8, the header GBK; the bytes about a and b fit but the first
        "huge": "SYSTEM_BROKEN",
        "deep": "SYSTEM_BROKEN",
        "null_key": "SYSTEM_BROKEN at a, b",
        "missing_key": "SYSTEM_BROKEN at a, b",
        "extra_row": "SYSTEM_BROKEN",
        "doubled_row": "SYSTEM_BROKEN at b",
        "doubled_name": "BAD_VALUE at fileLevel of each",
        "other_order": RIGHT,
        "number_as_text": RIGHT,
        "long_numbers": RIGHT,
        "not_a_number": "BAD_VALUE at b.fileFee",
        "invalid_date": "BAD_VALUE at b.fileChecked",
        "renamed_column": "BAD_VALUE at fileLevel of each",
        "dropped_column": "BAD_VALUE at fileLevel of each",
        "clock_skew": RIGHT,
        "certificate_expired": "SYSTEM_CONFIG",
        "pool_exhausted": "SYSTEM_DOWN",
        "restarted": RIGHT,
    },
)
