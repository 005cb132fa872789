"""Cutting an answer into what comes at once and what comes later, as graphql-core's incremental executor and its work queue do.

Works on data that are there already, in which no null has moved: where a null may not be one it moves here, within what comes together,
so that a mistake in something deferred never takes away what was told before. Knows the schema, what was collected of the document, data
and located errors; no plans, no systems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLObjectType, get_named_type, get_nullable_type, is_leaf_type, is_list_type, is_non_null_type

from hub.run.collected import Collected, Fields, Grouped, Usage, Usages
from hub.run.early import MARK
from hub.run.positions import Located, Path


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """One ``@defer`` at one position: what a client is told of as pending and then as completed."""

    path: Path
    usage: Usage
    parent: Group | None


@dataclass(slots=True, eq=False)
class Piece:
    """Fields of one object that come with all of ``groups``. ``made`` is what came of it, or the error that took it away."""

    groups: Sequence[Group]
    path: Path
    kind: GraphQLObjectType
    fields: Grouped
    usages: Usages
    known: Mapping[int, Group]
    made: Made | Located | None = None
    left: bool = False  # it has been told


@dataclass(slots=True)
class Made:
    """Data of some fields with its errors, and what else comes later below them."""

    data: dict[str, Any] = field(default_factory=dict)
    errors: list[Located] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)


class _Lost(Exception):
    """A null where null may not be, on its way up."""

    def __init__(self, cause: Located) -> None:
        self.cause = cause


class Cut:
    """Cuts ``data``, whose ``errors`` are at their own positions."""

    def __init__(self, collected: Collected, data: Mapping[str, Any], errors: Sequence[Located]) -> None:
        self.collected = collected
        self.data = data
        self.errors: dict[Path, list[Located]] = {}
        for error in errors:
            self.errors.setdefault(error.path, []).append(error)

    def first(self) -> Made | Located:
        """What comes at once, or the error that leaves no data at all."""
        made, here = Made(), self.collected
        try:
            self._object(here.root, self.data, (), here.root_fields, here.root_usages, None, {}, made, made.data)
        except _Lost as lost:
            return lost.cause
        return made

    def piece(self, piece: Piece) -> Made | Located:
        """What comes in ``piece``, or the error that takes all of its groups away."""
        data: Any = self.data
        for step in piece.path:
            data = data[step]
        made = Made()
        try:
            self._fields(piece.kind, data, piece.path, piece.fields, piece.usages, piece.known, made, made.data)
        except _Lost as lost:
            return lost.cause
        return made

    # -- inside --------------------------------------------------------------------------------------------------

    def _object(
        self,
        kind: GraphQLObjectType,
        data: Mapping[str, Any],
        path: Path,
        grouped: Grouped,
        begin: Sequence[Usage],
        around: Usages | None,
        known: Mapping[int, Group],
        made: Made,
        into: dict[str, Any],
    ) -> None:
        """One object: its fields that come now, and the groups and pieces that begin there."""
        groups = []
        if begin:
            known = dict(known)
            for usage in begin:
                above = usage.parent_defer_usage
                known[id(usage)] = Group(path, usage, None if above is None else known[id(above)])
                groups.append(known[id(usage)])
        now, later = self.collected.split(grouped, around)
        self._fields(kind, data, path, now, around, known, made, into)
        made.groups += groups
        made.pieces += [Piece([known[id(usage)] for usage in usages], path, kind, fields, usages, known) for usages, fields in later]

    def _fields(
        self,
        kind: GraphQLObjectType,
        data: Mapping[str, Any],
        path: Path,
        grouped: Grouped,
        around: Usages | None,
        known: Mapping[int, Group],
        made: Made,
        into: dict[str, Any],
    ) -> None:
        for key, fields in grouped.items():
            definition = self.collected.schema.get_field(kind, fields[0].node.name.value)
            if definition is not None and key in data:
                into[key] = self._value(definition.type, data[key], (*path, key), fields, around, known, made)

    def _value(
        self, kind: Any, value: Any, path: Path, fields: Fields, around: Usages | None, known: Mapping[int, Group], made: Made
    ) -> Any:
        if value is None:
            own = self.errors.get(path, [])
            if is_non_null_type(kind):
                raise _Lost(own[0])  # whoever put the data together has told why it is null
            made.errors += own
            return None
        marks = len(made.errors), len(made.groups), len(made.pieces)
        inner = get_nullable_type(kind)
        try:
            if is_list_type(inner):
                if not self.errors and is_leaf_type(get_named_type(inner)):
                    return value
                return [self._value(inner.of_type, one, (*path, at), fields, around, known, made) for at, one in enumerate(value)]
            if is_leaf_type(inner):
                return value
            found: dict[str, Any] = {}
            name = value.get(MARK) or (inner.name if isinstance(inner, GraphQLObjectType) else None)
            if name is None:
                return found  # of an abstract type, and nothing is asked of this object
            own_kind: Any = self.collected.schema.get_type(name)
            grouped, begin = self.collected.below(own_kind, fields)
            self._object(own_kind, value, path, grouped, begin, around, known, made, found)
        except _Lost as lost:
            del made.errors[marks[0] :], made.groups[marks[1] :], made.pieces[marks[2] :]
            if is_non_null_type(kind):
                raise
            made.errors.append(lost.cause)
            return None
        return found


@dataclass(slots=True)
class _Node:
    """What is known of a group that has not been completed: its pieces, and the groups within it."""

    pieces: list[Piece] = field(default_factory=list)
    inside: list[Group] = field(default_factory=list)


class Delivery:
    """Which groups are pending, in which order they are completed and with what: the rules of graphql-core's work queue and publisher,
    for work that is all done at once."""

    def __init__(self, made: Made) -> None:
        self._nodes: dict[Group, _Node] = {}
        self._ids: dict[Group, str] = {}
        self._count = 0
        self.open: list[Group] = self._filled(self._add(made))
        for group in self.open:
            self._name(group)

    def pending(self, groups: Sequence[Group]) -> list[dict[str, Any]]:
        """Groups as they are announced."""
        return [
            {"id": self._name(group), "path": list(group.path), **({} if group.usage.label is None else {"label": group.usage.label})}
            for group in groups
        ]

    def next(self, cut: Cut) -> Completed:
        """Complete the group that has been open for longest."""
        group = self.open.pop(0)
        node = self._nodes[group]
        at = 0
        while at < len(node.pieces):  # making one may add to them
            piece = node.pieces[at]
            if piece.made is None:
                piece.made = cut.piece(piece)
                if isinstance(piece.made, Made):
                    self._add(piece.made)
            if isinstance(piece.made, Located):
                self._remove(group)
                return Completed(self._ids.pop(group), piece.made)
            at += 1
        name, told = self._ids[group], []
        for piece in node.pieces:
            if not piece.left and isinstance(piece.made, Made):
                piece.left = True
                told.append(self._placed(piece, group, piece.made))
        del self._nodes[group], self._ids[group]
        inside = self._filled(node.inside)
        self.open += inside
        return Completed(name, None, tuple(told), tuple(inside))

    # -- inside --------------------------------------------------------------------------------------------------

    def _placed(self, piece: Piece, group: Group, made: Made) -> Told:
        """A piece is told under the deepest of its groups that are open."""
        best = group
        for other in piece.groups:
            if other in self._ids and len(other.path) > len(best.path):
                best = other
        return Told(self._ids[best], piece.path[len(best.path) :], made)

    def _name(self, group: Group) -> str:
        if group not in self._ids:
            self._ids[group] = str(self._count)
            self._count += 1
        return self._ids[group]

    def _add(self, made: Made) -> list[Group]:
        """Take in new work; the groups of it that are within no other. A group within one that is over is not taken in."""
        outermost = []
        for group in sorted(made.groups, key=lambda group: len(group.path)):  # those around others first
            if group.parent is None:
                outermost.append(group)
            elif group.parent in self._nodes:
                self._nodes[group.parent].inside.append(group)
            else:
                continue
            self._nodes[group] = _Node()
        for piece in made.pieces:
            for group in piece.groups:
                if group in self._nodes:
                    self._nodes[group].pieces.append(piece)
        return outermost

    def _filled(self, groups: Sequence[Group]) -> list[Group]:
        """Groups that bring something; in the place of those that do not, the ones within them."""
        found: list[Group] = []
        for group in groups:
            if group not in self._nodes:
                continue
            if self._nodes[group].pieces:
                found.append(group)
            else:
                found += self._filled(self._nodes.pop(group).inside)
        return found

    def _remove(self, group: Group) -> None:
        node = self._nodes.pop(group, None)
        for inside in node.inside if node is not None else ():
            self._remove(inside)


@dataclass(frozen=True, slots=True)
class Told:
    """A piece as it is delivered: under which group's id, and where below its path."""

    id: str
    sub_path: Path
    made: Made


@dataclass(frozen=True, slots=True)
class Completed:
    """A group that is over: the ``error`` that took it away, or its pieces, and the groups that are announced with it."""

    id: str
    error: Located | None
    told: Sequence[Told] = ()
    announced: Sequence[Group] = ()
