"""Columns that a table no longer has: what is remembered of them, and what can be asked without them.

A column that is only shown may be left out; one by which rows are found, narrowed, ordered or added up may not. Must not connect to
anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy.engine import Dialect

from connectors.spi import Ask, Plan, SourceError
from connectors.sql.failures import UNDEFINED
from connectors.sql.statement import Statement, prepare

_SECONDS = 60.0  # until a table is asked in full again
_MOST = 1_000  # tables remembered


def about_a_column(backend: str, error: SourceError) -> bool:
    """Whether a database said that it has no such column."""
    return error.kind == "config" and error.detail.startswith(UNDEFINED[backend])


class Known:
    """Which columns the tables have that were found to lack one; for a minute of ``ticks``, in seconds."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._tables: dict[str, tuple[float, frozenset[str]]] = {}
        self._trouble: tuple[float, SourceError] | None = None

    @property
    def trouble(self) -> SourceError | None:
        """What a database said last of a column that it has no more, for as long as that is remembered."""
        return self._trouble[1] if self._trouble is not None and self._ticks() < self._trouble[0] else None

    def keep(self, statement: Statement, columns: Iterable[str], said: SourceError) -> None:
        """Remember which ``columns`` a table has, of which the database ``said`` that one is not there."""
        if len(self._tables) >= _MOST:
            self._tables.clear()
        until = self._ticks() + _SECONDS
        self._tables[statement.table.fullname] = (until, frozenset(columns))
        self._trouble = (until, said)

    def without(self, plan: Plan, dialect: Dialect, schema: str) -> tuple[Statement, frozenset[str]]:
        """The statement for what ``plan`` can be answered of, and the names of its fields that are lost."""
        statement: Statement = plan.native
        name, whole = statement.table.fullname, (statement, frozenset[str]())
        if name not in self._tables:
            return whole
        until, there = self._tables[name]
        if self._ticks() >= until:
            del self._tables[name]
            return whole
        lost = frozenset(field for field, column in statement.columns.items() if column not in there)
        left = tuple(field for field in plan.ask.fields if field not in lost and field.partition(".")[0] not in lost)
        if not lost or not {*left} - {*plan.ask.by} or lost & {*_needed(plan.ask), *_needed(plan.rest)}:
            return whole
        return prepare(replace(plan.ask, fields=left), plan.relation, dialect, schema).native, lost


def _needed(ask: Ask) -> Iterable[str]:
    """The fields that decide which rows there are."""
    yield from ask.by
    yield from (condition.field for condition in ask.where)
    yield from (order.field for order in ask.order)
    yield from ask.group
    yield from (one.field for one in ask.aggregates)
