"""Parts of a column that several requests share: what many of them read is read once for all.

One call brings the rows of many requests, and each gets the part that is its own: an ordinary list, with no row of another's in it. To
begin reading a column costs more than to read a value, so when a fourth of a column has been read in parts the whole is read, and what is
still asked for is cut out of that. Knows nothing of how values are read.
"""

from __future__ import annotations

from typing import Any, Protocol

WORTH = 4  # one in so many values has to be asked for apart before all are read


class Reader(Protocol):
    """Makes another column of a column."""

    def column(self, values: list[Any]) -> Any: ...


class Whole:
    """All ``values`` of a column, and what readers made of them."""

    __slots__ = ("_made", "_rows", "values")

    def __init__(self, values: list[Any]) -> None:
        self.values = values
        self._rows: dict[Reader, int] = {}  # read apart so far
        self._made: dict[Reader, Any] = {}

    def read(self, reader: Reader, rows: int) -> Any:
        """What ``reader`` makes of all values, for somebody who wants so many ``rows`` of it; None while that is not worth it."""
        made = self._made.get(reader)
        if made is None:
            rows += self._rows.get(reader, 0)
            self._rows[reader] = rows
            if rows * WORTH >= len(self.values):
                made = self._made[reader] = reader.column(self.values)
        return made


class Part(list[Any]):
    """The rows from ``start`` on, and before ``stop``, of ``whole``."""

    __slots__ = ("start", "stop", "whole")

    def __init__(self, whole: Whole, start: int, stop: int) -> None:
        super().__init__(whole.values[start:stop])
        self.whole = whole
        self.start = start
        self.stop = stop
