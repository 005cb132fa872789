"""Stopping without dropping anybody: what is in flight finishes, what is new is refused, and neither takes for ever.

Must not know signals, servers or requests.
"""

from __future__ import annotations

import asyncio


class Drain:
    """Counts requests in flight. ``closing`` is True from the moment the hub is told to stop."""

    __slots__ = ("_begun", "_idle", "closing", "in_flight")

    def __init__(self) -> None:
        self.closing = False
        self.in_flight = 0
        self._begun = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self) -> bool:
        """A request begins; False, and not counted, when the hub is closing."""
        if self.closing:
            return False
        self.in_flight += 1
        return True

    def leave(self) -> None:
        """A request that entered has been answered."""
        self.in_flight -= 1
        if self.closing and not self.in_flight:
            self._idle.set()

    def close(self) -> None:
        """Take nothing new from now on."""
        self.closing = True
        self._begun.set()
        if self.in_flight:
            self._idle.clear()

    async def begun(self) -> None:
        """Wait until the hub is told to stop: for what would otherwise never end."""
        await self._begun.wait()

    async def finished(self, seconds: float) -> bool:
        """Wait until nothing is in flight, ``seconds`` at most. False when something still was."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
