"""How one system is doing, told from its last calls: its state, since when and why, and what it was before.

A call that was cancelled, never left the hub, or whose arguments the system refused, tells nothing. Knows outcomes by name, no systems.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from hub.clock import Clock
from schema.control import Health as State

RECENT = 20  # calls that a state is told from
DOWN = 3  # that many failures in a row
HISTORY = 50  # changes that are remembered
SILENT = frozenset({"cancelled", "invalid", "missing"})


@dataclass(frozen=True, slots=True)
class Failure:
    """The last call that failed: when, how (a SourceError's kind) and what it was to."""

    at: datetime
    kind: str
    relation: str


@dataclass(frozen=True, slots=True)
class Change:
    """From ``at`` on it was so. ``reason`` is the kind of the failure that made it so, or empty."""

    at: datetime
    state: State
    reason: str = ""


class Health:
    """``history`` are the last changes, the present state last; before the first call there is none."""

    __slots__ = ("_clock", "_failed", "_recent", "_row", "history", "last_failure", "last_success")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: deque[bool] = deque(maxlen=RECENT)  # whether each failed
        self._failed = 0  # of them
        self._row = 0  # failures in a row
        self.history: deque[Change] = deque(maxlen=HISTORY)
        self.last_failure: Failure | None = None
        self.last_success: datetime | None = None

    @property
    def state(self) -> State:
        return self.history[-1].state if self.history else "UNKNOWN"

    @property
    def since(self) -> datetime | None:
        """Since when it is so."""
        return self.history[-1].at if self.history else None

    @property
    def reason(self) -> str:
        return self.history[-1].reason if self.history else ""

    def called(self, relation: str, outcome: str, left_alone: bool) -> Change | None:
        """A call came back with ``outcome`` (``ok`` or a SourceError's kind); the system is left alone now, or not. The change that this
        makes, if it makes one."""
        if outcome in SILENT:
            return None
        failed = outcome != "ok"
        if len(self._recent) == RECENT:
            self._failed -= self._recent[0]
        self._recent.append(failed)
        self._failed += failed
        self._row = self._row + 1 if failed else 0
        now = self._clock.now()
        if failed:
            self.last_failure = Failure(now, outcome, relation)
        else:
            self.last_success = now
        state: State = "DOWN" if left_alone or self._row >= DOWN else "DEGRADED" if self._failed else "OK"
        if state == self.state:
            return None
        change = Change(now, state, self.last_failure.kind if self.last_failure is not None and state != "OK" else "")
        self.history.append(change)
        return change
