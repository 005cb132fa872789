"""Audit records in the store: append a batch in one commit, and read them back. Knows nothing of grouping (``hub/audit.py`` does)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.audit import AuditQuery, AuditRecord
from hub.store.engines import reading, writing_here
from hub.store.tables import audit

_APPEND = insert(audit)  # one for all: SQLAlchemy compiles a statement once, and knows it again by itself


def append(engine: Engine, records: Sequence[AuditRecord]) -> None:
    """For a worker thread: every answer waits for this, and one hop to a thread costs less than one for each statement."""
    rows = [
        {
            "at": record.at,
            "request_id": record.request_id,
            "client": record.client,
            "audience": record.audience,
            "operation": record.operation,
            "document_sha256": record.document,
            "coordinates": record.coordinates,
            "systems": record.systems,
            "codes": record.codes,
            "status": record.status,
            "ms": record.ms,
        }
        for record in records
    ]
    with writing_here(engine) as connection:
        connection.execute(_APPEND, rows)


async def read(engine: AsyncEngine, query: AuditQuery) -> list[AuditRecord]:
    found = select(audit).order_by(audit.c.id.desc()).limit(query.limit)
    if query.since is not None:
        found = found.where(audit.c.at >= query.since)
    if query.until is not None:
        found = found.where(audit.c.at < query.until)
    if query.client is not None:
        found = found.where(audit.c.client == query.client)
    if query.request_id is not None:
        found = found.where(audit.c.request_id == query.request_id)
    if query.before is not None:
        found = found.where(audit.c.id < query.before)
    async with reading(engine) as connection:
        return [_record(row) for row in (await connection.execute(found)).mappings()]


def _record(row: RowMapping) -> AuditRecord:
    return AuditRecord(
        request_id=row["request_id"],
        client=row["client"],
        audience=row["audience"],
        operation=row["operation"],
        document=row["document_sha256"],
        coordinates=tuple(row["coordinates"]),
        systems=tuple(row["systems"]),
        codes=tuple(row["codes"]),
        status=row["status"],
        ms=row["ms"],
        at=row["at"],
        id=row["id"],
    )
