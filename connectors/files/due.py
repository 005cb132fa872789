"""When a delivery is due: ``"08:00"`` every day, in the province's time, or ``"26h"`` at most after the one before.

Pure: the time is passed in. Times are those at which the hub saw a delivery, since a department's clock may be wrong.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, timezone

from connectors.settings import refused

SHANGHAI = timezone(timedelta(hours=8))
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(m|h|d)")
_BEFORE = timedelta(hours=12)  # what comes earlier is the one before, come late
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def read(text: str) -> time | timedelta | None:
    """A time of day, an interval, or None for an empty text. Raises SourceError (config)."""
    if not text:
        return None
    if found := _TIME.fullmatch(text):
        return time(int(found[1]), int(found[2]))
    if found := _SPAN.fullmatch(text):
        return timedelta(**{_UNITS[found[2]]: float(found[1])})
    raise refused(f"cannot read expectBy {text!r}; write a time of day such as 08:00, or a span such as 26h or 7d")


def late(text: str, seen: datetime | None, now: datetime) -> bool:
    """Whether the delivery after that of ``seen`` should be here by ``now``. Both times have an offset."""
    expected = read(text)
    if expected is None:
        return False
    if seen is None:
        return True
    if isinstance(expected, timedelta):
        return now - seen > expected
    here = now.astimezone(SHANGHAI)
    moment = datetime.combine(here.date(), expected, SHANGHAI)
    if moment > here:
        moment -= timedelta(days=1)
    return seen <= moment - _BEFORE
