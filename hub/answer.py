"""What the engine hands back for one request: finished bytes, and what the log, the metrics and the audit record need to know of them.

Must not know HTTP, storage or how the answer came about.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is the whole JSON response. ``executed`` is False for a request error found before execution (no ``data`` entry).

    ``codes`` are the distinct error codes in the body, ``coordinates`` the ``Type.field`` names that were asked for, ``systems`` the
    systems that were called; each sorted. ``operation`` is the operation's name (empty if it has none), ``kind`` is ``query``,
    ``mutation``, ``subscription``, or empty when no operation was chosen.
    """

    body: bytes
    executed: bool
    codes: tuple[str, ...]
    coordinates: tuple[str, ...]
    systems: tuple[str, ...]
    operation: str
    kind: str
