"""From one graph to another: by which keys an entity can be asked for where, and which of them can be had from what is at hand.

Reckoned for types and graphs, not for operations, and kept with the federation: keys are the state, never paths. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from graphql import GraphQLInterfaceType, GraphQLObjectType
from graphql.language import FieldNode, InlineFragmentNode, SelectionSetNode

from hub.plan.operation import Selected, collected
from schema.federation import sdl
from schema.federation.model import Federation, Part

Provided = tuple[SelectionSetNode, ...]  # what a graph tells here besides what it tells everywhere
Standing = tuple[str, str]  # a graph, and the name that it has for the object's type


@dataclass(frozen=True, slots=True)
class Door:
    """How ``graph`` is asked for an entity: as ``kind`` (an interface, where it stands for all its types), by ``key``."""

    graph: str
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Way:
    """A door and the round in which its key can be had; 0: at once."""

    round: int
    door: Door


Ways = Mapping[str, tuple[Way, ...]]  # by graph, the earliest first


class Doors:
    """All doors of a federation."""

    def __init__(self, federation: Federation) -> None:
        self.federation = federation
        self._doors: dict[str, tuple[Door, ...]] = {}
        self._selected: dict[tuple[str, str], tuple[Selected, ...]] = {}
        self._ways: dict[tuple[str, frozenset[Standing]], Ways] = {}
        self._under_way: set[tuple[str, Standing]] = set()
        self._numbers = -1

    @classmethod
    def of(cls, federation: Federation) -> Doors:
        made = federation.made.get(cls)
        if made is None:
            made = federation.made[cls] = cls(federation)
        return made

    def to(self, type_name: str) -> tuple[Door, ...]:
        """All doors by which objects of a type can be asked for, in order of graph."""
        if type_name not in self._doors:
            names = (type_name, *self.federation.interfaces.get(type_name, ()))
            self._doors[type_name] = tuple(
                Door(graph, name, key.fields)
                for graph, kinds in sorted((name, one.kinds) for name, one in self.federation.graphs.items())
                for name in names
                if (kind := kinds.get(name)) is not None and (name == type_name or kind.stands)
                for key in kind.keys
                if key.resolvable
            )
        return self._doors[type_name]

    def selected(self, type_name: str, text: str) -> tuple[Selected, ...]:
        """The selection ``text`` on a type, as normalising makes it; its numbers are negative and nobody else's."""
        key = (type_name, text)
        if key not in self._selected:
            parent = self.federation.schema.type_map[type_name]
            assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
            made, nodes = collected(self.federation.schema, parent, sdl.selection(text))
            self._selected[key] = tuple(self._numbered(one, nodes) for one in made)
        return self._selected[key]

    def united(self, type_name: str, texts: Sequence[str]) -> list[list[str]]:
        """Selections on a type in groups that can be one: those that want one field with different arguments cannot."""
        found: list[list[str]] = []
        for text in texts:
            fitting = next((group for group in found if not sdl.clash(" ".join((*group, text)), type_name, self.federation.schema)), None)
            if fitting is None:
                found.append([text])
            else:
                fitting.append(text)
        return found

    def _numbered(self, one: Selected, nodes: Sequence[tuple[FieldNode, ...]]) -> Selected:
        self._numbers -= 1
        children = {name: tuple(self._numbered(each, nodes) for each in some) for name, some in one.children.items()}
        return replace(one, number=self._numbers, children=children, given=nodes[one.number][0])

    # -- what a graph tells --------------------------------------------------------------------------------------

    def part(self, graph: str, kind_name: str, name: str, provided: Provided = ()) -> Part | None:
        """A field as a graph can be asked for it: its own, one of a key, or one that is provided here."""
        kind = self.federation.kind(graph, kind_name)
        part = kind.parts.get(name) if kind is not None else None
        if kind is None:
            return None
        if part is None or part.external:
            if self.below(provided, kind_name, name) is not None:
                return part or self._usual(kind_name, name)
            if part is None or not any(name in _names(sdl.selection(key.fields)) for key in kind.keys):
                return None
        return part

    def _usual(self, kind_name: str, name: str) -> Part | None:
        type_ = self.federation.schema.type_map.get(kind_name)
        definition = type_.fields.get(name) if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) else None
        if definition is None:
            return None
        text = str(definition.type)
        return Part(name, text, text.replace("[", "").replace("]", "").replace("!", ""), text.count("["))

    def below(self, provided: Provided, kind_name: str, name: str) -> Provided | None:
        """What of ``provided`` lies below a field of an object of that type; None where the field itself is not in it."""
        found: list[SelectionSetNode] = []
        hit = False
        for one in provided:
            for node in one.selections:
                if isinstance(node, InlineFragmentNode):
                    condition = node.type_condition.name.value if node.type_condition else kind_name
                    if condition == kind_name or condition in self.federation.interfaces.get(kind_name, ()):
                        inner = self.below((node.selection_set,), kind_name, name)
                        hit = hit or inner is not None
                        found.extend(inner or ())
                elif isinstance(node, FieldNode) and node.name.value == name:
                    hit = True
                    found.extend([node.selection_set] if node.selection_set else ())
        return tuple(found) if hit else None

    def within(self, graph: str, kind_name: str, part: Part, provided: Provided) -> Provided:
        """What is told besides below a field: what it provides, what was provided above, and what of a key lies there."""
        kind = self.federation.kind(graph, kind_name)
        keys = tuple(sdl.selection(key.fields) for key in kind.keys) if kind is not None else ()
        own = (sdl.selection(part.provides),) if part.provides else ()
        return (*own, *(self.below(provided, kind_name, part.name) or ()), *(self.below(keys, kind_name, part.name) or ()))

    def members(self, graph: str, named: str) -> tuple[str, ...]:
        """The types that objects of a graph's type are of."""
        kind = self.federation.kind(graph, named)
        return kind.members if kind is not None and kind.abstract else (named,)

    # -- what can be had -----------------------------------------------------------------------------------------

    def leaves(self, type_name: str) -> frozenset[str]:
        """The plain fields that keys of a type are made of."""
        return frozenset(one.name for door in self.to(type_name) for one in self.selected(type_name, door.key) if not one.children)

    def ways(self, type_name: str, starts: Mapping[Standing, Provided], hosted: frozenset[str] = frozenset()) -> Ways:
        """The doors whose keys can be had by who stands at ``starts``, or has the plain fields ``hosted``."""
        plain = not any(starts.values()) and not hosted
        name = (type_name, frozenset(starts))
        if plain and name in self._ways:
            return self._ways[name]
        there = dict(starts)
        found: dict[str, list[Way]] = {}
        waiting = list(self.to(type_name))
        round_ = 0
        while waiting:
            ready = [door for door in waiting if self._all(there, self.selected(type_name, door.key), hosted)]
            if not ready:
                break
            for door in ready:
                found.setdefault(door.graph, []).append(Way(round_, door))
            there |= {(door.graph, door.kind): () for door in ready if (door.graph, door.kind) not in there}
            waiting = [door for door in waiting if door not in ready]
            round_ += 1
        made = {graph: tuple(some) for graph, some in found.items()}
        if plain and not self._under_way:
            self._ways[name] = made
        return made

    def _all(self, there: Mapping[Standing, Provided], selections: Iterable[Selected], hosted: frozenset[str] = frozenset()) -> bool:
        return all(
            one.name == "__typename"
            or (one.name in hosted and not one.children)
            or any(self._has(standing, provided, one) for standing, provided in there.items())
            for one in selections
        )

    def _has(self, standing: Standing, provided: Provided, one: Selected) -> bool:
        graph, kind = standing
        part = self.part(graph, kind, one.name, provided)
        if part is None or part.requires:
            return False
        inner = self.within(graph, kind, part, provided)
        for member in self.members(graph, part.named) if one.children else ():
            below = one.children.get(member)
            if below is None:  # an interface that one type stands for
                below = next(iter(one.children.values()))
            if not self._all(self._from(member, (graph, member), inner), below):
                return False
        return True

    def _from(self, type_name: str, standing: Standing, provided: Provided) -> Mapping[Standing, Provided]:
        """All that can be reached of an object from one graph."""
        here: dict[Standing, Provided] = {standing: provided}
        if (type_name, standing) in self._under_way:
            return here
        self._under_way.add((type_name, standing))
        try:
            ways = self.ways(type_name, here)
        finally:
            self._under_way.discard((type_name, standing))
        return here | {
            (way.door.graph, way.door.kind): () for some in ways.values() for way in some if (way.door.graph, way.door.kind) != standing
        }


def _names(selection: SelectionSetNode) -> set[str]:
    return {node.name.value for node in selection.selections if isinstance(node, FieldNode)}
