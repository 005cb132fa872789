"""Subgraphs as systems among others: a folder of manifests, two of them of subgraphs, one of a REST service, one endpoint over all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from hub.cli import federating
from hub.cli.adding import Said
from hub.cli.shared import Fault
from hub.clock import SystemClock
from hub.connected import composed, connect, core_roots
from hub.environment import Environment
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.coordinates import Grade
from schema.faults import format_fault
from tests.connectors.loopback import served
from tests.federation.estates.writing import LINK_27
from tests.federation.subgraph import Subgraph

REGISTER = """\
extend schema @system(name: "register", title: "登记", owner: "省市场监管局") @rest(base: "${REGISTER}")
type Query {
  byUscc(uscc: USCC! @is(field: "uscc")): Enterprise @lookup
    @get(path: "/get?codes={keys}", at: "rows", batch: {by: "uscc", match: "uscc", max: 10})
}
type Enterprise @key(fields: "uscc") @entity(existence: ANCHOR, coverage: COMPLETE) {
  uscc: USCC! @from(path: "uscc")
  name: String @from(path: "mc")
}
"""
MANIFEST = """\
extend schema @system(name: "{name}", title: "子图", owner: "局")
  @graphql(url: "${{{url}}}", federation: {{sdl: "{name}.graphqls", grade: {grade}}})
"""
REVIEWS = (
    LINK_27
    + """
type Query { reviews: [Review!]! }
type Review @key(fields: "id") { id: ID! text: String enterprise: Enterprise }
type Enterprise @key(fields: "uscc") { uscc: USCC! reviews: [Review!]! rating: Int }
scalar USCC
"""
)
PERSONS = (
    LINK_27
    + """
type Review @key(fields: "id") { id: ID! author: Person }
type Person { name: String }
type Enterprise @key(fields: "uscc") { uscc: USCC! rating: Int @external stars: String @requires(fields: "rating") }
scalar USCC
"""
)
CODE = "91330106MA2AXK0T11"


def rows() -> dict[str, Any]:
    enterprise: dict[str, Any] = {"__typename": "Enterprise", "uscc": CODE, "rating": 4}
    reviews = [
        {
            "__typename": "Review",
            "id": str(at),
            "text": f"评{at}",
            "enterprise": enterprise,
            "author": {"__typename": "Person", "name": name},
        }
        for at, name in enumerate(("甲", "乙"))
    ]
    enterprise["reviews"] = reviews
    return {"Enterprise": [enterprise], "Review": reviews, "Query.reviews": reviews}


def write(folder: Path, *, grade: str = "L1", **subgraphs: str) -> Path:
    (folder / "register.graphql").write_text(REGISTER, encoding="utf-8")
    for name, sdl in subgraphs.items():
        (folder / f"{name}.graphql").write_text(MANIFEST.format(name=name, url=name.upper(), grade=grade), encoding="utf-8")
        (folder / f"{name}.graphqls").write_text(sdl, encoding="utf-8")
    return folder


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Engine, dict[str, Subgraph], list[str]]]:
    """The engine over a folder's manifests, with its subgraphs and the calls that the register got."""
    data, asked = rows(), list[str]()
    resolvers = {"Enterprise.stars": lambda row: "*" * row["rating"]}
    subgraphs = {name: Subgraph(name, sdl, data, resolvers) for name, sdl in (("reviews", REVIEWS), ("persons", PERSONS))}

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        return web.json_response(subgraphs[request.match_info["name"]].answer(body["query"], body.get("variables") or {}))

    async def register(request: web.Request) -> web.StreamResponse:
        asked.append(request.query["codes"])
        return web.json_response({"rows": [{"uscc": code, "mc": "西湖茶业"} for code in request.query["codes"].split(",")]})

    made = composed(folder)
    assert made.ok, "\n".join(map(format_fault, made.faults))
    async with served(web.post("/{name}", answer), web.get("/get", register)) as base:
        given = {"REGISTER": base, "REVIEWS": f"{base}/reviews", "PERSONS": f"{base}/persons"}
        connections = connect(made.registry, Environment(given))
        assert not connections.problems
        sources = Sources(made.registry.systems, connections.connectors, SystemClock())
        engine = Engine(made.schema, made.registry, sources, core_roots=core_roots(made))
        try:
            yield engine, subgraphs, asked
        finally:
            await sources.close()


async def ask(engine: Engine, query: str) -> Any:
    return orjson.loads((await engine.execute(engine.parse(query))).body)


async def test_an_object_of_a_department_has_fields_that_subgraphs_tell(tmp_path: Path) -> None:
    async with opened(write(tmp_path, reviews=REVIEWS, persons=PERSONS)) as (engine, subgraphs, asked):
        query = f'{{ enterprise(uscc: "{CODE}") {{ name rating stars reviews {{ text author {{ name }} }} }} }}'
        assert await ask(engine, query) == {
            "data": {
                "enterprise": {
                    "name": "西湖茶业",
                    "rating": 4,
                    "stars": "****",
                    "reviews": [{"text": "评0", "author": {"name": "甲"}}, {"text": "评1", "author": {"name": "乙"}}],
                }
            }
        }
        assert asked == [CODE]
        assert {name: len(one.asked) for name, one in subgraphs.items()} == {"reviews": 1, "persons": 1}


async def test_what_a_subgraph_tells_leads_to_what_departments_have(tmp_path: Path) -> None:
    async with opened(write(tmp_path, reviews=REVIEWS, persons=PERSONS)) as (engine, subgraphs, asked):
        answer = await ask(engine, "{ reviews { text enterprise { uscc name } author { name } } }")
        enterprise = {"uscc": CODE, "name": "西湖茶业"}
        assert answer == {
            "data": {
                "reviews": [
                    {"text": "评0", "enterprise": enterprise, "author": {"name": "甲"}},
                    {"text": "评1", "enterprise": enterprise, "author": {"name": "乙"}},
                ]
            }
        }
        assert asked == [CODE]
        assert {name: len(one.asked) for name, one in subgraphs.items()} == {"reviews": 1, "persons": 1}


async def test_what_a_subgraph_adds_is_as_sensitive_as_its_manifest_says(tmp_path: Path) -> None:
    async with opened(write(tmp_path, grade="L3", reviews=REVIEWS)) as (engine, subgraphs, _):
        answer = await ask(engine, f'{{ enterprise(uscc: "{CODE}") {{ name rating }} }}')
        assert answer["data"] == {"enterprise": {"name": "西湖茶业", "rating": None}}
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        assert subgraphs["reviews"].asked == []


async def test_what_a_subgraph_serves_of_a_canonical_type_stays_as_sensitive_as_it_is(tmp_path: Path) -> None:
    reviews = REVIEWS.replace("rating: Int", "legalRepName: String rating: Int")
    made = composed(write(tmp_path, reviews=reviews))
    assert made.ok
    assert made.registry.coordinates["Enterprise.legalRepName"].grade > Grade.L1
    assert made.registry.coordinates["Enterprise.rating"].grade == Grade.L1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rating: Int", "name: Int", "reviews.graphqls:5:72 FIELD_EXISTS"),
        ("reviews: [Review!]! }\ntype", "enterprise: Enterprise }\ntype", "reviews.graphqls:3:14 FIELD_EXISTS"),
        ("scalar USCC", "enum USCC { A }", "reviews.graphqls:6:1 CONTRIBUTED_TWICE"),
        ('@key(fields: "uscc")', '@key(fields: "code")', "reviews.graphqls:5:17 BAD_KEY"),
        ('@key(fields: "uscc")', '@key(fields: "uscc", resolvable: false)', "reviews.graphqls:5:71 UNREACHABLE"),
    ],
)
def test_what_does_not_fit_is_told_where_it_is_written(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in REVIEWS
    found = "\n".join(format_fault(fault) for fault in composed(write(tmp_path, reviews=REVIEWS.replace(old, new))).faults)
    assert f"{tmp_path.name}/{said}" in found


def test_a_manifest_without_its_sdl_is_told(tmp_path: Path) -> None:
    write(tmp_path, reviews=REVIEWS)
    (tmp_path / "reviews.graphqls").unlink()
    found = [format_fault(fault) for fault in composed(tmp_path).faults if fault.is_error]
    assert len(found) == 1
    assert "reviews.graphql:2:43 " in found[0]
    assert "BAD_ARGUMENT" in found[0]


async def test_a_subgraph_is_added_by_what_it_tells_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "systems").mkdir()
    subgraph = Subgraph("reviews", REVIEWS, rows())

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(subgraph.answer((await request.json())["query"], {}))

    async with served(web.post("/graphql", answer)) as base:
        said = Said("reviews", "评价", "局", "", "reviews", None, None, False, None)
        assert await federating.subgraph(said, f"{base}/graphql", sdl="", grade="L2", headers={}) == 0
        with pytest.raises(Fault, match="is there already"):
            await federating.subgraph(said, f"{base}/graphql", sdl="", grade="L2", headers={})
    assert f"REVIEWS_URL={base}/graphql" in capsys.readouterr().out
    assert (tmp_path / "systems/reviews/reviews.graphqls").read_text(encoding="utf-8") == REVIEWS
    made = composed(tmp_path / "systems")
    assert made.ok
    assert made.registry.coordinates["Review.text"].grade == Grade.L2


async def test_what_does_not_fit_is_not_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.graphql").write_text(REVIEWS.replace("rating: Int", "name: Int"), encoding="utf-8")
    said = Said("reviews", "评价", "局", "", "reviews", None, None, False, None)
    with pytest.raises(Fault, match="FIELD_EXISTS"):
        await federating.subgraph(said, "", sdl="broken.graphql", grade="L2", headers={})
    assert not (tmp_path / "systems").exists()
