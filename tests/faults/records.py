"""Rows spoiled as a fault says, as plain mappings: for every kind whose records have names and no types of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tests.faults.asking import KEYS, ROWS, STRANGER, TRUTH

LONG = "12345678901234567.25"  # more digits than a float holds
FAULTY: frozenset[str] = frozenset(
    {
        "null_key", "missing_key", "extra_row", "doubled_row", "other_order", "number_as_text", "long_numbers", "not_a_number",
        "invalid_date", "renamed_column", "dropped_column",
    }
)  # fmt: skip
"""The faults that ``spoiled`` knows; all others leave the rows as they are."""


def spoiled(fault: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """``rows`` with ``fault`` in them: mostly at the second enterprise, where it is among them. Numbers that text alone can write down
    (``LONG``, NaN) come as texts of one's own making: see ``written``."""
    found = [dict(row) for row in rows]
    second = next((row for row in found if row["code"] == KEYS[1]), {})
    match fault:
        case "null_key" if second:
            second["code"] = None
        case "missing_key" if second:
            del second["code"]
        case "extra_row":
            found.append({**ROWS[0], "code": STRANGER})
        case "doubled_row" if second:
            found.append({**second, "dj": 9})
        case "other_order":
            found.reverse()
        case "number_as_text":
            found = [{**row, "dj": str(row["dj"]), "je": f" {row['je']}"} for row in found]
        case "long_numbers":
            found = [{**row, "nr": Number(row["nr"].lstrip("0")), "je": Number(LONG)} for row in found]
        case "not_a_number" if second:
            second["je"] = Number("NaN")
        case "invalid_date" if second:
            second["rq"] = "20240230"
        case "renamed_column":
            found = [{("dj_new" if name == "dj" else name): value for name, value in row.items()} for row in found]
        case "dropped_column":
            found = [{name: value for name, value in row.items() if name != "dj"} for row in found]
    return found


class Number(str):
    """A number as it is written down, whatever a float makes of it."""


def long_truth() -> Mapping[str, Mapping[str, Any]]:
    """What is true where the source writes long numbers."""
    return {alias: {**true, "fileNo": true["fileNo"].lstrip("0"), "fileFee": LONG} for alias, true in TRUTH.items()}


def written(value: Any) -> str:
    """JSON, with numbers as they are written down."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{written(name)}:{written(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(written, value)) + "]"
    return orjson.dumps(value).decode()
