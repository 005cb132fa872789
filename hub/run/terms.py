"""What one question wants of a list: conditions, order, page; and their application to rows that a source has handed over.

Conditions of the question and rules of the caller are one conjunction. A row for which it cannot be decided, because a system that was
to say so has failed, is not shown: the list then has that system's error. Knows layers and canonical values, makes no calls itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from auth.access import Rows
from hub.plan.model import Fetch, Kind, Listing, Screen, Term
from hub.plan.operation import Selected
from hub.plan.slots import Slot
from hub.run.arguments import BadArgument, first_of
from hub.run.chunks import Asked, Question, align
from hub.run.convert import BAD
from hub.run.cursors import Cursors, ListName, NoCursor
from hub.run.layers import Fault, Fetched, Layer, keys_of
from hub.run.order import meets, row_keys

MAX_SCAN = 5_000  # rows, unless configured otherwise
OPERATORS = {"eq": "EQ", "in": "IN", "lt": "LT", "le": "LE", "gt": "GT", "ge": "GE", "prefix": "PREFIX", "isNull": "NULL"}


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom lists are made: the rows that the caller may see, and the cursors that name places for it. ``max_scan`` rows are looked at
    here, at most, where a source cannot narrow, order or count by itself."""

    cursors: Cursors
    rows: Rows
    max_scan: int = MAX_SCAN


@dataclass(frozen=True, slots=True)
class Wanted:
    """One condition in canonical terms."""

    term: Term
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class Sort:
    """One step of an order."""

    term: Term
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """``first`` rows that meet all that is ``wanted``, in ``order``, whose place comes after ``after``. A plain list has no ``first``.

    ``total_order``: the order ends with the node's key, so that every row has a place of its own.
    """

    listing: Listing
    wanted: tuple[Wanted, ...]
    order: tuple[Sort, ...]
    name: ListName
    total_order: bool
    first: int | None = None
    after: tuple[Any, ...] | None = None
    read: tuple[Term, ...] = ()  # what else is read of the rows

    @property
    def foreign(self) -> bool:
        """Whether rows have to be completed from other systems first."""
        used = (*(one.term for one in self.wanted), *(sort.term for sort in self.order), *self.read)
        return not all(term.carried for term in used)


def terms(listing: Listing, selected: Selected | None, given: Mapping[str, Any], viewer: Viewer, *, rows: bool = True) -> Terms:
    """Read a list field's arguments. Without ``rows`` only the total is asked for, which does not depend on the order. Raises BadArgument:
    FORBIDDEN for a field that the caller may not see, FILTER_NOT_PUSHABLE for one that nobody serves, BAD_CURSOR and CURSOR_EXPIRED,
    TOO_LARGE."""
    wanted = [*_conditions(listing, given.get("filter") or {}), *_rules(listing, viewer.rows)]
    if selected is None:
        return Terms(listing, tuple(wanted), (), ListName(""), False)
    chosen = {sort.term.path: sort for sort in reversed(list(_sorts(listing, given.get("orderBy") or ())))}
    chosen = dict(reversed(chosen.items()))  # the first mention of a field counts, at its place
    for term in listing.key:
        chosen.setdefault(term.path, Sort(term))
    order = tuple(chosen.values())
    said = [[one.term.path, one.op, one.value] for one in wanted]
    state = (sorted(said, key=repr), [[sort.term.path, sort.descending] for sort in order], viewer.cursors.epoch(listing.binding))
    name = ListName(selected.coordinate, state)
    after = given.get("after")
    if after is not None and not listing.key:
        raise BadArgument(Fault("BAD_CURSOR"))  # without a key no row has a place of its own
    try:
        place = None if after is None else viewer.cursors.read(name, after, len(order))
    except NoCursor as error:
        raise BadArgument(Fault(error.code)) from None
    found = Terms(listing, tuple(wanted), order, name, bool(listing.key), first_of(given), place)
    return found if rows else narrowed(replace(found, order=(), after=None))


def narrowed(terms: Terms) -> Terms:
    """With only those fetches that the terms still read, and those that these read."""
    used = {term.slot.step for term in (*(one.term for one in terms.wanted), *(sort.term for sort in terms.order), *terms.read)}
    kept: list[Fetch] = []
    for fetch in reversed(terms.listing.fetches):
        if fetch.id in used:
            kept.append(fetch)
            used.update(slot.step for slot in fetch.key)
    return replace(terms, listing=replace(terms.listing, fetches=tuple(reversed(kept))))


def _conditions(listing: Listing, given: Mapping[str, Any]) -> list[Wanted]:
    return [
        Wanted(term_of(listing, listing.filters.get(name, name)), OPERATORS[op], tuple(value) if isinstance(value, list) else value)
        for name, condition in sorted(given.items())
        for op, value in sorted((condition or {}).items())
        if value is not None
    ]


def _sorts(listing: Listing, given: Sequence[Mapping[str, Any]]) -> list[Sort]:
    return [Sort(term_of(listing, listing.sorts[one["field"]]), one.get("direction") == "DESC") for one in given]


def _rules(listing: Listing, rows: Rows) -> list[Wanted]:
    """A rule on a field that nobody serves lets no row pass."""
    found = []
    for rule in rows.get(listing.node, ()):
        term = listing.terms.get(rule.path)
        if term is None:
            return [Wanted(NOWHERE, "IN", ())]
        found.append(Wanted(term, rule.op, rule.value))
    return found


NOWHERE = Term("", Slot(-1, "", None))  # type: ignore[arg-type]  # never read: see ``verdicts``


def term_of(listing: Listing, path: str) -> Term:
    """What a list is narrowed, ordered or grouped by. Raises BadArgument (FORBIDDEN, FILTER_NOT_PUSHABLE)."""
    if path in listing.denied:
        raise BadArgument(Fault("FORBIDDEN"))
    key = next((term for term in listing.key if term.path == path), None)
    found = key or listing.terms.get(path)
    if found is None:
        names = [*(name for name, to in listing.filters.items() if to in listing.possible)]
        names += [name for name, to in listing.sorts.items() if to in listing.possible]
        said = ", ".join(sorted(names))
        raise BadArgument(Fault("FILTER_NOT_PUSHABLE", f"可用于筛选或排序的字段：{said}。", f"Fields to filter or order by: {said}."))
    return found


async def completed(terms: Terms, raw: Layer, asked: Asked, rows: Sequence[bool], until: float) -> None:
    """Fetch what the raw ``rows`` do not carry, into their layer, by ``until``."""
    for fetch in terms.listing.fetches:
        keys, faults = keys_of(raw, fetch.key)
        keys = [key if wanted else None for key, wanted in zip(keys, rows, strict=True)]
        faults = {row: fault for row, fault in faults.items() if rows[row]}
        question = Question(fetch.binding, fetch.columns, tuple(slot.type for slot in fetch.key))
        answering = asked.rows(question, keys, until, copy_context())
        there: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        answering.then(partial(_come, there))
        await there
        raw.fetched[fetch.id] = align(fetch.binding, keys, faults, answering.answers())


def _come(there: asyncio.Future[None]) -> None:
    if not there.done():  # the request may be over
        there.set_result(None)


def verdicts(wanted: Sequence[Wanted], raw: Layer) -> tuple[list[bool], dict[int, Fault]]:
    """Which rows meet all conditions, and those that may or may not, with the fault that keeps it from being known."""
    passes = [True] * raw.size
    unknown: dict[int, Fault] = {}
    for one in wanted:
        if one.term is NOWHERE:
            return [False] * raw.size, {}
        test = meets(one.op, one.term.slot.type, one.value)
        faults = raw.missing(one.term.slot)
        for row, value in enumerate(raw.canonical(one.term.slot).values):
            if row in faults:
                unknown[row] = least(faults[row], unknown.get(row))
            elif passes[row] and not test(value):
                passes[row] = False
    return passes, {row: fault for row, fault in unknown.items() if passes[row]}


def screened(step: Screen, layer: Layer, rows: Rows) -> Fetched:
    """Which objects in ``layer`` the caller may see, and for which that is not known."""
    if step.terms is None:
        return Fetched({}, [False] * layer.size)
    wanted = [Wanted(term, rule.op, rule.value) for term, rule in zip(step.terms, rows[step.type], strict=True)]
    return Fetched({}, *verdicts(wanted, layer))


class Kinds:
    """Rows of several concrete types, of which the caller may see those that the rules of their own type let through. ``raw`` makes a layer
    of the same rows for each type, since each has fetches and readings of its own."""

    def __init__(self, kinds: Sequence[Kind], viewer: Viewer, raw: Callable[[], Layer]) -> None:
        self._of = [(kind, terms(kind.listing, None, {}, viewer), raw()) for kind in kinds]
        self._own = [[str(name) == kind.value for name in layer.native(kind.typename)] for kind, _, layer in self._of]

    @property
    def foreign(self) -> bool:
        return any(wanted.foreign for _, wanted, _ in self._of)

    async def complete(self, asked: Asked, rows: Sequence[bool], until: float) -> None:
        """Fetch what the rules read and ``rows`` do not carry."""
        for (_, wanted, raw), own in zip(self._of, self._own, strict=True):
            if wanted.foreign:
                await completed(wanted, raw, asked, [both and here for both, here in zip(own, rows, strict=True)], until)

    def verdicts(self) -> tuple[list[bool], dict[int, Fault]]:
        """As ``verdicts``, over rows of all types."""
        keep: list[bool] = []
        unknown: dict[int, Fault] = {}
        for (kind, wanted, raw), own in zip(self._of, self._own, strict=True):
            passes, lost = verdicts(wanted.wanted, raw)
            absent_stay(kind.there, raw, passes, lost)
            keep = [kept and (seen or not here) for kept, seen, here in zip(keep or [True] * raw.size, passes, own, strict=True)]
            unknown |= {row: fault for row, fault in lost.items() if own[row]}
        return keep, unknown


def absent_stay(there: Sequence[Slot], raw: Layer, keep: list[bool], unknown: dict[int, Fault]) -> None:
    """An element that is no object has nothing to hide: it stays null, as it would without rules."""
    columns = [raw.native(slot) for slot in there]
    for row in range(raw.size):
        if any(column[row] is None for column in columns):
            keep[row] = True
            unknown.pop(row, None)


def unplaced(terms: Terms, raw: Layer, keep: Sequence[bool] | None) -> dict[int, Fault]:
    """Rows, of those to ``keep`` (None: all), whose place is not known, since a system failed at a part of it or has it no more."""
    found: dict[int, Fault] = {}
    for sort in terms.order:
        for row, fault in raw.missing(sort.term.slot).items():
            if keep is None or keep[row]:
                found[row] = least(fault, found.get(row))
    return found


def placed(terms: Terms, raw: Layer, rows: Sequence[int]) -> None:
    """Raises BadArgument when the place of one of ``rows`` is not known."""
    unknown = unplaced(terms, raw, None)
    lost = [unknown[row] for row in rows if row in unknown] if unknown else []
    if lost:
        raise BadArgument(least(*lost))


def least(*faults: Fault | None) -> Fault:
    """Of some faults, at least one of them there, the one whose code comes first: an answer must not depend on the order of rows."""
    return min((fault for fault in faults if fault is not None), key=lambda fault: fault.code)


def places(terms: Terms, raw: Layer) -> list[tuple[Any, ...]]:
    """A sortable place for each row."""
    return row_keys(*_columns(terms, [raw.canonical(sort.term.slot).values for sort in terms.order]))


def after_place(terms: Terms) -> tuple[Any, ...] | None:
    """The place that the page begins after."""
    return None if terms.after is None else row_keys(*_columns(terms, [[part] for part in terms.after]))[0]


def _columns(terms: Terms, columns: list[list[Any]]) -> tuple[list[list[Any]], list[Any], list[bool]]:
    return columns, [sort.term.slot.type for sort in terms.order], [sort.descending for sort in terms.order]


def sealed(terms: Terms, raw: Layer, cursors: Cursors, rows: Callable[[], Sequence[int]]) -> Callable[[Sequence[int]], list[str]]:
    """Makes the cursors of laid rows; ``rows`` says which raw row each of them is."""

    def write(laid: Sequence[int]) -> list[str]:
        there = rows()
        if not terms.total_order:
            return [cursors.write(terms.name, ("#", there[row])) for row in laid]
        columns = [raw.canonical(sort.term.slot).values for sort in terms.order]
        return [cursors.write(terms.name, [_plain(column[there[row]]) for column in columns]) for row in laid]

    return write


def _plain(value: Any) -> Any:
    return None if value is BAD else value
