"""A case as Python text: a whole test module, to be pasted into a file and run there.

Bindings, rows and faults are plain dataclasses and plain values, so one generic printer does for all, including what is added to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any

from connectors.spi import Options
from tests.properties.generator import Case

WIDTH = 120


def printed(case: Case, check: str = "same_as_oracle") -> str:
    """A module with ``CASE`` and a test that applies the property ``check`` of ``tests.properties.checks`` to it."""
    printer = _Printer()
    parts = {part.name: getattr(case, part.name) for part in fields(case)}
    sdl = parts.pop("sdl")
    del parts["schema"]
    lines = [f"    {name}={printer.text(value, 4)}," for name, value in parts.items()]
    body = ["CASE = Case(", "    sdl=SDL,", "    schema=build_schema(SDL, assume_valid_sdl=True),", *lines, ")"]
    test = [f"async def test_case_{case.seed}_{case.size}() -> None:", f"    await checks.{check}(CASE)"]
    for module, name in (("graphql", "build_schema"), ("tests.properties", "checks"), ("tests.properties.generator", "Case")):
        printer.names.add((module, name))
    modules = sorted({module for module, _ in printer.names})
    imports = [f"from {module} import {', '.join(sorted(name for other, name in printer.names if other == module))}" for module in modules]
    return "\n".join([*imports, "", f"SDL = {_block(sdl)}", *body, "", "", *test, ""])


def _block(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""\\\n{escaped}"""'


class _Printer:
    """Writes values and remembers, in ``names``, what has to be imported for them."""

    def __init__(self) -> None:
        self.names: set[tuple[str, str]] = set()

    def text(self, value: Any, indent: int) -> str:
        """``value`` as an expression; over several lines if one is too short for it."""
        if isinstance(value, Enum):
            return f"{self.named(type(value))}.{value.name}"
        if isinstance(value, Decimal):
            return f"{self.named(Decimal)}({str(value)!r})"
        if isinstance(value, date):
            return f"{self.named(type(value))}.fromisoformat({value.isoformat()!r})"
        if isinstance(value, float) and not isfinite(value):
            return f"float({str(value)!r})"
        if isinstance(value, Options):
            return f"{self.named(Options)}({self.text(dict(value), indent)})"
        if is_dataclass(value) and not isinstance(value, type):
            given = ((f"{part.name}=", getattr(value, part.name)) for part in fields(value) if _given(part, value))
            return self.several(f"{self.named(type(value))}(", ")", given, indent)
        if isinstance(value, Mapping):
            items = ((f"{self.text(key, indent)}: ", item) for key, item in value.items())
            return self.several("{", "}", items, indent)
        if isinstance(value, set | frozenset):
            what = type(value).__name__
            return f"{what}({self.text(sorted(value, key=repr), indent)})" if value else f"{what}()"
        if isinstance(value, list):
            return self.several("[", "]", (("", item) for item in value), indent)
        if isinstance(value, tuple):
            text = self.several("(", ")", (("", item) for item in value), indent)
            return f"{text[:-1]},)" if len(value) == 1 and not text.endswith(",)") and "\n" not in text else text
        assert value is None or isinstance(value, str | int | float), type(value)
        return repr(str(value)) if isinstance(value, str) else repr(value)

    def several(self, start: str, end: str, items: Iterable[tuple[str, Any]], indent: int) -> str:
        written = [f"{name}{self.text(value, indent + 4)}" for name, value in items]
        line = f"{start}{', '.join(written)}{end}"
        if len(line) + indent <= WIDTH and "\n" not in line:
            return line
        inside = " " * (indent + 4)
        return "\n".join([start, *(f"{inside}{one}," for one in written), " " * indent + end])

    def named(self, kind: type | Callable[..., Any]) -> str:
        self.names.add((kind.__module__, kind.__name__))
        return kind.__name__


def _given(part: Any, value: Any) -> bool:
    """Whether a field of a dataclass has to be said, since it is not what it would be anyway."""
    own = getattr(value, part.name)
    if part.default is not MISSING:
        return bool(own != part.default) or type(own) is not type(part.default)
    return part.default_factory is MISSING or bool(own != part.default_factory())
