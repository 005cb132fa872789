"""The copies of one source on disk: which there are, which is read now, which are kept. One small file says so, replaced whole.

A copy that somebody reads is not taken away. Files are for the hub alone (mode 0600, folders 0700): they hold what departments
delivered. Must not know how copies are made.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from connectors.files.deliver import Copy
from connectors.files.words import Source

_STATE = "deliveries.json"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A delivery that was not taken, and why; it is looked at again when other columns are in use."""

    mark: str
    kind: str
    message: str
    detail: str = ""
    code: str = ""
    needs: tuple[str, ...] = ()


@dataclass(slots=True)
class Shelf:
    """``copies`` oldest first; the last is the one that is read."""

    folder: Path
    source: Source
    keep: int
    copies: list[Copy] = field(default_factory=list)
    refused: Refusal | None = None
    _readers: Counter[str] = field(default_factory=Counter)
    _stamp: tuple[int, int] = (0, 0)

    @property
    def current(self) -> Copy | None:
        return self.copies[-1] if self.copies else None

    def load(self) -> None:
        """Read what is on disk, another process's work included. What cannot be read counts as not there."""
        file = self.folder / _STATE
        try:
            stat = file.stat()
            if (stat.st_mtime_ns, stat.st_size) == self._stamp:
                return
            said = json.loads(file.read_bytes())
            copies = [msgspec.convert(one, Copy) for one in said["copies"]]
            refused = msgspec.convert(said["refused"], Refusal) if said.get("refused") else None
        except (OSError, ValueError, KeyError, TypeError):
            return
        self._stamp = (stat.st_mtime_ns, stat.st_size)
        self.copies = [one for one in copies if (self.folder / f"{one.stem}.parquet").exists()]
        self.refused = refused

    def make(self) -> None:
        """The folder, with what says which file it is for."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def add(self, copy: Copy) -> None:
        """``copy`` is read from now on; what is beyond ``keep`` goes."""
        self.copies.append(copy)
        self.refused = None
        self._save(self.copies[-self.keep :])
        self._prune()

    def refuse(self, refusal: Refusal) -> None:
        self.refused = refusal
        self._save(self.copies)

    @contextlib.contextmanager
    def reading(self, copy: Copy) -> Iterator[Path]:
        """The copy's Parquet file, which stays as long as it is read."""
        self._readers[copy.stem] += 1
        try:
            yield self.folder / f"{copy.stem}.parquet"
        finally:
            self._readers[copy.stem] -= 1
            self._prune()

    def _prune(self) -> None:
        for copy in self.copies[: -self.keep]:
            if not self._readers[copy.stem]:
                self.copies.remove(copy)
                for file in copy.files(self.folder):
                    file.unlink(missing_ok=True)

    def _save(self, copies: list[Copy]) -> None:
        said: dict[str, Any] = {
            "source": asdict(self.source),
            "copies": [asdict(one) for one in copies],
            "refused": asdict(self.refused) if self.refused else None,
        }
        aside = self.folder / f".{_STATE}.{os.getpid()}"
        handle = os.open(aside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(said, file, ensure_ascii=False, indent=1)
        os.replace(aside, self.folder / _STATE)
        stat = (self.folder / _STATE).stat()
        self._stamp = (stat.st_mtime_ns, stat.st_size)


def remembered(folder: Path) -> list[Source]:
    """The sources of which there are copies below a folder."""
    found = []
    for file in sorted(folder.glob(f"*/{_STATE}")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found.append(msgspec.convert(json.loads(file.read_bytes())["source"], Source))
    return found
