"""The coordinate table: one row per ``Type.field`` of the public schema.

Policy and planning read a field's grade, scopes and owner here and nowhere else. Must not know GraphQL or manifests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum


class Grade(IntEnum):
    """Sensitivity of a field (公共数据分类分级指南): L1 不敏感, L2 低敏感, L3 较敏感, L4 敏感."""

    L1 = 1
    L2 = 2
    L3 = 3
    L4 = 4


AUTHENTICATED = "@authenticated"  # in place of a scope: any caller with a token. No token can carry it


@dataclass(frozen=True, slots=True)
class Coordinate:
    """``scopes`` is a disjunction of conjunctions, as in ``@requiresScopes``: any inner set that is wholly held is enough."""

    type: str
    field: str
    grade: Grade
    nullable: bool
    description: str = ""
    scopes: tuple[frozenset[str], ...] = ()
    owner: str = "canonical"  # the contributing system, or "canonical"

    @property
    def name(self) -> str:
        return f"{self.type}.{self.field}"


class Coordinates(Mapping[str, Coordinate]):
    """Rows by name (``Enterprise.name``), sorted."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Iterable[Coordinate] = ()) -> None:
        self._rows = {row.name: row for row in sorted(rows, key=lambda row: row.name)}

    def __getitem__(self, name: str) -> Coordinate:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, type_name: str) -> tuple[Coordinate, ...]:
        """All rows of one type, sorted by field."""
        return tuple(row for row in self._rows.values() if row.type == type_name)
