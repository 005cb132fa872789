"""The engine's answers are the oracle's, and both have the shape that was asked for."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.properties import checks, examples
from tests.properties.engine import both, told
from tests.properties.generator import Case, cases
from tests.properties.reduce import reduced


async def _agrees(case: Case) -> None:
    if await checks.differs(case):
        small = await reduced(case, checks.differs)
        pytest.fail(await told(small, *await both(small)))


@given(cases())
@examples(50)
async def test_p1_p2_without_faults_data_and_errors_are_the_oracles(case: Case) -> None:
    await _agrees(case.calm())


@given(cases())
@examples(50)
async def test_p1_p2_with_faults_data_and_errors_are_the_oracles(case: Case) -> None:
    await _agrees(case)


@given(cases())
@examples(30)
async def test_p3_p4_the_answer_has_the_shape_of_the_question(case: Case) -> None:
    await checks.in_shape(case)


@given(cases())
@examples(30)
async def test_p5_every_error_is_at_a_null_and_absence_is_no_error(case: Case) -> None:
    await checks.errors_at_nulls(case)


@given(cases())
@examples(30)
async def test_p5_p21_a_fault_nulls_only_positions_that_an_error_explains(case: Case) -> None:
    await checks.faults_explained(case)


@given(cases())
@examples(30)
async def test_p7_what_rules_hide_might_as_well_not_exist(case: Case) -> None:
    await checks.unseen_is_nowhere(case)


@given(cases())
@examples(30)
async def test_p25_what_a_source_does_and_what_it_leaves_is_the_whole_condition(case: Case) -> None:
    await checks.narrowed_as_the_oracle_says(case)


@given(cases())
@examples(30)
async def test_p25_a_list_that_its_source_cuts_for_each_parent_is_the_same_list(case: Case) -> None:
    await checks.cut_as_the_oracle_says(case)


@given(cases())
@examples(30)
async def test_p24_pages_laid_end_to_end_are_the_list(case: Case) -> None:
    await checks.pages_are_the_list(case)


@given(cases())
@examples(30)
async def test_p25_figures_are_those_of_all_rows_whoever_computes_them(case: Case) -> None:
    await checks.figures_as_the_oracle_says(case)
