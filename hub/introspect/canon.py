"""The canonical types as proposals need them: leaf fields with what values they take, and what is already there and served.

Read from a composition, so that what others contributed is not contributed twice. Must not know sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import GraphQLObjectType, is_enum_type, is_object_type

from schema.canonical import canonical, connections, core, grades, root_lookups
from schema.compose import Composition
from schema.coordinates import Grade
from schema.shapes import shape_of_type
from schema.types import KEYS


@dataclass(frozen=True, slots=True)
class CanonField:
    """``name`` is dotted for a part of an embedded object (``creditScore.score``) or the key of a reference (``holder.uscc``).

    ``outer`` is the type of that object. ``values`` are an enum's values, each with its words.
    """

    name: str
    scalar: str
    lists: int
    zh: str
    grade: Grade
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    outer: str = ""
    reference: bool = False


@dataclass(frozen=True, slots=True)
class CanonType:
    """An entity with a key of one field."""

    name: str
    zh: str
    key: str
    fields: tuple[CanonField, ...]

    def field(self, name: str) -> CanonField:
        """The field called ``name``. Raises KeyError."""
        for each in self.fields:
            if each.name == name:
                return each
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Canon:
    """``taken`` are names of types, and coordinates, that a new manifest cannot contribute; ``served`` coordinates that a system
    serves already; ``links`` entity → (owner, field) of each canonical list of it. ``reached`` are entities to which a query leads
    whatever the new manifest does: by a root field, or by a list that is served.
    """

    types: Mapping[str, CanonType]
    taken: frozenset[str] = frozenset()
    served: frozenset[str] = frozenset()
    links: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    reached: frozenset[str] = frozenset()


def canon(composition: Composition) -> Canon:
    """What a new manifest of this composition meets."""
    base = canonical()
    graded = {row.name: row.grade for row in grades(base)}
    schema = core(base)
    types = {}
    links: dict[str, list[tuple[str, str]]] = {}
    nodes = connections(base)
    for name, keys in KEYS.items():
        type_ = schema.type_map[name]
        assert is_object_type(type_)
        types[name] = CanonType(name, _zh(type_.description), keys[0][0], tuple(_fields(type_, graded)))
        for each, definition in type_.fields.items():
            node = nodes.get(shape_of_type(definition.type).name)
            if node is not None:
                links.setdefault(node, []).append((name, each))
    registry = composition.registry
    served = {
        f"{type_name}.{each}" for type_name, found in registry.lookups.items() for binding in found for each in binding.fields
    } | registry.links.keys()
    there = composition.whole
    fields = {f"{name}.{each}" for name, type_ in there.type_map.items() for each in getattr(type_, "fields", {})}
    rooted = {each.type for each in root_lookups(base).values()}
    listed = {name for name, found in links.items() if any(f"{owner}.{each}" in served for owner, each in found)}
    return Canon(
        types,
        frozenset({*there.type_map, *fields}),
        frozenset(served),
        {name: tuple(found) for name, found in links.items()},
        frozenset(rooted | listed),
    )


def _fields(type_: GraphQLObjectType, graded: Mapping[str, Grade]) -> Iterator[CanonField]:
    for name, definition in type_.fields.items():
        shape = shape_of_type(definition.type)
        named = core(canonical()).type_map[shape.name]
        grade = graded.get(f"{type_.name}.{name}", Grade.L1)
        if not is_object_type(named):
            values = tuple((value, tuple(_lines(each.description))) for value, each in named.values.items()) if is_enum_type(named) else ()
            yield CanonField(name, shape.name, shape.lists, _zh(definition.description), grade, values)
        elif shape.name in KEYS:
            key = KEYS[shape.name][0][0]
            scalar = shape_of_type(named.fields[key].type).name
            yield CanonField(f"{name}.{key}", scalar, 0, _zh(definition.description), grade, outer=shape.name, reference=True)
        elif not shape.name.endswith("Connection") and not shape.lists:
            for inner in _fields(named, graded):
                if not inner.outer:
                    yield CanonField(f"{name}.{inner.name}", inner.scalar, inner.lists, inner.zh, inner.grade, inner.values, shape.name)


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def _zh(text: str | None) -> str:
    return next(iter(_lines(text)), "")
