"""The store: one object over all that the hub keeps. Implements what auth (``auth.storage``) and the audit log (``hub.audit``) ask for.

Knows SQL only through its neighbours; knows no GraphQL, no HTTP and no token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.client_secrets import hash_secret, new_secret
from auth.principal import Audience
from auth.storage import JWK, AuthMethod, Client, Trust
from hub.audit import AuditQuery, AuditRecord
from hub.clock import Clock, SystemClock
from hub.store import audits, clients, migrate, signing, systems
from hub.store.engines import engines
from hub.store.faults import StoreFault
from hub.store.keyfile import KeyFile
from hub.store.signing import IssuingStore
from hub.store.systems import Change, StoredSystem
from schema.coordinates import Grade


class Store:
    """``open`` it, ``upgrade`` it, ``close`` it. Every method is one transaction."""

    def __init__(self, engine: AsyncEngine, in_threads: Engine, key_file: KeyFile, clock: Clock) -> None:
        self.engine = engine
        self._in_threads = in_threads
        self._key_file = key_file
        self._clock = clock

    @classmethod
    def open(cls, url: str, key_file: Path | str, clock: Clock | None = None) -> Self:
        """``url`` is ``sqlite:///file`` or ``postgresql://…``; ``key_file`` is made if it is not there. Raises StoreFault."""
        return cls(*engines(url), KeyFile(Path(key_file)), clock or SystemClock())

    async def close(self) -> None:
        await self.engine.dispose()
        self._in_threads.dispose()

    def derived_key(self, purpose: str) -> bytes:
        """32 bytes for one purpose, derived from the key file."""
        return self._key_file.derived(purpose)

    # migrations

    async def upgrade(self) -> None:
        """Bring the tables to this program's version, and make the first signing key."""
        await migrate.upgrade(self.engine)
        await signing.ensure(self.engine, self._key_file, self._clock.now())

    async def downgrade(self, revision: str) -> None:
        await migrate.downgrade(self.engine, revision)

    async def revision(self) -> str | None:
        """The revision of the tables; None for an empty database. Fails when the database cannot be reached."""
        return await migrate.current(self.engine)

    async def is_current(self) -> bool:
        """Reachable, and of this program's version: for readiness."""
        return await self.revision() == migrate.head()

    # clients

    async def add_client(
        self,
        id: str,
        name: str,
        audience: Audience,
        ceiling: Grade,
        scopes: Collection[str] = (),
        method: AuthMethod = AuthMethod.SECRET,
        keys: tuple[JWK, ...] = (),
    ) -> str | None:
        """Register a client. Returns its secret, this once and never again; None for private_key_jwt, whose ``keys`` are public JWKs
        (``auth.keys.read_public_keys``). Raises BadClient, or StoreFault when the id is taken.
        """
        new = clients.Registration(id, name, audience, ceiling, scopes, method, keys)
        secret = new_secret() if method is AuthMethod.SECRET else None
        await clients.add(self.engine, new, await asyncio.to_thread(hash_secret, secret) if secret else "", self._clock.now())
        return secret

    async def list_clients(self) -> list[Client]:
        return await clients.every(self.engine)

    async def client(self, id: str) -> Client:
        """Raises StoreFault when there is none."""
        return await clients.one(self.engine, id)

    async def disable_client(self, id: str) -> None:
        """No more tokens for it, and those it has stop working within half a minute."""
        await clients.change(self.engine, id, disabled=self._clock.now())

    async def enable_client(self, id: str) -> None:
        await clients.change(self.engine, id, disabled=None)

    async def rotate_secret(self, id: str) -> str:
        """A new secret; the old one is no longer accepted. Tokens already issued live on."""
        if (await self.client(id)).method is not AuthMethod.SECRET:
            raise StoreFault(f"客户端 {id} 使用密钥对, 没有密码。", f"The client {id} has keys, not a secret: replace its keys.")
        secret = new_secret()
        await clients.change(self.engine, id, secret_hash=await asyncio.to_thread(hash_secret, secret))
        return secret

    async def replace_keys(self, id: str, keys: tuple[JWK, ...]) -> None:
        """New public keys for a client of private_key_jwt."""
        if (await self.client(id)).method is not AuthMethod.PRIVATE_KEY or not keys:
            raise StoreFault(f"客户端 {id} 不使用密钥对。", f"The client {id} has a secret, not keys.")
        await clients.change(self.engine, id, keys=list(keys))

    # signing keys and tokens

    async def rotate_signing_key(self, *, withdraw: bool = False) -> str:
        """A new key signs; the old ones verify until their tokens expire, or not at all with ``withdraw``. Returns the new kid."""
        return await signing.rotate(self.engine, self._key_file, self._clock.now(), withdraw=withdraw)

    def issuing(self) -> IssuingStore:
        """For the token endpoint, which runs in worker threads."""
        return IssuingStore(self._in_threads, self._key_file, self._clock)

    async def trust(self) -> Trust:
        """For the verifier of tokens."""
        return Trust(await signing.public(self.engine), await clients.disabled(self.engine))

    # systems

    async def record_systems(self, present: Sequence[StoredSystem]) -> Change:
        """Note which systems are served from now on."""
        return await systems.record(self.engine, present, self._clock.now())

    async def list_systems(self) -> list[StoredSystem]:
        return await systems.every(self.engine)

    # audit

    async def append_audit(self, records: Sequence[AuditRecord]) -> None:
        """All in one commit. Callers go through ``hub.audit.AuditLog``, which groups them."""
        await asyncio.to_thread(audits.append, self._in_threads, records)

    async def audit_records(self, query: AuditQuery) -> list[AuditRecord]:
        return await audits.read(self.engine, query)
