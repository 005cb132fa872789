"""The place of a REST relation as a template: a path, its query and a body with names in braces.

``/api/zz/list?czr={keys}&zt={status}``: ``{keys}`` stands for all keys asked for, ``{uscc}`` for the single key or a parameter of
that name. A pair of the query falls away when nothing is given for a name in it. Values are percent-encoded as they go in, so
that none can reach beyond its place. Must not know HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from urllib.parse import quote

from connectors.spi import Options

KEYS = "keys"
_UNRESERVED = re.compile(r"[0-9A-Za-z_.~,-]*").fullmatch
_NAME = re.compile(r"\{(\w+)\}")
_STATIC = "/%:@!$&'()*+,;=~?-._"


class Unfit(ValueError):
    """A value that cannot stand in an address; the message does not hold it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text with names in it, static parts percent-encoded already."""

    text: str
    names: tuple[str, ...]

    def fill(self, values: Mapping[str, str]) -> str:
        text = self.text
        for name in self.names:
            text = text.replace(f"{{{name}}}", values[name])  # written for an address, so no value holds a brace
        return text


@dataclass(frozen=True, slots=True)
class Template:
    """``path`` and ``pairs`` make the address; ``body`` is plain data with names in its texts, or None."""

    path: Piece
    pairs: tuple[Piece, ...]
    body: Any = None

    def names(self) -> frozenset[str]:
        """Every name that stands anywhere in it."""
        return frozenset((*self.path.names, *(name for pair in self.pairs for name in pair.names), *_names(self.body)))

    def optional(self) -> frozenset[str]:
        """Names that stand in the query alone: their pair falls away when they are not given."""
        bound = {*self.path.names, *_names(self.body)}
        return frozenset(name for pair in self.pairs for name in pair.names if name not in bound)

    def joins(self, name: str) -> bool:
        """Whether a list called ``name`` is written as one text; not so where it is a whole value of the body."""
        inside = any(name in piece.names for piece in (self.path, *self.pairs))
        return inside or any(name in _NAME.findall(bit) and not _NAME.fullmatch(bit) for bit in _texts(self.body))

    def target(self, values: Mapping[str, Any]) -> str:
        """The address with ``values`` in it; lists are joined by commas. Raises Unfit."""
        written = {*self.path.names, *(name for pair in self.pairs for name in pair.names)}
        texts = {name: encode(value) for name, value in values.items() if value is not None and name in written}
        missing = [name for name in self.path.names if not texts.get(name)]
        if missing:
            raise Unfit(f"nothing is given for '{missing[0]}'")
        if any(texts[name] in (".", "..") for name in self.path.names):
            raise Unfit("a path cannot hold '.' or '..'")
        query = "&".join(pair.fill(texts) for pair in self.pairs if all(name in texts for name in pair.names))
        return self.path.fill(texts) + ("?" + query if query else "")

    def content(self, values: Mapping[str, Any]) -> Any:
        """The body with ``values`` in it: a text that is one name alone becomes the value itself (``{keys}`` a list)."""
        return _filled(self.body, values)


def parse(path: str, body: Any = None) -> Template:
    """A template from a manifest's words."""
    place, _, query = path.partition("?")
    return Template(_piece(place), tuple(_piece(pair) for pair in query.split("&") if pair), body)


def encode(value: Any) -> str:
    """One value, or several joined by commas, fit for any part of an address. Raises Unfit."""
    if isinstance(value, list | tuple):
        if set(map(type, value)) == {str}:  # hundreds of codes, nearly always: nothing in them that needs another writing
            joined = ",".join(value)
            if _UNRESERVED(joined) and joined.count(",") == len(value) - 1:
                return joined
        return ",".join(encode(item) for item in value)
    try:
        return quote(text(value), safe="")
    except UnicodeEncodeError:
        raise Unfit("half of a character pair cannot be sent") from None


def text(value: Any) -> str:
    """A native value as departments write it in an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(text(item) for item in value)
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)


def plain(value: Any) -> Any:
    """A native value as JSON can hold it."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, str | bool | int | float) else text(value)


def _piece(part: str) -> Piece:
    names = _NAME.findall(part)
    static = _NAME.split(part)
    filled = "".join(quote(bit, safe=_STATIC) if i % 2 == 0 else f"{{{bit}}}" for i, bit in enumerate(static))
    return Piece(filled, tuple(names))


def _texts(body: Any) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, Mapping | list | tuple):
        for item in body.values() if isinstance(body, Mapping) else body:
            yield from _texts(item)


def _names(body: Any) -> Iterator[str]:
    for bit in _texts(body):
        yield from _NAME.findall(bit)


def _filled(body: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(body, Options | dict):
        return {name: _filled(item, values) for name, item in body.items()}
    if isinstance(body, tuple | list):
        return [_filled(item, values) for item in body]
    if not isinstance(body, str):
        return body
    alone = _NAME.fullmatch(body)
    if alone:
        return plain(values.get(alone[1]))
    return _NAME.sub(lambda match: text(values.get(match[1], "")), body)
