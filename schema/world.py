"""What composition knows while it reads one manifest: the whole schema, which of it is canonical, all keys, and where to report.

Plain data for the other modules of composition. Must not know what any word means.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLSchema, is_interface_type, is_object_type
from graphql.language import Node

from schema.coordinates import Grade
from schema.entries import FieldEntry, Manifest, TypeEntry, Word, Words
from schema.faults import Fault, fault
from schema.shapes import Shape, shape_of, shape_of_type, type_called
from schema.words import ROOTS, TABLES

Keys = Mapping[str, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True)
class World:
    """``schema`` holds canonical and contributed types; ``canonical`` names the types and coordinates of the former.

    ``connections`` maps connection types to their nodes; ``graded`` is the canonical grade of each coordinate.
    ``slips`` are names that were most likely meant to be canonical ones.
    """

    schema: GraphQLSchema
    canonical: Collection[str]
    connections: Mapping[str, str]
    keys: Keys
    graded: Mapping[str, Grade]
    slips: Collection[str] = ()
    hidden: Collection[str] = ()  # coordinates that @inaccessible keeps out of the public schema

    def type(self, name: str) -> GraphQLNamedType | None:
        return type_called(self.schema, name)

    def field_shape(self, type_name: str, field_name: str) -> Shape | None:
        """The shape of a field of the schema; a connection is the list of its nodes."""
        owner = self.type(type_name)
        if not (is_object_type(owner) or is_interface_type(owner)) or field_name not in owner.fields:
            return None
        return self.plain(shape_of_type(owner.fields[field_name].type))

    def plain(self, shape: Shape) -> Shape:
        """A connection as the list of its nodes, which manifests write."""
        node = self.connections.get(shape.name)
        return shape if node is None else Shape(node, (shape.required[0], True))

    def members(self, name: str) -> list[GraphQLObjectType]:
        """The concrete types of an interface or union, by name."""
        found = self.type(name)
        assert found is not None
        return sorted(self.schema.get_possible_types(found), key=lambda each: each.name)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Bound:
    """All that one manifest says of one type: ``type X`` and ``extend type X`` together."""

    name: str
    words: Words
    keys: tuple[Word, ...]
    fields: Mapping[str, FieldEntry]
    node: Node

    def word(self, name: str) -> Word | None:
        return self.words.get(name)

    @property
    def key_names(self) -> tuple[tuple[str, ...], ...]:
        return tuple(key.args["fields"] for key in self.keys)


@dataclass(slots=True)
class Sheet:
    """One manifest at work: its types merged by name, and the faults found so far."""

    manifest: Manifest
    world: World
    types: dict[str, Bound] = field(default_factory=dict)
    enums: dict[str, TypeEntry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    used: set[str] = field(default_factory=set)  # types that some row carries

    @property
    def kind(self) -> str:
        return self.manifest.kind

    def report(self, code: str, node: Node | None, message: str, fix: str = "", *, offset: int = 0) -> None:
        self.faults.append(fault(code, self.manifest.file, node, message, fix, offset=offset))

    def shape(self, entry: FieldEntry) -> Shape:
        return self.world.plain(shape_of(entry.type))

    def key_fields(self, type_name: str) -> frozenset[str]:
        """All fields that are part of some key of a type."""
        return frozenset(name for key in self.world.keys.get(type_name, ()) for name in key)

    def leaf_shape(self, type_name: str, field_name: str) -> Shape | None:
        """A field's shape, from the schema or, where it is internal, from this file."""
        found = self.world.field_shape(type_name, field_name)
        if found is None and type_name in self.types and field_name in self.types[type_name].fields:
            return self.shape(self.types[type_name].fields[field_name])
        return found


def table_of(words: Words) -> Word | None:
    """What says that a type's rows are a whole table or file, if anything does."""
    return next((words[name] for name in TABLES if name in words), None)


def open_sheet(manifest: Manifest, world: World) -> Sheet:
    """Merge what a manifest says of each type. The root types stay apart: ``type Query`` is private, ``extend type`` public."""
    sheet = Sheet(manifest, world)
    for entry in manifest.types:
        if entry.form == "enum":
            sheet.enums[entry.name] = entry
        elif entry.form == "object" and entry.name not in ROOTS:
            sheet.types[entry.name] = _merged(sheet.types.get(entry.name), entry)
    return sheet


def _merged(before: Bound | None, entry: TypeEntry) -> Bound:
    if before is None:
        return Bound(entry.name, entry.words, entry.keys, entry.fields, entry.node)
    # A name in both blocks was reported where the blocks were compared with the schema.
    return Bound(entry.name, {**before.words, **entry.words}, (*before.keys, *entry.keys), {**entry.fields, **before.fields}, before.node)


def actions(manifest: Manifest, root: str) -> Sequence[FieldEntry]:
    """The fields of ``Mutation`` or ``Subscription``, contributed and bound ones."""
    return [each for entry in manifest.types if entry.name == root for each in entry.fields.values()]


def roots(manifest: Manifest, *, public: bool) -> Sequence[FieldEntry]:
    """The fields of ``extend type Query`` (public) or of ``type Query`` (private)."""
    return [each for entry in manifest.types if entry.name == "Query" and entry.extends is public for each in entry.fields.values()]
