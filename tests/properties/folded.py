"""P34: requests of one moment that have one plan are answered as each would be by itself, whatever is wrong, whoever goes away.

The case's own operation seldom folds, so each case is asked anew: a root lookup, a part of its fields and of what lies below, by the keys
that there are, by one that nobody has and by null, of systems that take many keys at once.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_leaf_type, is_non_null_type, is_required_argument

from hub.run import folds
from hub.run.generated import RUNS
from tests.properties.engine import document
from tests.properties.generator import Case
from tests.properties.operations import Operation
from tests.properties.schedules import Asking, Told, Way, in_thread
from tests.virtual import Uneven, VirtualLoop, run

FULL = 100  # keys a call
TRIES = 8  # questions of a case of which one may fold
Ask = tuple[Operation, frozenset[str]]  # and what may not be seen


async def as_by_itself(case: Case) -> None:
    """P34, in virtual time."""
    if isinstance(asyncio.get_running_loop(), VirtualLoop):
        await _as_by_itself(case)
    else:
        await in_thread(lambda: run(_as_by_itself(case)))


async def _as_by_itself(case: Case) -> None:
    asked = wide(case)
    questions = drawn(asked)
    right: dict[str, Told] = {}
    for one in questions:
        if repr(one) not in right:
            right[repr(one)] = await Asking(replace(asked, operation=one[0]), Way(coalesce=False)).ask(one[1])
    for leaving in (0, 2) if questions else ():
        for number, told in (await _at_once(asked, questions, leaving)).items():
            one = questions[number]
            assert told == right[repr(one)], f"{one}\n{right[repr(one)]}\n{told}"


def wide(case: Case) -> Case:
    """The case with systems that take many keys at once, wherever they take keys."""
    bindings = tuple(replace(one, relation=replace(one.relation, max_keys=FULL)) if one.relation.max_keys else one for one in case.bindings)
    return replace(case, bindings=bindings)


def drawn(case: Case) -> list[Ask]:
    """The questions of one moment, with a plan that folds; none where no such plan is found."""
    rng = random.Random(f"folded/{case.seed}")
    engine = Asking(case, Way()).engine
    for _ in range(TRIES if case.roots else 0):
        text, values = _question(case, rng)
        ready = engine.preparer.ready(document(case.schema, text), None, {})
        if folds.foldable(engine.preparer.plan(ready.prepared, case.denied)):
            asked = [Operation(text, {arg: rng.choice(some) for arg, some in values.items()}) for _ in range(rng.choice((2, 5, 20, 40)))]
            return [(one, case.denied if rng.random() < 0.9 else frozenset()) for one in asked]
    return []


def _question(case: Case, rng: random.Random) -> tuple[str, dict[str, list[Any]]]:
    """A root lookup with a part of its fields, and the values that there are for its arguments."""
    coordinate = rng.choice(sorted(case.roots))
    kind, args = case.roots[coordinate]
    name = coordinate.partition(".")[2]
    root = case.schema.query_type.fields[name]  # type: ignore[union-attr]  # it has roots
    tables = {(b.system, str(b.relation.native["rows"])) for b in case.bindings if b.type == kind and b.field is None}
    rows = [row for system, table in sorted(tables) for row in case.rows[system].get(table, ())]
    fields: Any = get_named_type(root.type).fields
    chosen = [field for field in sorted(fields) if rng.random() < 0.4]
    selected = " ".join(filter(None, (_selected(field, fields[field], 2) for field in chosen)))
    head = ", ".join(f"${arg}: {root.args[arg].type}" for arg in args)
    text = f"query Q({head}) {{ it: {name}({', '.join(f'{arg}: ${arg}' for arg in args)}) {{ __typename {selected} }} __typename }}"
    return text, {arg: _values(root.args[arg], [row.get(f"c_{key}") for row in rows]) for arg, key in args.items()}


def _values(argument: Any, known: Sequence[Any]) -> list[Any]:
    there = sorted({str(value) for value in known if value is not None})
    return [*there, *there, *there, "404", *([] if is_non_null_type(argument.type) else [None])]


def _selected(name: str, field: GraphQLField, depth: int) -> str:
    """A field with all leaves below it, so deep; nothing where it needs arguments or leads to no object."""
    kind = get_named_type(field.type)
    if any(map(is_required_argument, field.args.values())):
        return ""
    if is_leaf_type(kind):
        return name
    if not isinstance(kind, GraphQLObjectType) or not depth:
        return f"{name} {{ __typename }}" if not isinstance(kind, GraphQLObjectType) else ""
    inner = " ".join(filter(None, (_selected(part, of, depth - 1) for part, of in sorted(kind.fields.items()))))
    return f"{name} {{ {inner or '__typename'} }}"


async def _at_once(case: Case, questions: Sequence[Ask], leaving: int) -> dict[int, Told]:
    """The answers of all that have not gone away."""
    asking, later = Asking(case, Way(seed=leaving)), Uneven(f"leaving/{case.seed}", 0.5)
    for operation, denied in list(questions[:1]) * RUNS:  # then there is code for the plan
        await asking.ask(denied, operation)
    tasks = [asyncio.create_task(asking.ask(denied, operation)) for operation, denied in questions]
    gone = random.Random(case.seed).sample(range(len(tasks)), min(leaving, len(tasks)))
    for number in gone:
        await later.sleep(1.0)
        tasks[number].cancel()
    await asyncio.wait(tasks)
    for _ in range(5):  # what nobody waits for any more ends in a few turns
        await asyncio.sleep(0)
    asking.clean()
    assert not any(task.cancelled() for number, task in enumerate(tasks) if number not in gone), "one took another along"
    return {number: task.result() for number, task in enumerate(tasks) if not task.cancelled()}


def counted(case: Case) -> Counter[str]:
    """How many requests of the case's moment were answered out of a fold (``whole``), and how many by themselves after one."""
    found: Counter[str] = Counter()
    right = folds._whole

    def whole(*args: Any) -> Any:
        made = right(*args)
        found["whole" if made is not None else "by itself"] += args[2]
        return made

    folds._whole = whole  # type: ignore[assignment]  # the same, counted
    try:
        asked = wide(case)
        if questions := drawn(asked):
            run(_at_once(asked, questions, 0))
    finally:
        folds._whole = right
    return found
