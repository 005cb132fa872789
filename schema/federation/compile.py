"""A federation as what the planner reads: its systems, how each is asked, and who may see what.

The same registry that manifests compile to. Must not know where a federation comes from.
"""

from __future__ import annotations

from collections.abc import Iterable

from graphql import GraphQLSchema, get_named_type, is_abstract_type
from graphql.language import FieldNode, InlineFragmentNode, SelectionSetNode

from connectors.spi import Field, Options, Relation
from schema.coordinates import Coordinate, Coordinates
from schema.federation import sdl
from schema.federation.model import Federation
from schema.registry import Binding, Gate, Limits, Registry, Role, System

KIND = "graphql"
BATCH = 2_000  # entities in one call
_KEY = Field("$key", "")
_LIMITS = Limits(retries=0, concurrency=64)  # a subgraph that does not answer is not asked again within a request


def registry(federation: Federation, coordinates: Iterable[Coordinate], epoch: str, file: str = "") -> Registry:
    """The registry of a federation alone."""
    options = {name: Options({"url": graph.url}) for name, graph in federation.graphs.items()}
    systems = {name: System(name, name, "", KIND, own, limits=_LIMITS, file=file) for name, own in options.items()}
    gates = {name: gate(federation, name) for name in federation.graphs}
    rows = Coordinates(coordinates)
    requires = required(federation, rows)
    return Registry(systems, rows, {}, {}, {}, {}, {}, {}, requires=requires, federation=federation, gates=gates, epoch=epoch)


def gate(federation: Federation, graph: str) -> Gate:
    """How one graph is asked."""
    schema = federation.schema
    roots = {}
    for operation, type_, effect in (("query", schema.query_type, "read"), ("mutation", schema.mutation_type, "write")):
        if type_ is not None and federation.kind(graph, type_.name) is not None:
            native = Options({"operation": operation})
            relation = Relation(operation, (_KEY,), native, (_KEY.name,), 1, effect="write" if effect == "write" else "read", open=True)
            roots[type_.name] = Binding(f"{graph}.{operation}", graph, Role.LOOKUP, type_.name, relation, {})
    entities = Relation("_entities", (_KEY,), Options(), (_KEY.name,), BATCH, open=True)
    return Gate(Binding(f"{graph}._entities", graph, Role.LOOKUP, "_Entity", entities, {}), roots)


def required(federation: Federation, restricted: Coordinates) -> dict[str, frozenset[str]]:
    """Of each field what must be seen by who sees it, since some graph makes it of that; at any remove. Of what everybody sees nothing."""
    direct: dict[str, set[str]] = {}
    for graph in federation.graphs.values():
        for kind in graph.kinds.values():
            for part in kind.parts.values():
                if part.requires:
                    needed = _touched(federation.schema, kind.name, sdl.selection(part.requires))
                    for owner in _objects(federation.schema, kind.name):
                        direct.setdefault(f"{owner}.{part.name}", set()).update(needed)
    found = {}
    for name in direct:
        reached, waiting = set[str](), [name]
        while waiting:
            for each in direct.get(waiting.pop(), set()) - reached:
                reached.add(each)
                waiting.append(each)
        if not reached.isdisjoint(restricted):
            found[name] = frozenset(reached & restricted.keys())
    return found


def _objects(schema: GraphQLSchema, name: str) -> list[str]:
    type_ = schema.type_map[name]
    return [each.name for each in schema.get_possible_types(type_)] if is_abstract_type(type_) else [name]


def _touched(schema: GraphQLSchema, type_name: str, selection: SelectionSetNode) -> set[str]:
    """The coordinates of a selection on a type, of each type that it may be."""
    found: set[str] = set()
    for node in selection.selections:
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else type_name
            found |= _touched(schema, condition, node.selection_set)
        elif isinstance(node, FieldNode) and node.name.value != "__typename":
            found |= {f"{owner}.{node.name.value}" for owner in _objects(schema, type_name)}
            definition = getattr(schema.type_map[type_name], "fields", {}).get(node.name.value)
            if definition is not None and node.selection_set is not None:
                found |= _touched(schema, get_named_type(definition.type).name, node.selection_set)
    return found
