"""The systems as connected: manifests composed, connectors made for them, and how each is doing.

A system that the deployment does not furnish (no address, no secret) gets no connector: its fields fail with SYSTEM_CONFIG, all
others are answered. Must not know HTTP, storage or principals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import structlog

from connectors import kinds
from connectors.spi import Connector, Relation, SourceError
from hub.environment import Environment, fill
from hub.errors import kind_code
from hub.run.standing import Standings
from schema.canonical import canonical, planned_roots
from schema.compose import Composition, compose, load_systems
from schema.control import Change, Condition, Failure, Health
from schema.registry import Registry, System

log = structlog.get_logger("hub.connected")


def packaged() -> Path:
    """The folder of the manifests that come with the hub."""
    return Path(str(files("systems")))


def composed(folder: Path, before: Composition | None = None) -> Composition:
    """Compose all manifests under ``folder`` with the canonical schema, going on from ``before``. Raises OSError."""
    return compose(canonical(), load_systems(folder), kinds=frozenset(kinds.known()), before=before)


def core_roots(composition: Composition) -> frozenset[str]:
    """Root coordinates with resolvers of their own, which the engine leaves to them."""
    if composition.registry.federation is not None and composition.work is None:
        return frozenset()  # a federation alone
    query = composition.schema.query_type
    names = frozenset(f"{query.name}.{name}" for name in query.fields) if query is not None else frozenset()
    return names - planned_roots(composition.schema)


@dataclass(frozen=True, slots=True)
class Connections:
    """``connectors`` by system; ``problems`` says of each system without one what the deployment has to give."""

    systems: Mapping[str, System] = field(default_factory=dict)
    connectors: Mapping[str, Connector] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


def connect(registry: Registry, given: Environment, before: Connections | None = None) -> Connections:
    """A connector for each system; of ``before`` those whose system is unchanged are kept, with what they hold open."""
    before = before or Connections()
    found: dict[str, Connector] = {}
    problems: dict[str, str] = {}
    for name, system in registry.systems.items():
        if name in before.connectors and _same(before.systems[name], system):
            found[name] = before.connectors[name]
            continue
        filled = fill(system.options, given)
        if filled.missing:
            problems[name] = "not given: " + ", ".join(filled.missing)
            continue
        try:
            beside = given.beside(system.file)
            found[name] = kinds.connect(system.kind, filled.options, system=name, beside=beside, data=given.data)
        except SourceError as error:
            problems[name] = error.message
    return Connections(registry.systems, found, problems)


async def opened(connections: Connections, registry: Registry) -> None:
    """Tell connectors that gather ahead of questions what they are going to be asked. One that cannot begin says so when it is asked."""
    wanted: dict[str, dict[int, Relation]] = {}
    sequences = (*registry.lookups.values(), *registry.links.values(), *registry.scans.values(), tuple(registry.feeds.values()))
    for binding in (one for some in sequences for one in some):
        wanted.setdefault(binding.system, {})[id(binding.relation)] = binding.relation
    for name, connector in connections.connectors.items():
        if type(connector).open is Connector.open:
            continue
        try:
            await connector.open(tuple(wanted.get(name, {}).values()))
        except SourceError as error:
            log.warning("system not begun", system=name, kind=error.kind, problem=error.message, detail=error.detail)


def retired(before: Connections, after: Connections) -> list[Connector]:
    """Connectors of ``before`` that ``after`` does not use."""
    kept = {id(connector) for connector in after.connectors.values()}
    return [connector for connector in before.connectors.values() if id(connector) not in kept]


def _same(one: System, other: System) -> bool:
    return (one.kind, one.options) == (other.kind, other.options)


@dataclass(frozen=True, slots=True)
class Shown:
    """One system in the directory."""

    name: str
    title: str
    owner: str
    kind: str
    health: Health
    condition: Condition


class Directory:
    """The connected systems with their health, as the schema's ``hub { systems }`` shows them."""

    def __init__(self, connections: Connections, standings: Standings) -> None:
        self._connections = connections
        self._standings = standings

    def systems(self) -> Sequence[Shown]:
        """Sorted by name."""
        return [
            Shown(name, system.title, system.owner, system.kind, *self._health(name))
            for name, system in sorted(self._connections.systems.items())
        ]

    def counts(self) -> Mapping[Health, int]:
        """How many systems are how; no names."""
        return Counter(self._health(name)[0] for name in self._connections.systems)

    def _health(self, name: str) -> tuple[Health, Condition]:
        if name in self._connections.problems:
            return "DOWN", Condition(reason=kind_code("config"))
        trouble = self._trouble(name)
        standing = self._standings.get(name)
        if standing is None:
            return ("UNKNOWN", Condition()) if trouble is None else ("DEGRADED", Condition(reason=_code(trouble.kind)))
        health, last = standing.health, standing.health.last_failure
        # What a connector says to be wrong though it answers counts where calls tell of nothing worse.
        ails = trouble if health.state in ("OK", "UNKNOWN") else None
        return health.state if ails is None else "DEGRADED", Condition(
            health.since,
            _code(health.reason if ails is None else ails.kind),
            Failure(last.at, _code(last.kind), last.relation) if last is not None else None,
            health.last_success,
            standing.breaker_state(),
            tuple(Change(one.at, one.state, _code(one.reason)) for one in reversed(health.history)),
        )

    def _trouble(self, name: str) -> SourceError | None:
        """What a connector says to be wrong though it answers."""
        connector = self._connections.connectors.get(name)
        return connector.condition() if connector is not None else None


def _code(kind: str) -> str:
    return kind_code(kind) if kind else ""
