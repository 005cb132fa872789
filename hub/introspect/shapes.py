"""JSON Schema, as OpenAPI 3.0 and 3.1 write it, as columns; and where the rows lie in a department's envelope.

Pure. References within the document are followed, ``allOf`` is merged, of alternatives the first object is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.introspect.found import Column, ColumnType
from hub.introspect.terms import plain

Node = Mapping[str, Any]
_DEEPEST = 5
_WRAPPERS = (
    "data", "result", "results", "rows", "list", "records", "items", "content", "page", "response", "body", "value", "datas", "datalist",
    "resultlist", "payload",
)  # fmt: skip
_BESIDE = re.compile(
    r"code|msg|message|success|status|ok|total|totalcount|totalsize|totalrows|totalpages|count|pages|page\w*|size|limit|offset|current|"
    r"timestamp|time|requestid|traceid|errors?|errcode|errmsg|hasnext|hasmore|next\w*|first|last|rc|ret|retcode|desc|description|version"
)
_TOTALS = ("total", "totalcount", "totalsize", "totalrows", "count", "recordstotal")


class Document:
    """One OpenAPI document."""

    def __init__(self, data: Node) -> None:
        self.data = data

    def resolve(self, node: Any) -> tuple[Node, str]:
        """(what a node is, the name of what it refers to, or empty)."""
        name = ""
        for _ in range(50):
            if not isinstance(node, Mapping):
                return {}, name
            target = node.get("$ref")
            if not isinstance(target, str):
                return node, name
            name = target.rpartition("/")[2]
            node = self._at(target)
        return {}, name

    def _at(self, target: str) -> Any:
        found: Any = self.data if target.startswith("#/") else {}
        for step in target[2:].split("/") if target.startswith("#/") else ():
            step = step.replace("~1", "/").replace("~0", "~")
            found = found.get(step) if isinstance(found, Mapping) else None
        return found

    def schema(self, node: Any, depth: int = 0) -> Schema:
        """A schema with its references followed and its parts merged."""
        found, name = self.resolve(node)
        merged: dict[str, Any] = {key: value for key, value in found.items() if key not in ("allOf", "oneOf", "anyOf")}
        properties: dict[str, Any] = dict(merged.get("properties") or {})
        parts = list(found.get("allOf") or ()) if depth < _DEEPEST else []
        for one in (*(found.get("oneOf") or ()), *(found.get("anyOf") or ())):
            inner, _ = self.resolve(one)
            if inner.get("type") != "null":
                parts.append(one)
                break
        for part in parts if depth < _DEEPEST else ():
            inner_schema = self.schema(part, depth + 1)
            properties |= inner_schema.properties
            name = name or inner_schema.name
            merged = {**inner_schema.words, **{key: value for key, value in merged.items() if value not in (None, {}, [])}}
        kinds = merged.get("type")
        nullable = bool(merged.get("nullable"))
        if isinstance(kinds, list):  # 3.1
            nullable = nullable or "null" in kinds
            kinds = next((kind for kind in kinds if kind != "null"), None)
        kind = str(kinds or ("object" if properties else "array" if "items" in merged else ""))
        return Schema(kind, name, properties, merged, nullable)


@dataclass(frozen=True, slots=True)
class Schema:
    """``words`` is what else is said."""

    kind: str
    name: str
    properties: Mapping[str, Any]
    words: Node
    nullable: bool = False


def columns(document: Document, schema: Schema, depth: int = 0, within: frozenset[str] = frozenset()) -> tuple[Column, ...]:
    """The properties of an object, in the document's order."""
    required = set(schema.words.get("required") or ())
    found = []
    for name, node in schema.properties.items():
        column = _column(document, str(name), document.schema(node), depth, within)
        found.append(replace(column, nullable=column.nullable or name not in required, always=name in required))
    return tuple(found)


def _column(document: Document, name: str, schema: Schema, depth: int, within: frozenset[str]) -> Column:
    said = schema.words
    comment = str(said.get("title") or said.get("description") or "").strip()
    if re.search(r"[.\[\]]|^\$?$", name):
        return Column(name, "other", comment=comment, native="a name that cannot stand in a path")
    texts = tuple(str(each) for each in said.get("enum") or () if each is not None)
    samples = tuple(_samples(said))
    if schema.kind == "array":
        inner = document.schema(said.get("items"))
        if inner.properties:
            deep = depth < _DEEPEST and inner.name not in within
            inside = columns(document, inner, depth + 1, within | {inner.name} if inner.name else within) if deep else ()
            return Column(name, "object", comment=comment, many=True, inside=inside, native="a list without end")
        if inner.kind in ("object", "array", ""):
            return Column(name, "other", comment=comment, many=True, native="a list of what is not said")
        one = _column(document, name, inner, depth + 1, within)
        return replace(one, comment=comment or one.comment, many=True, samples=())
    if schema.properties:
        deep = depth < _DEEPEST and (not schema.name or schema.name not in within)
        inside = columns(document, schema, depth + 1, within | {schema.name} if schema.name else within) if deep else ()
        return Column(name, "object", comment=comment, inside=inside, native="an object without end")
    kind, native = _type(schema)
    return Column(name, kind, schema.nullable, comment, samples, texts=texts, native=native)


def _type(schema: Schema) -> tuple[ColumnType, str]:
    form = str(schema.words.get("format") or "")
    match schema.kind:
        case "string" | "":
            if form in ("binary", "byte"):
                return "other", form
            if not schema.kind and not any(key in schema.words for key in ("enum", "example", "examples", "format")):
                return "other", "a type that is not said"
            return ("date" if form == "date" else "datetime" if form == "date-time" else "text"), ""
        case "integer":
            return ("bigint" if form == "int64" else "int"), ""
        case "number":
            return "decimal", ""
        case "boolean":
            return "bool", ""
    return "other", f"{schema.kind} without properties"


def _samples(said: Node) -> Iterator[Any]:
    given = said.get("examples")
    values = [said.get("example"), *(given if isinstance(given, list) else ())]
    yield from (value for value in values if isinstance(value, str | int | float) and not isinstance(value, bool))


@dataclass(frozen=True, slots=True)
class Rows:
    """Where rows lie in an answer: ``at`` from its top, ``total`` likewise. ``code`` says that the envelope has a code of its own."""

    schema: Schema
    at: str
    many: bool
    total: str = ""
    code: bool = False


def rows_of(document: Document, schema: Schema, *, wrapped_in_any: bool = False) -> Rows | None:
    """Through envelopes such as ``{code, msg, data: {list: […], total}}`` to the rows. None where there are no objects.

    ``wrapped_in_any``: an envelope may call what it holds as it likes, if it holds but one thing.
    """
    at: list[str] = []
    total, code = "", False
    for _ in range(_DEEPEST):
        if schema.kind == "array":
            inner = document.schema(schema.words.get("items"))
            return Rows(inner, ".".join(at), True, total, code) if inner.properties else None
        names = {plain(str(name)): str(name) for name in schema.properties}
        wrapper = _wrapper(document, schema, names, wrapped_in_any)
        if wrapper is None:
            break
        total = total or next((".".join([*at, names[each]]) for each in _TOTALS if each in names), "")
        code = code or any(each in names for each in ("code", "errcode", "retcode"))
        at.append(wrapper)
        schema = document.schema(schema.properties[wrapper])
    return Rows(schema, ".".join(at), False, total, code) if schema.properties else None


def _wrapper(document: Document, schema: Schema, names: Mapping[str, str], any_name: bool) -> str | None:
    """The one property that holds the rows, where all others are what an envelope has."""
    held = [name for name in _WRAPPERS if name in names and _holds(document, schema.properties[names[name]])]
    if not held and any_name:
        held = [name for name in names if _holds(document, schema.properties[names[name]])]
        held = held if len(held) == 1 else []
    if not held or not all(_BESIDE.fullmatch(each) or each in held for each in names):
        return None
    return names[held[0]]


def _holds(document: Document, node: Any) -> bool:
    schema = document.schema(node)
    if schema.kind == "array":
        return bool(document.schema(schema.words.get("items")).properties)
    return bool(schema.properties)


def with_examples(found: Iterable[Column], rows: Iterable[Any]) -> tuple[Column, ...]:
    """Columns with what example rows hold."""
    given = [row for row in rows if isinstance(row, Mapping)]
    made = []
    for column in found:
        values = [row.get(column.path) for row in given]
        if column.inside and not column.many:
            made.append(replace(column, inside=with_examples(column.inside, values)))
        elif column.inside or column.many:
            made.append(column)
        else:
            made.append(replace(column, samples=(*column.samples, *(value for value in values if value is not None))))
    return tuple(made)
