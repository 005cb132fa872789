"""What a stream brings, and how a message becomes rows: decoded, checked against the fields of its topic, its key and its mark read.

A message that cannot be read raises Poison with a reason that holds no value. Must not know protocols or storage.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson

from connectors.paths import reader
from connectors.rules import ErrorWord, Rule, compile_rules
from connectors.settings import read as settings_of
from connectors.settings import refused
from connectors.spi import Field, Relation

TOPIC = "_topic"  # where a row shows the parts of the subject or topic that it came by
COMPARED = ("text", "int", "float", "bool")  # types of columns that a store compares as the engine does
SHANGHAI = timezone(timedelta(hours=8))  # what a time without an offset means
_LONG = re.compile(rb"(?=[0-9.]{17})[0-9]+\.[0-9]|[0-9]{19}")  # a number that a quick reader may round
_WHOLE = re.compile(r"-?[0-9]+")
_TRUTH = {"1": True, "0": False, "y": True, "n": False, "是": True, "否": False, "true": True, "false": False}
_BIGGEST = 2**63 - 1


async def nothing() -> None:
    """Where a protocol has nothing to acknowledge."""


@dataclass(frozen=True, slots=True)
class Message:
    """``sequence`` is its place in ``partition`` of the stream, None where the protocol does not number; ``at`` is when the stream got it,
    in seconds since 1970, None where it does not say."""

    body: bytes
    topic: str = ""
    sequence: int | None = None
    partition: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that are applied together. ``done`` acknowledges them, after they are stored for good.

    ``origin`` names the stream's life: sequences of another one count from their beginning. ``current``: what the stream held when it was
    joined has been brought. ``missed``: it no longer holds some messages that were not read yet.
    """

    messages: Sequence[Message] = ()
    done: Callable[[], Awaitable[None]] = nothing
    origin: str = ""
    current: bool = False
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """How far a stream has been read: the last sequence of each partition."""

    origin: str = ""
    sequences: Mapping[str, int] = field(default_factory=dict)


class Poison(Exception):
    """A message that cannot be taken. ``reason`` is a code, ``place`` a path of the manifest."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{reason} {place}".strip())
        self.reason = reason
        self.place = place


@dataclass(frozen=True, slots=True)
class Words:
    """``Relation.native`` of this kind. ``path`` is the subject, topic or queue; ``key`` where a message holds its key, one path for each
    part; ``order`` where it holds its own number or time; ``deleted`` the condition under which it takes its row away; ``at`` where the
    row, or the rows, lie. ``type`` keeps types apart that one topic brings."""

    path: str
    type: str = ""
    key: tuple[str, ...] = ()
    at: str = "$"
    order: str = ""
    deleted: str = ""

    def gone(self) -> tuple[Rule, ...]:
        """``deleted``, compiled. Raises SourceError (config)."""
        when = self.deleted if self.deleted.startswith("$") else f"$.{self.deleted}"  # ``status`` is a field here, not HTTP's
        return compile_rules([ErrorWord(when, "DELETED")]) if self.deleted else ()

    def of_row(self) -> Words:
        """The same for a row as it is kept, which is what lay at ``at``."""
        return replace(self, at="$")


@dataclass(frozen=True, slots=True)
class Row:
    """``values`` are one for each compared column. ``body`` is the row as JSON; None takes away what was there."""

    key: str
    mark: float | int | None
    body: bytes | None
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Topic:
    """How one topic's messages are read. ``columns`` are those that can be compared and sorted by, in the store's order."""

    words: Words
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, relation: Relation) -> Topic:
        """Raises SourceError (config)."""
        words = settings_of(Words, relation.native, f"{relation.name}.")
        words.gone()
        try:
            for path in (*words.key, words.at, *([words.order] if words.order else [])):
                reader(path)
        except ValueError as error:
            raise refused(f"{relation.name}: {error}") from None
        return cls(words, tuple(one for one in relation.fields if one.path))

    @property
    def name(self) -> str:
        return f"{self.words.type}@{self.words.path}"

    @property
    def columns(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if comparable(one))

    def reading(self, max_bytes: int) -> Callable[[Message], list[Row]]:
        """A function from a message to its rows. It raises Poison, and nothing else whatever the message holds."""
        words = self.words
        place, mark = reader(words.at), reader(words.order) if words.order else None
        keys = [(path, reader(path), self._typed(path)) for path in words.key]
        columns = [(one, reader(one.path)) for one in self.fields]
        shown = any(one.path.startswith(TOPIC) for one in self.fields) or any(path.startswith(TOPIC) for path in words.key)
        rules = words.gone()

        def rows(message: Message) -> list[Row]:
            found = place(decoded(message.body, max_bytes))
            return [row(one, message) for one in (found if isinstance(found, list) else [found])]

        def row(found: Any, message: Message) -> Row:
            if not isinstance(found, dict):
                raise Poison("NOT_AN_OBJECT", words.at)
            if shown:
                found = {**found, TOPIC: re.split(r"[./]", message.topic)}
            parts = [_part(path, read(found), column) for path, read, column in keys]
            if any(rule.holds(0, found) for rule in rules):
                # What goes away need not carry anything but its key and its mark.
                return Row(_json(parts).decode(), _mark(mark(found), words.order) if mark else None, None, (None,) * len(self.columns))
            values = [(one, _fit(one, read(found))) for one, read in columns]
            key = _json(parts).decode() if parts else ""
            marked = _mark(mark(found), words.order) if mark else None
            return Row(key, marked, _json(found), tuple(value for one, value in values if comparable(one)))

        def safe(message: Message) -> list[Row]:
            try:
                return rows(message)
            except Poison:
                raise
            except (ValueError, TypeError, RecursionError, OverflowError, ArithmeticError):
                raise Poison("UNREADABLE") from None

        return safe

    def _typed(self, path: str) -> Field:
        """The column that lies at a key's path, which says how the key is compared."""
        return next((one for one in self.fields if one.path == path), Field(path, path))


def comparable(column: Field) -> bool:
    """Whether the store compares this column exactly as the engine does."""
    return column.type in ("date", "datetime", *COMPARED) and not column.items


def decoded(body: bytes, max_bytes: int) -> Any:
    """The JSON document of a message. Raises Poison."""
    if len(body) > max_bytes:
        raise Poison("TOO_LARGE")
    if not body.strip():
        raise Poison("EMPTY")
    try:
        return parsed(body.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise Poison("TOO_DEEP") from None
    except UnicodeDecodeError:
        raise Poison("NOT_UTF8") from None
    except ValueError:
        try:
            body.decode()
        except UnicodeDecodeError:
            raise Poison("NOT_UTF8") from None
        raise Poison("NOT_JSON") from None


def parsed(body: bytes) -> Any:
    """JSON whose numbers are exact however long they are. Raises ValueError, RecursionError."""
    if _LONG.search(body):
        return json.loads(body.decode(), parse_float=Decimal, parse_constant=_never)
    return orjson.loads(body)


def _never(constant: str) -> Any:
    raise ValueError(constant)  # NaN and Infinity are no JSON


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # whole numbers beyond 64 bits; a decimal that is longer than a float is kept as its text
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _part(path: str, value: Any, column: Field) -> Any:
    """One part of a key, in the form in which it is compared."""
    if value is None or value == "":
        raise Poison("NO_KEY", path)
    if isinstance(value, list | dict | bool):
        raise Poison("BAD_KEY", path)
    return _fit(column, value)


def _mark(value: Any, path: str) -> float | int:
    """A message's own number or time as a number, so that marks have one order however they are written."""
    if isinstance(value, str):
        text = value.strip()
        if _WHOLE.fullmatch(text):
            value = int(text)
        else:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                raise Poison("BAD_ORDER", path) from None
            value = (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).timestamp()
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Poison("NO_ORDER" if value is None else "BAD_ORDER", path)
    if abs(value) > _BIGGEST:
        raise Poison("BAD_ORDER", path)
    return value


def _fit(column: Field, value: Any) -> Any:
    """``value`` as it is compared, if it is one that the engine can read as this column's type. Raises Poison."""
    if value is None:
        if not column.nullable:
            raise Poison("MISSING", column.path)
        return None
    if column.items or column.type == "json":
        if not isinstance(value, list | dict) and not (column.format and isinstance(value, str)):
            raise Poison("WRONG_TYPE", column.path)
        return None
    if isinstance(value, list | dict):
        raise Poison("WRONG_TYPE", column.path)
    found = _READ[column.type](value) if column.type in _READ else _text(value)
    if found is None:
        raise Poison("WRONG_TYPE", column.path)
    return found


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _int(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        number = int(text) if _WHOLE.fullmatch(text) else None
    else:
        number = int(value) if value == int(value) else None
    return number if number is not None and -_BIGGEST - 1 <= number <= _BIGGEST else None


def _float(value: Any) -> float | None:
    try:
        number = None if isinstance(value, bool) else float(value)
    except ValueError:
        return None
    return number if number is not None and number - number == 0 else None


def _bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _TRUTH.get(str(value).strip().lower())


_READ: dict[str, Callable[[Any], Any]] = {"int": _int, "float": _float, "decimal": _float, "bool": _bool}
