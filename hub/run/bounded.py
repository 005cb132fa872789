"""A cache bounded by the bytes that its entries are reckoned to take, for what outlives one request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Bounded(Generic[Key, Value]):
    """Past ``limit`` bytes the least recently used go first. ``get`` counts ``hits`` and ``misses``."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0  # bytes held, as reckoned
        self.hits = 0
        self.misses = 0
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        entry = self._entries.get(key)
        if entry is None:
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep ``value``, which takes ``size`` bytes. One that is larger than the whole cache is not kept."""
        self.drop(key)
        if size > self.limit:
            return
        self._entries[key] = (value, size)
        self.size += size
        while self.size > self.limit:
            _, (_, freed) = self._entries.popitem(last=False)
            self.size -= freed

    def drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry[1]

    def keep(self, wanted: Callable[[Key, Value], bool]) -> None:
        """Let go of all entries but those that are ``wanted``."""
        for key in [key for key, (value, _) in self._entries.items() if not wanted(key, value)]:
            self.drop(key)
