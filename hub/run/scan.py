"""A root list: filter, order, page and count, pushed to the source as far as it goes and finished here within a bound.

What the source cannot tell exactly is looked at here, and so is what its rows do not carry. A limit goes down only when everything
before it did. Knows the connector interface and one scan step; the rows go into a layer of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.spi import Ask, Call, Condition, Order, Page, Plan, SourceError
from hub.plan.columns import column_of
from hub.plan.model import Scan
from hub.run.arguments import BadArgument
from hub.run.chunks import Asked, join
from hub.run.kept import kept
from hub.run.layers import Fault, Fetched, Layer, Paged
from hub.run.order import agrees
from hub.run.push import pushed
from hub.run.sources import Sources
from hub.run.terms import NOWHERE, Kinds, Terms, Viewer, Wanted, after_place, completed, least, placed, places, sealed, unplaced, verdicts
from schema.registry import Binding

MAX_ROWS = 100_000  # rows of a plain list


@dataclass(slots=True)
class Rows:
    """What a source has handed over: ``rows`` of ``raw`` are those that count, in order; ``total`` where it is known."""

    raw: Layer
    rows: Sequence[int]
    more: bool = False
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """For whom lists are made, whom they may ask, and until when (seconds of the clock's ``monotonic``)."""

    viewer: Viewer
    sources: Sources
    asked: Asked
    until: float
    request_id: str
    principal: str = ""

    async def pages(self, binding: Binding, plan: Plan, params: Mapping[str, Any], most: int) -> list[Page]:
        """All pages of one call for the caller, of ``most`` rows, or what may be served again instead. Raises SourceError."""
        call = Call(params, (), self.until, self.principal, self.request_id, max_rows=most)
        if binding.cache:
            return await kept(self.asked, self.sources, binding, plan, call)
        return await self.sources.pages(binding.system, plan, call)


class TooMany(Exception):
    """The source holds more rows than the engine looks at."""


def too_many(step: Scan, most: int) -> BadArgument:
    """What a list of more than ``most`` rows is refused by; says what its source can narrow and order by itself."""
    listing, relation = step.listing, step.binding.relation
    seen = {
        name: column_of(step.binding, path) for name, path in {**listing.filters, **listing.sorts}.items() if path not in listing.denied
    }
    narrows = sorted(name for name in listing.filters if seen.get(name) in relation.where)
    sorts = sorted(name for name in listing.sorts if seen.get(name) in relation.order)
    zh = f"来源系统无法完成该筛选或排序，且数据超过 {most} 行。"
    en = f"The source cannot filter, sort or count this and holds more than {most} rows."
    if narrows:
        zh, en = f"{zh}可由来源筛选的字段：{'、'.join(narrows)}。", f"{en} What it filters by itself: {', '.join(narrows)}."
    if sorts:
        zh, en = f"{zh}可由来源排序的字段：{'、'.join(sorts)}。", f"{en} What it sorts by itself: {', '.join(sorts)}."
    return BadArgument(Fault("FILTER_NOT_PUSHABLE", zh, en))


class Scanning:
    """One scan of one request. ``params`` are those of the relation's own arguments."""

    def __init__(self, step: Scan, terms: Terms, params: Mapping[str, Any], asking: Asking) -> None:
        self._step = step
        self._terms = terms
        self._asking = asking
        self._params = dict(params)
        self._bounded = False  # whether all rows have to be few enough to be looked at here
        self._where, self._own = self._divided()
        order = terms.order
        self._sorts = bool(order) and all(sort.term.carried and agrees(sort.term.slot.type, sort.term.slot.field) for sort in order)

    async def layer(self) -> Layer:
        """The layer of this list. Raises SourceError, BadArgument."""
        step, terms = self._step, self._terms
        notices: list[dict[str, Any]] = []
        try:
            found = await self.rows() if step.rows else None
        except TooMany:
            raise too_many(step, self._asking.viewer.max_scan) from None
        total = found.total if found is not None else None
        if step.total and total is None:
            try:
                total = await self.total()
            except TooMany:
                notices.append(_uncounted(step, self._asking.viewer.max_scan))
        rows = found.rows if found is not None else ()
        raw = found.raw if found is not None else Layer(0)
        size = len(rows)
        paged = Paged(range(size), found is not None and found.more, terms.after is not None, total)
        columns = {name: _picked(column, rows, raw.size) for name, column in raw.fetched[step.id].columns.items()} if size else {}
        layer = Layer(size, parent=[0] * size, index=range(size), lists={0: paged}, spans={0: range(size)})
        layer.fetched[step.id] = Fetched(columns)
        layer.notices = notices
        layer.cursors = sealed(terms, raw, self._asking.viewer.cursors, lambda: rows)
        return layer

    async def rows(self) -> Rows:
        """One page of rows, or all of a plain list. Raises SourceError, TooMany, BadArgument."""
        terms = self._terms
        plan, params = self._plan(count=self._step.total)
        raw, total = await self._call(plan, params)
        keep = await self._kept(plan, raw)
        if terms.first is None:
            return Rows(raw, keep)
        whole = plan.ask.limit is None and not plan.ask.after
        bound = after_place(terms)
        if self._step.total and total is None and whole and not (plan.ask.where and "seek" in params):
            total = len(keep)
        cut = plan.ask.order == () or plan.rest.order or plan.rest.after or not self._sorts or (bound is not None and not plan.ask.after)
        if cut and terms.order:
            placed(terms, raw, keep)
            keys = places(terms, raw)
            keep = sorted(keep, key=keys.__getitem__)
            if bound is not None:
                keep = [row for row in keep if keys[row] > bound]
        return Rows(raw, keep[: terms.first], len(keep) > terms.first, total)

    async def total(self) -> int:
        """How many rows meet the conditions, whatever the page. Raises SourceError, TooMany, BadArgument."""
        plan, params = self._plan(count=True, page=False)
        if self._own or plan.rest.total:
            plan, params = self._plan(count=False, page=False, cut=False)
            raw, _ = await self._call(plan, params, bounded=True)
            return len(await self._kept(plan, raw))
        _, total = await self._call(plan, params)
        if total is None:
            raise SourceError("broken", "no total came", source=self._step.binding.system)
        return total

    # -- inside --------------------------------------------------------------------------------------------------

    def _divided(self) -> tuple[list[tuple[Wanted, Condition, Any]], list[Wanted]]:
        """Conditions that can be put to the source, with their native values, and those that are the engine's own."""
        there, own = [], []
        for number, one in enumerate(self._terms.wanted):
            slot = one.term.slot
            said = pushed(one.op, slot.type, slot.field, one.value) if one.term.carried and one.term is not NOWHERE else None
            if said is None:
                own.append(one)
            else:
                there.append((one, Condition(slot.column, said[0], f"p{number}"), said[1]))
        return there, own

    def _plan(self, *, count: bool, page: bool = True, cut: bool = True) -> tuple[Plan, dict[str, Any]]:
        """``page`` False asks for the count alone (with ``cut``) or for all rows (without)."""
        step, terms = self._step, self._terms
        relation = step.binding.relation
        params: dict[str, Any] = {**self._params, **{condition.param: value for _, condition, value in self._where}}
        where = [condition for _, condition, _ in self._where]
        used = [*(one.term for one in self._own), *(sort.term for sort in terms.order if page), *terms.read]
        columns = dict.fromkeys((*step.columns, *(term.slot.column for term in used if term.carried and term is not NOWHERE)))
        if terms.foreign:
            columns |= dict.fromkeys(step.listing.columns)
        order: tuple[Order, ...] = ()
        after: tuple[str | None, ...] = ()
        limit = None
        pages = page and terms.first is not None
        if pages and self._sorts and not self._own:
            order = tuple(Order(sort.term.slot.column, sort.descending) for sort in terms.order)
            limit = "limit"
            params["limit"] = (terms.first or 0) + 1  # one more tells whether there is a next page
            if terms.after is not None:
                after, where, limit = self._after(relation.seek, where, params)
        elif not page and cut:
            limit, params["limit"] = "limit", 0
        count = count and not self._own
        fields = tuple(columns)
        args = tuple(self._params)
        ask = Ask(relation.name, fields, (), tuple(where), order, limit, args, count and "seek" not in params, after)
        return self._asking.sources.plan(step.binding.system, ask, relation), params

    def _after(
        self, seeks: bool, where: list[Condition], params: dict[str, Any]
    ) -> tuple[tuple[str | None, ...], list[Condition], str | None]:
        """How to go on after a place: by the whole order where the source can, else by its first column as far as that goes."""
        terms = self._terms
        values = [
            None if value is None else pushed("EQ", sort.term.slot.type, sort.term.slot.field, value)
            for value, sort in zip(terms.after or (), terms.order, strict=True)
        ]
        exact = all(value is not None or place is None for value, place in zip(values, terms.after or (), strict=True))
        if seeks and exact:
            for number, value in enumerate(values):
                if value is not None:
                    params[f"a{number}"] = value[1]
            names = tuple(None if value is None else f"a{number}" for number, value in enumerate(values))
            return names, where, "limit"
        first, value = terms.order[0], values[0]
        single = len(terms.order) == 1
        if value is None or first.descending or (first.term.slot.field is not None and first.term.slot.field.nullable and not single):
            return (), where, None
        params["seek"] = value[1]
        return (), [*where, Condition(first.term.slot.column, "GT" if single else "GE", "seek")], "limit" if single else None

    async def _call(self, plan: Plan, params: dict[str, Any], bounded: bool = False) -> tuple[Layer, int | None]:
        step, rest = self._step, plan.rest
        unlimited = self._terms.first is not None and plan.ask.limit is None
        bounded = bounded or self._bounded or bool(self._own or rest.where or rest.order or rest.after) or unlimited
        most = self._asking.viewer.max_scan
        try:
            pages = await self._asking.pages(step.binding, plan, params, most + 1 if bounded else MAX_ROWS)
        except SourceError as error:
            if bounded and error.code == "TOO_LARGE":
                raise TooMany from None
            raise
        columns = join(pages, plan) if pages else {column.name: [] for column in plan.fields}
        size = sum(page.size for page in pages)
        if bounded and size > most:
            raise TooMany
        raw = Layer(size, fetched={step.id: Fetched(columns)})
        return raw, next((page.total for page in pages if page.total is not None), None)

    async def _kept(self, plan: Plan, raw: Layer) -> Sequence[int]:
        """Rows that meet the conditions the source was not asked for or has left."""
        terms = self._terms
        left = {condition.param for condition in plan.rest.where}
        own = [*(one for one, condition, _ in self._where if condition.param in left), *self._own]
        if terms.foreign:
            carried = [one for one in own if one.term.carried]
            await completed(terms, raw, self._asking.asked, verdicts(carried, raw)[0], self._asking.until)
        kinds = None
        if self._step.kinds:
            columns = raw.fetched[self._step.id].columns
            kinds = Kinds(self._step.kinds, self._asking.viewer, lambda: Layer(raw.size, fetched={self._step.id: Fetched(columns)}))
            await kinds.complete(self._asking.asked, [True] * raw.size, self._asking.until)
        elif not own and not terms.foreign:
            return range(raw.size)
        keep, unknown = verdicts(own, raw) if kinds is None else kinds.verdicts()
        lost = unknown or unplaced(terms, raw, keep)
        if lost:
            raise BadArgument(least(*lost.values()))
        return [row for row in range(raw.size) if keep[row]]


def _picked(column: list[Any], rows: Sequence[int], size: int) -> list[Any]:
    return column if rows == range(size) else [column[row] for row in rows]


def _uncounted(step: Scan, most: int) -> dict[str, Any]:
    """Why a total is null, for ``extensions.notices``."""
    text = f"来源系统不能计数，且数据超过 {most} 行。 The source cannot count this and holds more than {most} rows."
    return {"code": "TOTAL_UNKNOWN", "coordinate": f"{step.selected.coordinate}.totalCount", "message": text, "count": 1}
