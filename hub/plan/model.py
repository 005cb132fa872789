"""What a plan is: steps that get rows, and output nodes that say how rows become the answer. Plain frozen data.

A *layer* is a set of rows of one size: the root (one row), the rows of a list below another layer. A single object lies in the
layer of its parent. A ``Slot`` addresses one native column that a step puts into a layer. Steps and layers
share one numbering: a step with the number n that makes a layer makes layer n.

A plan holds names, types and field nodes; never a value, a token or a system's health.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import FieldNode, GraphQLField, GraphQLOutputType

from connectors.spi import Field
from hub.plan.operation import Selected
from schema.registry import Binding

ROOT = 0
FIGURE = 2_000_000
ELEMENT = "$"  # the column that is the list element itself


@dataclass(frozen=True, slots=True)
class Slot:
    """The column ``column`` that step ``step`` put into the layer at hand, read as ``type`` by ``field``'s format.

    ``field`` is None for values that are canonical already (arguments of a root field).
    """

    step: int
    column: str
    type: GraphQLOutputType
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Arguments:
    """Makes the one-row layer of a root field that looks an entity up; its columns are the field's arguments."""

    id: int
    selected: Selected
    columns: Mapping[str, str]  # argument -> key field


@dataclass(frozen=True, slots=True)
class Fetch:
    """Rows of one binding for the keys in ``layer``: ``key`` holds the slot of each part. ``columns`` are the relation's, key included.

    A lookup, or a link to one object, puts its columns into ``layer``; a link to many is expanded into layers of its own. ``selected`` is
    given when arguments of the field are parameters of the relation, or when the source cuts the list for each key as ``cut`` allows.
    """

    id: int
    layer: int
    binding: Binding
    key: tuple[Slot, ...]
    columns: tuple[str, ...] = ()
    selected: Selected | None = None
    cut: Listing | None = None


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
    there: tuple[Slot, ...] = ()
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
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


Step = Arguments | Fetch | Scan | Expand | Guard | Figures


@dataclass(frozen=True, slots=True)
class Place:
    """What all output nodes have: the response key, the field's type and the nodes it was asked by."""

    key: str
    coordinate: str
    definition: GraphQLField
    nodes: tuple[FieldNode, ...]

    @property
    def type(self) -> GraphQLOutputType:
        return self.definition.type


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar, an enum or a list of them."""

    place: Place
    slot: Slot


@dataclass(frozen=True, slots=True)
class Constant:
    """``__typename``, or a value known when planning."""

    place: Place
    value: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A field that is null with an error at every position: denied, or bound by nobody."""

    place: Place
    code: str


@dataclass(frozen=True, slots=True)
class Presence:
    """When an object is there.

    ``keys``: all of these slots are non-null. ``any``: at least one of these is. ``found``: the fetch ``found`` had a row, or, with
    ``lenient``, failed for it. With none of them it is always there. Without ``lenient``, the failure of a step named here is the
    object's own error. ``guard`` is the step that says whether the caller may see it.
    """

    keys: tuple[Slot, ...] = ()
    any: tuple[Slot, ...] = ()
    found: int | None = None
    lenient: bool = False
    guard: int | None = None


@dataclass(frozen=True, slots=True)
class Concrete:
    """One concrete type of an abstract position: when its objects are there, and their fields."""

    presence: Presence
    children: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Object:
    """One object in its parent's layer. ``variants`` maps the value of ``typename`` to the concrete type."""

    place: Place
    presence: Presence
    children: tuple[Output, ...] = ()
    typename: Slot | None = None
    variants: Mapping[str, Concrete] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rows:
    """What the elements of a layer are: objects with ``children``, or by ``typename``. ``presence`` as in Object."""

    layer: int
    presence: Presence
    children: tuple[Output, ...] = ()
    typename: Slot | None = None
    variants: Mapping[str, Concrete] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class List:
    """A plain list of objects."""

    place: Place
    rows: Rows


@dataclass(frozen=True, slots=True)
class PageField:
    """A part of a connection: ``edges``, ``nodes``, ``pageInfo``, ``totalCount`` or ``__typename``; denied when it has a ``failure``.

    For edges, ``children`` are (place of cursor, node or typename, the node's rows or None); for pageInfo its leaves.
    """

    place: Place
    name: str
    rows: Rows | None = None
    children: tuple[tuple[Place, str, Rows | None], ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """A Relay connection over a layer that Expand or Scan has cut. ``rows`` is None when the field cannot be answered."""

    place: Place
    layer: int
    fields: tuple[PageField, ...]


@dataclass(frozen=True, slots=True)
class Root:
    """A root field and the layer its value lies in."""

    layer: int
    output: Output


Output = Leaf | Constant | Failure | Object | List | Connection


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """Steps, each after those it needs, and the outputs of the root fields in response order.

    ``groups`` are the fetches (by id) that share their calls: the same binding, ready at the same depth.
    """

    operation: str
    steps: tuple[Step, ...]
    groups: tuple[tuple[int, ...], ...]
    roots: tuple[Root, ...]
    coordinates: tuple[str, ...]
    denied: frozenset[str]

    @property
    def systems(self) -> tuple[str, ...]:
        """Names of the systems that may be called, sorted; those that lists need to choose their rows included."""
        found = {step.binding.system for step in self.steps if isinstance(step, Fetch | Scan | Figures)}
        for step in self.steps:
            listings = [step.listing] if isinstance(step, Scan | Expand) else [step.scan.listing] if isinstance(step, Figures) else []
            listings += [kind.listing for kind in step.kinds] if isinstance(step, Expand) else []
            found.update(fetch.binding.system for listing in listings if listing is not None for fetch in listing.fetches)
        return tuple(sorted(found))
