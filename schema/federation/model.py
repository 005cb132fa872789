"""Several graphs that are parts of one: what each has of each type, and by which keys one gets from one to another.

Plain frozen data. A supergraph (``schema.federation.supergraph``) and single subgraphs compile to this, and the planner reads nothing
else of them. Must not know directives, files or systems' addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSchema


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a type as one graph has it.

    ``type`` is what the graph itself writes, ``named`` the type in it, within ``lists`` lists. ``external``: the graph knows the field
    but cannot be asked for it, except where it is a key or provided. ``requires`` and ``provides`` are selections, without braces.
    """

    name: str
    type: str
    named: str
    lists: int = 0
    external: bool = False
    requires: str = ""
    provides: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A selection by which an entity is known. Not ``resolvable``: the graph shows it, but does not look entities up by it."""

    fields: str
    resolvable: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """A type as one graph has it. An ``abstract`` one has ``members``, the concrete types that its objects can be of there. ``stands``:
    an object type there that stands for all types of an interface (``@interfaceObject``)."""

    name: str
    parts: Mapping[str, Part] = field(default_factory=dict)
    keys: tuple[Key, ...] = ()
    abstract: bool = False
    members: tuple[str, ...] = ()
    stands: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """One graph, by the name of its system."""

    name: str
    kinds: Mapping[str, Kind]
    url: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Federation:
    """``schema`` holds all types, those too that the public does not see. ``interfaces`` are those of each object type. ``epoch`` changes
    with anything of it. ``made`` is room for what planning makes of it, so that it lives as long."""

    graphs: Mapping[str, Graph]
    schema: GraphQLSchema
    interfaces: Mapping[str, tuple[str, ...]]
    epoch: str = ""
    made: dict[Any, Any] = field(default_factory=dict, repr=False)

    def kind(self, graph: str, name: str) -> Kind | None:
        return self.graphs[graph].kinds.get(name)

    def epoch_of(self, type_name: str) -> str:
        """The epoch, for a type that any graph has; empty for all others, which nothing here concerns."""
        return self.epoch if any(type_name in graph.kinds for graph in self.graphs.values()) else ""
