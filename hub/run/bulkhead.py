"""A bulkhead: so many calls at once to one system and no more, and callers that wait are served by turns.

One caller with a thousand calls waiting delays another's single call by one turn, not by a thousand. Knows no systems and no time.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Bulkhead:
    """``size`` places. ``async with bulkhead.place(caller)`` is the way in; whoever is cancelled while waiting leaves the queue."""

    __slots__ = ("_free", "_queues")

    def __init__(self, size: int) -> None:
        self._free = size
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}  # callers that wait, in the order of their turns

    @property
    def free(self) -> int:
        """Places that nobody has."""
        return self._free

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._queues.values()))

    def ahead(self, caller: str) -> int:
        """How many of those that wait have their turn before one more of ``caller`` would."""
        own = len(self._queues.get(caller, ()))
        found, turns = own, own + 1  # whoever stands before ``caller`` has one turn more than who stands behind
        for name, queue in self._queues.items():
            if name == caller:
                turns = own
            else:
                found += min(len(queue), turns)
        return found

    def place(self, caller: str = "") -> Place:
        """A place for one call of ``caller``, to be entered once."""
        return Place(self, caller)

    async def enter(self, caller: str) -> None:
        """Wait for a place; nobody who waits is overtaken by a caller that comes later for its first one."""
        if self._free and not self._queues:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(caller, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the place was given just before: it goes to the next
                self.leave()
            else:
                self._forget(caller, turn)
            raise

    def leave(self) -> None:
        """Give the place to the next caller in turn."""
        while self._queues:
            caller, queue = next(iter(self._queues.items()))
            del self._queues[caller]
            turn = queue.popleft()
            if queue:
                self._queues[caller] = queue  # at the end: all others come first
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _forget(self, caller: str, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(caller)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._queues[caller]


class Place:
    """See ``Bulkhead.place``."""

    __slots__ = ("_bulkhead", "_caller")

    def __init__(self, bulkhead: Bulkhead, caller: str) -> None:
        self._bulkhead = bulkhead
        self._caller = caller

    async def __aenter__(self) -> None:
        await self._bulkhead.enter(self._caller)

    async def __aexit__(self, *_: object) -> None:
        self._bulkhead.leave()
