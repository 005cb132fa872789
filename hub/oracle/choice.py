"""Which of several sources a field is taken from (S15, S16), said of one row and one source after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from schema.registry import Resolve


class State(Enum):
    """What a source makes of a field."""

    KEYLESS = "its key is null"
    FAILED = "its call or key failed, or its value cannot be read"
    NULL = "it has no record, or null"
    VALUE = "it has a value"


def taken_from(sources: Sequence[Callable[[], State]], policy: Resolve) -> int | None:
    """The number of the source whose value, null or failure is the field's; None when no source could even be asked.

    Sources are in order of preference, and one is looked at only if those before it leave the field open.
    """
    failed: int | None = None
    empty: int | None = None
    for number, look in enumerate(sources):
        state = look()
        if state is State.KEYLESS:
            continue
        if state is State.VALUE or policy is Resolve.FIRST:
            return number
        if state is State.FAILED:
            failed = number if failed is None else failed
        elif policy is Resolve.FALLBACK_ON_ERROR and failed is None:
            return number
        elif empty is None:
            empty = number
    return failed if failed is not None else empty
