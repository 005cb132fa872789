"""Errors in the order of the answer: as a reader of the data comes past them, whatever was found first.

The order of response keys is that of the plan's outputs; elements of lists come by index. Knows plans and located errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hub.plan.model import QueryPlan
from hub.plan.outputs import Choice, Connection, List, Object, Output, PageField, Rows
from hub.run.positions import Located

Keys = tuple[str, ...]  # a path without its indexes


def in_output_order(plan: QueryPlan, errors: Sequence[Located]) -> list[Located]:
    """``errors`` of an answer of ``plan``, sorted; what is above comes before what is below."""
    if len(errors) < 2:
        return list(errors)
    ranks: dict[Keys, int] = {}
    for keys in _among((root.output for root in plan.roots), (), set()):
        ranks.setdefault(keys, len(ranks))

    def rank(error: Located) -> list[int]:
        found: list[int] = []
        keys: Keys = ()
        for step in error.path:
            if isinstance(step, int):
                found.append(step)
            else:
                keys = (*keys, step)
                found.append(ranks.setdefault(keys, len(ranks)))
        return found

    return sorted(errors, key=rank)


Seen = set[tuple[int, Keys]]  # outputs that many types share are looked at once in each place


def _among(outputs: Iterable[Output], above: Keys, seen: Seen) -> Iterator[Keys]:
    for output in outputs:
        if (id(output), above) in seen:
            continue
        seen.add((id(output), above))
        keys = (*above, output.place.key)
        yield keys
        match output:
            case Choice():
                yield from _among(output.options, above, seen)
            case Object():
                yield from _children(output, keys, seen)
            case List():
                yield from _children(output.rows, keys, seen)
            case Connection():
                for part in output.fields:
                    yield from _part(part, keys, seen)


def _children(output: Object | Rows, keys: Keys, seen: Seen) -> Iterator[Keys]:
    yield from _among(output.children, keys, seen)
    for concrete in output.variants.values():
        yield from _among(concrete.children, keys, seen)


def _part(part: PageField, above: Keys, seen: Seen) -> Iterator[Keys]:
    keys = (*above, part.place.key)
    yield keys
    if part.rows is not None:
        yield from _children(part.rows, keys, seen)
    for place, _, node in part.children:
        yield (*keys, place.key)
        if node is not None:
            yield from _children(node, (*keys, place.key), seen)
