"""A root list: filter, order, page and count, pushed to the source as far as it goes and finished here within a bound.

Knows the connector interface and one scan step; the rows go into a layer of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.spi import Ask, Call, Condition, Operator, Order, Plan, SourceError
from hub.plan.model import Scan, Slot
from hub.run.arguments import BadArgument, PageArguments
from hub.run.chunks import join
from hub.run.convert import canonical, native
from hub.run.layers import Fault
from hub.run.order import agrees, holds, row_keys
from hub.run.sources import Sources

MAX_SCAN = 5_000  # rows the engine will look at when a source cannot filter, order or count by itself
OPERATORS: dict[str, Operator] = {"eq": "EQ", "in": "IN", "lt": "LT", "le": "LE", "gt": "GT", "ge": "GE", "prefix": "PREFIX"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One condition of a filter in canonical terms."""

    field: str
    op: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Scanned:
    """Native columns of the rows of one page (``size`` of them), whether there are more, and the total where it was asked for."""

    columns: dict[str, list[Any]]
    size: int
    has_next: bool = False
    total: int | None = None


def conditions(step: Scan, given: dict[str, Any]) -> list[Wanted]:
    """The conditions in a field's filter argument. Raises BadArgument: FORBIDDEN for a field that the caller may not see,
    FILTER_NOT_PUSHABLE for one that the source's rows do not carry."""
    found = []
    for field, condition in sorted((given.get("filter") or {}).items()):
        for op, value in sorted((condition or {}).items()):
            if value is None:
                continue
            if field in step.denied_filters:
                raise BadArgument(Fault("FORBIDDEN"))
            if field not in step.filters or op not in OPERATORS:
                names = ", ".join(sorted(set(step.filters) - step.denied_filters))
                raise BadArgument(Fault("FILTER_NOT_PUSHABLE", f"可用于筛选的字段：{names}。", f"Fields to filter by: {names}."))
            found.append(Wanted(field, OPERATORS[op], value))
    return found


def _not_pushable() -> BadArgument:
    zh = f"来源系统无法完成该筛选或排序，且数据超过 {MAX_SCAN} 行。"
    return BadArgument(
        Fault("FILTER_NOT_PUSHABLE", zh, f"The source cannot filter, sort or count this and holds more than {MAX_SCAN} rows.")
    )


def _kept_columns(columns: dict[str, list[Any]], rows: Sequence[int], size: int) -> dict[str, list[Any]]:
    if rows == range(size):
        return columns
    return {name: [column[row] for row in rows] for name, column in columns.items()}


class Scanning:
    """One scan of one request."""

    def __init__(self, step: Scan, sources: Sources, deadline: float, request_id: str, wanted: list[Wanted]) -> None:
        self._step = step
        self._sources = sources
        self._deadline = deadline
        self._request_id = request_id
        self._wanted = wanted
        self._sorts = all(agrees(slot.type, slot.field) for slot in step.order)

    async def rows(self, page: PageArguments | None) -> Scanned:
        """The rows after the cursor, ``first`` of them; all rows when ``page`` is None. Raises SourceError, BadArgument."""
        after = self._after(page)
        plan, params = self._plan(self._wanted + after, page, total=self._step.total and page is not None and not after)
        columns, size, total = await self._call(plan, params)
        keep = self._kept(plan, columns, size, self._wanted + after)
        if page is None:
            return Scanned(_kept_columns(columns, keep, size), len(keep))
        left = page.after is not None and not after  # the cursor is no single condition, or not one that the source can tell
        if plan.rest.order or left or not self._sorts:
            kinds = [slot.type for slot in self._step.order]
            keys = row_keys([canonical(columns[slot.column], slot.type, slot.field).values for slot in self._step.order], kinds)
            keep = sorted(keep, key=keys.__getitem__)
            if page.after is not None and left:
                bound = row_keys([[part] for part in page.after], kinds)[0]
                keep = [row for row in keep if keys[row] > bound]
        rows = keep[: page.first]
        return Scanned(_kept_columns(columns, rows, size), len(rows), len(keep) > page.first, total)

    async def total(self) -> int:
        """How many rows meet the filter, whatever the page. Raises SourceError, BadArgument."""
        plan, params = self._plan(self._wanted, PageArguments(first=-1), total=True)
        if not plan.rest.total:
            _, _, total = await self._call(plan, params)
            if total is None:
                raise SourceError("broken", "no total came", source=self._step.binding.system)
            return total
        plan, params = self._plan(self._wanted, None, total=False)
        columns, size, _ = await self._call(plan, params, bounded=True)
        return len(self._kept(plan, columns, size, self._wanted))

    def _after(self, page: PageArguments | None) -> list[Wanted]:
        if page is None or page.after is None or len(page.after) != 1 or not self._sorts:
            return []
        return [Wanted(self._step.order[0].column, "GT", page.after[0])]

    def _plan(self, wanted: list[Wanted], page: PageArguments | None, total: bool) -> tuple[Plan, dict[str, Any]]:
        step = self._step
        params: dict[str, Any] = {}
        where = []
        for number, one in enumerate(wanted):
            slot = self._slot(one.field)
            where.append(Condition(slot.column, one.op, f"p{number}"))
            params[f"p{number}"] = (
                tuple(native(part, slot.type, slot.field) for part in one.value)
                if one.op == "IN"
                else native(one.value, slot.type, slot.field)
            )
        columns: tuple[str, ...] = step.columns
        limit = None
        order = tuple(Order(slot.column) for slot in step.order) if page is not None and self._sorts else ()
        if page is not None:
            whole = page.first >= 0 and (not self._sorts or (page.after is not None and len(page.after) > 1))
            limit = None if whole else "limit"
            params["limit"] = page.first + 1  # one more tells whether there is a next page; 0 asks for the total alone
        relation = step.binding.relation
        plan = self._sources.plan(step.binding.system, Ask(relation.name, columns, (), tuple(where), order, limit, (), total), relation)
        return plan, params

    def _slot(self, field: str) -> Slot:
        found = self._step.filters.get(field)
        return found if found is not None else next(slot for slot in self._step.order if slot.column == field)

    async def _call(self, plan: Plan, params: dict[str, Any], bounded: bool = False) -> tuple[dict[str, list[Any]], int, int | None]:
        rest = plan.rest
        bounded = bounded or bool(rest.where or rest.order or rest.limit) or ("limit" in params and plan.ask.limit is None)
        call = Call(params, (), self._deadline, "", self._request_id, max_rows=MAX_SCAN + 1 if bounded else 100_000)
        try:
            pages = await self._sources.pages(self._step.binding.system, plan, call)
        except SourceError as error:
            if bounded and error.code == "TOO_LARGE":
                raise _not_pushable() from None
            raise
        columns = join(pages, plan) if pages else {column.name: [] for column in plan.fields}
        size = sum(page.size for page in pages)
        if bounded and size > MAX_SCAN:
            raise _not_pushable()
        total = next((page.total for page in pages if page.total is not None), None)
        return columns, size, total

    def _kept(self, plan: Plan, columns: dict[str, list[Any]], size: int, wanted: list[Wanted]) -> Sequence[int]:
        """Rows that meet the conditions the source has left."""
        left = {condition.param for condition in plan.rest.where}
        keep: Sequence[int] = range(size)
        for number, one in enumerate(wanted):
            if f"p{number}" in left:
                slot = self._slot(one.field)
                values = canonical(columns[slot.column], slot.type, slot.field).values
                keep = [row for row in keep if holds(one.op, slot.type, values[row], one.value)]
        return keep
