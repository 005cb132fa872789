"""A pace: so many calls to one system may begin in a time, and it can be told beforehand when a call could begin.

The limit holds for every window of time, not only on average: the times of the last calls are kept, and one more begins when the oldest
of them has left the window (a sliding log). aiolimiter is not used: it reads the loop's clock, lets twice the rate through in one
window (a full bucket and what drips in meanwhile), and cannot tell whether a call can begin before its deadline. Knows no systems, no
callers and no clock; times are seconds of whatever clock the caller reads.
"""

from __future__ import annotations

from collections import deque


class Pace:
    """At most ``rate`` calls begin in any second; if that is less than one, one in any ``1 / rate`` seconds."""

    __slots__ = ("_begun", "_count", "_window")

    def __init__(self, rate: float) -> None:
        self._count = max(1, int(rate))
        self._window = self._count / rate
        self._begun: deque[float] = deque(maxlen=self._count)

    def earliest(self, now: float, ahead: int = 0) -> float:
        """When a call can begin at the earliest, if ``ahead`` others begin before it."""
        rounds, place = divmod(ahead, self._count)
        spare = self._count - len(self._begun)
        free = now if place < spare else self._begun[place - spare] + self._window
        return max(now, free) + rounds * self._window

    def begin(self, at: float) -> None:
        """A call begins."""
        self._begun.append(at)
