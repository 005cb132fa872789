"""Native values and what they mean: rule S12."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.small import ask, small


@pytest.mark.parametrize(
    ("field", "column", "native", "canonical"),
    [
        ("capital", "zb", Decimal("12.50"), "12.50"),
        ("capital", "zb", 3, "3"),
        ("founded", "rq", "20200131", "2020-01-31"),
        ("founded", "rq", 20200131, "2020-01-31"),
        ("founded", "rq", date(2020, 1, 31), "2020-01-31"),
        ("checkedAt", "sj", datetime(2020, 1, 31, 8, 0), "2020-01-31T08:00:00+08:00"),
        ("checkedAt", "sj", datetime(2020, 1, 31, 0, 0, tzinfo=UTC), "2020-01-31T00:00:00+00:00"),
        ("listed", "ss", "否", False),
        ("listed", "ss", 1, True),
        ("listed", "ss", "Y", True),
        ("staff", "rs", "-12", -12),
        ("status", "zt", "REVOKED", "REVOKED"),
        ("status", "zt", 2, "REVOKED"),
        ("tags", "bq", "x, y", ["x", "y"]),
        ("tags", "bq", "", []),
        ("sizes", "gm", "[1, null]", [1, None]),
        ("sizes", "gm", [4, "5"], [4, 5]),
    ],
)
async def test_native_values_become_canonical_ones(field: str, column: str, native: Any, canonical: Any) -> None:  # S12
    result = await ask(small(register={"Firm": [{"code": "A", column: native}]}), f'{{ firm(uscc: "A") {{ {field} }} }}')
    assert (result.data, result.errors) == ({"firm": {field: canonical}}, None)
