"""What the engine hands back for one request: finished bytes, and what the log, the metrics and the audit record need to know of them.

Must not know HTTP, storage or how the answer came about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Rest(Protocol):
    """What comes after an answer's first part."""

    async def next(self) -> Answer | None:
        """The next part; None: there are no more. Raises nothing that a source can do wrong."""

    def failed(self) -> Answer:
        """The last part where ``next`` has raised."""

    def close(self) -> None:
        """End what is under way; nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is the whole JSON response. ``executed`` is False for a request error found before execution (no ``data`` entry).

    ``codes`` are the distinct error codes in the body, ``coordinates`` the ``Type.field`` names that were asked for, ``systems`` the
    systems that were called; each sorted. ``operation`` is the operation's name (empty if it has none), ``kind`` is ``query``,
    ``mutation``, ``subscription``, or empty when no operation was chosen. With ``rest`` the body is but the first part.
    """

    body: bytes
    executed: bool
    codes: tuple[str, ...]
    coordinates: tuple[str, ...]
    systems: tuple[str, ...]
    operation: str
    kind: str
    rest: Rest | None = None
