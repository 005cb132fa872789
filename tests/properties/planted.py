"""Mistakes that one could make in planner and executor, each small. The properties must notice every one of them.

A mistake replaces one function by a wrapper that gets the right one. Names are those of ``hub.plan`` and ``hub.run``: who renames a
function there moves its mistake along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from hub.plan import actions, objects, providers, view
from hub.plan import operation as operations
from hub.run import (
    assemble,
    chunks,
    coalesce,
    connections,
    execute,
    folds,
    generated,
    positions,
    prepared,
    rows,
    seam,
    slices,
    writes,
)
from hub.run import choices as run_choices
from hub.run import required as run_required
from hub.run.bulkhead import Bulkhead
from hub.run.chunks import Asked
from hub.run.convert import BAD, Column, Reading
from hub.run.layers import Fault, Fetched
from hub.run.parts import Whole
from hub.run.sent import Answered
from hub.run.sources import Sources
from schema.registry import Registry, Resolve
from tests.properties import acting, assembly, checks, folded, kept, schedules
from tests.properties.again import AGAIN
from tests.properties.late import LATER
from tests.properties.mistake import Planted as Planted
from tests.properties.narrowed import NARROWED
from tests.properties.slips import SLIPS, rows_shifted, worst_provider


def _key_sent_again(right: Any) -> Any:
    def rows(self: Asked, *args: Any) -> Any:
        self._known.clear()
        return right(self, *args)

    return rows


def _chunk_too_long(right: Any) -> Any:
    def rows(self: Asked, question: Any, keys: Any, *rest: Any) -> Any:
        binding = question.binding
        relation = replace(binding.relation, max_keys=binding.relation.max_keys + 1)
        return right(self, replace(question, binding=replace(binding, relation=relation)), keys, *rest)

    return rows


def _last_key_lost(right: Any) -> Any:
    async def ask(sources: Any, question: Any, chunk: Any, *rest: Any, **more: Any) -> Any:
        answered = await right(sources, question, chunk, *rest, **more)
        return replace(answered, at={**answered.at, chunk[-1]: []}) if len(chunk) > 1 and chunk[-1] in answered.at else answered

    return ask


def _read_one_row_late(right: Any) -> Any:
    def read(*args: Any) -> Any:
        made = right(*args)
        return made and replace(made, values=[*made.values[1:], *made.values[:1]])

    return read


def _failed_is_absent(right: Any) -> Any:
    def align(*args: Any) -> Fetched:
        found: Fetched = right(*args)
        return replace(found, faults={})

    return align


def _absent_is_failed(right: Any) -> Any:
    def align(binding: Any, keys: Any, faults: Any, answers: Any) -> Fetched:
        found: Fetched = right(binding, keys, faults, answers)
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
        return replace(answered, faults={key: fault for key, fault in answered.faults.items() if len(answered.at.get(key, ())) < 2})

    return checked


def _bad_value_is_null(right: Any) -> Any:
    def column(*args: Any) -> Column:
        return Column([without(value) for value in right(*args).values])

    def without(value: Any) -> Any:
        return [without(item) for item in value] if isinstance(value, list) else None if value is BAD else value

    return column


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


def _nobody_falls_back(right: Any) -> Any:
    return lambda self, coordinate: Resolve.FIRST


def _all_are_asked(right: Any) -> Any:
    return lambda layer, guard: [True] * layer.size


def _no_record_answers_a_failure(right: Any) -> Any:
    def looked(layer: Any, resolve: Any, probes: Any) -> Any:
        answered, _, null = right(layer, resolve, probes)
        return answered, [None] * layer.size, null

    return looked


def _one_bundle(right: Any) -> Any:
    def bundles(layer: Any, requires: Any, keys: Any, faults: Any) -> Any:
        found = right(layer, requires, keys, faults)
        if len(found) < 2:
            return found
        first, width = next(iter(found)), len(requires)
        bare = [None if key is None else key[:-width] for key in keys]
        keys[:] = [None if key is None else (*key, *first) for key in bare]
        return {first: list(dict.fromkeys(key for key in bare if key is not None))}

    return bundles


def _first_leaf_decides(right: Any) -> Any:
    return lambda *args: islice(right(*args), 1)


def _goes_on_after_null(right: Any) -> Any:
    async def in_order(context: Any, values: Any, *rest: Any) -> Any:
        for key in context.keys:
            await context.engine.part(context, values, key)
        return await right(context, values, *rest)

    return in_order


def _backwards(right: Any) -> Any:
    async def in_order(context: Any, *rest: Any) -> Any:
        keys, context.keys = context.keys, context.keys[::-1]
        result = await right(context, *rest)
        if result.data is not None:
            result.data = {key: result.data[key] for key in keys}
        return result

    return in_order


def _write_tried_again(right: Any) -> Any:
    async def pages(self: Any, system: str, plan: Any, *rest: Any) -> Any:
        return await right(self, system, replace(plan, relation=replace(plan.relation, effect="read")), *rest)

    return pages


def _own_columns_lose(right: Any) -> Any:
    def carried_by(parts: Mapping[str, Any], level: Any) -> Any:
        return {name: carried for name, carried in right(parts, level).items() if name in ("id", "region")}

    return carried_by


def _mask_not_in_key(right: Any) -> Any:
    def plan(self: Any, prepared: Any, denied: Any, *turn: Any) -> Any:
        return vars(self).setdefault(f"plan {prepared.key} {turn}", right(self, prepared, denied, *turn))

    return plan


def _nodes_of_another(right: Any) -> Any:
    def ready(self: Any, *args: Any) -> Any:
        made = right(self, *args)
        return vars(self).setdefault(f"ready {made.prepared.key}", made)

    return ready


def _others_keys(right: Any) -> Any:
    def of(self: Answered, keys: Any) -> Answered:
        there = sorted(self.at, key=repr)
        after = dict(zip(there, [*there[1:], *there[:1]], strict=True))
        other: Answered = right(self, [after.get(key, key) for key in keys])
        return replace(other, at={key: other.at.get(after.get(key, key), ()) for key in keys})

    return of


def _call_ends_with_the_first(right: Any) -> Any:
    def forget(self: Any, gone: Any) -> None:
        right(self, gone)
        self.task.cancel()

    return forget


def _place_for_one_that_has_gone(right: Any) -> Any:
    def leave(self: Any) -> None:
        for queue in self._queues.values():
            if queue[0].done():
                queue.popleft()  # and the place with it
                self._queues = {caller: one for caller, one in self._queues.items() if one}
                return
        right(self)

    return leave


def _rows_lie_together(right: Any) -> Any:
    def by_key(asked: Any, parts: Any) -> Any:
        found = right(asked, parts)
        return dict(zip(found, rows.spans(map(len, found.values())), strict=True))

    return by_key


def _last_row_for_none(right: Any) -> Any:
    def missing(self: Any, name: str) -> Any:
        self._holes = self._holes and not any(answer[name] for answer in self._answers)
        return right(self, name)

    return missing


def _slices_in_another_order(right: Any) -> Any:
    async def column(*args: Any) -> Column:
        found: Column = await right(*args)
        return replace(found, values=[*found.values[slices.SLICE :], *found.values[: slices.SLICE]])

    return column


def _keys_of_rows_sorted(right: Any) -> Any:
    return lambda keys: right(tuple(sorted(keys)))


def _there_in_every_row(right: Any) -> Any:
    return lambda layer, output: [True] * layer.size


def _next_ones_answer(right: Any) -> Any:
    def whole(*args: Any) -> Any:
        made = right(*args)
        return made if made is None else [*made[1:], made[0]]

    return whole


def _failures_are_nulls(right: Any) -> Any:
    def whole(plan: Any, ran: Any, members: int) -> Any:
        for layer in ran.layers.values():
            layer.faults = {}
            layer.fetched = {step: replace(fetched, faults={}) for step, fetched in layer.fetched.items()}
        return right(plan, ran, members)

    return whole


def _ends_with_the_first(right: Any) -> Any:
    def one_less(self: Any, gone: Any) -> None:
        if gone.cancelled():
            self.waiting = 1
        right(self, gone)

    return one_less


PLANTED = (
    Planted("every write is done twice", seam, "in_order", _goes_on_after_null, acting.in_order_and_once),
    Planted("mutations are done backwards", seam, "in_order", _backwards, acting.in_order_and_once),
    Planted("a write that was refused is tried again", Sources, "pages", _write_tried_again, acting.once_under_retries),
    Planted(
        "a lost answer is told like any failure",
        writes,
        "unknown",
        lambda right: lambda binding: Fault("SYSTEM_DOWN"),
        acting.in_order_and_once,
    ),
    Planted("the event's own columns are fetched anew", actions, "carried_by", _own_columns_lose, acting.like_a_query),
    Planted("a key that was sent before is sent again", Asked, "rows", _key_sent_again, checks.keys_sent_once),
    Planted("a chunk is one key longer than the relation takes", Asked, "rows", _chunk_too_long, checks.calls_are_few),
    Planted("the last key of a chunk gets no row", coalesce, "ask", _last_key_lost),
    Planted("rows are shifted by one", execute, "align", rows_shifted),
    Planted("what failed counts as absent", execute, "align", _failed_is_absent, checks.faults_explained),
    Planted("what is absent counts as failed", execute, "align", _absent_is_failed, checks.errors_at_nulls),
    Planted("a null key is asked for", execute, "keys_of", _null_key_asked, checks.keys_sent_once),
    Planted("of two rows for one key the first is taken", chunks, "_checked", _two_rows_accepted),
    Planted("a value that cannot be read is null without an error", Reading, "column", _bad_value_is_null),
    Planted("every object is there", assemble, "present", _everything_present),
    Planted("null bubbling is forgotten", positions, "is_non_null_type", lambda right: lambda kind: False, checks.in_shape),
    Planted("errors below an emptied position are kept", assemble._Assembly, "kept", lambda right: lambda self: self.errors),
    Planted("cursors are off by one", connections, "_cursors", _next_cursor),
    Planted("error paths in lists are off by one", assemble, "_element_path", _path_off_by_one),
    Planted("the field's name stands for its alias", objects, "place_of", _field_name_for_key),
    Planted("the mask holds at the root alone", objects.Objects, "output", _nested_mask_forgotten, checks.nothing_denied_is_asked),
    Planted("the worst provider is asked", objects, "sources", worst_provider),
    Planted("nobody falls back", Registry, "policy", _nobody_falls_back, checks.fallbacks),
    Planted("a null key counts as a key", run_choices, "keys_of", lambda right: lambda layer, key: ([()] * layer.size, {})),
    Planted("who falls back asks for all rows", execute, "left", _all_are_asked, checks.fallbacks),
    Planted("no record is an answer to a failure", run_choices, "_looked", _no_record_answers_a_failure, checks.fallbacks),
    Planted("what is required is the first row's for all", execute, "bundles", _one_bundle),
    Planted("a required value that failed counts as null", run_required, "values", lambda right: lambda *args: (right(*args)[0], {})),
    Planted("nobody rides free", providers, "riding", lambda right: lambda ranked, field, asked: ranked.firsts.get(field, ())),
    Planted("one leaf decides whether an embedded object is there", objects.Objects, "seen", _first_leaf_decides),
    Planted(
        "conditions are ignored",
        operations._Collector,
        "_included",
        lambda right: lambda self, directives: True,
        checks.skipped_is_not_asked,
    ),
    Planted("a plan is shared across masks", prepared.Preparer, "plan", _mask_not_in_key, kept.masks_apart),
    Planted("a plan brings the literals of another request", prepared.Preparer, "ready", _nodes_of_another, kept.literals_apart),
    Planted("explain names a hidden system", view.View, "name", lambda right: lambda self, system: system, kept.systems_unnamed),
    Planted("of a shared call one gets the rows of another's key", Answered, "of", _others_keys, schedules.any_schedule),
    Planted("a part of a shared column is cut out one row late", Whole, "read", _read_one_row_late, schedules.any_schedule),
    Planted("who goes away takes a shared call along", coalesce._Calling, "forget", _call_ends_with_the_first, schedules.apart),
    Planted("a place is given to one that has gone", Bulkhead, "leave", _place_for_one_that_has_gone, schedules.in_time),
    Planted("a step may take for ever", execute._Run, "_until", lambda right: lambda self, unit: 1e6, schedules.in_time),
    Planted("rows of one key are taken to lie together", chunks, "by_key", _rows_lie_together),
    Planted("who has no row gets the last one's", rows.Columns, "__missing__", _last_row_for_none),
    Planted("slices of a column come in another order", slices, "_column", _slices_in_another_order, assembly.same_in_slices),
    Planted("generated code takes every object to be there", generated, "there", _there_in_every_row, assembly.same_generated),
    Planted("keys of rows that are structs come in another order", positions, "_shape", _keys_of_rows_sorted, assembly.same_rows),
    Planted("requests that are run as one get each other's answers", folds, "_whole", _next_ones_answer, folded.as_by_itself),
    Planted("what failed for one of a fold is null for it", folds, "_whole", _failures_are_nulls, folded.as_by_itself),
    Planted("who goes away ends the fold", folds._Fold, "one_less", _ends_with_the_first, folded.as_by_itself),
    *NARROWED,
    *SLIPS,
    *LATER,
    *AGAIN,
)
