"""Calls for whole lists that are under way, for whoever asks the same meanwhile: nobody sends a question that is being answered.

Only for lists that may be served again anyway. Who goes away does not take the call along; it ends when nobody waits for it. Knows names,
and what is made under them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass, replace

from connectors.spi import Page, SourceError
from hub.run.cache import Name

Pages = list[Page]


@dataclass(slots=True, eq=False)
class _Flight:
    task: asyncio.Task[Pages]
    waiting: int = 0


class Flights:
    """Of one composition."""

    def __init__(self) -> None:
        self._under_way: dict[Name, _Flight] = {}

    async def join(self, name: Name, make: Callable[[], Coroutine[None, None, Pages]], seconds: float) -> Pages:
        """What ``make`` brings, or what it will bring that was begun before under this name. Raises SourceError: its own, or slow after
        ``seconds``."""
        flight = self._under_way.get(name)
        if flight is None:
            # A context of its own: what the first of them logs or traces by is no business of the others.
            flight = _Flight(asyncio.get_running_loop().create_task(make(), context=Context()))
            self._under_way[name] = flight
            flight.task.add_done_callback(lambda task: self._over(name, task))
        flight.waiting += 1
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                pages = await asyncio.shield(flight.task)
        except TimeoutError:
            raise SourceError("slow", "no answer in time") from None
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                flight.task.cancel()
                self._forget(name, flight.task)
        return [replace(page, columns=dict(page.columns)) for page in pages]

    def _over(self, name: Name, task: asyncio.Task[Pages]) -> None:
        self._forget(name, task)
        if not task.cancelled():
            task.exception()  # seen, whoever has gone meanwhile

    def _forget(self, name: Name, task: asyncio.Task[Pages]) -> None:
        flight = self._under_way.get(name)
        if flight is not None and flight.task is task:
            del self._under_way[name]
