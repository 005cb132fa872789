"""The documents that a WSDL consists of, brought before anything reads them: files of one folder, or addresses of one origin.

``gather`` follows imports; what may be brought is decided by ``Folder`` and ``Site``, and nothing else is asked. Must not know zeep.
"""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

from lxml import etree

from connectors.http import Endpoint, refusal
from connectors.settings import refused
from connectors.spi import Call

MOST_DOCUMENTS = 200
WSDL = "http://schemas.xmlsoap.org/wsdl/"
XSD = "http://www.w3.org/2001/XMLSchema"
IMPORTS = {f"{{{XSD}}}import", f"{{{XSD}}}include", f"{{{XSD}}}redefine", f"{{{WSDL}}}import"}
KNOWN: Mapping[str, bytes] = {
    # Imported by name alone by RPC services of old; nobody sends it along.
    "http://schemas.xmlsoap.org/soap/encoding/": b"""<schema xmlns="http://www.w3.org/2001/XMLSchema"
      targetNamespace="http://schemas.xmlsoap.org/soap/encoding/"><attribute name="arrayType" type="string"/>
      <complexType name="Array"><sequence><any minOccurs="0" maxOccurs="unbounded" processContents="lax"/></sequence>
      <anyAttribute processContents="lax"/></complexType></schema>"""
}


class Folder:
    """Files of one folder and below it, each at most ``most`` bytes."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most

    async def bring(self, place: str) -> bytes:
        """The file of a ``file:`` address. Raises SourceError (config)."""
        return await asyncio.to_thread(self._read, place)

    def _read(self, place: str) -> bytes:
        parts = urlsplit(place)
        if parts.scheme != "file":
            raise refused("The WSDL imports a document from elsewhere; put it beside the manifest.", parts.netloc)
        file = Path(unquote(parts.path)).resolve()
        if not file.is_relative_to(self._folder.resolve()):
            raise refused(f"'{file.name}', which the WSDL is or imports, lies outside of the manifest's folder.")
        try:
            with file.open("rb") as opened:
                content = opened.read(self._most + 1)
        except OSError as error:
            raise refused(f"'{file.name}', which the WSDL is or imports, cannot be read.", type(error).__name__) from None
        if len(content) > self._most:
            raise refused(f"'{file.name}' is too large.")
        return content


class Site:
    """Addresses at the origin that ``endpoint`` speaks to, with its credential."""

    def __init__(self, endpoint: Endpoint, call: Call) -> None:
        self._endpoint = endpoint
        self._call = call

    async def bring(self, place: str) -> bytes:
        """What is at an address. Raises SourceError."""
        if origin(place) != self._endpoint.base:
            raise refused("The WSDL imports a document from elsewhere; put its documents beside the manifest.", urlsplit(place).netloc)
        parts = urlsplit(place)
        target = quote(parts.path, safe="/%:@!$&'()*+,;=~") + ("?" + quote(parts.query, safe="%=&;/:@?,+~") if parts.query else "")
        answer = await self._endpoint.send("GET", target, self._call, headers={"Accept": "text/xml, application/xml, */*;q=0.5"})
        wrong = refusal(answer)
        if wrong is not None:
            raise wrong
        return answer.body


def origin(url: str) -> str:
    """``https://dept.example:8443`` of an address there."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def gather(root: str, bring: Callable[[str], Awaitable[bytes]]) -> dict[str, bytes]:
    """The documents by address, beginning with ``root``. Raises SourceError: what ``bring`` raises, ``config`` for what is no XML."""
    found: dict[str, bytes] = {}
    waiting = [root]
    while waiting:
        place = waiting.pop()
        if place in found or place in KNOWN:
            continue
        if len(found) >= MOST_DOCUMENTS:
            raise refused("The WSDL imports too many documents.", f"over {MOST_DOCUMENTS}")
        found[place] = await bring(place)
        nodes = [node for node in read_xml(found[place], posixpath.basename(place)).iter() if node.tag in IMPORTS]
        waiting += [urljoin(place, location) for node in nodes if (location := node.get("schemaLocation") or node.get("location"))]
    return found


def read_xml(content: bytes, name: str) -> etree._Element:
    """A document that has no document type. Raises SourceError (config)."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
    try:
        tree = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise refused("The WSDL, or a document it imports, is not XML.", name) from None
    if tree.getroottree().docinfo.internalDTD is not None:
        raise refused("The WSDL, or a document it imports, has a document type, which is not allowed.", name)
    return tree


def written(tree: etree._Element) -> bytes:
    """A document as a file."""
    return etree.tostring(tree, xml_declaration=True, encoding="utf-8")
