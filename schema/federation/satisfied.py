"""Whether all that clients may ask of composed subgraphs can be had, wherever an object of a type is met; what cannot, as faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, GraphQLSchema, is_object_type

from schema.faults import Fault, fault
from schema.federation import sdl
from schema.federation.met import HOST, Met, Standing, Standings, State
from schema.federation.model import Federation
from schema.federation.supergraph import Supergraph


@dataclass(frozen=True, slots=True)
class Missing:
    """A field that cannot be had of objects that are met as ``graphs`` have them, for instance by the fields of ``way``. ``needs``: what of
    an entity nobody can give to a graph that tells the field; empty where no key leads to one."""

    type: str
    name: str
    graphs: tuple[str, ...]
    way: tuple[str, ...]
    needs: tuple[str, ...] = ()


def missing(federation: Federation, public: GraphQLSchema, hosts: Mapping[str, frozenset[str]] | None = None) -> list[Missing]:
    """All fields that clients see and cannot have, once each. ``hosts`` are the fields of types that the hub has of its own."""
    looking = _Looking(federation, public, Met(federation, hosts or {}))
    found = list(looking.all())
    while looking.met.grew():
        found = list(looking.all())
    return found


def unsatisfied(found: Supergraph, document: DocumentNode, hosts: Mapping[str, frozenset[str]] | None = None) -> list[Fault]:
    """The same as faults, each where a subgraph that tells the field is written."""
    if found.federation is None or found.schema is None:
        return []
    types = sdl.called(document)
    return [_fault(one, types[one.type]) for one in missing(found.federation, found.schema, hosts)]


def _fault(one: Missing, type_: Any) -> Fault:
    met = f"at {one.way[-1]}" if one.way else "in the hub"
    if one.name == "__typename":
        at, words = type_, [each for each, said in sdl.directives(type_, "join__type") if said.get("isInterfaceObject")]
        why = f"Of what type objects of '{one.type}' are that are met {met} is known to no subgraph that can be asked."
        fix = f"let a subgraph that has the interface be asked by the key that these carry: interface {one.type} @key(fields: …)"
    else:
        at = next(each for each in type_.fields if each.name.value == one.name)
        words = [each for each, said in sdl.directives(at, "join__field") if not said.get("external")]
        why = f"'{one.type}.{one.name}' cannot be had of objects that are met {met}"
        why += f": it requires '{one.needs[0]}', which cannot be had there." if one.needs else ": no key leads from there to who tells it."
        fix = f"give '{one.type}' a @key here that can be had there and is resolvable"
    node = words[0] if words else at
    return fault("UNREACHABLE", node.loc.source.name if node.loc is not None else "", node, why, fix)


@dataclass(slots=True)
class _Looking:
    """From the roots, and from what the hub has of its own, to whatever is met."""

    federation: Federation
    public: GraphQLSchema
    met: Met

    def all(self) -> Iterator[Missing]:
        seen: set[State] = set()
        told: set[tuple[str, str]] = set()
        waiting: deque[tuple[State, tuple[str, ...]]] = deque((state, ()) for state in self._starts())
        while waiting:
            state, way = waiting.popleft()
            if state in seen or not is_object_type(self.public.type_map.get(state[0])):
                continue
            seen.add(state)
            had = self.met.had(state)
            for name in self.public.type_map[state[0]].fields:  # type: ignore[attr-defined]
                givers = had.get(name)
                if givers:
                    further = (*way, f"{state[0]}.{name}")
                    apart = [frozenset({one}) for one in sorted(givers)] if state[0] == self._root("mutation") else [givers]
                    waiting += [(below, further) for some in apart for below in self.met.below(name, some)]
                    for kind, graphs in self._nameless(name, givers):
                        if (kind, "__typename") not in told:
                            told.add((kind, "__typename"))
                            yield Missing(kind, "__typename", graphs, further)
                elif name not in self.met.hosts.get(state[0], ()) and (state[0], name) not in told:
                    told.add((state[0], name))
                    graphs = tuple(sorted({one.graph for one in state[1]}))
                    yield Missing(state[0], name, graphs, way, tuple(self._needs(state, name)))

    def _starts(self) -> Iterator[State]:
        for root in (self._root("query"), self._root("mutation")):
            if root:
                yield root, frozenset(Standing(graph, root) for graph, one in self.federation.graphs.items() if root in one.kinds)
        for name in self.met.hosts:
            yield name, frozenset({Standing(HOST, name)})

    def _root(self, operation: str) -> str:
        type_ = self.federation.schema.query_type if operation == "query" else self.federation.schema.mutation_type
        return type_.name if type_ is not None else ""

    def _nameless(self, name: str, givers: Standings) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Interfaces whose objects at a field are met where nobody knows their types, and nobody who does can be asked."""
        found: dict[str, set[Standing]] = {}
        for one in givers:
            part = self.met.part(one, name)
            named = self.federation.kind(one.graph, part.named) if part is not None else None
            if named is not None and (named.stands or named.abstract):
                found.setdefault(named.name, set()).add(Standing(one.graph, named.name))
        for kind, some in found.items():
            around = self.met.closure((kind, frozenset(some)))
            if not any((known := self.federation.kind(one.graph, one.kind)) is not None and known.abstract for one in around):
                yield kind, tuple(sorted(one.graph for one in some))

    def _needs(self, state: State, name: str) -> Iterator[str]:
        """What the field requires where it could be asked for, and nobody gives."""
        had = self.met.had(state)
        for one in sorted(self.met.closure(state), key=lambda each: (each.graph, each.kind)):
            for each, part in self.met.parts(one):
                if each == name and part.requires and not self.met.all_had(state[0], sdl.selection(part.requires), had):
                    yield part.requires
