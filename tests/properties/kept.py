"""What is kept from one request for the next shows in no answer, and what is told of a plan shows nothing that is hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from graphql import IntValueNode, StringValueNode, Visitor, parse, print_ast
from graphql.language import visit

from hub.plan.explain import explained
from hub.plan.view import View
from hub.run.engine import Engine
from tests.plan.planned import planned
from tests.properties.engine import Answer, engine, run_engine, told
from tests.properties.generator import Case
from tests.properties.operations import Operation


def other_literals(case: Case) -> Operation:
    """The same question about other entities and other pages: every literal is another."""
    rows = (row for tables in case.rows.values() for some in tables.values() for row in some)
    ids = sorted({value for row in rows for value in row.values() if isinstance(value, str)})
    turn = dict(zip(ids, [*ids[1:], *ids[:1]], strict=True))

    class Turn(Visitor):
        def leave_string_value(self, node: StringValueNode, *_: Any) -> StringValueNode:
            return StringValueNode(value=turn.get(node.value, node.value))

        def leave_int_value(self, node: IntValueNode, *_: Any) -> IntValueNode:
            return IntValueNode(value="1" if node.value != "1" else "2")

    return Operation(print_ast(visit(parse(case.operation.text), Turn())), case.operation.variables)


async def _asked(there: Engine, text: str, variables: Mapping[str, Any], denied: frozenset[str]) -> Answer:
    result = await there.run(there.parse(text), variables, denied=denied)
    codes = ((tuple(error.path or ()), str((error.extensions or {}).get("code"))) for error in result.errors or ())
    return Answer(result.data, Counter(codes))


async def masks_apart(case: Case) -> None:
    """P12: who may see less, asking after who may see all of the same, gets what it would have got alone; and so the other way round."""
    asked, there = case.operation, engine(case.build())
    for denied in (frozenset(), case.denied, frozenset()):
        found = await _asked(there, asked.text, asked.variables, denied)
        alone = await run_engine(case.build(), asked.text, asked.variables, denied)
        assert (found.text, found.errors) == (alone.text, alone.errors), await told(case, found, alone)


async def literals_apart(case: Case) -> None:
    """P12: two questions that differ in literals alone share a plan, and each gets its own answer."""
    there = engine(case.build())
    for asked in (case.operation, other_literals(case), case.operation):
        found = await _asked(there, asked.text, asked.variables, case.denied)
        alone = await run_engine(case.build(), asked.text, asked.variables, case.denied)
        assert (found.text, found.errors) == (alone.text, alone.errors), f"{asked.text}\n{await told(case, found, alone)}"


async def systems_unnamed(case: Case) -> None:
    """Who may not see systems finds the name of none in what is told of a plan."""
    world, asked = case.build(), case.operation
    plan = planned(world.schema, world.registry, asked.text, asked.variables, case.denied)
    found = explained(plan, world.registry, View(named=False))
    named = [line.system for line in found.lines] + [other.system for some in found.alternatives.values() for other in some]
    assert {name for name in named if name} <= {f"s{number + 1}" for number in range(len(world.registry.systems))}, await told(case)
    first = [line.system for line in found.lines if line.system][:1]
    assert first in ([], ["s1"]), await told(case)  # numbers begin anew: the systems of random cases are called s0, s1, … themselves
