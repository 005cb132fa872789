"""A SOAP service as ``Found``, from its WSDL: operations that read, what they take, the rows they bring.

The WSDL and the schemas it imports are handed back as files to lie beside the manifest. Raises SourceError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from connectors.settings import refused
from connectors.soap.documents import IMPORTS, Folder, gather, origin, read_xml, written
from connectors.soap.wsdl import Service
from connectors.spi import SourceError
from hub.introspect.documents import MOST, bytes_of, is_address
from hub.introspect.found import Found
from hub.introspect.operations import Comments, relation

_READS = re.compile(r"(query|search|list|find|fetch|select|get|read|load|cx|chaxun|hq|huoqu|查询|检索|获取)", re.IGNORECASE)
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
        if not operations and not _READS.search(f"{one.name} {said.comments.operations.get(one.name, '')}"):
            notes.append(f"Left out: {one.name}; its name does not say that it only reads. If it does, name it by --operation.")
            continue
        made = relation(one, said.comments, _FORMATS, notes, source="soap")
        if made is not None:
            relations.append(made)
    file, files = _files(root, documents, name, beside)
    source: dict[str, Any] = {"wsdl": file, "url": f"${{{variable}}}", **({"port": port} if port else {})}
    if said.token:
        source["security"] = {"user": f"{name}.user", "secret": f"{name}.password", **({"password": "DIGEST"} if said.digest else {})}
    found = Found("soap", tuple(relations), said.title or service.title, source, tuple(dict.fromkeys(notes)))
    return Described(found, files, service.address)


def _whole(place: str) -> Path:
    return Path(place).resolve()


@dataclass(frozen=True, slots=True)
class _Said:
    """What the documents say beside messages. ``token`` and ``digest`` tell of a policy that asks for a UsernameToken."""

    title: str
    comments: Comments
    token: bool
    digest: bool

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
        return cls(title, Comments(operations, types, elements, texts), "UsernameToken" in policies, "HashPassword" in policies)


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
