"""What several commands need: the configuration with a command's own options over it, and how a fault is said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from hub.config import BadConfig, Config, ConfigFault, find, load


class Fault(Exception):
    """Something a person can put right, in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} {en}")


def counted(number: int, what: str) -> str:
    """``1 system``, ``2 systems``."""
    return f"{number} {what}{'s' * (number != 1)}"


def configured(file: Path | None, **sections: dict[str, Any]) -> Config:
    """The configuration, with settings given on the command line over it (None: not given). Raises BadConfig."""
    config = load(find(file, os.environ), os.environ)
    for section, settings in sections.items():
        given = {name: value for name, value in settings.items() if value is not None}
        if given:
            changed = msgspec.structs.replace(getattr(config, section), **given)
            config = msgspec.structs.replace(config, **{section: changed})
    return config


def with_folder(config: Config, folder: Path | None) -> Config:
    """``folder`` of manifests instead of the configured one. Raises BadConfig when there is none."""
    if folder is None:
        return config
    if not folder.is_dir():
        raise BadConfig([ConfigFault("-", "systems.folder", f"目录不存在: {folder}。", f"There is no folder {folder}.")])
    return msgspec.structs.replace(config, systems=msgspec.structs.replace(config.systems, folder=str(folder.absolute())))
