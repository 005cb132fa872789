"""The endpoint: one HTTP request in, one answer out, by the rules of the GraphQL-over-HTTP specification.

Raw ASGI, since this is the hot path. It knows the engine, the token verifier and the audit by the Protocols below and nothing
of how they work. Order of refusal: method, media type, draining, token, body, limits, document, operation; the first one answers.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import orjson
import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.errors import BadToken
from auth.principal import ANONYMOUS, Principal
from hub.answer import Answer, Rest
from hub.clock import Clock
from hub.errors import CODES, Refused, message
from hub.serve import multipart
from hub.serve.drain import Drain
from hub.serve.limits import Gate
from hub.serve.metrics import Metrics
from hub.serve.persisted import Persisted
from hub.serve.request import HTML, JSON, RESPONSE, Gone, Request, Turned, Watch, from_body, from_query, headers, negotiate, wants_events
from schema.scalars import identifier_error


class Document(Protocol):
    """A parsed and validated document. ``operations`` maps each operation's name (empty: unnamed) to its kind."""

    @property
    def errors(self) -> Sequence[GraphQLError]: ...

    @property
    def operations(self) -> Mapping[str, str]: ...


class Engine(Protocol):
    """The seam to the engine. Neither method raises anything but Refused for what a caller can do wrong."""

    def parse(self, text: str) -> Document: ...

    async def execute(
        self,
        document: Any,
        *,
        operation_name: str | None,
        variables: Mapping[str, Any],
        principal: Principal,
        request_id: str,
        extensions: Mapping[str, Any],
    ) -> Answer: ...


class Verifier(Protocol):
    """Who sent this ``Authorization`` header. Raises BadToken; None is the anonymous caller."""

    async def principal(self, authorization: str | None) -> Principal: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, for the audit: who asked what document, and what came of it. ``seconds`` until now."""

    request_id: str
    principal: Principal
    status: int
    document: str
    answer: Answer
    seconds: float


Audit = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class _Turn:
    """What is known of the request so far; grows as it is read."""

    request_id: str
    media: str = JSON
    principal: Principal = ANONYMOUS
    document: str = ""
    kind: str = ""
    operation: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    parts: bool = False  # whether the caller takes an answer in parts
    rest: Rest | None = None
    exchange: bool = False  # whether a document was named or a token shown, so that the audit must know


_REQUEST_ID = re.compile(rb"[0-9A-Za-z._-]{8,64}")
_FIXED = [(b"cache-control", b"no-store"), (b"vary", b"accept, authorization"), (b"x-content-type-options", b"nosniff")]
_TYPES = {media: (b"content-type", f"{media}; charset=utf-8".encode()) for media in (RESPONSE, JSON)}
_ALLOW = {"allow": "GET, HEAD, POST, OPTIONS"}


class Endpoint:
    """An ASGI app for one path. ``engine`` may be exchanged between requests; ``page`` is what browsers get, ``events`` answers those who
    want a stream of events (``hub.serve.sse``)."""

    def __init__(
        self,
        engine: Engine,
        verifier: Verifier,
        audit: Audit,
        clock: Clock,
        gate: Gate,
        drain: Drain,
        metrics: Metrics,
        *,
        page: ASGIApp | None = None,
        partial_status: int = 200,
        trust_request_id: bool = False,
    ) -> None:
        self.engine = engine
        self.events: ASGIApp | None = None
        self.persisted = Persisted()
        self.in_parts: Callable[..., Awaitable[Answer]] | None = None  # ``execute`` of the engine that it is given, for what is deferred
        self._verifier = verifier
        self._audit = audit
        self._clock = clock
        self._gate = gate
        self._drain = drain
        self._metrics = metrics
        self._page = page
        self._partial_status = partial_status
        self._trust_request_id = trust_request_id
        self._log = structlog.get_logger("hub.request").bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = self._clock.monotonic()
        asked = headers(scope)
        method = scope["method"]
        if method in ("GET", "HEAD") and self._page is not None and negotiate(asked.accept, html=True) == HTML:
            return await self._page(scope, receive, send)
        if self.events is not None and wants_events(asked.accept):
            return await self.events(scope, receive, send)
        if method == "OPTIONS":  # not a CORS preflight: those are answered before this
            return await Response(status_code=204, headers=_ALLOW)(scope, receive, send)
        turn = _Turn(self._id(asked.request_id))
        structlog.contextvars.bind_contextvars(request_id=turn.request_id)
        entered = self._drain.enter()
        try:
            try:
                status, answer = await self._answered(turn, entered, method, asked, scope, receive)
            except Gone:  # nobody is there to be answered; what its query was doing has been cancelled
                self._log.info("caller gone", client=turn.principal.id, operation=turn.operation[:64])
                return
            except Exception as error:  # the program's border: the caller gets no trace, the operators get one
                status, answer = self._failed(turn, "request failed", error)
            try:
                await self._audited(turn, status, answer, started)
            except Exception as error:  # no record, no answer
                status, answer = self._failed(turn, "audit failed", error)
            if answer.rest is not None:
                answer = await multipart.sent(answer, answer.rest, self._fields(turn), receive, send)
            else:
                await self._send(turn, status, answer.body, send)
            self._noted(turn, status, answer, self._clock.monotonic() - started)
        finally:
            if turn.rest is not None:
                turn.rest.close()
            if entered:
                self._drain.leave()

    async def _answered(self, turn: _Turn, entered: bool, method: str, asked: Any, scope: Scope, receive: Receive) -> tuple[int, Answer]:
        try:
            self._admit(turn, entered, method, asked)
            turn.principal = await self._caller(asked.authorization)
            limit = self._gate.limits.body
            request = await from_body(asked, receive, limit) if method == "POST" else from_query(scope, limit)
            turn.document, turn.exchange = request.query, True
            if request.digest:
                turn.document = self.persisted.text(request)
            answer = await self._asked(turn, request, method, receive)
        except Turned as turned:
            turn.headers |= turned.headers
            return turned.status, _refusal(turn, [entry(turned.code, turned.zh, turned.en, turned.data)])
        except Refused as refused:
            return self._refused_status(turn), _refusal(turn, [entry(refused.code, refused.zh, refused.en, refused.data)])
        except Invalid as invalid:
            return self._refused_status(turn), _refusal(turn, [located(error) for error in invalid.errors])
        except BadToken as bad:
            # What is wrong with a token is for the operators; a caller that guesses tokens learns nothing from the difference.
            self._log.info("token refused", reason=bad.reason)
            turn.exchange = True
            turn.headers["www-authenticate"] = 'Bearer realm="hub", error="invalid_token"'
            return 401, _refusal(turn, [entry("UNAUTHENTICATED")])
        if not answer.executed:
            return self._refused_status(turn), _numbered(answer, turn.request_id)
        turn.rest = answer.rest
        return (self._partial_status if answer.codes and answer.rest is None and turn.media == RESPONSE else 200), answer

    def _failed(self, turn: _Turn, event: str, error: Exception) -> tuple[int, Answer]:
        self._log.error(event, exc_info=error)
        return 500, _refusal(turn, [entry("INTERNAL")])

    def _admit(self, turn: _Turn, entered: bool, method: str, asked: Any) -> None:
        """What HTTP alone decides."""
        media = negotiate(asked.accept)
        turn.media = media or JSON
        turn.parts = self.in_parts is not None and multipart.wanted(asked.accept)
        if method not in ("GET", "HEAD", "POST"):
            raise Turned(405, "BAD_REQUEST", "只支持 GET 与 POST 方法。", "Only the methods GET and POST are supported.", _ALLOW)
        if media is None and not turn.parts:
            raise Turned(
                406,
                "BAD_REQUEST",
                f"只能以 {RESPONSE} 或 {JSON} 应答。",
                f"The answer comes as {RESPONSE} or {JSON}; `Accept` allows neither.",
            )
        if not entered:
            raise Turned(
                503, "SHUTTING_DOWN", CODES["SHUTTING_DOWN"].zh, CODES["SHUTTING_DOWN"].en, {"retry-after": "1", "connection": "close"}
            )

    async def _caller(self, authorization: tuple[bytes, ...]) -> Principal:
        if not authorization:
            return ANONYMOUS
        if len(authorization) > 1:
            raise BadToken("more than one Authorization header")
        return await self._verifier.principal(authorization[0].decode("latin-1"))

    async def _asked(self, turn: _Turn, request: Request, method: str, receive: Receive) -> Answer:
        self._gate.check(turn.document)
        document = self.engine.parse(turn.document)
        if document.errors:
            raise Invalid(document.errors)
        name, kind = choose(document.operations, request.operation_name)
        turn.operation, turn.kind = name, kind
        if kind == "subscription":
            zh = "订阅须以 `Accept: text/event-stream` 请求，或通过 WebSocket(graphql-transport-ws)执行。"
            en = "A subscription is asked for with `Accept: text/event-stream`, or over a WebSocket (graphql-transport-ws)."
            raise Refused("BAD_REQUEST", zh, en)
        if kind == "mutation" and method != "POST":
            raise Turned(405, "BAD_REQUEST", "变更操作只能用 POST 发送。", "A mutation must be sent by POST.", {"allow": "POST"})
        with Watch(receive) if kind == "query" else nullcontext():  # what has begun to write is not broken off
            execute: Callable[..., Awaitable[Answer]] = self.engine.execute
            if turn.parts and kind == "query" and self.in_parts is not None:
                execute = partial(self.in_parts, self.engine)
            return await execute(
                document,
                operation_name=name or None,
                variables=request.variables,
                principal=turn.principal,
                request_id=turn.request_id,
                extensions=request.extensions,
            )

    def _refused_status(self, turn: _Turn) -> int:
        """A well-formed request that cannot be executed: 400, except that a legacy ``application/json`` client gets 200."""
        return 400 if turn.media == RESPONSE else 200

    async def _audited(self, turn: _Turn, status: int, answer: Answer, started: float) -> None:
        if turn.exchange:
            seconds = self._clock.monotonic() - started
            await self._audit(Exchange(turn.request_id, turn.principal, status, turn.document, answer, seconds))

    async def _send(self, turn: _Turn, status: int, body: bytes, send: Send) -> None:
        fields = [_TYPES[turn.media], (b"content-length", b"%d" % len(body)), *self._fields(turn)]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    def _fields(self, turn: _Turn) -> list[tuple[bytes, bytes]]:
        fields = [(b"x-request-id", turn.request_id.encode()), *_FIXED]
        if turn.headers:
            fields += [(name.encode(), value.encode()) for name, value in turn.headers.items()]
        return fields

    def _noted(self, turn: _Turn, status: int, answer: Answer, seconds: float) -> None:
        self._metrics.request(status, answer.kind, answer.codes, seconds)
        self._log.info(
            "answered",
            status=status,
            ms=round(seconds * 1000, 2),
            client=turn.principal.id,
            operation=answer.operation[:64],
            kind=answer.kind,
            codes=answer.codes,
            systems=answer.systems,
            bytes=len(answer.body),
        )

    def _id(self, given: bytes | None) -> str:
        if self._trust_request_id and given is not None and _REQUEST_ID.fullmatch(given):
            return given.decode()
        return secrets.token_hex(12)


class Invalid(Exception):
    """The document does not parse or does not fit the schema."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


def choose(operations: Mapping[str, str], name: str | None) -> tuple[str, str]:
    """GetOperation (GraphQL specification §6.1): the named one, or the only one. Raises Refused."""
    if name is not None:
        if name not in operations:
            raise Refused("OPERATION_NOT_FOUND", "查询文档中没有所指名称的操作。", "The document has no operation of the name given.")
        return name, operations[name]
    if len(operations) != 1:
        zh, en = "查询文档含有多个操作，须用 `operationName` 指明。", "The document holds several operations: name one by `operationName`."
        if not operations:
            zh, en = "查询文档中没有操作。", "The document holds no operation."
        raise Refused("OPERATION_NOT_FOUND", zh, en)
    return next(iter(operations.items()))


def entry(code: str, zh: str = "", en: str = "", data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An error of a request as it goes out."""
    extensions: dict[str, Any] = {"code": code, **(data or {})}
    if CODES[code].retryable:
        extensions["retryable"] = True
    return {"message": message(code, zh, en), "extensions": extensions}


def located(error: GraphQLError) -> dict[str, Any]:
    """An error of parsing or validation, with its places; a wrong identifier keeps the refusal of its own."""
    named = identifier_error(error)
    code = "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"
    found = entry(code, en=error.message)
    if named is not None:
        found = {"message": named.message, "extensions": dict(named.extensions or {})}
    if error.locations:
        found["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    return found


def _numbered(answer: Answer, request_id: str) -> Answer:
    """A request error of the engine's, with the request's id in it like every other."""
    body = orjson.loads(answer.body)
    body["extensions"] = {**body.get("extensions", {}), "requestId": request_id}
    return replace(answer, body=orjson.dumps(body))


def _refusal(turn: _Turn, errors: list[dict[str, Any]]) -> Answer:
    body = orjson.dumps({"errors": errors, "extensions": {"requestId": turn.request_id}})
    codes = tuple(sorted({entry["extensions"]["code"] for entry in errors}))
    return Answer(body, False, codes, (), (), turn.operation, turn.kind)
