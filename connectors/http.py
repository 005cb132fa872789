"""One HTTP origin: session, credentials, limits, and what went wrong in the terms of ``connectors.spi``.

For the kinds that speak HTTP. Retry, time limits and concurrency are the engine's; no answer is kept here. Must not know what
a request means.

    refused, name not found, cut off before an answer   down
    no answer by the deadline, 408                      slow
    429, 425                                            busy
    401, 403                                            denied
    other 4xx                                           invalid
    502, 503, 504                                       down
    other 5xx, not HTTP, cut off within the body, over the limit, not JSON   broken
    3xx, certificate not trusted                        config
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from connectors.settings import refused
from connectors.spi import Call, ErrorKind, Secret, SourceError

AuthKind = Literal["NONE", "BASIC", "API_KEY", "BEARER"]
# The older national sets are parts of GB 18030, and senders are known to mix them up.
_CHARSETS = {"gbk": "gb18030", "gb2312": "gb18030", "utf8": "utf-8"}
_BEYOND_ASCII = bytes(range(128, 256))
_SURE = 12  # bytes: six characters of GB 18030, of which about one in eight could pass for UTF-8
# A fraction of 16 digits and more, or a whole number beyond 64 bits; what lies within a text may look like one, and costs time alone.
_LONG_NUMBER = re.compile(rb"[:,\[]\s*-?(?:(?=[0-9.]{17})[0-9]+\.[0-9]|[0-9]{19})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Auth:
    """How the hub shows who it is.

    BASIC takes ``user`` and ``password``, BEARER ``token``, API_KEY ``secret`` under ``header`` or ``query``; ``secret`` serves
    BASIC and BEARER too.
    """

    kind: AuthKind = "NONE"
    header: str = ""
    query: str = ""
    user: str | Secret = ""
    password: Secret | None = None
    secret: Secret | None = None
    token: Secret | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: any status. ``body`` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it went, for an author who looks on: credentials are stars. ``status`` is 0 when there was no answer."""

    method: str
    address: str
    headers: Mapping[str, str]
    sent: bytes | None
    status: int = 0
    received: bytes = b""


# Who looks on: within a context that sets it, every request is noted here. Service never does.
onlooker: ContextVar[list[Exchange] | None] = ContextVar("onlooker", default=None)


class Endpoint:
    """A base address and how to speak to it. Opened by the first request, closed by ``close``."""

    def __init__(self, base: str, auth: Auth, headers: Mapping[str, str | Secret], *, max_bytes: int) -> None:
        self.base = _base(base)
        self.max_bytes = max_bytes
        shown, self._query = _credentials(auth)
        self._hidden = {*shown, *(name for name, value in headers.items() if isinstance(value, Secret))}
        self._headers = {"Accept": "application/json", **{name: _reveal(value) for name, value in headers.items()}, **shown}
        for name, value in self._headers.items():
            if not name or _CONTROL.search(name) or _CONTROL.search(value) or not value.isascii():
                raise refused(f"the value of header '{name}' cannot be sent")
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def send(
        self,
        method: str,
        target: str,
        call: Call,
        *,
        json: Any = None,
        content: bytes | None = None,
        shown: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        once: bool = False,
    ) -> Answer:
        """Send one request to ``base`` + ``target`` (percent-encoded) and read the whole answer. Raises SourceError.

        The body is ``json``, or ``content`` of the type that ``headers`` name; ``shown`` is what an author who looks on sees of it.
        ``once``: the request changes something and is not sent again when its connection breaks, whatever its method.
        """
        sent = {"X-Request-Id": call.request_id} if call.request_id else {}
        body = content
        if json is not None:
            sent["Content-Type"] = "application/json"
            body = orjson.dumps(json)
        told = onlooker.get()
        if told is not None:
            named = {name: "****" if name in self._hidden else value for name, value in self._headers.items()}
            told.append(Exchange(method, self.base + self._seen(target), {**named, **sent, **(headers or {})}, shown or body))
        async with (
            self._translated(),
            asyncio.timeout_at(call.deadline),
            self._open().request(
                method,
                self._url(target),
                data=body,
                headers={**sent, **(headers or {})},
                allow_redirects=False,
                middlewares=(_never_again,) if once else None,
            ) as response,
        ):
            content = await _content(response, min(self.max_bytes, call.max_bytes))
            if told is not None:
                told[-1] = replace(told[-1], status=response.status, received=content)
            return Answer(response.status, response.headers, content)
        raise AssertionError("either an answer or an error")

    @asynccontextmanager
    async def stream(self, target: str, call: Call, after: str, quiet: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """The parts of a ``text/event-stream`` as they come. ``after`` is the id of the last event that was seen, ``quiet`` how many
        seconds it may be silent. Raises SourceError: ``slow`` for a longer silence, ``missing`` when the source says that it has no more.
        """
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if call.request_id:
            headers["X-Request-Id"] = call.request_id
        if after:
            headers["Last-Event-ID"] = after
        async with self._translated():
            async with asyncio.timeout(quiet):
                response = await self._open().request("GET", self._url(target), headers=headers, allow_redirects=False)
            try:
                wrong = refusal(Answer(response.status, response.headers, b""))
                if wrong is not None:
                    raise wrong
                if response.status == 204:
                    raise SourceError("missing", "The source has no more news.")
                if response.content_type != "text/event-stream":
                    raise broken("The source did not answer with a stream of events.", response.content_type)
                yield _parts(response, quiet)
            finally:
                response.close()

    def _url(self, target: str) -> URL:
        if self._query:
            target += ("&" if "?" in target else "?") + self._query
        return URL(self.base + target, encoded=True)

    def _seen(self, target: str) -> str:
        """``target`` with the credential in its query, if there is one, as stars."""
        return target + (("&" if "?" in target else "?") + self._query.partition("=")[0] + "=****" if self._query else "")

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        """What goes wrong on the wire in the terms of ``connectors.spi``."""
        if self._closed:
            raise SourceError("down", "The connection to the source is closed.", untouched=True)
        try:
            yield
        # The causes are cut off: their texts name hosts, and a logged chain would carry the address with its values.
        except TimeoutError:
            raise SourceError("slow", "The source did not answer in time.") from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, aiohttp.ServerFingerprintMismatch) as error:
            raise refused("The certificate of the source is not trusted.", type(error).__name__) from None
        except aiohttp.ClientConnectorError as error:
            detail = f"{type(error).__name__}: {error.os_error}"
            raise SourceError("down", "The source cannot be reached.", detail=detail, untouched=True) from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, Cut) as error:
            raise SourceError("down", "The source cut the connection.", detail=type(error).__name__) from None
        except aiohttp.InvalidURL:
            raise refused("The address of the source is not a URL.") from None
        except aiohttp.ClientError as error:
            raise broken("The source's answer is cut off or not HTTP.", type(error).__name__) from None

    async def close(self) -> None:
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=30),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=2**20,  # large answers come in fewer, larger parts
                headers=self._headers,
            )
        return self._session


class Cut(aiohttp.ClientError):
    """The connection broke under a request that must not be sent again."""


async def _never_again(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp repeats GET, PUT and DELETE on a new connection when the old one breaks (RFC 9112 §9.3.1); it does not repeat what fails
    by an error that it does not know."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        raise Cut(type(error).__name__) from None


async def _parts(response: aiohttp.ClientResponse, quiet: float) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(quiet):
            part = await response.content.readany()
        if not part:
            return
        yield part


def decode(answer: Answer) -> Any:
    """The JSON document of an answer, in whatever charset it says; None for 204. Raises SourceError (broken)."""
    if answer.status == 204:
        return None
    found = re.search(r"charset\s*=\s*\"?([\w.:-]+)", answer.headers.get("Content-Type", ""), re.IGNORECASE)
    charset = found[1].lower() if found else "utf-8"
    try:
        charset = _CHARSETS.get(charset, charset)
        if charset == "utf-8":
            return _parsed(answer.body.removeprefix(b"\xef\xbb\xbf"))
        if charset == "gb18030" and _is_utf8(answer.body):
            raise broken("The source's answer is in another charset than it says.", "UTF-8, not GB 18030")
        return _parsed(answer.body.decode(charset).removeprefix("\ufeff").encode())
    except (ValueError, LookupError, RecursionError):  # not JSON, not in its charset, no such charset
        raise broken("The source did not answer with JSON.", f"status {answer.status}, {len(answer.body)} bytes") from None


def _parsed(body: bytes) -> Any:
    """The document; where a number has more digits than a float holds, it is read with all of them. Raises ValueError."""
    if _LONG_NUMBER.search(body) is None:
        return orjson.loads(body)
    orjson.loads(body)  # which is stricter than what follows: no NaN, nothing nested without end
    return json.loads(body, parse_float=Decimal)


def _is_utf8(body: bytes) -> bool:
    """Whether what says to be GB 18030 is surely UTF-8: that many characters of the one do not read as the other by accident."""
    if len(body) - len(body.translate(None, _BEYOND_ASCII)) < _SURE:
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def refusal(answer: Answer) -> SourceError | None:
    """What an answer's status says went wrong, if anything."""
    status = answer.status
    if 200 <= status < 300:
        return None
    detail = f"status {status}"
    if status in (401, 403):
        return SourceError("denied", "The source refused the hub's credential.", detail=detail)
    if status in (425, 429, 503):
        kind: ErrorKind = "down" if status == 503 else "busy"
        return SourceError(kind, "The source is busy or out of service.", detail=detail, retry_after=_retry_after(answer), untouched=True)
    if status == 408:
        return SourceError("slow", "The source did not answer in time.", detail=detail)
    if status in (502, 504):
        return SourceError("down", "The source is out of service.", detail=detail)
    if status >= 500:
        return broken("The source failed.", detail)
    if status >= 400:
        return SourceError("invalid", "The source did not accept the request.", detail=detail)
    return refused("The source sends the hub elsewhere.", detail)


def max_age(answer: Answer) -> float | None:
    """How long the source says its answer stays fresh, in seconds; 0 if it must not be kept at all."""
    control = answer.headers.get("Cache-Control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return 0.0
    found = re.search(r"(?:^|[,\s])max-age=(\d{1,9})", control)
    return float(found[1]) if found else None


def broken(message: str, detail: str = "") -> SourceError:
    """The source answered something that cannot be read."""
    return SourceError("broken", message, detail=detail)


def rows_at(found: Any, bare: bool = False) -> list[Any]:
    """The rows in what lies at a place of a document: a list, one object, or nothing. ``bare`` rows may be single values.

    Raises SourceError (broken).
    """
    rows = [] if found is None else found if isinstance(found, list) else [found]
    kinds = set(map(type, rows))  # one pass in C: a large answer has many rows, and they are dicts
    if type(None) in kinds:
        kinds.remove(type(None))
        rows = [row for row in rows if row is not None]
    if not bare and not kinds <= {dict}:
        raise broken("The source's rows are not objects.")
    return rows


async def _content(response: aiohttp.ClientResponse, most: int) -> bytes:
    parts = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > most:
            raise broken("The source's answer is too large.", f"over {most} bytes")
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _retry_after(answer: Answer) -> float | None:
    """RFC 9110 §10.2.3: seconds, or a date, which counts from the answer's own Date."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - parsedate_to_datetime(answer.headers.get("Date", ""))).total_seconds())
    except (ValueError, TypeError):
        return None


def _base(base: str) -> str:
    try:
        url = URL(base)
    except ValueError:
        raise refused("The address of the source is not a URL.") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise refused("The address of the source has to begin with http:// or https://.")
    if url.user or url.password or url.query_string or url.fragment:
        raise refused("The address of the source holds more than a place; credentials belong into 'auth'.")
    return str(url).rstrip("/")


def _credentials(auth: Auth) -> tuple[dict[str, str], str]:
    """(headers, query) that carry the credential."""
    secret = auth.secret or auth.token or auth.password
    if auth.kind == "NONE":
        return {}, ""
    if secret is None:
        raise refused(f"auth of kind {auth.kind} needs a secret")
    if auth.kind == "BASIC":
        pair = f"{_reveal(auth.user)}:{(auth.password or secret).reveal()}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}, ""
    if auth.kind == "BEARER":
        return {"Authorization": f"Bearer {(auth.token or secret).reveal()}"}, ""
    if auth.query:
        return {}, f"{quote(auth.query, safe='')}={quote(secret.reveal(), safe='')}"
    if not auth.header:
        raise refused("auth of kind API_KEY needs 'header' or 'query'")
    return {auth.header: secret.reveal()}, ""


def _reveal(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
