"""What a caller may not see leaves no trace."""

from __future__ import annotations

from hypothesis import given

from tests.properties import examples
from tests.properties.generator import Case, cases
from tests.properties.unseen import nothing_denied_is_felt


@given(cases())
@examples(30)
async def test_p7_what_is_denied_leaves_no_trace(case: Case) -> None:
    await nothing_denied_is_felt(case)
