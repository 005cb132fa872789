"""What the hub calls itself as an authorization server, and how it writes an access token (RFC 9068). Knows no storage and no HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from auth.storage import Client, SigningKey

TOKEN_TYPE = "at+jwt"


@dataclass(frozen=True, slots=True)
class Issuer:
    """``url`` is the issuer identifier (https, or http on loopback), ``audience`` what tokens are for, ``lifetime`` is in seconds.

    Raises ValueError when the url cannot be an issuer (RFC 8414 §2).
    """

    url: str
    audience: str = ""
    lifetime: int = 3600

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and loopback))):
            raise ValueError(f"the issuer must be an https address (http on loopback only): {self.url}")
        if parts.query or parts.fragment or self.url.endswith("/"):
            raise ValueError(f"the issuer has no query, no fragment and no slash at its end: {self.url}")
        if not 1 <= self.lifetime <= 86_400:
            raise ValueError(f"a token lives 1 second to 1 day: {self.lifetime}")
        if not self.audience:
            object.__setattr__(self, "audience", f"{self.url}/graphql")

    @property
    def token_endpoint(self) -> str:
        return f"{self.url}/oauth/token"

    @property
    def jwks_uri(self) -> str:
        return f"{self.url}/oauth/jwks.json"


def access_token(issuer: Issuer, client: Client, scopes: Iterable[str], key: SigningKey, now: datetime) -> str:
    """A signed JWT. ``grade`` is the client's ceiling (1 to 4), ``hub_audience`` the kind of caller; ``scope`` as in RFC 8693 §4.2."""
    if key.private is None:
        raise ValueError("a token is signed with a private key")
    at = int(now.timestamp())
    claims = {
        "iss": issuer.url,
        "sub": client.id,
        "aud": issuer.audience,
        "client_id": client.id,
        "iat": at,
        "exp": at + issuer.lifetime,
        "jti": secrets.token_urlsafe(16),
        "scope": " ".join(sorted(scopes)),
        "grade": int(client.ceiling),
        "hub_audience": client.audience.value,
    }
    header = {"alg": key.alg, "typ": TOKEN_TYPE, "kid": key.kid}
    return jwt.encode(header, claims, ECKey.import_key(key.private), algorithms=[key.alg])
