"""A plan in the making: steps, the columns they ask for, and the positions of objects whose fields are being planned.

A position is an object in a layer together with the fields its rows carry. Fetches are added here, each after the steps
that give its key. Knows the registry and the schema; knows nothing of how an answer looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLOutputType, GraphQLSchema, GraphQLString

from connectors.spi import Field
from hub.plan.model import Chosen, Fetch, Required, Step
from hub.plan.operation import Selected, Unplannable
from hub.plan.outputs import Place
from hub.plan.providers import Reach, Work, reach
from hub.plan.required import probed
from hub.plan.slots import Guard, Slot, When
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


@dataclass(frozen=True, slots=True)
class Unless:
    """For a fetch that only some rows need: ``guard`` says which, ``chain`` which sources were asked before. Fetches of one binding after
    one chain are one step."""

    chain: tuple[str, ...]
    guard: Guard


@dataclass(slots=True)
class Position:
    """An object of ``type`` in ``layer``; ``fetched`` remembers this position's fetches by binding and what was asked before them."""

    layer: int
    type: str
    carried: Mapping[str, Carried]
    reach: Reach
    fetched: dict[tuple[str, ...], int] = field(default_factory=dict)
    required: dict[str, tuple[Required, ...]] = field(default_factory=dict)  # by binding
    when: tuple[When, ...] = ()  # the rows that are such objects, where others lie in the same layer


def place_of(selected: Selected) -> Place:
    """What the output node of a selected field has in common with all others."""
    return Place(selected.key, selected.coordinate, selected.definition, selected.number)


def carried_by(parts: Mapping[str, Served], level: Level) -> dict[str, Carried]:
    """The fields of rows that lie in ``level``."""
    return {name: Carried(served, level.step, level) for name, served in parts.items()}


Rules = Mapping[str, tuple[tuple[str, str], ...]]  # type -> the (path, operator) pairs that its rows must pass for the caller


class Draft:
    """Steps so far, and by step the columns that are wanted of it."""

    def __init__(
        self,
        schema: GraphQLSchema,
        registry: Registry,
        denied: frozenset[str],
        asked: frozenset[str] = frozenset(),
        rules: Rules | None = None,
    ) -> None:
        """``asked`` are the lookups that the operation asks anyway; see ``hub.plan.riders``."""
        self.asked = asked
        self.schema = schema
        self.registry = registry
        self.denied = registry.forbidden(denied)
        self.rules = rules or {}
        self.steps: list[Step] = []
        self.columns: dict[int, dict[str, None]] = {}
        self.work = Work()
        self._chosen: dict[int, tuple[Position, dict[str, None]]] = {}
        self.guards: dict[int, list[Guard]] = {}
        self.given: dict[int, dict[int, Selected]] = {}  # by step, the fields with arguments in its columns
        self.behind: dict[int, dict[str, str]] = {}  # by step, the coordinates that its columns hold, of graphs
        self.strict: dict[int, set[str]] = {}  # by step, what of a graph's columns may not be null

    def next_id(self) -> int:
        if len(self.steps) >= MAX_STEPS:
            raise Unplannable("steps", MAX_STEPS)
        return len(self.steps) + 1  # 0 is the root layer

    def position(self, layer: int, type_name: str, carried: Mapping[str, Carried], when: tuple[When, ...] = ()) -> Position:
        return Position(layer, type_name, carried, reach(self.registry, type_name, frozenset(carried), self.work), when=when)

    def fetch(self, position: Position, binding: Binding, selected: Selected | None = None, unless: Unless | None = None) -> int:
        """The step that asks ``binding`` for this position's keys; the keys' own steps come first."""
        name = (binding.id, *((unless.guard.resolve, *unless.chain) if unless is not None else ()))
        known = position.fetched.get(name) if selected is None else None
        if known is None or (unless is not None and any(step > known for probe in unless.guard.probes for step in probed(probe))):
            # New, or to be watched by a step that came later: such a fetch is made again, and its keys are not sent again.
            key = tuple(self.key_slot(position, part, unless) for part in binding.key)
            known = self.next_id()
            self.columns[known] = {}
            requires = position.required.get(binding.id, ())
            self.steps.append(Fetch(known, position.layer, binding, key, selected=selected, requires=requires, when=position.when))
            if selected is None:
                position.fetched[name] = known
        if binding.field is not None:
            self._choose(position, known, binding.field.partition(".")[2])
        guards = self.guards.setdefault(known, [])
        if unless is not None and unless.guard not in guards:
            guards.append(unless.guard)
        return known

    def _choose(self, position: Position, step: int, name: str) -> None:
        self._chosen.setdefault(step, (position, {}))[1].setdefault(name)

    def chosen(self) -> tuple[Chosen, ...]:
        """What each binding was chosen for."""
        return tuple(Chosen(step, where.type, tuple(names), where.reach.carried) for step, (where, names) in self._chosen.items())

    def key_slot(self, position: Position, name: str, unless: Unless | None = None) -> Slot:
        carried = position.carried.get(name)
        if carried is None:
            via = position.reach.via(name)
            assert via is not None, f"{position.type}.{name} was chosen as a key that can be had"
            # A key that is had for all rows anyway is not asked for again.
            carried = self.fetched(position, via, name, None if (via.id,) in position.fetched else unless)
        if carried.level is None:
            return Slot(carried.step, name, self.type_of(f"{position.type}.{name}"))
        return self.wanted(carried.level, carried.served, f"{position.type}.{name}")

    def fetched(
        self, position: Position, binding: Binding, name: str, unless: Unless | None = None, selected: Selected | None = None
    ) -> Carried:
        step = self.fetch(position, binding, selected, unless)
        self._choose(position, step, name)
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
