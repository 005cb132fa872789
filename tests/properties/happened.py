"""Features of what came of a case: the calls, the faults that were met, what is null and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from connectors.spi import SourceError
from hub.errors import source_code
from tests.properties.engine import Ran
from tests.properties.faults import KINDS, LISTED
from tests.properties.features import tells
from tests.properties.generator import Case
from tests.properties.shape import at

CODES = tuple(dict.fromkeys(source_code(SourceError(kind, "")) for kind in KINDS))


@tells(
    *("no call", "several systems", "batch over max", "one key a call", "many keys in a call", "positions share calls", "chain of fetches"),
    *("key of two parts", "alternative key", "null key", "several scans", "link by alternative key"),
    *("filter pushed", "limit pushed", "cut for each key", "keys first"),
)
def _calls(case: Case, ran: Ran) -> Iterator[str]:
    received = ran.received
    if not received:
        yield "no call"
    if len({call.system for call in received}) > 1:
        yield "several systems"
    bindings = {(b.system, b.relation.name): b for b in case.bindings}
    for (system, relation), count in Counter((call.system, call.relation) for call in received).items():
        binding = bindings[system, relation]
        if not binding.key:
            if count > 1:
                yield "several scans"
            continue
        if count > 1 and binding.relation.max_keys > 1:
            yield "batch over max"
        if binding.relation.max_keys == 1:
            yield "one key a call"
        if len(binding.key) > 1:
            yield "key of two parts"
        if binding.key[0] in ("old", "arch"):
            yield "alternative key" if binding.field is None else "link by alternative key"
            if _nulls(case, binding.key[0]):
                yield "null key"
    if any(len(call.keys) > 1 for call in received):
        yield "many keys in a call"
    if any(call.where for call in received):
        yield "filter pushed"
    if any(call.limit is not None for call in received):
        yield "limit pushed"
    if any(call.limit is not None and call.keys for call in received):
        yield "cut for each key"
    if any(call.relation.endswith(LISTED) for call in received):
        yield "keys first"
    if "  with " in ran.plan:
        yield "positions share calls"
    if ran.plan.count("  after ") > 1:
        yield "chain of fetches"


def _nulls(case: Case, key: str) -> bool:
    rows = (row for tables in case.rows.values() for some in tables.values() for row in some)
    return any(f"c_{key}" in row and row[f"c_{key}"] is None for row in rows)


@tells(
    *(f"fault: {code}" for code in CODES),
    *("fault of a key", "two rows for a key", "stranger row", "relation down", "value that cannot be read", "element that cannot be read"),
    "calm",
)
def _faults(case: Case, ran: Ran) -> Iterator[str]:
    codes = ran.answer.codes()
    for code in CODES:
        if code in codes:
            yield f"fault: {code}"
    if case.calm() is case:
        yield "calm"
    for call in ran.received:
        faults = case.faults.get(call.system)
        if faults is None:
            continue
        if call.relation in faults.down:
            yield "relation down"
        if call.relation in faults.strangers:
            yield "stranger row"
        if any((call.relation, key) in faults.keys for key in call.keys):
            yield "fault of a key"
        if any((call.relation, key) in faults.doubled for key in call.keys):
            yield "two rows for a key"
    for path, code in ran.answer.errors:
        if code == "BAD_VALUE":
            if isinstance(path[-1], int):
                yield "element that cannot be read"
            else:
                yield "value that cannot be read"


@tells(
    *("null bubbled", "null bubbled to the root", "null bubbled to an element", "several errors", "no error", "not bound"),
    *("denied", "denied at the root", "denied non-null", "denied below list", "denied and nothing called"),
    *("entity that is not there", "absent without an error", "empty list", "more pages", "page after another", "null in a list"),
)
def _answers(case: Case, ran: Ran) -> Iterator[str]:
    answer = ran.answer
    if answer.data is None:
        yield "null bubbled to the root"
    if not answer.errors:
        yield "no error"
    if sum(answer.errors.values()) > 1:
        yield "several errors"
    for path, code in answer.errors:
        if answer.data is not None and at(answer.data, path[:-1]) is None:
            yield "null bubbled"
            empty = next(end for end in range(len(path)) if at(answer.data, path[:end]) is None)
            if empty and isinstance(path[empty - 1], int):
                yield "null bubbled to an element"
        if code == "NOT_BOUND":
            yield "not bound"
        if code == "FORBIDDEN":
            yield "denied" if len(path) > 1 else "denied at the root"
            if answer.data is None or at(answer.data, path[:-1]) is None:
                yield "denied non-null"
            if any(isinstance(step, int) for step in path):
                yield "denied below list"
            if not ran.received:
                yield "denied and nothing called"
    paths = {path for path, _ in answer.errors}
    yield from _values(answer.data, (), paths)


def _values(value: Any, path: tuple[str | int, ...], errors: set[tuple[str | int, ...]]) -> Iterator[str]:
    if value is None:
        if path and not any(other[: len(path)] == path for other in errors):
            if len(path) == 1:
                yield "entity that is not there"
            elif isinstance(path[-1], int):
                yield "null in a list"
            else:
                yield "absent without an error"
    elif isinstance(value, dict):
        if value.get("hasNextPage") is True:
            yield "more pages"
        if value.get("hasPreviousPage") is True:
            yield "page after another"
        for key, inner in value.items():
            yield from _values(inner, (*path, key), errors)
    elif isinstance(value, list):
        if not value:
            yield "empty list"
        for index, item in enumerate(value):
            yield from _values(item, (*path, index), errors)
