"""From an OpenAPI document to an answer: a real service that describes itself, and documents of many styles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from connectors.spi import SourceError
from hub.introspect.openapi import find
from hub.introspect.shapes import Document, rows_of
from tests.connectors.loopback import served
from tests.introspect.small import USCCS, answered, faults, written

TEXT = {"type": "string"}
ROW = {
    "type": "object",
    "properties": {
        "nsrsbh": {**TEXT, "description": "纳税人识别号"},
        "nsrmc": {**TEXT, "description": "企业名称"},
        "lxdh": {**TEXT, "description": "联系电话"},
        "nsxydj": {**TEXT, "description": "纳税信用等级"},
        "swjg": {"type": "object", "properties": {"mc": TEXT}},
    },
}
RETURN = {
    "type": "object",
    "properties": {"sbbh": {**TEXT, "description": "申报编号"}, "sbrq": {**TEXT, "description": "申报日期"}, "se": {"type": "number"}},
}
EXAMPLE = {"code": "0", "data": {"records": [{"sbbh": "S1", "sbrq": "20240131", "se": 1.5}], "total": 1}}


def envelope(inner: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"code": TEXT, "msg": TEXT, "data": inner}}


def query(name: str, description: str = "", **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": not schema, "description": description, "schema": schema or TEXT}


def answers(schema: Any, example: Any = None) -> dict[str, Any]:
    return {"200": {"content": {"application/json": {"schema": schema, **({"example": example} if example else {})}}}}


def document(**more: Any) -> dict[str, Any]:
    listed = {"type": "object", "properties": {"list": {"type": "array", "items": {"$ref": "#/components/schemas/Nsrxx"}}}}
    paged = {"type": "object", "properties": {"total": {"type": "integer"}, "records": {"type": "array", "items": RETURN}}}
    pages = [query("pageNum", type="integer", default=1), query("pageSize", type="integer", maximum=2)]
    return {
        "openapi": "3.0.3",
        "info": {"title": "电子税务局", "version": "1"},
        "servers": [{"url": "/gateway"}],
        "security": [{"app": []}],
        "paths": {
            "/nsrxx": {"get": {"parameters": [query("nsrsbh", "纳税人识别号，多个以逗号分隔")], "responses": answers(envelope(listed))}},
            "/sbjl": {"get": {"parameters": [query("tyshxydm"), *pages], "responses": answers(envelope(paged), EXAMPLE)}},
        },
        "components": {
            "schemas": {"Nsrxx": ROW},
            "securitySchemes": {"app": {"type": "apiKey", "in": "header", "name": "X-App-Key"}},
        },
        **more,
    }


async def test_a_service_that_describes_itself_is_answered_from(tmp_path: Path) -> None:
    keys: list[str] = []

    async def described(request: web.Request) -> web.Response:
        return web.json_response(document())

    async def taxpayers(request: web.Request) -> web.Response:
        keys.append(request.headers.get("X-App-Key", ""))
        wanted = request.query["nsrsbh"].split(",")
        rows = [
            {"nsrsbh": code, "nsrmc": f"企业{USCCS.index(code)}", "lxdh": "1", "nsxydj": "A", "swjg": {"mc": "一分局"}} for code in wanted
        ]
        return web.json_response({"code": "0", "msg": "", "data": {"list": rows}})

    async def returns(request: web.Request) -> web.Response:
        page, size = int(request.query["pageNum"]), int(request.query["pageSize"])
        every = [{"sbbh": f"S{i}", "sbrq": f"2024013{i}", "se": i} for i in range(2)] + [{"sbbh": "S2", "sbrq": "20240201", "se": 2}]
        rows = every[(page - 1) * size : page * size]
        return web.json_response({"code": "0", "data": {"total": 3, "records": rows}})

    routes = (web.get("/docs", described), web.get("/gateway/nsrxx", taxpayers), web.get("/gateway/sbjl", returns))
    async with served(*routes) as base:
        found, address = await find(f"{base}/docs", name="tax", variable="TAX_URL")
        assert address == f"{base}/gateway"
        text = written(found, "tax")
        assert faults(text) == []
        assert base not in text
        (tmp_path / "systems").mkdir()
        (tmp_path / "systems" / "tax.graphql").write_text(text, encoding="utf-8")
        asked = f'{{ enterprise(uscc: "{USCCS[2]}") {{ name taxCreditGrade swjgName sbjls {{ sbbh sbrq se }} }} }}'
        given = {"TAX_URL": address, "HUB_SECRET_TAX_KEY": "s3cret"}
        answer = await answered(tmp_path / "systems", asked, given)
    assert answer["data"]["enterprise"] == {
        "name": "企业2",
        "taxCreditGrade": "A",
        "swjgName": "一分局",
        "sbjls": [
            {"sbbh": "S0", "sbrq": "2024-01-30", "se": "0"},
            {"sbbh": "S1", "sbrq": "2024-01-31", "se": "1"},
            {"sbbh": "S2", "sbrq": "2024-02-01", "se": "2"},
        ],
    }
    assert keys == ["s3cret"]


async def text_of(tmp_path: Path, data: Mapping[str, Any], name: str = "openapi.json", **said: Any) -> str:
    (tmp_path / name).write_bytes(orjson.dumps(data))
    found, _ = await find(str(tmp_path / name), name="tax", variable="TAX_URL", **said)
    return written(found, "tax")


async def test_a_batch_a_page_and_a_credential_are_recognised(tmp_path: Path) -> None:
    text = await text_of(tmp_path, document())
    assert '@rest(base: "${TAX_URL}/gateway", auth: {kind: API_KEY, header: "X-App-Key", secret: "tax.key"})' in text
    assert '@get(path: "/nsrxx?nsrsbh={keys}", at: "data.list", batch: {by: "uscc", match: "nsrsbh", max: 100})' in text
    assert 'page: {style: PAGE, page: "pageNum", limit: "pageSize", size: 2, total: "data.total"}' in text
    assert "sbrq: Date" in text, "the example shows how dates are written"
    assert '@from(format: "yyyyMMdd")' in text


async def test_an_answer_with_links_is_paged_by_them(tmp_path: Path) -> None:
    listed = answers({"type": "array", "items": {"$ref": "#/components/schemas/Nsrxx"}})
    listed["200"]["headers"] = {"Link": {"schema": TEXT}}
    said = document(paths={"/all": {"get": {"parameters": [query("page", default=1), query("limit", maximum=50)], "responses": listed}}})
    text = await text_of(tmp_path, said)
    assert '@get(path: "/all", page: {style: LINK, limit: "limit", size: 50})' in text


async def test_what_is_required_is_always_there(tmp_path: Path) -> None:
    """But for keys, for what lies in an object that may be missing, and for what another call of the same rows does not promise."""
    place = {"type": "object", "required": ["street"], "properties": {"street": TEXT}}
    parts = {"nsrsbh": TEXT, "nsxydj": {**TEXT, "nullable": True}, "lxdh": TEXT, "spot": place, "office": place, "bz": TEXT}
    row = {"type": "object", "properties": parts, "required": ["nsrsbh", "nsxydj", "spot", "bz"]}
    short = {"title": "Nsrxx", "type": "object", "properties": parts, "required": ["nsrsbh", "nsxydj", "spot"]}
    listed = answers({"type": "array", "items": {"$ref": "#/components/schemas/Nsrxx"}})
    paths = {"/a": {"get": {"parameters": [query("nsrsbh", "纳税人识别号，多个以逗号分隔")], "responses": listed}}}

    async def sure(**schemas: Any) -> list[str]:
        text = await text_of(tmp_path, document(paths=paths, components={"schemas": schemas}))
        assert faults(text) == []
        return [line.partition(":")[0].strip() for line in text.splitlines() if "always: true" in line]

    assert await sure(Nsrxx=row) == ["taxCreditGrade", "spotStreet", "remark"]
    paths["/b"] = {"get": {"responses": answers({"type": "array", "items": {"$ref": "#/components/schemas/Short/Nsrxx"}})}}
    assert await sure(Nsrxx=row, Short={"Nsrxx": short}) == ["taxCreditGrade", "spotStreet"]


async def test_operations_are_chosen_by_name(tmp_path: Path) -> None:
    assert "nsrxx" not in await text_of(tmp_path, document(), operations=["GET /sbjl"])
    with pytest.raises(SourceError, match=r"no operation 'GET /x'; there are: GET /nsrxx, GET /sbjl"):
        await text_of(tmp_path, document(), operations=["GET /x"])


async def test_a_search_by_post_sends_its_keys_in_the_body(tmp_path: Path) -> None:
    body = {"type": "object", "properties": {"usccList": {"type": "array", "items": TEXT}}, "required": ["usccList"]}
    rows = {"type": "array", "items": {"type": "object", "properties": {"uscc": TEXT, "qymc": TEXT}}}
    paths = {
        "/search": {"post": {"requestBody": {"content": {"application/json": {"schema": body}}}, "responses": answers(rows)}},
        "/create": {"post": {"requestBody": {"content": {"application/json": {"schema": body}}}, "responses": answers(rows)}},
    }
    text = await text_of(tmp_path, document(paths=paths))
    assert faults(text) == []
    assert '@get(path: "/search", method: POST, body: {usccList: "{keys}"}, batch: {by: "uscc", match: "uscc", max: 100})' in text
    assert "/create" not in text


async def test_a_thing_of_its_own_gets_a_root_and_a_list(tmp_path: Path) -> None:
    bureau = {
        "type": "object",
        "properties": {"id": TEXT, "name": TEXT, "parts": {"type": "array", "items": {"$ref": "#/components/schemas/B"}}},
    }
    listed = {"type": "array", "items": {"$ref": "#/components/schemas/B"}}
    found_by = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    paths = {
        "/bureaus/{id}": {"parameters": [found_by], "get": {"responses": answers({"$ref": "#/components/schemas/B"})}},
        "/bureaus": {"get": {"responses": answers(listed)}},
        "/by-year": {"get": {"parameters": [query("year")], "responses": answers(listed)}},
    }
    text = await text_of(tmp_path, document(paths=paths, components={"schemas": {"B": bureau}}))
    assert faults(text) == []
    assert 'b(id: ID! @is(field: "id")): B @lookup @get(path: "/bureaus/{id}")' in text
    assert 'bs: [B!] @grade(level: L2) @get(path: "/bureaus")' in text
    assert "# Left out: GET /by-year; no key of the hub fits what it has to be given (year)." in text


async def test_yaml_and_version_3_1_are_read(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "tax.yaml").write_text(
        """\
openapi: 3.1.0
info: {title: 社保, version: '1'}
paths:
  /cb/{uscc}:
    get:
      parameters: [{name: uscc, in: path, required: true, schema: {type: string}}]
      responses:
        '200':
          content:
            application/json:
              schema:
                allOf:
                  - $ref: '#/components/schemas/Base'
                  - {type: object, properties: {rs: {type: [integer, 'null'], title: 参保人数}, jb: {enum: [A, B]}}}
components:
  schemas:
    Base: {type: object, properties: {uscc: {type: string}}}
""",
        encoding="utf-8",
    )
    found, _ = await find(str(tmp_path / "tax.yaml"), name="social", variable="SOCIAL_URL")
    text = written(found, "social")
    assert faults(text) == []
    assert '"参保人数\\nInsured count"' in text
    assert '@get(path: "/cb/{uscc}")' in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"swagger": "2.0"}', r"no document of OpenAPI 3.0 or 3.1 \(OpenAPI 2.0\)"),
        ("[]", "no OpenAPI document"),
        ("a: [", "neither JSON nor YAML at line 1"),
    ],
)
async def test_what_is_no_openapi_document_is_told(text: str, said: str, tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "x").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        await find(str(tmp_path / "x"), name="x", variable="X_URL")


async def test_no_file_and_no_server_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        await find(str(tmp_path / "none.json"), name="x", variable="X_URL")
    assert caught.value.kind == "missing"
    with pytest.raises(SourceError) as caught:
        await find("http://127.0.0.1:9/docs", name="x", variable="X_URL")
    assert caught.value.kind == "down"


ITEM = {"type": "object", "properties": {"a": TEXT}}
LIST = {"type": "array", "items": ITEM}


@pytest.mark.parametrize(
    ("schema", "at", "many", "total"),
    [
        (LIST, "", True, ""),
        (ITEM, "", False, ""),
        (envelope(ITEM), "data", False, ""),
        (envelope(LIST), "data", True, ""),
        (envelope({"type": "object", "properties": {"total": {"type": "integer"}, "list": LIST}}), "data.list", True, "data.total"),
        ({"type": "object", "properties": {"rows": LIST, "total": {"type": "integer"}, "code": TEXT}}, "rows", True, "total"),
        ({"type": "object", "properties": {"success": {"type": "boolean"}, "result": envelope(LIST)}}, "result.data", True, ""),
        ({"type": "object", "properties": {"data": ITEM, "name": TEXT}}, "", False, ""),
    ],
)
def test_rows_are_found_in_envelopes(schema: Any, at: str, many: bool, total: str) -> None:
    whole = Document({})
    rows = rows_of(whole, whole.schema(schema))
    assert rows is not None
    assert (rows.at, rows.many, rows.total) == (at, many, total)


@pytest.mark.parametrize("schema", [TEXT, {"type": "array", "items": TEXT}, {}, {"$ref": "#/nowhere"}, {"$ref": "other.json"}])
def test_what_has_no_objects_has_no_rows(schema: Any) -> None:
    whole = Document({})
    assert rows_of(whole, whole.schema(schema)) is None


def test_references_in_circles_end() -> None:
    whole = Document({"a": {"$ref": "#/a"}, "b": {"allOf": [{"$ref": "#/b"}, ITEM]}})
    assert rows_of(whole, whole.schema({"$ref": "#/a"})) is None
    assert rows_of(whole, whole.schema({"$ref": "#/b"})) is not None
