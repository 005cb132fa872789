"""A small world for auth: a clock that stands still until moved, storage in memory, clients and keys."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from joserfc.jwk import ECKey

from auth.client_secrets import hash_secret
from auth.issuer import Issuer
from auth.keys import new_signing_key
from auth.principal import Audience
from auth.storage import AuthMethod, Client, SigningKey, Trust
from schema.coordinates import Grade

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
ISSUER = Issuer("https://hub.example")
SECRET = "correct-horse"
SECRET_HASH = hash_secret(SECRET)
PAIR = ECKey.generate_key("P-256", auto_kid=True)

SHANGHAI = Client(
    id="shanghai",
    name="上海市大数据中心",
    audience=Audience.PARTNER,
    ceiling=Grade.L2,
    scopes=frozenset({"market:read", "credit:read"}),
    method=AuthMethod.SECRET,
    created=NOON,
    secret_hash=SECRET_HASH,
)
JIANGSU = replace(SHANGHAI, id="jiangsu", method=AuthMethod.PRIVATE_KEY, secret_hash="", keys=(dict(PAIR.as_dict(private=False)),))


class StandingClock:
    """Stands at noon; ``move`` is the only way on."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def move(self, seconds: float) -> None:
        self.passed += seconds


class Memory:
    """``IssuingStorage`` and ``TrustStorage`` in a few dictionaries; ``readings`` counts how often the verifier came."""

    def __init__(self, clock: StandingClock, *clients: Client) -> None:
        self.clock = clock
        self.clients = {client.id: client for client in clients}
        self.keys: list[SigningKey] = [new_signing_key(clock.now())]
        self.used: set[tuple[str, str]] = set()
        self.readings = 0

    def client(self, id: str) -> Client | None:
        return self.clients.get(id)

    def signing_key(self) -> SigningKey:
        return next(key for key in self.keys if key.retired is None)

    def public_keys(self) -> Sequence[SigningKey]:
        return [replace(key, private=None) for key in self.keys]

    def remember(self, client: str, jti: str, expires: datetime) -> bool:
        fresh = (client, jti) not in self.used
        self.used.add((client, jti))
        return fresh

    async def trust(self) -> Trust:
        self.readings += 1
        await asyncio.sleep(0)  # as a real store would: others get their turn
        return Trust(self.public_keys(), frozenset(client.id for client in self.clients.values() if client.disabled))

    def rotate(self) -> None:
        now = self.clock.now()
        self.keys = [new_signing_key(now), *(replace(key, retired=key.retired or now) for key in self.keys)]

    def disable(self, id: str) -> None:
        self.clients[id] = replace(self.clients[id], disabled=self.clock.now())


def basic(id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{id}:{secret}".encode()).decode()
