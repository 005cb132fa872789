"""One operation for a transport that gives several answers: limits, document, engine, and an audit record before each answer leaves.

For WebSocket and server-sent events; the plain endpoint has its own way of refusing, by HTTP status. Must not know a transport.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import orjson
import structlog

from auth.errors import BadToken
from auth.principal import ANONYMOUS, Principal
from hub.answer import Answer
from hub.clock import Clock
from hub.errors import Refused
from hub.serve import graphql
from hub.serve.graphql import Audit, Exchange, Invalid, choose, entry, located
from hub.serve.limits import Gate
from hub.serve.metrics import Metrics
from hub.serve.request import Turned

Who = Callable[[], Awaitable[Principal]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation as a client sends it. ``reads`` says that it must not change anything (GET)."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    reads: bool = False
    request_id: str = field(default_factory=lambda: secrets.token_hex(12))


class Engine(graphql.Engine, Protocol):
    """The seam to the engine, with subscriptions; see ``hub.run.engine``."""

    def subscribe(
        self, document: Any, *, who: Who, operation_name: str | None, variables: Mapping[str, Any], request_id: str
    ) -> AsyncGenerator[Answer, None]: ...


class Operations:
    """Runs operations. ``engine`` says which engine is in charge when one begins."""

    def __init__(self, engine: Callable[[], Engine], audit: Audit, clock: Clock, gate: Gate, metrics: Metrics) -> None:
        self._engine = engine
        self._audit = audit
        self._clock = clock
        self._gate = gate
        self._metrics = metrics
        self._running: set[asyncio.Task[Answer]] = set()
        self._log = structlog.get_logger("hub.request").bind()

    async def answers(self, asked: Asked, who: Who) -> AsyncGenerator[Answer, None]:
        """The answers of one operation: one of a query or mutation, one an event of a subscription. One that is not ``executed`` is the
        last and holds errors only. Raises nothing; each answer's audit record is committed before it is handed out."""
        seen = _Seen(who)
        started = self._clock.monotonic()
        async with aclosing(self._run(asked, seen)) as answers:
            try:
                async for answer, kept in answers:
                    if not kept:
                        await self._keep(asked, answer, seen, started)
                    yield answer
                    started = self._clock.monotonic()
            except Exception as error:  # the program's border, and a record that could not be kept: no record, no answer
                self._log.error("operation failed", request_id=asked.request_id, exc_info=error)
                yield refusal(asked, [entry("INTERNAL")])

    async def _keep(self, asked: Asked, answer: Answer, seen: _Seen, started: float) -> None:
        seconds = self._clock.monotonic() - started
        await self._audit(Exchange(asked.request_id, seen.principal, 200, asked.query, answer, seconds))
        self._noted(asked, answer, seen, seconds)

    async def _run(self, asked: Asked, seen: _Seen) -> AsyncGenerator[tuple[Answer, bool], None]:
        """Answers, and whether their record is kept already."""
        name, kind = "", ""
        try:
            self._gate.check(asked.query)
            engine = self._engine()
            document = engine.parse(asked.query)
            if document.errors:
                raise Invalid(document.errors)
            name, kind = choose(document.operations, asked.operation_name)
            if kind == "mutation" and asked.reads:
                raise Turned(405, "BAD_REQUEST", "变更操作只能用 POST 发送。", "A mutation must be sent by POST.", {"allow": "POST"})
            principal = await seen()
            found: AsyncIterator[Answer]
            if kind == "subscription":
                found = engine.subscribe(
                    document, who=seen, operation_name=name or None, variables=asked.variables, request_id=asked.request_id
                )
                async with aclosing(found):
                    async for answer in found:
                        yield answer if answer.executed else numbered(answer, asked), False
                return
            started = self._clock.monotonic()

            async def once() -> Answer:
                answer = await engine.execute(
                    document,
                    operation_name=name or None,
                    variables=asked.variables,
                    principal=principal,
                    request_id=asked.request_id,
                    extensions=asked.extensions,
                )
                answer = answer if answer.executed else numbered(answer, asked)
                await self._keep(asked, answer, seen, started)
                return answer

            running = asyncio.create_task(once())
            self._running.add(running)
            running.add_done_callback(self._running.discard)
            try:
                # What has begun to write is not broken off by a caller that goes away, and leaves its record.
                yield await (asyncio.shield(running) if kind == "mutation" else running), True
            finally:
                if kind != "mutation":
                    running.cancel()
        except Refused as refused:
            yield refusal(asked, [entry(refused.code, refused.zh, refused.en, refused.data)], name, kind), False
        except Invalid as invalid:
            yield refusal(asked, [located(error) for error in invalid.errors]), False
        except BadToken as bad:
            self._log.info("token refused", reason=bad.reason)
            yield refusal(asked, [entry("UNAUTHENTICATED")], name, kind), False

    def _noted(self, asked: Asked, answer: Answer, seen: _Seen, seconds: float) -> None:
        self._metrics.request(200, answer.kind, answer.codes, seconds)
        self._log.info(
            "answered",
            request_id=asked.request_id,
            ms=round(seconds * 1000, 2),
            client=seen.principal.id,
            operation=answer.operation[:64],
            kind=answer.kind,
            codes=answer.codes,
            systems=answer.systems,
            bytes=len(answer.body),
        )


class _Seen:
    """``who``, and the principal that it named last."""

    def __init__(self, who: Who) -> None:
        self._who = who
        self.principal = ANONYMOUS

    async def __call__(self) -> Principal:
        self.principal = await self._who()
        return self.principal


def refusal(asked: Asked, errors: list[dict[str, Any]], name: str = "", kind: str = "") -> Answer:
    """An operation that was not run, or is run no longer."""
    codes = tuple(sorted({one["extensions"]["code"] for one in errors}))
    return Answer(orjson.dumps({"errors": errors, "extensions": {"requestId": asked.request_id}}), False, codes, (), (), name, kind)


def numbered(answer: Answer, asked: Asked) -> Answer:
    """A request error of the engine's, with the request's id in it like every other."""
    body = orjson.loads(answer.body)
    body["extensions"] = {**body.get("extensions", {}), "requestId": asked.request_id}
    return replace(answer, body=orjson.dumps(body))
