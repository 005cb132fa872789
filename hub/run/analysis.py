"""What the steps of one request really did: calls, keys, rows, bytes, time waited and time at the source. Only for who asks for it.

A call is told to the step for which it is made by context: the tasks of a step run in one of its own. Knows no plans and no names; the
recorder sees the same calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from typing import Any, get_args

from connectors.spi import ErrorKind, SourceError
from hub.errors import source_code
from hub.recorder import Recorded


@dataclass(slots=True)
class Tally:
    """Of one step. ``keys`` are the unique ones it needed. Times are sums over its calls, in seconds: ``queued`` until the system had room
    for the call, ``asked`` from there to its answer. ``bytes`` is None where no connector counts them. ``cached`` keys or lists were not
    asked for, in place of ``stale`` ones an earlier answer stood in; ``coalesced`` keys came with a call of another step."""

    keys: int = 0
    calls: int = 0
    rows: int = 0
    bytes: int | None = None
    queued: float = 0.0
    asked: float = 0.0
    cached: int = 0
    stale: int = 0
    coalesced: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def data(self) -> Mapping[str, Any]:
        """As ``extensions.explain`` shows it; times in milliseconds."""
        errors = {_code(outcome): count for outcome, count in sorted(self.outcomes.items()) if outcome != "ok"}
        times = {"queueMs": round(self.queued * 1000, 3), "sourceMs": round(self.asked * 1000, 3)}
        size = {} if self.bytes is None else {"bytes": self.bytes}
        saved = (("cached", self.cached), ("stale", self.stale), ("coalesced", self.coalesced))
        kept = {name: count for name, count in saved if count}
        return {"calls": self.calls, "keys": self.keys, **kept, "rows": self.rows, **size, **times, "errors": errors}


@dataclass(slots=True)
class Analysis:
    """Of one request: tallies by step, and seconds spent on putting the answer together."""

    steps: dict[int, Tally] = field(default_factory=dict)
    assembly: float = 0.0

    def of(self, number: int, keys: Iterable[object], context: Context) -> Context:
        """``context``, for the tasks of step ``number``, which needs ``keys`` (None: a row without one)."""
        tally = self.steps.setdefault(number, Tally())
        tally.keys += len({key for key in keys if key is not None})
        own = context.copy()
        own.run(_STEP.set, tally)
        return own


_STEP: ContextVar[Tally | None] = ContextVar("step", default=None)


def called(call: Recorded, queued: float) -> None:
    """A call has come back; ``queued`` of its seconds it had waited."""
    tally = _STEP.get()
    if tally is not None:
        tally.calls += 1
        tally.rows += call.rows
        if call.bytes is not None:
            tally.bytes = (tally.bytes or 0) + call.bytes
        tally.queued += queued
        tally.asked += call.seconds - queued
        tally.outcomes[call.outcome] += 1


def kept(count: int, *, stale: bool = False) -> None:
    """So many keys, or a list, were served from the cache."""
    tally = _STEP.get()
    if tally is not None:
        tally.cached += 0 if stale else count
        tally.stale += count if stale else 0


def coalesced(count: int) -> None:
    """So many keys had been asked for by another step."""
    tally = _STEP.get()
    if tally is not None:
        tally.coalesced += count


def refused(kind: str) -> None:
    """A call was not made: the failure counts, the call does not."""
    tally = _STEP.get()
    if tally is not None:
        tally.outcomes[kind] += 1


def _code(outcome: str) -> str:
    """The error code of an outcome that is not ``ok``."""
    kind = next((kind for kind in get_args(ErrorKind) if kind == outcome), None)
    return outcome.upper() if kind is None else source_code(SourceError(kind, "", source=""))
