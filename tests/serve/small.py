"""A small world behind the endpoint: a real engine over graphql-core, tokens that are words, an audit that is a list.

``ask`` speaks ASGI to an app and hands back what a client would see.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    build_schema,
    execute,
    parse,
    validate,
)
from starlette.types import ASGIApp

from auth.errors import BadToken
from auth.principal import ANONYMOUS, Audience, Principal
from hub.answer import Answer
from hub.clock import SystemClock
from hub.serve.drain import Drain
from hub.serve.graphql import Endpoint, Exchange
from hub.serve.limits import Gate, Limits
from hub.serve.metrics import Metrics

SCHEMA = build_schema("""
  type Query { hello(name: String = "world"): String!  broken: String  crash: String  slow: String  who: String  self: Query }
  type Mutation { write: Int }
  type Subscription { tick: Int }
""")
GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class SmallDocument:
    node: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    operations: Mapping[str, str]


@dataclass(slots=True)
class SmallEngine:
    """Parses, validates and executes with graphql-core. ``slow`` answers when ``release`` is set; ``crash`` is a defect."""

    executed: list[str] = field(default_factory=list)
    variables: list[Mapping[str, Any]] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    def parse(self, text: str) -> SmallDocument:
        try:
            node = parse(text)
        except GraphQLSyntaxError as error:
            return SmallDocument(None, (error,), {})
        operations = {d.name.value if d.name else "": d.operation.value for d in node.definitions if isinstance(d, OperationDefinitionNode)}
        return SmallDocument(node, tuple(validate(SCHEMA, node)), operations)

    async def execute(
        self,
        document: SmallDocument,
        *,
        operation_name: str | None,
        variables: Mapping[str, Any],
        principal: Principal,
        request_id: str,
        extensions: Mapping[str, Any],
    ) -> Answer:
        kind = document.operations[operation_name or ""]
        self.executed.append(kind)
        self.variables.append(variables)
        assert document.node is not None
        root = _Root(self, principal)
        found = execute(SCHEMA, document.node, root, variable_values=dict(variables), operation_name=operation_name)
        result = found if isinstance(found, ExecutionResult) else await found
        executed = result.data is not None or any(error.path for error in result.errors or ())
        formatted: Any = result.formatted if executed else {"errors": result.formatted["errors"]}
        codes = () if not result.errors else ("SYSTEM_DOWN",) if executed else ("BAD_VARIABLES",)
        if root.defect:
            raise ZeroDivisionError("91330100MA2XXXXX0A")
        return Answer(orjson.dumps(formatted), executed, codes, ("Query.hello",), (), operation_name or "", kind)


class _Root:
    def __init__(self, engine: SmallEngine, principal: Principal) -> None:
        self.engine = engine
        self.principal = principal
        self.defect = False

    def hello(self, _: Any, name: str) -> str:
        return f"hello {name}"

    def broken(self, _: Any) -> str:
        raise GraphQLError("the source is down")

    def crash(self, _: Any) -> str:
        self.defect = True
        return ""

    async def slow(self, _: Any) -> str:
        self.engine.entered.set()
        await self.engine.release.wait()
        return "at last"

    def who(self, _: Any) -> str:
        return self.principal.id or "anonymous"

    def self(self, _: Any) -> _Root:
        return self

    def write(self, _: Any) -> int:
        return 1


class WordVerifier:
    """``Bearer app`` is the app. Anything else is refused."""

    async def principal(self, authorization: str | None) -> Principal:
        if authorization is None:
            return ANONYMOUS
        if authorization != "Bearer app":
            raise BadToken("unknown word")
        return Principal(id="app", audience=Audience.APP)


@dataclass(slots=True)
class World:
    engine: SmallEngine
    audit: list[Exchange]
    drain: Drain
    metrics: Metrics
    endpoint: Endpoint


def world(*, limits: Limits | None = None, audit: Any = None, **options: Any) -> World:
    engine, kept, drain, metrics = SmallEngine(), [], Drain(), Metrics()

    async def keep(exchange: Exchange) -> None:
        kept.append(exchange)

    endpoint = Endpoint(engine, WordVerifier(), audit or keep, SystemClock(), Gate(limits or Limits()), drain, metrics, **options)
    return World(engine, kept, drain, metrics, endpoint)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client sees."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def codes(self) -> list[str]:
        """The codes of the errors, after checking that the body is a well-formed GraphQL response without data."""
        found = self.json
        assert set(found) == {"errors", "extensions"}
        assert found["extensions"]["requestId"] == self.headers["x-request-id"]
        assert all(isinstance(error["message"], str) and error["message"] for error in found["errors"])
        return [error["extensions"]["code"] for error in found["errors"]]

    @property
    def message(self) -> str:
        return str(self.json["errors"][0]["message"])


async def ask(
    app: ASGIApp,
    method: str = "POST",
    path: str = "/graphql",
    *,
    query: str | bytes = b"",
    headers: Mapping[str, str] | None = None,
    body: bytes | list[bytes] = b"",
    hang_up: bool = False,
) -> Seen | None:
    """One request; ``body`` may come in chunks. None when the app gave no answer."""
    chunks = body if isinstance(body, list) else [body]
    incoming = [{"type": "http.request", "body": chunk, "more_body": n < len(chunks) - 1} for n, chunk in enumerate(chunks)]
    if hang_up:
        incoming = [{"type": "http.disconnect"}]
    outgoing: list[Any] = []

    async def receive() -> Any:
        if not incoming:
            await asyncio.Event().wait()  # the caller stays
        return incoming.pop(0)

    async def send(message: Any) -> None:
        outgoing.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query if isinstance(query, bytes) else query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    if not outgoing:
        return None
    start = outgoing[0]
    found = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Seen(start["status"], found, b"".join(message.get("body", b"") for message in outgoing[1:]))


async def post(app: ASGIApp, payload: Any, *, accept: str | None = GRAPHQL, **headers: str) -> Seen:
    """A POST of ``payload`` (bytes as they are, anything else as JSON)."""
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    given = {"content-type": JSON, **({"accept": accept} if accept is not None else {})}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    seen = await ask(app, headers=given, body=body)
    assert seen is not None
    return seen


async def get(app: ASGIApp, *, accept: str | None = GRAPHQL, method: str = "GET", **parameters: str) -> Seen:
    """A GET with these parameters in the URL."""
    seen = await ask(app, method, query=urlencode(parameters), headers={"accept": accept} if accept is not None else {})
    assert seen is not None
    return seen
