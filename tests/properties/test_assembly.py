"""P26: the bytes are the encoding of the data, and every way of putting an answer together gives the same one."""

from __future__ import annotations

from hypothesis import given

from tests.properties import examples
from tests.properties.assembly import same_bytes, same_generated, same_in_slices, same_rows
from tests.properties.generator import Case, cases


@given(cases())
@examples(20)
async def test_p26_the_bytes_are_the_encoding_of_the_data(case: Case) -> None:
    await same_bytes(case)


@given(cases())
@examples(20)
async def test_p26_rows_as_dicts_and_as_structs_are_the_same_bytes(case: Case) -> None:
    await same_rows(case)


@given(cases())
@examples(20)
async def test_p26_an_answer_in_slices_is_the_answer(case: Case) -> None:
    await same_in_slices(case)


@given(cases())
@examples(40)
async def test_p26_generated_code_and_columns_give_one_answer(case: Case) -> None:
    await same_generated(case)
