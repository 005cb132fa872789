"""The GraphQL-over-HTTP specification, rule by rule, against a small real engine."""

from __future__ import annotations

import asyncio
from hashlib import sha256

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.serve.limits import Limits
from hub.serve.persisted import Persisted
from tests.serve.small import GRAPHQL, JSON, ask, get, post, world

BOTH = pytest.mark.parametrize("accept", [GRAPHQL, JSON])
HELLO = {"data": {"hello": "hello world"}}


# --- the answer's media type ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, GRAPHQL),
        ("", GRAPHQL),
        (GRAPHQL, GRAPHQL),
        (JSON, JSON),
        ("*/*", GRAPHQL),
        ("application/*", GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{JSON}, text/plain, */*", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{GRAPHQL};q=0, */*;q=0.1", JSON),
        ("APPLICATION/JSON; Charset=UTF-8", JSON),
        (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
        (f"{JSON};q=nonsense", JSON),
        (f"text/html, {JSON};q=0.2", JSON),
    ],
)
async def test_accept_chooses_the_media_type(accept: str | None, media: str) -> None:
    seen = await post(world().endpoint, {"query": "{ hello }"}, accept=accept)
    assert (seen.status, seen.headers["content-type"], seen.json) == (200, f"{media}; charset=utf-8", HELLO)


@pytest.mark.parametrize("accept", ["text/html", "image/*", f"{JSON};q=0", f"{JSON}; charset=latin-1"])
async def test_nothing_acceptable_is_406(accept: str) -> None:
    small = world()
    seen = await post(small.endpoint, {"query": "{ hello }"}, accept=accept)
    assert (seen.status, seen.codes, small.engine.executed) == (406, ["BAD_REQUEST"], [])


async def test_repeated_accept_lines_are_one_list() -> None:
    app, answers = world().endpoint, []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b'{"query":"{ hello }"}'}

    async def send(message: dict[str, object]) -> None:
        answers.append(message)

    headers = [(b"content-type", b"application/json"), (b"accept", b"text/plain"), (b"accept", b"application/json")]
    await app({"type": "http", "method": "POST", "query_string": b"", "headers": headers}, receive, send)  # type: ignore[arg-type]
    assert answers[0]["status"] == 200


# --- well-formed requests that are answered ------------------------------------------------------------------------------------


# --- automatic persisted queries -----------------------------------------------------------------------------------------------


def hashed(text: str) -> dict[str, object]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()}}


@BOTH
async def test_a_text_that_came_with_its_hash_is_meant_by_the_hash_alone(accept: str) -> None:
    app, known = world().endpoint, hashed("query Q($n: String) { hello(name: $n) }")
    unknown = await post(app, {"extensions": known, "variables": {"n": "a"}}, accept=accept)
    assert (unknown.status, unknown.codes) == (200, ["PERSISTED_QUERY_NOT_FOUND"])
    assert unknown.json["errors"][0]["message"] == "PersistedQueryNotFound"  # which some clients look for
    first = await post(
        app, {"query": "query Q($n: String) { hello(name: $n) }", "extensions": known, "variables": {"n": "b"}}, accept=accept
    )
    assert first.json == {"data": {"hello": "hello b"}}
    assert (await post(app, {"extensions": known, "variables": {"n": "c"}}, accept=accept)).json == {"data": {"hello": "hello c"}}
    assert (await get(app, extensions=orjson.dumps(known).decode(), variables='{"n":"d"}')).json == {"data": {"hello": "hello d"}}


async def test_a_text_is_known_by_no_hash_but_its_own() -> None:
    app = world().endpoint
    seen = await post(app, {"query": "{ hello }", "extensions": hashed("{ who }")})
    assert (seen.status, seen.codes) == (400, ["BAD_REQUEST"])
    assert (await post(app, {"extensions": hashed("{ who }")})).codes == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize("said", [None, 7, {}, {"version": 2, "sha256Hash": "0" * 64}, {"version": 1, "sha256Hash": "0" * 63 + "g"}])
async def test_a_hash_that_is_none_is_refused(said: object) -> None:
    seen = await post(world().endpoint, {"query": "{ hello }", "extensions": {"persistedQuery": said}})
    assert (seen.status, seen.codes) == (400, ["BAD_REQUEST"])


async def test_a_mutation_that_is_known_by_its_hash_still_needs_post() -> None:
    app, text = world().endpoint, "mutation { write }"
    await post(app, {"query": text, "extensions": hashed(text)})
    assert (await get(app, extensions=orjson.dumps(hashed(text)).decode())).status == 405


async def test_what_is_kept_of_texts_is_bounded() -> None:
    app = world().endpoint
    app.persisted = Persisted(kept=20)
    for text in ("{ hello }", "{ who }", "{ a: hello }"):
        await post(app, {"query": text, "extensions": hashed(text)})
    assert (await post(app, {"extensions": hashed("{ hello }")})).codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert (await post(app, {"extensions": hashed("{ a: hello }")})).json == {"data": {"a": "hello world"}}


@BOTH
async def test_post_json_is_executed(accept: str) -> None:
    payload = {"query": "query Q($n: String) { hello(name: $n) }", "operationName": "Q", "variables": {"n": "浙江"}, "extensions": {"x": 1}}
    seen = await post(world().endpoint, payload, accept=accept)
    assert (seen.status, seen.json) == (200, {"data": {"hello": "hello 浙江"}})


async def test_get_is_executed_with_all_parameters() -> None:
    seen = await get(
        world().endpoint,
        query="query Q($n: String) { hello(name: $n) } query R { who }",
        variables='{"n":"a+b &浙"}',
        operationName="Q",
        extensions="{}",
    )
    assert (seen.status, seen.json) == (200, {"data": {"hello": "hello a+b &浙"}})


async def test_get_takes_an_empty_operation_name_for_none() -> None:
    assert (await get(world().endpoint, query="{ hello }", operationName="", variables="")).json == HELLO


async def test_head_is_answered_like_get() -> None:
    assert (await get(world().endpoint, query="{ hello }", method="HEAD")).status == 200


async def test_null_for_an_optional_parameter_is_its_absence() -> None:
    payload = {"query": "{ hello }", "operationName": None, "variables": None, "extensions": None}
    assert (await post(world().endpoint, payload)).json == HELLO


async def test_additional_properties_are_ignored() -> None:
    assert (await post(world().endpoint, {"query": "{ hello }", "id": 7})).json == HELLO


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
async def test_json_in_utf_8_is_the_content_type(content_type: str) -> None:
    assert (await post(world().endpoint, {"query": "{ hello }"}, content_type=content_type)).json == HELLO


async def test_a_body_in_chunks_is_put_together() -> None:
    seen = await ask(world().endpoint, headers={"content-type": JSON}, body=[b'{"query":', b'"{ hel', b'lo }"}', b""])
    assert seen is not None
    assert seen.json == HELLO


@BOTH
async def test_field_errors_are_200(accept: str) -> None:
    seen = await post(world().endpoint, {"query": "{ hello broken }"}, accept=accept)
    assert (seen.status, seen.json["data"]) == (200, {"hello": "hello world", "broken": None})


async def test_partial_success_may_have_a_status_of_its_own() -> None:
    app = world(partial_status=294).endpoint
    assert (await post(app, {"query": "{ broken }"})).status == 294
    assert (await post(app, {"query": "{ hello }"})).status == 200
    assert (await post(app, {"query": "{ broken }"}, accept=JSON)).status == 200


async def test_a_mutation_by_post_is_executed() -> None:
    assert (await post(world().endpoint, {"query": "mutation { write }"})).json == {"data": {"write": 1}}


# --- well-formed requests that cannot be executed: 400, or 200 for application/json ---------------------------------------------


UNEXECUTABLE = [
    ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "{ hello } { who }"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "query A { hello } query B { who }"}, "OPERATION_NOT_FOUND"),
    ({"query": "query A { hello }", "operationName": "B"}, "OPERATION_NOT_FOUND"),
    ({"query": "subscription { tick }"}, "BAD_REQUEST"),
    ({"query": "fragment F on Query { hello }"}, "GRAPHQL_VALIDATION_FAILED"),
]


@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 400), (JSON, 200)])
@pytest.mark.parametrize(("payload", "code"), UNEXECUTABLE)
async def test_a_request_error_is_400_or_for_legacy_clients_200(payload: dict[str, str], code: str, accept: str, status: int) -> None:
    small = world()
    seen = await post(small.endpoint, payload, accept=accept)
    assert (seen.status, seen.codes[0], small.engine.executed) == (status, code, [])


@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 400), (JSON, 200)])
async def test_variables_that_do_not_fit_are_a_request_error(accept: str, status: int) -> None:
    payload = {"query": "query ($n: String!) { hello(name: $n) }", "variables": {"n": 7}}
    seen = await post(world().endpoint, payload, accept=accept)
    assert seen.status == status
    assert "data" not in seen.json


async def test_an_error_of_validation_says_where() -> None:
    seen = await post(world().endpoint, {"query": "{\n  helo\n}"})
    assert seen.json["errors"][0]["locations"] == [{"line": 2, "column": 3}]
    assert "查询不符合数据模型" in seen.message
    assert "Did you mean 'hello'" in seen.message


# --- requests that are not well formed: 4xx in both media types -----------------------------------------------------------------


MALFORMED = [
    b"",
    b"   ",
    b"NONSENSE",
    b'{"query":',
    b"3",
    b'"{ hello }"',
    b"null",
    b"true",
    b'[{"query":"{ hello }"}]',
    b"[]",
    b"{}",
    b'{"qeury":"{ hello }"}',
    b'{"query":null}',
    b'{"query":7}',
    b'{"query":["{ hello }"]}',
    b'{"query":""}',
    b'{"query":" \\n"}',
    b'{"query":"{ hello }","variables":[7]}',
    b'{"query":"{ hello }","variables":"{}"}',
    b'{"query":"{ hello }","operationName":7}',
    b'{"query":"{ hello }","operationName":{}}',
    b'{"query":"{ hello }","extensions":1}',
    b'{"query":"{ hello }","extensions":[]}',
    b'\xff\xfe{"query":"{ hello }"}',
    b'{"query":"{ hello(name: \\"\xd6\xd0\\") }"}',
    b'{"query":"\\ud800"}',
    b'\xef\xbb\xbf{"query":"{ hello }"}',
    b'{"query":"{ hello }","variables":{"n":NaN}}',
    b"[" * 5000,
]


@BOTH
@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:40]))
async def test_a_malformed_body_is_400_with_a_well_formed_error(body: bytes, accept: str) -> None:
    small = world()
    seen = await post(small.endpoint, body, accept=accept)
    assert (seen.status, seen.codes, small.engine.executed) == (400, ["BAD_REQUEST"], [])
    assert small.audit == []


async def test_a_batch_is_refused_by_name() -> None:
    seen = await post(world().endpoint, [{"query": "{ hello }"}])
    assert "不支持批量请求" in seen.message
    assert "Batched requests" in seen.message


async def test_bad_utf_8_names_the_byte() -> None:
    assert "byte 11 is not UTF-8" in (await post(world().endpoint, b'{"query":"\xff"}')).message


@pytest.mark.parametrize(
    "query",
    [
        b"",
        b"query=",
        b"operationName=A",
        b"query=%7B+hello+%7D&query=%7B+who+%7D",
        b"query=%7B+hello+%7D&variables=%7B",
        b"query=%7B+hello+%7D&variables=%5B7%5D",
        b"query=%7B+hello+%7D&variables=7",
        b"query=%7B+hello+%7D&extensions=x",
        b"query=%7B+hello+%7D&operationName=%FF",
        b"query=\xe4\xb8\xad",
        b"&".join([b"query=%7B+hello+%7D", *[b"a=b"] * 100]),
    ],
)
async def test_malformed_parameters_of_a_get_are_400(query: bytes) -> None:
    seen = await ask(world().endpoint, "GET", query=query, headers={"accept": GRAPHQL})
    assert seen is not None
    assert (seen.status, seen.codes) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=gbk",
        "",
    ],
)
async def test_another_content_type_is_415(content_type: str) -> None:
    seen = await post(world().endpoint, {"query": "{ hello }"}, content_type=content_type)
    assert (seen.status, seen.codes, seen.headers["accept"]) == (415, ["BAD_REQUEST"], JSON)


async def test_no_content_type_is_415() -> None:
    seen = await ask(world().endpoint, body=b'{"query":"{ hello }"}')
    assert seen is not None
    assert seen.status == 415


async def test_a_compressed_body_is_415() -> None:
    assert (await post(world().endpoint, b"\x1f\x8b", content_encoding="gzip")).status == 415


# --- methods -------------------------------------------------------------------------------------------------------------------


@BOTH
async def test_a_mutation_by_get_is_405_and_is_not_executed(accept: str) -> None:
    small = world()
    seen = await get(small.endpoint, query="mutation { write }", accept=accept)
    assert (seen.status, seen.headers["allow"], seen.codes, small.engine.executed) == (405, "POST", ["BAD_REQUEST"], [])


async def test_a_document_with_a_mutation_may_run_its_query_by_get() -> None:
    query = "query Q { hello } mutation M { write }"
    assert (await get(world().endpoint, query=query, operationName="Q")).json == HELLO
    assert (await get(world().endpoint, query=query, operationName="M")).status == 405


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_405(method: str) -> None:
    seen = await ask(world().endpoint, method)
    assert seen is not None
    assert (seen.status, seen.codes, seen.headers["allow"]) == (405, ["BAD_REQUEST"], "GET, HEAD, POST, OPTIONS")


async def test_options_says_what_is_allowed() -> None:
    seen = await ask(world().endpoint, "OPTIONS")
    assert seen is not None
    assert (seen.status, seen.headers["allow"]) == (204, "GET, HEAD, POST, OPTIONS")


# --- who is asking -------------------------------------------------------------------------------------------------------------


async def test_without_a_token_the_caller_is_anonymous() -> None:
    assert (await post(world().endpoint, {"query": "{ who }"})).json == {"data": {"who": "anonymous"}}


async def test_a_token_names_the_caller() -> None:
    seen = await post(world().endpoint, {"query": "{ who }"}, authorization="Bearer app")
    assert seen.json == {"data": {"who": "app"}}


@BOTH
@pytest.mark.parametrize("authorization", ["Bearer wrong", "Basic YTpi", "Bearer", ""])
async def test_a_bad_token_is_401_and_asks_nothing(authorization: str, accept: str) -> None:
    small = world()
    seen = await post(small.endpoint, {"query": "{ who }"}, accept=accept, authorization=authorization)
    assert (seen.status, seen.codes, small.engine.executed) == (401, ["UNAUTHENTICATED"], [])
    assert seen.headers["www-authenticate"] == 'Bearer realm="hub", error="invalid_token"'
    assert [exchange.status for exchange in small.audit] == [401]


async def test_two_tokens_are_one_too_many() -> None:
    answers = []

    async def send(message: dict[str, object]) -> None:
        answers.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b'{"query":"{ hello }"}'}

    headers = [(b"content-type", b"application/json"), (b"authorization", b"Bearer app"), (b"authorization", b"Bearer app")]
    await world().endpoint({"type": "http", "method": "POST", "query_string": b"", "headers": headers}, receive, send)  # type: ignore[arg-type]
    assert answers[0]["status"] == 401


# --- request ids, audit, defects -----------------------------------------------------------------------------------------------


async def test_every_answer_has_a_request_id_of_its_own() -> None:
    app = world().endpoint
    ids = {(await post(app, {"query": "{ hello }"}, x_request_id="given-by-the-caller")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert "given-by-the-caller" not in ids


async def test_a_request_id_is_taken_over_from_a_trusted_gateway() -> None:
    app = world(trust_request_id=True).endpoint
    assert (await post(app, {"query": "{"}, x_request_id="gateway-0001")).json["extensions"] == {"requestId": "gateway-0001"}
    assert (await post(app, {"query": "{"}, x_request_id='bad"id;\n----')).headers["x-request-id"] != 'bad"id;\n----'


async def test_the_answer_waits_for_its_audit_record() -> None:
    order: list[str] = []
    written = asyncio.Event()

    async def audit(_: object) -> None:
        await written.wait()
        order.append("audit")

    asking = asyncio.create_task(post(world(audit=audit).endpoint, {"query": "{ hello }"}))
    asking.add_done_callback(lambda _: order.append("answer"))
    await asyncio.sleep(0)
    written.set()
    await asking
    await asyncio.sleep(0)
    assert order == ["audit", "answer"]


async def test_the_audit_knows_who_asked_what_and_what_came_of_it() -> None:
    small = world()
    await post(small.endpoint, {"query": "query Q { hello }"}, authorization="Bearer app")
    await post(small.endpoint, {"query": "{"})
    first, second = small.audit
    assert (first.principal.id, first.document, first.status, first.answer.kind) == ("app", "query Q { hello }", 200, "query")
    assert (second.principal.id, second.status, second.answer.codes) == ("", 400, ("GRAPHQL_PARSE_FAILED",))


async def test_without_a_record_there_is_no_answer() -> None:
    async def audit(_: object) -> None:
        raise OSError("disk full")

    seen = await post(world(audit=audit).endpoint, {"query": "{ hello }"})
    assert (seen.status, seen.codes) == (500, ["INTERNAL"])
    assert b"hello" not in seen.body
    assert b"disk" not in seen.body


@BOTH
async def test_a_defect_is_500_without_a_trace(accept: str) -> None:
    small = world()
    seen = await post(small.endpoint, {"query": "{ crash }"}, accept=accept)
    assert (seen.status, seen.codes) == (500, ["INTERNAL"])
    assert b"ZeroDivision" not in seen.body
    assert [exchange.status for exchange in small.audit] == [500]


async def test_a_caller_that_hangs_up_gets_nothing_and_leaves_nothing() -> None:
    small = world()
    assert await ask(small.endpoint, headers={"content-type": JSON}, hang_up=True) is None
    assert (small.audit, small.drain.in_flight) == ([], 0)


async def test_answers_are_not_stored_by_anybody_on_the_way() -> None:
    headers = (await post(world().endpoint, {"query": "{ hello }"})).headers
    assert (headers["cache-control"], headers["vary"]) == ("no-store", "accept, authorization")


# --- limits and stopping -------------------------------------------------------------------------------------------------------


async def test_a_body_over_the_limit_is_413_by_its_length_or_by_its_bytes() -> None:
    app = world(limits=Limits(body=100)).endpoint
    payload = {"query": "{ hello }" + " " * 100}
    for seen in [
        await post(app, payload, content_length="1000"),
        await post(app, payload),
        await ask(app, headers={"content-type": JSON}, body=[b" " * 60, b" " * 60, b""]),
    ]:
        assert seen is not None
        assert (seen.status, seen.codes, seen.headers["connection"]) == (413, ["TOO_LARGE"], "close")
        assert "100 字节" in seen.message


async def test_a_url_over_the_limit_is_414() -> None:
    seen = await get(world(limits=Limits(body=50)).endpoint, query="{ hello }" + " " * 50)
    assert (seen.status, seen.codes) == (414, ["TOO_LARGE"])


async def test_a_document_over_a_limit_is_refused_before_it_is_parsed() -> None:
    small = world(limits=Limits(depth=2))
    seen = await post(small.endpoint, {"query": "{ self { self { hello } } }"})
    assert (seen.status, seen.codes) == (400, ["TOO_LARGE"])
    assert seen.json["errors"][0]["extensions"] == {"code": "TOO_LARGE", "limit": "depth", "max": 2}


async def test_while_draining_the_new_are_refused_and_the_old_are_finished() -> None:
    small = world()
    old = asyncio.create_task(post(small.endpoint, {"query": "{ slow }"}))
    await small.engine.entered.wait()
    small.drain.close()
    new = await post(small.endpoint, {"query": "{ hello }"})
    assert (new.status, new.codes, new.headers["retry-after"]) == (503, ["SHUTTING_DOWN"], "1")
    assert not await small.drain.finished(0)
    small.engine.release.set()
    assert (await old).json == {"data": {"slow": "at last"}}
    assert await small.drain.finished(1)


async def test_metrics_count_answers_by_status_kind_and_code() -> None:
    small = world()
    await post(small.endpoint, {"query": "{ hello }"})
    await post(small.endpoint, {"query": "mutation { write }"})
    await post(small.endpoint, b"3")
    text = small.metrics.text().decode()
    assert 'hub_requests_total{kind="query",status="200"} 1.0' in text
    assert 'hub_requests_total{kind="mutation",status="200"} 1.0' in text
    assert 'hub_requests_total{kind="none",status="400"} 1.0' in text
    assert 'hub_answer_codes_total{code="BAD_REQUEST"} 1.0' in text


# --- whatever is sent ----------------------------------------------------------------------------------------------------------

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2), max_leaves=4
)
PARAMETERS = st.dictionaries(st.sampled_from(["query", "variables", "operationName", "extensions", "other"]), PLAIN | st.just("{ hello }"))
BODIES = st.binary(max_size=60) | PARAMETERS.map(orjson.dumps)


@given(body=BODIES, accept=st.sampled_from([None, GRAPHQL, JSON, "*/*", "text/html"]) | st.text(alphabet="*/;=q.0,aj ", max_size=12))
async def test_any_body_gets_a_well_formed_answer_and_never_500(body: bytes, accept: str | None) -> None:
    seen = await post(world().endpoint, body, accept=accept)
    assert seen.status in (200, 400, 406)
    assert ("data" in seen.json) == (seen.status == 200 and "errors" not in seen.json)


@given(query=st.binary(max_size=60) | st.text(alphabet="query=variables&%7B+{}", max_size=40).map(str.encode))
async def test_any_url_gets_a_well_formed_answer_and_never_500(query: bytes) -> None:
    seen = await ask(world().endpoint, "GET", query=query, headers={"accept": GRAPHQL})
    assert seen is not None
    assert seen.status in (200, 400)
    assert seen.json.keys() & {"data", "errors"}
