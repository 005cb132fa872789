"""GraphQL: which document is sent, whose row an error belongs to, what a refusal means."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web
from graphql import build_schema, graphql_sync, parse, validate
from hypothesis import given
from hypothesis import strategies as st

from connectors.graphql import GraphqlConnector, GraphqlSettings, attribute
from connectors.graphql_document import Schema, introspection
from connectors.spi import Ask, Call, Caller, Field, Options, Page, Relation, Secret, SourceError
from tests.connectors.loopback import served

SCHEMA = build_schema("""
    type Query {
      operators(ids: [ID!]!, since: Int, kinds: [String!]): [Operator]
      operator(id: ID!): Operator
      page(ids: [ID!]!): Page
      count: Int
    }
    type Page { nodes: [Operator] }
    type Operator { operatorId: ID!  shop: Place  findings: [Finding]  score(at: Int): Int  tags: [String!]!  open: Boolean! }
    union Place = Web | Street
    type Web { name: String  url: String }
    type Street { name: String }
    type Finding { id: ID  scene: String }
""")
ID, URL = Field("operatorId", "operatorId"), Field("url", "shop.... on Web.url")
FINDINGS = Field("findings", "findings", items=(Field("id", "id"), Field("scene", "scene")))
KIND = Field("kind", "shop.__typename")


def relation(
    native: Mapping[str, Any] | None = None, most: int = 50, fields: tuple[Field, ...] = (ID, URL, FINDINGS, KIND), **more: Any
) -> Relation:
    native = {"name": "operators", "argument": "ids", "batch": {"by": "operatorId", "max": 50}} if native is None else native
    return Relation("r", fields, Options(native), keys=("operatorId",) if most else (), max_keys=most, **more)


def rows(*ids: str | None) -> list[Any]:
    return [None if one is None else {"operatorId": one, "shop": {"url": f"u{one}"}} for one in ids]


@asynccontextmanager
async def asked(*answers: Any, introspects: bool = True) -> AsyncIterator[tuple[GraphqlConnector, list[dict[str, Any]]]]:
    """A connector to an endpoint that gives ``answers`` in turn, and what it is sent; it tells its schema unless it is not to."""
    seen: list[dict[str, Any]] = []
    rest = list(answers)

    async def reply(request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        seen.append(body)
        if "__schema" in body["query"]:
            told = graphql_sync(SCHEMA, body["query"]).formatted
            return web.json_response(told if introspects else {"errors": [{"message": "introspection is off"}], "data": None})
        answer = rest.pop(0)
        if isinstance(answer, web.Response):
            return answer
        assert validate(SCHEMA, parse(body["query"])) == []
        return web.json_response(answer if isinstance(answer, dict) else {"data": {"rows": answer}})

    async with served(web.post("/graphql", reply)) as base:
        connector = GraphqlConnector(GraphqlSettings.of({"url": base + "/graphql"}))
        try:
            yield connector, seen
        finally:
            await connector.close()


async def fetched(connector: GraphqlConnector, one: Relation, *keys: str, fields: tuple[str, ...] = ("url",), **call: Any) -> Page:
    by = one.keys if keys else ()
    plan = connector.plan(Ask("r", fields, by=by, args=one.args), one)
    (page,) = [page async for page in connector.fetch(plan, Call(keys=[(key,) for key in keys], **call))]
    return page


async def test_a_batch_is_one_document() -> None:
    async with asked(rows("B", None, "A")) as (connector, seen):
        page = await fetched(connector, relation(), "A", "B", "C")
    assert seen[1] == {
        "query": "query($ids: [ID!]!) { rows: operators(ids: $ids) { operatorId shop { ... on Web { url } } } }",
        "variables": {"ids": ["A", "B", "C"]},
    }
    assert page.columns == {"operatorId": ["B", "A"], "url": ["uB", "uA"]}


async def test_only_what_was_asked_for_is_selected() -> None:
    async with asked() as (connector, _):
        plan = connector.plan(Ask("r", ("findings", "kind"), by=("operatorId",)), relation())
    assert plan.text == "{ operators(ids: $ids) { operatorId findings { id scene } shop { __typename } } }"


async def test_parts_of_a_list_are_selected() -> None:
    async with asked([{"operatorId": "A", "findings": [{"scene": "x"}]}]) as (connector, seen):
        page = await fetched(connector, relation(), "A", fields=("findings.scene",))
    assert "findings { scene }" in seen[1]["query"]
    assert page.columns["findings"] == [[{"scene": "x"}]]


async def test_types_are_asked_for_once() -> None:
    async with asked(rows("A"), rows("B"), rows()) as (connector, seen):
        await fetched(connector, relation(), "A")
        await fetched(connector, relation(), "B")
        await fetched(connector, relation({"name": "operators", "argument": "ids", "keyType": "[ID!]!"}), "C")
    assert [body["query"] == introspection() for body in seen] == [True, False, False, False]


async def test_a_type_in_the_manifest_saves_the_question() -> None:
    async with asked(rows("A"), introspects=False) as (connector, seen):
        await fetched(connector, relation({"name": "operators", "argument": "ids", "keyType": "[ID!]!"}), "A")
        assert len(seen) == 1
        with pytest.raises(SourceError, match="give 'keyType'") as caught:
            await fetched(connector, relation(), "A")
    assert caught.value.kind == "config"


async def test_a_single_key_is_no_list() -> None:
    one = relation({"name": "operator", "argument": "id"}, most=1, fields=(Field("operatorId", ""), URL))
    async with asked({"data": {"rows": {"shop": {"url": "u"}}}}, {"data": {"rows": None}}) as (connector, seen):
        assert (await fetched(connector, one, "A")).columns == {"operatorId": ["A"], "url": ["u"]}
        assert (await fetched(connector, one, "B")).size == 0
    assert seen[1]["query"].startswith("query($id: ID!) { rows: operator(id: $id)")
    assert seen[1]["variables"] == {"id": "A"}


async def test_rows_may_lie_below_the_field() -> None:
    one = relation(
        {"name": "page", "argument": "ids", "at": "nodes", "batch": {"match": "operatorId"}}, fields=(Field("operatorId", ""), URL)
    )
    async with asked({"data": {"rows": {"nodes": rows("A")}}}, {"data": {"rows": None}}) as (connector, seen):
        assert (await fetched(connector, one, "A")).columns["operatorId"] == ["A"]
        assert (await fetched(connector, one, "A")).size == 0
    assert "page(ids: $ids) { nodes { operatorId" in seen[1]["query"]


async def test_arguments_are_variables() -> None:
    one = relation(args=("since", "kinds"))
    async with asked(rows(), rows()) as (connector, seen):
        await fetched(connector, one, "A", params={"since": 3, "kinds": ("x",)})
        await fetched(connector, one, "A", params={"since": None})
    assert seen[1]["query"].startswith("query($since: Int, $kinds: [String!], $ids: [ID!]!) {")
    assert (seen[1]["variables"], seen[2]["variables"]) == ({"since": 3, "kinds": ["x"], "ids": ["A"]}, {"ids": ["A"]})


def error(*path: str | int, message: str = "boom 91330102MA20RK15X5", code: str = "") -> dict[str, Any]:
    return {"message": message, **({"path": ["rows", *path]} if path else {}), **({"extensions": {"code": code}} if code else {})}


@pytest.mark.parametrize(
    ("found", "errors", "kept", "faulty"),
    [
        (rows("A", "B", "C"), [error(1, "shop")], ["A", "C"], ["B"]),  # the row names itself
        (rows("C", "A", "B"), [error(2, "shop"), error(2, "findings", 0)], ["C", "A"], ["B"]),
        (rows("C", None, "A"), [error(1)], ["C", "A"], ["B"]),  # nobody else answers B
        (rows("A", None, None), [error(1), error(2, code="FORBIDDEN")], ["A"], ["B", "C"]),  # nobody else is left
        (rows(None, None, None), [error(2), error(0), error(1)], [], ["A", "B", "C"]),
        (rows("C", "A", None), [error(2, code="FORBIDDEN")], ["C", "A"], ["B"]),
    ],
)
async def test_an_error_belongs_to_a_row(found: list[Any], errors: list[Any], kept: list[str], faulty: list[str]) -> None:
    async with asked({"data": {"rows": found}, "errors": errors}) as (connector, _):
        page = await fetched(connector, relation(), "A", "B", "C")
    assert (page.columns["operatorId"], [key for (key,) in page.faults]) == (kept, faulty)
    assert {fault.kind for fault in page.faults.values()} <= {"broken", "denied"}
    assert not [fault for fault in page.faults.values() if "9133" in repr(fault) + fault.detail]


@pytest.mark.parametrize(
    ("found", "errors"),
    [
        (rows("A", None, None), [error(2)]),  # B or C?
        (rows("B", None), [error(1)]),  # A or C?
        (rows(None, None, None), [error(0), error(1)]),
        (rows("A", "B", "C"), [error(7)]),
        (rows("A", "B", "C"), [error(0), error()]),  # one that belongs nowhere
        (rows("A"), [{"message": "x", "path": ["other"]}]),
        (rows("A"), [{"message": "x", "path": "rows.0"}]),
    ],
)
async def test_an_error_that_could_be_anybodys_is_everybodys(found: list[Any], errors: list[Any]) -> None:
    async with asked({"data": {"rows": found}, "errors": errors}) as (connector, _):
        with pytest.raises(SourceError) as caught:
            await fetched(connector, relation(), "A", "B", "C")
    assert caught.value.kind in ("broken", "invalid")


@given(st.permutations("ABCDE"), st.sets(st.integers(0, 4), max_size=4), st.sets(st.integers(0, 4), min_size=1, max_size=3), st.booleans())
def test_no_fault_is_laid_at_the_wrong_door(order: list[str], absent: set[int], failed: set[int], nulls: bool) -> None:
    """Whatever the order, the holes and the failures: a key is at fault only if its own row failed, or nobody is blamed at all."""
    found = [None if i in absent or (i in failed and nulls) else {"operatorId": key} for i, key in enumerate(order)]
    keys = [(key,) for key in "ABCDE"]
    try:
        kept, faults = attribute(found, [error(i, *(["shop"] if found[i] else [])) for i in sorted(failed)], ("rows",), "operatorId", keys)
    except SourceError:
        assert any(found[i] is None for i in failed)
        assert any(found[i] is None for i in absent - failed)
        return
    assert {key for (key,) in faults} == {order[i] for i in failed}
    assert [row["operatorId"] for row in kept] == [key for i, key in enumerate(order) if found[i] and i not in failed]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"errors": [{"message": "Cannot query field 'x' on type 'Operator'."}]}, "config"),
        ({"errors": [{"message": "Variable '$ids' of type '[ID]' used in position expecting type '[ID!]!'."}]}, "config"),
        ({"errors": [{"message": "no", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}]}, "config"),
        ({"errors": [{"message": "Variable '$ids' got invalid value '91330102MA20RK15X5'"}]}, "invalid"),
        ({"errors": [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}], "data": None}, "denied"),
        ({"errors": [{"message": "no", "extensions": {"code": "RATE_LIMITED"}}], "data": None}, "busy"),
        ({"errors": [error(message="no")], "data": {"rows": None}}, "invalid"),
        ({"errors": [{"message": "no", "path": ["rows"]}], "data": {"rows": None}}, "broken"),
        ({"errors": [{"message": "no", "path": ["rows"]}], "data": None}, "broken"),
        ({"errors": []}, "broken"),
        ({"errors": "no", "data": {}}, "broken"),
        ({"data": []}, "broken"),
        ({"data": {"rows": "text"}}, "broken"),
        ({"data": {"rows": [1]}}, "broken"),
        (web.Response(status=400, text='{"errors": [{"message": "Unknown argument \\"x\\""}]}'), "config"),
        (web.Response(status=400, text="Bad Request"), "invalid"),
        (web.Response(status=200, text="<html>"), "broken"),
        (web.Response(status=401, text='{"errors": []}'), "denied"),
        (web.Response(status=503, text="{}"), "down"),
        (web.Response(status=500, text='{"errors": [{"message": "x"}]}'), "broken"),
        (web.Response(status=429, text="{}"), "busy"),
    ],
)
async def test_what_a_refusal_means(answer: Any, kind: str) -> None:
    one = relation({"name": "operators", "argument": "ids", "keyType": "[ID!]!"})
    async with asked(answer) as (connector, _):
        with pytest.raises(SourceError) as caught:
            await fetched(connector, one, "A")
    assert caught.value.kind == kind
    assert "9133" not in f"{caught.value!r} {caught.value.detail}"


async def test_a_departments_own_errors_come_first() -> None:
    async def reply(request: web.Request) -> web.Response:
        return web.json_response({"code": "40401", "errors": [{"message": "x"}]})

    async with served(web.post("/", reply)) as base:
        connector = GraphqlConnector(GraphqlSettings.of({"url": base, "errors": [{"when": "code == 40401", "code": "NOT_FOUND"}]}))
        page = await fetched(connector, relation({"name": "operators", "argument": "ids", "keyType": "[ID!]!"}), "A")
        await connector.close()
    assert page.size == 0


@pytest.mark.parametrize(
    ("native", "most", "word"),
    [
        ({"name": "operators", "argumnt": "ids"}, 5, r"unknown setting 'r.argumnt' \(did you mean 'argument'\?\)"),
        ({"name": "operators"}, 5, "through 'argument'"),
        ({"name": "operators } mutation {", "argument": "ids"}, 5, "is not a name in GraphQL"),
        ({"name": "operators", "argument": "ids", "keyType": "ID!"}, 5, "has to be a list"),
        ({"name": "operators", "argument": "idz"}, 5, r"has no argument 'idz' \(did you mean 'ids'\?\)"),
        ({"name": "operator", "argument": "id"}, 5, "takes one key, not a list"),
    ],
)
async def test_a_manifests_fault_is_named(native: dict[str, Any], most: int, word: str) -> None:
    async with asked() as (connector, _):
        with pytest.raises(SourceError, match=word) as caught:
            await fetched(connector, relation(native, most), "A")
    assert caught.value.kind == "config"


async def test_a_batch_without_a_key_in_its_rows_is_refused() -> None:
    async with asked() as (connector, _):
        with pytest.raises(SourceError, match="needs 'match'"):
            connector.plan(Ask("r", ("url",), by=("operatorId",)), relation(fields=(Field("operatorId", ""), URL)))


async def test_an_endpoint_describes_its_query_type() -> None:
    async with asked() as (connector, _):
        found = {one.name: one for one in (await connector.describe()).relations}
    assert {name: one.args for name, one in found.items()} == {"operators": ("ids", "kinds", "since"), "operator": ("id",)}
    assert [(one.name, one.type, one.nullable) for one in found["operator"].fields] == [
        ("operatorId", "text", False),
        ("open", "bool", False),
    ]


def test_a_schema_with_another_query_type() -> None:
    schema = build_schema("schema { query: Root }  type Root { a(b: [[Int!]]!): A }  type A { id: ID }")
    data = graphql_sync(schema, introspection()).data
    assert data is not None
    assert Schema.read(data["__schema"]).arguments == {"a": {"b": "[[Int!]]!"}}


# ---- documents by their hash


class Apollo:
    """An endpoint that keeps documents by their hash, as Apollo's does; ``words`` is how it says that it does not know one."""

    def __init__(self, *, supports: bool = True, status: int = 200, coded: bool = True) -> None:
        self.kept: dict[str, str] = {}
        self.bodies: list[dict[str, Any]] = []
        self._supports, self._status, self._coded = supports, status, coded

    async def answer(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        self.bodies.append(body)
        named = body.get("extensions", {}).get("persistedQuery")
        if named is not None and not self._supports:
            return self._refused("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")
        if named is not None and "query" in body:
            assert named == {"version": 1, "sha256Hash": hashlib.sha256(body["query"].encode()).hexdigest()}
            self.kept[named["sha256Hash"]] = body["query"]
        text = body.get("query") or self.kept.get(named["sha256Hash"])
        if text is None:
            return self._refused("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
        assert validate(SCHEMA, parse(text)) == []
        return web.json_response({"data": {"rows": rows(*body["variables"]["ids"])}})

    def _refused(self, message: str, code: str) -> web.Response:
        return web.json_response(
            {"errors": [{"message": message, **({"extensions": {"code": code}} if self._coded else {})}]}, status=self._status
        )

    async def asked_for(self, *keys: str) -> list[Any]:
        """What a connector brings for each of ``keys``, one call after the other."""
        one = relation({"name": "operators", "argument": "ids", "keyType": "[ID!]!", "batch": {"by": "operatorId", "max": 50}})
        async with served(web.post("/", self.answer)) as base:
            connector = GraphqlConnector(GraphqlSettings.of({"url": base, "persisted": "APQ"}))
            try:
                return [(await fetched(connector, one, key)).columns["url"] for key in keys]
            finally:
                await connector.close()


@pytest.mark.parametrize("coded", [True, False])
@pytest.mark.parametrize("status", [200, 400])
async def test_a_document_is_sent_once_and_then_named_by_its_hash(status: int, coded: bool) -> None:
    apollo = Apollo(status=status, coded=coded)
    assert await apollo.asked_for("A", "B", "C") == [["uA"], ["uB"], ["uC"]]
    assert ["query" in body for body in apollo.bodies] == [False, True, False, False]
    assert [body["variables"]["ids"] for body in apollo.bodies] == [["A"], ["A"], ["B"], ["C"]]


async def test_an_endpoint_that_forgot_is_told_again() -> None:
    apollo = Apollo()
    await apollo.asked_for("A")
    apollo.kept.clear()
    assert await apollo.asked_for("B", "C") == [["uB"], ["uC"]]
    assert ["query" in body for body in apollo.bodies] == [False, True, False, True, False]


async def test_an_endpoint_that_knows_no_hashes_is_sent_whole_documents() -> None:
    apollo = Apollo(supports=False)
    assert await apollo.asked_for("A", "B") == [["uA"], ["uB"]]
    assert [("query" in body, "extensions" in body) for body in apollo.bodies] == [(False, True), (True, False), (True, False)]


async def test_another_refusal_of_a_hash_is_a_refusal() -> None:
    async def busy(request: web.Request) -> web.Response:
        return web.json_response({"errors": [{"message": "later", "extensions": {"code": "THROTTLED"}}]})

    apollo = Apollo()
    apollo.answer = busy  # type: ignore[method-assign]
    with pytest.raises(SourceError) as caught:
        await apollo.asked_for("A")
    assert caught.value.kind == "busy"


async def test_the_caller_s_own_token_goes_with_each_call() -> None:
    """Also with the hash that another caller's document is known by."""
    apollo, shown = Apollo(), []
    answer = apollo.answer

    async def looked_at(request: web.Request) -> web.Response:
        shown.append(request.headers.get("Authorization"))
        return web.Response(status=403) if shown[-1] == "Bearer t3" else await answer(request)

    one = relation({"name": "operators", "argument": "ids", "keyType": "[ID!]!", "batch": {"by": "operatorId", "max": 50}})
    async with served(web.post("/", looked_at)) as base:
        connector = GraphqlConnector(GraphqlSettings.of({"url": base, "persisted": "APQ", "auth": {"kind": "FORWARD"}}))
        try:
            for token in ("t1", "t2"):
                await fetched(connector, one, "A", principal=Caller("app", Secret(token)))
            with pytest.raises(SourceError) as caught:
                await fetched(connector, one, "A", principal=Caller("app", Secret("t3")))
        finally:
            await connector.close()
    assert shown == ["Bearer t1", "Bearer t1", "Bearer t2", "Bearer t3"]
    assert (caught.value.kind, caught.value.code) == ("invalid", "FORBIDDEN")
