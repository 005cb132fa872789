"""A folder on an SFTP server, by asyncssh. The server's key is checked: against ``hostKey``, else against the user's known_hosts.

Must not know what is in the files.
"""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import SplitResult

import asyncssh

from connectors.files.entries import Entry
from connectors.files.words import FilesSettings
from connectors.settings import refused

_CONNECTING = 10  # seconds


def folder(parts: SplitResult, user: str, secret: str, settings: FilesSettings) -> Sftp:
    """Nothing is contacted yet. Raises SourceError (config) for a key that is none."""
    options: dict[str, Any] = {
        "host": parts.hostname or "",
        "port": parts.port or 22,
        "username": user or parts.username or (),
        "config": None,
        "agent_path": None,
        "connect_timeout": _CONNECTING,
        "login_timeout": _CONNECTING,
        "keepalive_interval": 15,
        "client_keys": None,
    }
    try:
        if settings.host_key:
            options["known_hosts"] = ([asyncssh.import_public_key(settings.host_key)], [], [])
        if secret.lstrip().startswith("-----BEGIN"):
            options["client_keys"] = [asyncssh.import_private_key(secret)]
        elif secret:
            options["password"] = secret
    except asyncssh.KeyImportError:
        raise refused("a key of @files cannot be read: hostKey as in known_hosts ('ssh-ed25519 AAAA…'), the secret as PEM") from None
    return Sftp(options)


class Sftp:
    """One connection, made when it is needed and kept until it fails."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._turn = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    async def list(self, place: str) -> list[Entry]:
        client = await self._ready()
        found = [(str(one.filename), one.attrs) for one in await client.readdir(place)]
        return [_entry(name, attrs) for name, attrs in found if attrs.type == asyncssh.FILEXFER_TYPE_REGULAR]

    async def info(self, place: str) -> Entry:
        return _entry(PurePosixPath(place).name, await (await self._ready()).stat(place))

    async def get(self, place: str, target: Path) -> None:
        await (await self._ready()).get(place, str(target))

    async def close(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()

    async def _ready(self) -> asyncssh.SFTPClient:
        async with self._turn:
            if self._client is None:
                self._connection = await asyncssh.connect(**self._options)
                self._client = await self._connection.start_sftp_client()
            return self._client


def _entry(name: str, attrs: asyncssh.SFTPAttrs) -> Entry:
    return Entry(name, int(attrs.size or 0), f"{attrs.size}:{attrs.mtime}:{attrs.mtime_ns or 0}")
