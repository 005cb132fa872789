"""Subgraphs composed into a supergraph: one document in the words of the join specification, and what keeps them from being one graph.

Types are the union of their fields, inputs the intersection; what graphs say differently of one name has to fit. Nodes keep their
places, so that all later faults are told where subgraphs were written. Must not know how a supergraph is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import parse, print_ast
from graphql.language import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NameNode,
    Node,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    StringValueNode,
    TypeNode,
    UnionTypeDefinitionNode,
    ValueNode,
)

from schema.faults import Fault, fault
from schema.federation import sdl
from schema.federation.subgraph import Subgraph

_HEAD = """schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) {
  query: Query %s
}
enum join__Graph { %s }
"""
_KEPT = ("inaccessible", "authenticated", "requiresScopes", "policy")  # what holds for the whole graph where one says it
Said = tuple[Subgraph, Any]  # a subgraph and a node of it
Directives = tuple[Any, ...]


def merge(subgraphs: Sequence[Subgraph]) -> tuple[DocumentNode, list[Fault]]:
    """The supergraph of ``subgraphs``, and all that does not fit."""
    return _Merge({one.name: one for one in sorted(subgraphs, key=lambda each: each.name)}).whole()


@dataclass(frozen=True, slots=True)
class _Told:
    """A field as one graph has it: what is said of it (``word``, ``own``), and whether it is part of a ``key``."""

    word: Any
    subgraph: Subgraph
    node: Any
    own: Mapping[str, Any]
    key: bool


@dataclass(slots=True)
class _Merge:
    subgraphs: Mapping[str, Subgraph]
    faults: list[Fault] = field(default_factory=list)
    said: dict[str, list[Said]] = field(default_factory=dict)  # type -> each definition and extension of it
    inputs: set[str] = field(default_factory=set)  # types that callers give

    def report(self, code: str, node: Node, message: str, fix: str) -> None:
        self.faults.append(fault(code, node.loc.source.name if node.loc else "", node, message, fix))

    def whole(self) -> tuple[DocumentNode, list[Fault]]:
        for subgraph in self.subgraphs.values():
            for name, nodes in subgraph.types.items():
                self.said.setdefault(name, []).extend((subgraph, node) for node in nodes)
        self._look_at_inputs()
        definitions = [made for name in sorted(self.said) if (made := self._type(name, self.said[name])) is not None]
        graphs = " ".join(f'{_enum(one.name)} @join__graph(name: "{one.name}", url: "{one.url}")' for one in self.subgraphs.values())
        roots = [f"{word}: {name}" for word, name in (("mutation", "Mutation"), ("subscription", "Subscription")) if name in self.said]
        head = parse(_HEAD % (" ".join(roots), graphs), no_location=True)
        executable = {node.name.value: node for one in self.subgraphs.values() for node in one.directives}
        return DocumentNode(definitions=(*head.definitions, *executable.values(), *self._completed(definitions))), self.faults

    def _look_at_inputs(self) -> None:
        waiting = [
            sdl.shape(argument.type)[0]
            for some in self.said.values()
            for _, node in some
            for each in getattr(node, "fields", None) or ()
            for argument in getattr(each, "arguments", None) or ()
        ]
        while waiting:
            name = waiting.pop()
            if name not in self.inputs:
                self.inputs.add(name)
                waiting += [
                    sdl.shape(each.type)[0]
                    for _, node in self.said.get(name, ())
                    if _form(node) == "input_object"
                    for each in node.fields or ()
                ]

    # -- types ---------------------------------------------------------------------------------------------------

    def _type(self, name: str, said: Sequence[Said]) -> Any:
        forms = {_form(node): node for subgraph, node in said if not subgraph.has(node, "interfaceObject")}
        if not forms:
            self.report(
                "UNKNOWN_TYPE", said[0][1], f"'{name}' stands for an interface that no subgraph has.", "write the interface somewhere"
            )
            return None
        if len(forms) > 1:
            for node in list(forms.values())[1:]:
                self.report("TYPE_MISMATCH", node, f"'{name}' is {' and '.join(sorted(forms))} at once.", "give one of them another name")
            return None
        (form,) = forms
        make: Callable[[str, Sequence[Said]], Any] = getattr(self, f"_{form}")
        return make(name, said)

    def _head(self, name: str, said: Sequence[Said]) -> Directives:
        """Which graphs have a type, by which keys."""
        found: list[Any] = []
        for graph, nodes in _by_graph(said).items():
            subgraph = self.subgraphs[graph]
            stands = any(subgraph.has(node, "interfaceObject") for node in nodes)
            keys = [one for node in nodes for one in subgraph.words(node, "key")]
            more: dict[str, Any] = {"isInterfaceObject": True} if stands else {}
            for node, arguments in keys:
                own = {"key": str(arguments.get("fields", "")), **({"resolvable": False} if arguments.get("resolvable") is False else {})}
                found.append(_word("join__type", node, graph=_enum(graph), **own, **more))
            if not keys:
                found.append(_word("join__type", nodes[0], graph=_enum(graph), **more))
            for each in (each for node in nodes for each in getattr(node, "interfaces", None) or ()):
                found.append(_word("join__implements", each, graph=_enum(graph), interface=each.name.value))
        return (*found, *_kept(said))

    def _object(self, name: str, said: Sequence[Said]) -> ObjectTypeDefinitionNode:
        return ObjectTypeDefinitionNode(**self._composite(name, said))

    def _interface(self, name: str, said: Sequence[Said]) -> InterfaceTypeDefinitionNode:
        return InterfaceTypeDefinitionNode(**self._composite(name, said))

    def _composite(self, name: str, said: Sequence[Said]) -> dict[str, Any]:
        fields: dict[str, list[Said]] = {}
        for subgraph, node in said:
            for each in node.fields or ():
                if each.name.value not in ("_entities", "_service"):
                    fields.setdefault(each.name.value, []).append((subgraph, each))
        interfaces = {each.name.value: each for _, node in said for each in node.interfaces or ()}
        made = [self._field(name, said, some) for some in fields.values()]
        return {**_start(name, said), "interfaces": tuple(interfaces.values()), "fields": tuple(made), "directives": self._head(name, said)}

    def _field(self, parent: str, owners: Sequence[Said], said: Sequence[Said]) -> FieldDefinitionNode:
        name = said[0][1].name.value
        type_ = self._united(said, f"{parent}.{name}", wider=True)
        words = []
        keys = {subgraph.name: _keys(subgraph, [node for one, node in owners if one is subgraph]) for subgraph, _ in owners}
        for subgraph, node in said:
            whole = any(subgraph.has(one, "external") for own, one in owners if own is subgraph)
            key = name in keys[subgraph.name]
            own: dict[str, Any] = {"graph": _enum(subgraph.name)}
            at = node  # where it says what it requires, else what it provides
            for word in ("provides", "requires"):
                for at, arguments in subgraph.words(node, word):  # noqa: B007
                    own[word] = str(arguments.get("fields", ""))
            for _, arguments in subgraph.words(node, "override"):
                own["override"] = str(arguments.get("from", ""))
                own |= {"overrideLabel": str(arguments["label"])} if arguments.get("label") else {}
            if (whole or subgraph.has(node, "external")) and not key:
                own["external"] = True
            if print_ast(node.type) != print_ast(type_):
                own["type"] = print_ast(node.type)
            words.append(_Told(_word("join__field", at, **own), subgraph, node, own, key))
        self._shared(parent, name, words, owners)
        directives = (*(one.word for one in words), *_kept(said), *_deprecated(said))
        return FieldDefinitionNode(**_start(name, said), type=type_, arguments=self._arguments(parent, said), directives=directives)

    def _shared(self, parent: str, name: str, told: Sequence[_Told], owners: Sequence[Said]) -> None:
        """A field that several graphs tell has to say that it is shared, everywhere; one of a key need not."""
        gone = {one.own["override"] for one in told if "override" in one.own and "overrideLabel" not in one.own}
        tell = [one for one in told if not ("external" in one.own or one.subgraph.name in gone)]
        if len(tell) < 2 or _form(owners[0][1]) == "interface" or parent == "Subscription":
            return
        for subgraph, node in ((one.subgraph, one.node) for one in tell if not one.key):
            types = [one for own, one in owners if own is subgraph]
            shared = subgraph.has(node, "shareable") or any(subgraph.has(one, "shareable") for one in types)
            if not shared and not (subgraph.first and (parent in ("Query", "Mutation") or not _keys(subgraph, types))):
                others = ", ".join(sorted(f"'{other.subgraph.name}'" for other in tell if other.subgraph is not subgraph))
                message = f"'{parent}.{name}' is told by '{subgraph.name}' and by {others}, and is not shared here."
                self.report("CONTRIBUTED_TWICE", node, message, "add @shareable to it in each of them, or leave it out here")

    def _arguments(self, parent: str, said: Sequence[Said]) -> tuple[InputValueDefinitionNode, ...]:
        """Those that all graphs have; one that has to be given may not be missing anywhere."""
        return self._given([(subgraph, node.arguments or ()) for subgraph, node in said], f"{parent}.{said[0][1].name.value}")

    def _given(self, said: Sequence[tuple[Subgraph, Iterable[Any]]], where: str) -> tuple[InputValueDefinitionNode, ...]:
        values: dict[str, list[Said]] = {}
        for subgraph, some in said:
            for each in some:
                values.setdefault(each.name.value, []).append((subgraph, each))
        found = []
        for name, own in values.items():
            if len(own) < len(said):
                for _, node in own:
                    if isinstance(node.type, NonNullTypeNode) and node.default_value is None:
                        message = f"'{name}' of '{where}' has to be given, but not all subgraphs have it."
                        self.report("NO_SUCH_ARGUMENT", node, message, "let it be nullable, or add it to the others")
                continue
            defaults = {print_ast(node.default_value) if node.default_value else "" for _, node in own}
            if len(defaults) > 1:
                self.report("TYPE_MISMATCH", own[-1][1], f"'{name}' of '{where}' has different defaults.", "write one default")
            type_ = self._united(own, f"{where}({name}:)", wider=False)
            default = own[0][1].default_value
            words = (*_kept(own), *_deprecated(own))
            found.append(InputValueDefinitionNode(**_start(name, own), type=type_, default_value=default, directives=words))
        return tuple(found)

    def _input_object(self, name: str, said: Sequence[Said]) -> InputObjectTypeDefinitionNode:
        values = [(subgraph, [each for one in nodes for each in one.fields or ()]) for subgraph, nodes in self._each(said)]
        return InputObjectTypeDefinitionNode(**_start(name, said), fields=self._given(values, name), directives=self._head(name, said))

    def _each(self, said: Sequence[Said]) -> list[tuple[Subgraph, list[Any]]]:
        return [(self.subgraphs[graph], nodes) for graph, nodes in _by_graph(said).items()]

    def _enum(self, name: str, said: Sequence[Said]) -> EnumTypeDefinitionNode:
        """Callers may give what all graphs know; they may be shown what any graph says."""
        graphs = self._each(said)
        values: dict[str, list[Said]] = {}
        for subgraph, nodes in graphs:
            for each in (each for node in nodes for each in node.values or ()):
                values.setdefault(each.name.value, []).append((subgraph, each))
        shown = self._is_shown(name)
        if name in self.inputs and shown and any(len(own) < len(graphs) for own in values.values()):
            for own in values.values():
                if len(own) < len(graphs) and not _kept(own):
                    message = f"'{name}' is given and shown, and '{own[0][1].name.value}' is not in all subgraphs."
                    self.report("UNKNOWN_ENUM_VALUE", own[0][1], message, "add it to the others, or mark it @inaccessible")
        kept = [own for own in values.values() if name not in self.inputs or shown or len(own) == len(graphs)]
        made = tuple(_value(own) for own in kept)
        return EnumTypeDefinitionNode(**_start(name, said), values=made, directives=self._head(name, said))

    def _is_shown(self, name: str) -> bool:
        return any(
            sdl.shape(each.type)[0] == name
            for some in self.said.values()
            for _, node in some
            if _form(node) in ("object", "interface")
            for each in node.fields or ()
        )

    def _union(self, name: str, said: Sequence[Said]) -> UnionTypeDefinitionNode:
        members = [(subgraph, each) for subgraph, node in said for each in node.types or ()]
        words = tuple(_word("join__unionMember", each, graph=_enum(one.name), member=each.name.value) for one, each in members)
        types = tuple({each.name.value: each for _, each in members}.values())
        return UnionTypeDefinitionNode(**_start(name, said), types=types, directives=(*self._head(name, said), *words))

    def _scalar(self, name: str, said: Sequence[Said]) -> ScalarTypeDefinitionNode:
        return ScalarTypeDefinitionNode(**_start(name, said), directives=self._head(name, said))

    def _completed(self, definitions: Sequence[Any]) -> list[Any]:
        """Types with the fields that others have for the interfaces that they implement."""
        standing = {name for name, some in self.said.items() if any(one.has(node, "interfaceObject") for one, node in some)}
        interfaces = {node.name.value: node for node in definitions if node.name.value in standing}
        found = []
        for node in definitions:
            fields = {each.name.value: each for each in getattr(node, "fields", None) or ()}
            more = [
                FieldDefinitionNode(
                    name=each.name,
                    loc=each.loc,
                    description=each.description,
                    type=each.type,
                    arguments=each.arguments,
                    directives=(_word("join__field", each), *(one for one in each.directives if not one.name.value.startswith("join__"))),
                )
                for implemented in getattr(node, "interfaces", None) or ()
                if implemented.name.value in interfaces
                for each in interfaces[implemented.name.value].fields
                if each.name.value not in fields
            ]
            if more:
                parts = {name: getattr(node, name) for name in ("name", "loc", "description", "interfaces", "directives")}
                node = type(node)(**parts, fields=(*node.fields, *more))
            found.append(node)
        return found

    # -- types of fields -----------------------------------------------------------------------------------------

    def _united(self, said: Sequence[Said], where: str, *, wider: bool) -> TypeNode:
        """One type for what graphs write: for what is shown the ``wider``, for what is given the narrower."""
        found: TypeNode = said[0][1].type
        for _, node in said[1:]:
            both = self._both(found, node.type, wider)
            if both is None:
                message = f"'{where}' is {print_ast(found)} elsewhere and {print_ast(node.type)} here."
                self.report("TYPE_MISMATCH", node, message, f"write {print_ast(found)}")
            else:
                found = both
        return found

    def _both(self, one: TypeNode, other: TypeNode, wider: bool) -> TypeNode | None:
        if isinstance(one, NonNullTypeNode) or isinstance(other, NonNullTypeNode):
            strict = isinstance(one, NonNullTypeNode) and isinstance(other, NonNullTypeNode)
            inner = self._both(_bare(one), _bare(other), wider)
            return inner if inner is None or (wider and not strict) else NonNullTypeNode(type=inner)  # type: ignore[arg-type]
        if isinstance(one, ListTypeNode) and isinstance(other, ListTypeNode):
            inner = self._both(one.type, other.type, wider)
            return ListTypeNode(type=inner) if inner is not None else None
        if isinstance(one, NamedTypeNode) and isinstance(other, NamedTypeNode):
            if one.name.value == other.name.value or (wider and other.name.value in self._members(one.name.value)):
                return one
            return other if wider and one.name.value in self._members(other.name.value) else None
        return None

    def _members(self, name: str) -> set[str]:
        """The types that an interface or union may be of, in any graph."""
        members = {each.name.value for _, node in self.said.get(name, ()) for each in getattr(node, "types", None) or ()}
        return members | {
            other
            for other, some in self.said.items()
            for _, node in some
            if any(each.name.value == name for each in getattr(node, "interfaces", None) or ())
        }


def _form(node: Any) -> str:
    return str(node.kind).removesuffix("_type_definition").removesuffix("_type_extension")


def _bare(node: TypeNode) -> TypeNode:
    return node.type if isinstance(node, NonNullTypeNode) else node


def _by_graph(said: Sequence[Said]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for subgraph, node in said:
        found.setdefault(subgraph.name, []).append(node)
    return found


def _keys(subgraph: Subgraph, nodes: Iterable[Any]) -> set[str]:
    """The first names in a type's keys."""
    texts = (str(arguments.get("fields", "")) for node in nodes for _, arguments in subgraph.words(node, "key"))
    return {name for text in texts for name in sdl.names(text)}


def _enum(name: str) -> str:
    """The name of a graph as a value of join__Graph."""
    text = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name).upper()
    return text if not text[:1].isdigit() else f"_{text}"


def _start(name: str, said: Sequence[Said]) -> dict[str, Any]:
    """What every definition begins with."""
    first = said[0][1]
    described = next((node.description for _, node in said if getattr(node, "description", None) is not None), None)
    return {"name": NameNode(value=name, loc=first.name.loc), "loc": first.loc, "description": described}


def _kept(said: Sequence[Said]) -> Directives:
    """What graphs say of a name that holds for the whole graph, under its own name."""
    found: dict[str, Any] = {}
    for subgraph, node in said:
        for word in _KEPT:
            for each, _ in subgraph.words(node, word):
                made = DirectiveNode(name=NameNode(value=word), arguments=each.arguments, loc=each.loc)
                found.setdefault(print_ast(made), made)
    return tuple(found.values())


def _deprecated(said: Sequence[Said]) -> Directives:
    found = (each for _, node in said for each in node.directives or () if each.name.value == "deprecated")
    return tuple(found)[:1]


def _value(said: Sequence[Said]) -> Any:
    first = said[0][1]
    return type(first)(**_start(first.name.value, said), directives=(*_kept(said), *_deprecated(said)))


def _word(name: str, at: Node, **arguments: Any) -> Any:
    """A directive in the place of a node."""
    made = tuple(ArgumentNode(name=NameNode(value=each), value=_literal(each, value)) for each, value in arguments.items())
    return DirectiveNode(name=NameNode(value=name), arguments=made, loc=at.loc)


def _literal(name: str, value: Any) -> ValueNode:
    if isinstance(value, bool):
        return BooleanValueNode(value=value)
    return EnumValueNode(value=value) if name == "graph" else StringValueNode(value=value, block=False)
