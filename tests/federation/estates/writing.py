"""What the estates are written with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.federation.subgraph import Seen


def link(version: str, more: str = "") -> str:
    """The first lines of a subgraph of federation 2; composed supergraphs have another form from 2.7 and from 2.8 on."""
    names = '"@key", "@requires", "@provides", "@external", "@override", "@shareable", "@inaccessible", "@tag", "@extends"' + more
    return f'extend schema @link(url: "https://specs.apollo.dev/federation/v{version}", import: [{names}])\n'


LINK = link("2.9", ', "@interfaceObject", "@authenticated", "@requiresScopes", "@policy"')
LINK_20 = link("2.0")
LINK_27 = link("2.7")


def by(rows: Iterable[Mapping[str, Any]], **values: Any) -> Mapping[str, Any] | None:
    """The first row with these values."""
    return next((row for row in rows if all(row[name] == value for name, value in values.items())), None)


def told(row: Mapping[str, Any], name: str, compute: Callable[[Mapping[str, Any]], Any]) -> Any:
    """What a subgraph is told of a field that another computes; the monolith computes it itself."""
    return row[name] if isinstance(row, Seen) else compute(row)
