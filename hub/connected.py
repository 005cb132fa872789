"""The systems as connected: manifests composed, connectors made for them, and how each is doing.

A system that the deployment does not furnish (no address, no secret) gets no connector: its fields fail with SYSTEM_CONFIG, all
others are answered. Must not know HTTP, storage or principals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from connectors import kinds
from connectors.spi import Connector, SourceError
from hub.environment import Environment, fill
from hub.recorder import Recorder
from schema.canonical import canonical, planned_roots
from schema.compose import Composition, compose, load_systems
from schema.control import Health
from schema.registry import Registry, System

_RECENT = 20  # calls that a system's health is read from
_DOWN = 3  # that many failures in a row


def packaged() -> Path:
    """The folder of the manifests that come with the hub."""
    return Path(str(files("systems")))


def composed(folder: Path, before: Composition | None = None) -> Composition:
    """Compose all manifests under ``folder`` with the canonical schema, going on from ``before``. Raises OSError."""
    return compose(canonical(), load_systems(folder), kinds=frozenset(kinds.known()), before=before)


def core_roots(composition: Composition) -> frozenset[str]:
    """Root coordinates with resolvers of their own, which the engine leaves to them."""
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


class Directory:
    """The connected systems with their health, as the schema's ``hub { systems }`` shows them."""

    def __init__(self, connections: Connections, recorder: Recorder) -> None:
        self._connections = connections
        self._recorder = recorder

    def systems(self) -> Sequence[Shown]:
        """Sorted by name."""
        return [
            Shown(name, system.title, system.owner, system.kind, self._health(name))
            for name, system in sorted(self._connections.systems.items())
        ]

    def _health(self, name: str) -> Health:
        if name in self._connections.problems:
            return "DOWN"
        # A call that was cancelled, or whose arguments the system refused, says nothing about the system.
        calls = [call for call in self._recorder.calls(system=name) if call.outcome not in ("cancelled", "invalid", "missing")]
        failed = [call.outcome != "ok" for call in calls[-_RECENT:]]
        if len(failed) >= _DOWN and all(failed[-_DOWN:]):
            return "DOWN"
        if any(failed) or self._ails(name):
            return "DEGRADED"
        return "OK" if failed else "UNKNOWN"

    def _ails(self, name: str) -> bool:
        """Whether a connector says that something is wrong though it answers."""
        connector = self._connections.connectors.get(name)
        return connector is not None and connector.condition() is not None
