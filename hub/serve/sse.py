"""GraphQL over server-sent events, by the ``graphql-sse`` protocol in distinct connections mode: one request, one stream.

A request that accepts ``text/event-stream`` is answered by ``next`` events, each an execution result, and a ``complete``; one that
cannot be run at all by HTTP status and JSON. Must not know the engine, documents or feeds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import orjson
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from auth.errors import BadToken
from auth.principal import ANONYMOUS, Principal
from hub.answer import Answer
from hub.errors import CODES, Refused
from hub.serve.drain import Drain
from hub.serve.graphql import entry
from hub.serve.operations import Asked, Operations
from hub.serve.persisted import Persisted
from hub.serve.request import EVENTS, RESPONSE, Gone, Turned, from_body, from_query, headers

KEEP_ALIVE = 12.0  # seconds of silence after which a comment is sent, so that nobody on the way gives the connection up
GRACE = 0.05  # seconds in which an operation that cannot be run says so by its status; after that the stream begins
COMPLETE = b"event: complete\ndata:\n\n"


class Events:
    """An ASGI app for requests that want events."""

    def __init__(
        self,
        operations: Operations,
        verify: Callable[[str | None], Awaitable[Principal]],
        drain: Drain,
        limit: int,
        *,
        keep_alive: float = KEEP_ALIVE,
        persisted: Persisted | None = None,
    ) -> None:
        self._operations = operations
        self._verify = verify
        self._drain = drain
        self._limit = limit
        self._keep_alive = keep_alive
        self._persisted = persisted or Persisted()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        entered = self._drain.enter()
        try:
            try:
                asked, who = await self._asked(entered, scope, receive)
            except Gone:
                return
            except Turned as turned:
                await _refused(scope, receive, send, turned.status, turned, turned.headers)
                return
            except Refused as refused:
                await _refused(scope, receive, send, 400, refused)
                return
            except BadToken as bad:
                structlog.get_logger("hub.request").info("token refused", reason=bad.reason)
                challenge = {"www-authenticate": 'Bearer realm="hub", error="invalid_token"'}
                await _refused(scope, receive, send, 401, Refused("UNAUTHENTICATED"), challenge)
                return
            async with aclosing(self._operations.answers(asked, who)) as answers:
                await self._streamed(answers, asked, scope, receive, send)
        finally:
            if entered:
                self._drain.leave()

    async def _asked(self, entered: bool, scope: Scope, receive: Receive) -> tuple[Asked, Callable[[], Awaitable[Principal]]]:
        given = headers(scope)
        if scope["method"] not in ("GET", "POST"):
            raise Turned(405, "BAD_REQUEST", "只支持 GET 与 POST 方法。", "Only GET and POST are supported.", {"allow": "GET, POST"})
        if not entered:
            code = CODES["SHUTTING_DOWN"]
            raise Turned(503, code.code, code.zh, code.en, {"retry-after": "1", "connection": "close"})
        if len(given.authorization) > 1:
            raise BadToken("more than one Authorization header")
        shown = given.authorization[0].decode("latin-1") if given.authorization else None

        async def who() -> Principal:
            return ANONYMOUS if shown is None else await self._verify(shown)

        await who()
        posted = scope["method"] == "POST"
        request = await from_body(given, receive, self._limit) if posted else from_query(scope, self._limit)
        return Asked(self._persisted.text(request), request.operation_name, request.variables, request.extensions, reads=not posted), who

    async def _streamed(self, answers: AsyncGenerator[Answer, None], asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as they come, until there are no more or the caller hangs up."""
        gone = asyncio.create_task(_hung_up(receive))
        coming: asyncio.Task[Answer | None] = asyncio.create_task(_next(answers))
        begun = False
        try:
            while True:
                silent = self._keep_alive if begun else GRACE
                done, _ = await asyncio.wait({coming, gone}, timeout=silent, return_when=asyncio.FIRST_COMPLETED)
                if gone in done:
                    return
                if coming not in done:
                    begun = begun or await _begin(send, asked)
                    await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
                    continue
                answer = coming.result()
                if answer is not None and not answer.executed and not begun:
                    media_type = f"{RESPONSE}; charset=utf-8"
                    await Response(answer.body, _status(answer), _headers(asked), media_type)(scope, receive, send)
                    return
                begun = begun or await _begin(send, asked)
                if answer is None:
                    await send({"type": "http.response.body", "body": COMPLETE, "more_body": False})
                    return
                await send({"type": "http.response.body", "body": _framed(answer.body), "more_body": True})
                coming = asyncio.create_task(_next(answers))
        finally:
            for task in (gone, coming):
                task.cancel()
            await asyncio.wait({gone, coming})


async def _next(answers: AsyncGenerator[Answer, None]) -> Answer | None:
    return await anext(answers, None)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _begin(send: Send, asked: Asked) -> bool:
    fields = {"content-type": f"{EVENTS}; charset=utf-8", "x-accel-buffering": "no", **_headers(asked)}
    start = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": 200, "headers": start})
    return True


def _framed(body: bytes) -> bytes:
    """JSON holds no line break outside its texts, where it is written as an escape."""
    return b"event: next\ndata: " + body + b"\n\n"


def _status(answer: Answer) -> int:
    return 500 if "INTERNAL" in answer.codes else 401 if "UNAUTHENTICATED" in answer.codes else 400


def _headers(asked: Asked) -> dict[str, str]:
    return {"cache-control": "no-store", "x-content-type-options": "nosniff", "x-request-id": asked.request_id}


async def _refused(
    scope: Scope, receive: Receive, send: Send, status: int, refused: Refused, extra: Mapping[str, str] | None = None
) -> None:
    body: dict[str, Any] = {"errors": [entry(refused.code, refused.zh, refused.en, refused.data)]}
    fields = {"cache-control": "no-store", "x-content-type-options": "nosniff", **(extra or {})}
    await Response(orjson.dumps(body), status, fields, f"{RESPONSE}; charset=utf-8")(scope, receive, send)
