"""Subgraphs among manifests: composed with each other, and made a part of the hub's schema and registry.

Their types are added as they are; a type that the hub has too gets the fields that it lacks, and rows of both are joined by its key. Every
field that is added has the grade that its manifest says. Must not know how manifests are bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import DocumentNode, GraphQLObjectType, GraphQLSchema, extend_schema, is_non_null_type, is_object_type, validate_schema
from graphql.language import ObjectTypeExtensionNode

from schema.coordinates import Coordinate, Coordinates, Grade
from schema.entries import Manifest
from schema.faults import Fault, fault
from schema.federation import sdl
from schema.federation.compile import gate, required
from schema.federation.merge import merge
from schema.federation.model import Federation
from schema.federation.satisfied import unsatisfied
from schema.federation.subgraph import Subgraph, read
from schema.federation.supergraph import Supergraph, read_document
from schema.policy import both
from schema.register import digest
from schema.registry import Registry


@dataclass(frozen=True, slots=True)
class Attached:
    """The schema and registry with all subgraphs, and what does not fit."""

    schema: GraphQLSchema
    registry: Registry
    faults: tuple[Fault, ...] = ()


def attach(schema: GraphQLSchema, known: GraphQLSchema, registry: Registry, manifests: Sequence[Manifest]) -> Attached:
    """Add the subgraphs among ``manifests`` to what the others have come to: the public ``schema`` and the registry, which are not
    touched. ``known`` has all that the hub knows, served or not; what a subgraph serves of it has to be the same."""
    federated = [one for one in manifests if one.subgraph is not None and one.name in registry.systems]
    if not federated:
        return Attached(schema, registry)
    subgraphs, faults = _read(federated)
    document, more = merge(subgraphs)
    found = read_document(document, federated[0].file)
    faults += [*more, *found.faults]
    if found.federation is None or found.schema is None or any(one.is_error for one in faults):
        return Attached(schema, registry, tuple(sorted(set(faults))))
    added, clashes = _added(schema, known, found, document)
    faults += [*clashes, *unsatisfied(found, document, _hosts(schema, known, found))]
    whole = extend_schema(schema, added, assume_valid_sdl=True) if not any(one.is_error for one in faults) else schema
    faults += [fault("INVALID_SCHEMA", federated[0].file, sdl.node_of(error), error.message) for error in validate_schema(whole)]
    grades = {one.name: Grade[str((one.federation or {})["grade"])] for one in federated}
    rows = {row.name: _stricter(registry.coordinates.get(row.name), row) for row in _rows(whole, schema, found, grades)}
    return Attached(whole, _registered(registry, found.federation, rows, federated), tuple(sorted(set(faults))))


def _read(manifests: Iterable[Manifest]) -> tuple[list[Subgraph], list[Fault]]:
    subgraphs: list[Subgraph] = []
    faults: list[Fault] = []
    for one in manifests:
        text, file = one.subgraph or ("", "")
        url = str(one.source.args.get("url", "")) if one.source is not None else ""
        subgraph, some = read(one.name, url, text, file)
        faults += some
        subgraphs += [subgraph] if subgraph is not None else []
    return subgraphs, faults


def _added(schema: GraphQLSchema, known: GraphQLSchema, found: Supergraph, document: DocumentNode) -> tuple[DocumentNode, list[Fault]]:
    """What the subgraphs have that the schema has not."""
    assert found.schema is not None
    definitions: list[Any] = []
    faults: list[Fault] = []
    for name, node in sdl.called(sdl.plain(document)).items():
        if name not in found.schema.type_map or "__" in name:
            continue
        shown = found.schema.type_map[name]
        fields = [each for each in getattr(node, "fields", None) or () if each.name.value in getattr(shown, "fields", {})]
        there, all_there = schema.type_map.get(name), known.type_map.get(name)
        if is_object_type(all_there) and is_object_type(shown):
            faults += [clash for each in fields if (clash := _clash(name, each, all_there, shown)) is not None]
        elif all_there is not None and (type(all_there) is not type(shown) or not str(node.kind).startswith("scalar")):
            faults.append(_at("CONTRIBUTED_TWICE", node, f"The hub has '{name}' already.", "give it another name"))
        if there is None:
            parts = {part: getattr(node, part) for part in node.keys if part != "fields"}
            definitions.append(type(node)(**parts, **({"fields": tuple(fields)} if hasattr(node, "fields") else {})))
        elif is_object_type(there) and is_object_type(shown):
            new = tuple(each for each in fields if each.name.value not in there.fields)
            if new:
                definitions.append(ObjectTypeExtensionNode(name=node.name, directives=(), interfaces=(), fields=new))
    return DocumentNode(definitions=tuple(definitions)), faults


def _hosts(schema: GraphQLSchema, known: GraphQLSchema, found: Supergraph) -> dict[str, frozenset[str]]:
    """The fields that the hub's systems have of types that subgraphs have too."""
    shared = (name for name in schema.type_map if found.schema is not None and is_object_type(found.schema.type_map.get(name)))
    both_ = {name: known.type_map.get(name) for name in shared if name not in ("Query", "Mutation") and not name.startswith("__")}
    return {name: frozenset(type_.fields) for name, type_ in both_.items() if is_object_type(type_)}


def _clash(name: str, node: Any, there: GraphQLObjectType, shown: GraphQLObjectType) -> Fault | None:
    """Why a field that both have cannot be one: root fields never, others if they are of another type."""
    known, root = there.fields.get(node.name.value), name in ("Query", "Mutation")
    if known is None or (not root and _alike(str(known.type), str(shown.fields[node.name.value].type))):
        return None
    message = f"The hub has '{name}.{node.name.value}' already" + ("." if root else f", as {known.type}.")
    return _at("FIELD_EXISTS", node, message, "give it another name, or mark it @inaccessible")


def _alike(one: str, other: str) -> bool:
    """Whether two types are the same but for what may be null."""
    return one.replace("!", "") == other.replace("!", "")


def _at(code: str, node: Any, message: str, fix: str) -> Fault:
    return fault(code, node.loc.source.name if node.loc is not None else "", node, message, fix)


def _rows(whole: GraphQLSchema, before: GraphQLSchema, found: Supergraph, grades: Mapping[str, Grade]) -> list[Coordinate]:
    """A row for each field that was added: as sensitive as the most sensitive graph that tells it."""
    assert found.federation is not None
    asked = {row.name: row.scopes for row in found.coordinates}
    rows = []
    for name, type_ in whole.type_map.items():
        known = getattr(before.type_map.get(name), "fields", {})
        for each, definition in type_.fields.items() if is_object_type(type_) and not name.startswith("__") else ():
            if each in known:
                continue
            tellers = _tellers(found.federation, name, each)
            grade = max((grades[graph] for graph in tellers), default=max(grades.values()))
            scopes = asked.get(f"{name}.{each}", ())
            owner = tellers[0] if tellers else ""
            rows.append(Coordinate(name, each, grade, not is_non_null_type(definition.type), definition.description or "", scopes, owner))
    return rows


def _stricter(known: Coordinate | None, row: Coordinate) -> Coordinate:
    """A row that is no more open than the one that there is already."""
    if known is None:
        return row
    return replace(known, grade=max(known.grade, row.grade), scopes=both(known.scopes, row.scopes))


def _tellers(federation: Federation, type_name: str, name: str) -> list[str]:
    names = (type_name, *federation.interfaces.get(type_name, ()))
    return [graph for graph, one in federation.graphs.items() if any(each in one.kinds and name in one.kinds[each].parts for each in names)]


def _registered(registry: Registry, federation: Federation, rows: Mapping[str, Coordinate], manifests: Sequence[Manifest]) -> Registry:
    coordinates = Coordinates({**registry.coordinates, **rows}.values())
    gates = {name: gate(federation, name) for name in federation.graphs}
    requires = {**registry.requires, **required(federation, coordinates)}
    federation = replace(federation, epoch=digest([sorted((one.name, one.subgraph) for one in manifests)])[:16])
    epoch = digest([registry.epoch, federation.epoch, [str(row) for row in rows.values()]])[:16]
    return replace(registry, coordinates=coordinates, federation=federation, gates=gates, requires=requires, epoch=epoch)
