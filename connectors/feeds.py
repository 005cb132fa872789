"""The third thing a connector may do: bring news as they happen. Optional; one that does not has no ``events``.

    class Gazette(Connector):
        async def events(self, plan: Plan, call: Call, after: str = "") -> AsyncIterator[News]:
            async for number, rows in self.paper.read(since=after):
                yield News(Page.of(rows, plan.fields), cursor=number)

One call is one connection. When it breaks, ``events`` raises SourceError; when the source ends it, the iterator ends. Either way the
engine calls again, with backoff, and hands over the ``cursor`` of the last news as ``after``, so that none are lost if the source
can go back. Cancelling the iterator releases the connection. Like ``connectors.spi``: standard library alone, knows no GraphQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from connectors.spi import Call, Page, Plan, SourceError


@dataclass(frozen=True, slots=True)
class News:
    """What happened at once: the rows of ``page``; or ``fault``, when this one could not be read, which harms no other.

    ``cursor`` says where to go on after it; empty when the source does not number its news. ``wait`` is how many seconds the source
    wants to be left alone before it is connected to again.
    """

    page: Page | None
    cursor: str = ""
    fault: SourceError | None = None
    wait: float | None = None


@runtime_checkable
class Feed(Protocol):
    """A connector with feeds."""

    def events(self, plan: Plan, call: Call, after: str = "") -> AsyncIterator[News]: ...
