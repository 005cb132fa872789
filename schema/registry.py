"""What composition produces and everything behind it reads: systems, and how each serves canonical fields.

Plain frozen data. Manifests compile to this; the planner, the oracle and explain read nothing else of them.
Must not know GraphQL execution, connectors' code or storage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.spi import Options, Relation
from schema.coordinates import Coordinates
from schema.federation.model import Federation

ENTITIES = "Query._entities"  # the root field by which another router asks for entities by their keys


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


_WORTH = {authority: place for place, authority in enumerate(Authority)}


class Resolve(StrEnum):
    """What happens with a field that several systems serve: the FIRST by rank answers; or the next is asked where those before it failed
    (FALLBACK_ON_ERROR), or failed or have null (FALLBACK_ON_NULL)."""

    FIRST = "FIRST"
    FALLBACK_ON_ERROR = "FALLBACK_ON_ERROR"
    FALLBACK_ON_NULL = "FALLBACK_ON_NULL"


class Role(StrEnum):
    """What a binding is for: LOOKUP an entity by key, LINK a parent to its list or object, SCAN all entities of a type, WRITE (a mutation
    and the rows it answers with), EVENTS (a feed of rows as they change)."""

    LOOKUP = "LOOKUP"
    LINK = "LINK"
    SCAN = "SCAN"
    WRITE = "WRITE"
    EVENTS = "EVENTS"


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a system is left alone: after ``failures`` calls (0: never) that are at least half of those that came back ``within`` so many
    seconds. After ``pause`` seconds, longer each time that fails, ``probes`` calls at once may try it."""

    failures: int = 5
    within: float = 10.0
    pause: float = 5.0
    probes: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """Engine-side policy of one system. Times in seconds, ``rate`` in calls per second (None: no limit)."""

    timeout: float = 5.0
    concurrency: int = 16
    retries: int = 1
    rate: float | None = None
    breaker: Breaker = Breaker()


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
class Require:
    """A parameter of a call that is another field of the same entity, whichever system has it.

    ``selection`` is the way there as GraphQL writes it (``creditScore { score }``), ``coordinates`` the fields on it. Where the value is
    null, null is sent if the parameter is ``nullable``, else there is no call.
    """

    param: str
    selection: str
    coordinates: tuple[str, ...]
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Undo:
    """How a write is undone: by the mutation ``field``, whose ``arguments`` are each ``{name}`` of an argument of the write, or the path
    of a plain field in its answer."""

    field: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Binding:
    """One way to get rows of ``type`` out of one system.

    ``key`` are canonical fields and ``relation.keys``, in the same order, their columns. LOOKUP: an entity by fields of ``type``. LINK:
    ``field`` is the coordinate it serves (``Enterprise.licences``), ``key`` are fields of the parent type, and ``many`` says list or
    single object. SCAN: all entities of ``type``; ``field`` may name the one root coordinate it is for. WRITE and EVENTS: ``field`` is the
    root coordinate. ``fields`` maps a canonical field of ``type`` to how it lies in a row. ``args`` maps public arguments of ``field`` to
    parameters of the relation; ``requires`` gives parameters that are other fields of the entity; a LOOKUP with either is for its
    ``field`` alone. ``narrows`` maps those arguments of a feed that choose among its events to the canonical field they are compared with.
    ``check`` is the root field of Query to ask whether a write of unknown outcome was done, ``idempotent`` whether its source tells by a
    key what it has carried out already, ``undo`` how it is undone. What it answered may be served again for
    ``cache`` seconds (0: never), and for ``stale`` more while the system does not answer. Rows of an abstract type (LINK, SCAN) have no
    ``fields`` but ``variants``, which the column ``typename`` tells apart.
    """

    id: str
    system: str
    role: Role
    type: str
    relation: Relation
    fields: Mapping[str, Served]
    key: tuple[str, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)
    narrows: Mapping[str, str] = field(default_factory=dict)
    check: str = ""
    idempotent: bool = False
    undo: Undo | None = None
    cache: float = 0.0
    stale: float = 0.0
    requires: tuple[Require, ...] = ()
    field: str | None = None
    many: bool = False
    existence: Existence = Existence.CONTRIBUTES
    coverage: Coverage = Coverage.PARTIAL
    authority: Authority = Authority.SOURCE
    priority: int = 0
    typename: str | None = None
    variants: tuple[Variant, ...] = ()

    @property
    def row(self) -> Served:
        """A whole row as something served."""
        return Served("", type=self.type, parts=self.fields, typename=self.typename, variants=self.variants)

    @property
    def rank(self) -> tuple[int, int, str, str]:
        """Smaller is preferred: authority, then higher priority, then the system's and the binding's name. A total order."""
        return (*self.worth, self.system, self.id)

    @property
    def worth(self) -> tuple[int, int]:
        """Smaller is preferred: authority, then higher priority. Those of equal worth may stand in for each other."""
        return (_WORTH[self.authority], -self.priority)

    @property
    def anchors(self) -> bool:
        """Whether a missing row here means that the entity does not exist."""
        return self.existence is Existence.ANCHOR and self.coverage is Coverage.COMPLETE


@dataclass(frozen=True, slots=True)
class Gate:
    """How one graph of a federation is asked: for entities, whatever their type, by representations, and for the fields of its roots.
    ``roots`` are by the name of the root type. Their relations are open."""

    entities: Binding
    roots: Mapping[str, Binding]


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
class Equals:
    """Lookups that may stand in for each other for one field, by id, and the first of them by name."""

    first: Binding
    ids: frozenset[str]

    @classmethod
    def of(cls, providers: Sequence[Binding]) -> Equals:
        """Of bindings in rank order those of the best worth."""
        return cls(providers[0], frozenset(b.id for b in providers if b.worth == providers[0].worth))


@dataclass(frozen=True, slots=True)
class Ranked:
    """The lookups of one type, indexed once, so that planning looks at a handful of them however many there are.

    ``providers`` of each field, best first; ``firsts`` are those of them that are the best of their key: of two bindings with one key,
    whenever the second can be asked so can the first. ``equals`` are those that are worth as much as the best. ``vias`` are the best of
    each key that may be asked for what is a key elsewhere: not those that are for their field alone. ``gives`` maps each key to what is
    served by it that some key needs, which is all there is to know for acquiring keys. ``ids`` are all by id.
    """

    providers: Mapping[str, tuple[Binding, ...]] = field(default_factory=dict)
    firsts: Mapping[str, tuple[Binding, ...]] = field(default_factory=dict)
    equals: Mapping[str, Equals] = field(default_factory=dict)
    vias: Mapping[str, tuple[Binding, ...]] = field(default_factory=dict)
    ids: Mapping[str, Binding] = field(default_factory=dict)
    gives: Mapping[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    anchor: Binding | None = None


def _ranked(lookups: Iterable[Binding], needed: frozenset[str]) -> Ranked:
    """Index ``lookups``, which are in rank order; ``needed`` are the fields that keys are made of."""
    providers: dict[str, list[Binding]] = {}
    vias: dict[str, list[Binding]] = {}
    gives: dict[tuple[str, ...], set[str]] = {}
    lookups = tuple(lookups)
    for binding in lookups:
        for name in binding.fields:
            providers.setdefault(name, []).append(binding)
        if binding.requires or binding.args:  # for its field alone
            continue
        for name in binding.fields:
            vias.setdefault(name, []).append(binding)
        gives.setdefault(binding.key, set()).update(needed.intersection(binding.fields))
    return Ranked(
        {name: tuple(found) for name, found in providers.items()},
        {name: first_of_each_key(found) for name, found in providers.items()},
        {name: Equals.of(found) for name, found in providers.items()},
        {name: first_of_each_key(found) for name, found in vias.items()},
        {binding.id: binding for binding in lookups},
        {key: frozenset(names) for key, names in gives.items()},
        next((binding for binding in lookups if binding.anchors), None),
    )


def first_of_each_key(bindings: Iterable[Binding]) -> tuple[Binding, ...]:
    """Of bindings in rank order the best of each key, in rank order."""
    found: dict[tuple[str, ...], Binding] = {}
    for binding in bindings:
        found.setdefault(binding.key, binding)
    return tuple(found.values())


_NOTHING = Ranked()


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
    writes: Mapping[str, Binding] = field(default_factory=dict)  # root coordinate of a mutation -> its one binding
    feeds: Mapping[str, Binding] = field(default_factory=dict)  # root coordinate of a subscription -> its one feed
    policies: Mapping[str, Resolve] = field(default_factory=dict)  # coordinate -> its policy, where that is not FIRST
    requires: Mapping[str, frozenset[str]] = field(default_factory=dict)  # coordinate -> all that its systems need for it, at any remove
    federation: Federation | None = None  # graphs that are parts of one, and how each is asked, by system
    gates: Mapping[str, Gate] = field(default_factory=dict)
    epoch: str = ""  # changes whenever anything above does
    _lookups: Mapping[str, Ranked] = field(init=False, repr=False, compare=False)
    _links: Mapping[str, tuple[Binding, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        needed: dict[str, set[str]] = {}
        for type_name, bindings in self.lookups.items():
            needed.setdefault(type_name, set()).update(name for binding in bindings for name in binding.key)
        for coordinate, bindings in self.links.items():
            needed.setdefault(coordinate.partition(".")[0], set()).update(name for binding in bindings for name in binding.key)
        ranked = {name: _ranked(bindings, frozenset(needed[name])) for name, bindings in self.lookups.items()}
        object.__setattr__(self, "_lookups", ranked)
        object.__setattr__(self, "_links", {place: first_of_each_key(bindings) for place, bindings in self.links.items()})

    def ranked(self, type_name: str) -> Ranked:
        """The lookups of a type by field and by key."""
        return self._lookups.get(type_name, _NOTHING)

    def linkers(self, coordinate: str) -> tuple[Binding, ...]:
        """Links that serve ``coordinate``, the best of each key, best first."""
        return self._links.get(coordinate, ())

    def providers(self, type_name: str, field_name: str) -> tuple[Binding, ...]:
        """Lookups that serve ``type_name.field_name``, best first."""
        return self.ranked(type_name).providers.get(field_name, ())

    def limits(self, system: str) -> Limits:
        """What a system bears; the usual where nothing is said of it."""
        found = self.systems.get(system)
        return found.limits if found is not None else Limits()

    def forbidden(self, denied: frozenset[str]) -> frozenset[str]:
        """``denied``, and what cannot be had without it: a value made of what one may not see would tell of it."""
        if not denied or not self.requires:
            return denied
        return denied | {name for name, needed in self.requires.items() if not denied.isdisjoint(needed)}

    def policy(self, coordinate: str) -> Resolve:
        """What happens when several systems serve ``coordinate``."""
        return self.policies.get(coordinate, Resolve.FIRST)

    def anchor(self, type_name: str) -> Binding | None:
        """The lookup that decides whether an entity exists, if there is one."""
        return self.ranked(type_name).anchor
