"""The folder in which a department leaves its files: a local path, ``sftp://`` or ``s3://``. Lists it and brings files.

SFTP and S3 are asynchronous, and giving up on a call ends it; a local folder is read in threads. Errors become SourceErrors without
addresses. Must not know what is in the files.
"""

from __future__ import annotations

import asyncio
import os
import stat
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from connectors.files.entries import Entry
from connectors.files.words import FilesSettings
from connectors.settings import refused
from connectors.spi import SourceError

_SCHEMES = {"file": "", "sftp": "connectors.files.sftp", "s3": "connectors.files.s3"}


class Folder(Protocol):
    """One kind of file system. ``place`` is a path within it; errors are whatever its library raises."""

    async def list(self, place: str) -> list[Entry]: ...

    async def info(self, place: str) -> Entry: ...

    async def get(self, place: str, target: Path) -> None: ...

    async def close(self) -> None: ...


class Remote:
    """One folder. ``list`` and ``bring`` raise SourceError."""

    def __init__(self, settings: FilesSettings) -> None:
        self._settings = settings
        base = settings.base.reveal()
        self._parts = urlsplit(base if "://" in base else f"file://{base}")
        self._scheme = self._parts.scheme
        if self._scheme not in _SCHEMES:
            raise refused("the folder of @files is a path, sftp://… or s3://…")
        paths = {
            "file": base.removeprefix("file://"),
            "sftp": unquote(self._parts.path),
            "s3": f"{self._parts.netloc}{unquote(self._parts.path)}",
        }
        self._root = paths[self._scheme] or "."
        self._opened: Folder | None = None

    async def list(self, folder: str) -> list[Entry]:
        """The files of a folder below the base, by name, without those of its folders."""
        try:
            return sorted(await self._open().list(self._at(folder)), key=lambda one: one.name)
        except SourceError:
            raise
        except Exception as error:
            raise await self._failed(error) from None

    async def bring(self, folder: str, entry: Entry, target: Path) -> None:
        """Copy a file here. Raises SourceError: ``busy`` when it changed meanwhile, that is, when it was still being written."""
        place = self._at(folder, entry.name)
        try:
            opened = self._open()
            await opened.get(place, target)
            after = await opened.info(place)
        except SourceError:
            raise
        except Exception as error:
            raise await self._failed(error) from None
        if after.mark != entry.mark or await asyncio.to_thread(os.path.getsize, target) != entry.size:
            raise SourceError("busy", "The file was changed while it was read.", code="CHANGED")

    async def close(self) -> None:
        """Ends connections. Safe to call twice."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    def _at(self, *parts: str) -> str:
        return str(PurePosixPath(self._root, *parts))

    def _open(self) -> Folder:
        if self._opened is None:
            auth = self._settings.auth
            user = auth.user.reveal() if auth and auth.user else ""
            secret = auth.secret.reveal() if auth and auth.secret else ""
            if self._scheme == "file":
                self._opened = _Local()
            else:
                try:
                    made: Folder = import_module(_SCHEMES[self._scheme]).folder(self._parts, user, secret, self._settings)
                    self._opened = made
                except ModuleNotFoundError as error:
                    raise refused(f"the package '{error.name}' is not installed: pip install 'yiwang-hub[{self._scheme}]'") from None
        return self._opened

    async def _failed(self, error: Exception) -> SourceError:
        """The error in the engine's terms. A connection that failed is not used again."""
        found = failure(error)
        if found.kind in ("down", "slow", "broken"):
            await self.close()
        return found


class _Local:
    """A folder of this machine, or one that is mounted."""

    def __init__(self) -> None:
        import fsspec  # type: ignore[import-untyped]

        self._system: Any = fsspec.filesystem("file", skip_instance_cache=True)

    async def list(self, place: str) -> list[Entry]:
        return await asyncio.to_thread(lambda: [_entry(one) for one in self._system.ls(place, detail=True) if one["type"] == "file"])

    async def info(self, place: str) -> Entry:
        return await asyncio.to_thread(lambda: _entry(self._system.info(place)))

    async def get(self, place: str, target: Path) -> None:
        def copy() -> None:
            if not stat.S_ISREG(os.stat(place).st_mode):
                raise SourceError("broken", "The file is not a plain file.")
            self._system.get_file(place, str(target))

        await asyncio.to_thread(copy)

    async def close(self) -> None:
        return


def _entry(info: Any) -> Entry:
    return Entry(PurePosixPath(info["name"]).name, int(info["size"]), f"{info['size']}:{info['mtime']}:{info['ino']}")


# What classes of libraries and codes of S3 mean; the first that fits counts.
_SIGNS: tuple[tuple[frozenset[str], Any, str], ...] = (
    (
        frozenset({
            "PermissionDenied", "SFTPPermissionDenied", "PermissionError", "NoCredentialsError",
            "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403",
        }), "denied", "The folder refused the hub.",
    ),
    (frozenset({"HostKeyNotVerifiable"}), "config", "The server is not the one whose key is known."),
    (
        frozenset({"FileNotFoundError", "SFTPNoSuchFile", "SFTPNoSuchPath", "NoSuchBucket", "NoSuchKey", "404"}),
        "missing", "The folder or the file is not there.",
    ),
    (frozenset({"TimeoutError", "ReadTimeoutError", "ConnectTimeoutError"}), "slow", "The folder did not answer in time."),
    (frozenset({"SlowDown", "ServiceUnavailable", "503"}), "busy", "The folder is busy."),
    (
        frozenset({
            "OSError", "DisconnectError", "SFTPError", "ChannelOpenError",
            "HTTPClientError", "EndpointConnectionError", "ConnectionClosedError", "500",
        }),
        "down", "The folder cannot be reached.",
    ),
)  # fmt: skip


def failure(error: BaseException) -> SourceError:
    """What went wrong on the way to a folder. Texts of libraries hold addresses: only their kind is told."""
    for one in (error.__cause__, error):
        response = getattr(one, "response", None) or {}
        code = str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
        told = {code, *(each.__name__ for each in type(one).__mro__)}
        for signs, kind, message in _SIGNS:
            if one is not None and told & signs:
                return SourceError(kind, message, detail=code or type(one).__name__)
    return SourceError("broken", "The folder's answer cannot be read.", detail=type(error).__name__)
