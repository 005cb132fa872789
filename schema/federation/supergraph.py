"""A composed supergraph (join specification 0.1 to 0.5) as a federation: one document in, the model, the public schema and all faults out.

What is not supported is a fault with its place; it is never left out in silence. Must not know how a federation is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, GraphQLSyntaxError, Source, parse, parse_type, print_ast
from graphql.language import Node

from schema.coordinates import Coordinate
from schema.faults import Fault, fault, suggest
from schema.federation import sdl
from schema.federation.access import restricted
from schema.federation.model import Federation, Graph, Key, Kind, Part
from schema.garbage import collector_paused

_VERSIONS = frozenset({"v0.1", "v0.2", "v0.3", "v0.4", "v0.5"})
_FEATURE = re.compile(r"https?://[^/]+/(?:[\w-]+/)*?(\w+)/(v\d+\.\d+)/?")
# Features that need nothing of whoever executes, or that are understood here.
_KNOWN = frozenset({"link", "core", "join", "tag", "inaccessible", "authenticated", "requiresScopes", "policy", "cost", "federation"})
_MEANT = frozenset({"join", "inaccessible", "authenticated", "requiresScopes", "policy"})  # what would be missed under another name
_PERCENT = re.compile(r"percent\((\d+(?:\.\d+)?)\)")


@dataclass(frozen=True, slots=True)
class Supergraph:
    """``federation`` and ``schema``, the public one, are there unless a fault is an error."""

    federation: Federation | None
    schema: GraphQLSchema | None
    coordinates: tuple[Coordinate, ...] = ()
    faults: tuple[Fault, ...] = ()


@collector_paused()
def read(text: str, file: str) -> Supergraph:
    """Read a supergraph. Never raises for what the text says."""
    try:
        document = parse(Source(text, file))
    except GraphQLSyntaxError as error:
        line, column = next(((where.line, where.column) for where in error.locations or ()), (0, 0))
        return Supergraph(None, None, faults=(Fault(file, line, column, "SYNTAX", error.message, "write it as GraphQL does"),))
    return read_document(document, file)


def read_document(document: DocumentNode, file: str) -> Supergraph:
    """The same of a document whose nodes may come from several files."""
    return _Reader(document, file).whole()


@dataclass(slots=True)
class _Reader:
    document: DocumentNode
    file: str
    faults: list[Fault] = field(default_factory=list)
    graphs: dict[str, Graph] = field(default_factory=dict)  # by the name that directives use
    kinds: dict[str, dict[str, Kind]] = field(default_factory=dict)  # graph -> type -> what it has of it
    fits: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # what is wrong with a selection of a type
    first: bool = False  # join 0.1, where types have owners

    def report(self, code: str, node: Node | None, message: str, fix: str = "") -> None:
        file = node.loc.source.name if node is not None and node.loc is not None else self.file
        self.faults.append(fault(code, file, node, message, fix))

    def whole(self) -> Supergraph:
        self._features()
        types = sdl.called(self.document)
        self._graphs(types.get("join__Graph"))
        if not self.graphs:
            return Supergraph(None, None, faults=tuple(self.faults))
        own = {name: node for name, node in types.items() if "__" not in name or name.partition("__")[0] not in _KNOWN}
        for name, node in own.items():
            self._type(name, node)
        self._members(own)
        gone = frozenset(types) - frozenset(own) | self._unsupported_roots()
        schema = self._built(sdl.plain(self.document, gone=gone))
        hidden = {name for name, node in own.items() if sdl.has(node, "inaccessible")}
        public = schema
        if schema is not None and any(sdl.has(each, "inaccessible") for each in sdl.parts(own.values())):
            public = self._built(sdl.plain(self.document, ("inaccessible",), gone | hidden))
        if schema is not None:
            self._selections(own, schema)
            self._told(own)
        if schema is None or public is None or any(found.is_error for found in self.faults):
            return Supergraph(None, None, faults=tuple(sorted(set(self.faults))))
        graphs = {graph.name: replace(graph, kinds=self.kinds[graph.name]) for graph in self.graphs.values()}
        interfaces = {name: tuple(each.name.value for each in getattr(node, "interfaces", None) or ()) for name, node in own.items()}
        return Supergraph(
            Federation(graphs, schema, interfaces), public, restricted(own, public, self.report), tuple(sorted(set(self.faults)))
        )

    # -- the document's head -------------------------------------------------------------------------------------

    def _features(self) -> None:
        joined = False
        heads = [node for node in self.document.definitions if str(node.kind) in ("schema_definition", "schema_extension")]
        for head in heads:
            for word, argument in (("link", "url"), ("core", "feature")):
                for node, said in sdl.directives(head, word):
                    found = _FEATURE.fullmatch(str(said.get(argument, "")))
                    if found is None:
                        continue
                    name, version = found.groups()
                    if name == "join":
                        joined, self.first = True, version == "v0.1"
                        if version not in _VERSIONS:
                            message = f"join {version} is not known; {', '.join(sorted(_VERSIONS))} are."
                            self.report("NOT_SUPPORTED", node, message, "compose it with an older version of join")
                    elif name not in _KNOWN and said.get("for") is not None:
                        message = f"The feature '{name}' is needed to execute this graph and is not supported."
                        self.report("NOT_SUPPORTED", node, message, "compose the graph without it")
                    if name in _MEANT and (said.get("as") not in (None, name) or any(map(_renamed, said.get("import") or ()))):
                        self.report("NOT_SUPPORTED", node, f"The feature '{name}' has another name here.", "leave out `as`")
        if not joined:
            message = "This is no supergraph: it does not link the join specification."
            self.report("NO_SYSTEM", heads[0] if heads else None, message, "compose the subgraphs, and serve what comes out")

    def _graphs(self, enum: Any) -> None:
        if enum is None:
            self.report("NO_SYSTEM", None, "The graph names no subgraphs: there is no enum 'join__Graph'.", "compose it again")
            return
        for value in enum.values or ():
            said = next((said for _, said in sdl.directives(value, "join__graph")), None)
            if said is None or not isinstance(said.get("name"), str):
                self.report("NO_SYSTEM", value, f"'{value.name.value}' does not say which subgraph it is.", "add @join__graph(name:, url:)")
                continue
            if any(graph.name == said["name"] for graph in self.graphs.values()):
                self.report("SYSTEM_TWICE", value, f"The subgraph '{said['name']}' is there twice.", "give each a name of its own")
            self.graphs[value.name.value] = Graph(said["name"], {}, str(said.get("url") or ""))
            self.kinds[said["name"]] = {}

    def _graph(self, node: Node, said: Mapping[str, Any]) -> str | None:
        """The name of the graph that a directive speaks of."""
        word = said.get("graph")
        if word is None:
            return None
        if word not in self.graphs:
            message = f"There is no subgraph '{word}'.{suggest(str(word), self.graphs)}"
            self.report("NO_SYSTEM", node, message, "name a value of join__Graph")
            return None
        return self.graphs[word].name

    def _unsupported_roots(self) -> frozenset[str]:
        """Subscriptions are not federated: the root type goes, and is told of."""
        for head in self.document.definitions:
            for each in getattr(head, "operation_types", None) or ():
                if each.operation.value == "subscription":
                    self.report("NOT_SERVED", each, "Subscriptions of subgraphs are not served.", "leave them out, or ask the subgraph")
                    return frozenset({each.type.name.value})
        return frozenset()

    # -- types ---------------------------------------------------------------------------------------------------

    def _type(self, name: str, node: Any) -> None:
        """What each graph has of a type."""
        keys: dict[str, list[Key]] = {}
        stands: set[str] = set()
        for each, said in sdl.directives(node, "join__type"):
            graph = self._graph(each, said)
            if graph is None:
                continue
            keys.setdefault(graph, [])
            if said.get("isInterfaceObject"):
                stands.add(graph)
            if said.get("key"):
                keys[graph].append(Key(str(said["key"]), said.get("resolvable") is not False))
        owner = next((self._graph(each, said) for each, said in sdl.directives(node, "join__owner")), None)
        if not keys:
            if not self.first:
                self.report("INVALID_SCHEMA", node, f"No subgraph has '{name}'.", "add @join__type(graph:)")
            keys = {graph: [] for graph in self.kinds}
        kind = str(node.kind)
        abstract = kind in ("interface_type_definition", "union_type_definition")
        for graph, some in keys.items():
            self.kinds[graph][name] = Kind(name, {}, tuple(some), abstract and graph not in stands, (), graph in stands)
        if kind in ("object_type_definition", "interface_type_definition"):
            parts: dict[str, dict[str, Part]] = {graph: {} for graph in keys}
            for each in node.fields or ():
                self._field(name, each, parts, owner)
            if self.first:
                self._keys_of_first(node, keys, parts)
            for graph, own in parts.items():
                self.kinds[graph][name] = replace(self.kinds[graph][name], parts=own)

    def _field(self, parent: str, node: Any, parts: dict[str, dict[str, Part]], owner: str | None) -> None:
        name = node.name.value
        named, lists = sdl.shape(node.type)
        usual = Part(name, print_ast(node.type), named, lists)
        words = list(sdl.directives(node, "join__field"))
        if not words:
            for one in [owner] if owner is not None else parts:
                parts.setdefault(one, {})[name] = usual
            return
        leaving = {said["override"] for _, said in words if isinstance(said.get("override"), str) and _active(said)}
        for each, said in words:
            graph = self._graph(each, said)
            if graph is None:
                continue
            if graph not in parts:
                message = f"The subgraph '{graph}' does not have '{parent}', but its field '{name}'."
                self.report("UNKNOWN_TYPE", each, message, f"add @join__type(graph: {said['graph']}) to the type")
                continue
            if said.get("contextArguments"):
                self.report("NOT_SUPPORTED", each, "Arguments out of a context are not supported.", "compose it without @fromContext")
            external = bool(said.get("external") or said.get("usedOverridden")) or graph in leaving or not _active(said)
            requires, provides = str(said.get("requires") or ""), str(said.get("provides") or "")
            made = replace(usual, external=external, requires=requires, provides=provides)
            if isinstance(said.get("type"), str):
                made = self._typed(each, made, said["type"])
            parts[graph][name] = made

    def _typed(self, node: Node, part: Part, text: str) -> Part:
        try:
            named, lists = sdl.shape(parse_type(text))
        except GraphQLError as error:
            self.report("BAD_ARGUMENT", node, f"'{text}' is no type: {error.message}", "write a type")
            return part
        return replace(part, type=text, named=named, lists=lists)

    def _keys_of_first(self, node: Any, keys: Mapping[str, list[Key]], parts: dict[str, dict[str, Part]]) -> None:
        """In join 0.1 a graph has the fields of its keys without saying so."""
        usual = {each.name.value: Part(each.name.value, print_ast(each.type), *sdl.shape(each.type)) for each in node.fields or ()}
        for graph, some in keys.items():
            for key in some:
                for name in sdl.names(key.fields):
                    if name in usual:
                        parts.setdefault(graph, {}).setdefault(name, usual[name])

    def _members(self, own: Mapping[str, Any]) -> None:
        """The concrete types that abstract types have in each graph."""
        found: dict[tuple[str, str], list[str]] = {}
        said_of = any(sdl.has(node, "join__implements") for node in own.values())
        for name, node in own.items():
            if str(node.kind) == "union_type_definition":
                words = list(sdl.directives(node, "join__unionMember"))
                for each, said in words:
                    graph = self._graph(each, said)
                    if graph is not None:
                        found.setdefault((graph, name), []).append(str(said.get("member")))
                for one, kinds in self.kinds.items():
                    if not words and name in kinds:
                        found[one, name] = [each.name.value for each in node.types or () if each.name.value in kinds]
            elif str(node.kind) == "object_type_definition":
                for one, interface in self._implemented(name, node, said_of):
                    found.setdefault((one, interface), []).append(name)
            for each, said in sdl.directives(node, "join__implements"):
                self._graph(each, said)
        for (one, name), members in found.items():
            kind = self.kinds[one].get(name)
            if kind is not None:
                self.kinds[one][name] = replace(kind, members=tuple(dict.fromkeys(members)))

    def _implemented(self, name: str, node: Any, said_of: bool) -> Iterator[tuple[str, str]]:
        if not said_of:
            for one, kinds in self.kinds.items():
                if name in kinds:
                    yield from ((one, each.name.value) for each in node.interfaces or ())
            return
        for each, said in sdl.directives(node, "join__implements"):
            graph = self._graph(each, said)
            interface = str(said.get("interface"))
            if graph is not None and interface not in self.kinds[graph]:
                message = f"The subgraph '{graph}' does not have '{interface}'.{suggest(interface, self.kinds[graph])}"
                self.report("UNKNOWN_TYPE", each, message, "add @join__type to the interface")
            elif graph is not None:
                yield graph, interface

    # -- what it comes to ----------------------------------------------------------------------------------------

    def _built(self, document: DocumentNode) -> GraphQLSchema | None:
        schema, errors = sdl.built(document)
        for error in errors:
            self.report("INVALID_SCHEMA", sdl.node_of(error), error.message, "compose the graph again")
        return schema

    def _told(self, own: Mapping[str, Any]) -> None:
        """Each field of an object has to be had from some subgraph."""
        for name, node in own.items():
            if str(node.kind) != "object_type_definition":
                continue
            names = (name, *(each.name.value for each in node.interfaces or ()))
            kinds = [kind for kinds in self.kinds.values() for one in names if (kind := kinds.get(one)) and (one == name or kind.stands)]
            for each in node.fields or ():
                if not any(_tells(kind, each.name.value) for kind in kinds):
                    message = f"No subgraph tells '{name}.{each.name.value}'."
                    self.report("UNREACHABLE", each, message, "compose the graph again, or leave the field out")

    def _selections(self, own: Mapping[str, Any], schema: GraphQLSchema) -> None:
        """Keys, requirements and what is provided have to be selections of their types."""
        for name, node in own.items():
            for each, said in sdl.directives(node, "join__type"):
                if said.get("key"):
                    self._fits("BAD_KEY", each, str(said["key"]), name, schema)
            for one in getattr(node, "fields", None) or ():
                for each, said in sdl.directives(one, "join__field"):
                    if said.get("requires"):
                        self._fits("BAD_REQUIRE", each, str(said["requires"]), name, schema)
                    if said.get("provides"):
                        self._fits("BAD_ARGUMENT", each, str(said["provides"]), str(said.get("type") or sdl.shape(one.type)[0]), schema)

    def _fits(self, code: str, node: Node, text: str, type_name: str, schema: GraphQLSchema) -> None:
        name = type_name.replace("[", "").replace("]", "").replace("!", "")
        if (text, name) not in self.fits:
            self.fits[text, name] = sdl.unfit(text, name, schema)
        for message in self.fits[text, name]:
            self.report(code, node, f"'{text}' does not fit '{name}': {message}", "compose the graph again")


def _renamed(imported: Any) -> bool:
    """Whether a directive is imported under another name."""
    return isinstance(imported, dict) and imported.get("as") not in (None, imported.get("name"))


def _tells(kind: Kind, name: str) -> bool:
    """Whether a graph can be asked for a field of a type: one of its own, or one of a key."""
    part = kind.parts.get(name)
    return part is not None and (not part.external or any(name in sdl.names(key.fields) for key in kind.keys))


def _active(said: Mapping[str, Any]) -> bool:
    """Whether a field that takes over from another graph does so. One that does for a share of requests only does for all, or for none."""
    label = said.get("overrideLabel")
    if label is None:
        return True
    found = _PERCENT.fullmatch(str(label).replace(" ", ""))
    return found is not None and float(found[1]) >= 100
