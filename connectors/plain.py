"""Plain values that cross the connector interface: secrets that never print, callers, and frozen options. Knows nothing of either side."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any


class Secret:
    """A value that never prints: ``repr`` and ``str`` are stars. ``reveal`` is called where it goes onto the wire."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))


class Caller(str):
    """Who asks: an id, which is what prints, and the token that was shown, for systems that are asked in the caller's own name."""

    __slots__ = ("credential",)
    credential: Secret | None

    def __new__(cls, id: str = "", credential: Secret | None = None) -> Caller:
        made = super().__new__(cls, id)
        made.credential = credential
        return made


def credential_of(caller: str) -> Secret | None:
    """The token that a caller showed, if any."""
    return caller.credential if isinstance(caller, Caller) else None


def identity(caller: str) -> str:
    """What tells apart those who may be answered differently: one caller's tokens need not give the same rights."""
    shown = credential_of(caller)
    return str(caller) if shown is None else f"{caller} {hashlib.sha256(shown.reveal().encode()).hexdigest()}"


class Options(Mapping[str, Any]):
    """A frozen, hashable mapping of plain data: what a manifest says about one system or one relation in its kind's own words."""

    __slots__ = ("_data", "_hash")

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self._data: dict[str, Any] = {key: _freeze(value) for key, value in (data or {}).items()}
        self._hash = hash(tuple(sorted((key, repr(value)) for key, value in self._data.items())))

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Options({self._data!r})"


def _freeze(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Options(value)
    if isinstance(value, list | tuple):
        return tuple(_freeze(item) for item in value)
    return value
