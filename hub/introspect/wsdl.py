"""A SOAP service as ``Found``, from its WSDL: operations that read, what they take, the rows they bring.

The WSDL and the schemas it imports are handed back as files to lie beside the manifest. Raises SourceError.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from connectors.operations import Element, Operation
from connectors.settings import refused
from connectors.soap.documents import IMPORTS, Folder, gather, origin, read_xml, written
from connectors.soap.wsdl import Service
from connectors.spi import SourceError
from hub.introspect.documents import MOST, bytes_of, is_address
from hub.introspect.found import Found, Param, Relation
from hub.introspect.shapes import Document, Rows, columns, rows_of

_READS = re.compile(r"(query|search|list|find|fetch|select|get|read|load|cx|chaxun|hq|huoqu|查询|检索|获取)", re.IGNORECASE)
_MOST_KEYS = re.compile(r"(?:至多|最多|不超过|上限|up to|at most|max\w*)\D{0,4}(\d{1,4})", re.IGNORECASE)
_FORMATS = {
    **dict.fromkeys(("int", "short", "byte", "unsignedShort", "unsignedByte"), ("integer", "")),
    **dict.fromkeys(("integer", "long", "unsignedInt", "unsignedLong", "nonNegativeInteger", "positiveInteger"), ("integer", "int64")),
    **dict.fromkeys(("decimal", "float", "double"), ("number", "")),
    "boolean": ("boolean", ""),
    "date": ("string", "date"),
    "dateTime": ("string", "date-time"),
    "base64Binary": ("string", "binary"),
    "hexBinary": ("string", "binary"),
}


@dataclass(frozen=True, slots=True)
class Described:
    """``files`` are the documents by the name they have beside the manifest, none where they lie there already; ``address`` is where the
    WSDL says the service is."""

    found: Found
    files: Mapping[str, bytes]
    address: str


async def find(
    place: str,
    *,
    name: str,
    variable: str,
    beside: Path,
    port: str = "",
    operations: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Described:
    """What the WSDL at ``place``, a file or an address, describes. ``operations`` are names; all that read if none are named."""
    root = place if is_address(place) else _whole(place).as_uri()
    folder = Folder(_whole(place).parent, MOST)

    async def bring(at: str) -> bytes:
        if not is_address(place):
            return await folder.bring(at)
        if origin(at) != origin(place):
            raise refused("The WSDL imports a document from elsewhere; save them all into a folder and name the file.", urlsplit(at).netloc)
        return await bytes_of(at, headers)

    documents = await gather(root, bring)
    service = Service(root, documents, port)
    every = {one.name: one for one in service.operations()}
    absent = [each for each in operations if each not in every]
    if absent:
        raise SourceError("missing", f"There is no operation {absent[0]!r}; there are: {', '.join(every)}.")
    said = _Said.of(documents)
    notes: list[str] = []
    relations = []
    for one in every.values():
        if operations and one.name not in operations:
            continue
        if not operations and not _READS.search(f"{one.name} {said.operations.get(one.name, '')}"):
            notes.append(f"Left out: {one.name}; its name does not say that it only reads. If it does, name it by --operation.")
            continue
        relation = _relation(one, said, notes)
        if relation is not None:
            relations.append(relation)
    file, files = _files(root, documents, name, beside)
    source: dict[str, Any] = {"wsdl": file, "url": f"${{{variable}}}", **({"port": port} if port else {})}
    if said.token:
        source["security"] = {"user": f"{name}.user", "secret": f"{name}.password", **({"password": "DIGEST"} if said.digest else {})}
    found = Found("soap", tuple(relations), said.title or service.title, source, tuple(dict.fromkeys(notes)))
    return Described(found, files, service.address)


def _whole(place: str) -> Path:
    return Path(place).resolve()


def _relation(one: Operation, said: _Said, notes: list[str]) -> Relation | None:
    schemas: dict[str, Any] = {}
    document = Document({"components": {"schemas": schemas}})
    schema = document.schema(_object(one.output, "", said, schemas))
    rows: Rows | None = rows_of(document, schema, wrapped_in_any=True)
    if rows is None:
        notes.append(f"Left out: {one.name}; its answer is no rows.")
        return None
    if rows.code:
        notes.append("Its answers carry a code of their own: say which one means that nothing was found, by `errors` on @soap.")
    ways = _ways(one, said)
    place = {"operation": one.name, "at": rows.at, "ways": {param.name: way for way, param in ways}}
    comment = said.types.get(rows.schema.name) or said.operations.get(one.name, "")
    return Relation(
        one.name,
        columns(document, rows.schema),
        comment,
        params=tuple(param for _, param in ways),
        many=rows.many,
        row=rows.schema.name or one.name,
        place=place,
    )


def _ways(one: Operation, said: _Said) -> list[tuple[tuple[str, ...], Param]]:
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


def _object(elements: Iterable[Element], owner: str, said: _Said, schemas: dict[str, Any]) -> dict[str, Any]:
    """Elements as JSON Schema, which the rest of ``hub add`` reads."""
    properties, required = {}, []
    for one in elements:
        node = _node(one, owner, said, schemas)
        properties[one.name] = {"type": "array", "items": node, "title": said.of_element(owner, one.name)} if one.many else node
        if one.always:
            required.append(one.name)
    return {"type": "object", "properties": properties, "required": required}


def _node(one: Element, owner: str, said: _Said, schemas: dict[str, Any]) -> dict[str, Any]:
    comment = said.of_element(owner, one.name)
    if one.inside:
        inner = _object(one.inside, one.of or one.name, said, schemas)
        name = one.of or one.name
        if one.type:  # its text, beside its attributes, lies where it lies itself
            return {"type": "string", "title": comment}
        schemas.setdefault(name, {**inner, "title": said.types.get(name, comment)})
        return {"$ref": f"#/components/schemas/{name}"}
    kind, form = _FORMATS.get(one.type, ("string", "") if one.type else ("object", ""))
    node = {"type": kind, "title": comment, "nullable": one.nullable, **({"format": form} if form else {})}
    return {**node, "enum": list(said.texts[one.of])} if one.of in said.texts else node


@dataclass(frozen=True, slots=True)
class _Said:
    """What the documents say in words, which reading them for messages leaves aside: by name of operation, type, and element within a type.

    ``texts`` are the values that a simple type lists; ``token`` and ``digest`` tell of a policy that asks for a UsernameToken.
    """

    title: str
    operations: Mapping[str, str]
    types: Mapping[str, str]
    elements: Mapping[tuple[str, str], str]
    texts: Mapping[str, tuple[str, ...]]
    token: bool
    digest: bool

    def of_element(self, owner: str, name: str) -> str:
        """The comment of an element, or ``@attribute``, within a type; else of any element of that name."""
        own = self.elements.get((owner, name.removeprefix("@")))
        return own or next((text for (_, each), text in self.elements.items() if each == name.removeprefix("@")), "")

    @classmethod
    def of(cls, documents: Mapping[str, bytes]) -> _Said:
        operations: dict[str, str] = {}
        types: dict[str, str] = {}
        elements: dict[tuple[str, str], str] = {}
        texts: dict[str, tuple[str, ...]] = {}
        title, policies = "", set()
        for place, content in documents.items():
            tree = read_xml(content, place)
            for node in tree.iter():
                tag, name = _local(node), node.get("name") or ""
                if tag == "UsernameToken" or tag == "HashPassword":
                    policies.add(tag)
                elif tag == "definitions" or tag == "service":
                    title = title or _documented(node)
                elif tag == "operation" and _local(node.getparent()) == "portType":
                    operations[name] = _documented(node)
                elif tag in ("complexType", "simpleType") and name:
                    types[name] = _documented(node)
                    listed = tuple(each.get("value") or "" for each in node.iter() if _local(each) == "enumeration")
                    if listed:
                        texts[name] = listed
                elif tag in ("element", "attribute") and name and (comment := _documented(node)):
                    elements[_owner(node), name] = comment
        return cls(title, operations, types, elements, texts, "UsernameToken" in policies, "HashPassword" in policies)


def _owner(node: Any) -> str:
    """The type, or the element with a type of its own, within which an element stands."""
    around = node.getparent()
    while around is not None:
        if _local(around) in ("complexType", "element") and around.get("name"):
            return str(around.get("name"))
        around = around.getparent()
    return ""


def _documented(node: Any) -> str:
    """``documentation`` of a node, in an ``annotation`` or not, as one line."""
    for child in node:
        if _local(child) == "documentation":
            return " ".join("".join(child.itertext()).split())
        if _local(child) == "annotation":
            return _documented(child)
    return ""


def _local(node: Any) -> str:
    return str(node.tag).rpartition("}")[2] if node is not None and isinstance(node.tag, str) else ""


def _head(comment: str) -> str:
    """The first words of a comment, which name the thing."""
    return re.split(r"[，,。;；\n]", comment.strip())[0].strip()


def _files(root: str, documents: Mapping[str, bytes], name: str, beside: Path) -> tuple[str, dict[str, bytes]]:
    """(what the manifest calls the WSDL, the files to write): none where all of them lie in the manifest's folder already."""
    paths = [Path(unquote(urlsplit(place).path)) for place in documents if not is_address(place)]
    if len(paths) == len(documents) and all(path.is_relative_to(beside.resolve()) for path in paths):
        return paths[0].relative_to(beside.resolve()).as_posix(), {}
    names = {root: f"{name}.wsdl"}
    for number, place in enumerate(sorted(set(documents) - {root}), 1):
        own = re.sub(r"[^0-9A-Za-z_-]+", "-", Path(urlsplit(place).path).stem).strip("-") or "schema"
        ending = "wsdl" if b"definitions" in documents[place][:2000] else "xsd"
        called = f"{name}.{own}.{ending}"
        names[place] = called if called not in names.values() else f"{name}.{own}-{number}.{ending}"
    return names[root], {names[place]: _moved(content, place, names) for place, content in documents.items()}


def _moved(content: bytes, place: str, names: Mapping[str, str]) -> bytes:
    """A document whose imports name files of the same folder. One that imports nothing stays as it is, to the byte."""
    tree = read_xml(content, place)
    moved = False
    for node in (each for each in tree.iter() if each.tag in IMPORTS):
        for attribute in ("schemaLocation", "location"):
            target = names.get(urljoin(place, node.get(attribute) or "")) if node.get(attribute) else None
            if target:
                node.set(attribute, target)
                moved = True
    return written(tree) if moved else content
