"""How the hub shows who it is over HTTP: what a manifest says of it, and what that puts into a request.

Tokens are asked for by whatever is handed over. Must not know sessions, addresses of data, or what a request means.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, quote_plus

from connectors.settings import refused
from connectors.spi import Secret, SourceError

AuthKind = Literal["NONE", "BASIC", "API_KEY", "BEARER", "OAUTH2", "HMAC", "FORWARD"]
Algorithm = Literal["SHA256", "SM3"]
_LEEWAY = 30.0  # seconds before its end when a token is no longer used; a tenth of its life where that is less
_LIFE = 300.0  # seconds that a token is kept whose end nobody said
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 §2.1


@dataclass(frozen=True, slots=True)
class Signed:
    """The headers of a signed request."""

    app: str = "X-App-Id"
    timestamp: str = "X-Timestamp"
    nonce: str = "X-Nonce"
    signature: str = "X-Signature"


@dataclass(frozen=True, slots=True)
class Auth:
    """How the hub shows who it is.

    BASIC takes ``user`` and ``password``, BEARER ``token``, API_KEY ``secret`` under ``header`` or ``query``; ``secret`` serves
    BASIC and BEARER too. OAUTH2 asks ``token_url`` for a token with ``user`` and ``secret``, the client's, for the ``scope``. HMAC
    signs each request with ``secret`` for the application ``user``; ``signed`` names the headers. FORWARD shows the caller's own token.
    """

    kind: AuthKind = "NONE"
    header: str = ""
    query: str = ""
    user: str | Secret = ""
    password: Secret | None = None
    secret: Secret | None = None
    token: Secret | None = None
    token_url: str = ""
    scope: str = ""
    algorithm: Algorithm = "SHA256"
    signed: Signed = Signed()


@dataclass(frozen=True, slots=True)
class Clock:
    """``ticks`` counts seconds and never goes back, ``now`` is in seconds since 1970, ``nonce`` is never the same twice."""

    ticks: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    nonce: Callable[[], str] = lambda: secrets.token_hex(16)


def fixed(auth: Auth) -> tuple[dict[str, str], str]:
    """(headers, query) that carry the credential in every request alike; nothing if it is made anew. Raises SourceError (config)."""
    secret = auth.secret or auth.token or auth.password
    if auth.kind in ("NONE", "FORWARD"):
        return {}, ""
    if secret is None:
        raise refused(f"auth of kind {auth.kind} needs a secret")
    if auth.kind in ("OAUTH2", "HMAC"):
        return {}, ""
    if auth.kind == "BASIC":
        pair = f"{reveal(auth.user)}:{(auth.password or secret).reveal()}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}, ""
    if auth.kind == "BEARER":
        return {"Authorization": f"Bearer {(auth.token or secret).reveal()}"}, ""
    if auth.query:
        return {}, f"{quote(auth.query, safe='')}={quote(secret.reveal(), safe='')}"
    if not auth.header:
        raise refused("auth of kind API_KEY needs 'header' or 'query'")
    return {auth.header: secret.reveal()}, ""


def reveal(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def client(auth: Auth) -> Auth:
    """How the client of an OAUTH2 shows who it is where tokens are given: RFC 6749 §2.3.1. Raises SourceError (config)."""
    if not auth.user or auth.secret is None or not auth.token_url:
        raise refused("auth of kind OAUTH2 needs 'tokenUrl', 'user' and 'secret'")
    return Auth("BASIC", user=Secret(quote_plus(reveal(auth.user))), secret=Secret(quote_plus(auth.secret.reveal())))


class Tokens:
    """The token of a client, RFC 6749 §4.4: asked for when first needed, once for all who wait, and kept until shortly before its end.

    ``ask`` brings the document in which the token comes. A failure is not kept.
    """

    def __init__(self, ask: Callable[[], Awaitable[Any]], clock: Clock) -> None:
        self._ask, self._clock = ask, clock
        self._token, self._until = "", 0.0
        self._asking: asyncio.Task[str] | None = None

    async def token(self, deadline: float | None) -> str:
        """A token that serves now; ``deadline`` as in ``Call``. Raises SourceError, of which nothing has reached the source of the data."""
        if self._token and self._clock.ticks() < self._until:
            return self._token
        asking = self._asking
        if asking is None:
            asking = self._asking = asyncio.create_task(self._renew())
            asking.add_done_callback(self._done)
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.wait([asking])  # who waits no longer does not stop it for the others
        except TimeoutError:
            raise SourceError("slow", "The source's token service did not answer in time.", untouched=True) from None
        if asking.cancelled():
            raise SourceError("down", "The connection to the source is closed.", untouched=True)
        error = asking.exception()
        if isinstance(error, SourceError):  # each who waited gets one of its own: whoever catches it may write on it
            raise SourceError(error.kind, error.message, detail=error.detail, retry_after=error.retry_after, untouched=True)
        return asking.result()

    def refused(self, token: str) -> None:
        """The source did not take ``token``: unless there is a newer one already, it is not used again."""
        if token == self._token:
            self._token = ""

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    async def _renew(self) -> str:
        token, life = _granted(await self._ask())
        self._token, self._until = token, self._clock.ticks() + life - min(_LEEWAY, life / 10)
        return token

    def _done(self, task: asyncio.Task[str]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # those who waited may be gone: it is seen here


def _granted(document: Any) -> tuple[str, float]:
    """(token, seconds it lives) in an answer, RFC 6749 §5.1. Raises SourceError (broken)."""
    found: Mapping[str, Any] = document if isinstance(document, dict) else {}
    token, kind, life = found.get("access_token"), found.get("token_type", "Bearer"), found.get("expires_in")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise SourceError("broken", "The source's token service did not answer with a bearer token.", untouched=True)
    if isinstance(life, str) and life.isdecimal():
        life = int(life)
    return token, float(life) if isinstance(life, int | float) and 0 <= life < 1e9 else _LIFE


class Signer:
    """Signs requests: HMAC (RFC 2104) with SHA-256 or SM3 (GB/T 32905) over what ``canonical`` says. Raises SourceError (config)."""

    def __init__(self, auth: Auth, clock: Clock) -> None:
        if not auth.user or auth.secret is None:
            raise refused("auth of kind HMAC needs 'user' and 'secret'")
        self._app, self._secret, self._clock = reveal(auth.user), auth.secret, clock
        self._digest = auth.algorithm.lower()
        self.headers = auth.signed
        if self._digest not in hashlib.algorithms_available:  # OpenSSL of some builds
            raise refused(f"this Python has no {auth.algorithm}")
        if not self._app.isascii() or not self._app.isprintable():
            raise refused("the name of the application cannot be sent in a header")

    def names(self) -> tuple[str, ...]:
        return (self.headers.app, self.headers.timestamp, self.headers.nonce, self.headers.signature)

    def sign(self, method: str, target: str, body: bytes) -> dict[str, str]:
        """The headers for one sending; ``target`` is path and query as they go out."""
        stamp, nonce = str(int(self._clock.now() * 1000)), self._clock.nonce()
        text = canonical(method, target, stamp, nonce, hashlib.new(self._digest, body).hexdigest())
        signature = hmac.new(self._secret.reveal().encode(), text, self._digest).hexdigest()
        return dict(zip(self.names(), (self._app, stamp, nonce, signature), strict=True))


def canonical(method: str, target: str, stamp: str, nonce: str, body: str) -> bytes:
    """What is signed: method, path with the query's pairs in order of their bytes, time in milliseconds, nonce and the body's hash in hex,
    joined by line feeds. Path and pairs stay percent-encoded as they are sent."""
    path, _, query = target.partition("?")
    pairs = "&".join(sorted(query.split("&"))) if query else ""
    return "\n".join((method, path + ("?" + pairs if pairs else ""), stamp, nonce, body)).encode()
