"""Limits on a document, measured before it is parsed: what a caller may ask for in one request.

Parsing is linear in tokens but recursive in nesting, validation compares every pair of equal fields and of fragments, and execution
grows with what fragments expand to. One pass of a regular expression over the text (GraphQL specification §2.1, lexical tokens) and one
walk over the fragments bound all of it. What is not GraphQL is left for the parser to refuse. Must not know the schema.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from dataclasses import dataclass, field, fields
from typing import Literal

from hub.errors import Refused

_TOKEN = re.compile(
    r"(?P<skip>[\s,\ufeff]++|\#[^\n\r]*+)"
    r"|(?P<name>[_A-Za-z][_0-9A-Za-z]*)"
    r"|(?P<mark>[{}()\[\]:@])"
    r"|(?P<spread>\.\.\.)"
    # A string that is not closed ends with its line, a block string with the text; nothing is tried twice (possessive, so linear).
    r'|(?P<text>"""(?:[^"\\]|\\"""|\\|"(?!""))*+(?:""")?|"(?:[^"\\\n\r]|\\.)*+"?)'
    r"|(?P<number>-?[0-9][0-9.eE+-]*)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_CAP = 10**9  # what a fragment bomb expands to is cut here: beyond every limit, and small enough to add up


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may hold. ``body`` is in bytes, all others are counts; what a fragment holds counts wherever it is spread.

    ``depth`` is the nesting of braces, and of values; ``fields`` all fields of one operation, ``root_fields`` those at its top;
    ``repeats`` the pairs of equal response names in one place, which validation has to compare.
    """

    body: int = 1_000_000
    tokens: int = 10_000
    depth: int = 20
    fields: int = 5_000
    root_fields: int = 100
    aliases: int = 200
    directives: int = 100
    fragments: int = 300
    repeats: int = 50_000


@dataclass(frozen=True, slots=True)
class Size:
    """A document as measured: per name the greatest of its operations; ``tokens``, ``fragments`` and ``repeats`` of all of it."""

    tokens: int = 0
    depth: int = 0
    fields: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0
    fragments: int = 0
    repeats: int = 0


_WORDS = {
    "tokens": ("个词法单元", "tokens"),
    "depth": ("层嵌套", "levels of nesting"),
    "fields": ("个字段", "fields"),
    "root_fields": ("个根字段", "root fields"),
    "aliases": ("个别名", "aliases"),
    "directives": ("个指令", "directives"),
    "fragments": ("个片段", "fragments"),
    "repeats": ("对重复字段", "pairs of repeated fields"),
}


class Gate:
    """Holds documents against limits. Remembers the texts that passed, so that one seen before costs a look-up.

    ``remember`` is how many characters of text are kept.
    """

    def __init__(self, limits: Limits, *, remember: int = 4 * 1024 * 1024) -> None:
        self.limits = limits
        self._passed: OrderedDict[str, None] = OrderedDict()
        self._room = remember

    def check(self, text: str) -> None:
        """Raises Refused(TOO_LARGE) that names the limit and both numbers."""
        if text in self._passed:
            return
        size = measure(text, self.limits)
        for entry in fields(size):
            name = entry.name
            found, limit = getattr(size, name), getattr(self.limits, name)
            if found > limit:
                zh, en = _WORDS[name]
                raise Refused(
                    "TOO_LARGE",
                    f"查询至少有 {found} {zh}，上限为 {limit}（{name}）。",
                    f"The document has at least {found} {en}; the limit is {limit} ({name}).",
                    limit=name,
                    max=limit,
                )
        self._passed[text] = None
        self._room -= len(text)
        while self._room < 0:
            oldest, _ = self._passed.popitem(last=False)
            self._room += len(oldest)


def measure(text: str, limits: Limits | None = None) -> Size:
    """Count ``text``; stops early, with at least one number over its limit, when tokens or nesting pass theirs."""
    scan = _Scan(limits or Limits())
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind != "skip" and not scan.take(kind or "", match.group()):
            break
    return scan.size()


@dataclass(slots=True)
class _Definition:
    """One operation or fragment, counted without what it spreads: ``spreads`` are (fragment, nesting there, whether at its top)."""

    depth: int = 0
    fields: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0
    spreads: list[tuple[str, int, bool]] = field(default_factory=list)


# What a name would be, by the token before it.
_Expect = Literal["field", "spread", "type", "directive", "real name", "fragment"]


class _Scan:
    """The state of one pass. Braces outside of all parentheses are selection sets, those inside are values."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.tokens = 0
        self.nesting = 0  # open ( [ { inside arguments, variables and types
        self.deepest = 0
        self.sets: list[bool] = []  # open selection sets: whether a field's (not an inline fragment's or a definition's)
        self.path: list[str] = []  # response names of the fields whose sets are open
        self.owner: str | None = None  # the field the next brace belongs to; None: an inline fragment
        self.expect: _Expect = "field"
        self.definition: _Definition | None = None
        self.scope = 0
        self.operations: list[_Definition] = []
        self.fragments: dict[str, _Definition] = {}
        # All fragments share a place, since any two may be spread into one set; so do they with the tops of operations.
        self.places: Counter[tuple[int, tuple[str, ...], str]] = Counter()

    def take(self, kind: str, value: str) -> bool:
        """Count one token; False when there is no use in going on."""
        self.tokens += 1
        if self.tokens > self.limits.tokens:
            return False
        if self.nesting:
            self._inside(value, kind == "mark")
        elif self.sets:
            self._selection(kind, value)
        else:
            self._head(kind, value)
        return max(self.deepest, len(self.sets)) <= self.limits.depth

    def _inside(self, value: str, mark: bool) -> None:
        """Arguments, variables, types: only nesting and directives count."""
        if not mark:
            return
        if value in "([{":
            self._deeper()
        elif value in ")]}":
            self.nesting -= 1
        elif value == "@" and self.definition is not None:
            self.definition.directives += 1

    def _deeper(self) -> None:
        self.nesting += 1
        self.deepest = max(self.deepest, self.nesting)

    def _head(self, kind: str, value: str) -> None:
        """Between definitions, and before a definition's braces."""
        if kind == "name":
            if self.expect == "fragment":
                self.definition = self.fragments.setdefault(value, _Definition())
                self.scope = 0
            elif self.definition is None and value in ("query", "mutation", "subscription"):
                self._operation()
            self.expect = "fragment" if self.definition is None and value == "fragment" else "field"
        elif kind == "mark" and value == "{":
            if self.definition is None:
                self._operation()
            self.owner = None
            self._open()
        elif kind == "mark" and value in "([":
            self._deeper()
        elif kind == "mark" and value == "@" and self.definition is not None:
            self.definition.directives += 1

    def _operation(self) -> None:
        self.definition = _Definition()
        self.operations.append(self.definition)
        self.scope = len(self.operations)

    def _selection(self, kind: str, value: str) -> None:
        definition = self.definition
        assert definition is not None  # a selection set is entered with its definition
        expect, self.expect = self.expect, "field"
        if kind == "name":
            self._name(definition, value, expect)
        elif kind == "spread":
            self.owner, self.expect = None, "spread"
        elif kind != "mark":
            return
        elif value == "{":
            self._open()
        elif value == "}":
            self._close()
        elif value in "([":
            self._deeper()
        elif value == ":":
            definition.aliases += 1
            self.expect = "real name"
        elif value == "@":
            definition.directives += 1
            self.expect = "directive"

    def _name(self, definition: _Definition, value: str, expect: _Expect) -> None:
        if expect == "field":
            top = not self.path
            definition.fields += 1
            definition.root_fields += top
            self.places[0 if top else self.scope, tuple(self.path), value] += 1
            self.owner = value
        elif expect == "spread" and value == "on":
            self.expect = "type"
        elif expect == "spread":
            definition.spreads.append((value, len(self.sets), not self.path))

    def _open(self) -> None:
        owner, self.owner = self.owner, None
        self.sets.append(owner is not None)
        if owner is not None:
            self.path.append(owner)
        if self.definition is not None:
            self.definition.depth = max(self.definition.depth, len(self.sets))

    def _close(self) -> None:
        if self.sets.pop():
            self.path.pop()
        self.owner = None
        if not self.sets:
            self.definition = None

    def size(self) -> Size:
        """The numbers, with every fragment counted where it is spread."""
        expanded = self._expanded()
        # A fragment that is never spread is validated all the same, so it counts too.
        totals = [_total(operation, expanded) for operation in self.operations] + list(expanded.values())

        def most(name: str) -> int:
            return max((getattr(total, name) for total in totals), default=0)

        return Size(
            tokens=self.tokens,
            depth=max(self.deepest, len(self.sets), most("depth")),
            fields=most("fields"),
            root_fields=max((total.root_fields for total in totals[: len(self.operations)]), default=0),
            aliases=most("aliases"),
            directives=most("directives"),
            fragments=len(self.fragments),
            repeats=sum(count * (count - 1) // 2 for count in self.places.values()),
        )

    def _expanded(self) -> dict[str, _Definition]:
        """Each fragment with what it spreads, innermost first. A spread that leads back adds nothing: validation refuses it."""
        done: dict[str, _Definition] = {}
        for first in self.fragments:
            way = [first] if first not in done else []
            while way:
                name = way[-1]
                waits = next(
                    (
                        inner
                        for inner, _, _ in self.fragments[name].spreads
                        if inner in self.fragments and inner not in done and inner not in way
                    ),
                    None,
                )
                if waits is not None and len(way) <= self.limits.fragments:
                    way.append(waits)
                else:
                    done[name] = _total(self.fragments[name], done)
                    way.pop()
        return done


def _total(definition: _Definition, expanded: dict[str, _Definition]) -> _Definition:
    total = _Definition(definition.depth, definition.fields, definition.root_fields, definition.aliases, definition.directives)
    for name, nesting, top in definition.spreads:
        inner = expanded.get(name)
        if inner is None:
            continue
        total.depth = max(total.depth, nesting - 1 + inner.depth)
        total.fields = min(total.fields + inner.fields, _CAP)
        total.aliases = min(total.aliases + inner.aliases, _CAP)
        total.directives = min(total.directives + inner.directives, _CAP)
        if top:
            total.root_fields = min(total.root_fields + inner.root_fields, _CAP)
    return total
