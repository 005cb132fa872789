"""A file as its folder shows it. Plain data, for every kind of folder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """``size`` in bytes; ``mark`` changes when the content does: size, time of writing, and the store's own tag where it has one."""

    name: str
    size: int
    mark: str
