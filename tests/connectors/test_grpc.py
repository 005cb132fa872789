"""gRPC beyond the contract: what statuses mean; writes; streams; TLS; servers that change, or say nothing of themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest

from connectors.grpc import GrpcConnector, GrpcSettings
from connectors.http import Exchange, onlooker
from connectors.spi import Call, Field, Secret, SourceError
from demo.proto import Proto
from tests.connectors.grpc_firms import PROTO, SERVICE, TEXT, Server, connected, failure, relation, rows
from tests.connectors.grpc_service import serving
from tests.connectors.loopback import free, nobody
from tests.faults.wire import certificate


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
    port, service = free(), Server({"code": "A"})
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
