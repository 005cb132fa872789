"""From a GraphQL service to an answer: a real endpoint that is introspected, and schemas in files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from graphql import build_schema, execute_sync, introspection_from_schema, parse

from connectors.spi import SourceError
from hub.introspect.graphs import find
from tests.connectors.loopback import served
from tests.introspect.small import USCCS, answered, faults, written

SDL = """
type Query {
  shop(shopId: ID!): Shop
  shops(ids: [ID!]!): [Shop]
  "网店"
  shopsByUscc(usccs: [String!]!): [Shop!]!
  firm(uscc: String!): Firm
  ping: String
  all(first: Int = 10, after: String): ShopConnection
  byYear(year: Int!): [Report!]
}
"网店"
type Shop {
  "店铺编号"
  shopId: ID!
  shopName: String
  uscc: String
  "联系电话"
  phone: String
  state: ShopState
  place: Place
  findings: [Finding!]
  similar: [Shop!]
  search(word: String!): String
}
enum ShopState { OPEN SHUT }
type Place { street: String  division: String }
type Finding { at: DateTime  scene: String }
type Firm { uscc: String!  name: String  headcount: Int }
type ShopConnection { nodes: [Shop!]!  totalCount: Int }
type Report { year: Int }
scalar DateTime
"""
SHOPS = [
    {
        "shopId": f"s{i}", "shopName": f"店{i}", "uscc": USCCS[i // 2], "phone": "1", "state": "OPEN",
        "place": {"street": "文三路", "division": "330106"}, "findings": [{"at": "2024-01-31T08:00:00+08:00", "scene": "x"}],
    }
    for i in range(4)
]  # fmt: skip


@asynccontextmanager
async def service(introspected: bool = True) -> AsyncIterator[str]:
    schema = build_schema(SDL)
    assert schema.query_type is not None
    fields = schema.query_type.fields
    fields["shop"].resolve = lambda _, __, shopId: next((each for each in SHOPS if each["shopId"] == shopId), None)
    fields["shops"].resolve = lambda _, __, ids: [each for each in SHOPS if each["shopId"] in ids]
    fields["shopsByUscc"].resolve = lambda _, __, usccs: [each for each in SHOPS if each["uscc"] in usccs]
    fields["firm"].resolve = lambda _, __, uscc: {"uscc": uscc, "name": "甲公司", "headcount": 7}
    fields["all"].resolve = lambda _, __, **___: {"nodes": SHOPS}

    async def endpoint(request: web.Request) -> web.Response:
        sent: dict[str, Any] = await request.json()
        if not introspected and "__schema" in sent["query"]:
            return web.json_response({"errors": [{"message": "introspection is off"}]}, status=400)
        result = execute_sync(schema, parse(sent["query"]), variable_values=sent.get("variables"))
        return web.json_response(dict(result.formatted))

    async with served(web.post("/graphql", endpoint)) as base:
        yield f"{base}/graphql"


async def test_a_service_is_introspected_and_answered_from(tmp_path: Path) -> None:
    async with service() as url:
        text = written(await find(url=url, variable="SHOPS_URL"), "shops")
        assert faults(text) == []
        assert url not in text
        (tmp_path / "systems").mkdir()
        (tmp_path / "systems" / "shops.graphql").write_text(text, encoding="utf-8")
        asked = f"""{{
          enterprise(uscc: "{USCCS[0]}") {{ name headcount shops {{ shopId phone placeDivision findings {{ at scene }} }} }}
          shop(shopId: "s3") {{ shopName enterprise {{ uscc }} state }}
        }}"""
        answer = await answered(tmp_path / "systems", asked, {"SHOPS_URL": url})
    found = [{"at": "2024-01-31T08:00:00+08:00", "scene": "x"}]
    assert answer == {
        "data": {
            "enterprise": {
                "name": "甲公司",
                "headcount": 7,
                "shops": [{"shopId": f"s{i}", "phone": "1", "placeDivision": "330106", "findings": found} for i in (0, 1)],
            },
            "shop": {"shopName": "店3", "enterprise": {"uscc": USCCS[1]}, "state": "OPEN"},
        }
    }


async def test_calls_find_their_places(tmp_path: Path) -> None:
    (tmp_path / "schema.graphql").write_text(SDL, encoding="utf-8")
    text = written(await find(schema=str(tmp_path / "schema.graphql"), variable="SHOPS_URL"), "shops")
    assert faults(text) == []
    assert '@field(name: "shops", argument: "ids", batch: {by: "shopId", match: "shopId", max: 100})' in text
    assert '@field(name: "shopsByUscc", argument: "usccs", batch: {by: "uscc", match: "uscc", max: 100})' in text
    assert 'byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup @field(name: "firm", argument: "uscc")' in text
    assert '@field(name: "all", at: "nodes")' in text
    assert "# all hands out its rows in parts (after, first); the hub takes the first that it is given." in text
    assert "# Not used: shop; Shop is found by shops." in text
    assert "# Left out: byYear; no key of the hub fits what it has to be given (year)." in text


async def test_the_json_of_an_introspection_is_as_good_as_sdl(tmp_path: Path) -> None:
    (tmp_path / "schema.graphql").write_text(SDL, encoding="utf-8")
    (tmp_path / "schema.json").write_bytes(orjson.dumps({"data": introspection_from_schema(build_schema(SDL))}))
    one, other = [written(await find(schema=str(tmp_path / f"schema.{end}"), variable="S_URL")) for end in ("graphql", "json")]
    assert one == other


async def test_fields_are_chosen_by_name(tmp_path: Path) -> None:
    (tmp_path / "schema.graphql").write_text(SDL, encoding="utf-8")
    text = written(await find(schema=str(tmp_path / "schema.graphql"), variable="S_URL", fields=["firm"]))
    assert "Shop" not in text
    with pytest.raises(SourceError, match="no field 'frm'; there are: all, byYear, firm"):
        await find(schema=str(tmp_path / "schema.graphql"), variable="S_URL", fields=["frm"])


async def test_an_endpoint_that_does_not_tell_its_schema_says_what_to_do() -> None:
    async with service(introspected=False) as url:
        with pytest.raises(SourceError, match="give that by --schema"):
            await find(url=url, variable="S_URL")


@pytest.mark.parametrize("text", ["type Query {", "{}", '{"data": 1}', "type A { b: C }"])
async def test_what_is_no_schema_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        await find(schema=str(tmp_path / "x"), variable="S_URL")
    assert caught.value.kind == "broken"
