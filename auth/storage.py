"""What auth needs of storage and of time: plain records and Protocols. The hub's store implements them.

The token endpoint runs in a worker thread, so what it needs is synchronous; the verifier runs on the event loop, so what
it needs is asynchronous. Must not know SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from auth.principal import Audience
from schema.coordinates import Grade

JWK = dict[str, Any]  # one JSON Web Key (RFC 7517)


class AuthMethod(StrEnum):
    """How a client proves who it is at the token endpoint (names of RFC 7591 §2)."""

    SECRET = "client_secret_basic"
    PRIVATE_KEY = "private_key_jwt"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client. ``keys`` are its public keys (private_key_jwt), ``secret_hash`` its hashed secret (client_secret_basic).

    ``disabled`` is when it was switched off; None while it may work.
    """

    id: str
    name: str
    audience: Audience
    ceiling: Grade
    scopes: frozenset[str]
    method: AuthMethod
    created: datetime
    secret_hash: str = field(default="", repr=False)
    keys: tuple[JWK, ...] = ()
    disabled: datetime | None = None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of the hub's own. ``private`` is present only where a token is to be signed; ``retired`` is when it stopped signing."""

    kid: str
    alg: str
    public: JWK
    created: datetime
    private: JWK | None = field(default=None, repr=False)
    retired: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """What the verifier must know: every key of which a token may still live, and the ids of clients switched off."""

    keys: Sequence[SigningKey]
    disabled: frozenset[str]


class IssuingStorage(Protocol):
    """For the token endpoint; called in a worker thread."""

    def client(self, id: str) -> Client | None: ...

    def signing_key(self) -> SigningKey:
        """The newest key not retired, with its private part."""
        ...

    def public_keys(self) -> Sequence[SigningKey]:
        """All keys, newest first, without private parts."""
        ...

    def remember(self, client: str, jti: str, expires: datetime) -> bool:
        """Note that this client's assertion was used, until it expires. False: it was used before, or too many are remembered."""
        ...


class TrustStorage(Protocol):
    """For the verifier."""

    async def trust(self) -> Trust: ...


class Clock(Protocol):
    """``now`` is wall time in UTC, ``monotonic`` seconds for intervals."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...
