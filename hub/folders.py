"""The folders of a deployment: where manifests lie and when they were last written, and where the store lies. Reads no manifest."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hub.config import BadConfig, Config, ConfigFault
from hub.connected import packaged


def manifests_folder(config: Config) -> Path:
    """Where the manifests lie. Raises BadConfig when there is no such folder."""
    if not config.systems.folder:
        return packaged()
    folder = config.at(config.systems.folder)
    if not folder.is_dir():
        raise BadConfig([ConfigFault("-", "systems.folder", f"目录不存在: {folder}。", f"There is no folder {folder}.")])
    return folder


def make_folder(config: Config) -> None:
    """The folder of a SQLite store, made if it is not there."""
    url = config.store_url()
    if url.startswith("sqlite") and ":///" in url:
        Path(url.partition(":///")[2].partition("?")[0]).parent.mkdir(parents=True, exist_ok=True)


def stamps(place: Path) -> dict[str, tuple[int, int]]:
    """When each manifest in a folder was last written, and its size; or a single file."""
    found = {}
    for file in place.rglob("*.graphql*") if place.is_dir() else (place,):
        with contextlib.suppress(OSError):
            stat = file.stat()
            found[str(file)] = (stat.st_mtime_ns, stat.st_size)
    return found
