"""Who sent this token? The hot path of auth: joserfc, and a bounded cache of tokens already verified.

A verified token is looked up, not verified again, until it expires. Keys and switched-off clients are read from storage every
``REFRESH`` seconds, so a disabled client's tokens and a withdrawn key stop working within that time. Must not know HTTP.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from cachetools import LRUCache
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from auth.errors import BadToken
from auth.issuer import TOKEN_TYPE, Issuer
from auth.keys import SIGNING_ALG, still_trusted
from auth.principal import ANONYMOUS, Audience, Principal
from auth.storage import Clock, TrustStorage
from connectors.spi import Secret
from schema.coordinates import Grade

REFRESH = 15.0  # seconds
_UNKNOWN_KEY_REFRESH = 1.0  # seconds: how soon an unknown kid may cause another look; replicas learn of a rotation so
_LONGEST = 4096  # characters
_PRESENT: jwt.ClaimsOption = {"essential": True}
_SKEW = 30  # seconds that another replica's clock may be ahead


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    kid: str
    expires: float


class TokenVerifier:
    """Turns access tokens of one issuer into principals. ``size`` bounds the cache."""

    def __init__(self, storage: TrustStorage, issuer: Issuer, clock: Clock, size: int = 10_000) -> None:
        self._storage = storage
        self._issuer = issuer
        self._clock = clock
        self._verified: LRUCache[str, _Verified] = LRUCache(size)
        self._keys: dict[str, ECKey] = {}
        self._disabled: frozenset[str] = frozenset()
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(self._seconds()),
            leeway=_SKEW,
            iss={"essential": True, "value": issuer.url},
            aud={"essential": True, "value": issuer.audience},
            sub=_PRESENT,
            client_id=_PRESENT,
            iat=_PRESENT,
            exp=_PRESENT,
            jti=_PRESENT,
        )

    async def principal(self, authorization: str | None) -> Principal:
        """The caller behind an ``Authorization`` header: anonymous without one. Raises BadToken, also for a scheme that is not Bearer."""
        if authorization is None:
            return ANONYMOUS
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise BadToken("the scheme is not Bearer")
        return await self.verify(token.strip())

    async def verify(self, token: str) -> Principal:
        """The principal of a token that is genuine, meant for this hub, not expired, and whose client is not switched off."""
        await self._refresh(REFRESH)
        entry = self._verified.get(token)
        if entry is None or entry.expires <= self._seconds():
            entry = await self._checked(token)
            self._verified[token] = entry
        if entry.principal.id in self._disabled:
            raise BadToken("the client is switched off")
        if entry.kid not in self._keys:
            raise BadToken("the signing key was withdrawn")
        return entry.principal

    async def _checked(self, token: str) -> _Verified:
        if len(token) > _LONGEST:
            raise BadToken("too long")
        kid = _kid(token)
        if kid not in self._keys:
            await self._refresh(_UNKNOWN_KEY_REFRESH)
        if kid not in self._keys:
            raise BadToken("unknown signing key")
        try:
            claims = jwt.decode(token, self._keys[kid], algorithms=[SIGNING_ALG]).claims
            self._claims.validate(claims)
        except (JoseError, ValueError, RecursionError) as error:
            raise BadToken(getattr(error, "error", "") or "malformed") from None
        # The leeway is for ``iat`` only: a token is not served after it has expired.
        if claims["exp"] <= self._seconds():
            raise BadToken("expired_token")
        return _Verified(replace(_principal(claims), credential=Secret(token)), kid, claims["exp"])

    async def _refresh(self, after: float) -> None:
        """Read keys and switched-off clients again if the last reading is ``after`` seconds old. One reading at a time."""
        if self._clock.monotonic() - self._read_at < after:
            return
        async with self._reading:
            if self._clock.monotonic() - self._read_at < after:
                return
            begun = self._clock.monotonic()
            trust = await self._storage.trust()
            keys = still_trusted(trust.keys, self._clock.now(), self._issuer.lifetime)
            self._keys = {key.kid: self._keys.get(key.kid) or ECKey.import_key(key.public) for key in keys}
            self._disabled = trust.disabled
            self._read_at = begun

    def _seconds(self) -> float:
        return self._clock.now().timestamp()


def _kid(token: str) -> str:
    """The kid of a token that calls itself an access token (RFC 9068 §4). Nothing is verified yet."""
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise BadToken("malformed") from None
    if header.get("alg") != SIGNING_ALG:
        raise BadToken("algorithm not allowed")
    if str(header.get("typ", "")).lower().removeprefix("application/") != TOKEN_TYPE:
        raise BadToken("not an access token")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise BadToken("no key id")
    return kid


def _principal(claims: jwt.Claims) -> Principal:
    """Claims that this hub wrote. A grade or audience it does not know comes from a newer version: refused, never guessed."""
    try:
        ceiling, audience = Grade(claims["grade"]), Audience(claims["hub_audience"])
    except (KeyError, ValueError):
        raise BadToken("unknown grade or audience") from None
    client, scope = claims["client_id"], claims.get("scope", "")
    if not (isinstance(client, str) and client and isinstance(scope, str)) or claims["sub"] != client:
        raise BadToken("malformed")
    return Principal(id=client, audience=audience, scopes=frozenset(scope.split()), ceiling=ceiling)
