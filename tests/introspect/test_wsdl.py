"""From a WSDL to a manifest: what operations become, what lies beside it, and what is told where something cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiohttp import web

from connectors.spi import SourceError
from hub.introspect.wsdl import Described, find
from tests.connectors.loopback import served
from tests.house.files import ROOT
from tests.introspect.shell import elsewhere, ran, run
from tests.introspect.small import faults, written

__all__ = ["elsewhere"]

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:t" targetNamespace="urn:t" elementFormDefault="qualified">
  <xs:complexType name="Nsr">
    <xs:annotation><xs:documentation>纳税人</xs:documentation></xs:annotation>
    <xs:sequence>
      <xs:element name="tyshxydm" type="xs:string">
        <xs:annotation><xs:documentation>统一社会信用代码</xs:documentation></xs:annotation>
      </xs:element>
      <xs:element name="nsxydj" type="Dj" minOccurs="0">
        <xs:annotation><xs:documentation>纳税信用等级</xs:documentation></xs:annotation>
      </xs:element>
      <xs:element name="djrq" type="xs:date" nillable="true"/>
      <xs:element name="lsh" type="xs:long"/>
      <xs:choice><xs:element name="cbd" type="xs:string"/><xs:element name="gjd" type="xs:string"/></xs:choice>
      <xs:element name="dz"><xs:complexType><xs:sequence>
        <xs:element name="qh" type="xs:string"/>
      </xs:sequence></xs:complexType></xs:element>
    </xs:sequence>
    <xs:attribute name="zt" type="xs:string"/>
  </xs:complexType>
  <xs:simpleType name="Dj"><xs:restriction base="xs:string">
    <xs:enumeration value="A"/><xs:enumeration value="B"/>
  </xs:restriction></xs:simpleType>
  <xs:element name="cxNsr"><xs:complexType><xs:sequence>{asked}</xs:sequence></xs:complexType></xs:element>
  <xs:element name="cxNsrResponse"><xs:complexType><xs:sequence>
    <xs:element name="code" type="xs:string"/>
    <xs:element name="jg"><xs:complexType><xs:sequence>
      <xs:element name="nsr" type="Nsr" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="sbNsr"><xs:complexType><xs:sequence>
    <xs:element name="tyshxydm" type="xs:string"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>
"""
KEYS = """<xs:element name="tj"><xs:complexType><xs:sequence><xs:element name="tyshxydm" type="xs:string" maxOccurs="{most}">
  <xs:annotation><xs:documentation>统一社会信用代码{told}</xs:documentation></xs:annotation>
</xs:element></xs:sequence></xs:complexType></xs:element>"""


def wsdl(schema: str = "types/nsr.xsd") -> str:
    def operation(name: str, doc: str) -> str:
        return (
            f'<operation name="{name}"><documentation>{doc}</documentation><input message="t:{name}"/><output message="t:out"/></operation>'
        )

    both = '<input><s:body use="literal"/></input><output><s:body use="literal"/></output>'
    bound = "".join(f'<operation name="{name}"><s:operation soapAction=""/>{both}</operation>' for name in ("cxNsr", "sbNsr"))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t">
  <types><xs:schema><xs:import namespace="urn:t" schemaLocation="{schema}"/></xs:schema></types>
  <message name="cxNsr"><part name="p" element="t:cxNsr"/></message>
  <message name="sbNsr"><part name="p" element="t:sbNsr"/></message>
  <message name="out"><part name="p" element="t:cxNsrResponse"/></message>
  <portType name="P">{operation("cxNsr", "按信用代码取纳税人")}{operation("sbNsr", "申报")}</portType>
  <binding name="B" type="t:P"><s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>{bound}</binding>
  <service name="S"><documentation>电子税务局</documentation>
    <port name="Q" binding="t:B"><s:address location="http://tax.example/ws"/></port></service>
</definitions>
"""


def laid(folder: Path, asked: str = KEYS.format(most="unbounded", told="")) -> Path:
    """A WSDL in a folder, its schema below."""
    (folder / "types").mkdir(parents=True)
    (folder / "types" / "nsr.xsd").write_text(SCHEMA.format(asked=asked), encoding="utf-8")
    (folder / "nsr.wsdl").write_text(wsdl(), encoding="utf-8")
    return folder / "nsr.wsdl"


async def described(place: Path, beside: Path, *operations: str) -> Described:
    return await find(str(place), name="tax", variable="TAX_URL", beside=beside, operations=operations)


async def test_an_operation_becomes_a_lookup_of_an_entity(tmp_path: Path) -> None:
    found = await described(laid(tmp_path / "from"), tmp_path / "to")
    text = written(found.found, "tax")

    assert faults(text) == []
    assert (found.address, found.found.title) == ("http://tax.example/ws", "电子税务局")
    place = '@call(operation: "cxNsr", input: {tj: {tyshxydm: "{keys}"}}, at: "jg.nsr", batch: {by: "uscc", match: "tyshxydm", max: 100})'
    assert place in text
    assert (
        '  # 0.98 its comment is 统一社会信用代码; tyshxydm are the initials of 统一社会信用代码\n  uscc: USCC! @from(path: "tyshxydm")'
        in text
    )
    assert '"纳税信用等级\\n' in text
    for line in (
        "djrq: Date @from(always: true)",
        "lsh: Decimal @from(always: true)",
        '@from(path: "dz.qh", always: true)',
        '@from(path: "@zt")',
        "cbd: String @grade",
    ):
        assert line in text, line


async def test_what_may_change_something_is_left_out_unless_it_is_named(tmp_path: Path) -> None:
    place = laid(tmp_path / "from")
    found = await described(place, tmp_path / "to")
    assert [each.name for each in found.found.relations] == ["cxNsr"]
    assert any(note.startswith("Left out: sbNsr; its name does not say that it only reads.") for note in found.found.notes)
    assert any("`errors` on @soap" in note for note in found.found.notes)
    assert [each.name for each in (await described(place, tmp_path / "to", "sbNsr")).found.relations] == ["sbNsr"]
    with pytest.raises(SourceError, match="no operation 'cxNs'; there are: cxNsr, sbNsr"):
        await described(place, tmp_path / "to", "cxNs")


@pytest.mark.parametrize(
    ("asked", "batch"),
    [
        (KEYS.format(most="30", told=""), "max: 30}"),
        (KEYS.format(most="unbounded", told="，至多50个"), "max: 50}"),
        (KEYS.format(most="1", told=""), None),
    ],
)
async def test_a_batch_is_as_large_as_the_description_says(tmp_path: Path, asked: str, batch: str | None) -> None:
    text = written((await described(laid(tmp_path / "from", asked), tmp_path / "to")).found, "tax")
    assert faults(text) == []
    assert (batch in text) if batch else "batch" not in text


async def test_elements_that_graphql_cannot_name_are_written_as_json(tmp_path: Path) -> None:
    asked = '<xs:element name="统一社会信用代码" type="xs:string" maxOccurs="20"/>'
    text = written((await described(laid(tmp_path / "from", asked), tmp_path / "to")).found, "tax")
    assert faults(text) == []
    assert r'input: "{\"统一社会信用代码\": \"{keys}\"}"' in text


async def test_the_documents_lie_beside_the_manifest_and_find_each_other(tmp_path: Path) -> None:
    found = await described(laid(tmp_path / "from"), tmp_path / "to")
    assert sorted(found.files) == ["tax.nsr.xsd", "tax.wsdl"]
    assert found.files["tax.nsr.xsd"] == (tmp_path / "from" / "types" / "nsr.xsd").read_bytes()
    assert b'schemaLocation="tax.nsr.xsd"' in found.files["tax.wsdl"]

    there = await described(tmp_path / "from" / "nsr.wsdl", tmp_path / "from")
    assert (there.found.source["wsdl"], there.files) == ("nsr.wsdl", {})


async def test_a_wsdl_with_a_policy_says_how_to_show_who_one_is(tmp_path: Path) -> None:
    place = ROOT / "systems" / "human-resources" / "socialFundWithholding.wsdl"
    found = (await find(str(place), name="fund", variable="FUND_URL", beside=tmp_path)).found
    assert found.source == {
        "wsdl": "fund.wsdl",
        "url": "${FUND_URL}",
        "security": {"user": "fund.user", "secret": "fund.password", "password": "DIGEST"},
    }
    assert 'security: {user: "fund.user", secret: "fund.password", password: DIGEST}' in written(found, "fund")


@pytest.mark.usefixtures("elsewhere")
def test_nothing_that_is_there_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = laid(tmp_path / "from")
    assert run("add", "soap", "tax", "--wsdl", str(place), "--print") == 0
    assert not (tmp_path / "systems").exists()
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "tax.wsdl").write_text("mine", encoding="utf-8")
    assert run("add", "soap", "tax", "--wsdl", str(place)) == 1
    assert "is there already and is not overwritten" in capsys.readouterr().err
    assert sorted(each.name for each in (tmp_path / "systems").iterdir()) == ["tax.wsdl"]
    assert (tmp_path / "systems" / "tax.wsdl").read_text(encoding="utf-8") == "mine"

    (tmp_path / "systems" / "tax.wsdl").unlink()
    assert run("add", "soap", "tax", "--wsdl", str(place)) == 0
    assert run("check", "systems") == 0
    assert run("add", "soap", "tax", "--wsdl", str(place)) == 1


@pytest.mark.usefixtures("elsewhere")
async def test_a_live_wsdl_is_asked_for_with_the_headers_that_are_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("X-Key") != "k":
            raise web.HTTPForbidden
        return web.Response(text=wsdl() if "wsdl" in request.query else SCHEMA.format(asked=KEYS.format(most=9, told="")))

    async with served(web.get("/ws/nsr", answer), web.get("/ws/types/nsr.xsd", answer)) as base:
        assert await ran("add", "soap", "tax", "--wsdl", f"{base}/ws/nsr?wsdl") == 1
        assert "Give a credential by --header" in capsys.readouterr().err
        assert await ran("add", "soap", "tax", "--wsdl", f"{base}/ws/nsr?wsdl", "--header", "X-Key: k") == 0
    assert re.search(r"beside it: tax\.wsdl, tax\.nsr\.xsd", capsys.readouterr().out)


async def test_an_import_from_elsewhere_is_not_followed(tmp_path: Path) -> None:
    place = laid(tmp_path)
    place.write_text(wsdl("http://127.0.0.1:1/nsr.xsd"), encoding="utf-8")
    with pytest.raises(SourceError, match="from elsewhere"):
        await described(place, tmp_path)
