"""The authorization server, as the hub sees it: token requests in, answers out; key set (RFC 7517) and metadata (RFC 8414).

Client credentials (RFC 6749 §4.4) by client_secret_basic or private_key_jwt (RFC 7523), JWT access tokens (RFC 9068). Authlib's
synchronous classes (``auth/adapter.py``) run in a few worker threads. Knows no web framework and no SQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from auth.adapter import Answer, Asked, AuthlibServer, check_metadata, refusal
from auth.issuer import Issuer
from auth.keys import CLIENT_ALGS, still_trusted
from auth.storage import AuthMethod, Clock, IssuingStorage

_THREADS = 4  # a check of a secret is 50 ms and 16 MiB
_QUEUE = 256  # requests waiting for a thread
_P = ParamSpec("_P")
_T = TypeVar("_T")


class TokenServer:
    """``scopes`` are those the hub knows, for the metadata."""

    def __init__(self, issuer: Issuer, storage: IssuingStorage, clock: Clock, scopes: Sequence[str] = ()) -> None:
        self.issuer = issuer
        self._storage = storage
        self._clock = clock
        self._scopes = sorted(scopes)
        self._authlib = AuthlibServer(issuer, storage, clock)
        self._threads = asyncio.Semaphore(_THREADS)
        self._waiting = 0

    async def token(self, form: Mapping[str, str], authorization: str | None) -> Answer:
        """Answers a token request: ``form`` holds each parameter once, ``authorization`` the header of that name."""
        if self._waiting >= _QUEUE:
            return refusal(503, "temporarily_unavailable", "Too many token requests at once.", ("Retry-After", "1"))
        return await self._aside(self._authlib.create_token_response, Asked(dict(form), authorization or ""))

    async def jwks(self) -> dict[str, Any]:
        """The JWK Set of every key of which a token may still be alive."""
        keys = await self._aside(self._storage.public_keys)
        return {"keys": [key.public for key in still_trusted(keys, self._clock.now(), self.issuer.lifetime)]}

    def metadata(self) -> dict[str, Any]:
        """The document of RFC 8414. The only flow is client credentials, so no response type yields anything: ``none``."""
        document: dict[str, Any] = {
            "issuer": self.issuer.url,
            "token_endpoint": self.issuer.token_endpoint,
            "jwks_uri": self.issuer.jwks_uri,
            "response_types_supported": ["none"],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": [method.value for method in AuthMethod],
            "token_endpoint_auth_signing_alg_values_supported": [alg for names in CLIENT_ALGS.values() for alg in names],
            "ui_locales_supported": ["zh-CN", "en"],
        }
        if self._scopes:
            document["scopes_supported"] = self._scopes
        check_metadata(document)
        return document

    async def _aside(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """In a worker thread, a few at a time."""
        self._waiting += 1
        try:
            async with self._threads:
                return await asyncio.to_thread(work, *args, **kwargs)
        finally:
            self._waiting -= 1
