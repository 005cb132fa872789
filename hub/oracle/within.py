"""What lies in a row: values, objects within objects, lists of them (S3, S7, S10, S11). Asks nobody.

Knows how a thing carries its fields; where other fields come from is the business of ``hub.oracle.answer``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from connectors.paths import reader
from connectors.spi import Field
from hub.oracle.calls import Row
from hub.oracle.lists import Lists
from hub.oracle.terms import terms_of
from hub.oracle.things import Asked, Thing
from hub.oracle.values import Fault, elements, parsed, read
from schema.identifiers import QUALITY
from schema.registry import Registry, Served

Info = GraphQLResolveInfo[Any] | Asked


class Within(Lists):
    """``notices`` counts what is odd, by coordinate."""

    schema: GraphQLSchema
    registry: Registry
    denied: frozenset[str]
    notices: Counter[tuple[str, str]]

    def _carried(self, thing: Thing, name: str) -> Any:
        column = thing.served[name].column or ""
        if column not in thing.columns:
            return thing.row[column]
        return read(thing.row.get(column), self.type_of(thing.type, name), thing.columns[column])

    def _shaped(self, thing: Thing, name: str, info: Info, args: Mapping[str, Any]) -> Any:
        """The field ``name`` that ``thing`` carries, as graphql-core can complete it."""
        served = thing.served[name]
        if served.type is None:
            value = self._carried(thing, name)
            self._notice(value, f"{thing.type}.{name}", info.return_type)
            return value
        if served.column is None:
            found = self._embedded(served, thing.row, thing.columns)
            return found if self.seen(found) else None
        column = thing.columns[served.column]
        native = parsed(thing.row.get(served.column), column)
        if native is None:
            return None
        if served.many:
            items = self._items(served, elements(native, column), column, info.return_type)
            return self.listed(items, terms_of(self, info, args, served.parts))
        return self._item(served, native, column)

    def _items(self, served: Served, natives: list[Any], column: Field, kind: GraphQLOutputType) -> list[Any]:
        """The elements of a list of type ``kind``, which may be lists themselves."""
        inner: Any = get_nullable_type(kind)
        inner = get_nullable_type(inner.of_type) if is_list_type(inner) else inner
        if not is_list_type(inner):
            return [self._item(served, native, column) for native in natives]
        return [
            self._inner(self._items(served, list(native), column, inner))
            if isinstance(native, list | tuple)
            else None
            if native is None
            else Fault("BAD_VALUE")
            for native in natives
        ]

    def _inner(self, things: list[Any]) -> list[Any] | Fault:
        """One list of a list of lists."""
        try:
            return self.kept(things, ())
        except Fault as fault:
            return fault

    def _item(self, served: Served, native: Any, column: Field) -> Thing | Fault | None:
        if native is None:
            return None
        if not isinstance(native, Mapping):
            return Fault("BAD_VALUE")
        row = {item.name: reader(item.path, always=item.always)(native) for item in column.items}
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
            if not present and self._nothing_shown(served):
                raise Fault("FORBIDDEN")
            there = present or any(row.get(name) is not None for name in self._telling(kind, parts))  # S11
        return Thing(kind, parts, row, columns) if there else None

    def _nothing_shown(self, served: Served) -> bool:
        """S11: whether an object in the same row has no leaf that may be seen."""
        plain = served.type is not None and served.type not in self.registry.keys and served.column is None and served.typename is None
        return plain and bool(served.parts) and not list(self._telling(served.type or "", served.parts))

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
