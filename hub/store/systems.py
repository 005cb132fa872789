"""Which systems the hub has served, since when, and by which manifest. Knows rows, not manifests' meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.store.engines import reading, writing
from hub.store.tables import systems

SERVING, REMOVED = "serving", "removed"


@dataclass(frozen=True, slots=True)
class StoredSystem:
    """``kind`` is the connector's, ``manifest`` the SDL text. ``state``, ``first_seen`` and ``changed`` are the store's to set."""

    name: str
    kind: str
    title: str
    owner: str
    manifest: str
    state: str = SERVING
    first_seen: datetime | None = None
    changed: datetime | None = None

    @property
    def sha256(self) -> str:
        """Of the manifest in UTF-8, in hex."""
        return sha256(self.manifest.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """Names of systems, sorted: new or back again, with another manifest, no longer there."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


async def record(engine: AsyncEngine, present: Sequence[StoredSystem], now: datetime) -> Change:
    """Make the table say that exactly ``present`` are served. A system that goes keeps its row, with state ``removed``."""
    found: dict[str, list[str]] = {"added": [], "changed": [], "removed": []}
    async with writing(engine) as connection:
        rows = await connection.execute(select(systems.c.name, systems.c.state, systems.c.sha256))
        known = {row.name: row for row in rows}
        for system in present:
            row = known.pop(system.name, None)
            values = _values(system)
            if row is None:
                found["added"].append(system.name)
                await connection.execute(insert(systems).values(**values, name=system.name, first_seen=now, changed=now))
                continue
            if row.state == SERVING and row.sha256 == system.sha256:
                continue
            found["changed" if row.state == SERVING else "added"].append(system.name)
            await connection.execute(update(systems).where(systems.c.name == system.name).values(**values, changed=now))
        found["removed"] = [name for name, row in known.items() if row.state == SERVING]
        if found["removed"]:
            gone = systems.c.name.in_(found["removed"])
            await connection.execute(update(systems).where(gone).values(state=REMOVED, changed=now))
    return Change(**{key: tuple(sorted(names)) for key, names in found.items()})


async def every(engine: AsyncEngine) -> list[StoredSystem]:
    """All systems ever served, by name."""
    async with reading(engine) as connection:
        rows = await connection.execute(select(systems).order_by(systems.c.name))
        return [StoredSystem(**{key: row[key] for key in StoredSystem.__slots__}) for row in rows.mappings()]


def _values(system: StoredSystem) -> dict[str, str]:
    return {
        "kind": system.kind,
        "title": system.title,
        "owner": system.owner,
        "manifest": system.manifest,
        "sha256": system.sha256,
        "state": SERVING,
    }
