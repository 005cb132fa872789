"""Signing keys in the store, their rotation, and what the token endpoint's worker threads need (``auth.storage.IssuingStorage``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, RowMapping, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.keys import new_signing_key
from auth.storage import Client, Clock, SigningKey
from hub.store.clients import client_of, may_be_id
from hub.store.engines import reading, writing, writing_here
from hub.store.faults import StoreFault
from hub.store.keyfile import KeyFile
from hub.store.tables import assertions, clients, signing_keys

MOST_ASSERTIONS = 10_000  # remembered of one client at a time


async def rotate(engine: AsyncEngine, key_file: KeyFile, now: datetime, *, withdraw: bool = False) -> str:
    """A new key signs from now on; its kid is returned. Older ones only verify, and lose their private part.

    ``withdraw`` forgets them, for a key that has leaked: all tokens signed by them stop working.
    """
    key = new_signing_key(now)
    async with writing(engine) as connection:
        if withdraw:
            await connection.execute(delete(signing_keys))
        else:
            active = signing_keys.c.retired.is_(None)
            await connection.execute(update(signing_keys).where(active).values(retired=now, private_jwk=None))
        await connection.execute(insert(signing_keys).values(_row(key, key_file)))
    return key.kid


async def ensure(engine: AsyncEngine, key_file: KeyFile, now: datetime) -> None:
    """Make the first key if there is none. Two replicas starting at once may make one each: the newer signs, both verify."""
    async with writing(engine) as connection:
        if (await connection.execute(_newest())).first() is None:
            await connection.execute(insert(signing_keys).values(_row(new_signing_key(now), key_file)))


async def public(engine: AsyncEngine) -> list[SigningKey]:
    async with reading(engine) as connection:
        return [_key(row) for row in (await connection.execute(_all())).mappings()]


@dataclass(frozen=True, slots=True)
class IssuingStore:
    """``auth.storage.IssuingStorage`` over a synchronous engine; each call is a short transaction of its own."""

    engine: Engine
    key_file: KeyFile
    clock: Clock

    def client(self, id: str) -> Client | None:
        if not may_be_id(id):
            return None
        with self.engine.connect() as connection:
            row = connection.execute(select(clients).where(clients.c.id == id)).mappings().one_or_none()
        return None if row is None else client_of(row)

    def signing_key(self) -> SigningKey:
        with self.engine.connect() as connection:
            row = connection.execute(_newest()).mappings().first()
        if row is None:
            raise StoreFault("没有签名密钥, 请执行 hub migrate。", "There is no signing key: run `hub migrate`.")
        return _key(row, self.key_file)

    def public_keys(self) -> Sequence[SigningKey]:
        with self.engine.connect() as connection:
            return [_key(row) for row in connection.execute(_all()).mappings()]

    def remember(self, client: str, jti: str, expires: datetime) -> bool:
        # Hashed, so that its length is not the client's to choose.
        row = {"client": client, "jti_sha256": sha256(jti.encode("utf-8", "surrogatepass")).hexdigest(), "expires": expires}
        mine = assertions.c.client == client
        try:
            with writing_here(self.engine) as connection:
                connection.execute(delete(assertions).where(assertions.c.expires <= self.clock.now()))
                if (connection.execute(select(func.count()).where(mine)).scalar() or 0) >= MOST_ASSERTIONS:
                    return False
                connection.execute(insert(assertions).values(row))
        except IntegrityError:
            return False
        return True


def _all() -> Select[Any]:
    return select(signing_keys).order_by(signing_keys.c.created.desc(), signing_keys.c.kid)


def _newest() -> Select[Any]:
    return _all().where(signing_keys.c.retired.is_(None)).limit(1)


def _row(key: SigningKey, key_file: KeyFile) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "alg": key.alg,
        "public_jwk": key.public,
        "private_jwk": key_file.encrypt(key.kid, key.private or {}),
        "created": key.created,
        "retired": None,
    }


def _key(row: RowMapping, key_file: KeyFile | None = None) -> SigningKey:
    private = key_file.decrypt(row["kid"], row["private_jwk"]) if key_file else None
    return SigningKey(row["kid"], row["alg"], row["public_jwk"], row["created"], private, row["retired"])
