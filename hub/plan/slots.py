"""Where the values of a plan lie, and when an object or a value is there. Plain frozen data; the words of ``hub.plan.model``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLOutputType

from connectors.spi import Field
from schema.registry import Resolve

ROOT = 0
ELEMENT = "$"  # the column that is the list element itself


@dataclass(frozen=True, slots=True)
class Slot:
    """The column ``column`` that step ``step`` put into the layer at hand, read as ``type`` by ``field``'s format.

    ``field`` is None for values that are canonical already (arguments of a root field). ``made`` is room for what is made of type and
    field when the plan first runs (``hub.run.convert.Reading``), so that it lives as long as the plan.
    """

    step: int
    column: str
    type: GraphQLOutputType
    field: Field | None = None
    made: list[Any] = dataclasses.field(default_factory=list, init=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Presence:
    """When an object is there.

    ``keys``: all of these slots are non-null. ``any``: at least one of these is. ``found``: the fetch ``found`` had a row, or, with
    ``lenient``, failed for it. With none of them it is always there. Without ``lenient``, the failure of a step named here is the
    object's own error. ``screen`` is the step that says whether the caller may see it.
    """

    keys: tuple[Slot, ...] = ()
    any: tuple[Slot, ...] = ()
    found: int | None = None
    lenient: bool = False
    screen: int | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """How a row tells what one source has made of a field: no key for it, a failure, null, or a value.

    ``step`` is the source's fetch (None: the rows carry the field) and ``key`` what may be null of its key. ``leaf`` and ``items`` are the
    field's column, where it is a leaf or a list; an object is there as ``presence`` says, and ``variants`` by the value of ``typename``.
    """

    step: int | None
    key: tuple[Slot, ...] = ()
    leaf: Slot | None = None
    items: Slot | None = None
    presence: Presence = Presence()
    typename: Slot | None = None
    variants: Mapping[str, Presence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Guard:
    """Leaves the rows that one of ``probes`` has answered already, as ``resolve`` understands it, in peace."""

    resolve: Resolve
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class When:
    """Only rows of one concrete type: those whose ``typename`` has ``value``."""

    typename: Slot
    value: str
