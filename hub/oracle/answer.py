"""What each field of an answer is, written as resolvers over the registry.

An object of the answer is a ``Thing``: a type and what the rows it came from carry. A field is taken from there (S1 below) or from the
best provider whose key can be had (S2). Filtering, ordering, cutting and counting happen here, over canonical values, and are never
left to a source. Must not know how graphql-core is driven.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import takewhile
from typing import Any

from graphql import (
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_non_null_type,
)

from auth.access import Rows
from hub.oracle.asked import riding
from hub.oracle.calls import Calls, Row, Wanted
from hub.oracle.choice import State, taken_from
from hub.oracle.figures import figures_of
from hub.oracle.terms import terms_of
from hub.oracle.things import Source, Thing, columns_of, same, way, with_needs
from hub.oracle.values import Fault, elements, parsed, read, write
from hub.oracle.within import Info, Within
from schema.registry import Binding, Registry, Require, Resolve, Role, Served


class Answer(Within):
    """One round of one execution."""

    def __init__(
        self,
        schema: GraphQLSchema,
        registry: Registry,
        calls: Calls,
        denied: frozenset[str],
        asked: Collection[str],
        rows: Rows | None = None,
    ) -> None:
        """``asked`` are the lookups that are asked anyway (S18), ``rows`` the rules of the caller (S19)."""
        self.asked = asked
        self.schema = schema
        self.registry = registry
        self.calls = calls
        self.denied = with_needs(registry, denied)
        self.rows = rows or {}
        self.notices: Counter[tuple[str, str]] = Counter()  # by coordinate and what is odd

    def noticed(self) -> list[dict[str, Any]]:
        counts = sorted(self.notices.items())
        return [{"code": "QUALITY", "coordinate": name, "message": odd, "count": count} for (name, odd), count in counts]

    # -- fields of the root (S3, S10) ------------------------------------------------------------------------------

    def planned(self, coordinate: str, kind: GraphQLOutputType) -> bool:
        if coordinate in self.registry.writes:
            return True
        known = coordinate in self.registry.roots or get_named_type(kind).name in self.registry.aggregates
        return known or bool(self.scans(coordinate, kind)) or self.node(kind) in self.registry.keys

    def root(self, coordinate: str, info: Info, args: Mapping[str, Any]) -> Any:
        write = self.registry.writes.get(coordinate)
        if write is not None:
            return self._written(write, info, args)
        lookup = self.registry.roots.get(coordinate)
        if lookup is None:
            figures = self.registry.aggregates.get(get_named_type(info.return_type).name)
            return self._scan(coordinate, info, args) if figures is None else figures_of(self, coordinate, figures, info, args)
        if any(f"{lookup.type}.{field}" in self.denied for field in lookup.arguments.values()):
            raise Fault("FORBIDDEN")
        key = {field: self._argument(info, args, argument) for argument, field in lookup.arguments.items()}
        thing = Thing(lookup.type, {name: Served(name, column=name) for name in key}, key, {})
        return thing if self.seen(thing) and self._exists(thing) else None

    def _written(self, binding: Binding, info: Info, args: Mapping[str, Any]) -> Thing | None:
        """S13: graphql-core runs the root fields of a mutation one after the other, so this one's turn has come."""
        params = tuple((param, self._argument(info, args, name)) for name, param in binding.args.items())
        columns = tuple(dict.fromkeys(name for served in binding.fields.values() for name in columns_of(served)))
        rows = self.calls.written(binding, Wanted(binding.id, None, columns, params))
        if len(rows) > 1:
            raise Fault("OUTCOME_UNKNOWN")
        thing = self._thing(binding, rows[0]) if rows else None
        return thing if self.seen(thing) else None

    def _exists(self, thing: Thing) -> bool:
        """S3: a complete anchor that can be asked decides; if it fails, its fields say so, not the object."""
        anchor = self.registry.anchor(thing.type)
        if anchor is None or not all(name in thing.served or name in self._via(thing) for name in anchor.key):
            return True
        try:
            return bool(self._rows(thing, anchor, ()))
        except Fault:
            return True

    def scans(self, coordinate: str, kind: GraphQLOutputType) -> tuple[Binding, ...]:
        return tuple(self.registry.scans.get(coordinate) or self.registry.scans.get(self.node(kind), ()))

    def _scan(self, coordinate: str, info: Info, args: Mapping[str, Any]) -> Any:
        scans = self.scans(coordinate, info.return_type)
        if not scans:
            raise Fault("NOT_BOUND")
        terms = terms_of(self, info, args, scans[0].fields)
        return self.listed(self.all(scans[0], info, args), terms)

    def all(self, driver: Binding, info: Info, args: Mapping[str, Any]) -> list[Any]:
        """Everything that a scan has."""
        params = tuple((param, self._argument(info, args, name)) for name, param in driver.args.items() if args.get(name) is not None)
        columns = tuple(dict.fromkeys(columns_of(driver.row)))
        rows = self.calls.rows(driver, Wanted(driver.id, None, columns, params), lambda row: True)
        return [self._element(driver, row) for row in rows]

    # -- fields of an object (S1, S2, S4, S5) ----------------------------------------------------------------------

    def field(self, thing: Thing, coordinate: str, info: Info, args: Mapping[str, Any]) -> Any:
        policy, via = self.registry.policy(coordinate), self._via(thing)
        sources: list[Source] = [Source(thing)] if info.field_name in thing.served else []
        if not sources or (policy is not Resolve.FIRST and thing.columns):
            lookups = self.registry.providers(thing.type, info.field_name)
            bindings = (*self.registry.links.get(coordinate, ()), *riding(lookups, self.asked, policy))
            sources += [Source(thing, b) for b in bindings if all(k in thing.served or k in via for k in b.key)]
        if not sources:
            raise Fault("NOT_BOUND")
        if policy is Resolve.FIRST:
            sources = self._usable(sources)
        sources = list(takewhile(lambda source: not self._unseen(source, info.field_name), sources))
        if not sources:
            raise Fault("FORBIDDEN")
        taken = taken_from([lambda source=source: self._state(source, info, args) for source in sources], policy)  # type: ignore[misc]
        return None if taken is None else self._given(sources[taken], info, args)

    def _usable(self, sources: list[Source]) -> list[Source]:
        """S15: those that some row could need where the first with a key answers: none after one whose key is always there, and none
        whose key is null wherever that of one before it is."""
        kept: list[Source] = []
        for source in sources:
            if source.binding is None:
                return [source]
            key = set(source.binding.key)
            if not any(other.binding is not None and set(other.binding.key) <= key for other in kept):
                kept.append(source)
                if self._always(source.thing, source.binding):
                    break
        return kept

    def _always(self, thing: Thing, binding: Binding) -> bool:
        """Whether the key is in every row: carried, and of a kind that may not be null."""
        owner = binding.type if binding.role is Role.LOOKUP else thing.type
        return all(name in thing.served and is_non_null_type(self.type_of(owner, name)) for name in binding.key)

    def _unseen(self, source: Source, name: str) -> bool:
        """S11: whether a source has the field as an object of which nothing may be seen. What comes after such a source is not asked
        either: it would show what a larger right does not."""
        if source.binding is not None and source.binding.role is Role.LINK:
            return False
        served = (source.binding.fields if source.binding is not None else source.thing.served)[name]
        return self._nothing_shown(served)

    def _given(self, source: Source, info: Info, args: Mapping[str, Any]) -> Any:
        """The field as one source has it."""
        if source.binding is None:
            return self._shaped(source.thing, info.field_name, info, args)
        if source.binding.role is Role.LINK:
            return self._link(source.thing, source.binding, info, args)
        found = self.lookup(source.thing, source.binding, info.field_name, info, args)
        return None if found is None else self._shaped(found, info.field_name, info, args)

    def _state(self, source: Source, info: Info, args: Mapping[str, Any]) -> State:
        """What one source makes of a field, without any regard to which part of it is asked for."""
        thing, binding = source.thing, source.binding
        try:
            if binding is not None:
                if self._keyless(thing, binding):
                    return State.KEYLESS
                if binding.role is Role.LINK:
                    rows = self._rows(thing, binding, None, info, args)
                    if binding.variants and rows and not binding.many:
                        element = self._element(binding, rows[0])
                        if isinstance(element, Fault):
                            return State.FAILED
                        return State.NULL if element is None or not self.seen(element) else State.VALUE
                    if rows and not binding.many and not self.seen(self._thing(binding, rows[0])):
                        return State.NULL
                    return State.VALUE if rows or (binding.many and rows is not None) else State.NULL
                found = self.lookup(thing, binding, info.field_name, info, args)
                if found is None:
                    return State.NULL
                thing = found
            return State.NULL if self._plain(thing, info.field_name) is None else State.VALUE
        except Fault:
            return State.FAILED

    def _keyless(self, thing: Thing, binding: Binding) -> bool:
        """S2: whether a key is null there. One that is carried and may not be null is always there."""
        return not self._always(thing, binding) and None in [self._key(thing, name) for name in binding.key]

    def _plain(self, thing: Thing, name: str) -> Any:
        """The field ``name`` that ``thing`` carries, an object or list of objects as whatever is not None if it is there. Raises Fault."""
        served = thing.served[name]
        if served.type is None:
            return self._carried(thing, name)
        if served.column is None:
            found = self._embedded(served, thing.row, thing.columns)
            return found if self.seen(found) else None
        column = thing.columns[served.column]
        native = parsed(thing.row.get(served.column), column)
        if native is None:
            return None
        return elements(native, column) if served.many else self._item(served, native, column)

    def provider(self, thing: Thing, name: str) -> Binding | None:
        """S10: the lookup that says by what rows are narrowed or ordered: the first that needs nothing but a key that can be had."""
        via, policy = self._via(thing), self.registry.policy(f"{thing.type}.{name}")
        bindings = riding(self.registry.providers(thing.type, name), self.asked, policy)
        free = (b for b in bindings if not b.requires and not b.args)
        return next((b for b in free if all(k in thing.served or k in via for k in b.key)), None)

    def _link(self, thing: Thing, binding: Binding, info: Info, args: Mapping[str, Any]) -> Any:
        rows = self._rows(thing, binding, None, info, args)
        if rows is None:
            return None
        things = [self._element(binding, row) for row in rows]
        if binding.many:
            return self.listed(things, terms_of(self, info, args, binding.fields))
        if things and isinstance(things[0], Fault):
            raise things[0]
        return things[0] if things and self.seen(things[0]) else None

    def _element(self, binding: Binding, row: Row) -> Thing | Fault | None:
        """A row as an object; of an abstract type its typename tells which."""
        if not binding.variants:
            return self._thing(binding, row)
        try:
            return self._embedded(binding.row, row, {column.name: column for column in binding.relation.fields})
        except Fault as fault:
            return fault

    def lookup(
        self, thing: Thing, binding: Binding, name: str, info: Info | None = None, args: Mapping[str, Any] | None = None
    ) -> Thing | None:
        """``thing`` as the one row of ``binding`` has it; None if its key is null or there is no row."""
        rows = self._rows(thing, binding, (name,), info, args or {})
        return self._thing(binding, rows[0]) if rows else None

    def _thing(self, binding: Binding, row: Row) -> Thing:
        return Thing(binding.type, binding.fields, row, {column.name: column for column in binding.relation.fields})

    def _rows(
        self, thing: Thing, binding: Binding, names: tuple[str, ...] | None, info: Info | None = None, args: Mapping[str, Any] | None = None
    ) -> list[Row] | None:
        """What ``binding`` has of the fields ``names`` (None: all) for ``thing``; None if its key there is null (S2), or what it requires
        is (S17). Raises Fault, also that of obtaining the key and of what is required."""
        owner = binding.type if binding.role is Role.LOOKUP else thing.type
        key = tuple(self._key(thing, name) for name in binding.key)
        if None in key:
            return None
        kinds = [self.type_of(owner, name) for name in binding.key]
        fields = [binding.relation.field(name) for name in binding.relation.keys]
        native = tuple(write(value, kind, field) for value, kind, field in zip(key, kinds, fields, strict=True))

        required = [(each, self._required(thing, each)) for each in binding.requires]
        if any(value is None and not each.nullable for each, value in required):
            return None
        params = [(each.param, value) for each, value in required]
        if info is not None:
            params += [(param, self._argument(info, args or {}, name)) for name, param in binding.args.items()]
        if not all(same(value, text, kind, field) for value, text, kind, field in zip(key, native, kinds, fields, strict=True)):
            return []
        served = [binding.row] if names is None else [binding.fields[name] for name in names]
        columns = tuple(dict.fromkeys(column for each in served for column in columns_of(each)))

        def belongs(row: Row) -> bool:  # S6
            try:
                return tuple(read(row.get(f.name), kind, f) for kind, f in zip(kinds, fields, strict=True)) == key
            except Fault:
                return False

        rows = self.calls.rows(binding, Wanted(binding.id, native, columns, tuple(params)), belongs)
        if len(rows) > 1 and not binding.many:
            raise Fault("SYSTEM_BROKEN")
        return rows

    def _required(self, thing: Thing, required: Require) -> Any:
        """S17: the value of another field of ``thing``; None if it or something on the way is null. Raises Fault."""
        notices, found = self.notices.copy(), thing
        try:
            for coordinate, info, args in way(self.schema, thing.type, required.selection):
                found = self.field(found, coordinate, info, args)
                if found is None:
                    break
            return found
        finally:
            self.notices = notices  # nobody sees the value

    def _key(self, thing: Thing, name: str) -> Any:
        """The canonical value of a key field of ``thing``, None if it is null."""
        if name in thing.served:
            return self._carried(thing, name)
        found = self.lookup(thing, self._via(thing)[name], name)
        return None if found is None else self._carried(found, name)

    def _via(self, thing: Thing) -> dict[str, Binding]:
        """S2: what can be obtained for ``thing`` beyond what it carries, by the best-ranked lookup of the earliest round."""
        found: dict[str, Binding] = {}
        while True:
            had = {*thing.served, *found}
            new: dict[str, Binding] = {}
            for binding in self.registry.lookups.get(thing.type, ()):
                if had.issuperset(binding.key) and not binding.requires and not binding.args:
                    for name in binding.fields:
                        if name not in had:
                            new.setdefault(name, binding)
            if not new:
                return found
            found.update(new)
