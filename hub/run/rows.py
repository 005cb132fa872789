"""Rows of answers by key, and columns in the order of a layer: whole columns at a time, no Python for a single row.

A thousand keys with five rows each are usual here, so counting, grouping and picking are left to C (``Counter``, ``map``, ``chain``); only
an answer whose rows are mixed is walked through. Knows keys and columns; no bindings, no plans, no calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain, repeat
from typing import Any

Key = tuple[Any, ...]
Rows = Mapping[Key, Sequence[int]]  # the rows of each key that has any
NOWHERE = -1  # the row of a key that has none


def by_key(asked: Sequence[Key], parts: Sequence[list[Any]]) -> dict[Key, Sequence[int]]:
    """The rows of each key, in the order of the answer; ``parts`` are the key's columns. Raises LookupError for a row nobody asked for."""
    single = len(parts) == 1
    values: list[Any] = parts[0] if single else list(zip(*parts, strict=True))
    names = {key[0]: key for key in asked} if single else dict(zip(asked, asked, strict=True))
    count = Counter(values)
    if not count.keys() <= names.keys():
        raise LookupError("a row that nobody asked for")
    keys = map(names.__getitem__, count)
    if len(count) == len(values):
        return dict(zip(keys, zip(range(len(values)), strict=True), strict=True))
    if list(chain.from_iterable(map(repeat, count, count.values()))) == values:  # the rows of each key lie together
        return dict(zip(keys, spans(count.values()), strict=True))
    found: dict[Key, list[int]] = {key: [] for key in keys}
    for row, value in enumerate(values):
        found[names[value]].append(row)
    return dict(found)


def spans(counts: Iterable[int]) -> list[range]:
    """Ranges of these lengths, end to end."""
    ends = list(accumulate(counts))
    return list(map(range, [0, *ends[:-1]], ends))


def one_each(answers: Sequence[tuple[Rows, int]]) -> dict[Key, int]:
    """The first row of each key; ``answers`` are the rows of each answer and how many rows lie before it."""
    found: dict[Key, int] = {}
    for at, offset in answers:
        found.update({key: offset + rows[0] for key, rows in at.items() if rows})
    return found


def all_of(answers: Sequence[tuple[Rows, int]]) -> Rows:
    """All rows of each key, as ``one_each``."""
    if len(answers) == 1:
        return answers[0][0]
    found: dict[Key, Sequence[int]] = {}
    for at, offset in answers:
        for key, rows in at.items():
            found[key] = range(rows.start + offset, rows.stop + offset) if isinstance(rows, range) else [row + offset for row in rows]
    return found


class Columns(dict[str, list[Any]]):
    """The columns of several answers end to end, or, with ``where``, their rows at these places; each is made when it is first read.

    A place ``NOWHERE`` gives None.
    """

    def __init__(self, answers: Sequence[Mapping[str, list[Any]]], where: Sequence[int] | None = None) -> None:
        super().__init__()
        self._answers = answers
        self._where = where
        self._holes = where is not None and NOWHERE in where

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self._where) if self._where is not None else sum(len(next(iter(answer.values()), ())) for answer in self._answers)

    def __missing__(self, name: str) -> list[Any]:
        answers, where = self._answers, self._where
        column = answers[0][name] if len(answers) == 1 else list(chain.from_iterable(answer[name] for answer in answers))
        if where is not None:
            column = [*column, None] if self._holes else column  # the last place is what NOWHERE finds
            column = list(map(column.__getitem__, where))
        self[name] = column
        return column
