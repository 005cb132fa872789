"""What a manifest says, as typed entries: its system, its types, their fields and words, each with its place in the file.

Plain frozen data, made by ``schema.manifest``. An entry with a faulty word is ``broken``; later checks pass it over, so that one
slip of the pen is one fault. Must not know what a word means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql.language import DirectiveNode, FieldDefinitionNode, InputValueDefinitionNode, NameNode, Node, TypeNode

from schema.faults import Fault


@dataclass(frozen=True, slots=True)
class Word:
    """A directive with its typed, defaulted arguments."""

    name: str
    args: Mapping[str, Any]
    node: DirectiveNode

    def value_node(self, argument: str) -> Node:
        """Where an argument's value stands; the directive itself if it is not given."""
        return next((given.value for given in self.node.arguments or () if given.name.value == argument), self.node)


Words = Mapping[str, Word]


@dataclass(frozen=True, slots=True)
class ArgumentEntry:
    name: str
    type: TypeNode
    words: Words
    node: InputValueDefinitionNode
    broken: bool = False


@dataclass(frozen=True, slots=True)
class FieldEntry:
    name: str
    type: TypeNode
    words: Words
    arguments: Mapping[str, ArgumentEntry]
    description: str
    node: NameNode
    definition: FieldDefinitionNode
    broken: bool = False

    def word(self, name: str, argument: str) -> Any:
        """An argument of a word, or None where either is not given."""
        return self.words[name].args.get(argument) if name in self.words else None


@dataclass(frozen=True, slots=True)
class ValueEntry:
    name: str
    words: Words
    description: str
    node: NameNode


@dataclass(frozen=True, slots=True)
class TypeEntry:
    """``extends`` tells ``extend type`` from ``type``; ``keys`` are the words @key, in order."""

    name: str
    form: str  # object, interface, union or enum
    extends: bool
    words: Words
    keys: tuple[Word, ...]
    fields: Mapping[str, FieldEntry]
    values: Mapping[str, ValueEntry]
    members: tuple[str, ...]
    description: str
    node: Node
    broken: bool = False

    @property
    def name_node(self) -> Node:
        """Where its name stands."""
        found = getattr(self.node, "name", None)
        return found if isinstance(found, Node) else self.node


@dataclass(frozen=True, slots=True)
class Manifest:
    """One file. ``system`` and ``source`` are None when it does not say (then ``faults`` does). ``subgraph`` is the SDL beside it, and its
    file, where the system is a subgraph of a federation."""

    file: str
    system: Word | None = None
    source: Word | None = None
    types: tuple[TypeEntry, ...] = ()
    faults: tuple[Fault, ...] = ()
    subgraph: tuple[str, str] | None = None

    @property
    def federation(self) -> Mapping[str, Any] | None:
        """What the source says of the subgraph that it is."""
        found: Mapping[str, Any] | None = self.source.args.get("federation") if self.source is not None else None
        return found

    @property
    def name(self) -> str:
        return str(self.system.args["name"]) if self.system else ""

    @property
    def kind(self) -> str:
        """The kind of connector: the source word, or what @python names."""
        if self.source is None:
            return ""
        return str(self.source.args["connector"]) if self.source.name == "python" else self.source.name
