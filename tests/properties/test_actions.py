"""P29: mutations in order, each call exactly once. P30: an event is answered like a query over the same root row."""

from __future__ import annotations

from hypothesis import given

from tests.properties import acting, examples
from tests.properties.actions import mutation, subscription
from tests.properties.generator import Case, case, cases


@given(cases())
@examples(30)
async def test_p29_mutations_are_done_in_order_and_each_once(case: Case) -> None:
    await acting.in_order_and_once(case)


@given(cases())
@examples(30)
async def test_p29_no_write_is_repeated_where_reads_are(case: Case) -> None:
    await acting.once_under_retries(case)


@given(cases())
@examples(30)
async def test_p30_an_event_is_answered_like_a_query_over_its_row(case: Case) -> None:
    await acting.like_a_query(case)


async def test_most_cases_have_something_to_change_and_to_announce() -> None:
    some = [case(seed, 2) for seed in range(50)]
    assert sum(mutation(one) is not None for one in some) > 30
    assert sum(subscription(one) is not None for one in some) > 30
