"""Answers of sources that may be served again, where a manifest says so: rows by key, and whole lists.

What is kept are native rows as the source sent them, before any right, mask or rule; what a caller sees of them is decided each time.
An answer serves only a question that would have brought the same rows: of the same binding as its manifest writes it, with the same
parameters, conditions and scope, and of the same caller where its identity goes to the source. One for more columns serves one for fewer.

A write drops all that its system has answered: from then on its answers are kept under another name, so that a read which began before the
write cannot bring back what was there before. Bounded by bytes; the least recently used go first. Makes no calls and reads no clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from connectors.spi import Page, SourceError
from hub.run import sizes
from hub.run.bounded import Bounded
from hub.run.layers import Fault
from hub.run.rows import Key, spans
from hub.run.sent import Answered
from schema.registry import Binding, System

LIMIT = 64_000_000  # bytes
LARGEST = 8  # one answer may take this part of it
ABSENT = 0.1  # of its time that an answer is kept if it is that nothing is there
BINDINGS = 10_000  # that are known by name
SHAPES = 64  # sets of columns of one binding that are looked through for one with more
AWAY = frozenset({"down", "slow", "busy"})  # failures of a source behind which an old answer may stand in


@dataclass(slots=True)
class Entry:
    """The rows of one key, or the pages of a list (``rows`` is empty then). Good until ``fresh``, as a stand-in until ``stale``."""

    at: float
    fresh: float
    stale: float
    names: tuple[str, ...] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    pages: Sequence[Page] = ()


@dataclass(slots=True)
class _Bound:
    """What tells a binding from any other, and which sets of columns it was asked for; ``above`` are those that hold a set."""

    name: str
    shapes: list[frozenset[str]] = field(default_factory=list)
    above: dict[frozenset[str], tuple[frozenset[str], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Name:
    """What rows are known by. ``base`` is all but the columns."""

    base: str
    columns: frozenset[str]
    bound: _Bound = field(compare=False, repr=False)


class Cache:
    """One instance for as long as the program runs. Times are seconds of the sources' clock."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: Bounded[tuple[str, frozenset[str], Key], Entry] = Bounded(limit)
        self._bound: dict[int, tuple[Binding, _Bound]] = {}
        self._known: dict[str, _Bound] = {}
        self._writes: dict[str, int] = {}

    @property
    def size(self) -> int:
        """Bytes held, as reckoned."""
        return self._entries.size

    def drop(self, system: str) -> None:
        """Serve nothing again that ``system`` has answered so far, nor what it answers to calls that are under way."""
        self._writes[system] = self._writes.get(system, 0) + 1

    # -- names -----------------------------------------------------------------------------------------------------

    def name(self, system: System, binding: Binding, columns: Collection[str], rest: object, caller: str) -> Name:
        """What rows by key are known by; ``rest`` is all that decides besides keys which rows there are, ``caller`` is empty where the hub
        asks as itself. To be had before a call for what comes of it."""
        bound = self._of(system, binding)
        return Name(repr((bound.name, self._writes.get(system.name, 0), caller, rest)), frozenset(columns), bound)

    def _of(self, system: System, binding: Binding) -> _Bound:
        found = self._bound.get(id(binding))
        if found is None or found[0] is not binding:
            if len(self._bound) >= BINDINGS:
                self._bound.clear()
                self._known.clear()
            said = repr((system.name, system.kind, system.options, system.credential, binding))
            name = f"{binding.id} {hashlib.sha256(said.encode()).hexdigest()}"
            found = self._bound[id(binding)] = (binding, self._known.setdefault(name, _Bound(name)))
        return found[1]

    # -- rows by key -----------------------------------------------------------------------------------------------

    def rows(self, name: Name, keys: Iterable[Key], now: float) -> tuple[list[Key], Answered | None]:
        """Those of ``keys`` whose rows are kept, and their rows."""
        return self._found(name, keys, now, stale=False)

    def standing_in(self, name: Name, keys: Sequence[Key], now: float, fault: Fault) -> Answered:
        """The rows that are kept of ``keys``, good as a stand-in, and ``fault`` for all others."""
        found, held = self._found(name, keys, now, stale=True)
        if held is None:
            return Answered({}, fault=fault)
        there = set(found)
        return replace(held, faults={key: fault for key in keys if key not in there})

    def _found(self, name: Name, keys: Iterable[Key], now: float, *, stale: bool) -> tuple[list[Key], Answered | None]:
        found: dict[Key, Entry] = {}
        for columns in self._serving(name):
            for key in keys:
                entry = self._entries.get((name.base, columns, key)) if key not in found else None
                if entry is not None and now < (entry.stale if stale else entry.fresh):
                    found[key] = entry
        return (list(found), _together(found, now)) if found else ([], None)

    def keep(self, name: Name, binding: Binding, keys: Sequence[Key], answered: Answered, now: float, allowed: float | None) -> None:
        """Keep the rows of ``keys`` out of an answer that came ``now``, but for keys that failed; ``allowed`` is the source's max_age."""
        seconds = binding.cache if allowed is None else min(binding.cache, allowed)
        if seconds <= 0.0 or answered.fault is not None or lost(answered.columns):
            return
        self._learn(name)
        names = tuple(answered.columns)
        rows = list(zip(*answered.columns.values(), strict=True))
        for key in keys:
            if key in answered.faults:
                continue
            own = [rows[row] for row in answered.at.get(key, ())]
            fresh = now + (seconds if own else seconds * ABSENT)
            # That something is not there is no answer to give for long; of a list it may well be.
            entry = Entry(now, fresh, fresh + (binding.stale if own or binding.many else 0.0), names, own)
            size = sizes.rows(own)
            if size <= self._entries.limit // LARGEST:
                self._entries.put((name.base, name.columns, key), entry, size)

    def _serving(self, name: Name) -> tuple[frozenset[str], ...]:
        """The sets of columns that were asked for and hold those of ``name``; its own comes first."""
        bound = name.bound
        found = bound.above.get(name.columns)
        if found is None:
            more = [columns for columns in bound.shapes if columns > name.columns]
            found = bound.above[name.columns] = (name.columns, *sorted(more, key=len))
        return found

    def _learn(self, name: Name) -> None:
        bound = name.bound
        if name.columns not in bound.shapes and len(bound.shapes) < SHAPES:
            bound.shapes.append(name.columns)
            bound.above.clear()
        elif len(bound.above) > 10 * SHAPES:
            bound.above.clear()

    # -- whole lists -----------------------------------------------------------------------------------------------

    def pages(self, name: Name, now: float, *, stale: bool = False) -> tuple[list[Page], float] | None:
        """The pages of a list that is kept, and how old they are."""
        entry = self._entries.get((name.base, name.columns, ()))
        if entry is None or now >= (entry.stale if stale else entry.fresh):
            return None
        return [replace(page, columns=dict(page.columns)) for page in entry.pages], now - entry.at

    def keep_pages(self, name: Name, binding: Binding, pages: Sequence[Page], now: float) -> None:
        """Keep the pages of a call that came back ``now``."""
        allowed = max_age(pages)
        seconds = binding.cache if allowed is None else min(binding.cache, allowed)
        size = sum(sizes.columns(page.columns) for page in pages)
        if seconds > 0.0 and size <= self._entries.limit // LARGEST and not any(page.faults or lost(page.columns) for page in pages):
            fresh = now + seconds
            self._entries.put((name.base, name.columns, ()), Entry(now, fresh, fresh + binding.stale, pages=tuple(pages)), size)


def lost(columns: Mapping[str, Sequence[Any]]) -> bool:
    """Whether the source no longer has one of the columns: that is soon mended, and nothing to say again."""
    return any(column and isinstance(column[0], SourceError) for column in columns.values())


def _together(found: Mapping[Key, Entry], now: float) -> Answered:
    """The rows of entries as one answer, with the columns that all of them have."""
    entries = list(found.values())
    names = entries[0].names
    if all(entry.names == names for entry in entries):
        rows: Iterable[tuple[Any, ...]] = chain.from_iterable(entry.rows for entry in entries)
    else:
        shared = [name for name in names if all(name in entry.names for entry in entries)]
        places = {entry.names: [entry.names.index(name) for name in shared] for entry in entries}
        rows = (tuple(row[place] for place in places[entry.names]) for entry in entries for row in entry.rows)
        names = tuple(shared)
    columns = list(map(list, zip(*rows, strict=True))) or [[] for _ in names]
    at = dict(zip(found, spans(len(entry.rows) for entry in entries), strict=True))
    old = {key: now - entry.at for key, entry in found.items() if now >= entry.fresh}
    return Answered(dict(zip(names, columns, strict=True)), {key: rows for key, rows in at.items() if rows}, stale=old)


def max_age(pages: Iterable[Page]) -> float | None:
    """How long the source lets its pages be kept, in seconds; None where it does not say."""
    return min((page.max_age for page in pages if page.max_age is not None), default=None)
