"""An answer in several parts over one response: ``multipart/mixed``, as the specification of incremental delivery over HTTP has it.

Each part is one JSON object; the last one says ``hasNext: false``. Must not know the engine or what a part says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import structlog
from starlette.types import Receive, Send

from hub.answer import Answer, Rest
from hub.serve.request import Gone, Watch, media

MIXED = "multipart/mixed"
TYPE = (b"content-type", b'multipart/mixed; boundary="-"')
_HEAD = b"\r\n---\r\ncontent-type: application/json; charset=utf-8\r\n\r\n"


@lru_cache(maxsize=512)
def wanted(accept: bytes | None) -> bool:
    """Whether the caller names ``multipart/mixed`` among what it takes, whatever parameters it gives it."""
    ranges = (media(part) for part in (accept or b"").decode("latin-1").split(","))
    return any(name == MIXED and weight > 0 for name, _, weight in ranges)


async def sent(first: Answer, rest: Rest, fields: Sequence[tuple[bytes, bytes]], receive: Receive, send: Send) -> Answer:
    """Send ``first`` and all of ``rest``, until there is no more or the caller hangs up; what was sent, as one answer for the log."""
    said = first
    await send({"type": "http.response.start", "status": 200, "headers": [TYPE, (b"x-accel-buffering", b"no"), *fields]})
    await send({"type": "http.response.body", "body": _HEAD + first.body + b"\r\n---", "more_body": True})
    try:
        with Watch(receive):
            while (part := await _next(rest)) is not None:
                said = replace(
                    said,
                    body=said.body + part.body,
                    codes=tuple(sorted({*said.codes, *part.codes})),
                    systems=tuple(sorted({*said.systems, *part.systems})),
                )
                await send({"type": "http.response.body", "body": _HEAD[5:] + part.body + b"\r\n---", "more_body": True})
        await send({"type": "http.response.body", "body": b"--\r\n", "more_body": False})
    except Gone:
        structlog.get_logger("hub.request").info("caller gone", operation=first.operation[:64])
    return said


async def _next(rest: Rest) -> Answer | None:
    try:
        return await rest.next()
    except Exception as error:  # the program's border: the answer has begun, so it ends as such answers do
        structlog.get_logger("hub.request").error("request failed", exc_info=error)
        return rest.failed()
