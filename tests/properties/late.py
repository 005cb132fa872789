"""Mistakes that one could make with what is deferred."""

from __future__ import annotations

from typing import Any

from hub.run import deferred as parts
from hub.run import increments
from hub.run.collected import Collected
from tests.properties.deferring import deferred
from tests.properties.frames import in_frames
from tests.properties.generator import Case
from tests.properties.mistake import Planted


async def same_in_parts(case: Case) -> None:
    """P32: frames put together are the answer in one piece, with the same calls."""
    later = deferred(case)
    if later is not None:
        await in_frames(later)


def _only_the_root_waits(right: Any) -> Any:
    return lambda plan: frozenset(place for place in right(plan) if not plan.schedule[place].waits)


def _inside_forgotten(right: Any) -> Any:
    def filled(self: Any, groups: Any) -> Any:
        return [group for group in right(self, groups) if group.parent is None]

    return filled


def _null_stays(right: Any) -> Any:
    return lambda kind: False


def _first_piece_alone(right: Any) -> Any:
    def split(self: Any, grouped: Any, around: Any) -> Any:
        now, later = right(self, grouped, around)
        return now, later[:1]

    return split


LATER = (
    Planted("of several groups at one object one is told", Collected, "split", _first_piece_alone, same_in_parts),
    Planted("deferred within deferred is forgotten", increments.Delivery, "_filled", _inside_forgotten, same_in_parts),
    Planted("a null that may not be one stays in its part", increments, "is_non_null_type", _null_stays, same_in_parts),
    Planted("the first part does not wait for what it needs", parts, "needed", _only_the_root_waits, same_in_parts),
)
