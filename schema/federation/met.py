"""What can be had of an object of composed subgraphs, by where it is met: which graphs can be asked for each of its fields.

An object is met as the graphs have it that the field above can be asked of; keys lead from there to others. A type and these graphs are
looked at, never a path, so this ends soon however deep queries may go. Reads the model alone; must not know how queries are planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import is_leaf_type
from graphql.language import FieldNode, InlineFragmentNode, SelectionSetNode

from schema.federation import sdl
from schema.federation.model import Federation, Kind, Part

HOST = ""  # the hub's own systems, where they have a type too


class Standing(NamedTuple):
    """An object as a graph has it: under which name, and what that tells of it here besides what it tells everywhere."""

    graph: str
    kind: str
    given: tuple[SelectionSetNode, ...] = ()


Standings = frozenset[Standing]
State = tuple[str, Standings]  # a type, and where its objects are at hand


@dataclass(slots=True)
class Met:
    """``hosts`` are the fields of types that the hub has of its own. What is ``given`` is what was found so far; see ``grew``."""

    federation: Federation
    hosts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    closures: dict[State, Standings] = field(default_factory=dict)
    under_way: set[State] = field(default_factory=set)
    given: dict[State, dict[str, Standings]] = field(default_factory=dict)

    def had(self, state: State) -> Mapping[str, Standings]:
        """Who gives each field of an object that is met so, as far as is known; a field is not there whose requirements nobody gives."""
        if state not in self.given:
            self.given[state] = {}
            self.given[state] = self._had(state)
        return self.given[state]

    def grew(self) -> bool:
        """Look again at what was looked at while something that it requires was not known yet; whether that has changed anything."""
        before = self.given.copy()
        self.given |= {state: self._had(state) for state in before}
        return self.given != before

    def _had(self, state: State) -> dict[str, Standings]:
        found = self._plain(self.closure(state))
        needing = [(name, one, part.requires) for one in self._entered(state[0], found) for name, part in self.parts(one) if part.requires]
        while ready := [each for each in needing if self.all_had(state[0], sdl.selection(each[2]), found)]:
            for name, one, _ in ready:
                found[name] = found.get(name, frozenset()) | {one}
            needing = [each for each in needing if each not in ready]
        return found

    def all_had(self, type_name: str, wanted: SelectionSetNode, had: Mapping[str, Standings]) -> bool:
        """Whether all of a selection is there of an object of which ``had`` is."""
        for node in wanted.selections:
            if isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else type_name
                if self._is(type_name, condition) and not self.all_had(type_name, node.selection_set, had):
                    return False
            elif isinstance(node, FieldNode) and node.name.value != "__typename":
                givers = had.get(node.name.value)
                if not givers:
                    return False
                if node.selection_set is not None:
                    states = self.below(node.name.value, givers)
                    if not all(self.all_had(state[0], node.selection_set, self.had(state)) for state in states):
                        return False
        return True

    def closure(self, state: State) -> Standings:
        """Where an object is at hand or can be asked for by keys, at any remove."""
        if state in self.closures:
            return self.closures[state]
        type_name, there = state
        if state in self.under_way:
            return there
        self.under_way.add(state)
        waiting = [*self.doors(type_name), *(self._tellers(type_name) if self._any_stands(there) else ())]
        while True:
            waiting, had = [(to, key) for to, key in waiting if to not in there], self._plain(there)
            ready = {to for to, key in waiting if self._keyed(sdl.selection(key), had)}
            if not ready:
                break
            there |= ready
        self.under_way.discard(state)
        if not self.under_way:
            self.closures[state] = there
        return there

    def _entered(self, type_name: str, had: Mapping[str, Standings]) -> set[Standing]:
        """Where an object can be asked for by a key, and so with what a field requires."""
        return {to for to, key in self.doors(type_name) if self._keyed(sdl.selection(key), had)}

    def doors(self, type_name: str) -> Iterator[tuple[Standing, str]]:
        for name in (type_name, *self.federation.interfaces.get(type_name, ())):
            for graph, one in self.federation.graphs.items():
                kind = one.kinds.get(name)
                if kind is not None and (name == type_name or kind.stands):
                    yield from ((Standing(graph, name), key.fields) for key in kind.keys if key.resolvable)

    def _any_stands(self, there: Standings) -> bool:
        kinds = (self.federation.kind(one.graph, one.kind) for one in there if one.graph != HOST)
        return any(kind is not None and kind.stands for kind in kinds)

    def _tellers(self, type_name: str) -> Iterator[tuple[Standing, str]]:
        """Who says of what type an object of an interface is, and so has it as that."""
        for name in self.federation.interfaces.get(type_name, ()):
            for graph, one in self.federation.graphs.items():
                kind = one.kinds.get(name)
                if kind is not None and kind.abstract and type_name in kind.members:
                    yield from ((Standing(graph, type_name), key.fields) for key in kind.keys if key.resolvable)

    def _plain(self, there: Standings) -> dict[str, Standings]:
        """Who gives the fields that require nothing."""
        found: dict[str, set[Standing]] = {}
        for one in there:
            for name, part in self.parts(one):
                if not part.requires:
                    found.setdefault(name, set()).add(one)
        return {name: frozenset(some) for name, some in found.items()}

    def _keyed(self, key: SelectionSetNode, had: Mapping[str, Standings]) -> bool:
        """Whether all of a key is there. Keys are made of what requires nothing."""
        for node in key.selections:
            if isinstance(node, FieldNode) and node.name.value != "__typename":
                givers = had.get(node.name.value)
                if not givers:
                    return False
                below = self.below(node.name.value, givers) if node.selection_set is not None else ()
                if not all(self._keyed(node.selection_set, self._plain(self.closure(state))) for state in below if node.selection_set):
                    return False
        return True

    # -- what a graph tells --------------------------------------------------------------------------------------

    def parts(self, one: Standing) -> Iterator[tuple[str, Part]]:
        """The fields of an object that a graph can be asked for: its own, those of keys, those that are given here."""
        if one.graph == HOST:
            types = getattr(self.federation.schema.type_map.get(one.kind), "fields", {})
            yield from (
                (name, Part(name, "", "")) for name in self.hosts[one.kind] if name in types and is_leaf_type(_named(types[name].type))
            )
            return
        kind = self.federation.kind(one.graph, one.kind)
        if kind is None:
            return
        for name, part in kind.parts.items():
            if not part.external or self._within(one.kind, name, (*_keys(kind), *one.given)) is not None:
                yield name, part

    def _within(self, kind: str, name: str, given: Iterable[SelectionSetNode]) -> tuple[SelectionSetNode, ...] | None:
        """What lies below a field in what is given; None where it is not given itself."""
        found: list[SelectionSetNode] = []
        hit = False
        for one in given:
            for node in one.selections:
                if isinstance(node, InlineFragmentNode):
                    condition = node.type_condition.name.value if node.type_condition else kind
                    inner = self._within(kind, name, (node.selection_set,)) if self._is(kind, condition) else None
                    hit, found = hit or inner is not None, [*found, *(inner or ())]
                elif isinstance(node, FieldNode) and node.name.value == name:
                    hit, found = True, [*found, *((node.selection_set,) if node.selection_set else ())]
        return tuple(found) if hit else None

    def _is(self, kind: str, condition: str) -> bool:
        return condition == kind or condition in self.federation.interfaces.get(kind, ())

    def below(self, name: str, givers: Standings) -> list[State]:
        """How objects at a field are met, type by type."""
        found: dict[str, set[Standing]] = {}
        for one in givers:
            kind = self.federation.kind(one.graph, one.kind) if one.graph != HOST else None
            part = kind.parts.get(name) if kind is not None else None
            named = self.federation.kind(one.graph, part.named) if part is not None else None
            if kind is None or part is None or named is None:
                continue
            own = (sdl.selection(part.provides),) if part.provides else ()
            given = tuple(dict.fromkeys((*own, *(self._within(one.kind, name, (*_keys(kind), *one.given)) or ()))))
            if named.stands:
                for each in (each for each, some in self.federation.interfaces.items() if named.name in some):
                    found.setdefault(each, set()).add(Standing(one.graph, named.name, given))
            for each in named.members if named.abstract else () if named.stands else (named.name,):
                found.setdefault(each, set()).add(Standing(one.graph, each, given))
        return [(each, frozenset(some)) for each, some in sorted(found.items())]

    def part(self, one: Standing, name: str) -> Part | None:
        kind = self.federation.kind(one.graph, one.kind) if one.graph != HOST else None
        return kind.parts.get(name) if kind is not None else None


def _keys(kind: Kind) -> tuple[SelectionSetNode, ...]:
    return tuple(sdl.selection(key.fields) for key in kind.keys)


def _named(type_: object) -> object:
    while hasattr(type_, "of_type"):
        type_ = type_.of_type
    return type_
