"""What the stories of all streams share: the relation that is asked for, messages for it, and what is kept of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from connectors.spi import Ask, Call, Field, Options, Relation
from connectors.streams import StreamConnector, StreamSettings

FIELDS = (Field("id", "nr", nullable=False), Field("state", "zt"), Field("level", "dj", "int"))


def permits(path: str, **words: Any) -> Relation:
    native = {"path": path, "type": "Permit", "key": ("nr",), **words}
    return Relation("permits", FIELDS, Options(native), keys=("id",), max_keys=100, order=("id",))


def body(nr: str | None, zt: Any = "ok", **more: Any) -> bytes:
    return orjson.dumps({"nr": nr, "zt": zt, **more})


async def rows(connector: StreamConnector, asked: Relation) -> dict[str, Any]:
    """Key -> state, of all that is kept."""
    plan = connector.plan(Ask(asked.name, ("id", "state")), replace(asked, keys=(), max_keys=0))
    pages = [page async for page in connector.fetch(plan, Call())]
    return {key: state for page in pages for key, state in zip(page.columns["id"], page.columns["state"], strict=True)}


async def heard(connector: StreamConnector, asked: Relation, **counts: int) -> None:
    """Until the topic has come to these counts; they are exact at the end."""

    async def there() -> bool:
        for state in await connector.states():
            found = {name: getattr(state.counts, name) for name in counts}
            if state.topic == asked.native["path"] and all(found[name] >= counts[name] for name in counts):
                assert found == counts
                return True
        return False

    await until(there)


async def until(there: Callable[[], Awaitable[bool]]) -> None:
    """Until it is so, for 20 s at most."""
    async with asyncio.timeout(20):
        while not await there():  # noqa: ASYNC110 - it is another process that is waited for
            await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(url: str, folder: Path | None, *asked: Relation, now: Any = time.time, **words: Any) -> AsyncIterator[StreamConnector]:
    """A connector at ``url`` that keeps the relations ``asked`` in ``folder``."""
    connector = StreamConnector(StreamSettings.of({"url": url, "data": str(folder or ""), **words}), system="permits", now=now)
    try:
        await connector.open(asked)
        yield connector
    finally:
        await connector.close()
