"""Reads a connector's ``Settings`` from plain data, as a manifest's source directive gives it.

Words are the manifest's (``maxBytes``), fields are Python's (``max_bytes``). Whatever is unknown or of the wrong shape is refused
by name, with the nearest known word. Must not know any kind of system.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from connectors.spi import Options, Secret, SourceError

T = TypeVar("T")


def read(kind: type[T], data: Mapping[str, Any], at: str = "") -> T:
    """An instance of the dataclass ``kind`` from ``data``; ``at`` is where that lies, for messages.

    A field of type ``Secret`` takes a ``Secret`` only (a name that nobody resolved must not go onto the wire), unless its
    metadata says ``plain``: then text is taken too, and hidden. Raises SourceError (config).
    """
    hints = get_type_hints(kind)
    known = {word(one.name): one for one in fields(kind)}  # type: ignore[arg-type]  # T is a dataclass by contract
    for name in data:
        if name not in known:
            raise refused(f"unknown setting '{at}{name}'{nearest(name, known)}")
    values = {}
    for name, one in known.items():
        if name in data and data[name] is not None:
            values[one.name] = _value(hints[one.name], data[name], at + name, plain=bool(one.metadata.get("plain")))
        elif one.default is MISSING and one.default_factory is MISSING:
            raise refused(f"setting '{at}{name}' is missing")
    return kind(**values)


def word(name: str) -> str:
    """``max_bytes`` → ``maxBytes``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def nearest(name: str, known: Iterable[str]) -> str:
    """`` (did you mean 'base'?)`` for the nearest known name, or nothing."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean '{found[0]}'?)" if found else ""


def refused(message: str, detail: str = "") -> SourceError:
    """A fault of the manifest or the deployment, in the words that an author reads."""
    return SourceError("config", message, detail=detail)


def _value(hint: Any, value: Any, at: str, *, plain: bool = False) -> Any:
    if hint is Any:
        return value
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        taken = [part for part in inner if part is not type(None)]
        if len(taken) > 1:
            taken = [part for part in taken if isinstance(part, type) and isinstance(value, part)] or taken
        return _value(taken[0], value, at, plain=plain)
    if origin is Literal:
        if value not in inner:
            raise refused(f"setting '{at}' takes one of {', '.join(inner)}{nearest(str(value), inner)}")
        return value
    if origin is tuple:
        items = value if isinstance(value, list | tuple) else (value,)
        return tuple(_value(inner[0], item, f"{at}[{i}]") for i, item in enumerate(items))
    if origin is Mapping and isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value):
        value = {str(item.get("name")): item.get("value") for item in value}  # SDL has no maps: [{name: "X", value: "1"}]
    if origin is Mapping or hint is Options:
        if not isinstance(value, Mapping):
            raise refused(f"setting '{at}' has to be an object")
        if hint is Options:
            return Options(value)
        return {str(name): _value(inner[1], item, f"{at}.{name}") for name, item in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise refused(f"setting '{at}' has to be an object")
        return read(hint, value, f"{at}.")
    if hint is Secret:
        return _secret(value, at, plain)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise refused(f"setting '{at}' has to be of type {hint.__name__}")
    return value


def _secret(value: Any, at: str, plain: bool) -> Secret:
    if isinstance(value, Secret):
        return value
    if plain and isinstance(value, str):
        return Secret(value)
    raise refused(f"setting '{at}' is a secret that was not resolved")
