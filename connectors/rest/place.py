"""A REST relation made ready once: its template, where rows lie, how it goes through pages.

What a manifest's ``@get`` says is checked here, by name. Must not know HTTP; holds no value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Literal

import orjson

from connectors.calls import Batch, Idempotency
from connectors.paths import reader
from connectors.rest.template import KEYS, Template, Unfit, encode, parse, text
from connectors.settings import nearest, read, refused
from connectors.spi import Ask, Options, Relation, SourceError

Style = Literal["NONE", "PAGE", "OFFSET", "CURSOR", "LINK"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Paging:
    """``page``, ``offset``, ``cursor`` and ``limit`` are names of parameters; ``next`` and ``total`` paths of the answer. LINK follows the
    answer's header of that name.

    ``size`` is what ``limit`` is set to; ``first`` the number of the first page.
    """

    style: Style = "NONE"
    page: str = "page"
    offset: str = "offset"
    cursor: str = "cursor"
    limit: str = ""
    size: int = 100
    first: int = 1
    next: str = ""
    total: str = ""

    def begin(self) -> Turn:
        """Where the first page is asked for."""
        return Turn(self, self.first if self.style == "PAGE" else 0)


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page is asked for: ``at`` is its number, offset, cursor or address (0 for none yet)."""

    paging: Paging
    at: Any
    done: bool = False
    past: frozenset[str] = frozenset()

    @property
    def params(self) -> dict[str, Any]:
        """What this page adds to the request."""
        page = self.paging
        size = {page.limit: page.size} if page.limit and page.style != "NONE" else {}
        match page.style:
            case "PAGE":
                return {page.page: self.at, **size}
            case "OFFSET":
                return {page.offset: self.at, **size}
            case "CURSOR":
                return {page.cursor: self.at, **size} if self.past else size
            case "LINK" if not self.past:
                return size
        return {}

    @property
    def address(self) -> str:
        """Where this page lies, if a link led to it."""
        return self.at if self.paging.style == "LINK" and self.past else ""

    def after(self, rows: int, cursor: Any) -> Turn:
        """The page after one of ``rows`` rows that named ``cursor`` (or an address) as the next. An offset counts rows that came, not those
        asked for."""
        match self.paging.style:
            case "PAGE":
                return replace(self, at=self.at + 1, done=not rows)
            case "OFFSET":
                return replace(self, at=self.at + rows, done=not rows)
            case "CURSOR" | "LINK" if cursor not in (None, "", False):
                if text(cursor) in self.past:
                    raise SourceError("broken", "The source sends the same page again.")
                return replace(self, at=cursor, past=self.past | {text(cursor)})
        return Turn(self.paging, self.at, True, self.past)  # after each answer of most sources, and `replace` takes its time


@dataclass(frozen=True, slots=True)
class Words:
    """``Relation.native`` of this kind. ``cached`` says that the engine may serve its answers again. ``idempotency`` is a write's.
    ``event`` and ``quiet`` are a feed's."""

    path: str
    method: Method = "GET"
    body: Any = None
    at: str = ""
    batch: Batch = field(default_factory=Batch)
    page: Paging = field(default_factory=Paging)
    cached: bool = False
    idempotency: Idempotency = field(default_factory=Idempotency)
    event: str = ""
    quiet: float = 60.0


_PLAIN = re.compile(r"[0-9A-Za-z_-]+").fullmatch


@dataclass(frozen=True, slots=True)
class Place:
    """``at``, ``next`` and ``total`` read the answer; ``conditions`` are columns whose EQ goes into the address; ``key_header`` carries
    the idempotency key, if there is one. What is ``asked_again`` is a GET whose answer is kept to ask whether it still holds."""

    method: Method
    template: Template
    many: bool
    page: Paging
    asked_again: bool
    key_header: str
    conditions: frozenset[str]
    event: str
    quiet: float
    at: Callable[[Any], Any] = field(repr=False)
    next: Callable[[Any], Any] | None = field(repr=False)
    total: Callable[[Any], Any] | None = field(repr=False)

    def sift(self, keys: Sequence[tuple[Any, ...]]) -> tuple[list[tuple[Any, ...]], dict[tuple[Any, ...], SourceError]]:
        """(keys that can be asked for, faults of those that cannot). An empty text is nobody's key: asking for it would ask for all."""
        parts = list(chain.from_iterable(keys))
        if set(map(type, parts)) == {str} and all(map(_PLAIN, parts)):
            return list(keys), {}
        good, faults = [], {}
        joined = self.many and self.template.joins(KEYS)
        for key in keys:
            if all(part.__class__ is str and _PLAIN(part) for part in key):
                good.append(key)  # as nearly all codes are: nothing in it that could be misread anywhere
                continue
            why = self._unfit(key, joined)
            if why:
                faults[key] = SourceError("invalid", "This key cannot be asked for.", detail=why)
            elif all(part is not None and text(part) for part in key):
                good.append(key)
        return good, faults

    def _unfit(self, key: tuple[Any, ...], joined: bool) -> str:
        try:
            encoded = [encode(part) for part in key]
        except Unfit as error:
            return str(error)
        if joined and "," in text(key[0]):
            return "keys are joined by commas, and this one holds one"
        if any(part in (".", "..") for part in encoded) and self.template.path.names:
            return "a path cannot hold '.' or '..'"
        return ""


def prepare(relation: Relation) -> Place:
    """Check and compile what the manifest says. Raises SourceError (config)."""
    words = read(Words, relation.native, f"{relation.name}.")
    template = parse(words.path, _body(words, relation))
    names = template.names()
    known = {KEYS, *relation.keys, *relation.args, *relation.where}
    for name in sorted(names - known):
        raise refused(f"{relation.name}: '{{{name}}}' in the path is neither a key nor an argument{nearest(name, known)}")
    if KEYS in names and len(relation.keys) != 1:
        raise refused(f"{relation.name}: '{{keys}}' needs exactly one key column")
    if relation.max_keys > 1 and KEYS not in names:
        raise refused(f"{relation.name}: a batch needs '{{keys}}' in its path or body")
    page = words.page
    if page.style == "LINK" and words.method != "GET":
        raise refused(f"{relation.name}: page style LINK needs method GET, by which links are followed")
    if page.style == "CURSOR" and not page.next:
        raise refused(f"{relation.name}: page style CURSOR needs 'next', the path of the next cursor in the answer")
    if page.size < 1:
        raise refused(f"{relation.name}: page size has to be at least 1")
    try:
        return Place(
            method=words.method,
            template=template,
            many=KEYS in names,
            page=page,
            asked_again=words.cached and words.method == "GET" and template.body is None and relation.effect == "read",
            key_header=words.idempotency.header,
            event=words.event,
            quiet=words.quiet,
            conditions=template.optional() & {*relation.where} - {*relation.keys, *relation.args},
            at=reader(words.at),
            next=reader(page.next) if page.next else None,
            total=reader(page.total) if page.total else None,
        )
    except ValueError as error:
        raise refused(f"{relation.name}: {error}") from None


def capable(ask: Ask, relation: Relation, place: Place) -> Relation:
    """``relation`` with only those declarations that its place can keep: EQ by a parameter once, cutting and counting by pages."""
    once = {name for name in place.conditions if sum(c.field == name and c.op == "EQ" for c in ask.where) <= 1}
    where = {name: ("EQ",) for name in sorted(once) if "EQ" in relation.where.get(name, ())}
    return replace(relation, where=Options(where), order=(), total=relation.total and place.total is not None)


def _body(words: Words, relation: Relation) -> Any:
    if not isinstance(words.body, str):
        return words.body
    try:
        return orjson.loads(words.body)
    except ValueError:
        raise refused(f"{relation.name}: body is not JSON") from None
