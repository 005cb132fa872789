"""Server-sent events as the HTML standard has them, in whatever parts they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from connectors.paths import reader
from connectors.rest.events import Event, news, read_events
from connectors.spi import Field, SourceError


async def parts(*texts: bytes) -> AsyncIterator[bytes]:
    for text in texts:
        yield text


async def read(*texts: bytes, most: int = 1_000) -> Sequence[Event]:
    return [event async for event in read_events(parts(*texts), most)]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (b"data: a\n\n", [Event("message", "a")]),
        (b"data:a\ndata: b\n\n", [Event("message", "a\nb")]),
        (b"\xef\xbb\xbfdata: a\r\n\r\ndata: b\r\n\r\n", [Event("message", "a"), Event("message", "b")]),
        (b"data: a\r\rdata: b\n\n", [Event("message", "a"), Event("message", "b")]),
        (b"event: x\nid: 7\ndata: a\n\ndata: b\n\n", [Event("x", "a", "7"), Event("message", "b", "7")]),
        (b"id: 7\n\nid\ndata: a\n\n", [Event("message", "a", "")]),
        (b"id: 1\x002\ndata: a\n\n", [Event("message", "a", "")]),
        (b"retry: 1500\ndata: a\n\nretry: x\ndata: b\n\n", [Event("message", "a", "", 1.5), Event("message", "b", "", 1.5)]),
        (b": comment\n\nunknown: x\ndata\n\n", [Event("message", "")]),
        (b"data: a\n\ndata: not finished\n", [Event("message", "a")]),
        ("data: 甲\u2028乙\n\n".encode(), [Event("message", "甲\u2028乙")]),
    ],
)
async def test_the_format(text: bytes, events: list[Event]) -> None:
    assert await read(text) == events
    assert await read(*(text[at : at + 1] for at in range(len(text)))) == events  # byte by byte


async def test_an_event_that_is_too_large_is_refused() -> None:
    with pytest.raises(SourceError, match="too large"):
        await read(b"data: " + b"a" * 500, b"a" * 600)


def test_rows_of_an_event_and_what_is_none() -> None:
    fields = (Field("uscc", "code"),)
    told = news(Event("message", '{"d": [{"code": "A"}, {"code": "B"}]}', "3"), reader("d"), fields)
    assert told.page is not None
    assert (told.page.columns, told.cursor) == ({"uscc": ["A", "B"]}, "3")
    for data in ("<html>", '{"d": 1}'):
        wrong = news(Event("message", data, "4"), reader("d"), fields)
        assert (wrong.page, wrong.cursor, wrong.fault and wrong.fault.kind) == (None, "4", "broken")
