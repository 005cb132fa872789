"""What is known of each type, as a short text that changes when it does: the schema's part and what systems serve of it.

A plan depends on the types it touches and on nothing else, so it outlives a change of manifests that leaves those types as they were.
Root types, to which every manifest may add, are looked at field by field: ``Query.enterprise`` has an epoch of its own. An epoch is
reckoned when it is first asked for. Knows no plans.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLNamedType,
    GraphQLSchema,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
)

from schema.registry import Binding, Registry


class Epochs:
    """The epochs of the types of one schema and registry."""

    def __init__(self, schema: GraphQLSchema, registry: Registry) -> None:
        self._schema = schema
        self._registry = registry
        self._known: dict[str, str] = {}

    def of(self, names: Iterable[str]) -> tuple[str, ...]:
        """One for each of ``names`` (types, and coordinates of root types), in their order."""
        return tuple(self._known.get(name) or self._reckoned(name) for name in names)

    def _reckoned(self, name: str) -> str:
        parts = self._field(name) if "." in name else self._type(name)
        data = orjson.dumps(list(parts), default=_plain, option=orjson.OPT_SORT_KEYS)
        self._known[name] = hashlib.sha256(data).hexdigest()[:16]
        return self._known[name]

    def _field(self, coordinate: str) -> Iterator[Any]:
        """One field and what serves it."""
        registry = self._registry
        type_name, _, name = coordinate.partition(".")
        field = getattr(self._schema.get_type(type_name), "fields", {}).get(name)
        if field is not None:
            yield [str(field.type), {each: [str(argument.type), _default(argument)] for each, argument in field.args.items()}]
        served = (*registry.links.get(coordinate, ()), *registry.scans.get(coordinate, ()))
        acts = [binding for binding in (registry.writes.get(coordinate), registry.feeds.get(coordinate)) if binding is not None]
        yield [served, self._limits((*served, *acts)), registry.roots.get(coordinate), acts]
        yield [registry.policies.get(coordinate), sorted(registry.requires.get(coordinate, ()))]
        if registry.federation is not None:
            yield registry.federation.epoch_of(type_name)
        row = registry.coordinates.get(coordinate)
        yield row and [int(row.grade), row.nullable, sorted(sorted(scopes) for scopes in row.scopes)]

    def _type(self, name: str) -> Iterator[Any]:
        registry = self._registry
        lookups, scans = registry.lookups.get(name, ()), registry.scans.get(name, ())
        yield [lookups, scans, self._limits((*lookups, *scans)), registry.connections.get(name), registry.filters.get(name, {})]
        yield [registry.orders.get(name, {}), registry.aggregates.get(name)]
        links = [registry.links.get(f"{name}.{each}", ()) for each in getattr(self._schema.get_type(name), "fields", ())]
        for each in sorted({name, *_named_in((*lookups, *scans, *(binding for some in links for binding in some)))}):
            kind = self._schema.get_type(each)
            if kind is not None:
                yield [each, registry.keys.get(each, ()), *self._public(kind)]

    def _limits(self, bindings: Iterable[Binding]) -> list[Any]:
        """What their systems bear: a plan's schedule goes by it."""
        return [self._registry.limits(binding.system) for binding in bindings]

    def _public(self, kind: GraphQLNamedType) -> Iterator[Any]:
        """What the schema and policy say, but for words that only people read."""
        yield type(kind).__name__
        if is_object_type(kind) or is_interface_type(kind):
            yield [interface.name for interface in kind.interfaces]
            yield {name: list(self._field(f"{kind.name}.{name}")) for name in kind.fields}
        if is_abstract_type(kind):
            yield sorted(concrete.name for concrete in self._schema.get_possible_types(kind))
        if is_input_object_type(kind):
            yield {name: [str(field.type), _default(field)] for name, field in kind.fields.items()}
        if is_enum_type(kind):
            yield sorted(kind.values)


def _default(given: GraphQLArgument | GraphQLInputField) -> str:
    return f"{given.default_value!r} {given.default!r}"


def _named_in(bindings: Iterable[Binding]) -> set[str]:
    """The types that rows of these bindings hold, embedded objects included."""
    found: set[str] = set()
    pending = [served for binding in bindings for served in binding.fields.values()]
    found.update(binding.type for binding in bindings)
    while pending:
        served = pending.pop()
        if served.type:
            found.add(served.type)
        found.update(variant.type for variant in served.variants)
        pending.extend(served.parts.values())
        pending.extend(part for variant in served.variants for part in variant.parts.values())
    return found


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return dict(value)  # type: ignore[call-overload]  # mappings of our own; all else is an error here too
