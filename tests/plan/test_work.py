"""What planning looks at grows with the question, not with the number of systems."""

from __future__ import annotations

import pytest
from hypothesis import given

from bench.registries import ASKED, QUESTION, province
from tests.plan.planned import normalised, planned
from tests.properties import examples
from tests.properties.generator import Case, cases

LOOKS = 8  # at each binding or key that is in question, for each field and each of its type's keys


@pytest.mark.parametrize("systems", [400, 4000])
def test_p28_a_question_of_thirty_fields_looks_at_the_same_few_candidates_in_any_province(systems: int) -> None:
    there = province(systems)
    plan = planned(there.schema, there.registry, QUESTION)
    assert len(plan.systems) > 10
    assert ASKED <= plan.candidates <= LOOKS * ASKED


@given(cases())
@examples(60)
def test_p28_what_is_looked_at_is_bounded_by_the_selected_fields(made: Case) -> None:
    world = made.build()
    asked = made.operation
    operation, _ = normalised(world.schema, asked.text, asked.variables)
    plan = planned(world.schema, world.registry, asked.text, asked.variables, made.denied)
    keys = 1 + max((len(world.registry.ranked(name).gives) for name in world.registry.lookups), default=0)
    assert plan.candidates <= LOOKS * keys * keys * (1 + operation.size)
