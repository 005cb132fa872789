"""A GraphQL service as ``Found``, by introspection or from its schema in a file (SDL, or the JSON of an introspection).

Raises SourceError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_required_argument,
    is_scalar_type,
)

from connectors.spi import SourceError
from hub.introspect.documents import data_of, posted, text_of
from hub.introspect.found import Column, ColumnType, Found, Param, Relation
from hub.introspect.terms import plain

_SCALARS: Mapping[str, ColumnType] = {
    "ID": "id", "String": "text", "Int": "int", "Float": "float", "Boolean": "bool", "Long": "bigint", "BigInt": "bigint",
    "Decimal": "decimal", "BigDecimal": "decimal", "Money": "decimal", "Date": "date", "LocalDate": "date", "DateTime": "datetime",
    "LocalDateTime": "datetime", "Timestamp": "datetime", "Time": "text", "JSON": "other", "JSONObject": "other", "Upload": "other",
}  # fmt: skip
_PARTS = frozenset({"first", "after", "last", "before", "limit", "offset", "page", "pagesize", "skip", "take", "pagenum"})
_DEEPEST = 2


async def find(
    *, url: str = "", schema: str = "", variable: str, fields: Sequence[str] = (), headers: Mapping[str, str] | None = None
) -> Found:
    """What an endpoint at ``url``, or the schema in a file, has. ``fields`` of its query type; all if none are named."""
    known = await _introspected(url, headers) if not schema else _read(await text_of(schema))
    query = known.query_type
    if query is None:
        raise SourceError("broken", "This schema has no query type.")
    absent = [each for each in fields if each not in query.fields]
    if absent:
        raise SourceError("missing", f"There is no field {absent[0]!r}; there are: {', '.join(sorted(query.fields))}.")
    notes: list[str] = []
    relations = [
        relation
        for name, field in query.fields.items()
        if (not fields or name in fields) and not field.deprecation_reason and (relation := _relation(name, field, notes)) is not None
    ]
    return Found("graphql", tuple(relations), source={"url": f"${{{variable}}}"}, notes=tuple(dict.fromkeys(notes)))


async def _introspected(url: str, headers: Mapping[str, str] | None) -> GraphQLSchema:
    answer = await posted(url, {"query": get_introspection_query(descriptions=True)}, headers)
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(data, Mapping) or "__schema" not in data:
        raise SourceError("denied", "The source does not tell its schema. Ask for it as a file, and give that by --schema.")
    return _built(data)


def _read(text: str) -> GraphQLSchema:
    if text.lstrip().startswith("{"):
        data = data_of(text)
        inner = data.get("data", data) if isinstance(data, Mapping) else {}
        if not isinstance(inner, Mapping) or "__schema" not in inner:
            raise SourceError("broken", "This is no introspection of a GraphQL schema.")
        return _built(inner)
    try:
        return build_schema(text)
    except (GraphQLError, TypeError) as error:
        place = error.locations[0] if isinstance(error, GraphQLError) and error.locations else None
        at = f" at {place.line}:{place.column}" if place else ""
        raise SourceError("broken", f"This is no GraphQL schema{at}: {str(error).splitlines()[0]}") from None


def _built(data: Any) -> GraphQLSchema:
    try:
        return build_client_schema(data)
    except (GraphQLError, TypeError, KeyError, ValueError) as error:
        raise SourceError("broken", "The introspection of the source cannot be read.", detail=str(error)) from None


def _relation(name: str, field: GraphQLField, notes: list[str]) -> Relation | None:
    row = get_named_type(field.type)
    if not is_object_type(row):
        if not is_scalar_type(row) and not is_enum_type(row):
            notes.append(f"Left out: {name}; {row.name} is no object type.")
        return None
    if _lists(field) > 1:
        notes.append(f"Left out: {name}; it brings lists of lists.")
        return None
    inner, at, before = _rows(row)
    params = tuple(
        Param(each, is_required_argument(argument), _is_list(argument.type), (argument.description or "").strip(), str(argument.type))
        for each, argument in field.args.items()
    )
    parts = sorted(each.name for each in params if plain(each.name) in _PARTS)
    if parts and (at or _lists(field)):
        notes.append(f"{name} hands out its rows in parts ({', '.join(parts)}); the hub takes the first that it is given.")
    columns = tuple(_columns(inner, before))
    if not columns:
        return None
    return Relation(
        name,
        columns,
        (inner.description or field.description or "").strip(),
        params=tuple(each for each in params if each.required or plain(each.name) not in _PARTS),
        many=bool(at) or bool(_lists(field)),
        row=inner.name,
        place={"field": name, **({"at": at} if at else {})},
    )


def _rows(row: GraphQLObjectType) -> tuple[GraphQLObjectType, str, str]:
    """(the type of the rows, where they lie below the field, what stands before each path): a connection is opened."""
    for at, inside in (("nodes", ""), ("edges", "node"), ("items", ""), ("list", ""), ("records", "")):
        field = row.fields.get(at)
        inner = get_named_type(field.type) if field is not None and _lists(field) == 1 else None
        if not is_object_type(inner):
            continue
        if not inside:
            return inner, at, ""
        node = get_named_type(inner.fields[inside].type) if inside in inner.fields else None
        if is_object_type(node):
            return node, at, f"{inside}."
    return row, "", ""


def _columns(row: GraphQLObjectType, before: str = "", depth: int = 0, within: frozenset[str] = frozenset()) -> Iterator[Column]:
    within |= {row.name}
    for name, field in row.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        inner, comment = get_named_type(field.type), (field.description or "").strip()
        nullable = not is_non_null_type(field.type)
        lists = _lists(field)
        if is_object_type(inner):
            if depth >= _DEEPEST or lists > 1 or inner.name in within:
                continue
            inside = tuple(each for each in _columns(inner, "", depth + 1, within) if not each.inside or depth + 1 < _DEEPEST)
            if inside:
                yield Column(before + name, "object", nullable, comment, many=bool(lists), inside=inside)
        elif lists <= 1 and (is_scalar_type(inner) or is_enum_type(inner)):
            texts = tuple(inner.values) if is_enum_type(inner) else ()
            yield Column(before + name, _type(inner), nullable, comment, many=bool(lists), texts=texts, native=inner.name)


def _type(inner: GraphQLNamedType) -> ColumnType:
    return "text" if is_enum_type(inner) else _SCALARS.get(inner.name, "text")


def _lists(field: GraphQLField) -> int:
    kind: Any = get_nullable_type(field.type)
    found = 0
    while is_list_type(kind):
        found += 1
        kind = get_nullable_type(kind.of_type)
    return found


def _is_list(kind: Any) -> bool:
    return is_list_type(get_nullable_type(kind))
