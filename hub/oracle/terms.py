"""S9, S10: what the arguments of a list want of it, in canonical terms. Knows the registry and who may see what; no rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from graphql import GraphQLOutputType, GraphQLResolveInfo, get_named_type

from hub.oracle.asked import rows_asked
from hub.oracle.pages import Step, Window
from hub.oracle.things import Asked as Ask
from hub.oracle.values import Fault
from schema.registry import Registry, Served

Info = GraphQLResolveInfo[Any] | Ask
Condition = tuple[str, str, Any]  # path from the node, operator of a filter, canonical value


@dataclass(frozen=True, slots=True)
class Terms:
    """What a list field's arguments want. A plain list has no window."""

    filters: tuple[Condition, ...]
    window: Window | None


class Asked(Protocol):
    """What is needed of ``hub.oracle.answer``."""

    registry: Registry
    denied: frozenset[str]

    def node(self, kind: GraphQLOutputType) -> str: ...

    def type_of(self, type_name: str, field: str) -> GraphQLOutputType: ...

    def leaf_type(self, node: str, path: str) -> GraphQLOutputType: ...

    def canonical(self, value: Any, kind: Any) -> Any: ...

    def serves(self, node: str, fields: Mapping[str, Served], path: str) -> bool: ...


def terms_of(answer: Asked, info: Info, args: Mapping[str, Any], fields: Mapping[str, Served], node: str = "") -> Terms:
    """What the arguments of a list want. Raises Fault."""
    node = node or answer.node(info.return_type)
    filters: list[Condition] = []
    order: dict[str, bool] = {}
    for name, argument in info.parent_type.fields[info.field_name].args.items():
        kind = get_named_type(argument.type).name
        for field, operators in sorted((args.get(name) or {}).items()) if kind in answer.registry.filters else ():
            path = answer.registry.filters[kind][field]
            for operator, value in sorted((operators or {}).items()):
                if value is not None:
                    usable(answer, node, path, fields)
                    plain = operator in ("isNull", "prefix")
                    filters.append((path, operator, value if plain else answer.canonical(value, answer.leaf_type(node, path))))
    for name, argument in info.parent_type.fields[info.field_name].args.items():
        kind = get_named_type(argument.type).name
        for one in (args.get(name) or ()) if kind in answer.registry.orders else ():
            path = answer.registry.orders[kind][one["field"]]
            usable(answer, node, path, fields)
            order.setdefault(path, one.get("direction") == "DESC")
    if get_named_type(info.return_type).name not in answer.registry.connections:
        return Terms(tuple(filters), None)
    for path in answer.registry.keys[node][0]:
        order.setdefault(path, False)
    steps = [Step(path, answer.leaf_type(node, path), descending) for path, descending in order.items()]
    window = Window.of(args, steps)
    if not isinstance(info, Ask) and not rows_asked(info, answer.denied):  # S9: how many there are does not depend on their order
        window = replace(window, order=(), after=None)
    return Terms(tuple(filters), window)


def usable(answer: Asked, node: str, path: str, fields: Mapping[str, Served]) -> None:
    """S9, S10: a field to filter or order by must be visible, and somebody must serve it as a plain value."""
    owner = node
    for name in path.split("."):
        if f"{owner}.{name}" in answer.denied:
            raise Fault("FORBIDDEN")
        owner = get_named_type(answer.type_of(owner, name)).name
    if not answer.serves(node, fields, path):
        raise Fault("FILTER_NOT_PUSHABLE")
