"""What callers may send for each scalar: through a real schema, as a literal, as a variable and inside a filter."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal as ExactDecimal
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionResult

from schema.canonical import canonical
from schema.identifiers import complete_resident_id
from schema.scalars import (
    SCALARS,
    USCC,
    Date,
    DateTime,
    Decimal,
    Division,
    ItemCode,
    LicenceID,
    ResidentID,
    identifier_error,
    parse_date,
    parse_date_time,
    parse_decimal,
)

GOOD = "91330106MA2AXK0T11"
BAD = "91330106MA2AXK0T12"
WRONG = {"code": "BAD_IDENTIFIER", "scalar": "USCC", "position": 18, "found": "2", "expected": "check character '1'"}


@strawberry.type
class Echo:
    """Gives back what arrived in a resolver."""

    @strawberry.field
    def uscc(self, value: USCC) -> USCC:
        return value

    @strawberry.field
    def division(self, value: Division) -> Division:
        return value

    @strawberry.field
    def item_code(self, value: ItemCode) -> ItemCode:
        return value

    @strawberry.field
    def licence(self, value: LicenceID) -> LicenceID:
        return value

    @strawberry.field
    def resident(self, value: ResidentID) -> ResidentID:
        return value

    @strawberry.field
    def date(self, value: Date) -> Date:
        return value

    @strawberry.field
    def date_time(self, value: DateTime) -> DateTime:
        return value

    @strawberry.field
    def decimal(self, value: Decimal) -> Decimal:
        return value

    @strawberry.field
    def days(self) -> list[Date]:
        return [date(2022, 3, 31)]  # type: ignore[list-item]

    @strawberry.field
    def moments(self) -> list[DateTime]:
        return [datetime(2022, 3, 31, 9, 30), datetime(2022, 3, 31, 1, 30, tzinfo=UTC)]  # type: ignore[list-item]

    @strawberry.field
    def amounts(self) -> list[Decimal]:
        return [ExactDecimal("1E+3"), ExactDecimal("12.50")]  # type: ignore[list-item]


echo = strawberry.Schema(query=Echo, config=StrawberryConfig(scalar_map=SCALARS))
TYPES = {
    "uscc": "USCC", "division": "Division", "itemCode": "ItemCode", "licence": "LicenceID", "resident": "ResidentID",
    "date": "Date", "dateTime": "DateTime", "decimal": "Decimal",
}  # fmt: skip
RESIDENT = complete_resident_id("33010619900101123")
LICENCE = "1.2.156.3005.2.11100000000013338W001.113300000024820150.33202200001234567890.001.A"


@dataclass(frozen=True)
class Sent:
    """One value sent twice: written into the document, and as a variable."""

    literal: ExecutionResult
    variable: ExecutionResult


async def send(field: str, value: Any) -> Sent:
    return Sent(
        await echo.execute(f"{{ {field}(value: {json.dumps(value)}) }}"),
        await echo.execute(f"query ($value: {TYPES[field]}!) {{ {field}(value: $value) }}", {"value": value}),
    )


@pytest.mark.parametrize(
    ("field", "value", "arrives"),
    [
        ("uscc", GOOD, GOOD),
        ("uscc", GOOD.lower(), GOOD),
        ("division", "330106", "330106"),
        ("itemCode", "330104001000", "330104001000"),
        ("licence", LICENCE, LICENCE),
        ("resident", RESIDENT.lower(), RESIDENT),
        ("date", "2024-02-29", "2024-02-29"),
        ("dateTime", "2022-03-31T09:30:00+08:00", "2022-03-31T09:30:00+08:00"),
        ("dateTime", "2022-03-31T01:30:00Z", "2022-03-31T09:30:00+08:00"),
        ("dateTime", "2022-03-31t01:30:00.250z", "2022-03-31T09:30:00.250000+08:00"),
        ("decimal", "12.50", "12.50"),
        ("decimal", 12, "12"),
        ("decimal", -7, "-7"),
        ("decimal", "-0.00", "0.00"),
        ("decimal", "99999999999999999999.123456789", "99999999999999999999.123456789"),
    ],
)
async def test_a_good_value_arrives_in_canonical_form(field: str, value: Any, arrives: str) -> None:
    sent = await send(field, value)
    assert sent.literal.errors is None
    assert sent.variable.errors is None
    assert sent.literal.data == sent.variable.data == {field: arrives}


@pytest.mark.parametrize(
    ("field", "value", "position", "found"),
    [
        ("uscc", BAD, 18, "2"),
        ("uscc", "", 1, ""),
        ("division", "33O106", 3, "O"),
        ("itemCode", "3301040010", 11, ""),
        ("licence", LICENCE[:-1] + "B", len(LICENCE), "B"),
        ("resident", "33010619990229001X", 13, "29"),
        ("uscc", 5, 1, ""),
        ("division", 330106, 1, ""),
        ("itemCode", 1.5, 1, ""),
        ("division", True, 1, ""),
        ("division", ["33"], 1, ""),
    ],
)
async def test_a_wrong_identifier_is_named_either_way(field: str, value: Any, position: int, found: str) -> None:
    sent = await send(field, value)
    for result in (sent.literal, sent.variable):
        assert result.errors is not None
        (error,) = result.errors
        refusal = identifier_error(error)
        assert refusal is not None
        assert refusal.extensions is not None
        assert {name: refusal.extensions[name] for name in ("code", "scalar", "position", "found")} == {
            "code": "BAD_IDENTIFIER", "scalar": TYPES[field], "position": position, "found": found,
        }  # fmt: skip
        assert refusal.extensions["expected"] in refusal.message
        assert "应为" in refusal.message
        assert refusal.locations
        assert refusal.formatted["extensions"] == refusal.extensions


async def test_a_resident_id_is_not_repeated_to_whoever_reads_the_error() -> None:
    wrong = RESIDENT[:-1] + "0"
    sent = await send("resident", wrong)
    for result in (sent.literal, sent.variable):
        assert result.errors is not None
        assert wrong not in json.dumps(result.errors[0].formatted, ensure_ascii=False)
        assert RESIDENT[:17] not in json.dumps(result.errors[0].formatted, ensure_ascii=False)


@pytest.mark.parametrize(
    ("query", "variables", "where"),
    [
        (f'{{ enterprise(uscc: "{BAD}") {{ name }} }}', None, ""),
        ("query ($u: USCC!) { enterprise(uscc: $u) { name } }", {"u": BAD}, "$u"),
        (f'query ($u: USCC = "{BAD}") {{ enterprises(filter: {{uscc: {{eq: $u}}}}) {{ totalCount }} }}', None, ""),
        (f'{{ enterprises(filter: {{uscc: {{in: ["{GOOD}", "{BAD}"]}}}}) {{ totalCount }} }}', None, ""),
        ("query ($f: EnterpriseFilter) { enterprises(filter: $f) { totalCount } }", {"f": {"uscc": {"in": [GOOD, BAD]}}}, ".uscc.in[1]"),
        (f'{{ a: enterprise(uscc: "{GOOD}") {{ name }} b: enterprise(uscc: "{BAD}") {{ name }} }}', None, ""),
    ],
)
async def test_the_canonical_schema_refuses_it_wherever_it_stands(query: str, variables: dict[str, Any] | None, where: str) -> None:
    result = await canonical().execute(query, variables)
    assert result.data is None
    assert result.errors is not None
    (error,) = result.errors
    assert error.extensions == WRONG
    assert where in error.message
    assert identifier_error(error) is error


async def test_every_wrong_identifier_of_a_document_is_named() -> None:
    result = await canonical().execute(f'{{ a: enterprise(uscc: "{BAD}") {{ name }} b: permitItem(itemCode: "12") {{ name }} }}')
    assert result.errors is not None
    assert [(error.extensions or {})["scalar"] for error in result.errors] == ["USCC", "ItemCode"]


async def test_another_error_is_not_taken_for_one() -> None:
    result = await canonical().execute("{ enterprise(uscc: null) { name } }")
    assert result.errors is not None
    assert identifier_error(result.errors[0]) is None


def test_a_wrapper_that_lost_the_code_gets_it_back() -> None:
    inner = GraphQLError("zh en", extensions=dict(WRONG))
    outer = GraphQLError("Variable '$u': zh en", original_error=GraphQLError("between", original_error=inner, extensions={"a": 1}))
    outer.extensions = {}
    found = identifier_error(outer)
    assert found is not None
    assert found.message == "Variable '$u': zh en"
    assert found.extensions == WRONG


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", "2022-02-30"), ("date", "2022-2-3"), ("date", "20220203"), ("date", "２０２２-02-03"), ("date", 20220203),
        ("date", "2022-02-03T00:00:00Z"),
        ("dateTime", "2022-03-31T09:30:00"), ("dateTime", "2022-03-31"), ("dateTime", "2022-03-31T25:00:00Z"), ("dateTime", 0),
        ("dateTime", "0001-01-01T00:00:00+14:00"),
        ("decimal", 1.5), ("decimal", "1e3"), ("decimal", "NaN"), ("decimal", "01"), ("decimal", ""), ("decimal", "1" * 39),
        ("decimal", "１"),
        ("decimal", True), ("decimal", ["1"]), ("decimal", ".5"), ("decimal", "+1"),
    ],
)  # fmt: skip
async def test_a_value_that_is_none_is_refused_in_two_languages(field: str, value: Any) -> None:
    sent = await send(field, value)
    for result in (sent.literal, sent.variable):
        assert result.errors is not None
        (error,) = result.errors
        assert "应" in error.message
        assert f"{TYPES[field]}: expected" in error.message
        assert identifier_error(error) is None


async def test_pythons_own_values_are_written_canonically() -> None:
    result = await echo.execute("{ days moments amounts }")
    assert result.data == {
        "days": ["2022-03-31"],
        "moments": ["2022-03-31T09:30:00+08:00", "2022-03-31T09:30:00+08:00"],
        "amounts": ["1000", "12.50"],
    }


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4))
def test_a_decimal_keeps_its_exact_value_and_scale(value: ExactDecimal) -> None:
    text = parse_decimal(format(value, "f"))
    assert ExactDecimal(text) == value
    assert parse_decimal(text) == text
    assert ExactDecimal(text).as_tuple().exponent == -4


@given(st.dates())
def test_every_calendar_date_is_itself(value: date) -> None:
    assert parse_date(value.isoformat()) == value.isoformat()


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))
def test_a_time_stays_the_same_instant(value: datetime) -> None:
    offset = value.utcoffset()
    if offset is None or offset.total_seconds() % 60:  # RFC 3339 writes offsets in minutes
        return
    text = parse_date_time(value.isoformat())
    assert datetime.fromisoformat(text).timestamp() == value.timestamp()
    assert text.endswith("+08:00")
    assert parse_date_time(text) == text
