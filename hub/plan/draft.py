"""A plan in the making: steps, the columns they ask for, and the positions of objects whose fields are being planned.

A position is an object in a layer together with the fields its rows carry. Fetches are added here, each after the steps
that give its key. Knows the registry and the schema; knows nothing of how an answer looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLOutputType, GraphQLSchema, GraphQLString

from connectors.spi import Field
from hub.plan.model import Fetch, Place, Slot, Step
from hub.plan.operation import Selected, Unplannable
from hub.plan.providers import Reach, reach
from schema.registry import Binding, Registry, Served

MAX_STEPS = 500


@dataclass(frozen=True, slots=True)
class Level:
    """Where columns lie: step ``step`` fills them; the fetch or scan ``source`` asks for them, of ``binding``, as ``prefix`` + column."""

    step: int
    source: int
    fields: Mapping[str, Field]
    binding: Binding
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """A field that the rows at hand carry. Without a level it is an argument of the root field, canonical already."""

    served: Served
    step: int
    level: Level | None = None


@dataclass(slots=True)
class Position:
    """An object of ``type`` in ``layer``; ``fetched`` remembers this position's fetches by binding."""

    layer: int
    type: str
    carried: Mapping[str, Carried]
    reach: Reach
    fetched: dict[str, int] = field(default_factory=dict)


def place_of(selected: Selected) -> Place:
    """What the output node of a selected field has in common with all others."""
    return Place(selected.key, selected.coordinate, selected.definition, selected.nodes)


def carried_by(parts: Mapping[str, Served], level: Level) -> dict[str, Carried]:
    """The fields of rows that lie in ``level``."""
    return {name: Carried(served, level.step, level) for name, served in parts.items()}


Rules = Mapping[str, tuple[tuple[str, str], ...]]  # type -> the (path, operator) pairs that its rows must pass for the caller


class Draft:
    """Steps so far, and by step the columns that are wanted of it."""

    def __init__(self, schema: GraphQLSchema, registry: Registry, denied: frozenset[str], rules: Rules | None = None) -> None:
        self.schema = schema
        self.registry = registry
        self.denied = denied
        self.rules = rules or {}
        self.steps: list[Step] = []
        self.columns: dict[int, dict[str, None]] = {}

    def next_id(self) -> int:
        if len(self.steps) >= MAX_STEPS:
            raise Unplannable("steps", MAX_STEPS)
        return len(self.steps) + 1  # 0 is the root layer

    def position(self, layer: int, type_name: str, carried: Mapping[str, Carried]) -> Position:
        return Position(layer, type_name, carried, reach(self.registry, type_name, frozenset(carried)))

    def fetch(self, position: Position, binding: Binding, selected: Selected | None = None) -> int:
        """The step that asks ``binding`` for this position's keys; the keys' own steps come first."""
        known = position.fetched.get(binding.id) if selected is None else None
        if known is not None:
            return known
        key = tuple(self.key_slot(position, name) for name in binding.key)
        step = self.next_id()
        self.columns[step] = {}
        self.steps.append(Fetch(step, position.layer, binding, key, selected=selected))
        if selected is None:
            position.fetched[binding.id] = step
        return step

    def key_slot(self, position: Position, name: str) -> Slot:
        carried = position.carried.get(name)
        if carried is None:
            carried = self.fetched(position, position.reach.via[name], name)
        if carried.level is None:
            return Slot(carried.step, name, self.type_of(f"{position.type}.{name}"))
        return self.wanted(carried.level, carried.served, f"{position.type}.{name}")

    def fetched(self, position: Position, binding: Binding, name: str) -> Carried:
        step = self.fetch(position, binding)
        level = self.level(position.layer, step, binding, step=step)
        return Carried(binding.fields[name], step, level)

    def level(self, layer: int, source: int, binding: Binding, step: int | None = None) -> Level:
        self.columns.setdefault(source, {})
        return Level(layer if step is None else step, source, {column.name: column for column in binding.relation.fields}, binding)

    def want(self, level: Level, served: Served) -> None:
        self.columns[level.source].setdefault(f"{level.prefix}{served.column}")

    def wanted(self, level: Level, served: Served, coordinate: str) -> Slot:
        self.want(level, served)
        return self.slot(level, served, coordinate)

    def slot(self, level: Level, served: Served, coordinate: str) -> Slot:
        column = str(served.column)
        return Slot(level.step, column, self.type_of(coordinate), level.fields[column])

    def type_of(self, coordinate: str) -> GraphQLOutputType:
        type_name, _, name = coordinate.partition(".")
        parent = self.schema.get_type(type_name)
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) and name in parent.fields:
            found: GraphQLOutputType = parent.fields[name].type
            return found
        return GraphQLString  # a typename column, or a key that is not public: compared as text
