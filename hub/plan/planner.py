"""The planner: from a normalised operation to steps and outputs. Pure; the same inputs give the same plan.

A position is an object in a layer together with the fields its rows carry. A field is answered from what is
carried, else by a link, else by the provider that ``hub.plan.providers`` chooses; lists open new layers. A denied coordinate
becomes a failure before anything is fetched for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    get_named_type,
)

from connectors.spi import Field
from hub.plan.merge import groups, unite
from hub.plan.model import (
    ELEMENT,
    ROOT,
    Arguments,
    Concrete,
    Connection,
    Constant,
    Expand,
    Failure,
    Fetch,
    Leaf,
    List,
    Object,
    Output,
    PageField,
    Place,
    Presence,
    QueryPlan,
    Root,
    Rows,
    Scan,
    Slot,
    Step,
)
from hub.plan.operation import Operation, Selected, Unplannable
from hub.plan.providers import Reach, link, provider, reach
from hub.plan.schedule import schedule
from schema.registry import Binding, Registry, Served

MAX_STEPS = 500


@dataclass(frozen=True, slots=True)
class _Level:
    """Where columns lie: step ``step`` fills them; the fetch or scan ``source`` asks for them as ``prefix`` + column."""

    step: int
    source: int
    fields: Mapping[str, Field]
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class _Carried:
    """A field that the rows at hand carry. Without a level it is an argument of the root field, canonical already."""

    served: Served
    step: int
    level: _Level | None = None


@dataclass(slots=True)
class _Position:
    """An object of ``type`` in ``layer``; ``fetched`` remembers this position's fetches by binding."""

    layer: int
    type: str
    carried: Mapping[str, _Carried]
    reach: Reach
    fetched: dict[str, int] = field(default_factory=dict)


def plan_query(schema: GraphQLSchema, registry: Registry, operation: Operation, denied: frozenset[str]) -> QueryPlan:
    """Plan all root fields of ``operation`` for a caller who may not see ``denied``. Raises Unplannable past ``MAX_STEPS`` steps."""
    planner = _Planner(schema, registry, denied)
    roots = tuple(planner.root(selected) for selected in operation.selections)
    steps = unite(planner.steps, planner.columns)
    together = groups(steps)
    units = schedule(steps, together, lambda system: registry.systems[system].limits.timeout)
    return QueryPlan(operation.name, steps, together, roots, operation.coordinates, denied, units)


def _place(selected: Selected) -> Place:
    return Place(selected.key, selected.coordinate, selected.definition, selected.nodes)


class _Planner:
    def __init__(self, schema: GraphQLSchema, registry: Registry, denied: frozenset[str]) -> None:
        self.schema = schema
        self.registry = registry
        self.denied = denied
        self.steps: list[Step] = []
        self.columns: dict[int, dict[str, None]] = {}

    def next_id(self) -> int:
        if len(self.steps) >= MAX_STEPS:
            raise Unplannable("steps", MAX_STEPS)
        return len(self.steps) + 1  # 0 is the root layer

    # -- root fields ---------------------------------------------------------------------------------------------

    def root(self, selected: Selected) -> Root:
        place = _place(selected)
        if selected.name == "__typename":
            return Root(ROOT, Constant(place, selected.parent))
        if selected.coordinate in self.denied:
            return Root(ROOT, Failure(place, "FORBIDDEN"))
        lookup = self.registry.roots.get(selected.coordinate)
        if lookup is None:
            return Root(ROOT, self.scanned(selected))
        if any(f"{lookup.type}.{name}" in self.denied for name in lookup.arguments.values()):
            return Root(ROOT, Failure(place, "FORBIDDEN"))  # an answer would tell which values there are
        step = self.next_id()
        self.steps.append(Arguments(step, selected, lookup.arguments))
        carried = {name: _Carried(Served(name, column=name), step) for name in lookup.arguments.values()}
        position = self.position(step, lookup.type, carried)
        anchor = self.registry.anchor(position.type)
        presence = Presence()
        if anchor is not None and position.reach.all(anchor.key):
            presence = Presence(found=self.fetch(position, anchor), lenient=True)
        return Root(step, Object(place, presence, self.fields(position, selected.children[position.type])))

    def scanned(self, selected: Selected) -> Output:
        place = _place(selected)
        named = get_named_type(selected.type).name
        node = self.registry.connections.get(named, named)
        bindings = self.registry.scans.get(selected.coordinate) or self.registry.scans.get(node, ())
        if not bindings:
            return Failure(place, "NOT_BOUND")
        binding, step = bindings[0], self.next_id()
        level = self.level(step, step, binding)
        names = self.filterable(selected)
        forbidden = frozenset(name for name, field in names.items() if f"{node}.{field}" in self.denied)
        filters = self.filters(level, binding, names, node)
        scan = Scan(step, binding, selected, node, filters=filters, denied_filters=forbidden)
        self.steps.append(scan)
        carried = _carried(binding.fields, level)
        if named not in self.registry.connections:
            return List(place, self.rows(step, selected.children, node, carried))
        order = self.order(level, binding.fields, node)
        connection = self.connection(selected, step, order, carried, node)
        parts = {part.name for part in connection.fields if not part.failure}
        self.steps[step - 1] = replace(scan, order=order, rows=bool(parts & {"edges", "nodes", "pageInfo"}), total="totalCount" in parts)
        return connection

    def filterable(self, selected: Selected) -> dict[str, str]:
        """What the field's filter argument can name: its field -> the canonical field."""
        names: dict[str, str] = {}
        for argument in selected.definition.args.values():
            names |= self.registry.filters.get(get_named_type(argument.type).name, {})
        return names

    def filters(self, level: _Level, binding: Binding, names: Mapping[str, str], node: str) -> dict[str, Slot]:
        """Slots of those that the binding's rows carry."""
        served = {name: binding.fields[field] for name, field in sorted(names.items()) if field in binding.fields}
        return {name: self.slot(level, lies, f"{node}.{lies.name}") for name, lies in served.items() if lies.column is not None}

    # -- fields --------------------------------------------------------------------------------------------------

    def position(self, layer: int, type_name: str, carried: Mapping[str, _Carried]) -> _Position:
        return _Position(layer, type_name, carried, reach(self.registry, type_name, frozenset(carried)))

    def fields(self, position: _Position, selections: tuple[Selected, ...]) -> tuple[Output, ...]:
        return tuple(self.output(position, selected) for selected in selections)

    def output(self, position: _Position, selected: Selected) -> Output:
        place = _place(selected)
        if selected.name == "__typename":
            return Constant(place, position.type)
        if selected.coordinate in self.denied:
            return Failure(place, "FORBIDDEN")
        carried = position.carried.get(selected.name)
        if carried is not None:
            return self.answered(position, selected, carried)
        binding = link(self.registry, selected.coordinate, position.reach)
        if binding is not None:
            return self.linked(position, selected, binding)
        binding = provider(self.registry, position.type, selected.name, position.reach)
        if binding is None:
            return Failure(place, "NOT_BOUND")
        return self.answered(position, selected, self.fetched(position, binding, selected.name))

    def answered(self, position: _Position, selected: Selected, carried: _Carried) -> Output:
        """A field whose value lies in rows that are fetched anyway, or among the root field's arguments."""
        served, level = carried.served, carried.level
        if level is None:
            return Leaf(_place(selected), Slot(carried.step, served.name, self.type_of(selected.coordinate)))
        if served.many and served.type is not None:
            return self.unnested(position, selected, served, level)
        if served.type is None:
            self.want(level, served)
            return Leaf(_place(selected), self.slot(level, served, selected.coordinate))
        return self.embedded(position, selected, served, level)

    def embedded(self, position: _Position, selected: Selected, served: Served, level: _Level) -> Output:
        """One object in the same row: an entity's key to go on from, or parts; null when its parts are."""
        place = _place(selected)
        if served.variants:
            typename, variants = self.variants(position.layer, selected.children, served, level)
            return Object(place, Presence(keys=(typename,)), typename=typename, variants=variants)
        type_name = str(served.type)
        presence = self.presence(served, level)
        inner = self.position(position.layer, type_name, _carried(served.parts, level))
        return Object(place, presence, self.fields(inner, selected.children[type_name]))

    def presence(self, served: Served, level: _Level) -> Presence:
        """An entity is there when its key is; any other object when one of its leaves is."""
        keys = self.registry.keys.get(str(served.type), ())
        names = next((key for key in keys if all(name in served.parts for name in key)), ())
        if names:
            return Presence(keys=tuple(self.wanted(level, served.parts[name], f"{served.type}.{name}") for name in names))
        return Presence(any=tuple(self.leaves(served, level)))

    def leaves(self, served: Served, level: _Level) -> list[Slot]:
        found: list[Slot] = []
        for part in served.parts.values():
            if part.column is not None:
                found.append(self.wanted(level, part, f"{served.type}.{part.name}"))
            else:
                found.extend(self.leaves(part, level))
        return found

    def variants(
        self, layer: int, children: Mapping[str, tuple[Selected, ...]], served: Served, level: _Level
    ) -> tuple[Slot, dict[str, Concrete]]:
        """An object of an abstract type: its concrete type is read from a column, row by row."""
        column = Served("__typename", column=served.typename)
        typename = self.wanted(level, column, "")
        found = {}
        for variant in served.variants:
            position = self.position(layer, variant.type, _carried(variant.parts, level))
            own = Served(variant.type, type=variant.type, parts=variant.parts)
            presence = Presence(keys=self.presence(own, level).keys)  # a plain object is there when its type is said
            found[variant.value] = Concrete(presence, self.fields(position, children.get(variant.type, ())))
        return typename, found

    # -- lists ---------------------------------------------------------------------------------------------------

    def linked(self, position: _Position, selected: Selected, binding: Binding) -> Output:
        """A list or an object that is fetched by the parent's key."""
        place = _place(selected)
        source = self.fetch(position, binding, selected if binding.args else None)
        if not binding.many:
            level = self.level(position.layer, source, binding, step=source)
            inner = self.position(position.layer, binding.type, _carried(binding.fields, level))
            return Object(place, Presence(found=source), self.fields(inner, selected.children[binding.type]))
        step = self.next_id()
        level = self.level(step, source, binding)
        carried = _carried(binding.fields, level)
        named = get_named_type(selected.type).name
        node = self.registry.connections.get(named, named)
        if named not in self.registry.connections:
            self.steps.append(Expand(step, position.layer, source))
            return List(place, self.rows(step, selected.children, node, carried))
        order = self.order(level, binding.fields, node)
        self.steps.append(Expand(step, position.layer, source, selected=selected, order=order))
        return self.connection(selected, step, order, carried, node)

    def unnested(self, position: _Position, selected: Selected, served: Served, level: _Level) -> Output:
        """A list that lies in a column of the parent's rows."""
        place = _place(selected)
        column = level.fields[str(served.column)]
        slot = self.slot(level, served, selected.coordinate)
        step = self.next_id()
        inner = _Level(step, level.source, {item.name: item for item in column.items}, f"{level.prefix}{column.name}.")
        named = get_named_type(selected.type).name
        node = self.registry.connections.get(named, named)
        expand = Expand(step, position.layer, level.step, slot=slot)
        self.steps.append(expand)
        here = Slot(step, ELEMENT, GraphQLString, Field(ELEMENT, "$"))
        output: Output
        if named in self.registry.connections:
            order = self.order(inner, served.parts, node)
            self.steps[step - 1] = replace(expand, selected=selected, order=order)
            output = self.connection(selected, step, order, _carried(served.parts, inner), node)
        elif served.variants:
            typename, variants = self.variants(step, selected.children, served, inner)
            output = List(place, Rows(step, Presence(keys=(here, typename)), typename=typename, variants=variants))
        else:
            presence = Presence(keys=(here, *self.presence(served, inner).keys))
            output = List(place, self.rows(step, selected.children, node, _carried(served.parts, inner), presence))
        if not any(name.startswith(inner.prefix) for name in self.columns[level.source]):
            self.want(level, served)  # nothing inside was asked for: the list itself says how long it is
        return output

    def rows(
        self,
        layer: int,
        children: Mapping[str, tuple[Selected, ...]],
        node: str,
        carried: Mapping[str, _Carried],
        presence: Presence | None = None,
    ) -> Rows:
        return Rows(layer, presence or Presence(), self.fields(self.position(layer, node, carried), children.get(node, ())))

    def order(self, level: _Level, fields: Mapping[str, Served], node: str) -> tuple[Slot, ...]:
        """Slots of the node's first key: what a connection is sorted by and its cursors are made of."""
        keys = self.registry.keys.get(node, ((),))[0]
        if not all(name in fields and fields[name].column is not None for name in keys):
            return ()
        return tuple(self.wanted(level, fields[name], f"{node}.{name}") for name in keys)

    def connection(self, selected: Selected, layer: int, order: tuple[Slot, ...], carried: Mapping[str, _Carried], node: str) -> Connection:
        position = self.position(layer, node, carried)
        parts = []
        for part in selected.children[get_named_type(selected.type).name]:
            place = _place(part)
            if part.coordinate in self.denied:
                parts.append(PageField(place, part.name, failure="FORBIDDEN"))
            elif part.name == "nodes":
                parts.append(PageField(place, "nodes", Rows(layer, Presence(), self.fields(position, part.children[node]))))
            elif part.name in ("edges", "pageInfo"):
                inner = next(iter(part.children.values()))
                parts.append(PageField(place, part.name, children=tuple(self.page_part(layer, position, one) for one in inner)))
            else:
                parts.append(PageField(place, part.name))
        return Connection(_place(selected), layer, order, tuple(parts))

    def page_part(self, layer: int, position: _Position, selected: Selected) -> tuple[Place, str, Rows | None]:
        rows = None
        if selected.name == "node":
            rows = Rows(layer, Presence(), self.fields(position, selected.children[position.type]))
        return _place(selected), selected.name, rows

    # -- fetches and columns -------------------------------------------------------------------------------------

    def fetch(self, position: _Position, binding: Binding, selected: Selected | None = None) -> int:
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

    def key_slot(self, position: _Position, name: str) -> Slot:
        carried = position.carried.get(name)
        if carried is None:
            carried = self.fetched(position, position.reach.via[name], name)
        if carried.level is None:
            return Slot(carried.step, name, self.type_of(f"{position.type}.{name}"))
        return self.wanted(carried.level, carried.served, f"{position.type}.{name}")

    def fetched(self, position: _Position, binding: Binding, name: str) -> _Carried:
        step = self.fetch(position, binding)
        level = self.level(position.layer, step, binding, step=step)
        return _Carried(binding.fields[name], step, level)

    def level(self, layer: int, source: int, binding: Binding, step: int | None = None) -> _Level:
        self.columns.setdefault(source, {})
        return _Level(layer if step is None else step, source, {column.name: column for column in binding.relation.fields})

    def want(self, level: _Level, served: Served) -> None:
        self.columns[level.source].setdefault(f"{level.prefix}{served.column}")

    def wanted(self, level: _Level, served: Served, coordinate: str) -> Slot:
        self.want(level, served)
        return self.slot(level, served, coordinate)

    def slot(self, level: _Level, served: Served, coordinate: str) -> Slot:
        column = str(served.column)
        return Slot(level.step, column, self.type_of(coordinate), level.fields[column])

    def type_of(self, coordinate: str) -> GraphQLOutputType:
        type_name, _, name = coordinate.partition(".")
        parent = self.schema.get_type(type_name)
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) and name in parent.fields:
            found: GraphQLOutputType = parent.fields[name].type
            return found
        return GraphQLString  # a typename column, or a key that is not public: compared as text


def _carried(parts: Mapping[str, Served], level: _Level) -> dict[str, _Carried]:
    return {name: _Carried(served, level.step, level) for name, served in parts.items()}
