"""P12 and what goes with it: nothing of one request is in the answer to another."""

from __future__ import annotations

from hypothesis import given

from tests.properties import examples
from tests.properties.generator import Case, cases
from tests.properties.kept import literals_apart, masks_apart, systems_unnamed


@given(cases())
@examples(30)
async def test_p12_a_plan_is_not_shared_across_masks(made: Case) -> None:
    await masks_apart(made)


@given(cases())
@examples(30)
async def test_p12_a_literal_stays_with_its_request(made: Case) -> None:
    await literals_apart(made)


@given(cases())
@examples(30)
async def test_systems_have_numbers_for_those_who_may_not_see_them(made: Case) -> None:
    await systems_unnamed(made)
