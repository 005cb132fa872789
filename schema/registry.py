"""What composition produces and everything behind it reads: systems, and how each serves canonical fields.

Plain frozen data. Manifests compile to this; the planner, the oracle and explain read nothing else of them.
Must not know GraphQL execution, connectors' code or storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.spi import Options, Relation
from schema.coordinates import Coordinates


class Existence(StrEnum):
    """Whether a system decides that an entity exists (ANCHOR) or only adds to it (CONTRIBUTES)."""

    ANCHOR = "ANCHOR"
    CONTRIBUTES = "CONTRIBUTES"


class Coverage(StrEnum):
    """Whether each key of the anchor has a record here."""

    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"


class Authority(StrEnum):
    """What a served value is worth; the order of members is the order of preference."""

    SOURCE = "SOURCE"
    REPLICA = "REPLICA"
    DERIVED = "DERIVED"


class Role(StrEnum):
    """What a binding is for: LOOKUP an entity by key, LINK a parent to its list or object, SCAN all entities of a type."""

    LOOKUP = "LOOKUP"
    LINK = "LINK"
    SCAN = "SCAN"


@dataclass(frozen=True, slots=True)
class Limits:
    """Engine-side policy of one system. Times in seconds, ``rate`` in calls per second (None: no limit)."""

    timeout: float = 5.0
    concurrency: int = 16
    retries: int = 1
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class System:
    """One departmental system as its manifest declares it. ``options`` are the source directive's words, secrets as names."""

    name: str
    title: str
    owner: str
    kind: str
    options: Options
    contact: str = ""
    credential: str = "hub"
    limits: Limits = field(default_factory=Limits)
    file: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One concrete type of an abstract position: rows whose typename column equals ``value`` are of ``type``."""

    value: str
    type: str
    parts: Mapping[str, Served]


@dataclass(frozen=True, slots=True)
class Served:
    """How one canonical field lies in the rows of a binding.

    A leaf has a ``column`` and no ``type``. An object has a ``type`` and ``parts``: with no ``column`` the parts' columns lie
    in the same row (so it is null exactly when all of them are); with a ``column`` and ``many`` that column holds a list
    of native objects, and the parts' columns are the names of its ``items``. An object whose type is an entity carries at least its key:
    the planner goes on from there. An abstract type has ``variants`` chosen by ``typename``, a column.
    """

    name: str
    column: str | None = None
    type: str | None = None
    many: bool = False
    parts: Mapping[str, Served] = field(default_factory=dict)
    typename: str | None = None
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True)
class Binding:
    """One way to get rows of ``type`` out of one system.

    ``key`` are canonical fields and ``relation.keys``, in the same order, their columns. LOOKUP: an entity by fields of ``type``. LINK:
    ``field`` is the coordinate it serves (``Enterprise.licences``), ``key`` are fields of the parent type, and ``many`` says list or
    single object. SCAN: all entities of ``type``; ``field`` may name the one root coordinate it is for. ``fields`` maps a canonical
    field of ``type`` to how it lies in a row. ``args`` maps public arguments of ``field`` to parameters of the relation.
    """

    id: str
    system: str
    role: Role
    type: str
    relation: Relation
    fields: Mapping[str, Served]
    key: tuple[str, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)
    field: str | None = None
    many: bool = False
    existence: Existence = Existence.CONTRIBUTES
    coverage: Coverage = Coverage.PARTIAL
    authority: Authority = Authority.SOURCE
    priority: int = 0

    @property
    def rank(self) -> tuple[int, int, str, str]:
        """Smaller is preferred: authority, then higher priority, then the system's and the binding's name. A total order."""
        return (tuple(Authority).index(self.authority), -self.priority, self.system, self.id)

    @property
    def anchors(self) -> bool:
        """Whether a missing row here means that the entity does not exist."""
        return self.existence is Existence.ANCHOR and self.coverage is Coverage.COMPLETE


@dataclass(frozen=True, slots=True)
class RootLookup:
    """A public root field that finds one entity: ``arguments`` maps each argument to the key field it gives."""

    coordinate: str
    type: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Aggregated:
    """A public type that holds figures of a group of ``node``: ``figures`` maps its fields ``group``, ``sum``, ``min`` and ``max`` to the
    canonical paths behind their own fields, ``groups`` the values that one can group by to theirs."""

    node: str
    figures: Mapping[str, Mapping[str, str]]
    groups: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Registry:
    """All that is bound, indexed once. Every sequence is in rank order and independent of the order of manifests."""

    systems: Mapping[str, System]
    coordinates: Coordinates
    keys: Mapping[str, tuple[tuple[str, ...], ...]]  # entity type -> its keys
    lookups: Mapping[str, tuple[Binding, ...]]  # entity type -> LOOKUP bindings
    links: Mapping[str, tuple[Binding, ...]]  # coordinate -> LINK bindings
    scans: Mapping[str, tuple[Binding, ...]]  # entity type, or a root coordinate with its own source -> SCAN bindings
    roots: Mapping[str, RootLookup]  # root coordinate -> how its arguments are keys
    connections: Mapping[str, str]  # connection type -> node type
    filters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # filter input type -> its field -> path from the entity
    orders: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # order input type -> value of its field -> path
    aggregates: Mapping[str, Aggregated] = field(default_factory=dict)  # type of figures -> what of
    epoch: str = ""  # changes whenever anything above does

    def providers(self, type_name: str, field_name: str) -> tuple[Binding, ...]:
        """Lookups that serve ``type_name.field_name``, best first."""
        return tuple(b for b in self.lookups.get(type_name, ()) if field_name in b.fields)

    def anchor(self, type_name: str) -> Binding | None:
        """The lookup that decides whether an entity exists, if there is one."""
        return next((b for b in self.lookups.get(type_name, ()) if b.anchors), None)
