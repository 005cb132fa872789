"""A stream as ``Found``: sample messages, looked at on the broker or read from a file, tell where the rows lie, their columns, their key.

Looking takes nothing from anybody: what the broker still holds is read, and what comes while one waits. Must not know protocols.
Raises SourceError.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from connectors.paths import reader
from connectors.spi import SourceError
from connectors.streams import StreamSettings
from connectors.streams.keeper import quiet
from connectors.streams.link import link, load
from connectors.streams.messages import TOPIC, Message, Poison, Position, Words, decoded
from hub.introspect import evidence
from hub.introspect.found import Column, Found, Relation
from hub.introspect.leaves import flat, unfit
from hub.introspect.shapes import Document, columns, rows_of, with_examples
from hub.introspect.terms import plain

MOST, MOST_BYTES = 2000, 32 * 1024 * 1024  # messages that are looked at, and their bytes
_DEEPEST = 8  # objects in objects
_CJK = re.compile(r"[\u4e00-\u9fff]")
_CLOUD = frozenset({"specversion", "source", "type", "data"})  # what CloudEvents puts around every row
_OF_A_MESSAGE = ("messageid", "msgid", "eventid", "uuid", "guid", "traceid", "requestid", "xxid", "消息编号", "消息id", "lsh", "流水号")
_NUMBERS = ("seq", "sequence", "version", "rev", "revision", "xh", "bbh", "序号", "版本号")  # that count the messages of a key


async def looked(settings: StreamSettings, path: str, *, seconds: float) -> list[Message]:
    """What the broker holds of a subject; where it holds nothing, what comes within ``seconds``."""
    quiet()
    to = link(settings.url, settings.auth)
    found: list[Message] = []
    size = 0
    watching = load(to.protocol).watch(to, Words(path), "hub-add", False, Position())
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), aclosing(watching) as batches:  # type: ignore[type-var]  # watches are generators
            async for batch in batches:
                found += batch.messages
                size += sum(len(one.body) for one in batch.messages)
                if (found and batch.current) or len(found) >= MOST or size >= MOST_BYTES:
                    break
    return found[:MOST]


def lines(file: Path) -> list[Message]:
    """Messages from a file, one in each line."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MOST_BYTES)
    except OSError as error:
        raise SourceError("missing", f"Cannot read {file}.", detail=type(error).__name__) from None
    return [Message(one) for one in text.splitlines() if one.strip()][:MOST]


@dataclass(frozen=True, slots=True)
class Samples:
    """``rows`` are what the messages hold at ``at``, in the order in which they came; ``bad`` are the reasons of what is no row."""

    at: str
    rows: tuple[Mapping[str, Any], ...]
    columns: tuple[Column, ...]
    bad: tuple[str, ...]


def read(messages: Sequence[Message], path: str, *, max_bytes: int) -> Samples:
    """Messages taken apart as the connector takes them apart in service."""
    held: list[tuple[Message, Any]] = []
    bad: list[str] = []
    for message in messages:
        try:
            held.append((message, decoded(message.body, max_bytes)))
        except Poison as poison:
            bad.append(poison.reason)
    at = _at([body for _, body in held])
    place, rows, subjects = reader(at), [], []
    for message, body in held:
        found = place(body)
        for row in found if isinstance(found, list) else [found]:
            if isinstance(row, dict):
                rows.append({name: value for name, value in row.items() if name != TOPIC})  # the hub's own name for the subject
                subjects.append(re.split(r"[./]", message.topic))
            else:
                bad.append("NOT_AN_OBJECT")
    document = Document({})
    own = map(_unpromised, flat(with_examples(columns(document, document.schema(_schema(rows))), rows)))
    return Samples(at, tuple(rows), (*own, *_of_subject(path, subjects)), tuple(bad))


def _unpromised(column: Column) -> Column:
    """The same column, of which nobody says that each row has it: that samples do is no promise."""
    return replace(column, always=False, inside=tuple(map(_unpromised, column.inside)))


def _at(bodies: Sequence[Any]) -> str:
    """Where the rows lie in every message."""
    cloud = [body for body in bodies if isinstance(body, dict) and body.keys() >= _CLOUD]
    if cloud and len(cloud) == len(bodies):
        return "data"
    document = Document({})
    found = rows_of(document, document.schema(_schema(bodies)))
    return found.at if found else ""


def _of_subject(path: str, subjects: Sequence[Sequence[str]]) -> list[Column]:
    """A column for each part of the subject that differs from message to message."""
    places = [at for at, part in enumerate(re.split(r"[./]", path)) if part in ("*", "+")]
    known = [at for at in places if subjects and all(len(each) > at for each in subjects)]
    return [Column(f"{TOPIC}[{at}]", "text", nullable=False, samples=tuple(each[at] for each in subjects)) for at in known]


def _schema(values: Iterable[Any], depth: int = 0) -> dict[str, Any]:
    """What values are, as JSON Schema: columns are made from it as from an OpenAPI document. Plain values that differ in kind are text."""
    there = [value for value in values if value is not None]
    objects = [value for value in there if isinstance(value, dict)]
    if not there or depth > _DEEPEST:
        return {}
    if len(objects) == len(there):
        names = dict.fromkeys(name for each in objects for name in each)
        inside = {name: _schema((each.get(name) for each in objects), depth + 1) for name in names}
        return {"type": "object", "properties": inside, "required": [n for n in names if all(each.get(n) is not None for each in objects)]}
    if all(isinstance(value, list) for value in there):
        return {"type": "array", "items": _schema((one for value in there for one in value), depth + 1)}
    if any(isinstance(value, dict | list) for value in there):
        return {"type": "mixed"}
    if all(isinstance(value, bool) for value in there):
        return {"type": "boolean"}
    if any(isinstance(value, bool | str) for value in there):
        return {"type": "string"}
    if all(isinstance(value, int) for value in there):
        return {"type": "integer", **({"format": "int64"} if any(abs(value) >= 2**31 for value in there) else {})}
    return {"type": "number"}


def find(samples: Samples, path: str, *, title: str = "", keys: Sequence[str] = (), source: Mapping[str, Any]) -> Found:
    """One relation, whose key is told by ``keys`` or by what looks like one."""
    known = {one.path: one for one in samples.columns}
    absent = [each for each in keys if each not in known]
    if absent:
        raise SourceError("missing", f"No message has {absent[0]!r}; they have: {', '.join(known)}.")
    able = sorted(
        (one for one in samples.columns if _able(one, len(samples.rows))), key=lambda one: (-_differ(one), not evidence.canonical(one))
    )
    if not keys and not able:
        raise SourceError("missing", f"No column is in each message and looks like a key; name one by --key: {', '.join(known)}.")
    key = tuple(keys) or (able[0].path,)
    count = len(samples.rows)
    notes = [f"Key: the latest message of each {', '.join(key)} is kept."]
    if not keys:
        seen = "; ".join(f"{one.path} has {_differ(one)} values in {count} rows" for one in able[:4])
        notes = [f"{notes[0]} It was chosen for its values ({seen}); another is named by --key."]
    without = count - sum(all(reader(each)(row) not in (None, "") for each in key if not _is_subject(each)) for row in samples.rows)
    notes += [f"{without} of {count} rows have no {', '.join(key)}; such ones are put aside."] if without else []
    notes += [f"{len(samples.bad)} of what came is put aside: {', '.join(sorted(set(samples.bad)))}."] if samples.bad else []
    counting = [one.path for one in samples.columns if one.path not in key and _counts(one, count)]
    if counting:
        notes.append(f'Never falls: {", ".join(counting)}. If it numbers or dates the messages, say so: order: "{counting[0]}" in @topic.')
    place = {"path": path, **({"at": samples.at} if samples.at else {})}
    name = "_".join(part for part in re.split(r"[./]", path) if re.search(r"\w", part))
    relation = Relation(name, samples.columns, title if _CJK.search(title) else "", key, place=place)
    return Found("stream", (relation,), source=source, notes=tuple(notes))


def _able(column: Column, count: int) -> bool:
    """Whether a column can be a key, and looks like one."""
    if unfit(column.path) or column.many or column.type not in ("text", "int", "bigint") or _is_subject(column.path):
        return _is_subject(column.path)
    whole = len(column.samples) == count and "" not in column.samples
    named = plain(column.path.rpartition(".")[2]) or column.path
    return whole and named not in _OF_A_MESSAGE and evidence.keylike(column) and (column.type != "text" or evidence.moment(column) is None)


def _is_subject(path: str) -> bool:
    return path.startswith(f"{TOPIC}[")


def _differ(column: Column) -> int:
    return len(set(map(repr, column.samples)))


def _counts(column: Column, count: int) -> bool:
    """Whether a column may number or date the messages: it is in each, and never falls."""
    given = column.samples
    if len(given) < count or column.many or _differ(column) < 2 or not (evidence.moment(column) or plain(column.path) in _NUMBERS):
        return False
    same = all(isinstance(each, str) for each in given) or all(isinstance(each, int | float | Decimal) for each in given)
    return same and all(a <= b for a, b in pairwise(given))
