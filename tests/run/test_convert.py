"""Native values read as canonical ones, and keys written back."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLBoolean as Boolean
from graphql import (
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
)
from hypothesis import given
from hypothesis import strategies as st

from connectors.paths import ABSENT
from connectors.spi import Field, Options
from hub.oracle.values import Fault, read
from hub.run.convert import BAD, canonical, native

DATE, DATETIME, DECIMAL, USCC = (GraphQLScalarType(name) for name in ("Date", "DateTime", "Decimal", "USCC"))
STATUS = GraphQLEnumType("Status", {"ACTIVE": GraphQLEnumValue("ACTIVE"), "CLOSED": GraphQLEnumValue("CLOSED")})


@pytest.mark.parametrize(
    ("kind", "format", "value", "expected"),
    [
        (GraphQLString, None, "甲", "甲"),
        (GraphQLString, None, 12, "12"),
        (GraphQLString, None, {"a": 1}, BAD),
        (GraphQLID, None, 1234567890123456789, "1234567890123456789"),
        (GraphQLInt, None, "42", 42),
        (GraphQLInt, None, True, BAD),
        (GraphQLInt, None, 2**31, BAD),
        (GraphQLInt, None, "", BAD),
        (GraphQLInt, None, 3.0, 3),
        (GraphQLInt, None, " +12 ", 12),
        (GraphQLInt, None, "1_000", BAD),
        (GraphQLInt, None, "１２", BAD),
        (GraphQLInt, None, "٣", BAD),
        (GraphQLFloat, None, "1_0.5", BAD),
        (GraphQLFloat, None, "１.5", BAD),
        (DECIMAL, None, "1_000", BAD),
        (DECIMAL, None, "１２.5", BAD),
        (DECIMAL, None, "\u300012", BAD),
        (DECIMAL, None, "1E999999999", BAD),
        (DECIMAL, None, "1E-999999999", BAD),
        (DATE, "yyyyMMdd", "２０２００229", BAD),
        (DATE, "yyyy年MM月dd日", "2020年02月29日", "2020-02-29"),
        (DATETIME, "unix", "1_577_934_245", BAD),
        (DATE, "yyyy_MM_dd", "2020_01_31", "2020-01-31"),
        (GraphQLFloat, None, float("nan"), BAD),
        (GraphQLFloat, None, "1.5", 1.5),
        (Boolean, None, "否", False),
        (Boolean, None, 1, True),
        (Boolean, None, "maybe", BAD),
        (DECIMAL, None, Decimal("12.50"), "12.50"),
        (DECIMAL, None, "1E+3", "1000"),
        (DECIMAL, None, "十", BAD),
        (DATE, "yyyyMMdd", "20200229", "2020-02-29"),
        (DATE, "yyyyMMdd", "20210229", BAD),
        (DATE, None, date(2020, 1, 2), "2020-01-02"),
        (DATETIME, "yyyyMMddHHmmss", "20200102030405", "2020-01-02T03:04:05+08:00"),
        (DATETIME, "unix_ms", 1577934245000, "2020-01-02T11:04:05+08:00"),
        (DATETIME, None, datetime(2020, 1, 2, 3, 4, 5), "2020-01-02T03:04:05+08:00"),
        (DATETIME, None, "2020-01-02T03:04:05Z", "2020-01-02T03:04:05+00:00"),
        (USCC, None, "not a code", "not a code"),
        (GraphQLList(GraphQLString), "csv", "1, 2", ["1", "2"]),
        (GraphQLList(GraphQLInt), "json", '[1, "x", null]', [1, BAD, None]),
        (GraphQLList(GraphQLInt), "json", "[1", BAD),
        (GraphQLList(GraphQLInt), None, "1", BAD),
    ],
)
def test_reading(kind: GraphQLOutputType, format: str | None, value: Any, expected: Any) -> None:
    column = canonical([None, value], kind, Field("f", "f", format=format))
    assert column.values == [None, expected]
    assert column.flawed is (expected is BAD or (isinstance(expected, list) and BAD in expected))


def test_enum_values_go_through_the_manifest_s_table_or_are_names() -> None:
    field = Field("zt", "zt", values=Options({"1": "ACTIVE"}))
    assert canonical([1, "1", "CLOSED", "9"], STATUS, field).values == ["ACTIVE", "ACTIVE", "CLOSED", BAD]


def test_a_column_that_is_canonical_already_is_not_copied() -> None:
    values = ["a", None, "b"]
    assert canonical(values, GraphQLString, Field("f", "f")).values is values


@given(st.dates())
def test_dates_come_back_as_they_were_written(day: date) -> None:
    for field in (Field("d", "d", format="yyyyMMdd"), Field("d", "d", type="date"), Field("d", "d")):
        written = native(day.isoformat(), DATE, field)
        assert canonical([written], DATE, field).values == [day.isoformat()]


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1)).map(lambda moment: moment.replace(microsecond=0)))
def test_moments_come_back_as_they_were_written(moment: datetime) -> None:
    text = moment.isoformat() + "+08:00"
    for field in (Field("t", "t", format="yyyyMMddHHmmss"), Field("t", "t", format="unix_ms"), Field("t", "t", type="datetime")):
        assert canonical([native(text, DATETIME, field)], DATETIME, field).values == [text]


def test_keys_are_written_as_the_source_has_them() -> None:
    assert native("ACTIVE", STATUS, Field("zt", "zt", values=Options({"1": "ACTIVE"}))) == "1"
    assert native("007", GraphQLID, Field("n", "n", type="int")) == 7
    assert native("1.50", DECIMAL, Field("n", "n", type="decimal")) == Decimal("1.50")


@pytest.mark.parametrize("key", ["²", "--5", "１２", "1_0", "", "-", "9" * 5000])
def test_a_key_that_is_no_number_is_sent_as_it_is(key: str) -> None:
    """To a column of numbers: it has no such key, and says so."""
    assert native(key, GraphQLID, Field("n", "n", type="int")) == key


@given(st.sampled_from([GraphQLInt, GraphQLFloat, DECIMAL]), st.text(alphabet="0123456789+-_.eE １２٣\u3000\tx", max_size=8))
def test_what_a_text_is_as_a_number_is_said_alike_twice(kind: GraphQLOutputType, text: str) -> None:
    """By the engine and by the oracle, which were written apart."""
    field = Field("n", "n")
    try:
        wanted: Any = read(text, kind, field)
    except Fault:
        wanted = BAD
    assert canonical([text], kind, field).values == [wanted]


@pytest.mark.parametrize(
    "kind",
    [GraphQLString, GraphQLID, GraphQLInt, GraphQLFloat, Boolean, DECIMAL, DATE, DATETIME, USCC, STATUS, GraphQLScalarType("JSON")],
)
@pytest.mark.parametrize("many", [False, True])
def test_what_is_absent_cannot_be_read(kind: GraphQLOutputType, many: bool) -> None:
    shape: GraphQLOutputType = GraphQLList(kind) if many else kind
    for format in (None, "json", "csv", "unix"):
        found = canonical([None, ABSENT, None], shape, Field("f", "f", format=format, always=True))
        assert (found.values, found.flawed) == ([None, BAD, None], True)
