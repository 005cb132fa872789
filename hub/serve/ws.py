"""GraphQL over WebSocket, by the protocol ``graphql-transport-ws``: Strawberry's handler for the protocol, our engine behind it.

The handler keeps the protocol (acknowledgement, ids, ping, close codes 4400 4401 4408 4409 4429); what is overridden here is how one
operation is run, and who the caller is: ``connection_init`` carries ``{"authorization": "Bearer …"}``. A wrong token closes the socket
with 4403. What is relied on of the handler is tried in ``tests/serve/test_ws.py``. Knows the endpoint's parts, nothing of feeds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import orjson
import structlog
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.types.unset import UNSET

from auth.errors import BadToken
from auth.principal import ANONYMOUS, Principal
from hub.answer import Answer
from hub.serve.drain import Drain
from hub.serve.operations import Asked, Who

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0  # within which a client has to say who it is
OPERATIONS = 100  # at once on one connection
GOING_AWAY = 1001

Answers = Callable[[Asked, Who], AsyncGenerator[Answer, None]]  # see ``hub.serve.operations``


@dataclass(slots=True)
class _Caller:
    """The handler's context: ``connection_params`` are what ``connection_init`` brought."""

    verify: Callable[[str | None], Awaitable[Principal]]
    connection_params: Mapping[str, Any] = field(default_factory=dict)
    authorization: str | None = None

    async def principal(self) -> Principal:
        """Who is asking, looked at anew. Raises BadToken."""
        return ANONYMOUS if self.authorization is None else await self.verify(self.authorization)


class _View:
    """What the handler asks of a view."""

    async def on_ws_connect(self, context: _Caller) -> Any:
        """Raises ConnectionRejectionError; there is nothing to say with the acknowledgement."""
        params = {str(name).lower(): value for name, value in context.connection_params.items()}
        given = params.get("authorization")
        if given is not None and not isinstance(given, str):
            raise ConnectionRejectionError
        context.authorization = given
        try:
            await context.principal()
        except BadToken as bad:
            structlog.get_logger("hub.request").info("token refused", reason=bad.reason)
            raise ConnectionRejectionError from None
        return UNSET


class _Socket:
    """A Starlette WebSocket as the handler knows it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._sending = asyncio.Lock()  # frames of several operations never mix

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        with suppress(WebSocketDisconnect):
            while self._socket.application_state is not WebSocketState.DISCONNECTED:
                message = await self._socket.receive()
                if message["type"] != "websocket.receive":
                    return
                text = message.get("text")
                if text is None:
                    raise NonTextMessageReceived
                try:
                    found = orjson.loads(text)
                except orjson.JSONDecodeError:
                    raise NonJsonMessageReceived from None
                yield found if isinstance(found, dict) else {}

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            async with self._sending:
                if self._socket.application_state is WebSocketState.CONNECTED:
                    await self._socket.send_text(msgspec.json.encode(message).decode())
        except (WebSocketDisconnect, RuntimeError):  # it has hung up meanwhile
            raise WebSocketDisconnected from None

    async def close(self, code: int, reason: str) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            if self._socket.application_state is WebSocketState.CONNECTED:
                await self._socket.close(code, reason[:100])


class Handler(BaseGraphQLTransportWSHandler[Any, Any]):
    """The protocol over our engine."""

    def __init__(self, socket: WebSocket, caller: _Caller, answers: Answers, init_seconds: float) -> None:
        self.answers = answers
        wait = timedelta(seconds=init_seconds)
        view: Any = _View()
        schema: Any = None  # operations are run below, not by a schema
        wrapped: Any = _Socket(socket)
        super().__init__(view, wrapped, caller, None, schema, wait, OPERATIONS)

    async def handle_message(self, message: Any) -> None:
        if message.get("type") == "subscribe" and not _well_formed(message):
            await self.handle_invalid_message("Invalid message")
            return
        if message.get("type") == "complete" and not isinstance(message.get("id"), str):
            await self.handle_invalid_message("Invalid message")
            return
        await super().handle_message(message)

    async def run_operation(self, operation: Operation[Any, Any]) -> None:
        asked: Asked = operation.query  # type: ignore[assignment]  # put there by ``handle_subscribe``
        try:
            async with aclosing(self.answers(asked, self.context.principal)) as answers:
                async for answer in answers:
                    if not answer.executed:
                        errors = msgspec.Raw(orjson.dumps(orjson.loads(answer.body)["errors"]))
                        await self._send(operation, {"id": operation.id, "type": "error", "payload": errors})
                        return
                    await self._send(operation, {"id": operation.id, "type": "next", "payload": msgspec.Raw(answer.body)})
            await self._send(operation, {"id": operation.id, "type": "complete"})
        except WebSocketDisconnected:
            return

    async def _send(self, operation: Operation[Any, Any], message: Any) -> None:
        if self.operations.get(operation.id) is operation:  # not completed by the client meanwhile
            await operation.send_operation_message(message)

    async def handle_subscribe(self, message: Any) -> None:
        payload = message["payload"]
        asked = Asked(payload["query"], payload.get("operationName"), payload.get("variables") or {}, payload.get("extensions") or {})
        await super().handle_subscribe({**message, "payload": {**payload, "query": asked}})  # type: ignore[typeddict-item]  # kept as it is


def _well_formed(message: Mapping[str, Any]) -> bool:
    payload = message.get("payload")
    if not isinstance(message.get("id"), str) or not message["id"] or not isinstance(payload, dict):
        return False
    name, variables, extensions = payload.get("operationName"), payload.get("variables"), payload.get("extensions")
    return (
        isinstance(payload.get("query"), str)
        and (name is None or isinstance(name, str))
        and all(each is None or isinstance(each, dict) for each in (variables, extensions))
    )


class Sockets:
    """An ASGI app for WebSocket connections at the endpoint's path. ``closing`` ends them all."""

    def __init__(
        self,
        answers: Answers,
        verify: Callable[[str | None], Awaitable[Principal]],
        drain: Drain,
        *,
        init_seconds: float = INIT_SECONDS,
    ) -> None:
        self._answers = answers
        self._verify = verify
        self._drain = drain
        self._init_seconds = init_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        if PROTOCOL not in scope.get("subprotocols", ()):
            await socket.accept()
            await socket.close(4406, "Subprotocol not acceptable")
            return
        if not self._drain.enter():
            await socket.close()
            return
        try:
            await socket.accept(PROTOCOL)
            await self._handled(socket)
        finally:
            self._drain.leave()

    async def _handled(self, socket: WebSocket) -> None:
        """Until the client hangs up, or the hub stops and what is under way has been told so."""
        handler = Handler(socket, _Caller(self._verify), self._answers, self._init_seconds)
        handling = asyncio.create_task(handler.handle())
        closing = asyncio.create_task(self._drain.begun())
        try:
            await asyncio.wait({handling, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not handling.done():
                tasks = [operation.task for operation in handler.operations.values() if operation.task is not None]
                if tasks:  # feeds end them with a code
                    await asyncio.wait(tasks)
                await handler.websocket.close(GOING_AWAY, "Going away")
                handling.cancel()
                await asyncio.wait({handling})
            elif not handling.cancelled() and (error := handling.exception()) is not None:
                structlog.get_logger("hub.request").error("connection failed", exc_info=error)
                await handler.websocket.close(1011, "Internal error")
        finally:
            closing.cancel()
            handling.cancel()
            await asyncio.wait({handling, closing})
