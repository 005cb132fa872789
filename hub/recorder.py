"""The recorder: which calls each system received. Tests and ``explain`` compare it with what was planned.

Holds names, counts and times; never a key or a value.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call to one system. ``keys`` is how many, ``outcome`` is ``ok`` or a SourceError's kind, ``seconds`` its duration, ``bytes``
    what the source sent, where its connector counts that."""

    system: str
    relation: str
    keys: int
    rows: int
    outcome: str
    seconds: float
    request_id: str = ""
    bytes: int | None = None


class Recorder:
    """Keeps the last ``size`` calls."""

    def __init__(self, size: int = 10_000) -> None:
        self._calls: deque[Recorded] = deque(maxlen=size)

    def record(self, call: Recorded) -> None:
        self._calls.append(call)

    def calls(self, system: str | None = None, request_id: str | None = None) -> list[Recorded]:
        """Calls in the order of their completion, all or of one system or one request."""
        return [
            call
            for call in self._calls
            if (system is None or call.system == system) and (request_id is None or call.request_id == request_id)
        ]

    def clear(self) -> None:
        self._calls.clear()
