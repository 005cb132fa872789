"""The composition root: from a configuration to a hub that answers, and from manifests that change to one that has changed.

This module, ``hub.application`` and ``hub.cli`` alone know all the others. A hub is opened and closed as one; a broken manifest never
takes the place of a good schema.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog

from auth.issuer import Issuer
from auth.policy import OPERATING
from auth.server import TokenServer
from auth.tokens import TokenVerifier
from hub.audit import AuditLog, AuditRecord
from hub.clock import Clock, SystemClock
from hub.config import BadConfig, Config, ConfigFault
from hub.connected import Connections, Directory, composed, connect, core_roots, opened, retired
from hub.environment import Environment
from hub.folders import make_folder, manifests_folder, stamps
from hub.recorder import Recorder
from hub.run.cache import Cache
from hub.run.cursors import Cursors
from hub.run.deferred import in_parts
from hub.run.engine import Engine
from hub.run.prepared import Caches
from hub.run.sources import Sources
from hub.run.standing import Standings
from hub.serve import explorer
from hub.serve.drain import Drain
from hub.serve.graphql import Endpoint, Exchange
from hub.serve.limits import Gate, Limits
from hub.serve.metrics import Metrics
from hub.serve.operations import Operations
from hub.serve.sse import Events
from hub.serve.ws import Sockets
from hub.store.faults import StoreFault
from hub.store.store import Store
from hub.store.systems import StoredSystem
from schema.compose import Composition
from schema.control import Health
from schema.coordinates import Coordinates
from schema.faults import Fault, format_fault
from schema.registry import Registry
from schema.subgraph import federated

log = structlog.get_logger("hub.app")
Connecting = Callable[[Registry, Environment, Connections | None], Connections]
Composing = Callable[[Path, Composition | None], Composition]  # of a place: a folder of manifests, or a supergraph
_WATCH = 1.0  # seconds between looks at the folder of manifests


class BadManifests(Exception):
    """The manifests do not compose. ``faults`` are all of them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(format_fault(fault) for fault in faults))


class Hub:
    """All parts of one running hub. Made by ``open``; ``endpoint`` is the only one that requests meet."""

    def __init__(
        self,
        config: Config,
        given: Environment,
        clock: Clock,
        store: Store,
        issuer: Issuer,
        composition: Composition,
        connecting: Connecting = connect,
        composing: Composing = composed,
        place: Path | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.store = store
        self.issuer = issuer
        self.composition = composition
        self.place = place or manifests_folder(config)
        self.recorder = Recorder()
        self.metrics = Metrics()
        self.drain = Drain()
        self.audit = AuditLog(store, clock)
        self.verifier = TokenVerifier(store, issuer, clock)
        self.tokens = TokenServer(issuer, store.issuing(), clock, scopes(composition.registry.coordinates))
        self._given = replace(given, manifests=self.place)
        self._connecting = connecting
        self._composing = composing
        self._connections = connecting(composition.registry, self._given, None)
        self._standings = Standings(clock)
        self._cache = Cache(config.engine.cache)
        self._caches = Caches(config.engine.documents, config.engine.operations, config.engine.plans)
        self._reloading = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()
        self.engine = self._engine(composition, self._connections)
        http = config.http
        gate = Gate(Limits(**{name: getattr(config.limits, name) for name in Limits.__slots__}))
        self.endpoint = Endpoint(
            self.engine,
            self.verifier,
            self._audited,
            clock,
            gate,
            self.drain,
            self.metrics,
            page=explorer.page(http.path) if http.explorer else None,
            partial_status=http.partial_status,
            trust_request_id=http.trust_request_id,
        )
        operations = Operations(lambda: self.engine, self._audited, clock, gate, self.metrics)
        persisted = self.endpoint.persisted
        self.endpoint.events = Events(operations, self.verifier.principal, self.drain, gate.limits.body, persisted=persisted)
        if config.engine.incremental:
            self.endpoint.in_parts = in_parts
        self.sockets = Sockets(operations.answers, self.verifier.principal, self.drain)
        self.metrics.in_flight(lambda: self.drain.in_flight)
        self.metrics.watch(lambda: self.engine.sources.standings.values(), lambda: self._cache.size)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        config: Config,
        given: Environment,
        *,
        address: str = "",
        clock: Clock | None = None,
        connecting: Connecting = connect,
        composing: Composing = composed,
        place: Path | None = None,
    ) -> AsyncIterator[Hub]:
        """A hub that can answer, closed on leaving. ``address`` is where it will listen (``http://127.0.0.1:8000``), the issuer if the
        configuration names none. ``connecting`` makes the connectors; an author's hub may have mocks. ``composing`` makes the schema of
        what is at ``place``, by default of the configured folder's manifests.

        Raises BadManifests, BadConfig, StoreFault.
        """
        composition = await asyncio.to_thread(composing, place or manifests_folder(config), None)
        if not composition.ok:
            raise BadManifests(composition.faults)
        issuer = issuer_of(config, address)
        clock = clock or SystemClock()
        config.at(config.store.key_file).parent.mkdir(parents=True, exist_ok=True)
        make_folder(config)
        store = Store.open(config.store_url(), config.at(config.store.key_file), clock)
        try:
            await store.upgrade()
            hub = cls(config, given, clock, store, issuer, composition, connecting, composing, place)
            try:
                await hub._begin()
                yield hub
            finally:
                await hub._end()
        finally:
            await store.close()

    async def _begin(self) -> None:
        await self.audit.start()
        await self._record_systems()
        self._parting = asyncio.create_task(self._part(), name="part")
        for name, problem in self._connections.problems.items():
            log.warning("system not connected", system=name, problem=problem)
        await opened(self._connections, self.composition.registry)

    async def _end(self) -> None:
        self._parting.cancel()
        await asyncio.wait({self._parting})
        await self.engine.close()
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await self.audit.stop()
        await asyncio.gather(*(connector.close() for connector in self._connections.connectors.values()))

    async def _part(self) -> None:
        """When the hub is told to stop, subscriptions, which would never end, are told so; what else is in flight finishes."""
        await self.drain.begun()
        await self.engine.close()

    @property
    def problems(self) -> Mapping[str, str]:
        """System -> what the deployment has to give for it to be connected."""
        return self._connections.problems

    def health(self) -> Mapping[Health, int]:
        """How many systems are how."""
        return Directory(self._connections, self._standings).counts()

    async def reload(self) -> tuple[Fault, ...]:
        """Compose the manifests again and take them over if they are without errors; their faults. The last good schema stays otherwise.

        Raises OSError when they cannot be read, StoreFault when what was taken over cannot be recorded.
        """
        async with self._reloading:
            try:
                composition = await asyncio.to_thread(self._composing, self.place, self.composition)
            except OSError:
                self.metrics.reloaded(False)
                raise
            if not composition.ok:
                self.metrics.reloaded(False)
                errors = [fault for fault in composition.faults if fault.is_error]
                for fault in errors:
                    log.error(
                        "manifest at fault", code=fault.code, file=fault.file, line=fault.line, column=fault.column, said=fault.message
                    )
                log.error("schema kept", epoch=self.composition.registry.epoch, faults=len(errors))
                return composition.faults
            await self._take(composition)
            self.metrics.reloaded(True)
            log.info("schema taken over", epoch=composition.registry.epoch, systems=len(composition.registry.systems))
            return composition.faults

    async def _take(self, composition: Composition) -> None:
        before, before_engine = self._connections, self.engine
        after = self._connecting(composition.registry, self._given, before)
        engine = self._engine(composition, after)
        self.composition, self._connections, self.engine = composition, after, engine
        self.endpoint.engine = engine
        await opened(after, composition.registry)
        await before_engine.close("SCHEMA_CHANGED")  # their documents were read by the old schema
        leaving = retired(before, after)
        if leaving:
            task = asyncio.create_task(self._retire(leaving))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)
        await self._record_systems()

    async def _retire(self, leaving: list[Any]) -> None:
        """Close connectors once every request that may still use them has passed its deadline."""
        try:
            await self.clock.sleep(self.config.engine.deadline)
        finally:
            await asyncio.gather(*(connector.close() for connector in leaving))

    async def watch(self) -> None:
        """Look at the manifests every second and reload when they have changed and come to rest. Runs until cancelled.

        What was at fault is composed again when anything has changed; what could not be read, at each look until it can be.
        """
        known = seen = await asyncio.to_thread(stamps, self.place)
        while True:
            await self.clock.sleep(_WATCH)
            found = await asyncio.to_thread(stamps, self.place)
            if found != known and found == seen and await self.reloaded():  # several files may be written one after the other
                known = found
            seen = found

    async def reloaded(self) -> bool:
        """Reload, for those who only watch. Whether the manifests could be read; what went wrong is logged."""
        try:
            await self.reload()
        except OSError as error:
            log.error("manifests not read, schema kept", problem=str(error), epoch=self.composition.registry.epoch)
            return False
        except StoreFault as error:
            log.error("systems not recorded", problem=str(error))
        return True

    def _engine(self, composition: Composition, connections: Connections) -> Engine:
        registry = composition.registry
        sources = Sources(registry.systems, connections.connectors, self.clock, self.recorder, self.metrics, self._standings, self._cache)
        return Engine(
            federated(composition.schema, registry) if self.config.engine.subgraph else composition.schema,
            registry,
            sources,
            core_roots=core_roots(composition),
            directory=Directory(connections, self._standings),
            timeout=self.config.engine.deadline,
            max_errors=self.config.engine.max_errors,
            caches=self._caches,
            cursors=Cursors(self.store.derived_key("cursors")),
            max_scan=self.config.engine.max_scan,
        )

    async def _audited(self, exchange: Exchange) -> None:
        answer = exchange.answer
        await self.audit.append(
            AuditRecord(
                request_id=exchange.request_id,
                client=exchange.principal.id,
                audience=exchange.principal.audience.value,
                operation=answer.operation,
                document=sha256(exchange.document.encode()).hexdigest() if exchange.document else "",
                coordinates=answer.coordinates,
                systems=answer.systems,
                codes=answer.codes,
                status=exchange.status,
                ms=round(exchange.seconds * 1000, 3),
                at=self.clock.now(),
            )
        )

    async def _record_systems(self) -> None:
        systems = self.composition.registry.systems.values()
        found = [StoredSystem(s.name, s.kind, s.title, s.owner, self.composition.text(s.name)) for s in systems]
        change = await self.store.record_systems(found)
        log.info("systems", added=change.added, changed=change.changed, removed=change.removed)


def issuer_of(config: Config, address: str) -> Issuer:
    """What the hub calls itself. Raises BadConfig when neither the configuration nor the address will do."""
    auth = config.auth
    url = (auth.issuer or address).rstrip("/")
    try:
        return Issuer(url, auth.audience or f"{url}{config.http.path}", int(auth.lifetime))
    except ValueError as error:
        raise BadConfig([ConfigFault("-", "auth.issuer", "请设置对外的 https 地址。", f"Set the public https address: {error}.")]) from None


def scopes(coordinates: Coordinates) -> list[str]:
    """All scopes that mean something here, sorted."""
    return sorted(OPERATING.union(*(alternative for row in coordinates.values() for alternative in row.scopes)))
