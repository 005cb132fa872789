"""The calls behind an answer: no more than needed, none that is not allowed."""

from __future__ import annotations

from hypothesis import given

from tests.properties import checks, examples
from tests.properties.generator import Case, cases


@given(cases())
@examples(20)
async def test_p6_no_call_asks_for_what_is_denied(case: Case) -> None:
    await checks.nothing_denied_is_asked(case)


@given(cases())
@examples(20)
async def test_p8_no_key_is_sent_twice_and_none_is_null(case: Case) -> None:
    await checks.keys_sent_once(case)


@given(cases())
@examples(20)
async def test_p9_calls_are_as_few_as_batches_allow(case: Case) -> None:
    await checks.calls_are_few(case)


@given(cases())
@examples(20)
async def test_p10_what_is_skipped_makes_no_call(case: Case) -> None:
    await checks.skipped_is_not_asked(case)
