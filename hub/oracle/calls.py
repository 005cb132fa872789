"""The calls behind one answer: one at a time, each for one key.

Resolvers are plain synchronous functions. One that needs a call which has not been made yet notes it and raises ``Pending``; the
notes are then worked off and the execution starts over, until nothing is missing. So each resolver reads as if all data were
at hand, and the answer cannot depend on timing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.spi import Ask, Call, Connector, SourceError
from hub.errors import source_code
from hub.oracle.values import Fault
from schema.registry import Binding

Row = Mapping[str, Any]  # column -> native value


class Pending(Exception):
    """The call has been noted; it is made before the next round."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call to make. ``key`` is native, None for a scan; ``params`` are (name, value) pairs. ``after`` is how many writes come before it:
    what was read before a write says nothing of what is there after it."""

    binding: str
    key: tuple[Any, ...] | None
    columns: tuple[str, ...]
    params: tuple[tuple[str, Any], ...] = ()
    after: int = 0


class Calls:
    """What has been asked for and what came of it. Lives for one execution."""

    def __init__(self, connectors: Mapping[str, Connector]) -> None:
        self._connectors = connectors
        self._done: dict[Wanted, list[Row] | Fault] = {}
        self._noted: dict[Wanted, tuple[Binding, Callable[[Row], bool]]] = {}
        self._writes = 0  # in this round

    def written(self, binding: Binding, wanted: Wanted) -> list[Row]:
        """The rows that a write answers with. It is made only when nothing before it is missing. Raises Pending, Fault."""
        self._writes += 1
        if self._noted:
            raise Pending
        return self.rows(binding, wanted, lambda row: True)

    def rows(self, binding: Binding, wanted: Wanted, belongs: Callable[[Row], bool]) -> list[Row]:
        """The rows of one call; ``belongs`` says whether a row answers the key that was asked. Raises Pending, Fault."""
        wanted = replace(wanted, after=self._writes)
        if wanted not in self._done:
            self._noted[wanted] = (binding, belongs)
            raise Pending
        outcome = self._done[wanted]
        if isinstance(outcome, Fault):
            raise Fault(outcome.code)  # a new one for each position, since an error is located once
        return outcome

    async def settle(self) -> bool:
        """Make the calls that were noted. False when there were none."""
        noted, self._noted, self._writes = self._noted, {}, 0
        for wanted, (binding, belongs) in noted.items():
            try:
                self._done[wanted] = await self._fetch(binding, wanted, belongs)
            except SourceError as error:
                lost = binding.relation.effect == "write" and not error.untouched  # S13
                self._done[wanted] = Fault("OUTCOME_UNKNOWN" if lost else source_code(error))
        return bool(noted)

    async def _fetch(self, binding: Binding, wanted: Wanted, belongs: Callable[[Row], bool]) -> list[Row]:
        connector = self._connectors.get(binding.system)
        if connector is None:
            raise SourceError("config", "not connected", source=binding.system)
        by = () if wanted.key is None else binding.relation.keys
        ask = Ask(binding.relation.name, fields=wanted.columns, by=by, args=tuple(name for name, _ in wanted.params))
        plan = connector.plan(ask, binding.relation)  # nothing to filter, sort, cut or count in it, so no rest
        keys = () if wanted.key is None else (wanted.key,)
        rows: list[Row] = []
        faults: list[SourceError] = []
        async for page in connector.fetch(plan, Call(params=dict(wanted.params), keys=keys)):
            faults += [page.faults[key] for key in keys if key in page.faults]
            names = [name for name in page.columns if name in wanted.columns or name in by]
            rows.extend({name: page.columns[name][i] for name in names} for i in range(page.size))
        if not all(belongs(row) for row in rows):
            raise SourceError("broken", "a row that was not asked for", source=binding.system)
        if faults:
            raise faults[0]
        return rows
