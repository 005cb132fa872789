"""Clients in the store: add, list, disable, new secret, new keys. Says what a registration may be; knows no token and no HTTP."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.errors import BadClient
from auth.principal import Audience
from auth.storage import JWK, AuthMethod, Client
from hub.store.engines import reading, writing
from hub.store.faults import StoreFault
from hub.store.tables import clients
from schema.coordinates import Grade

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")  # RFC 6749 §3.3


@dataclass(frozen=True, slots=True)
class Registration:
    """A client to be. Raises BadClient for an id, scope, audience or set of keys that cannot be."""

    id: str
    name: str
    audience: Audience
    ceiling: Grade
    scopes: Collection[str] = ()
    method: AuthMethod = AuthMethod.SECRET
    keys: tuple[JWK, ...] = ()

    def __post_init__(self) -> None:
        if not may_be_id(self.id):
            raise BadClient(
                "客户端标识应为字母、数字、点、横线或下划线。", "A client's id is letters, digits, dots, hyphens, underscores, 1 to 100."
            )
        if self.audience is Audience.ANONYMOUS:
            raise BadClient("匿名调用无需登记。", "Anonymous callers are not registered.")
        wrong = sorted(scope for scope in self.scopes if not _SCOPE.fullmatch(scope))
        if wrong:
            raise BadClient(f"权限范围无效: {wrong[0]!r}。", f"Not a scope: {wrong[0]!r}. A scope has no space, quote or backslash.")
        if bool(self.keys) != (self.method is AuthMethod.PRIVATE_KEY):
            raise BadClient("private_key_jwt 需要公钥, 其他方式不需要。", "private_key_jwt needs public keys, and only it.")


async def add(engine: AsyncEngine, new: Registration, secret_hash: str, now: datetime) -> None:
    row = {
        "id": new.id,
        "name": new.name,
        "audience": new.audience.value,
        "ceiling": int(new.ceiling),
        "scopes": sorted(set(new.scopes)),
        "method": new.method.value,
        "secret_hash": secret_hash,
        "keys": list(new.keys),
        "created": now,
    }
    try:
        async with writing(engine) as connection:
            await connection.execute(insert(clients).values(row))
    except IntegrityError:
        raise StoreFault(f"客户端 {new.id} 已存在。", f"There is a client {new.id} already.") from None


async def every(engine: AsyncEngine) -> list[Client]:
    """All clients, by id."""
    async with reading(engine) as connection:
        rows = await connection.execute(select(clients).order_by(clients.c.id))
        return [client_of(row) for row in rows.mappings()]


async def one(engine: AsyncEngine, id: str) -> Client:
    async with reading(engine) as connection:
        row = (await connection.execute(select(clients).where(clients.c.id == id))).mappings().one_or_none()
    if row is None:
        raise _unknown(id)
    return client_of(row)


async def change(engine: AsyncEngine, id: str, **values: Any) -> None:
    """Set columns of one client."""
    async with writing(engine) as connection:
        done = await connection.execute(update(clients).where(clients.c.id == id).values(**values))
        if done.rowcount == 0:
            raise _unknown(id)


async def disabled(engine: AsyncEngine) -> frozenset[str]:
    async with reading(engine) as connection:
        return frozenset((await connection.execute(select(clients.c.id).where(clients.c.disabled.is_not(None)))).scalars())


def may_be_id(text: str) -> bool:
    """Could this be a client's id? What could not is never sent to the database, which might choke on it (NUL, lone surrogates)."""
    return _ID.fullmatch(text) is not None


def client_of(row: RowMapping) -> Client:
    return Client(
        id=row["id"],
        name=row["name"],
        audience=Audience(row["audience"]),
        ceiling=Grade(row["ceiling"]),
        scopes=frozenset(row["scopes"]),
        method=AuthMethod(row["method"]),
        created=row["created"],
        secret_hash=row["secret_hash"],
        keys=tuple(row["keys"]),
        disabled=row["disabled"],
    )


def _unknown(id: str) -> StoreFault:
    return StoreFault(f"没有客户端 {id}。", f"There is no client {id}.")
