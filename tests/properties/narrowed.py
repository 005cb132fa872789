"""Mistakes in what is done with a list: narrowing, ordering, cutting, adding up, and who may see which row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub.plan import objects, planner
from hub.run import aggregate, execute, nested, scan, semi, terms
from tests.properties import checks
from tests.properties.mistake import Planted


def _keys_not_ordered(right: Any) -> Any:
    def row_keys(columns: Any, kinds: Any, descending: Any) -> Any:
        found = right(columns, kinds, descending)
        return found if len(found) < 2 else [found[0]] * len(found)

    return row_keys


def _descending_forgotten(right: Any) -> Any:
    return lambda columns, kinds, descending: right(columns, kinds)


def _rest_forgotten(right: Any) -> Any:
    async def kept(self: Any, plan: Any, raw: Any) -> Any:
        return range(raw.size)

    return kept


def _equal_is_after(right: Any) -> Any:
    """The page begins with the row that the cursor names: a duplicate."""

    def cut(wanted: Any, kept: Any, keys: Any, bound: Any) -> Any:
        return right(wanted, kept, keys, bound if bound is None else bound[:-1])

    return cut


def _pushed_whatever(right: Any) -> Any:
    def pushed(op: Any, kind: Any, field: Any, value: Any) -> Any:
        return right(op, kind, field, value) or (None if op == "NULL" else (op, value))

    return pushed


def _denied_rules_forgotten(right: Any) -> Any:
    return lambda listing, rows: []


def _unknown_is_seen(right: Any) -> Any:
    def verdicts(wanted: Any, raw: Any) -> Any:
        return right(wanted, raw)[0], {}

    return verdicts


def _one_too_few(right: Any) -> Any:
    def cut_of(*args: Any) -> Any:
        found = right(*args)
        return found and replace(found, params={**found.params, found.limit: found.params[found.limit] - 1})

    return cut_of


def _total_of_the_page(right: Any) -> Any:
    def layer(below: Any, cuts: Mapping[int, Any] | None) -> Any:
        short = None if cuts is None else {row: replace(cut, total=len(cut.rows)) for row, cut in cuts.items()}
        return right(below, short)

    return layer


def _a_key_lost(right: Any) -> Any:
    async def keys(*args: Any) -> Any:
        found = await right(*args)
        return found and (found[0][1:], found[1])

    return keys


NARROWED = (
    Planted("connections are not ordered", terms, "row_keys", _keys_not_ordered, checks.narrowed_as_the_oracle_says),
    Planted("every order goes upwards", terms, "row_keys", _descending_forgotten, checks.narrowed_as_the_oracle_says),
    Planted("a page begins with the row of its cursor", nested, "_cut", _equal_is_after, checks.cut_as_the_oracle_says),
    Planted(
        "a condition is pushed to a column that compares otherwise", scan, "pushed", _pushed_whatever, checks.narrowed_as_the_oracle_says
    ),
    Planted("what a source has left of a filter is forgotten", scan.Scanning, "_kept", _rest_forgotten, checks.narrowed_as_the_oracle_says),
    Planted("rules are forgotten in lists", terms, "_rules", _denied_rules_forgotten, checks.unseen_is_nowhere),
    Planted("rules are forgotten for references", objects, "screen", lambda right: lambda *args: None),
    Planted("rules are forgotten for lookups", planner, "screen", lambda right: lambda *args: None, checks.unseen_is_nowhere),
    Planted("a row that may or may not meet a condition is shown", scan, "verdicts", _unknown_is_seen, checks.narrowed_as_the_oracle_says),
    Planted("a sum of parts forgets one", aggregate, "_together", lambda right: lambda m, a, b: b, checks.figures_as_the_oracle_says),
    Planted(
        "a column is added up that the source compares otherwise",
        aggregate,
        "_exact",
        lambda right: lambda function, term: term.carried,
        checks.figures_as_the_oracle_says,
    ),
    Planted(
        "a source that cuts for each key is not asked for one row more",
        execute,
        "cut_of",
        _one_too_few,
        checks.cut_as_the_oracle_says,
    ),
    Planted("a semi-join forgets a key", semi, "_keys", _a_key_lost, checks.narrowed_as_the_oracle_says),
    Planted("the total is that of the page", nested, "laid", _total_of_the_page, checks.cut_as_the_oracle_says),
)
