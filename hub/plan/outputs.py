"""How the rows of a plan become the answer: a tree of nodes, one for each field. Plain frozen data; the words of ``hub.plan.model``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLField, GraphQLOutputType

from hub.plan.slots import Presence, Probe, Slot
from schema.registry import Resolve


@dataclass(frozen=True, slots=True)
class Place:
    """What all output nodes have: the response key, the field's type and the number by which a document's nodes of it are found."""

    key: str
    coordinate: str
    definition: GraphQLField
    number: int

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
    """A plain list of objects. Of a list of lists, ``outer`` are the layers of the lists that ``rows`` lie in, the outermost first."""

    place: Place
    rows: Rows
    outer: tuple[int, ...] = ()


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
class Choice:
    """A field that several sources can give, in order of preference: each row has it from one of ``options``, which ``probes`` tell."""

    place: Place
    resolve: Resolve
    probes: tuple[Probe, ...]
    options: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Root:
    """A root field and the layer its value lies in."""

    layer: int
    output: Output


Output = Leaf | Constant | Failure | Object | List | Connection | Choice
