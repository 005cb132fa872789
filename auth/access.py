"""What of the data one caller may see: coordinates, and rows. Plain frozen values; who decides them is ``auth.policy``'s business.

A rule narrows a type to the rows whose canonical field, at ``path`` from the type, meets a condition; all rules of a type must hold, and
a row whose field is null meets none. What a rule hides does not exist for the caller: not in lists or counts, not by key, not by
reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

RuleOperator = Literal["EQ", "IN", "LT", "LE", "GT", "GE", "PREFIX"]


@dataclass(frozen=True, slots=True)
class Rule:
    """``value`` is canonical, as an answer would show it (a tuple of them for IN)."""

    path: str
    op: RuleOperator
    value: Any


Rows = Mapping[str, tuple[Rule, ...]]  # type -> what each of its rows must pass


@dataclass(frozen=True, slots=True)
class Access:
    """``denied`` are coordinates (``Type.field``); ``rows`` the rules by type."""

    denied: frozenset[str] = frozenset()
    rows: Rows = field(default_factory=dict)


def shape(rows: Rows) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The rules without their values: all that a plan depends on."""
    return tuple(sorted((name, tuple((rule.path, rule.op) for rule in rules)) for name, rules in rows.items() if rules))
