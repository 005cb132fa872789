"""gRPC beyond the contract: values of every type, both ways; what statuses mean; writes; TLS; servers that change, or say nothing of
themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest

from connectors.grpc import GrpcConnector, GrpcSettings
from connectors.http import Exchange, onlooker
from connectors.spi import Ask, Call, Field, Options, Relation, Secret, SourceError
from demo.proto import Proto
from tests.connectors.grpc_service import serving
from tests.connectors.loopback import nobody
from tests.faults.wire import certificate

TEXT = """
syntax = "proto3";
package firms.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/any.proto";
enum State {
  STATE_UNSPECIFIED = 0;
  OPEN = 1;
  CLOSED = 2;
}
message Place {
  string code = 1;
  optional string name = 2;
  Place within = 3;
}
message Firm {
  string code = 1;
  int64 capital = 2;
  optional int32 staff = 3;
  uint64 serial = 4;
  State state = 5;
  bytes seal = 6;
  google.protobuf.Timestamp founded = 7;
  google.protobuf.Int64Value shares = 8;
  map<string, string> notes = 9;
  repeated Place places = 10;
  Place seat = 11;
  oneof kind {
    string company = 12;
    string person = 13;
  }
  google.protobuf.Struct extra = 14;
  float rate = 15;
  bool active = 16;
  repeated string names = 17;
  google.protobuf.Duration age = 18;
  repeated State states = 19;
  map<string, Place> branches = 20;
  double weight = 21;
  google.protobuf.Any more = 22;
}
message Asked {
  repeated string code = 1;
  string one = 2;
  repeated int64 serial = 3;
  Firm like = 4;
}
message Answer {
  repeated Firm firms = 1;
  map<string, Firm> by_code = 2;
  string status = 3;
}
service Firms {
  rpc Find(Asked) returns (Answer);
  rpc Flow(Asked) returns (stream Answer);
}
"""
PROTO = Proto(TEXT)
SERVICE = "firms.v1.Firms"
EVERY = (
    "code", "capital", "staff", "serial", "state", "seal", "founded", "shares", "notes.de", "notes.fr", "seat.name", "seat.within.code",
    "company", "person", "extra.a.b[1]", "rate", "active", "names[1]", "age", "states", "places", "branches.north.code", "weight",
    "more.value",
)  # fmt: skip
COLUMNS = tuple(Field(path, path) for path in EVERY)


class Server:
    """What the service answers, and what it was asked: messages with their metadata."""

    def __init__(self, *firms: Mapping[str, Any], **answer: Any) -> None:
        self.answer = PROTO.message("Answer")(firms=[PROTO.message("Firm")(**firm) for firm in firms], **answer)
        self.asked: list[Any] = []
        self.metadata: list[dict[str, str]] = []
        self.fails: tuple[Any, str] | None = None
        self.trailing: tuple[tuple[str, str], ...] = ()
        self.cancelled = asyncio.Event()

    async def find(self, asked: Any, context: Any) -> Any:
        self.asked.append(asked)
        self.metadata.append(dict(context.invocation_metadata()))
        if self.fails is not None:
            context.set_trailing_metadata(self.trailing)
            await context.abort(*self.fails)
        return self.answer

    async def flow(self, asked: Any, context: Any) -> AsyncIterator[Any]:
        try:
            while True:
                yield self.answer
                await asyncio.sleep(0)
        finally:
            self.cancelled.set()

    @asynccontextmanager
    async def there(self, **options: Any) -> AsyncIterator[GrpcConnector]:
        """A connector to the service."""
        methods = {SERVICE: {"Find": self.find, "Flow": self.flow}}
        async with serving(PROTO, methods, credentials=options.pop("credentials", None)) as target, connected(target, **options) as made:
            yield made


@asynccontextmanager
async def connected(target: str, *, ticks: Any = None, **options: Any) -> AsyncIterator[GrpcConnector]:
    made = GrpcConnector(GrpcSettings.of({"target": target, **options}), ticks=ticks)
    try:
        yield made
    finally:
        await made.close()


def relation(given: Any = None, fields: tuple[Field, ...] = (Field("code", "code"),), **more: Any) -> Relation:
    native = {"operation": f"{SERVICE}/Find", "at": "firms", **({"input": given} if given is not None else {}), **more.pop("native", {})}
    return Relation("firms", fields, Options(native), **more)


async def rows(connector: GrpcConnector, of: Relation, call: Call | None = None, *, by: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    plan = connector.plan(Ask(of.name, tuple(one.name for one in of.fields), by=by, args=of.args), of)
    pages = [page async for page in connector.fetch(plan, call or Call())]
    return [{name: column[at] for name, column in page.columns.items()} for page in pages for at in range(page.size)]


async def failure(connector: GrpcConnector, of: Relation, call: Call | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await rows(connector, of, call)
    return caught.value


async def test_values_of_every_type_arrive_as_they_are() -> None:
    full = {
        "code": "A", "capital": 2**53 + 1, "staff": 0, "serial": 2**64 - 1, "state": 2, "seal": b"\x00\xff", "shares": {"value": 0},
        "notes": {"de": "gut"}, "places": [{"code": "1", "name": ""}, {}], "seat": {"within": {"code": "33"}}, "person": "", "rate": 0.1,
        "active": True, "names": ["a", "b"], "states": [1, 9], "branches": {"north": {"code": "n"}}, "weight": float("nan"),
        "more": {"type_url": "x/y", "value": b"z"},
    }  # fmt: skip
    server = Server(full)
    firm = server.answer.firms[0]
    firm.founded.FromJsonString("1999-12-31T23:59:59.123456789Z")
    firm.extra.update({"a": {"b": [None, 7]}})
    firm.age.FromJsonString("1.5s")
    async with server.there() as connector:
        (found,) = await rows(connector, relation(fields=COLUMNS))
    assert found.pop("weight") != found.get("weight"), "what is no number is the engine's to tell"
    assert found == {
        "code": "A", "capital": 2**53 + 1, "staff": 0, "serial": 2**64 - 1, "state": "CLOSED", "seal": "AP8=",
        "founded": "1999-12-31T23:59:59.123456789Z", "shares": 0, "notes.de": "gut", "notes.fr": None, "seat.name": None,
        "seat.within.code": "33", "company": None, "person": "", "extra.a.b[1]": 7, "rate": 0.1, "active": True, "names[1]": "b",
        "age": "1.5s", "states": ["OPEN", 9], "branches.north.code": "n", "more.value": "eg==",
        "places": [{"code": "1", "name": "", "within": None}, {"code": "", "name": None, "within": None}],
    }  # fmt: skip


async def test_what_was_not_sent_is_null_where_the_type_can_tell_and_its_default_where_it_cannot() -> None:
    async with Server({}).there() as connector:
        (found,) = await rows(connector, relation(fields=COLUMNS))
    assert {name for name, value in found.items() if value is not None} == {
        "code", "capital", "serial", "seal", "rate", "active", "states", "places", "weight"
    }  # fmt: skip
    assert (found["code"], found["capital"], found["active"], found["states"]) == ("", 0, False, [])


async def test_only_the_items_that_are_asked_for_are_read_of_a_list() -> None:
    places = Field("places", "places", "json", items=(Field("code", "code"), Field("outer", "within.code")))
    async with Server({"places": [{"code": "1", "name": "one", "within": {"code": "33", "name": "x"}}]}).there() as connector:
        assert await rows(connector, relation(fields=(places,))) == [{"places": [{"code": "1", "within": {"code": "33"}}]}]


async def test_entries_of_a_map_are_rows_and_so_are_plain_values() -> None:
    server = Server({"names": ["x", "y"]}, by_code={"B": {"code": "B", "staff": 2}})
    async with server.there() as connector:
        entries = relation(fields=(Field("key", "key"), Field("staff", "value.staff")), native={"at": "by_code"})
        assert await rows(connector, entries) == [{"key": "B", "staff": 2}]
        assert await rows(connector, relation(fields=(Field("name", "$"),), native={"at": "firms[0].names"})) == [
            {"name": "x"},
            {"name": "y"},
        ]


async def test_what_a_manifest_says_is_sent_in_the_types_of_the_message() -> None:
    like = {
        "code": "{text}", "capital": "{number}", "staff": 3, "state": "OPEN", "seal": "AP8=", "founded": "{day}", "shares": "{number}",
        "notes": {"de": "{text}"}, "places": [{"code": "{text}"}], "extra": {"a": ["{number}"]}, "rate": 0.5, "active": "{yes}",
        "names": ["{text}", "y"], "age": "2s", "company": "{nothing}", "seat": {"name": "{nothing}"},
    }  # fmt: skip
    server = Server()
    args = {"text": "x", "number": "9007199254740993", "day": "2024-02-29", "yes": True, "nothing": None}
    async with server.there() as connector:
        await rows(connector, relation({"like": like, "one": "<{text}>"}, args=tuple(args)), Call(params=args))
    sent = server.asked[0]
    assert (sent.one, sent.like.code, sent.like.capital, sent.like.staff, sent.like.state) == ("<x>", "x", 2**53 + 1, 3, 1)
    assert (sent.like.seal, sent.like.shares.value, dict(sent.like.notes)) == (b"\x00\xff", 2**53 + 1, {"de": "x"})
    assert sent.like.founded.ToJsonString() == "2024-02-28T16:00:00Z", "a day begins as it does in the province"
    assert ([one.code for one in sent.like.places], list(sent.like.names), sent.like.rate, sent.like.active) == (
        ["x"],
        ["x", "y"],
        0.5,
        True,
    )
    assert (sent.like.WhichOneof("kind"), sent.like.HasField("seat"), sent.like.seat.HasField("name")) == (None, True, False)
    assert sent.like.age.seconds == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kode": ["x"]}, "'Asked' has no field 'kode' (did you mean 'code'?)"),
        ({"like": {"capitol": 1}}, "'Firm' has no field 'capitol' (did you mean 'capital'?)"),
        ({"like": {"staff": 2**31}}, "'staff' cannot hold this value"),
        ({"like": {"state": "SHUT"}}, "'state' is none of STATE_UNSPECIFIED, OPEN, CLOSED"),
        ({"like": "x"}, "'like' takes an object"),
        ({"like": {"branches": {"n": {"kode": "x"}}}}, "'Place' has no field 'kode' (did you mean 'code'?)"),
        ({"like": {"notes": "x"}}, "'notes' cannot hold this value"),
        ({"like": {"founded": "soon"}}, "'founded' cannot hold this value"),
        ("x", "its input is an object of the fields of 'Asked'"),
    ],
)  # fmt: skip
async def test_an_input_that_does_not_fit_the_message_is_the_manifests_fault(given: Any, said: str) -> None:
    async with Server().there() as connector:
        error = await failure(connector, relation(given))
    assert (error.kind, said in error.message) == ("config", True), error.message


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("staf", "'Firm' has no field 'staf' (did you mean 'staff'?)"),
        ("seat.nam", "'Place' has no field 'nam' (did you mean 'name'?)"),
        ("founded.seconds", "'Timestamp' has no field 'seconds'"),
        ("places.code", "'places' is a list; name one of it by [0]"),
        ("code[0]", "there is no list before [0]"),
    ],
)  # fmt: skip
async def test_a_path_that_the_message_does_not_have_is_told_before_anything_is_asked(path: str, said: str) -> None:
    server = Server()
    async with server.there() as connector:
        error = await failure(connector, relation(fields=(Field("x", path),)))
    assert (error.kind, said in error.message, server.asked) == ("config", True, []), error.message


async def test_numbers_are_keys_and_what_is_none_is_a_fault_of_its_own() -> None:
    server = Server({"serial": 7})
    of = relation({"serial": "{keys}"}, (Field("serial", "serial"),), keys=("serial",), max_keys=9, native={"batch": {"match": "serial"}})
    async with server.there() as connector:
        plan = connector.plan(Ask("firms", ("serial",), by=("serial",)), of)
        (page,) = [page async for page in connector.fetch(plan, Call(keys=[("7",), ("x",), (8,)]))]
    assert (page.columns, {key: fault.kind for key, fault in page.faults.items()}) == ({"serial": [7]}, {("x",): "invalid"})
    assert list(server.asked[0].serial) == [7, 8]


async def test_keys_of_a_field_that_holds_one_are_joined() -> None:
    server = Server()
    of = relation({"one": "{keys}"}, keys=("code",), max_keys=9, native={"batch": {"match": "code"}})
    async with server.there() as connector:
        await rows(connector, of, Call(keys=[("a",), ("b",)]), by=("code",))
    assert server.asked[0].one == "a,b"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UNAVAILABLE", "down"), ("DEADLINE_EXCEEDED", "slow"), ("UNAUTHENTICATED", "denied"), ("PERMISSION_DENIED", "denied"),
        ("RESOURCE_EXHAUSTED", "busy"), ("UNIMPLEMENTED", "config"), ("INVALID_ARGUMENT", "invalid"), ("FAILED_PRECONDITION", "invalid"),
        ("INTERNAL", "broken"), ("UNKNOWN", "broken"), ("DATA_LOSS", "broken"), ("CANCELLED", "broken"),
    ],
)  # fmt: skip
async def test_each_status_has_its_meaning(code: str, kind: str) -> None:
    server = Server()
    server.fails = (grpc.StatusCode[code], "secret words of 10.0.0.1")
    async with server.there() as connector:
        error = await failure(connector, relation())
    assert (error.kind, len(server.asked), "10.0.0.1" in error.message + error.detail) == (kind, 1, False)


async def test_not_found_is_absent_but_for_a_write() -> None:
    server = Server()
    server.fails = (grpc.StatusCode.NOT_FOUND, "")
    async with server.there() as connector:
        assert await rows(connector, relation()) == []
        assert (await failure(connector, relation(effect="write"))).kind == "invalid"


async def test_a_source_says_when_to_come_again() -> None:
    server = Server()
    server.fails, server.trailing = (grpc.StatusCode.RESOURCE_EXHAUSTED, ""), (("grpc-retry-pushback-ms", "1500"),)
    async with server.there() as connector:
        assert (await failure(connector, relation())).retry_after == 1.5


async def test_errors_are_told_by_content_and_by_status() -> None:
    server = Server(status="none")
    rules = [
        {"when": "status == 'none'", "code": "NOT_FOUND"},
        {"when": "status == 'shut'", "code": "E7"},
        {"when": "fault.code == 'FAILED_PRECONDITION'", "code": "NOT_FOUND"},
        {"when": "fault.message == 'tired'", "code": "BUSY"},
    ]
    async with server.there(errors=rules) as connector:
        assert await rows(connector, relation()) == []
        server.answer.status = "shut"
        assert (await failure(connector, relation())).code == "E7"
        server.fails = (grpc.StatusCode.FAILED_PRECONDITION, "")
        assert await rows(connector, relation()) == []
        server.fails = (grpc.StatusCode.INTERNAL, "tired")
        assert (await failure(connector, relation())).kind == "busy"


async def test_a_write_goes_out_once_with_the_key_that_it_may_come_again_by() -> None:
    server = Server({"code": "A"})
    of = relation(effect="write", native={"idempotency": {"header": "Idempotency-Key"}})
    async with server.there() as connector:
        assert await rows(connector, of, Call(idempotency_key="k1", request_id="r1")) == [{"code": "A"}]
        server.fails = (grpc.StatusCode.UNAVAILABLE, "")
        error = await failure(connector, of)
    assert (error.kind, error.untouched, len(server.asked)) == ("down", False, 2), "nobody knows what came of it"
    assert (server.metadata[0]["idempotency-key"], server.metadata[0]["x-request-id"]) == ("k1", "r1")


async def test_a_write_to_nobody_never_got_there() -> None:
    service = Server()
    async with service.there() as connector:
        await rows(connector, relation())  # what it is is known
        known = connector._services
        async with connected(f"127.0.0.1:{nobody()}") as other:
            other._services.update(known)
            error = await failure(other, relation(effect="write"))
    assert (error.kind, error.untouched) == ("down", True)


async def test_a_server_that_has_come_is_asked_at_once() -> None:
    port, service = nobody(), Server({"code": "A"})
    async with connected(f"127.0.0.1:{port}") as connector:
        assert [(await failure(connector, relation())).kind for _ in range(2)] == ["down", "down"]
        async with serving(PROTO, {SERVICE: {"Find": service.find}}, port=port):
            assert await rows(connector, relation()) == [{"code": "A"}]


async def test_a_stream_is_read_to_a_bound_and_left() -> None:
    server = Server({"code": "A"}, {"code": "B"})
    async with server.there() as connector:
        error = await failure(connector, relation(native={"operation": f"{SERVICE}/Flow"}), Call(max_rows=5))
        await asyncio.wait_for(server.cancelled.wait(), 5)
    assert (error.kind, error.code) == ("broken", "TOO_LARGE")


async def test_what_is_under_way_when_the_connection_is_closed_is_down_and_not_cancelled() -> None:
    server, stuck = Server(), asyncio.Event()

    async def find(asked: Any, context: Any) -> Any:
        stuck.set()
        await asyncio.Event().wait()

    server.find = find  # type: ignore[method-assign]
    async with server.there() as connector:
        asked = asyncio.ensure_future(failure(connector, relation()))
        await stuck.wait()
        await connector.close()
        assert (await asked).kind == "down"
        assert (await failure(connector, relation())).untouched


async def test_a_message_larger_than_allowed_is_not_read() -> None:
    async with Server({"code": "x" * 100_000}).there(maxBytes=50_000) as connector:
        error = await failure(connector, relation())
    assert (error.kind, error.message) == ("broken", "The source's answer is too large.")


async def test_a_server_that_does_not_describe_itself_says_what_to_do() -> None:
    async with serving(PROTO, {SERVICE: {"Find": Server().find}}, reflects=False) as target, connected(target) as connector:
        error = await failure(connector, relation())
    assert (error.kind, "server reflection has to be switched on" in error.message) == ("config", True)


async def test_a_service_or_method_that_is_not_there_is_named_with_the_nearest() -> None:
    async with Server().there() as connector:
        wrong = relation(native={"operation": "firms.v1.Firm/Find"})
        assert "no service 'firms.v1.Firm' (did you mean 'firms.v1.Firms'?)" in (await failure(connector, wrong)).message
        wrong = relation(native={"operation": f"{SERVICE}/Fine"})
        assert "has no method 'Fine' (did you mean 'Find'?)" in (await failure(connector, wrong)).message


class Turning:
    """What a server says of itself, until another release of it is put in its place."""

    def __init__(self, release: Any) -> None:
        self.release = release

    def __getattr__(self, name: str) -> Any:
        return getattr(self.release, name)


async def test_another_release_is_seen_within_a_minute_and_a_new_method_at_once() -> None:
    now, pool = 0.0, Turning(PROTO.pool)
    of, wrong = relation(fields=(Field("staff", "staff"),)), relation(native={"operation": f"{SERVICE}/Seek"})
    server = serving(PROTO, {SERVICE: {"Find": Server({"staff": 3}).find}}, pool=pool)
    async with server as target, connected(target, ticks=lambda: now) as connector:
        assert await rows(connector, of) == [{"staff": 3}]
        pool.release = Proto(TEXT.replace("optional int32 staff", "optional int32 workers").replace("rpc Flow", "rpc Seek")).pool
        assert await rows(connector, of) == [{"staff": 3}]
        assert (await failure(connector, wrong)).message == "The source does not serve this operation."
        assert "has no field 'staff' (did you mean" in (await failure(connector, of)).message


async def test_a_description_is_relied_upon_for_a_minute() -> None:
    now, pool = 0.0, Turning(PROTO.pool)
    of = relation(fields=(Field("staff", "staff"),))
    server = serving(PROTO, {SERVICE: {"Find": Server({"staff": 3}).find}}, pool=pool)
    async with server as target, connected(target, ticks=lambda: now) as connector:
        await rows(connector, of)
        pool.release = Proto(TEXT.replace("  optional int32 staff = 3;\n", "")).pool
        now = 59
        assert await rows(connector, of) == [{"staff": 3}]
        now = 61
        assert "has no field 'staff'" in (await failure(connector, of)).message


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ({"kind": "API_KEY", "header": "X-App-Key", "secret": Secret("s3cret")}, "x-app-key", "s3cret"),
        ({"kind": "BEARER", "secret": Secret("s3cret")}, "authorization", "Bearer s3cret"),
        ({"kind": "BASIC", "user": Secret("hub"), "secret": Secret("s3cret")}, "authorization", "Basic aHViOnMzY3JldA=="),
    ],
)
async def test_a_credential_goes_into_the_metadata_and_is_stars_to_who_looks_on(auth: Any, name: str, value: str) -> None:
    server, seen = Server({"code": "A"}), list[Exchange]()
    onlooker.set(seen)
    async with server.there(auth=auth, headers=[{"name": "X-Of", "value": "hub"}]) as connector:
        await rows(connector, relation({"code": ["A"]}))
    assert (server.metadata[0][name], server.metadata[0]["x-of"]) == (value, "hub")
    assert (seen[0].headers[name], b'"code":["A"]' in (seen[0].sent or b""), b'"code":"A"' in seen[0].received) == ("****", True, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target": "firms"}, "write host:port"),
        ({"target": "https://firms:443"}, "write host:port"),
        ({"target": "grpc://firms:1", "tls": {}}, "write grpcs://"),
        ({"target": "firms:1", "tls": {"old": True}}, "leave out 'tls.old'"),
        ({"target": "firms:1", "auth": {"kind": "API_KEY", "query": "key", "secret": Secret("s")}}, "takes auth of kind"),
        ({"target": "firms:1", "headers": {"grpc-timeout": "1S"}}, "cannot be the name of metadata"),
        ({"target": "firms:1", "headers": {"x": "证"}}, "cannot be sent"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        GrpcConnector(GrpcSettings.of(options))
    assert caught.value.kind == "config"


async def test_tls_is_spoken_with_a_ca_of_ones_own_and_no_other(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "server"), certificate(tmp_path, "client")
    shown = [(server.key.read_bytes(), server.chain.read_bytes())]
    credentials = grpc.ssl_server_credentials(shown, client.chain.read_bytes(), require_client_auth=True)
    tls = {"ca": "server.crt", "certificate": "client.crt", "key": Secret(client.key.read_text())}
    service = Server({"code": "A"})
    async with service.there(credentials=credentials, tls=tls, beside=str(tmp_path)) as connector:
        assert await rows(connector, relation()) == [{"code": "A"}]
        async with connected(f"grpcs://{connector._channel.target}") as stranger:
            error = await failure(stranger, relation())
    assert (error.kind, error.message) == ("config", "The certificate of the source is not trusted.")
