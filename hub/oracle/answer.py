"""What each field of an answer is, written as resolvers over the registry.

An object of the answer is a ``Thing``: a type and what the rows it came from carry. A field is taken from there (S1 below) or from the
best provider whose key can be had (S2). Filtering, ordering, cutting and counting happen here, over canonical values, and are never
left to a source. Must not know how graphql-core is driven.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
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

from connectors.paths import reader
from connectors.spi import Field
from hub.oracle.calls import Calls, Row, Wanted
from hub.oracle.pages import Window, cut, matches
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

    def __init__(self, schema: GraphQLSchema, registry: Registry, calls: Calls, denied: frozenset[str]) -> None:
        self.schema = schema
        self.registry = registry
        self.calls = calls
        self.denied = denied
        self.notices: Counter[tuple[str, str]] = Counter()  # by coordinate and what is odd

    def noticed(self) -> list[dict[str, Any]]:
        counts = sorted(self.notices.items())
        return [{"code": "QUALITY", "coordinate": name, "message": odd, "count": count} for (name, odd), count in counts]

    # -- fields of the root (S3, S10) ------------------------------------------------------------------------------

    def planned(self, coordinate: str, kind: GraphQLOutputType) -> bool:
        if coordinate in self.registry.writes:
            return True
        return coordinate in self.registry.roots or bool(self._scans(coordinate, kind)) or self._node(kind) in self.registry.keys

    def root(self, coordinate: str, info: Info, args: Mapping[str, Any]) -> Any:
        write = self.registry.writes.get(coordinate)
        if write is not None:
            return self._written(write, info, args)
        lookup = self.registry.roots.get(coordinate)
        if lookup is None:
            return self._scan(coordinate, info, args)
        if any(f"{lookup.type}.{field}" in self.denied for field in lookup.arguments.values()):
            raise Fault("FORBIDDEN")
        key = {field: self._argument(info, args, argument) for argument, field in lookup.arguments.items()}
        thing = Thing(lookup.type, {name: Served(name, column=name) for name in key}, key, {})
        return thing if self._exists(thing) else None

    def _written(self, binding: Binding, info: Info, args: Mapping[str, Any]) -> Thing | None:
        """S13: graphql-core runs the root fields of a mutation one after the other, so this one's turn has come."""
        params = tuple((param, self._argument(info, args, name)) for name, param in binding.args.items())
        columns = tuple(dict.fromkeys(name for served in binding.fields.values() for name in _columns(served)))
        rows = self.calls.written(binding, Wanted(binding.id, None, columns, params))
        if len(rows) > 1:
            raise Fault("OUTCOME_UNKNOWN")
        return self._thing(binding, rows[0]) if rows else None

    def _exists(self, thing: Thing) -> bool:
        """S3: a complete anchor that can be asked decides; if it fails, its fields say so, not the object."""
        anchor = self.registry.anchor(thing.type)
        if anchor is None or not all(name in thing.served or name in self._via(thing) for name in anchor.key):
            return True
        try:
            return bool(self._rows(thing, anchor, anchor.key))
        except Fault:
            return True

    def _scans(self, coordinate: str, kind: GraphQLOutputType) -> tuple[Binding, ...]:
        return tuple(self.registry.scans.get(coordinate) or self.registry.scans.get(self._node(kind), ()))

    def _scan(self, coordinate: str, info: Info, args: Mapping[str, Any]) -> Any:
        scans = self._scans(coordinate, info.return_type)
        if not scans:
            raise Fault("NOT_BOUND")
        driver, node = scans[0], self._node(info.return_type)
        window = self._window(info, args)
        filters = [
            (field, operator, self._canonical(value, self.type_of(node, field)))
            for argument, kind in self._filters(info)
            for name, operators in (args.get(argument) or {}).items()
            for field in (self.registry.filters[kind][name],)
            for operator, value in (operators or {}).items()
        ]
        for field, _, _ in filters:
            if f"{node}.{field}" in self.denied:
                raise Fault("FORBIDDEN")
            if field not in driver.fields:
                raise Fault("FILTER_NOT_PUSHABLE")
        params = tuple((param, self._argument(info, args, name)) for name, param in driver.args.items() if args.get(name) is not None)
        columns = tuple(dict.fromkeys(name for served in driver.fields.values() for name in _columns(served)))
        rows = self.calls.rows(driver, Wanted(driver.id, None, columns, params), lambda row: True)
        things = [self._thing(driver, row) for row in rows]
        kept = [thing for thing in things if all(self._matches(thing, *one) for one in filters)]
        return self._listed(kept, info, window, root=True)

    def _matches(self, thing: Thing, field: str, operator: str, wanted: Any) -> bool:
        try:
            return matches(operator, self._carried(thing, field), wanted)
        except Fault:  # what cannot be read is equal to nothing
            return False

    def _filters(self, info: Info) -> Iterator[tuple[str, str]]:
        for name, argument in info.parent_type.fields[info.field_name].args.items():
            if get_named_type(argument.type).name in self.registry.filters:
                yield name, get_named_type(argument.type).name

    # -- fields of an object (S1, S2, S4, S5) ----------------------------------------------------------------------

    def field(self, thing: Thing, coordinate: str, info: Info, args: Mapping[str, Any]) -> Any:
        name = info.field_name
        if name in thing.served:
            return self._shaped(thing, name, info, args)
        via = self._via(thing)
        reachable = [b for b in self.registry.links.get(coordinate, ()) if all(k in thing.served or k in via for k in b.key)]
        if reachable:
            return self._link(thing, reachable[0], info, args)
        provider = next((b for b in self.registry.providers(thing.type, name) if all(k in thing.served or k in via for k in b.key)), None)
        if provider is None:
            raise Fault("NOT_BOUND")
        self._shown(provider.fields[name])
        found = self._lookup(thing, provider, name)
        return None if found is None else self._shaped(found, name, info, args)

    def _link(self, thing: Thing, binding: Binding, info: Info, args: Mapping[str, Any]) -> Any:
        columns = tuple(dict.fromkeys(name for served in binding.fields.values() for name in _columns(served)))
        rows = self._rows(thing, binding, columns)
        if rows is None:
            return None
        things = [self._thing(binding, row) for row in rows]
        return self._many(things, info, args) if binding.many else next(iter(things), None)

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
            return self._embedded(served, thing.row, thing.columns)
        column = thing.columns[served.column]
        native = parsed(thing.row.get(served.column), column)
        if native is None:
            return None
        if served.many:
            return self._many([self._item(served, item, column) for item in elements(native, column)], info, args)
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
            if not present:
                self._shown(served)
            there = present or any(row.get(name) is not None for name in self._telling(kind, parts))  # S11
        return Thing(kind, parts, row, columns) if there else None

    def _shown(self, served: Served) -> None:
        """S11: an object in the same row has a leaf that may be seen. Raises Fault when it has not."""
        plain = served.type is not None and served.type not in self.registry.keys and served.column is None and served.typename is None
        if plain and served.parts and not list(self._telling(served.type or "", served.parts)):
            raise Fault("FORBIDDEN")

    def _telling(self, kind: str, parts: Mapping[str, Served]) -> Iterator[str]:
        """The columns by which an object of ``kind`` shows that it is there: those of its leaves that may be seen, and type names."""
        for name, part in parts.items():
            if f"{kind}.{name}" in self.denied:
                continue
            if part.column is not None:
                yield part.column
            elif part.typename is not None:
                yield part.typename
            else:
                yield from self._telling(part.type or "", part.parts)

    def _many(self, things: list[Any], info: Info, args: Mapping[str, Any]) -> Any:
        """The rows of a list field as its type wants them: a list or a connection."""
        return self._listed(things, info, self._window(info, args), root=False)

    def _listed(self, things: list[Any], info: Info, window: Window | None, *, root: bool) -> Any:
        if window is None:
            return things
        keys = self.registry.keys[self._node(info.return_type)][0]
        return cut([(tuple(self._carried(thing, name) for name in keys), thing) for thing in things], window, root=root)

    def _window(self, info: Info, args: Mapping[str, Any]) -> Window | None:
        """What part of a connection is asked for; None for a plain list."""
        named = get_named_type(info.return_type).name
        return Window.of(args, len(self.registry.keys[self._node(info.return_type)][0])) if named in self.registry.connections else None

    def _node(self, kind: GraphQLOutputType) -> str:
        name = get_named_type(kind).name
        return self.registry.connections.get(name, name)

    def _argument(self, info: Info, args: Mapping[str, Any], name: str) -> Any:
        return self._canonical(args.get(name), info.parent_type.fields[info.field_name].args[name].type)

    def _canonical(self, value: Any, kind: Any) -> Any:
        """A value that came in through ``kind``, as it goes out."""
        if isinstance(value, list):
            return [self._canonical(item, kind) for item in value]
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
