"""A department's text service: one line of JSON asks, one line of JSON answers. docs/connectors.md explains every rule it keeps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.settings import read
from connectors.spi import Call, Catalog, Connector, Field, Page, Plan, Relation, Secret, SourceError, too_many_rows


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    host: str
    port: int
    secret: Secret = field(default_factory=lambda: Secret(""))

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> GatewaySettings:
        return read(cls, words)  # refuses what it does not know, by name


class Gateway(Connector):
    kind = "gateway"
    Settings = GatewaySettings

    async def describe(self) -> Catalog:
        tables = await self.ask({"tables": True})
        return Catalog(tuple(Relation(name, tuple(Field(c, c) for c in tables[name])) for name in sorted(tables)))

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        question = {"table": plan.relation.native["name"], "by": plan.ask.by, "keys": call.keys}
        rows = await self.ask(question, call.deadline)
        if len(rows) > call.max_rows:
            raise too_many_rows(call)
        yield Page.of(rows, plan.fields)  # rows to columns, by each field's path

    async def ask(self, question: Mapping[str, Any], deadline: float | None = None) -> Any:
        try:
            async with asyncio.timeout_at(deadline):
                reader, writer = await asyncio.open_connection(self.settings.host, self.settings.port, limit=2**24)
                try:
                    writer.write(json.dumps({**question, "password": self.settings.secret.reveal()}).encode() + b"\n")
                    return json.loads(await reader.readline())
                finally:
                    writer.close()
        except TimeoutError:
            raise SourceError("slow", "no answer in time") from None
        except OSError as error:
            raise SourceError("down", "nobody answers", detail=type(error).__name__) from None
        except ValueError:
            raise SourceError("broken", "the answer is not JSON") from None
