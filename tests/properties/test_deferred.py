"""P32: an answer whose parts were allowed to come later is the answer without that allowance."""

from __future__ import annotations

from functools import cache

from hypothesis import given

from tests.properties import examples
from tests.properties.deferring import deferred
from tests.properties.engine import run_engine, run_oracle, told
from tests.properties.frames import in_frames
from tests.properties.generator import Case, case, cases


@given(cases())
@examples(30)
async def test_p32_what_is_deferred_is_inlined_without_a_difference(case: Case) -> None:
    later = deferred(case)
    if later is None:
        return
    asked = later.operation
    found = await run_engine(later.build(), asked.text, asked.variables, later.denied)
    plain = await run_engine(case.build(), case.operation.text, case.operation.variables, case.denied)
    wanted = await run_oracle(later.build(), asked.text, asked.variables, later.denied)
    assert (found.text, found.errors) == (plain.text, plain.errors), await told(later, found, plain)
    assert (found.text, found.errors) == (wanted.text, wanted.errors), await told(later, found, wanted)


@cache
def thirty() -> list[Case]:
    """Of thirty cases, those that have something to defer."""
    return [later for seed in range(30) if (later := deferred(case(seed, 3))) is not None]


def test_most_cases_have_something_to_defer() -> None:
    assert len(thirty()) > 12


@given(cases())
@examples(30)
async def test_p32_frames_put_together_are_the_answer_in_one_piece(case: Case) -> None:
    later = deferred(case)
    if later is not None:
        await in_frames(later)


async def test_many_cases_are_answered_in_parts() -> None:
    assert sum([await in_frames(later) for later in thirty()]) > 7
