"""Positions of the answer: errors where values are missing, and nulls that move up to where null may be.

Follows the GraphQL specification (October 2021, §6.4.4): a null that may not be one empties the nearest nullable position above, which
keeps the one error that caused it. Works on columns of values and their types; knows no layers and no plans.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from graphql import GraphQLOutputType, is_non_null_type

from hub.plan.outputs import Place
from hub.run.layers import Fault

Path = tuple[str | int, ...]
PathOf = Callable[[int], Path]  # the path of a field, by the row of the layer that its object lies in


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """An error at a position of the answer."""

    path: Path
    place: Place
    fault: Fault


Bad = dict[int, Located]  # position in a list of values -> the error that made it bad
Built = tuple[list[Any], Bad]
Elements = tuple[list[Any], Bad, dict[int, Fault]]  # objects, those that are bad from below, those with a fault of their own

NON_NULL = Fault("NON_NULL")
BAD_VALUE = Fault("BAD_VALUE")
MANY = 50  # rows from which on a shape of their own pays


class Positions:
    """The errors of one answer, and the positions that they have emptied. Without ``propagates`` a null stays where it is and empties
    nothing else."""

    def __init__(self, propagates: bool = True) -> None:
        self.propagates = propagates
        self.errors: list[Located] = []
        self.nulled: dict[Path, Located] = {}

    def kept(self) -> list[Located]:
        """All errors but those strictly under a position that another error has nulled."""
        return [error for error in self.errors if not self._lost(error)] if self.nulled else self.errors

    def _lost(self, error: Located) -> bool:
        return any(self.nulled.get(error.path[:length], error) is not error for length in range(len(error.path)))

    def settle(
        self, place: Place, kind: GraphQLOutputType, values: list[Any], path: Callable[[int], Path], faults: Mapping[int, Fault], below: Bad
    ) -> Bad:
        """Null what has a fault of its own or is bad from below; what ``kind`` does not allow to be null is passed on.

        ``values`` and ``faults`` go by position, and ``path`` gives the path of a position.
        """
        found = dict(below)
        for at, fault in faults.items():
            found[at] = Located(path(at), place, fault)
            self.errors.append(found[at])
        for at in found:
            values[at] = None
        if not is_non_null_type(kind):
            for at, cause in below.items():
                self.nulled[path(at)] = cause
            return {}
        if None in values:
            for at, value in enumerate(values):
                if value is None and at not in found:
                    found[at] = Located(path(at), place, NON_NULL)
                    self.errors.append(found[at])
        return found if self.propagates else {}

    def sliced(
        self,
        place: Place,
        values: list[Any],
        bad: Bad,
        faults: Mapping[int, Fault],
        spans: Sequence[range | None],
        path: Callable[[int], Path],
        kind: GraphQLOutputType | None = None,
    ) -> Built:
        """Elements laid end to end into one list per parent. A bad element that may not be null makes its list bad. ``kind`` is the
        elements' type, where the lists are not the field's own."""
        kind = kind or element(place.type)
        lists: list[Any] = [None if span is None else values[span.start : span.stop] for span in spans]
        lost: Bad = {}
        if not bad and not faults and not (is_non_null_type(kind) and None in values):
            return lists, lost
        marked = sorted({*faults, *bad})
        for at, span in enumerate(spans):
            if span is not None:
                rows = marked[bisect_left(marked, span.start) : bisect_left(marked, span.stop)]
                own = {row - span.start: faults[row] for row in rows if row in faults}
                below = {row - span.start: bad[row] for row in rows if row in bad}
                passed = self.settle(place, kind, lists[at], lambda row, at=at: (*path(at), row), own, below)  # type: ignore[misc]
                if passed:
                    lost[at] = passed[min(passed)]
        return lists, lost


def zipped(keys: Sequence[str], columns: Sequence[list[Any]], size: int) -> list[Any]:
    """One object per row. Of many rows they are structs that encode as the same JSON: a fifth of the time that dicts take to make, and
    nothing for the collector to walk. ``values`` turns an answer with such objects into plain data."""
    if not keys:
        return [{} for _ in range(size)]
    if size < MANY:
        return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    return list(map(_shape(tuple(keys)), *columns))


@lru_cache(maxsize=4096)
def _shape(keys: tuple[str, ...]) -> type[msgspec.Struct]:
    """Fields have names of their own, so that a response key may be any GraphQL name, ``class`` or ``__typename``."""
    names = [f"v{number}" for number in range(len(keys))]
    fields: list[str | tuple[str, Any]] = [(name, Any) for name in names]
    return msgspec.defstruct("Row", fields, rename=dict(zip(names, keys, strict=True)), gc=False)


def values(data: Any) -> Any:
    """An answer's data as dicts, lists and scalars."""
    return msgspec.to_builtins(data)


def element(kind: GraphQLOutputType) -> GraphQLOutputType:
    """The element type of a list type, whether or not the list itself may be null."""
    inner: Any = kind
    found: GraphQLOutputType = (inner.of_type if is_non_null_type(inner) else inner).of_type
    return found
