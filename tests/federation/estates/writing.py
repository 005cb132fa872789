"""What the estates are written with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

LINK = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
  "@key", "@requires", "@provides", "@external", "@override", "@shareable", "@inaccessible", "@interfaceObject", "@tag",
  "@authenticated", "@requiresScopes", "@policy", "@extends"])
"""


def by(rows: Iterable[Mapping[str, Any]], **values: Any) -> Mapping[str, Any] | None:
    """The first row with these values."""
    return next((row for row in rows if all(row[name] == value for name, value in values.items())), None)
