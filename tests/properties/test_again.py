"""P33: answers that are served again."""

from __future__ import annotations

from hypothesis import given

from tests.properties import again, examples
from tests.properties.generator import Case, cases


@given(cases())
@examples(15)
async def test_p33_what_is_served_again_is_what_would_be_answered_anew(case: Case) -> None:
    await again.same_when_served_again(case)


@given(cases())
@examples(10)
async def test_p33_callers_whose_identity_goes_to_the_source_share_nothing(case: Case) -> None:
    await again.callers_apart(case)


@given(cases())
@examples(15)
async def test_p33_an_earlier_answer_stands_in_only_while_its_system_is_down(case: Case) -> None:
    await again.stands_in_only_while_down(case)


@given(cases())
@examples(30)
async def test_p33_what_was_written_is_read(case: Case) -> None:
    await again.written_is_read(case)
