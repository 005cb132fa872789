"""Cursors: places in a list, sealed so that nobody reads or makes one, and bound to the list they were cut from.

A cursor holds the values of the row that it names in the order's terms, and a fingerprint of the list: its filter, its order, the rows
that the caller may see, how its rows are bound. Encrypted and authenticated by AES-SIV (RFC 5297), which is deterministic: the same place
has the same cursor. The coordinate is authenticated along, so a cursor of another field does not open at all.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from schema.registry import Binding

_BLOCK = 32  # bytes that a place is filled up to, so that its length tells little
_STATE = 12


class NoCursor(Exception):
    """``code`` is BAD_CURSOR for a text that is none of this field's cursors, CURSOR_EXPIRED for one of another list of this field."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class ListName:
    """What tells one list from another: its coordinate, and whatever decides which rows it has in which order (plain JSON data)."""

    coordinate: str
    state: tuple[Any, ...] = ()


class Cursors:
    """``key`` is 32 bytes that all replicas share; without one, cursors live as long as this object."""

    def __init__(self, key: bytes | None = None) -> None:
        self._siv = AESSIV(sha256(b"cursors" + key).digest() if key is not None else AESSIV.generate_key(256))
        self._epochs: dict[str, str] = {}

    def write(self, name: ListName, place: Sequence[Any]) -> str:
        """The cursor of the row whose order terms have the canonical values ``place``."""
        text = _fingerprint(name) + orjson.dumps(list(place))
        text += b" " * (-len(text) % _BLOCK)
        return base64.urlsafe_b64encode(self._siv.encrypt(text, [name.coordinate.encode()])).decode().rstrip("=")

    def read(self, name: ListName, cursor: str, width: int) -> tuple[Any, ...]:
        """The ``width`` values in a cursor of the list called ``name``. Raises NoCursor."""
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
            text = self._siv.decrypt(sealed, [name.coordinate.encode()])
        except (binascii.Error, ValueError, InvalidTag):
            raise NoCursor("BAD_CURSOR") from None
        place = orjson.loads(text[_STATE:])
        if text[:_STATE] != _fingerprint(name) or len(place) != width:
            raise NoCursor("CURSOR_EXPIRED")
        return tuple(place)

    def epoch(self, binding: Binding) -> str:
        """A short name of how the rows of ``binding`` lie: it changes when their manifest changes that."""
        found = self._epochs.get(binding.id)
        if found is None:
            text = repr((binding.id, binding.system, binding.relation, sorted(binding.fields)))
            found = self._epochs[binding.id] = sha256(text.encode()).hexdigest()[:16]
        return found


def _fingerprint(name: ListName) -> bytes:
    return sha256(orjson.dumps(name.state)).digest()[:_STATE]
