"""One HTTP origin: session, credentials, limits, and what went wrong in the terms of ``connectors.spi``.

For the kinds that speak HTTP. Retry, time limits and concurrency are the engine's, and so is to serve an answer again without asking.
Must not know what a request means. What a status says is in ``connectors.answers``; on the wire:

    refused, name not found, cut off before an answer   down
    no answer by the deadline                           slow
    not HTTP, cut off within the body, over the limit   broken
    certificate not trusted                             config
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
from yarl import URL

from connectors.answers import Answer as Answer
from connectors.answers import broken as broken
from connectors.answers import decode as decode
from connectors.answers import known_charset as known_charset
from connectors.answers import max_age as max_age
from connectors.answers import refusal as refusal
from connectors.answers import rows_at as rows_at
from connectors.credentials import Auth as Auth
from connectors.credentials import Clock, Signer, Tokens, client, fixed, reveal
from connectors.plain import credential_of, identity
from connectors.settings import refused
from connectors.spi import Call, ErrorKind, Secret, SourceError
from connectors.validators import VALIDATORS, Validators

_TOKEN_TIME = 10.0  # seconds to get a token in
_NO_TOKEN: Mapping[str, str] = {
    "denied": "The source's token service refused the hub's credential.",
    "down": "The source's token service cannot be reached.",
    "slow": "The source's token service did not answer in time.",
    "busy": "The source's token service is busy.",
    "broken": "The source's token service failed.",
    "config": "The source's token service is not where 'tokenUrl' says.",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


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

    def __init__(
        self,
        base: str,
        auth: Auth,
        headers: Mapping[str, str | Secret],
        *,
        max_bytes: int,
        clock: Clock | None = None,
        tls: ssl.SSLContext | None = None,
        validators: Validators = VALIDATORS,
    ) -> None:
        self.base = _base(base)
        self._origin = str(URL(self.base).origin())
        self.max_bytes = max_bytes
        self._validators, self._whose = validators, object()
        shown, self._query = fixed(auth)
        self._forwards = auth.kind == "FORWARD"
        self._grant = _Grant(auth, tls) if auth.kind == "OAUTH2" else None
        self._tokens = Tokens(self._grant, clock or Clock()) if self._grant else None
        self._hidden = {*shown, *(name for name, value in headers.items() if isinstance(value, Secret))}
        self._signer = Signer(auth, clock or Clock()) if auth.kind == "HMAC" else None
        self._headers = {"Accept": "application/json", **{name: reveal(value) for name, value in headers.items()}, **shown}
        for name, value in self._headers.items():
            if not name or _CONTROL.search(name) or _CONTROL.search(value) or not value.isascii():
                raise refused(f"the value of header '{name}' cannot be sent")
        self._tls = tls
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
        """Send one request to ``base`` + ``target`` (percent-encoded, or as ``follow`` gives it). Raises SourceError.

        The body is ``json``, or ``content`` of the type that ``headers`` name; ``shown`` is what an author who looks on sees of it.
        ``once``: the request changes something and is not sent again when its connection breaks, whatever its method. What reads goes out
        again, once, with a new token when the source does not take the one that it was sent with.
        """
        sent = {"X-Request-Id": call.request_id} if call.request_id else {}
        body = content
        if json is not None:
            sent["Content-Type"] = "application/json"
            body = orjson.dumps(json)
        sent |= headers or {}
        told = onlooker.get()
        token = await self._token(call)
        for again in (self._tokens is not None and not once, False):
            if told is not None:
                named = {name: "****" if name in self._hidden else value for name, value in self._headers.items()}
                named |= dict.fromkeys((*token, *(self._signer.names() if self._signer else ())), "****")
                told.append(Exchange(method, self._address(self._seen(target)), {**named, **sent}, shown or body))
            answer = await self._once(method, target, call, body, {**sent, **token}, once=once)
            if told is not None:
                told[-1] = replace(told[-1], status=answer.status, received=answer.body)
            if answer.status == 401:
                self._stale(token)
            if answer.status != 401 or not again:
                return answer
            token = await self._token(call)
        raise AssertionError("either an answer or an error")

    async def read(self, target: str, call: Call) -> Answer:
        """GET ``target``. An answer that came with what validates it is kept, and asked about instead of for: where the source says that it
        still holds it is used again. Raises SourceError.
        """
        name = (self._whose, target, identity(call.principal) if self._forwards else "")
        held = self._validators.get(name)
        answer = await self.send("GET", target, call, headers=held.conditions if held is not None else None)
        if answer.status == 304 and held is not None:
            answer = held.again(answer)
            if len(answer.body) > call.max_bytes:
                raise _too_large(call.max_bytes)
        if answer.status == 200:
            self._validators.put(name, answer)
        return answer

    def refusal(self, answer: Answer) -> SourceError | None:
        """What an answer's status says went wrong, if anything. Who was asked in the caller's own name refused the caller, not the hub."""
        if self._forwards and answer.status in (401, 403):
            return SourceError(
                "invalid", "The source does not let the caller see this.", detail=f"status {answer.status}", code="FORBIDDEN"
            )
        return refusal(answer)

    async def _once(self, method: str, target: str, call: Call, body: bytes | None, headers: Mapping[str, str], *, once: bool) -> Answer:
        async with (
            self._translated(),
            asyncio.timeout_at(call.deadline),
            self._open().request(
                method,
                self._url(target),
                data=body,
                headers=headers,
                allow_redirects=False,
                middlewares=self._middlewares(once, body),
            ) as response,
        ):
            return Answer(response.status, response.headers, await _content(response, min(self.max_bytes, call.max_bytes)))
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
        token = await self._token(call)
        headers |= token
        async with self._translated():
            async with asyncio.timeout(quiet):
                response = await self._open().request(
                    "GET", self._url(target), headers=headers, allow_redirects=False, middlewares=self._middlewares(False, None)
                )
            try:
                wrong = self.refusal(Answer(response.status, response.headers, b""))
                if response.status == 401:
                    self._stale(token)  # whoever follows a stream comes again
                if wrong is not None:
                    raise wrong
                if response.status == 204:
                    raise SourceError("missing", "The source has no more news.")
                if response.content_type != "text/event-stream":
                    raise broken("The source did not answer with a stream of events.", response.content_type)
                yield _parts(response, quiet)
            finally:
                response.close()

    def _middlewares(self, once: bool, body: bytes | None) -> tuple[aiohttp.ClientMiddlewareType, ...] | None:
        signer = self._signer
        if signer is None:
            return (_never_again,) if once else None

        async def sign(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
            """Each sending has a time and a nonce of its own, also where aiohttp repeats one whose connection broke."""
            request.headers.update(signer.sign(request.method, request.url.raw_path_qs, body or b""))
            return await handler(request)

        return (_never_again, sign) if once else (sign,)

    async def _token(self, call: Call) -> dict[str, str]:
        """The header that carries the token, where there has to be one: the hub's, or the one that the caller showed, if it did."""
        if self._forwards:
            shown = credential_of(call.principal)
            return {"Authorization": f"Bearer {shown.reveal()}"} if shown is not None else {}
        if self._tokens is None or self._closed:
            return {}
        return {"Authorization": "Bearer " + await self._tokens.token(call.deadline)}

    def _stale(self, token: Mapping[str, str]) -> None:
        if self._tokens is not None and token:
            self._tokens.refused(token["Authorization"].removeprefix("Bearer "))

    def _url(self, target: str) -> URL:
        if self._query:
            target += ("&" if "?" in target else "?") + self._query
        return URL(self._address(target), encoded=True)

    def _address(self, target: str) -> str:
        return target if target.startswith(self._origin + "/") else self.base + target

    def follow(self, link: str, target: str) -> str:
        """Where a ``link`` in the answer from ``target`` leads, as ``send`` takes it. Only to this origin, since the credential goes along.
        Raises SourceError (broken).
        """
        ready = link.isascii() and link.isprintable() and " " not in link
        try:
            found = URL(self._address(target), encoded=True).join(URL(link, encoded=ready))
            same = str(found.origin()).lower() == self._origin and found.user is None and found.password is None
        except ValueError:
            same = False
        if not same:
            raise broken("The source's link leads elsewhere.")
        path, mark, query = found.raw_path_qs.partition("?")
        own = self._query.partition("=")[0]  # a source may repeat the credential that it was asked with
        pairs = [pair for pair in query.split("&") if not own or pair.partition("=")[0] != own]
        return self._origin + path + (mark + "&".join(pairs) if pairs != [""] and pairs else "")

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
            cause = getattr(error, "certificate_error", None)  # which says what is wrong with it, for operators
            raise refused("The certificate of the source is not trusted.", getattr(cause, "verify_message", type(error).__name__)) from None
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
        self._validators.drop(self._whose)
        if self._tokens is not None and self._grant is not None:
            await self._tokens.close()
            await self._grant.endpoint.close()
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=30, ssl=self._tls or True),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=2**20,  # large answers come in fewer, larger parts
                headers=self._headers,
            )
        return self._session


class _Grant:
    """Asks for a token, at its own address, as the client itself. Raises SourceError, of which nothing has reached the source of data."""

    def __init__(self, auth: Auth, tls: ssl.SSLContext | None) -> None:
        base, mark, query = auth.token_url.partition("?")
        self.endpoint = Endpoint(base, client(auth), {}, max_bytes=2**16, tls=tls)
        self._target = mark + query
        self._form = urlencode({"grant_type": "client_credentials", **({"scope": auth.scope} if auth.scope else {})}).encode()

    async def __call__(self) -> Any:
        onlooker.set(None)  # nobody looks on: the answer is a credential
        deadline = asyncio.get_running_loop().time() + _TOKEN_TIME
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = await self.endpoint.send("POST", self._target, Call(deadline=deadline), content=self._form, headers=form)
            if answer.status == 400:  # RFC 6749 §5.2: so the client, its scope or its way is refused
                raise SourceError("denied", "", detail="status 400")
            wrong = refusal(answer)
            if wrong is not None:
                raise wrong
            return decode(answer)
        except SourceError as error:
            kind: ErrorKind = "config" if error.kind == "invalid" else error.kind
            raise SourceError(kind, _NO_TOKEN.get(kind, ""), detail=error.detail, retry_after=error.retry_after, untouched=True) from None


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


async def _content(response: aiohttp.ClientResponse, most: int) -> bytes:
    parts = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > most:
            raise _too_large(most)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(most: int) -> SourceError:
    return broken("The source's answer is too large.", f"over {most} bytes")


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
