"""Reading one HTTP request as a GraphQL-over-HTTP request: what the caller sent, and in which media type it wants the answer.

Follows the GraphQL-over-HTTP specification (request parameters, GET, POST, Accept) and RFC 9110 §12.5.1 (content negotiation).
Must not know GraphQL documents, principals or the engine.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope

from hub.errors import Refused

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"
EVENTS = "text/event-stream"
_OFFERS = (RESPONSE, JSON)
_DIGEST = re.compile("[0-9A-Fa-f]{64}")
_PARAMETERS = ("query", "operationName", "variables", "extensions")


class Turned(Refused):
    """A request refused by HTTP's own rules: ``status`` and ``headers`` stand whatever the media type of the answer."""

    def __init__(self, status: int, code: str, zh: str, en: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code, zh, en)
        self.status = status
        self.headers = dict(headers or {})


class Gone(Exception):
    """The caller hung up before it had its answer."""


PATIENCE = 0.05  # seconds from which on a request is worth the watching


class Watch:
    """Cancels the task it is made in when the caller hangs up: ``with Watch(receive): ...`` raises Gone then.

    Most requests are over before it begins to look, after ``PATIENCE``, and cost a timer only. The request's body has to be read by then.
    """

    __slots__ = ("_gone", "_receive", "_task", "_timer", "_watching")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer = loop.call_later(PATIENCE, self._begin)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
        mine = self._gone and self._task is not None and self._task.uncancel() == 0  # else somebody else has cancelled it as well
        if mine and (kind is None or issubclass(kind, asyncio.CancelledError)):
            raise Gone

    def _begin(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._task is not None:
            self._task.cancel()


@dataclass(frozen=True, slots=True)
class Headers:
    """The request's headers that matter here; repeated ``Accept`` lines are joined, as RFC 9110 §5.3 has it."""

    accept: bytes | None = None
    content_type: bytes | None = None
    content_encoding: bytes | None = None
    content_length: bytes | None = None
    authorization: tuple[bytes, ...] = ()
    request_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A well-formed GraphQL-over-HTTP request. ``operation_name`` is None when absent, null or empty. Without a ``query`` it has a
    ``digest`` that says which is meant; see ``hub.serve.persisted``."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""


def headers(scope: Scope) -> Headers:
    """One pass over the raw headers."""
    accept = content_type = encoding = length = request_id = None
    authorization: tuple[bytes, ...] = ()
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = value if accept is None else accept + b"," + value
        elif name == b"content-type":
            content_type = value
        elif name == b"content-length":
            length = value
        elif name == b"authorization":
            authorization += (value,)
        elif name == b"content-encoding":
            encoding = value
        elif name == b"x-request-id":
            request_id = value
    return Headers(accept, content_type, encoding, length, authorization, request_id)


@lru_cache(maxsize=512)
def negotiate(accept: bytes | None, html: bool = False) -> str | None:
    """The media type to answer in, or None when nothing offered is acceptable. ``html`` offers the explorer's page too.

    Higher ``q`` wins; then what is named outright over a wildcard; then the order of the header; then our own preference.
    """
    if accept is None or not accept.strip():
        return RESPONSE
    ranges = [media(part) for part in accept.decode("latin-1").split(",") if part.strip()]
    best: tuple[float, int, int, int] | None = None
    chosen = None
    for preference, offer in enumerate((*_OFFERS, HTML) if html else _OFFERS):
        matches = [
            (specific, -order, weight)
            for order, (name, charset, weight) in enumerate(ranges)
            if (specific := _matches(name, offer)) and charset in ("", "utf-8", "utf8", "*")
        ]
        if not matches:
            continue
        specific, order, weight = max(matches)
        rank = (weight, specific, order, -preference)
        if weight > 0 and (best is None or rank > best):
            best, chosen = rank, offer
    return chosen


@lru_cache(maxsize=512)
def wants_events(accept: bytes | None) -> bool:
    """Whether a stream of events is what the caller wants most: named outright, and no JSON is named with a greater weight."""
    if accept is None:
        return False
    weights = {name: weight for name, _, weight in (media(part) for part in accept.decode("latin-1").split(","))}
    return weights.get(EVENTS, 0.0) > 0 and weights[EVENTS] >= max(weights.get(JSON, 0.0), weights.get(RESPONSE, 0.0))


def _matches(name: str, offer: str) -> int:
    """3 for the type itself, 2 for ``type/*``, 1 for ``*/*``, 0 for no match."""
    if name == offer:
        return 3
    if name == offer.split("/")[0] + "/*":
        return 2
    return 1 if name == "*/*" else 0


def media(text: str) -> tuple[str, str, float]:
    """``application/json; charset=utf-8; q=0.5`` → name, charset, weight. A weight that cannot be read counts as 1."""
    name, *parameters = text.split(";")
    charset, weight = "", 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        key, value = key.strip().lower(), value.strip().strip('"').lower()
        if key == "charset":
            charset = value
        elif key == "q":
            try:
                weight = min(max(float(value), 0.0), 1.0)
            except ValueError:
                weight = 1.0
    return name.strip().lower(), charset, weight


@lru_cache(maxsize=128)
def _carries_json(content_type: bytes) -> bool:
    name, charset, _ = media(content_type.decode("latin-1"))
    return name == JSON and charset in ("", "utf-8", "utf8")


def from_query(scope: Scope, limit: int) -> Request:
    """A GET request's parameters. Raises Refused; 414 when the query string is longer than ``limit`` bytes."""
    raw: bytes = scope["query_string"]
    if len(raw) > limit:
        raise Turned(414, "TOO_LARGE", f"网址长度超过上限 {limit} 字节。", f"The URL's query is over the limit of {limit} bytes (body).")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=64)
    except (UnicodeDecodeError, ValueError):
        raise _bad("网址参数不是有效的 UTF-8 编码。", "The URL's parameters are not valid UTF-8.") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in _PARAMETERS:
            continue
        if name in found:
            raise _bad(f"参数 `{name}` 重复。", f"The parameter `{name}` is given twice.")
        found[name] = value
    for name in ("variables", "extensions"):
        text = found.get(name)
        if text is not None:
            found[name] = (
                _json(text.encode(), f"参数 `{name}` 不是有效的 JSON。", f"The parameter `{name}` is not valid JSON.") if text else None
            )
    return _checked(found)


async def from_body(asked: Headers, receive: Receive, limit: int) -> Request:
    """A POST request's parameters. Raises Refused: 415 for another content type or encoding, 413 over ``limit`` bytes; Gone."""
    if asked.content_type is None or not _carries_json(asked.content_type):
        raise Turned(
            415,
            "BAD_REQUEST",
            "请求正文须为 `Content-Type: application/json`(UTF-8)。",
            "The body must come as `Content-Type: application/json` (UTF-8).",
            {"accept": JSON},
        )
    if asked.content_encoding is not None and asked.content_encoding.strip().lower() not in (b"", b"identity"):
        raise Turned(
            415,
            "BAD_REQUEST",
            "不支持压缩的请求正文。",
            "A compressed body (`Content-Encoding`) is not supported.",
            {"accept-encoding": "identity"},
        )
    if asked.content_length is not None and asked.content_length.isdigit() and int(asked.content_length) > limit:
        raise _over(limit)
    body = await _body(receive, limit)
    if not body.strip():
        raise _bad("请求正文为空。", "The body is empty.")
    found = _json(body, "请求正文不是有效的 JSON。", "The body is not valid JSON.")
    if isinstance(found, list):
        raise _bad("不支持批量请求(JSON 数组)。", "Batched requests (a JSON array) are not supported.")
    if not isinstance(found, dict):
        raise _bad("请求正文须为 JSON 对象。", "The body must be a JSON object.")
    return _checked(found)


async def _body(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise _over(limit)
        return body
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        if size > limit:
            raise _over(limit)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        chunks.append(chunk)
    if size > limit:
        raise _over(limit)
    return b"".join(chunks)


def _json(text: bytes, zh: str, en: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        fault = error
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad(f"{zh}(第 {error.start + 1} 字节不是 UTF-8)", f"{en} (byte {error.start + 1} is not UTF-8)") from None
    raise _bad(f"{zh}(第 {fault.lineno} 行第 {fault.colno} 列)", f"{en} (line {fault.lineno}, column {fault.colno})")


def _checked(found: Mapping[str, Any]) -> Request:
    query, extensions = found.get("query"), found.get("extensions")
    digest = _digest(extensions["persistedQuery"]) if isinstance(extensions, dict) and "persistedQuery" in extensions else ""
    if query is None and digest:
        query = ""
    elif not isinstance(query, str):
        if query is None:
            raise _bad("缺少参数 `query`。", "The parameter `query` is missing.")
        raise _bad("参数 `query` 须为字符串。", "The parameter `query` must be a string.")
    elif not query.strip():
        raise _bad("参数 `query` 为空。", "The parameter `query` is empty.")
    name = found.get("operationName")
    if name is not None and not isinstance(name, str):
        raise _bad("参数 `operationName` 须为字符串。", "The parameter `operationName` must be a string.")
    variables = found.get("variables")
    for parameter, value in (("variables", variables), ("extensions", extensions)):
        if value is not None and not isinstance(value, dict):
            raise _bad(f"参数 `{parameter}` 须为 JSON 对象。", f"The parameter `{parameter}` must be a JSON object.")
    return Request(query, name or None, variables or {}, extensions or {}, digest)


def _digest(persisted: Any) -> str:
    """What `extensions.persistedQuery` says that the query is known by."""
    said = persisted.get("sha256Hash") if isinstance(persisted, dict) and persisted.get("version") == 1 else None
    if not isinstance(said, str) or _DIGEST.fullmatch(said) is None:
        raise _bad(
            "`extensions.persistedQuery` 须为 {version: 1, sha256Hash: 64 位十六进制}。",
            "`extensions.persistedQuery` must be {version: 1, sha256Hash: 64 hexadecimal digits}.",
        )
    return said.lower()


def _bad(zh: str, en: str) -> Turned:
    return Turned(400, "BAD_REQUEST", zh, en)


def _over(limit: int) -> Turned:
    # The rest of the body is not read, so the connection cannot serve another request.
    return Turned(
        413,
        "TOO_LARGE",
        f"请求正文超过上限 {limit} 字节。",
        f"The body is over the limit of {limit} bytes (body).",
        {"connection": "close"},
    )
