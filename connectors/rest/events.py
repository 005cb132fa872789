"""Server-sent events as they lie on the wire, and what they tell: the format of the HTML standard (§9.2.6, "Interpreting an event stream").

Must not know HTTP or reconnecting.
"""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.feeds import News
from connectors.http import broken, rows_at
from connectors.spi import Field, Page, SourceError


@dataclass(frozen=True, slots=True)
class Event:
    """``id`` is that of the last event that had one; ``wait`` the seconds that the stream asked for before reconnecting."""

    name: str
    data: str
    id: str = ""
    wait: float | None = None


async def read_events(parts: AsyncIterator[bytes], most: int) -> AsyncIterator[Event]:
    """The events of a stream that arrives in ``parts``. Raises SourceError (broken) for one of more than ``most`` characters.

    A line ends with LF, CR or CRLF; what comes after the last empty line is no event.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    rest, first, last_id, wait = "", True, "", None
    name, size = "", 0
    data: list[str] = []
    async for part in parts:
        text = rest + decoder.decode(part)
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        lines = text.splitlines(keepends=True) if not _odd(text) else _lines(text)
        # A CR at the very end may be the first half of a CRLF; a line without an end is not whole yet.
        rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        size += len(text) - len(rest)
        if size + len(rest) > most:
            raise broken("An event of the source is too large.", f"over {most} characters")
        for line in lines:
            field, colon, value = line.rstrip("\r\n").partition(":")
            value = value.removeprefix(" ")
            if not field and not colon:
                if data:
                    yield Event(name or "message", "\n".join(data), last_id, wait)
                name, data, size = "", [], 0
            elif field == "data":
                data.append(value)
            elif field == "event":
                name = value
            elif field == "id" and "\0" not in value:
                last_id = value
            elif field == "retry" and value.isascii() and value.isdigit():
                wait = int(value) / 1000


def _odd(text: str) -> bool:
    """Whether Python would see line ends that the format does not know."""
    return any(mark in text for mark in "\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def _lines(text: str) -> list[str]:
    lines, start = [], 0
    for at, character in enumerate(text):
        if character == "\n" or (character == "\r" and text[at + 1 : at + 2] not in ("\n", "")):
            lines.append(text[start : at + 1])
            start = at + 1
    return [*lines, text[start:]] if start < len(text) else lines


def news(event: Event, at: Callable[[Any], Any], fields: Sequence[Field]) -> News:
    """What an event tells: the rows at the topic's place of its data, or a fault when it is not JSON of that form."""
    try:
        rows = rows_at(at(orjson.loads(event.data)))
    except orjson.JSONDecodeError:
        return News(None, event.id, broken("The source's event is not JSON.", f"{len(event.data)} characters"), event.wait)
    except SourceError as error:
        return News(None, event.id, error, event.wait)
    return News(Page.of(rows, fields), event.id, None, event.wait)
