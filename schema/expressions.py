"""The tiny language inside a manifest's strings: paths, small objects of paths, comparisons, templates, joins.

One language, nothing more: what it cannot say is written as a connector. Each reader raises ``ExpressionError`` with the offset
of the character at which it stopped, so that a fault points into the string. Knows nothing of manifests or of evaluation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class ExpressionError(ValueError):
    """``message`` says what was expected; ``offset`` counts characters of the text from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Part:
    """A path inside an expression and where it begins there."""

    path: str
    offset: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path op value``; ``op`` is ``==``, ``!=`` or ``in`` (then ``value`` is a tuple)."""

    path: str
    op: str
    value: Any


_NAME = re.compile(r"[^\s.\[\]{}:,'\"=!<>()]+")
_STEP = re.compile(r"[^.\[\]]+")  # standing alone a path may hold what inside an expression would end it
_INDEX = re.compile(r"\[\d+\]")
_SPACE = re.compile(r"\s*")
_TEXT = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_OPERATOR = re.compile(r"==|!=|in\b")
_WORDS = {"true": True, "false": False, "null": None}
_HOLE = re.compile(r"\{([^{}]*)\}")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def read_path(text: str) -> str:
    """The whole text is one path: ``$``, ``lerep.tel``, ``list[0].code``. Returns it. Raises ExpressionError."""
    _, at = _path(text, 0, _STEP)
    if at < len(text):
        raise ExpressionError(f"unexpected {text[at]!r} in path {text!r}", at)
    return text


def read_expression(text: str) -> Part | Mapping[str, Part]:
    """A path, or an object ``{score: pf, grade: dj}``. Raises ExpressionError."""
    at = _skip(text, 0)
    if not text.startswith("{", at):
        path, end = _path(text, at)
        _end(text, end)
        return Part(path, at)
    parts: dict[str, Part] = {}
    at = _skip(text, at + 1)
    while True:
        name = _IDENTIFIER.match(text, at)
        if name is None:
            raise ExpressionError(f"expected a field's name, {_found(text, at)}", at)
        if name[0] in parts:
            raise ExpressionError(f"{name[0]!r} is given twice", at)
        at = _skip(text, name.end())
        if not text.startswith(":", at):
            raise ExpressionError(f"expected ':' after {name[0]!r}, {_found(text, at)}", at)
        start = _skip(text, at + 1)
        path, at = _path(text, start)
        parts[name[0]] = Part(path, start)
        at = _skip(text, at)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
        elif text.startswith("}", at):
            _end(text, at + 1)
            return parts
        else:
            raise ExpressionError(f"expected ',' or '}}', {_found(text, at)}", at)


def read_comparison(text: str) -> Comparison:
    """``$.code == '40401'``, ``status != 200``, ``code in ['1', '2']``. Raises ExpressionError."""
    path, at = _path(text, _skip(text, 0))
    at = _skip(text, at)
    operator = _OPERATOR.match(text, at)
    if operator is None:
        raise ExpressionError(f"expected ==, != or in, {_found(text, at)}", at)
    at = _skip(text, operator.end())
    if operator[0] != "in":
        value, at = _literal(text, at)
        _end(text, at)
        return Comparison(path, operator[0], value)
    if not text.startswith("[", at):
        raise ExpressionError(f"expected a list after 'in', {_found(text, at)}", at)
    values: list[Any] = []
    at = _skip(text, at + 1)
    while True:
        value, at = _literal(text, at)
        values.append(value)
        at = _skip(text, at)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
        elif text.startswith("]", at):
            _end(text, at + 1)
            return Comparison(path, "in", tuple(values))
        else:
            raise ExpressionError(f"expected ',' or ']', {_found(text, at)}", at)


def read_template(text: str) -> tuple[Part, ...]:
    """The ``{name}`` in a URL path, in order; ``Part.path`` is the name. Raises ExpressionError."""
    found: list[Part] = []
    rest = text
    for hole in _HOLE.finditer(text):
        if not _IDENTIFIER.fullmatch(hole[1]):
            raise ExpressionError(f"expected a name between braces, found {hole[1]!r}", hole.start() + 1)
        found.append(Part(hole[1], hole.start()))
        rest = rest[: hole.start()] + " " * len(hole[0]) + rest[hole.end() :]
    stray = re.search(r"[{}]", rest)
    if stray:
        raise ExpressionError(f"{stray[0]!r} without its partner", stray.start())
    return tuple(found)


def read_join(text: str) -> tuple[tuple[Part, Part], ...]:
    """``DSR_DM = uscc``, several joined by ``and``. Left and right of each. Raises ExpressionError."""
    pairs: list[tuple[Part, Part]] = []
    at = _skip(text, 0)
    while True:
        left, at = _name(text, at)
        at = _skip(text, at)
        if not text.startswith("=", at):
            raise ExpressionError(f"expected '=', {_found(text, at)}", at)
        right, at = _name(text, _skip(text, at + 1))
        pairs.append((left, right))
        at = _skip(text, at)
        if at == len(text):
            return tuple(pairs)
        if not re.compile(r"and\b").match(text, at):
            raise ExpressionError(f"expected 'and' or the end, {_found(text, at)}", at)
        at = _skip(text, at + 3)


def read_duration(text: str) -> float:
    """``500ms``, ``2s``, ``10m``, ``1h``, ``1d`` in seconds. Raises ExpressionError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text)
    if match is None:
        raise ExpressionError(f"{text!r} is not a time such as 500ms, 2s, 10m or 1h", 0)
    return float(match[1]) * _UNITS[match[2]]


def read_due(text: str) -> str:
    """``08:00``, a time of day, or ``26h``, ``7d``, a span. Raises ExpressionError."""
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|\d+(\.\d+)?[mhd]", text) is None:
        raise ExpressionError(f"{text!r} is neither a time of day such as 08:00 nor a span such as 26h", 0)
    return text


def read_rate(text: str) -> float:
    """``300/s``, ``600/m`` in calls per second. Raises ExpressionError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)/(s|m|h)", text)
    if match is None or float(match[1]) == 0:
        raise ExpressionError(f"{text!r} is not a rate such as 300/s or 600/m", 0)
    return float(match[1]) / _UNITS[match[2]]


def join_paths(outer: str, inner: str) -> str:
    """The path of ``inner`` when the value at ``outer`` is the row: ``("a", "b[0]")`` gives ``a.b[0]``."""
    inner = inner.removeprefix("$.") if inner.startswith("$.") else inner.removeprefix("$")
    if outer in ("", "$") or not inner:
        return inner if outer in ("", "$") else outer
    return outer + inner if inner.startswith("[") else f"{outer}.{inner}"


def _path(text: str, at: int, name: re.Pattern[str] | None = None) -> tuple[str, int]:
    start = at
    if text.startswith("$", at):
        at += 1
        if at == len(text) or text[at] not in ".[":
            return text[start:at], at
        at += text[at] == "."
    names, first = name or _NAME, True
    while True:
        step = _INDEX.match(text, at) or (names.match(text, at) if first or text[at - 1 : at] == "." else None)
        if step is None:
            raise ExpressionError(f"expected a name in the path, {_found(text, at)}", at)
        at, first = step.end(), False
        if text.startswith(".", at):
            at += 1
        elif not text.startswith("[", at):
            return text[start:at], at


def _name(text: str, at: int) -> tuple[Part, int]:
    match = _NAME.match(text, at)
    if match is None:
        raise ExpressionError(f"expected a column's name, {_found(text, at)}", at)
    return Part(match[0], at), match.end()


def _literal(text: str, at: int) -> tuple[Any, int]:
    quoted = _TEXT.match(text, at)
    if quoted:
        return quoted[1] if quoted[1] is not None else quoted[2], quoted.end()
    number = _NUMBER.match(text, at)
    if number:
        return (float(number[0]) if number[1] else int(number[0])), number.end()
    for word, value in _WORDS.items():
        if text.startswith(word, at):
            return value, at + len(word)
    raise ExpressionError(f"expected a text in quotes, a number, true, false or null, {_found(text, at)}", at)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _end(text: str, at: int) -> None:
    at = _skip(text, at)
    if at < len(text):
        raise ExpressionError(f"expected the end, {_found(text, at)}", at)


def _found(text: str, at: int) -> str:
    return f"found {text[at]!r}" if at < len(text) else "found the end"
