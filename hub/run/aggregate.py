"""Figures over many rows: computed by the source in one call where it can, else here out of rows within the scan's bound, or refused.

Groups go by canonical values: what a source writes in two ways is one group here. Sums are exact. Null and what cannot be read count as
rows, and are no part of a sum or an extreme.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

from connectors.spi import Aggregate, Ask, Function, SourceError
from hub.plan.model import FIGURE, Figures, Term
from hub.run.arguments import BadArgument
from hub.run.chunks import join
from hub.run.convert import BAD, canonical
from hub.run.kinds import named
from hub.run.layers import Fault, Fetched, Layer, Paged
from hub.run.order import agrees, row_keys, sort_key
from hub.run.scan import Asking, Scanning, TooMany, too_many
from hub.run.terms import Sort, Terms, least, placed, term_of, terms

MAX_GROUPS = 1_000
EXACT = Context(prec=1_000)  # digits of a sum; more than any column has
Group = tuple[Any, ...]
_FUNCTIONS: dict[str, Function] = {"SUM": "SUM", "MIN": "MIN", "MAX": "MAX"}


async def figures(step: Figures, given: Mapping[str, Any], asking: Asking) -> Layer:
    """The layer of groups, ordered by their values. Raises SourceError, BadArgument."""
    listing = step.scan.listing
    found = terms(listing, None, given, asking.viewer)
    groups = [term_of(listing, step.groups[name]) for name in dict.fromkeys(given.get("groupBy") or ())]
    measures = [(function, listing.terms[path]) for function, path in step.measures]
    read = tuple(term for _, term in measures)
    wanted = Terms(listing, found.wanted, tuple(map(Sort, groups)), found.name, False, read=read)
    work = _Figures(step.scan, wanted, {}, asking)
    try:
        computed = await work.pushed(groups, measures)
        if computed is None:
            computed = await work.computed(groups, measures)
    except TooMany:
        raise too_many(step.scan, asking.viewer.max_scan) from None
    if len(computed) > MAX_GROUPS:
        text = f"more than {MAX_GROUPS} groups"
        raise BadArgument(Fault("TOO_LARGE", f"分组超过 {MAX_GROUPS} 个。", f"There are {text}."))
    return _layer(step, groups, measures, computed)


class _Figures(Scanning):
    """A scan that adds up instead of listing."""

    async def pushed(self, groups: Sequence[Term], measures: Sequence[tuple[str, Term]]) -> dict[Group, list[Any]] | None:
        """The figures by the source, in one call; None where it cannot compute them exactly."""
        if self._own or not all(term.carried for term in groups) or not all(_exact(function, term) for function, term in measures):
            return None
        relation = self._step.binding.relation
        wanted = [Aggregate("COUNT"), *(Aggregate(_FUNCTIONS[function], term.slot.column) for function, term in measures)]
        where = tuple(condition for _, condition, _ in self._where)
        ask = Ask(relation.name, (), (), where, aggregates=tuple(dict.fromkeys(wanted)), group=tuple(t.slot.column for t in groups))
        plan = self._asking.sources.plan(self._step.binding.system, ask, relation)
        if plan.rest.aggregates or plan.rest.where:
            return None
        params = {**self._params, **{condition.param: value for _, condition, value in self._where}}
        pages = await self._asking.pages(self._step.binding, plan, params, 100 * MAX_GROUPS)
        columns = join(pages, plan) if pages else {column.name: [] for column in plan.fields}
        keys = [canonical(columns[term.slot.column], term.slot.type, term.slot.field).values for term in groups]
        size = sum(page.size for page in pages)
        found: dict[Group, list[Any]] = {}
        for row in range(size):
            figures = [columns["count()"][row]]
            for (function, term), aggregate in zip(measures, wanted[1:], strict=True):
                figures.append(_read(function, term, columns[aggregate.name][row]))
            key = tuple(None if column[row] is BAD else column[row] for column in keys)
            before = found.get(key)
            found[key] = figures if before is None else _together(measures, before, figures)
        if not groups and not found:
            raise SourceError("broken", "no figures came", source=self._step.binding.system)
        return found

    async def computed(self, groups: Sequence[Term], measures: Sequence[tuple[str, Term]]) -> dict[Group, list[Any]]:
        """The figures out of the rows themselves. Raises TooMany."""
        self._bounded = True
        rows = await self.rows()
        placed(self._terms, rows.raw, rows.rows)
        keys = [rows.raw.canonical(term.slot).values for term in groups]
        values = [_with_faults(rows.raw, term) for _, term in measures]
        found: dict[Group, list[Any]] = {} if groups else {(): [0, *(None for _ in measures)]}
        for row in rows.rows:
            key = tuple(None if column[row] is BAD else column[row] for column in keys)
            one = [1, *(_single(function, column[row]) for (function, _), column in zip(measures, values, strict=True))]
            before = found.get(key)
            found[key] = one if before is None else _together(measures, before, one)
        return found


def _with_faults(raw: Layer, term: Term) -> list[Any]:
    """A column in which a row that could not be read has its fault."""
    values = list(raw.canonical(term.slot).values)
    for row, fault in raw.missing(term.slot).items():
        values[row] = fault
    return values


def _exact(function: str, term: Term) -> bool:
    """Whether the source's figure of the column means the canonical one."""
    if not term.carried or term.slot.field is None:
        return False
    if function == "SUM":
        return named(term.slot.type).name in ("Int", "Decimal") and term.slot.field.type in ("int", "decimal")
    return agrees(term.slot.type, term.slot.field)


def _read(function: str, term: Term, value: Any) -> Any:
    """A source's figure: an exact number, or a canonical value."""
    if value is None:
        return None
    if function == "SUM":
        return Decimal(str(value))
    found = canonical([value], term.slot.type, term.slot.field).values[0]
    return None if found is BAD else found


def _single(function: str, value: Any) -> Any:
    if value is None or value is BAD or isinstance(value, Fault):
        return None if value is BAD else value
    return Decimal(str(value)) if function == "SUM" else value


def _together(measures: Sequence[tuple[str, Term]], one: list[Any], other: list[Any]) -> list[Any]:
    """The figures of two parts of one group."""
    found = [one[0] + other[0]]
    for (function, term), here, there in zip(measures, one[1:], other[1:], strict=True):
        if here is None or there is None:
            found.append(there if here is None else here)
        elif isinstance(here, Fault) or isinstance(there, Fault):
            found.append(least(*(one for one in (here, there) if isinstance(one, Fault))))
        elif function == "SUM":
            found.append(EXACT.add(here, there))
        else:
            found.append((min if function == "MIN" else max)(here, there, key=sort_key(term.slot.type)))
    return found


def _layer(step: Figures, groups: Sequence[Term], measures: Sequence[tuple[str, Term]], computed: Mapping[Group, list[Any]]) -> Layer:
    keys = list(computed)
    if groups and keys:
        ranks = row_keys([list(column) for column in zip(*keys, strict=True)], [term.slot.type for term in groups])
        keys = [key for _, key in sorted(zip(ranks, keys, strict=True), key=lambda pair: pair[0])]
    size = len(keys)
    columns: dict[str, list[Any]] = {f"group.{path}": [None] * size for path in step.shown}
    columns["count"] = [computed[key][0] for key in keys]
    for at, term in enumerate(groups):
        columns[f"group.{term.path}"] = [key[at] for key in keys]
    fetched = {step.id: Fetched(columns)}
    for at, (function, term) in enumerate(measures):
        values = [computed[key][at + 1] for key in keys]
        faults = {row: value for row, value in enumerate(values) if isinstance(value, Fault)}
        shown = [None if value is None or isinstance(value, Fault) else _shown(function, value) for value in values]
        fetched[FIGURE + at] = Fetched({f"{function.lower()}.{term.path}": shown}, faults=faults)
    paged = Paged(range(size), total=size)
    return Layer(size, parent=[0] * size, index=range(size), lists={0: paged}, spans={0: range(size)}, fetched=fetched)


def _shown(function: str, value: Any) -> Any:
    return format(value, "f") if function == "SUM" else value
