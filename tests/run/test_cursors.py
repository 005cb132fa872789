"""Cursors: a place in one list, that nobody reads, makes, or takes to another list."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.run.cursors import Cursors, ListName, NoCursor

KEY = b"k" * 32
FIRMS = ListName("Query.firms", ([["division", "PREFIX", "3301"]], [["name", True], ["uscc", False]], "epoch"))
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False, allow_infinity=False), st.text())


@given(st.lists(VALUES, max_size=4))
def test_a_cursor_reads_back_as_what_it_was_and_is_always_the_same(place: list[object]) -> None:
    written = Cursors(KEY).write(FIRMS, place)
    assert Cursors(KEY).write(FIRMS, place) == written
    assert list(Cursors(KEY).read(FIRMS, written, len(place))) == place


def test_no_value_can_be_read_from_a_cursor() -> None:
    text = Cursors(KEY).write(FIRMS, ["杭州某公司", "91330106MA2AXK0T11"])
    held = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert b"91330106" not in held
    assert "杭州".encode() not in held
    assert len(Cursors(KEY).write(FIRMS, ["a", "b"])) == len(Cursors(KEY).write(FIRMS, ["abcd", "b"]))  # nor its length, nearly


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (ListName("Query.cases", FIRMS.state), "BAD_CURSOR"),
        (ListName(FIRMS.coordinate, ([], *FIRMS.state[1:])), "CURSOR_EXPIRED"),  # another filter, or other rows that may be seen
        (ListName(FIRMS.coordinate, (FIRMS.state[0], [["uscc", False]], "epoch")), "CURSOR_EXPIRED"),  # another order
        (ListName(FIRMS.coordinate, (*FIRMS.state[:2], "later")), "CURSOR_EXPIRED"),  # other sources
    ],
)
def test_a_cursor_of_another_list_is_refused(other: ListName, code: str) -> None:
    cursors = Cursors(KEY)
    with pytest.raises(NoCursor) as refused:
        cursors.read(other, cursors.write(FIRMS, ["a", "b"]), 2)
    assert refused.value.code == code


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_cursor_that_was_touched_is_refused(at: int, change: int) -> None:
    cursors = Cursors(KEY)
    text = cursors.write(FIRMS, ["a", "b"])
    held = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    held[at % len(held)] ^= change
    with pytest.raises(NoCursor):
        cursors.read(FIRMS, base64.urlsafe_b64encode(bytes(held)).decode(), 2)


@pytest.mark.parametrize("text", ["", "%%", "a", "é", "QUJD" * 30, "eyJhIjoxfQ"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(NoCursor) as refused:
        Cursors(KEY).read(FIRMS, text, 1)
    assert refused.value.code == "BAD_CURSOR"


def test_another_hub_does_not_open_it() -> None:
    with pytest.raises(NoCursor):
        Cursors(b"x" * 32).read(FIRMS, Cursors(KEY).write(FIRMS, ["a"]), 1)
    with pytest.raises(NoCursor):
        Cursors().read(FIRMS, Cursors().write(FIRMS, ["a"]), 1)
