"""Whole lists and figures that may be served again: from the cache, by a call that is under way, by one of its own, or, while the system
does not answer, as they were.

Knows one call of one binding.
"""

from __future__ import annotations

from connectors.spi import Call, Page, Plan, SourceError
from hub.run import analysis
from hub.run.cache import AWAY
from hub.run.chunks import Asked
from hub.run.sources import Sources
from schema.registry import Binding


async def kept(asked: Asked, sources: Sources, binding: Binding, plan: Plan, call: Call) -> list[Page]:
    """The pages of one call. Raises SourceError."""
    rest = (plan.ask, sorted(call.params.items()), call.max_rows)
    name = sources.name(binding, (), rest, call.principal)
    cache, clock, counted = sources.cache, sources.clock, sources.standings[binding.system].kept

    async def make() -> list[Page]:
        pages = await sources.pages(binding.system, plan, call)
        cache.keep_pages(name, binding, pages, clock.monotonic())
        return pages

    held = None if asked.is_anew(binding.system) else cache.pages(name, clock.monotonic())
    if held is not None:
        counted["hit"] += 1
        analysis.kept(1)
        return held[0]
    counted["miss"] += 1
    flights = asked.flights(binding)
    try:
        if flights is None:
            return await make()
        return await flights.join(name, make, (call.deadline or 0.0) - clock.monotonic())
    except SourceError as error:
        held = cache.pages(name, clock.monotonic(), stale=True) if binding.stale and error.kind in AWAY else None
        if held is None:
            raise
    counted["stale"] += 1
    analysis.kept(1, stale=True)
    asked.note(binding, held[1])
    return held[0]
