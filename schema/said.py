"""What of a manifest may show in the public schema, as text: two manifests with the same text add the same.

Left out are bindings of canonical types, what is private to the system, and the words that say where rows lie. Of the rest the text is
taken as it stands, so that a word this module does not know counts as public. Must not know what is made of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from graphql.language import Location, Node

from schema.entries import Manifest
from schema.words import ROOTS

# What says where rows lie and who answers first.
UNSEEN = frozenset(
    {"entity", "field", "file", "filter", "from", "get", "join", "key", "lookup", "mock", "send", "serves", "sort", "table", "topic"}
)


def said(manifest: Manifest, canonical: Collection[str]) -> str:
    """The text of what it contributes; ``canonical`` are the names of the types that a manifest can only bind."""
    return "\n".join((manifest.name, *_pieces(manifest, canonical)))


def _pieces(manifest: Manifest, canonical: Collection[str]) -> Iterator[str]:
    for entry in manifest.types:
        if not entry.extends and (entry.name in canonical or entry.name in ROOTS):
            continue
        yield f"{entry.form} {entry.extends} {entry.name} {entry.description!r}"
        yield from _words(entry.node)
        node: Any = entry.node
        yield from (_text(each) for attribute in ("interfaces", "types") for each in getattr(node, attribute, None) or ())
        for attribute in ("fields", "values"):
            for each in getattr(node, attribute, None) or ():
                yield _head(each)
                yield from _words(each)


def _head(node: Any) -> str:
    """A field or value as it stands, without the words after it."""
    first = node.directives[0].loc if node.directives else None
    return _slice(node.loc, first.start if first is not None else None)


def _words(node: Any) -> Iterator[str]:
    return (_text(each) for each in node.directives or () if each.name.value not in UNSEEN)


def _text(node: Node) -> str:
    return _slice(node.loc, None)


def _slice(loc: Location | None, end: int | None) -> str:
    assert loc is not None
    return loc.source.body[loc.start : loc.end if end is None else end].strip()
