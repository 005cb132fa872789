"""Operations of services that say what they take and bring, as relations of ``Found``: for WSDLs and for gRPC. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.operations import Element, Operation
from hub.introspect.found import Param, Relation
from hub.introspect.shapes import Document, Rows, columns, rows_of

Formats = Mapping[str, tuple[str, str]]
_MOST_KEYS = re.compile(r"(?:至多|最多|不超过|上限|up to|at most|max\w*)\D{0,4}(\d{1,4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Comments:
    """What a description says in words: by name of operation, type, and element within a type. ``texts`` are values that a type lists."""

    operations: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    elements: Mapping[tuple[str, str], str] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of_element(self, owner: str, name: str) -> str:
        """The comment of an element, or ``@attribute``, within a type; else of any element of that name."""
        own = self.elements.get((owner, name.removeprefix("@")))
        return own or next((text for (_, each), text in self.elements.items() if each == name.removeprefix("@")), "")


def relation(one: Operation, said: Comments, formats: Formats, notes: list[str], *, source: str, row: str = "") -> Relation | None:
    """An operation with what it can be asked by and where its rows lie; None, with a note, where it brings none. ``formats`` are the type
    and format of JSON Schema of each built-in type, ``source`` the word for the kind, ``row`` the type of an answer that is a row itself.
    """
    schemas: dict[str, Any] = {}
    document = Document({"components": {"schemas": schemas}})
    answer = _object(one.output, row, said, formats, schemas)
    schemas |= {row: answer} if row else {}
    schema = document.schema({"$ref": f"#/components/schemas/{row}"} if row else answer)
    rows: Rows | None = rows_of(document, schema, wrapped_in_any=True)
    if rows is None:
        notes.append(f"Left out: {one.name}; its answer is no rows.")
        return None
    if rows.code:
        notes.append(f"Its answers carry a code of their own: say which one means that nothing was found, by `errors` on @{source}.")
    ways = _ways(one, said)
    place = {"operation": one.name, "at": rows.at, "ways": {param.name: way for way, param in ways}}
    comment = said.types.get(rows.schema.name) or said.operations.get(one.name, "")
    return Relation(
        one.name,
        columns(document, rows.schema),
        comment,
        params=tuple(param for _, param in ways),
        many=rows.many or one.many,
        row=rows.schema.name or one.name,
        place=place,
    )


def _ways(one: Operation, said: Comments) -> list[tuple[tuple[str, ...], Param]]:
    """Every value that an operation takes, with its way into the input; called by its own name where no other is called so."""
    found = list(_leaves(one.input, one.name, (), True, False))
    names = Counter(way[-1] for way, *_ in found)
    made = []
    for way, required, each, owner in found:
        comment = said.of_element(owner, way[-1])
        told = _MOST_KEYS.search(comment)
        most = each.most or (int(told[1]) if told else 0)
        name = way[-1] if names[way[-1]] == 1 else ".".join(way)
        made.append((way, Param(name, required, each.many, _head(comment), most=most)))
    return made


Leaf = tuple[tuple[str, ...], bool, Element, str]


def _leaves(elements: Iterable[Element], owner: str, before: tuple[str, ...], required: bool, many: bool) -> Iterator[Leaf]:
    """(way, whether it has to be given, the element, the type around it). Within what comes several times nothing takes several keys."""
    for one in elements:
        way, needed = (*before, one.name), required and not one.nullable
        if one.inside:
            yield from _leaves(one.inside, one.of, way, needed, many or one.many)
        else:
            yield way, needed, replace(one, many=one.many and not many), owner


def _object(elements: Iterable[Element], owner: str, said: Comments, formats: Formats, schemas: dict[str, Any]) -> dict[str, Any]:
    """Elements as JSON Schema, which the rest of ``hub add`` reads."""
    properties, required = {}, []
    for one in elements:
        node = _node(one, owner, said, formats, schemas)
        properties[one.name] = {"type": "array", "items": node, "title": said.of_element(owner, one.name)} if one.many else node
        if one.always:
            required.append(one.name)
    return {"type": "object", "properties": properties, "required": required}


def _node(one: Element, owner: str, said: Comments, formats: Formats, schemas: dict[str, Any]) -> dict[str, Any]:
    comment = said.of_element(owner, one.name)
    if one.inside:
        inner = _object(one.inside, one.of or one.name, said, formats, schemas)
        name = one.of or one.name
        if one.type:  # its text, beside its attributes, lies where it lies itself
            return {"type": "string", "title": comment}
        schemas.setdefault(name, {**inner, "title": said.types.get(name, comment)})
        return {"$ref": f"#/components/schemas/{name}"}
    kind, form = formats.get(one.type, ("string", "") if one.type else ("object", ""))
    node = {"type": kind, "title": comment, "nullable": one.nullable, **({"format": form} if form else {})}
    return {**node, "enum": list(said.texts[one.of])} if one.of in said.texts else node


def _head(comment: str) -> str:
    """The first words of a comment, which name the thing."""
    return re.split(r"[，,。;；\n]", comment.strip())[0].strip()
