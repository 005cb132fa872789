"""The contract over a connector as small as they come: two methods, nothing pushed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from connectors.contract import ROWS, Contract, World
from connectors.spi import Call, Catalog, Connector, Field, Page, Plan, Relation, Secret, SourceError

FIELDS = (Field("id", "id"), Field("holder", "wer.id"), Field("name", "mc"), Field("level", "dj", "int"), Field("issuedOn", "bfrq"))
EVERYTHING = Relation("everything", FIELDS)
BY_ID = Relation("byId", FIELDS, keys=("id",), max_keys=7)
BY_HOLDER = Relation("byHolder", (Field("holder", ""), *FIELDS[:1], *FIELDS[2:]), keys=("holder",), max_keys=1)
RELATIONS = (EVERYTHING, BY_ID, BY_HOLDER)
STUCK = Relation("stuck", FIELDS)


@dataclass(frozen=True, slots=True)
class MemorySettings:
    state: str
    password: Secret
    rows: Sequence[Mapping[str, Any]] = field(default=(), repr=False)


class Memory(Connector):
    """Rows in memory."""

    kind = "memory"
    Settings = MemorySettings

    async def describe(self) -> Catalog:
        if self.settings.state == "gone":
            raise SourceError("down", "nobody is there")
        return Catalog((BY_HOLDER, BY_ID, EVERYTHING))

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        await self.describe()
        if self.settings.state == "garbage":
            raise SourceError("broken", "nobody can read this")
        if plan.relation is STUCK or (call.deadline and call.deadline < asyncio.get_running_loop().time()):
            try:
                async with asyncio.timeout_at(call.deadline):
                    await asyncio.Event().wait()
            except TimeoutError:
                raise SourceError("slow", "no answer in time") from None
        held = [row for row in self.settings.rows if not plan.ask.by or (row[plan.ask.by[0]],) in set(call.keys)]
        if len(held) > call.max_rows:
            raise SourceError("broken", "too many rows")
        yield Page.of(held, plan.fields, key=call.keys[0] if call.keys else ())


class TestMemory(Contract):
    made: type[Memory] = Memory

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        secret = Secret("in-memory-secret")
        rows = [{**row, "wer": {"id": row["holder"]}, "mc": row["name"], "dj": row["level"], "bfrq": row["issuedOn"]} for row in ROWS]
        well, gone, garbage = (self.made(MemorySettings(state, secret, rows)) for state in ("well", "gone", "garbage"))
        yield World(
            connector=well,
            relations=RELATIONS,
            stuck=STUCK,
            gone=(gone, EVERYTHING),
            garbage=(garbage, EVERYTHING),
            options={"state": "well", "password": secret, "rows": rows},
            secret="in-memory-secret",
        )
