"""The audit log: one record for every answer, committed before the answer leaves the hub.

Commits are grouped without a timer: one writer; records that arrive while a commit is in flight form the next batch. At one
caller nothing is added to a commit's own time, at a thousand callers a commit is shared. If the store fails, ``append`` raises
and the answer is not given (fail closed). A record holds names, never a value. Must not know SQL or HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from hub.clock import Clock

LARGEST_BATCH = 500  # records a commit
MOST_WAITING = 10_000  # records; beyond that the store is not keeping up and answers are refused


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who asked what, which systems answered, and how it went.

    ``document`` is the SHA-256 of the document in hex, ``coordinates`` the ``Type.field`` names asked for, ``codes`` the error codes
    given, ``status`` the HTTP status, ``ms`` the time taken. ``at`` is set by the log if the caller leaves it out, ``id`` by the store.
    """

    request_id: str
    client: str
    audience: str
    operation: str
    document: str
    coordinates: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    status: int = 200
    ms: float = 0.0
    at: datetime | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which records: ``since`` inclusive, ``until`` exclusive. Newest first; ``before`` is the id of the last one already seen."""

    since: datetime | None = None
    until: datetime | None = None
    client: str | None = None
    request_id: str | None = None
    before: int | None = None
    limit: int = 100


class AuditStorage(Protocol):
    """What the log needs: ``append_audit`` returns when all records, or none, are committed."""

    async def append_audit(self, records: Sequence[AuditRecord]) -> None: ...

    async def audit_records(self, query: AuditQuery) -> Sequence[AuditRecord]: ...


class AuditUnavailable(Exception):
    """The record cannot be kept, so the answer must not be given."""


class AuditLog:
    """Appends in grouped commits. ``start`` it before the first ``append``; ``stop`` commits what is waiting."""

    def __init__(self, store: AuditStorage, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: list[tuple[AuditRecord, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._stopping = False
        self._writer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._writer is None:
            self._stopping = False
            self._writer = asyncio.create_task(self._write(), name="audit")

    async def stop(self) -> None:
        """Takes no more records, commits those waiting, returns when they are committed or have failed."""
        self._stopping = True
        self._arrived.set()
        if self._writer is not None:
            try:
                await asyncio.wait({self._writer})
            finally:  # whoever stops waiting, as at a drain's deadline, ends the writer
                self._writer.cancel()
            self._writer = None

    async def append(self, record: AuditRecord) -> None:
        """Returns when the commit that holds the record is done. Raises AuditUnavailable when it cannot be kept."""
        if self._writer is None or self._stopping or self._writer.done():
            raise AuditUnavailable("the audit log is not running")
        if len(self._waiting) >= MOST_WAITING:
            raise AuditUnavailable("too many records are waiting for the store")
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((record if record.at else replace(record, at=self._clock.now()), kept))
        self._arrived.set()
        await kept

    async def records(self, query: AuditQuery | None = None) -> Sequence[AuditRecord]:
        """Committed records, newest first."""
        return await self._store.audit_records(query or AuditQuery())

    async def _write(self) -> None:
        batch: list[tuple[AuditRecord, asyncio.Future[None]]] = []
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
                    _settle(batch, await self._commit([record for record, _ in batch]))
                    batch = []
                if self._stopping:
                    return
        finally:
            # Reached with something left only if the writer itself was cancelled: nobody may wait for ever.
            _settle([*batch, *self._waiting], asyncio.CancelledError())
            self._waiting = []

    async def _commit(self, records: list[AuditRecord]) -> BaseException | None:
        """One commit, in a task of its own: whatever goes wrong in it is what its waiters hear, and the writer goes on."""
        commit = asyncio.ensure_future(self._store.append_audit(records))
        await asyncio.wait({commit})
        return asyncio.CancelledError() if commit.cancelled() else commit.exception()


def _settle(batch: Sequence[tuple[AuditRecord, asyncio.Future[None]]], error: BaseException | None) -> None:
    for _, kept in batch:
        if kept.done():  # its caller has gone; the record stays
            continue
        if error is None:
            kept.set_result(None)
        else:
            refusal = AuditUnavailable("the store did not take the record")
            refusal.__cause__ = error
            kept.set_exception(refusal)
