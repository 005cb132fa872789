"""What a department says went wrong in an answer that looks well: ``errors: [{when: "$.code == '40401'", code: "NOT_FOUND"}]``.

``when`` compares a path of the answer with literals: ``==``, ``!=``, ``in [..]``. ``$.`` before a path may be left out; ``status``
alone, compared with numbers, is the status of HTTP. Values are compared as text, since departments write ``40401`` and ``"40401"``
alike. Nothing more: what needs more is a connector of its own. Must not know any kind of system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from connectors.paths import reader
from connectors.settings import refused
from connectors.spi import ErrorKind, SourceError

NOT_FOUND = "NOT_FOUND"
_KINDS: dict[str, ErrorKind] = {
    "CONFIG": "config",
    "INVALID": "invalid",
    "DENIED": "denied",
    "MISSING": "missing",
    "BROKEN": "broken",
    "BUSY": "busy",
    "DOWN": "down",
    "SLOW": "slow",
}
_RULE = re.compile(r"([^\s=!]+)\s*(==|!=|in\b)\s*(.+)", re.DOTALL)
_LITERAL = re.compile(r"""\s*('[^']*'|"[^"]*"|-?\d+(?:\.\d+)?|true|false|null)\s*""")


@dataclass(frozen=True, slots=True)
class ErrorWord:
    """One entry of ``errors`` as written."""

    when: str
    code: str


@dataclass(frozen=True, slots=True)
class Rule:
    """``holds(status, document)`` says whether ``code`` is what the answer means."""

    when: str
    code: str
    holds: Callable[[int, Any], bool]


def compile_rules(words: Iterable[ErrorWord]) -> tuple[Rule, ...]:
    """Raises SourceError (config) for a condition that is none."""
    return tuple(Rule(one.when, one.code, _condition(one.when)) for one in words)


def verdict(rules: Iterable[Rule], status: int, document: Any) -> SourceError | None:
    """The error that the first fitting rule stands for; its ``code`` is the rule's.

    A code named like a kind of SourceError (BUSY, DENIED, …) is of that kind, NOT_FOUND is ``missing``, any other ``invalid``.
    """
    for rule in rules:
        if rule.holds(status, document):
            kind = "missing" if rule.code == NOT_FOUND else _KINDS.get(rule.code, "invalid")
            return SourceError(kind, "The source reports an error of its own.", detail=f"{rule.code}: {rule.when}", code=rule.code)
    return None


def _condition(when: str) -> Callable[[int, Any], bool]:
    found = _RULE.fullmatch(when.strip())
    if found is None:
        raise refused(f"errors: cannot read {when!r}; write for example $.code == '404' or status == 404")
    left, sign, right = found[1], found[2], found[3].strip()
    if sign == "in":
        if not (right.startswith("[") and right.endswith("]")):
            raise refused(f"errors: 'in' takes a list in {when!r}")
        right = right[1:-1]
    literals = list(_literals(right, when))
    wanted = frozenset(text for text, _ in literals)
    http = left == "status" and all(numeric for _, numeric in literals)
    if sign != "in" and len(wanted) != 1:
        raise refused(f"errors: '{sign}' takes one value in {when!r}")
    try:
        read = reader(left)
    except ValueError as error:
        raise refused(f"errors: {error}") from None
    negative = sign == "!="

    def holds(status: int, document: Any) -> bool:
        return (_text(status if http else read(document)) in wanted) is not negative

    return holds


def _literals(source: str, when: str) -> Iterator[tuple[str, bool]]:
    """(text, whether it is a number) of each literal between commas."""
    at = 0
    while True:
        match = _LITERAL.match(source, at)
        if match is None:
            raise refused(f"errors: a text in quotes, a number, true, false or null was expected in {when!r}")
        literal = match[1]
        quoted = literal[0] in "'\""
        yield literal[1:-1] if quoted else literal, not quoted and literal not in ("true", "false", "null")
        at = match.end()
        if at == len(source):
            return
        if source[at] != ",":
            raise refused(f"errors: unexpected {source[at]!r} in {when!r}")
        at += 1


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
