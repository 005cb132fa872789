"""What each field of an answer is, written as resolvers over the registry.

An object of the answer is a ``Thing``: a type and what the rows it came from carry. A field is taken from there (S1 below) or from the
best provider whose key can be had (S2). Filtering, ordering, cutting and counting happen here, over canonical values, and are never
left to a source. Must not know how graphql-core is driven.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    get_named_type,
)

from auth.access import Rows
from connectors.paths import reader
from connectors.spi import Field
from hub.oracle.calls import Calls, Row, Wanted
from hub.oracle.figures import figures_of
from hub.oracle.pages import Unreadable, cut, matches
from hub.oracle.terms import Condition, Terms, terms_of
from hub.oracle.values import Fault, elements, parsed, read, write
from schema.identifiers import QUALITY
from schema.registry import Binding, Registry, Role, Served

Info = GraphQLResolveInfo[Any]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: its type, and what is carried. ``columns`` say how ``row`` is read; a value without one is canonical already."""

    type: str
    served: Mapping[str, Served]
    row: Row
    columns: Mapping[str, Field]


class Answer:
    """One round of one execution."""

    def __init__(self, schema: GraphQLSchema, registry: Registry, calls: Calls, denied: frozenset[str], rows: Rows | None = None) -> None:
        self.schema = schema
        self.registry = registry
        self.calls = calls
        self.denied = denied
        self.rows = rows or {}
        self.notices: Counter[tuple[str, str]] = Counter()  # by coordinate and what is odd

    def noticed(self) -> list[dict[str, Any]]:
        counts = sorted(self.notices.items())
        return [{"code": "QUALITY", "coordinate": name, "message": odd, "count": count} for (name, odd), count in counts]

    # -- fields of the root (S3, S10) ------------------------------------------------------------------------------

    def planned(self, coordinate: str, kind: GraphQLOutputType) -> bool:
        known = coordinate in self.registry.roots or get_named_type(kind).name in self.registry.aggregates
        return known or bool(self.scans(coordinate, kind)) or self.node(kind) in self.registry.keys

    def root(self, coordinate: str, info: Info, args: Mapping[str, Any]) -> Any:
        lookup = self.registry.roots.get(coordinate)
        if lookup is None:
            figures = self.registry.aggregates.get(get_named_type(info.return_type).name)
            return self._scan(coordinate, info, args) if figures is None else figures_of(self, coordinate, figures, info, args)
        if any(f"{lookup.type}.{field}" in self.denied for field in lookup.arguments.values()):
            raise Fault("FORBIDDEN")
        key = {field: self._argument(info, args, argument) for argument, field in lookup.arguments.items()}
        thing = Thing(lookup.type, {name: Served(name, column=name) for name in key}, key, {})
        return thing if self._seen(thing) and self._exists(thing) else None

    def _exists(self, thing: Thing) -> bool:
        """S3: a complete anchor that can be asked decides; if it fails, its fields say so, not the object."""
        anchor = self.registry.anchor(thing.type)
        if anchor is None or not all(name in thing.served or name in self._via(thing) for name in anchor.key):
            return True
        try:
            return bool(self._rows(thing, anchor, anchor.key))
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

    def all(self, driver: Binding, info: Info, args: Mapping[str, Any]) -> list[Thing]:
        """Everything that a scan has."""
        params = tuple((param, self._argument(info, args, name)) for name, param in driver.args.items() if args.get(name) is not None)
        columns = tuple(dict.fromkeys(name for served in driver.fields.values() for name in _columns(served)))
        rows = self.calls.rows(driver, Wanted(driver.id, None, columns, params), lambda row: True)
        return [self._thing(driver, row) for row in rows]

    # -- narrowing, ordering, hiding (S10, S13) --------------------------------------------------------------------

    def serves(self, node: str, fields: Mapping[str, Served], path: str) -> bool:
        """Whether somebody serves a plain value at ``path`` for rows that carry ``fields``."""
        return self.served(Thing(node, fields, {}, {}), path)

    def served(self, thing: Thing, path: str) -> bool:
        name, *inner = path.split(".")
        served = thing.served.get(name)
        if served is None:
            provider = self._provider(thing, name)
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
            provider = self._provider(thing, name)
            found = None if provider is None else self._lookup(thing, provider, name)
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
        """Whether all hold. One that does not decides; else one that could not be looked at is raised."""
        unknown: Fault | None = None
        for path, operator, wanted in conditions:
            try:
                if not path or not matches(operator, self.leaf(thing, path), wanted, self.leaf_type(thing.type, path)):
                    return False
            except Fault as fault:
                unknown = unknown or fault
        if unknown is not None:
            raise Fault(unknown.code)
        return True

    def _seen(self, thing: Any) -> bool:
        """S13: whether the caller may see an entity. Raises Fault when that could not be found out."""
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

    # -- fields of an object (S1, S2, S4, S5) ----------------------------------------------------------------------

    def field(self, thing: Thing, coordinate: str, info: Info, args: Mapping[str, Any]) -> Any:
        name = info.field_name
        if name in thing.served:
            return self._shaped(thing, name, info, args)
        via = self._via(thing)
        reachable = [b for b in self.registry.links.get(coordinate, ()) if all(k in thing.served or k in via for k in b.key)]
        if reachable:
            return self._link(thing, reachable[0], info, args)
        provider = self._provider(thing, name)
        if provider is None:
            raise Fault("NOT_BOUND")
        found = self._lookup(thing, provider, name)
        return None if found is None else self._shaped(found, name, info, args)

    def _provider(self, thing: Thing, name: str) -> Binding | None:
        via = self._via(thing)
        return next((b for b in self.registry.providers(thing.type, name) if all(k in thing.served or k in via for k in b.key)), None)

    def _link(self, thing: Thing, binding: Binding, info: Info, args: Mapping[str, Any]) -> Any:
        columns = tuple(dict.fromkeys(name for served in binding.fields.values() for name in _columns(served)))
        rows = self._rows(thing, binding, columns)
        if rows is None:
            return None
        things = [self._thing(binding, row) for row in rows]
        if binding.many:
            return self.listed(things, terms_of(self, info, args, binding.fields))
        return things[0] if things and self._seen(things[0]) else None

    def _lookup(self, thing: Thing, binding: Binding, name: str) -> Thing | None:
        """``thing`` as the one row of ``binding`` has it; None if its key is null or there is no row."""
        rows = self._rows(thing, binding, tuple(_columns(binding.fields[name])))
        return self._thing(binding, rows[0]) if rows else None

    def _thing(self, binding: Binding, row: Row) -> Thing:
        return Thing(binding.type, binding.fields, row, {column.name: column for column in binding.relation.fields})

    def _rows(self, thing: Thing, binding: Binding, columns: tuple[str, ...]) -> list[Row] | None:
        """What ``binding`` has for ``thing``; None if its key there is null (S2). Raises Fault, also that of obtaining the key."""
        owner = binding.type if binding.role is Role.LOOKUP else thing.type
        key = tuple(self._key(thing, name) for name in binding.key)
        if None in key:
            return None
        kinds = [self.type_of(owner, name) for name in binding.key]
        fields = [binding.relation.field(name) for name in binding.relation.keys]
        native = tuple(write(value, kind, field) for value, kind, field in zip(key, kinds, fields, strict=True))

        if not all(_same(value, text, kind, field) for value, text, kind, field in zip(key, native, kinds, fields, strict=True)):
            return []

        def belongs(row: Row) -> bool:  # S6
            try:
                return tuple(read(row.get(f.name), kind, f) for kind, f in zip(kinds, fields, strict=True)) == key
            except Fault:
                return False

        rows = self.calls.rows(binding, Wanted(binding.id, native, columns), belongs)
        if len(rows) > 1 and not binding.many:
            raise Fault("SYSTEM_BROKEN")
        return rows

    def _key(self, thing: Thing, name: str) -> Any:
        """The canonical value of a key field of ``thing``, None if it is null."""
        if name in thing.served:
            return self._carried(thing, name)
        found = self._lookup(thing, self._via(thing)[name], name)
        return None if found is None else self._carried(found, name)

    def _carried(self, thing: Thing, name: str) -> Any:
        column = thing.served[name].column or ""
        if column not in thing.columns:
            return thing.row[column]
        return read(thing.row.get(column), self.type_of(thing.type, name), thing.columns[column])

    def _via(self, thing: Thing) -> dict[str, Binding]:
        """S2: what can be obtained for ``thing`` beyond what it carries, by the best-ranked lookup of the earliest round."""
        found: dict[str, Binding] = {}
        while True:
            had = {*thing.served, *found}
            new: dict[str, Binding] = {}
            for binding in self.registry.lookups.get(thing.type, ()):
                if had.issuperset(binding.key):
                    for name in binding.fields:
                        if name not in had:
                            new.setdefault(name, binding)
            if not new:
                return found
            found.update(new)

    # -- values (S3, S7, S10, S11) ---------------------------------------------------------------------------------

    def _shaped(self, thing: Thing, name: str, info: Info, args: Mapping[str, Any]) -> Any:
        """The field ``name`` that ``thing`` carries, as graphql-core can complete it."""
        served = thing.served[name]
        if served.type is None:
            value = self._carried(thing, name)
            self._notice(value, f"{thing.type}.{name}", info.return_type)
            return value
        if served.column is None:
            found = self._embedded(served, thing.row, thing.columns)
            return found if self._seen(found) else None
        column = thing.columns[served.column]
        native = parsed(thing.row.get(served.column), column)
        if native is None:
            return None
        if served.many:
            items = [self._item(served, item, column) for item in elements(native, column)]
            return self.listed(items, terms_of(self, info, args, served.parts))
        return self._item(served, native, column)

    def _item(self, served: Served, native: Any, column: Field) -> Thing | Fault | None:
        if native is None:
            return None
        if not isinstance(native, Mapping):
            return Fault("BAD_VALUE")
        row = {item.name: reader(item.path)(native) for item in column.items}
        try:
            return self._embedded(served, row, {item.name: item for item in column.items}, present=True)
        except Fault as fault:
            return fault

    def _embedded(self, served: Served, row: Row, columns: Mapping[str, Field], *, present: bool = False) -> Thing | None:
        """An object whose parts lie in ``row``; ``present`` if it is known to be there. Raises Fault for an unknown concrete type."""
        kind, parts = served.type or "", served.parts
        if served.typename is not None:
            value = row.get(served.typename)
            if value is None:
                return None
            variant = next((v for v in served.variants if v.value == str(value)), None)
            if variant is None:
                raise Fault("BAD_VALUE")
            kind, parts, present = variant.type, variant.parts, True
        if kind in self.registry.keys:  # a reference (S3)
            keys = {name for key in self.registry.keys[kind] for name in key}
            there = all(row.get(part.column or "") is not None for name, part in parts.items() if name in keys)
        else:
            there = present or any(row.get(name) is not None for part in parts.values() for name in _columns(part))  # S11
        return Thing(kind, parts, row, columns) if there else None

    def listed(self, things: list[Any], terms: Terms) -> Any:
        """The rows of a list as its type wants them: those that are seen and meet the filter, as a list or a connection."""
        kept = [one for one in things if not isinstance(one, Thing) or self._meets(one, [*terms.filters, *self._rules(one)])]
        if terms.window is None:
            return kept
        return cut([(tuple(self.leaf(thing, step.path) for step in terms.window.order), thing) for thing in kept], terms.window)

    def node(self, kind: GraphQLOutputType) -> str:
        name = get_named_type(kind).name
        return self.registry.connections.get(name, name)

    def _argument(self, info: Info, args: Mapping[str, Any], name: str) -> Any:
        return self.canonical(args.get(name), info.parent_type.fields[info.field_name].args[name].type)

    def canonical(self, value: Any, kind: Any) -> Any:
        """A value that came in through ``kind``, as it goes out."""
        if isinstance(value, list):
            return [self.canonical(item, kind) for item in value]
        named = self.schema.get_type(get_named_type(kind).name)
        return named.coerce_output_value(value) if value is not None and isinstance(named, GraphQLScalarType) else value

    def _notice(self, value: Any, coordinate: str, kind: GraphQLOutputType) -> None:
        """S7: an identifier that fails its check is served as it is, and said to be doubtful."""
        check = QUALITY.get(get_named_type(kind).name)
        if check is None:
            return
        for item in value if isinstance(value, list) else [value]:
            odd = check(item) if isinstance(item, str) else None
            if odd is not None:
                self.notices[coordinate, odd] += 1

    def type_of(self, type_name: str, field: str) -> GraphQLOutputType:
        """The type of a field; of a key that the public schema does not show, text."""
        kind = self.schema.get_type(type_name)
        return kind.fields[field].type if isinstance(kind, GraphQLObjectType) and field in kind.fields else GraphQLString


def _columns(served: Served) -> Iterator[str]:
    """The columns of the row that hold ``served``; what is inside a list lies in its one column."""
    if served.column is not None:
        yield served.column
        return
    if served.typename is not None:
        yield served.typename
    for parts in (served.parts, *(variant.parts for variant in served.variants)):
        for part in parts.values():
            yield from _columns(part)


def _same(value: Any, native: Any, kind: GraphQLOutputType, field: Field) -> bool:
    """S6: a key that its source cannot write (``07`` in a column of numbers) has no row there."""
    try:
        return bool(read(native, kind, field) == value)
    except Fault:
        return False
