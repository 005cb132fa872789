"""What can go wrong with a department, on command, and how often it was asked.

``Faults`` holds the present mode; a department passes ``gate`` before each answer and lets ``spoil`` have the answer.
``Tally`` counts requests and keys. Must not know any protocol.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """OK answers; SLOW waits first; WRONG answers nonsense; HANG takes requests and never answers; DEAD refuses connections."""

    OK = "ok"
    SLOW = "slow"
    WRONG = "wrong"
    HANG = "hang"
    DEAD = "dead"


class How(StrEnum):
    """The kinds of nonsense: a page of HTML, columns that have other names than agreed, text where numbers and dates are due."""

    HTML = "html"
    COLUMNS = "columns"
    TEXT = "text"


SLOW_SECONDS = 3.0
HTML = "<!DOCTYPE html><html><head><title>系统维护中</title></head><body><h1>系统维护中，请稍后再试</h1></body></html>"
NONSENSE = "待核实"

_DATED = re.compile(r"\d{8}|\d{14}|\d{4}-\d\d-\d\d.*")


class Cut(Exception):
    """The request is to get no answer: its connection is closed."""


@dataclass(slots=True)
class Faults:
    """The present mode; ``seconds`` is for SLOW, ``how`` for WRONG."""

    mode: Mode = Mode.OK
    seconds: float = SLOW_SECONDS
    how: How = How.HTML
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def set(self, mode: Mode, seconds: float | None = None, how: How | None = None) -> None:
        """Change the mode and let go of every request that waits under the old one."""
        self.mode = mode
        self.seconds = SLOW_SECONDS if seconds is None else seconds
        self.how = how or How.HTML
        self._changed.set()
        self._changed = asyncio.Event()

    async def gate(self) -> How | None:
        """Wait as the mode says; then how to spoil the answer, or None. Raises Cut where no answer is to be given."""
        if self.mode is Mode.HANG:
            await self._changed.wait()
            raise Cut
        if self.mode is Mode.SLOW:
            try:
                await asyncio.wait_for(self._changed.wait(), self.seconds)
            except TimeoutError:
                return None
        return self.how if self.mode is Mode.WRONG else None


def spoil(payload: Any, how: How) -> Any:
    """``payload`` with the records in it spoiled: objects inside lists. HTML cannot be made here and leaves it as it is."""
    return payload if how is How.HTML else _spoil(payload, how, False)


def _spoil(value: Any, how: How, in_list: bool) -> Any:
    if isinstance(value, Mapping):
        if how is How.COLUMNS:
            return {("x_" + key if in_list else key): _spoil(item, how, False) for key, item in value.items()}
        return {key: _spoil(item, how, in_list) for key, item in value.items()}
    if isinstance(value, list):
        return [_spoil(item, how, True) for item in value]
    return nonsense(value) if in_list and how is How.TEXT else value


def nonsense(value: Any) -> Any:
    """Text in the place of a number, a date or the digits of one; anything else as it is."""
    if isinstance(value, int | float | Decimal | date) or (isinstance(value, str) and _DATED.fullmatch(value)):
        return NONSENSE if not isinstance(value, bool) else value
    return value


@dataclass(slots=True)
class Tally:
    """Requests and keys per endpoint since the last reset."""

    _counts: dict[str, list[int]] = field(default_factory=dict)

    def add(self, endpoint: str, keys: int) -> None:
        count = self._counts.setdefault(endpoint, [0, 0])
        count[0] += 1
        count[1] += keys

    def reset(self) -> None:
        self._counts.clear()

    def report(self) -> dict[str, Any]:
        """``{calls, keys, endpoints: {name: {calls, keys}}}``."""
        endpoints = {name: {"calls": calls, "keys": keys} for name, (calls, keys) in sorted(self._counts.items())}
        return {
            "calls": sum(count["calls"] for count in endpoints.values()),
            "keys": sum(count["keys"] for count in endpoints.values()),
            "endpoints": endpoints,
        }
