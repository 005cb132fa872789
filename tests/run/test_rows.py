"""Rows by key and columns by place: what whole columns say is what one would find row by row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.run.rows import NOWHERE, Columns, Rows, all_of, by_key, one_each, spans

parts = st.lists(st.sampled_from("abcde"), max_size=12)


@given(parts, parts)
def test_rows_of_each_key_are_those_that_carry_it(first: list[str], second: list[str]) -> None:
    second = (second + ["x"] * len(first))[: len(first)]
    keys = list(zip(first, second, strict=True))
    asked = sorted({*keys, ("z", "z")})
    wanted = {key: [row for row, one in enumerate(keys) if one == key] for key in keys}
    assert {key: list(rows) for key, rows in by_key(asked, [first, second]).items()} == wanted
    single = {(name,): [row for row, one in enumerate(first) if one == name] for name in first}
    assert {key: list(rows) for key, rows in by_key([(name,) for name in "abcde"], [first]).items()} == single


@pytest.mark.parametrize("found", [["a", "b"], ["a", "a", "b"], [None], ["a", "b", "a"]])
def test_a_row_that_nobody_asked_for_is_told(found: list[Any]) -> None:
    with pytest.raises(LookupError):
        by_key([("a",)], [found])


def test_answers_lie_end_to_end() -> None:
    answers: list[tuple[Rows, int]] = [({("a",): (0,), ("b",): range(1, 3)}, 0), ({("c",): [0, 2]}, 3)]
    assert one_each(answers) == {("a",): 0, ("b",): 1, ("c",): 3}
    assert {key: list(rows) for key, rows in all_of(answers).items()} == {("a",): [0], ("b",): [1, 2], ("c",): [3, 5]}
    assert spans([2, 0, 3]) == [range(2), range(2, 2), range(2, 5)]


def test_columns_are_brought_into_order_and_holes_are_null() -> None:
    answers: list[dict[str, list[Any]]] = [{"k": ["a", "b"], "v": [1, 2]}, {"k": ["c"], "v": [3]}]
    assert Columns(answers)["v"] == [1, 2, 3]
    assert Columns(answers, [2, NOWHERE, 0, 0])["v"] == [3, None, 1, 1]
    assert Columns([], [NOWHERE])["v"] == [None]
