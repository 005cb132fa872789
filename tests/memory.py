"""A connector over Python rows: kind ``memory``.

It pushes down what its relations declare, remembers every call, and misbehaves on demand.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.feeds import News
from connectors.paths import reader
from connectors.spi import Call, Catalog, Condition, Connector, ErrorKind, Field, Page, Plan, Relation, SourceError
from hub.clock import Clock

Rows = Mapping[str, Sequence[Mapping[str, Any]]]  # relation -> native rows


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """What is there. Rows are looked up by the relation's ``native["rows"]`` (several relations may share rows), else by its name;
    its ``native["params"]`` maps parameters to the columns that must equal them."""

    rows: Rows = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    page_size: int = 1000


@dataclass(slots=True)
class Faults:
    """How a connector misbehaves, by relation name.

    ``down`` fails each call, ``calls`` the n-th (from 0), ``keys`` single keys; ``doubled`` answers single keys twice; ``strangers`` adds a
    row that nobody asked for; ``shuffled`` seeds the order of answers by key.
    """

    down: dict[str, ErrorKind] = field(default_factory=dict)
    calls: dict[tuple[str, int], ErrorKind] = field(default_factory=dict)
    keys: dict[tuple[str, tuple[Any, ...]], ErrorKind] = field(default_factory=dict)
    doubled: set[tuple[str, tuple[Any, ...]]] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    shuffled: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """One call as the source saw it. ``where``: pushed conditions with their values; ``inside``: what is asked for inside lists."""

    system: str
    relation: str
    keys: tuple[tuple[Any, ...], ...]
    fields: tuple[str, ...]
    params: tuple[tuple[str, Any], ...] = ()
    where: tuple[tuple[str, str, Any], ...] = ()
    limit: int | None = None
    inside: tuple[str, ...] = ()


class Memory(Connector):
    """Serves ``MemorySettings.rows``. ``latency`` is in seconds of the clock that is passed in."""

    kind = "memory"
    Settings = MemorySettings

    def __init__(
        self,
        settings: MemorySettings,
        *,
        system: str = "",
        clock: Clock | None = None,
        latency: float = 0.0,
        received: list[Received] | None = None,
    ) -> None:
        super().__init__(settings, system=system)
        self.faults = Faults()
        self.rows: dict[str, list[Mapping[str, Any]]] = {name: list(rows) for name, rows in settings.rows.items()}
        self.news: dict[str, list[Mapping[str, Any] | SourceError]] = {}
        self.listeners = 0
        self._happened = asyncio.Event()
        self.received: list[Received] = [] if received is None else received
        self.clock = clock
        self.latency = latency
        self.closed = 0

    async def describe(self) -> Catalog:
        return Catalog(tuple(sorted(self.settings.relations, key=lambda relation: relation.name)))

    async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        name = plan.relation.name
        number = sum(earlier.relation == name and earlier.system == self.system for earlier in self.received)
        where = tuple((c.field, c.op, call.params[c.param]) for c in plan.ask.where)
        limit = call.params[plan.ask.limit] if plan.ask.limit else None
        fields = tuple(column.name for column in plan.fields)
        inside = tuple(_inside(plan.fields))
        self.received.append(
            Received(self.system, name, tuple(call.keys), fields, tuple(sorted(call.params.items())), where, limit, inside)
        )
        if self.latency and self.clock is not None:
            await self.clock.sleep(self.latency)
        kind = self.faults.down.get(name) or self.faults.calls.get((name, number))
        if kind is not None:
            raise SourceError(kind, "as told", source=self.system, relation=name)
        rows = self._written(plan, call) if plan.relation.effect == "write" else self._rows(plan, call)
        total = len(rows) if plan.ask.total else None
        if plan.ask.after:
            rows = [row for row in rows if _follows(row, plan, call)]
        if plan.ask.aggregates:
            rows = _figures(rows, plan)
        rows = rows if limit is None else _cut(rows, plan, limit)
        faults = {
            key: SourceError(self.faults.keys[name, key], "as told", source=self.system)
            for key in call.keys
            if (name, key) in self.faults.keys
        }
        key = call.keys[0] if len(call.keys) == 1 else ()
        size = self.settings.page_size
        for start in range(0, max(len(rows), 1), size):
            page = Page.of(rows[start : start + size], plan.fields, total=total, key=key)
            page.faults = faults if start == 0 else {}
            yield page

    def _rows(self, plan: Plan, call: Call) -> list[Mapping[str, Any]]:
        relation = plan.relation
        there = self.rows.get(str(relation.native.get("rows", relation.name)), ())
        rows = [row for row in there if all(_passes(row, relation, c, call.params[c.param]) for c in plan.ask.where)]
        for param, path in dict(relation.native.get("params") or {}).items():
            rows = [row for row in rows if reader(path)(row) == call.params.get(param)]
        if plan.ask.by:
            paths = [relation.field(name).path for name in plan.ask.by]
            if all(paths):
                read = [reader(path) for path in paths]
                wanted = [k for k in call.keys if (relation.name, k) not in self.faults.keys]
                found = [(tuple(r(row) for r in read), row) for row in rows]
                asked = set(wanted)
                rows = [row for key, row in found if key in asked]
                rows += [row for key, row in found if key in asked and (relation.name, key) in self.faults.doubled]
                if relation.name in self.faults.strangers:
                    rows.append(dict.fromkeys(paths, "nobody"))
        for order in reversed(plan.ask.order):
            read_one = reader(relation.field(order.field).path)
            rows = sorted(rows, key=lambda row: (read_one(row) is not None, read_one(row)), reverse=order.descending)
        if self.faults.shuffled is not None and plan.ask.by:
            rows = _shuffled(rows, plan, self.faults.shuffled)
        return rows

    def _written(self, plan: Plan, call: Call) -> list[Mapping[str, Any]]:
        """What a write made: ``native["sets"]`` maps parameters to the columns that they are put into, in all rows whose ``native["by"]``
        column equals the parameter of that name. It answers with the first of them."""
        native = plan.relation.native
        table, (param, column) = self.rows.setdefault(str(native["rows"]), []), next(iter(native["by"].items()))
        found: list[Mapping[str, Any]] = []
        for at, row in enumerate(table):
            if row.get(column) == call.params[param]:
                table[at] = {**row, **{into: call.params[given] for given, into in native["sets"].items()}}
                found.append(table[at])
        return found[:1]

    def publish(self, relation: str, *news: Mapping[str, Any] | SourceError) -> None:
        """Rows of a feed, each an event of its own; a failure breaks the connection at its place, once."""
        self.news.setdefault(relation, []).extend(news)
        happened, self._happened = self._happened, asyncio.Event()
        happened.set()

    async def events(self, plan: Plan, call: Call, after: str = "") -> AsyncIterator[News]:
        """From the first news on, or from the one after the cursor, which is a number."""
        name = plan.relation.name
        self.received.append(Received(self.system, name, (), tuple(c.name for c in plan.fields), tuple(sorted(call.params.items()))))
        self.listeners += 1
        heard = self.news.setdefault(name, [])
        try:
            at = int(after or 0)
            while True:
                while at < len(heard):
                    one = heard[at]
                    if isinstance(one, SourceError):
                        del heard[at]
                        raise one
                    at += 1
                    yield News(Page.of([one], plan.fields), str(at))
                await self._happened.wait()
        finally:
            self.listeners -= 1

    async def close(self) -> None:
        self.closed += 1


def _inside(columns: Iterable[Field], prefix: str = "") -> Iterator[str]:
    for column in columns:
        if prefix:
            yield f"{prefix}{column.name}"
        yield from _inside(column.items, f"{prefix}{column.name}.")


def _shuffled(rows: list[Mapping[str, Any]], plan: Plan, seed: int) -> list[Mapping[str, Any]]:
    """``rows`` with their keys in another order; rows of one key keep theirs, since that is the order of its list."""
    read = [reader(plan.relation.field(name).path) for name in plan.ask.by]
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(r(row) for r in read), []).append(row)
    keys = list(groups)
    random.Random(seed).shuffle(keys)
    queues = [groups[key] for key in keys]
    mixed = []
    while queues:  # interleaved, so that the rows of one key do not lie together
        mixed += [queue.pop(0) for queue in queues]
        queues = [queue for queue in queues if queue]
    return mixed


def _cut(rows: list[Mapping[str, Any]], plan: Plan, limit: int) -> list[Mapping[str, Any]]:
    """The first rows, of each key where the call is by key."""
    if not plan.ask.by:
        return rows[:limit]
    read = [reader(plan.relation.field(name).path) for name in plan.ask.by]
    counts: Counter[tuple[Any, ...]] = Counter()
    kept = []
    for row in rows:
        key = tuple(r(row) for r in read)
        counts[key] += 1
        kept += [row] if counts[key] <= limit else []
    return kept


def _figures(rows: list[Mapping[str, Any]], plan: Plan) -> list[Mapping[str, Any]]:
    """One row for each group, in which a column's path is its name."""
    ask, relation = plan.ask, plan.relation
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {} if ask.group else {(): []}
    for row in rows:
        groups.setdefault(tuple(reader(relation.field(name).path)(row) for name in ask.group), []).append(row)
    found: list[Mapping[str, Any]] = []
    for some in groups.values():
        one: dict[str, Any] = dict(some[0]) if some else {}
        for aggregate in ask.aggregates:
            values = [reader(relation.field(aggregate.field).path)(row) for row in some] if aggregate.field else some
            there = [value for value in values if value is not None]
            compute: dict[str, Callable[[Any], Any]] = {"COUNT": len, "SUM": sum, "MIN": min, "MAX": max}
            one[aggregate.name] = compute[aggregate.function](there) if there or aggregate.function == "COUNT" else None
        found.append(one)
    return found


def _follows(row: Mapping[str, Any], plan: Plan, call: Call) -> bool:
    """Whether a row comes after the place that the call names, null below all else."""
    for order, name in zip(plan.ask.order, plan.ask.after, strict=True):
        value = reader(plan.relation.field(order.field).path)(row)
        bound = None if name is None else call.params[name]
        here, there = (value is not None, value), (bound is not None, bound)
        if here != there:
            return here < there if order.descending else here > there
    return False


def _passes(row: Mapping[str, Any], relation: Relation, condition: Condition, wanted: Any) -> bool:
    value = reader(relation.field(condition.field).path)(row)
    if value is None:
        return False
    tests: dict[str, Callable[[], Any]] = {
        "EQ": lambda: value == wanted,
        "IN": lambda: value in wanted,
        "LT": lambda: value < wanted,
        "LE": lambda: value <= wanted,
        "GT": lambda: value > wanted,
        "GE": lambda: value >= wanted,
        "PREFIX": lambda: str(value).startswith(wanted),
    }
    return bool(tests[condition.op]())
