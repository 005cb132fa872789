"""Mistakes that one could make in planner and executor, each small. The properties must notice every one of them.

A mistake replaces one function by a wrapper that gets the right one. Names are those of ``hub.plan`` and ``hub.run``: who renames a
function there moves its mistake along.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.plan import objects, planner
from hub.plan import operation as operations
from hub.run import aggregate, assemble, chunks, coalesce, execute, layers, nested, positions, scan, semi, terms
from hub.run.chunks import Answered, Asked
from hub.run.convert import BAD, Column
from hub.run.layers import Fault, Fetched
from schema.registry import Registry
from tests.properties import checks
from tests.properties.generator import Case


@dataclass(frozen=True, slots=True)
class Planted:
    """``wrong`` makes the mistaken function out of the right one, which is ``owner.name``. ``by`` is the property that must notice."""

    story: str
    owner: Any
    name: str
    wrong: Callable[[Any], Any]
    by: Callable[[Case], Awaitable[None]] = checks.same_as_oracle


def _key_sent_again(right: Any) -> Any:
    async def rows(self: Asked, *args: Any) -> Any:
        self._known.clear()
        return await right(self, *args)

    return rows


def _chunk_too_long(right: Any) -> Any:
    async def rows(self: Asked, question: Any, keys: Any) -> Any:
        binding = question.binding
        relation = replace(binding.relation, max_keys=binding.relation.max_keys + 1)
        return await right(self, replace(question, binding=replace(binding, relation=relation)), keys)

    return rows


def _last_key_lost(right: Any) -> Any:
    async def ask(sources: Any, question: Any, chunk: Any, *rest: Any) -> Any:
        answered = await right(sources, question, chunk, *rest)
        return replace(answered, at={**answered.at, chunk[-1]: []}) if len(chunk) > 1 and chunk[-1] in answered.at else answered

    return ask


def _rows_shifted(right: Any) -> Any:
    def align(binding: Any, columns: Any, keys: Any, faults: Any, answers: Any) -> Any:
        return right(binding, columns, [*keys[1:], *keys[:1]], faults, answers)

    return align


def _failed_is_absent(right: Any) -> Any:
    def align(*args: Any) -> Fetched:
        found: Fetched = right(*args)
        return replace(found, faults={})

    return align


def _absent_is_failed(right: Any) -> Any:
    def align(binding: Any, columns: Any, keys: Any, faults: Any, answers: Any) -> Fetched:
        found: Fetched = right(binding, columns, keys, faults, answers)
        absent = {row: Fault("SYSTEM_DOWN") for row, there in enumerate(found.found) if not there and keys[row] is not None}
        return replace(found, faults={**absent, **found.faults})

    return align


def _null_key_asked(right: Any) -> Any:
    def keys_of(layer: Any, slots: Any) -> Any:
        keys, faults = right(layer, slots)
        return [(None,) * len(slots) if key is None and row not in faults else key for row, key in enumerate(keys)], faults

    return keys_of


def _two_rows_accepted(right: Any) -> Any:
    def checked(*args: Any) -> Answered:
        answered: Answered = right(*args)
        return replace(answered, faults={key: fault for key, fault in answered.faults.items() if len(answered.at[key]) < 2})

    return checked


def _bad_value_is_null(right: Any) -> Any:
    def canonical(*args: Any) -> Column:
        return Column([None if value is BAD else value for value in right(*args).values])

    return canonical


def _everything_present(right: Any) -> Any:
    return lambda layer, presence: (None, right(layer, presence)[1])


def _next_cursor(right: Any) -> Any:
    def cursors(*args: Any) -> Any:
        found = right(*args)
        return [*found[1:], *found[:1]]

    return cursors


def _path_off_by_one(right: Any) -> Any:
    def element_path(layer: Any, path: Any) -> Any:
        shown = right(layer, path)
        return lambda row: (*shown(row)[:-1], shown(row)[-1] + 1)

    return element_path


def _field_name_for_key(right: Any) -> Any:
    return lambda selected: replace(right(selected), key=selected.name)


def _nested_mask_forgotten(right: Any) -> Any:
    def output(self: Any, *args: Any) -> Any:
        denied, self.draft.denied = self.draft.denied, frozenset()
        try:
            return right(self, *args)
        finally:
            self.draft.denied = denied

    return output


def _worst_provider(right: Any) -> Any:
    def provider(registry: Registry, type_name: str, field: str, found: Any) -> Any:
        return next((b for b in reversed(registry.providers(type_name, field)) if found.all(b.key)), None)

    return provider


def _first_leaf_decides(right: Any) -> Any:
    return lambda *args: right(*args)[:1]


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


PLANTED = (
    Planted("a semi-join forgets a key", semi, "_keys", _a_key_lost, checks.narrowed_as_the_oracle_says),
    Planted("a key that was sent before is sent again", Asked, "rows", _key_sent_again, checks.keys_sent_once),
    Planted("a chunk is one key longer than the relation takes", Asked, "rows", _chunk_too_long, checks.calls_are_few),
    Planted("the last key of a chunk gets no row", coalesce, "ask", _last_key_lost),
    Planted("rows are shifted by one", execute, "align", _rows_shifted),
    Planted("what failed counts as absent", execute, "align", _failed_is_absent, checks.faults_explained),
    Planted("what is absent counts as failed", execute, "align", _absent_is_failed, checks.errors_at_nulls),
    Planted("a null key is asked for", execute, "keys_of", _null_key_asked, checks.keys_sent_once),
    Planted("of two rows for one key the first is taken", chunks, "_checked", _two_rows_accepted),
    Planted("a value that cannot be read is null without an error", layers, "canonical", _bad_value_is_null),
    Planted("every object is there", assemble, "present", _everything_present),
    Planted("null bubbling is forgotten", positions, "is_non_null_type", lambda right: lambda kind: False, checks.in_shape),
    Planted("errors below an emptied position are kept", assemble._Assembly, "kept", lambda right: lambda self: self.errors),
    Planted("cursors are off by one", assemble, "_cursors", _next_cursor),
    Planted("error paths in lists are off by one", assemble, "_element_path", _path_off_by_one),
    Planted("the field's name stands for its alias", objects, "place_of", _field_name_for_key),
    Planted("the mask holds at the root alone", objects.Objects, "output", _nested_mask_forgotten, checks.nothing_denied_is_asked),
    Planted("the worst provider is asked", objects, "provider", _worst_provider),
    Planted("one leaf decides whether an embedded object is there", objects.Objects, "leaves", _first_leaf_decides),
    Planted(
        "conditions are ignored",
        operations._Collector,
        "_included",
        lambda right: lambda self, directives: True,
        checks.skipped_is_not_asked,
    ),
    Planted("connections are not ordered", terms, "row_keys", _keys_not_ordered, checks.narrowed_as_the_oracle_says),
    Planted("every order goes upwards", terms, "row_keys", _descending_forgotten, checks.narrowed_as_the_oracle_says),
    Planted("a page begins with the row of its cursor", nested, "_cut", _equal_is_after, checks.narrowed_as_the_oracle_says),
    Planted(
        "a condition is pushed to a column that compares otherwise", scan, "pushed", _pushed_whatever, checks.narrowed_as_the_oracle_says
    ),
    Planted("what a source has left of a filter is forgotten", scan.Scanning, "_kept", _rest_forgotten, checks.narrowed_as_the_oracle_says),
    Planted("rules are forgotten in lists", terms, "_rules", _denied_rules_forgotten, checks.unseen_is_nowhere),
    Planted("rules are forgotten for references", objects, "guard", lambda right: lambda *args: None, checks.unseen_is_nowhere),
    Planted("rules are forgotten for lookups", planner, "guard", lambda right: lambda *args: None, checks.unseen_is_nowhere),
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
        checks.narrowed_as_the_oracle_says,
    ),
    Planted("the total is that of the page", nested, "laid", _total_of_the_page),
)
