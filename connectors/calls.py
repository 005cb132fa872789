"""The place of an operation made ready once: which operation, what goes into its input, where rows lie.

What a manifest's ``@call`` says is checked here, by name; whether the service agrees is seen when its own description is read. For kinds
that are asked by operations; batches and idempotency for whatever is called. Holds no value, and must not know any kind of system.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from connectors.paths import steps
from connectors.settings import nearest, read, refused
from connectors.spi import Ask, Field, Options, Relation, SourceError

KEYS = "keys"
Key = tuple[Any, ...]
Way = tuple[str | int, ...]
_NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Batch:
    """``by`` the canonical key, ``match`` where it lies in each row, ``max`` how many keys at once."""

    by: Any = ""
    match: str = ""
    max: int = 0


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The header that carries the key by which the source tells a write that comes again; empty: it cannot."""

    header: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """``Relation.native`` of such a kind. ``idempotency`` is a write's; ``cache`` and ``stale`` are the engine's."""

    operation: str
    input: Any = None
    at: str = ""
    batch: Batch = field(default_factory=Batch)
    idempotency: Idempotency = field(default_factory=Idempotency)
    cache: str = ""
    stale: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """``input`` is plain data with names in its texts; ``keys_at`` where ``{keys}`` stands alone in it; ``conditions`` are columns whose
    EQ goes into it. ``at`` reads the answer. ``key_header`` carries the idempotency key, if there is one."""

    operation: str
    input: Any
    at: Way
    keys_at: tuple[Way, ...]
    joined: bool
    conditions: frozenset[str]
    key_header: str = ""

    def names(self) -> frozenset[str]:
        return frozenset(name for _, text in texts(self.input) for name in _NAME.findall(text))

    def values(self, given: Mapping[str, Any]) -> Any:
        """The input with values in it: a text that is one name alone becomes the value itself, and falls away when that is null."""
        return _filled(self.input, given)


def prepare(relation: Relation) -> Place:
    """Check and compile what the manifest says. Raises SourceError (config)."""
    words = read(Words, relation.native, f"{relation.name}.")
    given = _given(words, relation)
    found = list(texts(given))
    names = {name for _, text in found for name in _NAME.findall(text)}
    known = {KEYS, *relation.keys, *relation.args, *relation.where}
    for name in sorted(names - known):
        raise refused(f"{relation.name}: '{{{name}}}' in the input is neither a key nor an argument{nearest(name, known)}")
    if KEYS in names and len(relation.keys) != 1:
        raise refused(f"{relation.name}: '{{keys}}' needs exactly one key column")
    if relation.max_keys > 1 and KEYS not in names:
        raise refused(f"{relation.name}: a batch needs '{{keys}}' in its input")
    keys_at = tuple(way for way, text in found if text == f"{{{KEYS}}}")
    alone = {text[1:-1] for _, text in found if _NAME.fullmatch(text)}
    try:
        return Place(
            words.operation,
            given,
            steps(words.at),
            keys_at,
            joined=any(KEYS in _NAME.findall(text) and text != f"{{{KEYS}}}" for _, text in found),
            conditions=frozenset(alone & {*relation.where} - {*relation.keys, *relation.args}),
            key_header=words.idempotency.header,
        )
    except ValueError as error:
        raise refused(f"{relation.name}: {error}") from None


def _given(words: Words, relation: Relation) -> Any:
    """The input as plain data; JSON in a text where elements have names that GraphQL cannot write."""
    if not isinstance(words.input, str) or not re.match(r"\s*\{\s*\"", words.input):
        return words.input
    try:
        return json.loads(words.input)
    except ValueError:
        raise refused(f"{relation.name}: input is not JSON") from None


def capable(ask: Ask, relation: Relation, place: Place) -> Relation:
    """``relation`` with only what its place can keep: EQ by a part of the input, once for each column."""
    once = {name for name in place.conditions if sum(c.field == name and c.op == "EQ" for c in ask.where) <= 1}
    where = {name: ("EQ",) for name in sorted(once) if "EQ" in relation.where.get(name, ())}
    return replace(relation, where=Options(where), order=(), limit=False, total=False, seek=False, each=False, aggregates=())


def matched(fields: tuple[Field, ...], relation: Relation) -> tuple[Field, ...]:
    """``fields`` with the path that ``batch.match`` gives a key column without one. Raises SourceError (config)."""
    batch: Mapping[str, Any] = relation.native.get("batch") or {}
    match = str(batch.get("match", ""))
    found = tuple(replace(one, path=match) if not one.path and one.name in relation.keys else one for one in fields)
    if relation.max_keys > 1 and any(not one.path for one in found if one.name in relation.keys):
        raise refused(f"{relation.name}: a batch needs 'match', the path of the key in each row")
    return found


def sift(keys: Sequence[Key], joined: bool, unfit: Callable[[Any], str]) -> tuple[list[Key], dict[Key, SourceError]]:
    """(keys that can be asked for, faults of those that cannot). An empty text is nobody's key: asking for it may ask for all.

    ``unfit`` says why the source cannot be sent a value, or nothing; the text is for the log and does not hold it.
    """
    good: list[Key] = []
    faults: dict[Key, SourceError] = {}
    for key in keys:
        why = next((why for part in key if part is not None and (why := unfit(part))), "")
        if why:
            faults[key] = SourceError("invalid", "This key cannot be asked for.", detail=why)
        elif joined and "," in text_of(key[0]):
            faults[key] = SourceError(
                "invalid", "This key cannot be asked for.", detail="keys are joined by commas, and this one holds one"
            )
        elif all(part is not None and text_of(part) for part in key):
            good.append(key)
    return good, faults


def texts(value: Any, way: Way = ()) -> Iterator[tuple[Way, str]]:
    """Every text in plain data, with where it stands; what is in a list stands where the list does."""
    if isinstance(value, str):
        yield way, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts(inner, (*way, name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner, way)


def text_of(value: Any) -> str:
    """A native value as a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(text_of(item) for item in value)
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)


def _filled(value: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        filled = {name: _filled(inner, given) for name, inner in value.items()}
        return {name: inner for name, inner in filled.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_filled(inner, given) for inner in value]
    if not isinstance(value, str):
        return value
    alone = _NAME.fullmatch(value)
    if alone:
        return given.get(alone[1])
    return _NAME.sub(lambda match: "" if given.get(match[1]) is None else text_of(given[match[1]]), value)
