"""Administrative divisions (GB/T 2260): names, and what became of codes that were retired.

A row filter such as "cases of 3301" must find rows that still carry a code of before a merger, so it asks ``covers``, never a
string. Every answer is as of a day that the caller gives; nothing here reads a clock. Counties that only gave away a part keep
their code, so a row of before a split is taken to be where its code is now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from schema.division_codes import CHANGES, COUNTIES, PROVINCES


@dataclass(frozen=True, slots=True)
class Change:
    """The end of a code: on ``on`` its territory went to ``into``; ``whole`` says that the one successor is exactly that territory."""

    code: str
    name: str
    on: date
    into: frozenset[str]
    whole: bool


_ENTRY = re.compile(r"(\d+)(\D+)")
_DISSOLVED = {"3414": "巢湖市"}  # a city without a successor; its counties have theirs


def _names() -> dict[str, str]:
    names = dict(_ENTRY.findall("".join(PROVINCES.split()))) | _DISSOLVED
    city = ""
    for digits, label in _ENTRY.findall("".join(COUNTIES.split())):
        city = digits if len(digits) == 4 else city
        names[digits if digits == city else city + digits] = label
    for code, label, _, _ in CHANGES:
        names[code] = label
    return names


_NAMES = _names()
_CHANGES = {
    code: Change(code, label, on, frozenset(item.lstrip("=") for item in into), into[0].startswith("="))
    for code, label, on, into in CHANGES
}


def is_province(code: str) -> bool:
    """Whether two digits are a province's."""
    return len(code) == 2 and code in _NAMES


def significant(code: str) -> str:
    """The code without the zeros that fill it up: 330100 is the city 3301, 330106000000 the county 330106."""
    if len(code) == 12 and code.endswith("000"):
        code = code[:9]
    if len(code) == 9 and code.endswith("000"):
        code = code[:6]
    while len(code) in (4, 6) and code.endswith("00"):
        code = code[:-2]
    return code


def name(code: str) -> str | None:
    """The Chinese name of a province, city or county, retired ones included; None if it is not in the table."""
    return _NAMES.get(significant(code))


def codes(prefix: str = "") -> tuple[str, ...]:
    """All codes of the table that begin with ``prefix`` and were not retired, sorted: provinces, cities and counties."""
    return tuple(sorted(code for code in _NAMES if code.startswith(prefix) and code not in _CHANGES and code not in _DISSOLVED))


def change(code: str) -> Change | None:
    """How a county's code ended, or None if it did not."""
    return _CHANGES.get(code)


def successors(code: str, on: date) -> frozenset[str]:
    """The codes in force on ``on`` for the territory of ``code``: itself, unless its county was retired by then.

    A town or community (9 or 12 digits) of a retired county is answered with the county's successors: where exactly it went
    is not in the table.
    """
    code = significant(code)
    ended = _CHANGES.get(code[:6])
    if ended is None or ended.on > on:
        return frozenset({code})
    return frozenset(final for step in ended.into for final in successors(step, on))


def _reach(prefix: str, on: date) -> frozenset[str]:
    """Prefixes that mean the same territory as ``prefix`` on ``on``: a renamed county is also its new code, a merged one is not."""
    prefix = significant(prefix)
    reach = {prefix}
    ended = _CHANGES.get(prefix)
    while ended is not None and ended.on <= on and ended.whole:
        (following,) = ended.into
        reach.add(following)
        ended = _CHANGES.get(following)
    return frozenset(reach)


def covers(prefix: str, code: str, on: date) -> bool:
    """Whether ``code`` lies wholly within the division ``prefix`` (2, 4, 6, 9 or 12 digits) as of ``on``.

    True if it begins with the prefix, or if all its successors do. A county that was split over two divisions is in neither of
    them; a merged county's old prefix does not cover the merged one, so nobody's view grows by a merger.
    """
    code = significant(code)
    reach = tuple(_reach(prefix, on))
    return code.startswith(reach) or all(successor.startswith(reach) for successor in successors(code, on))
