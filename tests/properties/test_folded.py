"""P34: requests that are run as one."""

from __future__ import annotations

from collections import Counter

from hypothesis import given

from tests.properties import examples, folded
from tests.properties.generator import Case, case, cases


@given(cases())
@examples(30)
async def test_p34_requests_of_one_moment_are_answered_as_each_by_itself(made: Case) -> None:
    await folded.as_by_itself(made)


def test_both_ends_of_a_fold_come_about() -> None:
    found = sum((folded.counted(case(seed, 3).calm()) for seed in range(16)), Counter[str]())
    assert found["whole"] > 10
    assert found["by itself"] > 10
