"""Calls to systems under the engine's policy: deadline, places, rate, breaker, retry of reads, recording. The same for every kind of
connector.

Knows connectors by their interface alone, and nothing of plans' steps or GraphQL.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Protocol

import structlog

from connectors.feeds import Feed
from connectors.spi import Ask, Call, Connector, ErrorKind, Page, Plan, Relation, SourceError, identity
from hub.clock import Clock
from hub.recorder import Recorded, Recorder
from hub.run import analysis
from hub.run.cache import Cache, Name
from hub.run.standing import Standings, Unasked
from schema.registry import Binding, Limits, System

log = structlog.get_logger("hub.sources")
MOMENT = 0.01  # seconds
BACKOFF = 0.05  # seconds before the first retry; doubles, with jitter


class Metrics(Protocol):
    """What the sources tell about each call; see ``hub.serve.metrics``."""

    def call(self, system: str, relation: str, outcome: str, seconds: float, keys: int, rows: int) -> None: ...


class Sources:
    """All systems that can be asked. Owns the connectors: ``close`` closes them. ``standings`` and ``cache`` are those of the sources
    before, if there were any."""

    def __init__(
        self,
        systems: Mapping[str, System],
        connectors: Mapping[str, Connector],
        clock: Clock,
        recorder: Recorder | None = None,
        metrics: Metrics | None = None,
        standings: Standings | None = None,
        cache: Cache | None = None,
    ) -> None:
        self._connectors = dict(connectors)
        standings = standings or Standings(clock)
        self.standings = {name: standings.of(system) for name, system in systems.items()}
        self._delegating = frozenset(name for name, system in systems.items() if system.credential != "hub")
        self._plans: dict[tuple[str, int, Ask], tuple[Relation, Plan]] = {}
        self.cache = cache or Cache()
        self.clock = clock
        self.recorder = recorder or Recorder()
        self._metrics = metrics

    def limits(self, system: str) -> Limits:
        """The policy towards ``system``."""
        found = self.standings.get(system)
        return found.limits if found is not None else Limits()

    def delegates(self, system: str) -> bool:
        """Whether the caller's own identity goes to the system, so that no two callers may share an answer of it."""
        return system in self._delegating

    def name(self, binding: Binding, columns: Collection[str], rest: object, principal: str) -> Name:
        """What an answer for ``principal`` is kept by; see ``Cache.name``."""
        return self.cache.name(self.standings[binding.system].system, binding, columns, rest, self.caller(binding.system, principal))

    def caller(self, system: str, principal: str) -> str:
        """Tells apart whose answers of ``system`` may differ: nobody, unless it is asked in the caller's own name."""
        return identity(principal) if self.delegates(system) else ""

    def plan(self, system: str, ask: Ask, relation: Relation) -> Plan:
        """What the system will do of ``ask``, and what it leaves. Raises SourceError when the system has no connector."""
        key = (system, id(relation), ask)  # to hash a relation, with all its columns, would take longer than all the rest of this
        found = self._plans.get(key)
        if found is None or found[0] is not relation:
            if len(self._plans) >= 10_000:
                self._plans.clear()
            found = self._plans[key] = (relation, self._connector(system).plan(ask, relation))
        return found[1]

    async def pages(self, system: str, plan: Plan, call: Call, caller: str = "") -> list[Page]:
        """All pages of one call, within the system's limits and ``call.deadline``; waiting for a place counts. ``caller`` is whose turn it
        takes when the system is busy. Raises SourceError and nothing else."""
        limits = self.limits(system)
        deadline = self.clock.monotonic() + limits.timeout
        if call.deadline is not None:
            deadline = min(deadline, call.deadline)
        attempt = 0
        failure: SourceError | None = None
        keyed = bool(call.idempotency_key)  # a write that may come again: each try has the system's own time, all of them the request's
        last = call.deadline if keyed and call.deadline is not None else deadline
        while True:
            try:
                return await self._once(system, plan, call, deadline, caller or call.principal)
            except Unasked as error:
                analysis.refused(error.kind)
                raise failure or error from None  # what a call that was made came to says more
            except SourceError as error:
                if failure is not None and not failure.untouched:
                    error.untouched = False  # what an earlier try came to is not known, whatever this one did
                failure = error
                wait = BACKOFF * 2**attempt * (0.5 + random.random()) + (error.retry_after or 0.0)
                again = error.kind in ("down", "busy") or (keyed and error.kind == "slow")
                if not again or attempt >= limits.retries or (plan.relation.effect != "read" and not keyed):
                    raise
                if self.clock.monotonic() + wait >= last:
                    raise
                await self.clock.sleep(wait)
                attempt += 1
                if keyed:
                    deadline = min(last, self.clock.monotonic() + limits.timeout)

    async def _once(self, system: str, plan: Plan, call: Call, deadline: float, caller: str) -> list[Page]:
        connector, standing = self._connector(system), self.standings[system]
        standing.check()
        started = self.clock.monotonic()
        entered: float | None = None
        era, outcome, rows, size, unasked = 0, "ok", 0, None, False
        if call.deadline != deadline:
            call = replace(call, deadline=deadline)
        try:
            async with asyncio.timeout(max(0.0, deadline - started)), standing.turn(caller, deadline):
                era = standing.admit()
                entered = self.clock.monotonic()
                pages = [page async for page in connector.fetch(plan, call)]
            rows = sum(page.size for page in pages)
            sizes = [page.bytes for page in pages if page.bytes is not None]
            size = sum(sizes) if sizes else None
            return pages
        except TimeoutError:
            untouched = entered is None  # it may have waited for its place all the time
            kind: ErrorKind = "busy" if untouched and standing.paced else "slow"
            outcome = kind
            raise SourceError(kind, "no answer in time", source=system, relation=plan.relation.name, untouched=untouched) from None
        except SourceError as error:
            outcome, unasked = error.kind, isinstance(error, Unasked)
            if not unasked:
                log.warning("call failed", system=system, relation=plan.relation.name, kind=error.kind, detail=error.detail)
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                # Whoever waits for a call goes away at its deadline, perhaps a moment before the call itself is over.
                outcome = "slow" if self.clock.monotonic() >= deadline - MOMENT else "cancelled"
                raise
            outcome = "broken"  # the connector cancelled itself: that must not look as if the caller had gone
            raise SourceError("broken", "the connector failed", source=system, relation=plan.relation.name) from error
        except Exception as error:  # the executor's border: a connector's mistake must not take the answer down
            outcome = "broken"
            log.error("connector raised", system=system, relation=plan.relation.name, error=type(error).__name__, exc_info=error)
            raise SourceError("broken", "the connector failed", source=system, relation=plan.relation.name) from error
        finally:
            seconds = self.clock.monotonic() - started
            queued = seconds if entered is None else entered - started
            if era:
                change = standing.over(era, plan.relation.name, outcome, seconds - queued)
                if change is not None and (change.state != "OK" or len(standing.health.history) > 1):  # that it is well at first is no news
                    say = log.info if change.state == "OK" else log.warning
                    say("health changed", system=system, health=change.state, reason=change.reason)
            if not unasked:
                self._record(Recorded(system, plan.relation.name, len(call.keys), rows, outcome, seconds, call.request_id, size), queued)

    def _record(self, call: Recorded, queued: float) -> None:
        self.recorder.record(call)
        analysis.called(call, queued)
        if self._metrics is not None:
            self._metrics.call(call.system, call.relation, call.outcome, call.seconds, call.keys, call.rows)

    def feed(self, system: str) -> Feed:
        """The system's connector, as one with feeds. Raises SourceError when it has none."""
        connector = self._connector(system)
        if not isinstance(connector, Feed):
            raise SourceError("config", "the system's connector has no feeds", source=system)
        return connector

    def _connector(self, system: str) -> Connector:
        try:
            return self._connectors[system]
        except KeyError:
            raise SourceError("config", "the system has no connector", source=system) from None

    async def close(self) -> None:
        """Close every connector; safe to call twice."""
        connectors, self._connectors = list(self._connectors.values()), {}
        await asyncio.gather(*(connector.close() for connector in connectors))
