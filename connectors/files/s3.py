"""A folder in an S3-compatible store, by s3fs; ``endpoint`` says whose. Asking again is the engine's: one call is one request.

Must not know what is in the files.
"""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import SplitResult

from s3fs import S3FileSystem  # type: ignore[import-untyped]

from connectors.files.entries import Entry
from connectors.files.words import FilesSettings


def folder(_parts: SplitResult, user: str, secret: str, settings: FilesSettings) -> S3:
    """Nothing is contacted yet."""
    options: dict[str, Any] = {"key": user, "secret": secret} if user else {"anon": True}
    if settings.endpoint:
        options["endpoint_url"] = settings.endpoint
    limits = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 1}}
    return S3({**options, "config_kwargs": limits})


class S3:
    """One session, made when it is needed."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._turn = asyncio.Lock()
        self._system: Any = None

    async def list(self, place: str) -> list[Entry]:
        found = await (await self._ready())._ls(place, detail=True, refresh=True)
        return [_entry(one) for one in found if one["type"] == "file" and not one["name"].endswith("/")]

    async def info(self, place: str) -> Entry:
        return _entry(await (await self._ready())._info(place, refresh=True))

    async def get(self, place: str, target: Path) -> None:
        await (await self._ready())._get_file(place, str(target))

    async def close(self) -> None:
        system, self._system = self._system, None
        if system is not None and system._s3 is not None:
            await system._s3.close()

    async def _ready(self) -> Any:
        async with self._turn:
            if self._system is None:
                system = S3FileSystem(asynchronous=True, skip_instance_cache=True, use_listings_cache=False, **self._options)
                system.retries = 1
                await system.set_session()
                self._system = system
            return self._system


def _entry(info: Any) -> Entry:
    return Entry(PurePosixPath(info["name"]).name, int(info["size"]), f"{info['size']}:{info.get('LastModified')}:{info.get('ETag')}")
