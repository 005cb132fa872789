"""Answers do not hang on the schedule, and nothing outlives its request."""

from __future__ import annotations

from hypothesis import given

from tests.properties import examples, schedules
from tests.properties.generator import Case, cases


@given(cases())
@examples(20)
async def test_p17_any_schedule_shared_or_not_one_key_or_many_the_answer_is_the_same(case: Case) -> None:
    await schedules.any_schedule(case)


@given(cases())
@examples(20)
async def test_p18_requests_under_different_masks_do_not_meet_and_one_that_goes_away_is_not_missed(case: Case) -> None:
    await schedules.apart(case)


@given(cases())
@examples(30)
async def test_p19_every_request_ends_by_its_deadline_and_leaves_nothing_behind(case: Case) -> None:
    await schedules.in_time(case)


@given(cases())
@examples(30)
async def test_p21_what_is_late_is_told_so_and_takes_nothing_else_along(case: Case) -> None:
    await schedules.late_is_contained(case)
