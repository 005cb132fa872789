"""What manifests add to the public schema: new types and ``extend type``, checked, merged and applied in one ``extend_schema``.

Bindings are left out. Everything contributed has a grade and words in two languages; one name comes from one system unless all
say @shareable and mean the same. Knows nothing of how rows are fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

from graphql import (
    GraphQLDeferDirective,
    GraphQLSchema,
    GraphQLStreamDirective,
    extend_schema,
    is_object_type,
    print_ast,
    specified_scalar_types,
    validate_schema,
)
from graphql.language import (
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    NameNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    OperationType,
    OperationTypeDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    UnionTypeDefinitionNode,
)

from schema.coordinates import Coordinate, Grade
from schema.entries import FieldEntry, Manifest, TypeEntry
from schema.faults import Fault, correction, fault, nearest, suggest
from schema.policy import Scopes, both, is_bilingual, scopes_of
from schema.registry import Resolve
from schema.shapes import named_node, shape_of
from schema.words import ACTIONS, ROOTS

ROOT_WORDS = {
    "Mutation": ("办理入口", "Where changes begin"),
    "Subscription": ("订阅入口", "Where news is asked for"),
}
HIDDEN_DIRECTIVES = frozenset({"defer", "stream"})  # extend_schema adds them; while composing they would be in the way
Entries = list[tuple[Manifest, TypeEntry]]
Fields = list[tuple[Manifest, TypeEntry, FieldEntry]]


@dataclass(slots=True)
class Contribution:
    """The extended schema, the coordinate rows of what was added, and the coordinates that @inaccessible hides.

    ``slips`` are new types that were most likely meant to be canonical ones.
    """

    schema: GraphQLSchema
    coordinates: list[Coordinate] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    slips: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    policies: dict[str, Resolve] = field(default_factory=dict)
    digest: str = ""  # changes with what is added


def contribute(core: GraphQLSchema, manifests: Sequence[Manifest], before: Contribution | None = None) -> Contribution:
    """Extend ``core`` by what the manifests add. ``manifests`` are in order of system name. Where that reads as it did ``before``, the
    schema is the one of before: grades and scopes, for one, are not in it."""
    made = _Maker(core)
    for manifest in manifests:
        for entry in manifest.types:
            if entry.extends:
                made.extensions.setdefault(entry.name, []).append((manifest, entry))
            elif entry.name not in core.type_map and entry.name not in ROOTS:
                made.types.setdefault(entry.name, []).append((manifest, entry))
    definitions = [made.type_node(name, entries) for name, entries in sorted(made.types.items())]
    for name, entries in sorted(made.extensions.items()):
        fields = made.extension_fields(name, entries)
        if fields and name in ROOT_WORDS and name not in core.type_map:
            definitions += root_type(name, fields)
        elif fields:
            definitions.append(ObjectTypeExtensionNode(name=NameNode(value=name), directives=(), interfaces=(), fields=tuple(fields)))
    document = DocumentNode(definitions=tuple(definitions))
    digest = sha256(print_ast(document).encode()).hexdigest()
    schema = core
    if before is not None and before.digest == digest and not before.faults:
        schema = before.schema
    elif document.definitions:
        schema = _without_hidden(extend_schema(core, document, assume_valid_sdl=True))
        if not any(found.is_error for found in made.faults):
            made.faults.extend(_invalid(schema))
    return Contribution(schema, made.coordinates, made.hidden, made.slips, made.faults, made.policies, digest)


def root_type(name: str, fields: Sequence[FieldDefinitionNode]) -> list[Any]:
    """A root type that the canonical schema does not have, and the schema's word that it is one."""
    reference = NamedTypeNode(name=NameNode(value=name))
    description = StringValueNode(value="\n".join(ROOT_WORDS[name]), block=True)
    kind = OperationType.MUTATION if name == "Mutation" else OperationType.SUBSCRIPTION
    return [
        ObjectTypeDefinitionNode(name=reference.name, description=description, directives=(), interfaces=(), fields=tuple(fields)),
        SchemaExtensionNode(directives=(), operation_types=(OperationTypeDefinitionNode(operation=kind, type=reference),)),
    ]


@lru_cache(maxsize=8)
def with_incremental(schema: GraphQLSchema) -> GraphQLSchema:
    """The schema with @defer and @stream, which the engine takes as wishes: what they mark may come later and always may come at once.

    The same schema gives the same one, since what was made with it is kept by it.
    """
    kwargs = _without_hidden(schema).to_kwargs()
    kwargs["directives"] = (*kwargs["directives"], GraphQLDeferDirective, GraphQLStreamDirective)
    return GraphQLSchema(**kwargs)


def _without_hidden(schema: GraphQLSchema) -> GraphQLSchema:
    if not any(each.name in HIDDEN_DIRECTIVES for each in schema.directives):
        return schema
    kwargs = schema.to_kwargs()
    kwargs["directives"] = tuple(each for each in schema.directives if each.name not in HIDDEN_DIRECTIVES)
    return GraphQLSchema(**kwargs)


def _invalid(schema: GraphQLSchema) -> Iterable[Fault]:
    for error in validate_schema(schema):
        node = next((each for each in error.nodes or () if each.loc), None)
        file = node.loc.source.name if node is not None and node.loc is not None else ""
        yield fault("INVALID_SCHEMA", file, node, error.message, "correct the type so that the whole schema is valid")


@dataclass(slots=True)
class _Maker:
    core: GraphQLSchema
    types: dict[str, Entries] = field(default_factory=dict)
    extensions: dict[str, Entries] = field(default_factory=dict)
    coordinates: list[Coordinate] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    slips: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    policies: dict[str, Resolve] = field(default_factory=dict)

    def report(self, code: str, manifest: Manifest, node: Node, message: str, fix: str = "") -> None:
        self.faults.append(fault(code, manifest.file, node, message, fix))

    def known(self, name: str) -> bool:
        return name in self.core.type_map or name in self.types or name in specified_scalar_types

    def known_names(self) -> set[str]:
        return {*self.core.type_map, *self.types, *specified_scalar_types} - {name for name in self.core.type_map if name.startswith("__")}

    # ---- new types

    def type_node(self, name: str, entries: Entries) -> Any:
        """The definition of a new type, merged over the systems that share it."""
        first, entry = entries[0]
        self._one_owner(name, entries)
        slip = self._is_slip(name, entries)
        if not slip:
            self._described(first, entry.description, entry.name_node, f"type '{name}'")
        description = entry.node.description if hasattr(entry.node, "description") else None
        common: dict[str, Any] = {
            "name": NameNode(value=name, loc=entry.name_node.loc),
            "description": description,
            "directives": (),
            "loc": entry.node.loc,
        }
        if entry.form == "enum":
            return EnumTypeDefinitionNode(values=tuple(self._values(name, entries)), **common)
        if entry.form == "union":
            return UnionTypeDefinitionNode(types=tuple(self._references(first, entry, "types")), **common)
        fields = self._fields(name, [(m, e, f) for m, e in entries for f in e.fields.values()], slip)
        if any("inaccessible" in each.words for _, each in entries):
            self.hidden.update(f"{name}.{each.name.value}" for each in fields)
        interfaces = tuple(self._references(first, entry, "interfaces"))
        if entry.form == "interface":
            return InterfaceTypeDefinitionNode(fields=tuple(fields), interfaces=interfaces, **common)
        return ObjectTypeDefinitionNode(fields=tuple(fields), interfaces=interfaces, **common)

    def _is_slip(self, name: str, entries: Entries) -> bool:
        """A type without a single grade was most likely meant to bind a canonical type: one fault instead of many."""
        manifest, entry = entries[0]
        if entry.form != "object" or any("grade" in each.words or each.broken for each in entry.fields.values()):
            return False
        near = nearest(name, (each for each in self.core.type_map if not each.startswith("__")))
        if near is None:
            return False
        fix = f"write {near} to bind the canonical type, or give each field @grade to contribute a type of your own"
        self.report("UNKNOWN_TYPE", manifest, entry.name_node, f"There is no canonical type '{name}'. Did you mean '{near}'?", fix)
        self.slips.add(name)
        return True

    def _one_owner(self, name: str, entries: Entries) -> None:
        first, _ = entries[0]
        for manifest, entry in entries[1:]:
            same = entry.form == entries[0][1].form
            if same and all("shareable" in each.words or _shares_all(each) for _, each in entries):
                continue
            message = f"Type '{name}' is also contributed by {first.name} ({_place(entries[0][1].node, first)})."
            fix = "rename one of the two, or, if they mean the same, write @shareable on both"
            self.report("CONTRIBUTED_TWICE", manifest, entry.name_node, message, fix)

    def _values(self, name: str, entries: Entries) -> Iterable[EnumValueDefinitionNode]:
        done: set[str] = set()
        for manifest, entry in entries:
            for value in entry.values.values():
                if value.name in done:
                    continue
                done.add(value.name)
                self._described(manifest, value.description, value.node, f"value '{name}.{value.name}'")
                described = next(each.description for each in getattr(entry.node, "values", ()) if each.name.value == value.name)
                yield EnumValueDefinitionNode(name=value.node, description=described, directives=(), loc=value.node.loc)

    def _references(self, manifest: Manifest, entry: TypeEntry, attribute: str) -> Iterable[NamedTypeNode]:
        for node in getattr(entry.node, attribute, None) or ():
            if self.known(node.name.value):
                yield node
            else:
                self._unknown(manifest, node)

    # ---- fields

    def extension_fields(self, name: str, entries: Entries) -> list[FieldDefinitionNode]:
        """The fields that ``extend type`` adds to a canonical or contributed type."""
        canonical = self.core.type_map.get(name)
        if canonical is None and name not in self.types and name not in ROOT_WORDS:
            for manifest, entry in entries:
                near = suggest(name, self.known_names())
                self.report(
                    "UNKNOWN_TYPE",
                    manifest,
                    entry.name_node,
                    f"There is no type '{name}' to extend.{near}",
                    "correct the name, or write `type` for a new type",
                )
            return []
        if canonical is not None and not is_object_type(canonical):
            for manifest, entry in entries:
                self.report(
                    "TYPE_MISMATCH",
                    manifest,
                    entry.name_node,
                    f"'{name}' is not an object type; it cannot be extended by fields.",
                    "extend an object type",
                )
            return []
        taken = set(getattr(canonical, "fields", {}))
        owned = {f.name: m for m, e in self.types.get(name, ()) for f in e.fields.values()}
        fields: Fields = []
        for manifest, entry in entries:
            for each in entry.fields.values():
                if each.name in taken:
                    fix = "bind it: move it into `type " + name + " { … }`" if name not in ("Query", "Mutation") else "choose another name"
                    self.report("FIELD_EXISTS", manifest, each.node, f"'{name}.{each.name}' is a canonical field already.", fix)
                elif each.name in owned:
                    self.report(
                        "CONTRIBUTED_TWICE",
                        manifest,
                        each.node,
                        f"'{name}.{each.name}' is contributed by {owned[each.name].name} already.",
                        "remove it here",
                    )
                else:
                    fields.append((manifest, entry, each))
        return self._fields(name, fields, False)

    def _fields(self, owner: str, fields: Fields, slip: bool) -> list[FieldDefinitionNode]:
        by_name: dict[str, Fields] = {}
        for manifest, entry, each in fields:
            if "internal" not in each.words:
                by_name.setdefault(each.name, []).append((manifest, entry, each))
        made = [self._field(owner, name, same, slip) for name, same in by_name.items()]
        return [node for node in made if node is not None]

    def _field(self, owner: str, name: str, same: Fields, slip: bool) -> FieldDefinitionNode | None:
        manifest, _, first = same[0]
        coordinate = f"{owner}.{name}"
        shared = all("shareable" in where.words or "shareable" in each.words for _, where, each in same) and owner not in ACTIONS
        resolve = _resolve(same[0])
        if resolve is not Resolve.FIRST:
            self.policies[coordinate] = resolve
        for other, where, each in same[1:]:
            if shared and _resolve((other, where, each)) is not resolve:
                message = f"{manifest.name} says @shareable(resolve: {resolve}) of '{coordinate}' ({_place(first.node, manifest)})."
                self.report("CONTRIBUTED_TWICE", other, each.node, message, "write the same resolve in both")
            if not shared or print_ast(each.type) != print_ast(first.type):
                message = f"'{coordinate}' is also contributed by {manifest.name} ({_place(first.node, manifest)})."
                fix = "rename one of the two, or, if they mean the same, write @shareable and the same type on both"
                self.report("CONTRIBUTED_TWICE", other, each.node, message, fix)
        if not self._types_known(manifest, first):
            return None
        if not slip:
            for other, _, each in same:
                self._graded(other, each, coordinate)
            self._described(manifest, first.description, first.node, f"'{coordinate}'")
        if any("inaccessible" in each.words for _, _, each in same):
            self.hidden.add(coordinate)
        grade = max((Grade[each.words["grade"].args["level"]] for _, _, each in same if "grade" in each.words), default=Grade.L4)
        scopes: Scopes = ()
        for _, where, each in same:
            scopes = both(scopes, both(scopes_of(where.words), scopes_of(each.words)))
        self.coordinates.append(
            Coordinate(owner, name, grade, not shape_of(first.type).required[0], first.description, scopes, manifest.name)
        )
        return _public(first)

    def _types_known(self, manifest: Manifest, entry: FieldEntry) -> bool:
        nodes = [named_node(entry.type), *(named_node(argument.type) for argument in entry.arguments.values())]
        unknown = [node for node in nodes if isinstance(node, NamedTypeNode) and not self.known(node.name.value)]
        for node in unknown:
            self._unknown(manifest, node)
        return not unknown

    def _unknown(self, manifest: Manifest, node: NamedTypeNode) -> None:
        name, known = node.name.value, self.known_names()
        fix = correction(name, known, f"contribute it: type {name} {{ … }}")
        self.report("UNKNOWN_TYPE", manifest, node, f"There is no type '{name}'.{suggest(name, known)}", fix)

    def _graded(self, manifest: Manifest, entry: FieldEntry, coordinate: str) -> None:
        if coordinate.startswith("Mutation.") and "requiresScopes" not in entry.words and not entry.broken:
            fix = 'add @requiresScopes(scopes: [["…"]]) with the scope that callers need'
            self.report("NO_SCOPE", manifest, entry.node, f"'{coordinate}' changes data and may be called by everybody.", fix)
        if "grade" not in entry.words and not entry.broken:
            fix = "add @grade(level: L1), or the level that its data needs"
            self.report("NO_GRADE", manifest, entry.node, f"'{coordinate}' is contributed without a grade.", fix)

    def _described(self, manifest: Manifest, text: str, node: Node, what: str) -> None:
        if not is_bilingual(text):
            message = f"The contributed {what} is not described in Chinese and English."
            self.report("NO_DESCRIPTION", manifest, node, message, 'write "中文说明\\nEnglish description" before it')


def _resolve(said: tuple[Manifest, TypeEntry, FieldEntry]) -> Resolve:
    """What one manifest says of a field that it shares."""
    _, where, each = said
    word = each.words.get("shareable") or where.words.get("shareable")
    return Resolve(word.args["resolve"]) if word is not None else Resolve.FIRST


def _public(entry: FieldEntry) -> FieldDefinitionNode:
    """The field as everybody sees it: without the words of manifests."""
    arguments = tuple(
        InputValueDefinitionNode(
            name=each.node.name,
            description=each.node.description,
            type=each.type,
            default_value=each.node.default_value,
            directives=(),
            loc=each.node.loc,
        )
        for each in entry.arguments.values()
        if "require" not in each.words
    )
    return FieldDefinitionNode(
        name=entry.node,
        description=entry.definition.description,
        arguments=arguments,
        type=entry.type,
        directives=tuple(each for each in entry.definition.directives or () if each.name.value == "deprecated"),
        loc=entry.node.loc,
    )


def _place(node: Node, manifest: Manifest) -> str:
    return f"{manifest.file}:{node.loc.start_token.line}" if node.loc else manifest.file


def _shares_all(entry: TypeEntry) -> bool:
    return bool(entry.fields) and all("shareable" in each.words for each in entry.fields.values())
