"""The properties themselves: each takes a case and raises AssertionError with all that one needs to see when it does not hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import ceil

from schema.registry import Resolve
from tests.properties.engine import both, ran, told
from tests.properties.fallback import fallbacks_hold
from tests.properties.generator import Case
from tests.properties.operations import Operation, nested_list, pages_of, root_figures, root_list
from tests.properties.rewrite import decided
from tests.properties.shape import at, faults_of_shape, less
from tests.properties.truths import lower_ranks_are_not_heard, one_value_everywhere
from tests.properties.unseen import columns_of, keys_of, nothing_denied_is_felt, spoken_of


async def differs(case: Case) -> bool:
    """Whether the engine's answer is not the oracle's."""
    found, wanted = await both(case)
    return (found.text, found.errors, found.extensions) != (wanted.text, wanted.errors, wanted.extensions)


async def same_as_oracle(case: Case) -> None:
    """P1, P2: the same data, byte for byte as JSON, the same errors as a multiset of (path, code), the same notices."""
    assert not await differs(case), await told(case, *await both(case))


async def narrowed_as_the_oracle_says(case: Case) -> None:
    """P25: whatever a source does of conditions, order and page, with the engine's rest it is what the oracle says of all rows."""
    await _as_the_oracle_says(case, root_list, 6)


async def cut_as_the_oracle_says(case: Case) -> None:
    """P25 of lists below an entity, which their source may cut for each parent."""
    await _as_the_oracle_says(case, nested_list, 6)


async def _as_the_oracle_says(case: Case, asked: Callable[..., Operation | None], times: int) -> None:
    """Ask some lists, every other one where nothing fails or is denied: most of what does says nothing of rows."""
    rng = random.Random(case.seed)
    names = sorted({name for name, _ in case.roots.values()})
    ids = {name: [str(100 * (at + 1) + index) for index in range(6)] for at, name in enumerate(names)}
    calm = replace(case.calm(), denied=frozenset())
    for number in range(times):
        operation = asked(rng, case.schema, ids)
        if operation is None:
            return
        one = replace(calm if number % 2 else case, operation=operation)
        found, wanted = await both(one)
        assert (found.text, found.errors) == (wanted.text, wanted.errors), await told(one, found, wanted)


async def pages_are_the_list(case: Case) -> None:
    """P24: pages laid end to end are the whole list, without gap or duplicate, and each has its total."""
    rng = random.Random(f"pages/{case.seed}")
    calm = replace(case.calm(), denied=frozenset())
    page = pages_of(rng, case.schema, {"T0": ["100", "101", "102"]})
    whole = (await ran(replace(calm, operation=page(1000, None)))).answer
    if whole.data is None or whole.data["list"] is None:
        return
    first, after, found, more = rng.randint(1, 3), None, [], True
    while more:
        answer = (await ran(replace(calm, operation=page(first, after)))).answer
        here = answer.data and answer.data["list"]
        assert here, await told(calm, whole, answer)
        assert here["totalCount"] == whole.data["list"]["totalCount"], await told(calm, whole, answer)
        assert here["pageInfo"]["hasPreviousPage"] is (after is not None), await told(calm, answer)
        found += here["edges"]
        after, more = here["pageInfo"]["endCursor"], here["pageInfo"]["hasNextPage"]
        assert len(here["edges"]) == first or not more, await told(calm, answer)
    assert found == whole.data["list"]["edges"], await told(calm, whole)


async def figures_as_the_oracle_says(case: Case) -> None:
    """P25 of aggregates: computed by the source, or by the engine out of rows, or both together, they are those of all rows."""
    rng = random.Random(case.seed)
    for _ in range(4):
        asked = root_figures(rng, case.schema, {"T0": ["100", "101", "102"]})
        found, wanted = await both(replace(case, operation=asked))
        assert (found.text, found.errors) == (wanted.text, wanted.errors), await told(replace(case, operation=asked), found, wanted)


async def in_shape(case: Case) -> None:
    """P3, P4: keys in the order of the question, lists where lists are due, no null where null may not be."""
    for answer in await both(case):
        wrong = faults_of_shape(case.schema, case.operation.text, case.operation.variables, answer.data)
        assert wrong == [], await told(case, answer)


async def errors_at_nulls(case: Case) -> None:
    """P5: every error is at or below a null; where nothing fails, nothing says that it did."""
    for answer in await both(case):
        for path, _ in answer.errors:
            assert at(answer.data, path) is None, await told(case, answer)
    calm = (await ran(replace(case.calm(), denied=frozenset()))).answer
    assert not {code for code in calm.codes() if code.startswith("SYSTEM_") or code == "FORBIDDEN"}, await told(case, calm)


async def faults_explained(case: Case) -> None:
    """P5, P21: a fault takes values away and nothing else, and each that it takes is explained by an error at it, above or below.

    Root fields that are null without the fault are left out: where an anchor fails, or its key cannot be had, an object stands that it
    would have said is not there. Nobody falls back here: who did would tell other values, and say nothing of the fault (P22).
    """
    case = replace(case, policies={})
    quiet = case.calm()
    for calm, found in zip(await both(quiet), await both(case), strict=True):
        if calm.data is None or found.data is None:
            continue
        there = [key for key, value in calm.data.items() if value is not None]
        lost = less({key: found.data[key] for key in there}, {key: calm.data[key] for key in there})
        assert lost is not None, await told(case, calm, found)
        paths = [path for path, _ in found.errors]
        for place in lost:
            assert any(path[: len(place)] == place or place[: len(path)] == path for path in paths), await told(case, calm, found)


async def nothing_denied_is_asked(case: Case) -> None:
    """P6: no call for a denied coordinate, nor for what lies inside one, but that keys may be needed for others, and what
    rules speak of to decide who is seen."""
    hidden, spoken = case.denied - keys_of(case), spoken_of(case)
    for call in (await ran(case)).received:
        assert call.relation not in hidden - spoken, f"{call} serves a denied link\n{await told(case)}"
        binding = next(b for b in case.bindings if b.system == call.system and b.relation.name == call.relation)
        asked = {*call.fields, *call.inside}
        for coordinate, column in columns_of(binding.type, {"": binding.row}, hidden):
            assert column not in asked or coordinate in spoken, f"{call} asks for {coordinate}\n{await told(case)}"


async def keys_sent_once(case: Case) -> None:
    """P8: each key at most once to each binding, with the same required values, and never a null one. A list that its source may cut is a
    question of its own, also where the source turns out to hand over the whole list."""
    found = await ran(case)
    sent: Counter[tuple[object, ...]] = Counter()
    for call in found.received:
        if call.limit is None:
            sent.update((call.system, call.relation, call.params, key) for key in call.keys)
        assert all(None not in key for key in call.keys), f"{call}\n{await told(case)}"
    cut = [line for line in found.plan.splitlines() if "  cut for each key" in line]
    for (system, relation, *_), times in sent.items():
        own = sum(f" {system} " in line and f" {relation} by " in line for line in cut)
        assert times <= 1 + own, f"{sent.most_common(3)}\n{await told(case)}"


async def calls_are_few(case: Case) -> None:
    """P9: for each binding no more calls than its groups of fetches need with batches of the size its relation takes; keys that different
    required values go along with do not travel together."""
    found = await ran(case)
    received, plan = found.received, found.plan
    for binding in case.bindings:
        own = [call for call in received if (call.system, call.relation) == (binding.system, binding.relation.name)]
        if not binding.key:
            continue
        limit = binding.relation.max_keys
        assert all(1 <= len(call.keys) <= limit for call in own), f"{own}\n{await told(case)}"
        what = f"{binding.field or binding.type} by {binding.key[0]} <-"
        groups = sum(f" {binding.system} " in line and what in line and "  with " not in line for line in plan.splitlines())
        groups += sum(line.count(f" {binding.system} {binding.type} [") for line in plan.splitlines() if "  for its rows " in line)
        keys: dict[object, set[object]] = {}
        for call in own:
            keys.setdefault(call.params, set()).update(call.keys)
        cut = sum(f" {binding.system} " in line and what in line and "  cut for each key" in line for line in plan.splitlines())
        batches = sum(ceil(len(some) / limit) for some in keys.values()) * (1 + cut)  # what may be cut is asked for apart
        assert len(own) <= batches + max(groups - 1, 0), f"{binding.id} {own}\n{plan}\n{await told(case)}"


async def unseen_is_nowhere(case: Case) -> None:
    """P7: what the caller's rules hide might as well not exist: the same data, counts, cursors and errors without its rows."""
    calm = case.calm()
    for found, without in zip(await both(calm), await both(calm.unseen()), strict=True):
        assert (found.text, found.errors) == (without.text, without.errors), await told(case, found, without)


async def skipped_is_not_asked(case: Case) -> None:
    """P10: the same calls as for the operation without what its conditions leave out."""
    if "@" not in case.operation.text:
        return
    without = replace(case, operation=decided(case))
    same = Counter((await ran(case)).received) == Counter((await ran(without)).received)
    assert same, f"{without.operation.text}\n{await told(case)}"


async def fallbacks(case: Case) -> None:
    """P22, of a small world of its own that the case's seed gives."""
    rng = random.Random(case.seed)
    await fallbacks_hold(rng, rng.choice((Resolve.FALLBACK_ON_ERROR, Resolve.FALLBACK_ON_NULL)))


CHECKS = (
    same_as_oracle,
    narrowed_as_the_oracle_says,
    cut_as_the_oracle_says,
    pages_are_the_list,
    figures_as_the_oracle_says,
    in_shape,
    errors_at_nulls,
    faults_explained,
    nothing_denied_is_asked,
    keys_sent_once,
    calls_are_few,
    unseen_is_nowhere,
    skipped_is_not_asked,
    nothing_denied_is_felt,
    lower_ranks_are_not_heard,
    one_value_everywhere,
    fallbacks,
)
