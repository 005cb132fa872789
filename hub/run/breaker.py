"""A circuit breaker: a system that does not answer is left alone for a while, then tried by few calls, then asked again.

    closed      all calls go out; what fails is counted within a window of time
    open        no call goes out
    half-open   after the pause: so many calls at once go out to try; the first that comes back decides

Failures alone do not open it: they have to be at least half of the calls in the window, so that one bad place of a busy system
does not take away the others. purgatory is not used: it reads the wall clock, counts failures in a row instead of within a time, and lets
everybody through when half-open. Knows no systems and no clock; times are seconds of whatever clock the caller reads.
"""

from __future__ import annotations

from collections import deque

from schema.control import BreakerState
from schema.registry import Breaker as Settings

_SLICES = 10  # of the window; what is older than the window goes a slice at a time
_LONGEST = 4  # times that the pause doubles


class Breaker:
    """``admit`` before a call and ``done`` after it. Between two changes of state lies an era: a call that comes back in another one than
    it went out in has nothing to say any more."""

    __slots__ = ("_era", "_failed", "_pauses", "_settings", "_slices", "_total", "_trying", "_until")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._era = 1
        self._until: float | None = None  # when it may be tried; None: closed
        self._pauses = 0  # in a row
        self._trying = 0
        self._clear()

    def state(self, now: float) -> BreakerState:
        if self._until is None:
            return "CLOSED"
        return "OPEN" if now < self._until else "HALF_OPEN"

    def refuses(self, now: float) -> bool:
        """Whether a call may not go out now."""
        return self._until is not None and (now < self._until or self._trying >= self._settings.probes)

    def admit(self, now: float) -> int:
        """The era that the call belongs to, for ``done``; 0: it may not go out."""
        if self._until is not None:
            if self.refuses(now):
                return 0
            self._trying += 1
        return self._era

    def done(self, era: int, now: float, failed: bool | None) -> None:
        """A call of ``era`` is over; None: it tells nothing of the system."""
        if era != self._era or not self._settings.failures:
            return
        if self._until is not None:
            self._trying -= 1
            if failed is not None:
                self._change(now if failed else None)
        elif failed is not None and self._counted(now, failed):
            self._change(now)

    def _counted(self, now: float, failed: bool) -> bool:
        """Count one call; whether that is too much."""
        number = int(now / self._settings.within * _SLICES)
        while self._slices and self._slices[0][0] <= number - _SLICES:
            _, total, failures = self._slices.popleft()
            self._total -= total
            self._failed -= failures
        if not self._slices or self._slices[-1][0] != number:
            self._slices.append([number, 0, 0])
        self._slices[-1][1] += 1
        self._slices[-1][2] += failed
        self._total += 1
        self._failed += failed
        return failed and self._failed >= self._settings.failures and 2 * self._failed >= self._total

    def _change(self, opened: float | None) -> None:
        self._era += 1
        self._trying = 0
        self._until = None if opened is None else opened + self._settings.pause * 2 ** min(self._pauses, _LONGEST)
        self._pauses = 0 if opened is None else self._pauses + 1
        self._clear()

    def _clear(self) -> None:
        self._slices: deque[list[int]] = deque()  # number of the slice, calls, failures
        self._total = self._failed = 0
