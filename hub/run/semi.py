"""Semi-joins: ask first which keys meet the conditions on another system's fields, then the list's own source for those keys alone.

What the other system has not decided stays a condition of the list. Where too many keys meet the conditions, or that system cannot
say, the list is made as if it could not list at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from connectors.spi import Ask, Condition, SourceError
from hub.plan.model import Join, Scan
from hub.run.arguments import BadArgument
from hub.run.chunks import join
from hub.run.convert import BAD, canonical
from hub.run.layers import Fault, Fetched, Layer
from hub.run.push import pushed
from hub.run.scan import Asking, Rows, Scanning
from hub.run.sources import Sources
from hub.run.terms import Terms, Wanted, narrowed, places

T = TypeVar("T")
CHUNK = 300  # keys of one call: social credit codes of so many fit into an address of 8 KB


async def scanned(step: Scan, terms: Terms, params: Mapping[str, Any], asking: Asking) -> Layer:
    """The layer of a root list, by a semi-join where there is one. Raises SourceError, BadArgument."""
    failed: SourceError | None = None
    for one in step.joins:
        try:
            found = await _keys(one, terms, asking)
        except SourceError as error:
            failed = failed or error
            continue
        parts = [] if found is None else list(_parts(one, step, terms, *found, asking.sources))
        if not parts:
            continue
        work = [Scanning(step, part, params, asking) for part in parts]
        if len(work) > 1:
            return await _Chunked(step, terms, params, asking, work).layer()
        return await work[0].layer()
    try:
        return await Scanning(step, terms, params, asking).layer()
    except BadArgument as error:
        if failed is not None and error.fault.code == "FILTER_NOT_PUSHABLE":
            raise failed from None  # it is not the question that is at fault
        raise


def _there(one: Join, terms: Terms) -> Iterator[tuple[Wanted, Condition, Any]]:
    """The conditions that can be put to the other system, with their native values."""
    for number, wanted in enumerate(terms.wanted):
        slot = one.columns.get(wanted.term.path)
        if slot is not None and not wanted.term.carried and wanted.term.slot.step == one.fetch:
            said = pushed(wanted.op, slot.type, slot.field, wanted.value)
            if said is not None and said[0] in one.binding.relation.where.get(slot.column, ()):
                yield wanted, Condition(slot.column, said[0], f"p{number}"), said[1]


async def _keys(one: Join, terms: Terms, asking: Asking) -> tuple[tuple[Any, ...], frozenset[int]] | None:
    """The canonical keys that meet the conditions which the other system decides, and the places of these in ``terms.wanted``.
    None: it decides none, or more keys meet them than the engine looks at. Raises SourceError."""
    there = list(_there(one, terms))
    if not there:
        return None
    relation = one.binding.relation
    ask = Ask(relation.name, (one.key.column,), (), tuple(condition for _, condition, _ in there), limit="limit")
    plan = asking.sources.plan(one.binding.system, ask, relation)
    left = {condition.param for condition in plan.rest.where}
    params = {condition.param: value for _, condition, value in there} | {"limit": asking.viewer.max_scan + 1}
    decided = frozenset(at for at, wanted in enumerate(terms.wanted) for known, c, _ in there if known is wanted and c.param not in left)
    if not decided:
        return None
    asking.asked.systems.add(one.binding.system)
    try:
        pages = await asking.pages(one.binding, plan, params, asking.viewer.max_scan + 1)
    except SourceError as error:
        if error.code == "TOO_LARGE":
            return None
        raise
    if sum(page.size for page in pages) > asking.viewer.max_scan:
        return None
    column = join(pages, plan)[one.key.column] if pages else []
    values = canonical(column, one.key.type, one.key.field).values
    return tuple(dict.fromkeys(value for value in values if value is not None and value is not BAD)), decided


def _parts(one: Join, step: Scan, terms: Terms, keys: tuple[Any, ...], decided: frozenset[int], sources: Sources) -> Iterator[Terms]:
    """The list's terms with the keys instead of what they decide, so many keys at a time. None at all where the driver does not take
    them, or where the order of rows is its own and would be lost between calls."""
    if len(keys) > CHUNK and not terms.total_order:
        return
    slot, relation = one.to.slot, step.binding.relation
    ask = Ask(relation.name, (slot.column,), (), (Condition(slot.column, "IN", "keys"),), args=tuple(step.binding.args.values()))
    if sources.plan(step.binding.system, ask, relation).rest.where or pushed("IN", slot.type, slot.field, keys) is None:
        return
    own = tuple(wanted for at, wanted in enumerate(terms.wanted) if at not in decided)
    for start in range(0, len(keys) or 1, CHUNK):
        yield narrowed(replace(terms, wanted=(*own, Wanted(one.to, "IN", keys[start : start + CHUNK]))))


class _Chunked(Scanning):
    """A list whose keys do not fit into one call: the parts have no row in common, and each is ordered and cut by itself."""

    def __init__(self, step: Scan, terms: Terms, params: Mapping[str, Any], asking: Asking, parts: Sequence[Scanning]) -> None:
        super().__init__(step, terms, params, asking)
        self._parts = parts

    async def rows(self) -> Rows:
        found = await _all([part.rows() for part in self._parts])
        raw = _laid([part.raw for part in found])
        starts = [sum(part.raw.size for part in found[:at]) for at in range(len(found))]
        keep = [start + row for start, part in zip(starts, found, strict=True) for row in part.rows]
        ranks = places(self._terms, raw)
        keep.sort(key=ranks.__getitem__)
        totals = [part.total for part in found]
        total = None if None in totals else sum(filter(None, totals))
        if self._terms.first is None:
            return Rows(raw, keep, False, total)
        more = len(keep) > self._terms.first or any(part.more for part in found)
        return Rows(raw, keep[: self._terms.first], more, total)

    async def total(self) -> int:
        return sum(await _all([part.total() for part in self._parts]))


async def _all(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order. When one fails, none of the others goes on."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


def _laid(layers: Sequence[Layer]) -> Layer:
    """Raw rows end to end, with all columns that every part has."""
    fetched: dict[int, Fetched] = {}
    layers = [layer for layer in layers if layer.size] or list(layers[:1])
    for step in layers[0].fetched:
        parts = [layer.fetched[step] for layer in layers]
        names = [name for name in parts[0].columns if all(name in part.columns for part in parts)]
        columns = {name: [value for part in parts for value in part.columns[name]] for name in names}
        faults: dict[int, Fault] = {}
        start = 0
        for layer, part in zip(layers, parts, strict=True):
            faults |= {start + row: fault for row, fault in part.faults.items()}
            start += layer.size
        fetched[step] = Fetched(columns, [there for part in parts for there in part.found], faults)
    return Layer(sum(layer.size for layer in layers), fetched=fetched)
