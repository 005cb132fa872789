"""Narrowing, ordering and hiding the rows of a list (S10, S19), over things whose fields are looked up one by one.

Knows what a thing is and the caller's rules; how a field is looked up is the business of ``hub.oracle.answer``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphql import GraphQLOutputType, get_named_type

from auth.access import Rows
from hub.oracle.calls import Pending
from hub.oracle.pages import Unreadable, cut, matches
from hub.oracle.terms import Condition, Terms
from hub.oracle.things import Thing
from hub.oracle.values import Fault, least, read
from schema.registry import Binding, Served


class Lists(ABC):
    """``rows`` are the caller's rules."""

    rows: Rows

    @abstractmethod
    def provider(self, thing: Thing, name: str) -> Binding | None: ...

    @abstractmethod
    def lookup(self, thing: Thing, binding: Binding, name: str) -> Thing | None: ...

    @abstractmethod
    def type_of(self, type_name: str, field: str) -> GraphQLOutputType: ...

    def serves(self, node: str, fields: Mapping[str, Served], path: str) -> bool:
        """Whether somebody serves a plain value at ``path`` for rows that carry ``fields``."""
        return self.served(Thing(node, fields, {}, {}), path)

    def served(self, thing: Thing, path: str) -> bool:
        name, *inner = path.split(".")
        served = thing.served.get(name)
        if served is None:
            provider = self.provider(thing, name)
            served = None if provider is None else provider.fields[name]
        for part in inner:
            if served is None or served.type is None or served.many or served.typename is not None:
                return False
            served = served.parts.get(part)
        return served is not None and served.type is None and served.column is not None

    def leaf(self, thing: Thing, path: str) -> Any:
        """The value of a field, perhaps within objects; Unreadable if it is none of its type. Raises Fault if it could not be had."""
        name, *inner = path.split(".")
        if name not in thing.served:
            provider = self.provider(thing, name)
            found = None if provider is None else self.lookup(thing, provider, name)
            if found is None:
                return None
            thing = found
        served, owner = thing.served[name], thing.type
        for part in inner:
            served, owner = served.parts[part], served.type or ""
        column = served.column or ""
        if column not in thing.columns:
            return thing.row[column]
        try:
            return read(thing.row.get(column), self.type_of(owner, served.name), thing.columns[column])
        except Fault:
            return Unreadable()

    def _meets(self, thing: Thing, conditions: Iterable[Condition]) -> bool:
        """Whether all hold. One that does not decides; else the least Fault of those that could not be looked at is raised."""
        unknown: list[Fault] = []
        for path, operator, wanted in conditions:
            try:
                if not path or not matches(operator, self.leaf(thing, path), wanted, self.leaf_type(thing.type, path)):
                    return False
            except Fault as fault:
                unknown.append(fault)
        if unknown:
            raise least(unknown)
        return True

    def seen(self, thing: Any) -> bool:
        """S19: whether the caller may see an entity. Raises Fault when that could not be found out."""
        return not isinstance(thing, Thing) or self._meets(thing, self._rules(thing))

    def _rules(self, thing: Thing) -> list[Condition]:
        """A rule on a field that nobody serves lets nothing pass: a condition without a path."""
        rules = [(rule.path, rule.op.lower(), rule.value) for rule in self.rows.get(thing.type, ())]
        if all(self.served(thing, path) for path, _, _ in rules):
            return rules
        return [("", "in", ())]

    def leaf_type(self, node: str, path: str) -> GraphQLOutputType:
        *owners, last = path.split(".")
        for name in owners:
            node = get_named_type(self.type_of(node, name)).name
        return self.type_of(node, last)

    def kept(self, things: list[Any], filters: Iterable[Condition]) -> list[Any]:
        """Those that are seen and meet the filter; what is no thing stays. Raises the least Fault where that is not known, Pending once all
        have noted what they need next."""
        filters, found, unknown, pending = tuple(filters), [], [], False
        for one in things:
            try:
                if not isinstance(one, Thing) or self._meets(one, [*filters, *self._rules(one)]):
                    found.append(one)
            except Pending:
                pending = True
            except Fault as fault:
                unknown.append(fault)
        if pending:
            raise Pending
        if unknown:
            raise least(unknown)
        return found

    def known(self, things: Iterable[Any], paths: Sequence[str]) -> list[tuple[Any, ...]]:
        """The values of each at ``paths``. Raises the least Fault of those that could not be had, Pending as ``kept`` does."""
        found, unknown, pending = [], [], False
        for one in things:
            values = []
            for path in paths:
                try:
                    values.append(self.leaf(one, path))
                except Pending:
                    pending = True
                except Fault as fault:
                    unknown.append(fault)
            found.append(tuple(values))
        if pending:
            raise Pending
        if unknown:
            raise least(unknown)
        return found

    def listed(self, things: list[Any], terms: Terms) -> Any:
        """The rows of a list as its type wants them: those that are seen and meet the filter, as a list or a connection."""
        kept = self.kept(things, terms.filters)
        if terms.window is None:
            return kept
        places = self.known(kept, [step.path for step in terms.window.order])
        return cut(list(zip(places, kept, strict=True)), terms.window)
