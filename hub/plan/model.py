"""What a plan is: steps that get rows, and output nodes (``hub.plan.outputs``) that say how rows become the answer. Plain frozen data.

A *layer* is a set of rows of one size: the root (one row), the rows of a list below another layer. A single object lies in the
layer of its parent. A ``Slot`` (``hub.plan.slots``) addresses one native column that a step puts into a layer. Steps and layers
share one numbering: a step with the number n that makes a layer makes layer n.

A plan holds names and types; never a value, a document's text, a token or a system's health. What a field's arguments are is read for
each request from its own document, by the field's number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLOutputType

from hub.plan.operation import Selected
from hub.plan.outputs import Output, Root
from hub.plan.slots import Guard, Slot, When
from schema.registry import Binding

FIGURE = 2_000_000


@dataclass(frozen=True, slots=True)
class Arguments:
    """Makes the one-row layer of a root field that looks an entity up; its columns are the field's arguments."""

    id: int
    selected: Selected
    columns: Mapping[str, str]  # argument -> key field


@dataclass(frozen=True, slots=True)
class EntityKey:
    """One key of an entity ``type``: rows that bring it have ``value`` for their type name. ``denied``: the caller may not see the key."""

    value: str
    type: str
    key: tuple[tuple[str, GraphQLOutputType], ...]
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Entities:
    """Makes the layer of the entities that a root field lists by their keys; its columns are those of all keys, and ``typename``."""

    id: int
    selected: Selected
    kinds: tuple[EntityKey, ...]
    typename: str = "__typename"


@dataclass(frozen=True, slots=True)
class Required:
    """A parameter whose value is another field of the entity: ``output`` is that field, planned in the same layer."""

    param: str
    output: Output
    nullable: bool


@dataclass(frozen=True, slots=True)
class Representation:
    """What an entity is asked for by in a federation: the name that the graph has for its type, and fields of it. Of ``keys`` the first
    counts of which nothing is null; what is ``required``, as ``texts`` say it, may be. If that fails nothing is asked, unless the fetch
    is for ``others`` too."""

    kind: str
    keys: tuple[tuple[Output, ...], ...]
    required: tuple[Output, ...] = ()
    others: bool = False
    texts: frozenset[str] = frozenset()

    @property
    def outputs(self) -> tuple[Output, ...]:
        return (*(output for key in self.keys for output in key), *self.required)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Rows of one binding for the keys in ``layer``: ``key`` holds the slot of each part. ``columns`` are the relation's, key included.

    A lookup, or a link to one object, puts its columns into ``layer``; a link to many is expanded into layers of its own. ``selected`` is
    given when arguments of the field are parameters of the relation, or when the source cuts the list for each key as ``cut`` allows.
    With ``unless`` only those rows are asked for that one of these guards lets through. With ``requires`` rows are asked for together as
    far as they have the same values for these.

    A fetch from a graph of a federation (its relation is open) has no ``key`` but a ``representation``, or none at all for a root. Its
    columns may hold fields with arguments: ``given``. ``behind`` are the coordinates that columns hold, ``strict`` those that
    may not be null: where one is, the object around it is lost. Fetches that share a call and cannot ask for the same are of different
    ``lot``s: lists of entities that stand apart in it.
    """

    id: int
    layer: int
    binding: Binding
    key: tuple[Slot, ...]
    columns: tuple[str, ...] = ()
    selected: Selected | None = None
    unless: tuple[Guard, ...] = ()
    requires: tuple[Required, ...] = ()
    when: tuple[When, ...] = ()
    cut: Listing | None = None
    representation: Representation | None = None
    given: tuple[Selected, ...] = ()
    behind: Mapping[str, str] = field(default_factory=dict)
    strict: frozenset[str] = frozenset()
    lot: int = 0


@dataclass(frozen=True, slots=True)
class Align:
    """Puts into ``layer``, a list's, the elements at the same places of another list of the same length: ``slot``, in the layer ``above``
    the first of ``lists``, the layers that lead down to ``layer``. For an object that several graphs have parts of."""

    id: int
    layer: int
    above: int
    slot: Slot
    lists: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A canonical field that rows are compared by. ``carried``: the rows themselves have it; otherwise a fetch of the listing brings it."""

    path: str
    slot: Slot
    carried: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """How the rows of a list may be narrowed and ordered before it is cut. A path is a canonical field of ``node``, dotted within objects.

    ``key`` is what every order ends with: the node's key, if the rows carry it. ``filters`` and ``sorts`` say which path a field of the
    filter argument, or a value of the order's enum, means; those in ``denied`` the caller may not see. ``terms`` are the paths that
    can be had, ``rules`` the (path, operator) pairs that every row must pass for this caller. ``fetches`` bring, in this order, what
    rows do not carry; they read the rows' ``columns``. ``binding`` is where the rows come from.
    """

    node: str
    binding: Binding
    key: tuple[Term, ...] = ()
    terms: Mapping[str, Term] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    sorts: Mapping[str, str] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    rules: tuple[tuple[str, str], ...] = ()
    possible: frozenset[str] = frozenset()  # paths that would do, where the question uses one that does not
    fetches: tuple[Fetch, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """The system that ``fetch`` of a listing asks by key can list keys too: ``binding`` scans it, has the key in ``key`` and takes
    conditions on ``columns`` (path -> its column). ``to`` is that key in the list's own rows, of which their source takes many."""

    fetch: int
    binding: Binding
    key: Slot
    to: Term
    columns: Mapping[str, Slot]


@dataclass(frozen=True, slots=True)
class Scan:
    """Makes a layer of all entities of a type that a root list or connection asks for, filtered, ordered and cut."""

    id: int
    binding: Binding
    selected: Selected
    node: str
    listing: Listing
    pages: bool = True  # False: a plain list, which is neither ordered nor cut
    columns: tuple[str, ...] = ()
    rows: bool = True  # False: only the total is asked for
    total: bool = False
    kinds: tuple[Kind, ...] = ()  # of a list of an abstract type: the rules of its concrete types
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """Elements of an abstract list whose ``typename`` is ``value``: they have rules of their own. ``there`` as in Expand."""

    typename: Slot
    value: str
    there: tuple[Slot, ...]
    listing: Listing


@dataclass(frozen=True, slots=True)
class Expand:
    """Makes a layer of list rows below ``layer``: of the rows a link ``source`` fetched, or of the elements in ``slot``.

    ``selected`` is given for a connection, which is narrowed, ordered and cut by the field's arguments; ``listing`` for a connection, and
    for a list some of whose rows the caller may not see, ``kinds`` for one of an abstract type. ``there`` are the slots without which an
    element is no object.
    """

    id: int
    layer: int
    source: int
    slot: Slot | None = None
    selected: Selected | None = None
    listing: Listing | None = None
    rows: bool = True  # False: only the total is asked for
    there: tuple[Slot, ...] = ()
    kinds: tuple[Kind, ...] = ()
    when: tuple[When, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """Makes the one-row layer of what a mutation answers, by the one call of its binding; its columns are the relation's."""

    id: int
    binding: Binding
    selected: Selected
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Stands for the one-row layer of an event, which is given when the plan is run; its columns are the relation's."""

    id: int
    binding: Binding
    selected: Selected
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Screen:
    """Says for each row of ``layer`` whether the caller may see the object of ``type`` there. ``terms`` are what its rules read; None
    where nobody serves that, so that nothing may be seen."""

    id: int
    layer: int
    type: str
    terms: tuple[Term, ...] | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Makes a layer of groups of the rows of ``scan``, which is no step of its own. ``groups`` maps a value of ``groupBy`` to a path;
    ``measures`` are (function, path). Their columns are canonical: ``count`` and ``group.path`` of this step, ``sum.path`` and so on of a
    number of their own, ``FIGURE`` and up, since each may fail by itself. ``shown`` are the paths whose group values may be asked for;
    one that is not grouped by is null."""

    id: int
    scan: Scan
    groups: Mapping[str, str]
    shown: frozenset[str]
    measures: tuple[tuple[str, str], ...]

    @property
    def binding(self) -> Binding:
        return self.scan.binding


Step = Arguments | Fetch | Align | Scan | Expand | Write | Event | Screen | Figures | Entities


def listings_of(step: Step) -> tuple[Listing, ...]:
    """How the rows of a list step may be narrowed; more than one where they are of several types."""
    if isinstance(step, Figures):
        return (step.scan.listing,)
    if not isinstance(step, Scan | Expand):
        return ()
    return (*((step.listing,) if step.listing is not None else ()), *(kind.listing for kind in step.kinds))


def own_fetches(step: Step) -> tuple[Fetch, ...]:
    """The fetches that a list makes for itself, to narrow or order its rows."""
    return tuple(fetch for listing in listings_of(step) for fetch in listing.fetches)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a step's binding was chosen for: ``fields`` of ``type``, at a position whose rows carry ``carried``. For explain alone."""

    step: int
    type: str
    fields: tuple[str, ...]
    carried: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unit:
    """Steps that run as one: a single step, or the fetches of a group. It starts when ``waits`` other units are done, and is
    itself waited for by ``feeds`` (places in the schedule).

    ``seconds`` is what its systems may take (0: it asks none), ``below`` the same along the longest chain of units that need it.
    ``made`` is room for what is made of it when the plan first runs (the question of its fetches), as in ``Slot``.
    """

    steps: tuple[Step, ...]
    waits: int
    feeds: tuple[int, ...]
    seconds: float = 0.0
    below: float = 0.0
    made: list[Any] = dataclasses.field(default_factory=list, init=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """Steps, each after those it needs, and the outputs of the root fields in response order.

    ``groups`` are the fetches (by id) that share their calls: the same binding, ready at the same depth. ``candidates`` is how much
    planning has looked at (bindings and keys). ``schedule`` says when each of them may start; see ``hub.plan.schedule``. ``made`` is room
    for what is made of the plan when it runs (``hub.run.generated``, ``hub.run.folds``), so that it lives as long as the plan.
    """

    operation: str
    steps: tuple[Step, ...]
    groups: tuple[tuple[int, ...], ...]
    roots: tuple[Root, ...]
    coordinates: tuple[str, ...]
    denied: frozenset[str]
    candidates: int = 0
    choices: tuple[Chosen, ...] = ()
    schedule: tuple[Unit, ...] = ()
    made: dict[str, Any] = dataclasses.field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def systems(self) -> tuple[str, ...]:
        """Names of the systems that may be called, sorted; those that lists need to choose their rows included."""
        found = {step.binding.system for step in self.steps if isinstance(step, Fetch | Scan | Write | Figures)}
        found.update(fetch.binding.system for step in self.steps for fetch in own_fetches(step))
        return tuple(sorted(found))
