"""What an answer's notices say: values that a system sent and that fail their identifier's check are served as they are, and said so; so
is an earlier answer that stands in.

Collected per coordinate with a count, never with the value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any

from hub.run.layers import Layer
from schema.identifiers import QUALITY


@lru_cache(maxsize=65_536)
def _quality(kind: str, value: str) -> str | None:
    return QUALITY[kind](value)


class Notices:
    """What was noticed: coordinate and text, with the number of values."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def look(self, coordinate: str, kind: str, values: Sequence[Any]) -> None:
        """Check the values of a leaf column of scalar ``kind`` where that scalar has a check; lists are looked into."""
        if kind not in QUALITY:
            return
        types = set(map(type, values))
        if list in types:
            for value in values:
                if isinstance(value, list):
                    self.look(coordinate, kind, value)
        texts = values if types == {str} else [value for value in values if value.__class__ is str]
        for text in filter(None, map(_quality, repeat(kind), texts)):
            self._counts[(coordinate, text)] = self._counts.get((coordinate, text), 0) + 1

    def listed(self) -> list[dict[str, Any]]:
        """For ``extensions.notices``, sorted by coordinate."""
        return [
            {"code": "QUALITY", "coordinate": coordinate, "message": text, "count": count}
            for (coordinate, text), count in sorted(self._counts.items())
        ]


def all_notices(
    found: Notices, layers: Mapping[int, Layer], stale: Mapping[str, float], denied: Collection[str] = ()
) -> list[dict[str, Any]]:
    """What an answer's ``extensions.notices`` are. ``stale``: seconds by field or type; of what is ``denied`` nothing is said."""
    lists = (notice for layer in layers.values() for notice in layer.notices)
    return [*found.listed(), *lists, *(_stood_in(place, age) for place, age in sorted(stale.items()) if place not in denied)]


def _stood_in(place: str, age: float) -> dict[str, Any]:
    """An earlier answer stands in. How many rows is not said: some may be none of the caller's."""
    seconds = round(age)
    text = f"来源系统暂无应答，所示为约 {seconds} 秒前的数据。 The source does not answer; what is shown is about {seconds} s old."
    return {"code": "STALE", "coordinate": place, "message": text, "count": 1, "age": seconds}
