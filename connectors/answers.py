"""What an HTTP source answered: its status in the terms of ``connectors.spi``, its document, how long it stays fresh.

    408                      slow
    429, 425                 busy
    401, 403                 denied
    other 4xx                invalid
    502, 503, 504            down
    other 5xx, not JSON      broken
    3xx                      config

Must not know how it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from connectors.settings import refused
from connectors.spi import ErrorKind, SourceError

# The older national sets are parts of GB 18030, and senders are known to mix them up.
_CHARSETS = {"gbk": "gb18030", "gb2312": "gb18030", "utf8": "utf-8"}
_BEYOND_ASCII = bytes(range(128, 256))
_SURE = 12  # bytes: six characters of GB 18030, of which about one in eight could pass for UTF-8
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=(\d{1,9})")
# Digits and points as 0, what may stand before a number as a colon: what has no ":" before 17 of them holds no long number. That is
# asked first, since it takes a tenth of the time that the expression takes, which in turn takes longer than reading the JSON.
_DIGITS = bytes(48 if chr(byte) in "0123456789." else 58 if chr(byte) in ":,[- \t\r\n" else byte for byte in range(256))
_SEVENTEEN = b":" + b"0" * 17
# A fraction of 16 digits and more, or a whole number beyond 64 bits; what lies within a text may look like one, and costs time alone.
_LONG_NUMBER = re.compile(rb"[:,\[]\s*-?(?:(?=[0-9.]{17})[0-9]+\.[0-9]|[0-9]{19})")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: any status. ``body`` is decompressed. ``again``: it did not come, the source said that it is what it was."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    again: bool = False

    @property
    def size(self) -> int:
        """How many bytes came."""
        return 0 if self.again else len(self.body)


def known_charset(name: str) -> bool:
    """Whether texts can be read in a charset of that name."""
    try:
        " ".encode(name)
    except (LookupError, ValueError):
        return False
    return True


def decode(answer: Answer, charset: str = "") -> Any:
    """The JSON document of an answer, in ``charset``, else in whatever it says; None for 204. Raises SourceError (broken)."""
    if answer.status == 204:
        return None
    found = _CHARSET.search(answer.headers.get("Content-Type", ""))
    charset = (charset or (found[1] if found else "utf-8")).lower()
    try:
        charset = _CHARSETS.get(charset, charset)
        if charset == "utf-8":
            return _parsed(answer.body.removeprefix(b"\xef\xbb\xbf"))
        if charset == "gb18030" and _is_utf8(answer.body):
            raise broken("The source's answer is in another charset than it says.", "UTF-8, not GB 18030")
        return _parsed(answer.body.decode(charset).removeprefix("\ufeff").encode())
    except (ValueError, LookupError, RecursionError):  # not JSON, not in its charset, no such charset
        raise broken("The source did not answer with JSON.", f"status {answer.status}, {len(answer.body)} bytes") from None


def _parsed(body: bytes) -> Any:
    """The document; where a number has more digits than a float holds, it is read with all of them. Raises ValueError."""
    if _SEVENTEEN not in body.translate(_DIGITS) or _LONG_NUMBER.search(body) is None:
        return orjson.loads(body)
    orjson.loads(body)  # which is stricter than what follows: no NaN, nothing nested without end
    return json.loads(body, parse_float=Decimal)


def _is_utf8(body: bytes) -> bool:
    """Whether what says to be GB 18030 is surely UTF-8: that many characters of the one do not read as the other by accident."""
    if len(body) - len(body.translate(None, _BEYOND_ASCII)) < _SURE:
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def refusal(answer: Answer) -> SourceError | None:
    """What an answer's status says went wrong, if anything."""
    status = answer.status
    if 200 <= status < 300:
        return None
    detail = f"status {status}"
    if status in (401, 403):
        return SourceError("denied", "The source refused the hub's credential.", detail=detail)
    if status in (425, 429, 503):
        kind: ErrorKind = "down" if status == 503 else "busy"
        return SourceError(kind, "The source is busy or out of service.", detail=detail, retry_after=_retry_after(answer), untouched=True)
    if status == 408:
        return SourceError("slow", "The source did not answer in time.", detail=detail)
    if status in (502, 504):
        return SourceError("down", "The source is out of service.", detail=detail)
    if status >= 500:
        return broken("The source failed.", detail)
    if status >= 400:
        return SourceError("invalid", "The source did not accept the request.", detail=detail)
    if status == 304:  # nobody asked whether something had changed
        return broken("The source did not answer with a document.", detail)
    return refused("The source sends the hub elsewhere.", detail)


def max_age(answer: Answer) -> float | None:
    """How long the source says its answer stays fresh, in seconds; 0 if it must not be kept at all."""
    control = answer.headers.get("Cache-Control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return 0.0
    found = _MAX_AGE.search(control)
    return float(found[1]) if found else None


def broken(message: str, detail: str = "") -> SourceError:
    """The source answered something that cannot be read."""
    return SourceError("broken", message, detail=detail)


def rows_at(found: Any, bare: bool = False) -> list[Any]:
    """The rows in what lies at a place of a document: a list, one object, or nothing. ``bare`` rows may be single values.

    Raises SourceError (broken).
    """
    rows = [] if found is None else found if isinstance(found, list) else [found]
    kinds = set(map(type, rows))  # one pass in C: a large answer has many rows, and they are dicts
    if type(None) in kinds:
        kinds.remove(type(None))
        rows = [row for row in rows if row is not None]
    if not bare and not kinds <= {dict}:
        raise broken("The source's rows are not objects.")
    return rows


def _retry_after(answer: Answer) -> float | None:
    """RFC 9110 §10.2.3: seconds, or a date, which counts from the answer's own Date."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - parsedate_to_datetime(answer.headers.get("Date", ""))).total_seconds())
    except (ValueError, TypeError):
        return None
