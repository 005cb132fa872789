"""Answers over HTTP that are kept together with what validates them, so that a source can say that they still hold instead of sending them
again: conditional requests, RFC 9110 §13 and RFC 9111 §4.3.

What is kept here is used again only when the source has just said so, and so is never out of date. It is known by the exact request and
whoever asks: one endpoint with its credential, or the caller's. Bounded by bytes for all systems together; the least recently used go
first. Must not know sockets or what an answer means.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from cachetools import LRUCache

from connectors.answers import Answer

LIMIT = 32 * 1024 * 1024  # bytes
LARGEST = 8  # one answer may take this part of it
_AROUND = 1024  # bytes, about, of an entry beside its texts
_LONGEST = 1000  # characters of an entity tag that is sent back


@dataclass(frozen=True, slots=True)
class Held:
    """An answer, the headers that ask whether it still holds, and how many bytes both take, as reckoned."""

    answer: Answer
    conditions: Mapping[str, str]
    size: int

    def again(self, said: Answer) -> Answer:
        """The answer as it is when the source ``said`` 304, with the headers that came with that (RFC 9111 §3.2)."""
        new = {name.title(): value for name, value in said.headers.items() if not name.lower().startswith("content-")}
        return replace(self.answer, headers={**self.answer.headers, **new}, again=True)


class Validators:
    """One for all endpoints, for as long as the program runs."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: LRUCache[tuple[Hashable, ...], Held] = LRUCache(limit, getsizeof=lambda held: held.size)

    @property
    def size(self) -> float:
        """Bytes held, as reckoned."""
        return self._entries.currsize

    def get(self, name: tuple[Hashable, ...]) -> Held | None:
        found: Held | None = self._entries.get(name)
        return found

    def put(self, name: tuple[Hashable, ...], answer: Answer) -> None:
        """Keep ``answer`` in the place of an earlier one, which is let go also where this one has nothing that validates it."""
        self._entries.pop(name, None)
        conditions = conditions_of(answer)
        if conditions:
            headers: dict[str, str] = {}
            for key, value in answer.headers.items():
                headers[key.title()] = f"{headers[key.title()]}, {value}" if key.title() in headers else value
            size = len(answer.body) + sum(map(len, map(str, name))) + sum(map(len, headers.values())) + _AROUND
            held = Held(replace(answer, headers=headers, again=False), conditions, size)
            if size <= self._entries.maxsize // LARGEST:
                self._entries[name] = held

    def drop(self, whose: Hashable) -> None:
        """Let go of all whose name begins with ``whose``."""
        for name in [name for name in self._entries if name[0] == whose]:
            del self._entries[name]


def conditions_of(answer: Answer) -> dict[str, str]:
    """The headers that ask whether ``answer`` still holds; none where that cannot be asked or it must not be kept."""
    said = answer.headers
    if answer.status != 200 or "no-store" in said.get("Cache-Control", "").lower() or "*" in said.get("Vary", ""):
        return {}
    found = {}
    tag, changed = said.get("Etag", ""), said.get("Last-Modified", "")
    if tag.isascii() and tag.isprintable() and tag.endswith('"') and len(tag) <= _LONGEST:
        found["If-None-Match"] = tag
    if _settled(changed, said.get("Date", "")):
        found["If-Modified-Since"] = changed
    return found


def _settled(changed: str, date: str) -> bool:
    """Whether a time of change tells two versions apart: it counts in seconds, and not while its own goes on (RFC 9110 §8.8.2.2)."""
    try:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(changed)).total_seconds() >= 1
    except (ValueError, TypeError):
        return False


VALIDATORS = Validators()
