"""What the estates are written with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.federation.subgraph import Seen

LINK = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
  "@key", "@requires", "@provides", "@external", "@override", "@shareable", "@inaccessible", "@interfaceObject", "@tag",
  "@authenticated", "@requiresScopes", "@policy", "@extends"])
"""


def by(rows: Iterable[Mapping[str, Any]], **values: Any) -> Mapping[str, Any] | None:
    """The first row with these values."""
    return next((row for row in rows if all(row[name] == value for name, value in values.items())), None)


def told(row: Mapping[str, Any], name: str, compute: Callable[[Mapping[str, Any]], Any]) -> Any:
    """What a subgraph is told of a field that another computes; the monolith computes it itself."""
    return row[name] if isinstance(row, Seen) else compute(row)
