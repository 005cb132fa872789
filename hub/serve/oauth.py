"""The authorization server over HTTP: token endpoint, key set, metadata. Reads requests and writes answers; ``auth`` decides.

Form parsing follows RFC 6749 §3.2 (each parameter once) and Appendix B (UTF-8). Must not know clients, keys or storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from auth.adapter import Answer, refusal
from auth.server import TokenServer

_MOST_BYTES = 16_384
_MOST_PARAMETERS = 32
_CACHE = (("Cache-Control", "public, max-age=60"),)  # a rotated key is seen within a minute
log = structlog.get_logger("hub.oauth")


def routes(server: TokenServer) -> list[Route]:
    """Token endpoint, key set, and metadata, whose well-known name comes before the issuer's own path (RFC 8414 §3.1)."""
    path = urlsplit(server.issuer.url).path

    async def token(request: Request) -> Response:
        answer = await _token(server, request)
        log.info("token", client=answer.client, status=answer.status, reason=answer.reason)
        return _response(answer.status, answer.body, answer.headers)

    async def jwks(request: Request) -> Response:
        return _response(200, await server.jwks(), _CACHE)

    async def metadata(request: Request) -> Response:
        return _response(200, server.metadata(), _CACHE)

    return [
        Route("/oauth/token", token, methods=["POST"]),
        Route("/oauth/jwks.json", jwks, methods=["GET"]),
        Route(f"/.well-known/oauth-authorization-server{path}", metadata, methods=["GET"]),
    ]


async def _token(server: TokenServer, request: Request) -> Answer:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return refusal(400, "invalid_request", "The body is application/x-www-form-urlencoded.")
    if len(request.headers.getlist("authorization")) > 1:
        return refusal(400, "invalid_request", "Use one Authorization header.")
    try:
        body = await _body(request)
    except ClientDisconnect:
        return refusal(400, "invalid_request", "The request ended before its body.")
    if body is None:
        return refusal(413, "invalid_request", f"The body is at most {_MOST_BYTES} bytes.")
    form = _form(body)
    if form is None:
        return refusal(400, "invalid_request", "The body must hold each parameter once, in UTF-8.")
    return await server.token(form, request.headers.get("authorization"))


async def _body(request: Request) -> bytes | None:
    """The body; None as soon as it is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    return body


def _form(body: bytes) -> dict[str, str] | None:
    """The parameters, those without a value left out (RFC 6749 §3.2); None where one comes twice or is not UTF-8."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return None
    form = dict(pairs)
    return {name: value for name, value in form.items() if value} if len(form) == len(pairs) else None


def _response(status: int, body: Mapping[str, Any], headers: tuple[tuple[str, str], ...]) -> Response:
    return Response(orjson.dumps(body), status, dict(headers), "application/json")
