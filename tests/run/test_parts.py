"""Parts of a column that requests share: read together they say what each would have read alone."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLInt, GraphQLNonNull, GraphQLScalarType, GraphQLString
from hypothesis import given
from hypothesis import strategies as st

from connectors.spi import Field
from hub.run.convert import Column, Reading
from hub.run.parts import WORTH, Part, Whole
from hub.run.sent import Answered

DATE = GraphQLScalarType("Date")
texts = st.sampled_from(["20240102", "20240230", "1", "07", "x", "", "２０２４０１０２"])
values = st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40), texts, st.booleans(), st.floats(allow_nan=True)), max_size=12)
readings = st.sampled_from([(GraphQLInt, None), (GraphQLNonNull(GraphQLString), None), (DATE, "yyyyMMdd"), (GraphQLString, None)])


@given(values, readings, st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=8))
def test_a_part_reads_as_if_it_were_alone(column: list[Any], how: tuple[Any, str | None], cuts: list[tuple[int, int]]) -> None:
    whole, reading = Whole(column), Reading(how[0], Field("f", "f", format=how[1]))
    for start, stop in cuts:
        start, stop = sorted((min(start, len(column)), min(stop, len(column))))
        read, alone = reading.column(Part(whole, start, stop)), reading.column(column[start:stop])
        assert (repr(read.values), read.flawed) == (repr(alone.values), alone.flawed)
        assert read.full <= (None not in read.values)


class Counting:
    """A reader that counts the values it has read."""

    def __init__(self) -> None:
        self.read = 0

    def column(self, values: list[Any]) -> Column:
        self.read += len(values)
        return Column(values)


def test_the_whole_is_read_once_and_only_when_enough_of_it_is_wanted() -> None:
    whole, reader = Whole(list(range(100))), Counting()
    apart = 100 // WORTH - 1
    assert whole.read(reader, apart) is None
    assert whole.read(Counting(), apart) is None  # another reader's rows do not count
    assert reader.read == 0
    assert whole.read(reader, 1) is whole.read(reader, 1)
    assert reader.read == 100


def test_an_answer_for_one_key_holds_its_rows_alone() -> None:
    answered = Answered({"v": [1, 2, 3, 4]}, {("a",): range(1), ("b",): range(1, 3), ("c",): (3,)})
    assert [answered.of([(key,)]).columns for key in "abcd"] == [{"v": [1]}, {"v": [2, 3]}, {"v": [4]}, {"v": []}]
    assert answered.of([("c",), ("a",)]).columns == {"v": [4, 1]}
