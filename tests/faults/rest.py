"""REST, by batches of two keys in the query, with a key in a header."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.faults.asking import KEYS, LIMITS, RIGHT, ROWS, SECRET, TRUTH, Kind, There, manifest
from tests.faults.http import MOST, TLS, Request, served
from tests.faults.records import long_truth, spoiled


@asynccontextmanager
async def serve(fault: str, folder: Path) -> AsyncIterator[There]:
    def answer(request: Request) -> Any:
        codes = parse_qs(urlsplit(request.target).query)["codes"][0].split(",")
        if request.headers.get("x-app-key") != SECRET or (fault == "denied_midway" and KEYS[2] in codes):
            return None
        return {"code": "0", "list": spoiled(fault, [row for row in ROWS if row["code"] in codes])}

    async with served(fault, answer, folder) as source:
        truth = long_truth() if fault == "long_numbers" else TRUTH
        yield There({"RECORDS_URL": source.base}, {"records.key": SECRET}, then=source.then, truth=truth, beside=str(folder))


REST = Kind(
    "REST",
    manifest(
        f'@rest(base: "${{RECORDS_URL}}", auth: {{kind: API_KEY, header: "X-App-Key", secret: "records.key"}}, {TLS}, maxBytes: {MOST}, '
        f"{LIMITS})",
        '@get(path: "/records?codes={keys}", at: "list", batch: {by: "uscc", match: "code", max: 2})',
        always=True,
    ),
    serve,
    sees={
        "refuses": "SYSTEM_DOWN",
        "hangs": "SYSTEM_SLOW",
        "resets": "SYSTEM_DOWN",
        "drips": "SYSTEM_SLOW",
        "wrong_length": "SYSTEM_BROKEN",
        "truncated": "SYSTEM_BROKEN",
        "fails_500": "SYSTEM_BROKEN",
        "busy_429": "SYSTEM_BUSY",
        "denied_midway": "SYSTEM_DENIED at c",
        "html": "SYSTEM_BROKEN",
        "wrong_charset": "SYSTEM_BROKEN",
        "huge": "SYSTEM_BROKEN",
        "deep": "SYSTEM_BROKEN",
        "null_key": "SYSTEM_BROKEN at a, b",
        "missing_key": "SYSTEM_BROKEN at a, b",
        "extra_row": "SYSTEM_BROKEN",
        "doubled_row": "SYSTEM_BROKEN at b",
        "doubled_name": RIGHT,
        "other_order": RIGHT,
        "number_as_text": RIGHT,
        "long_numbers": RIGHT,
        "not_a_number": "SYSTEM_BROKEN at a, b",
        "invalid_date": "BAD_VALUE at b.fileChecked",
        "renamed_column": "BAD_VALUE at fileLevel of each",
        "dropped_column": "BAD_VALUE at fileLevel of each",
        "clock_skew": RIGHT,
        "certificate_expired": "SYSTEM_CONFIG",
        "pool_exhausted": "SYSTEM_DOWN",
        "restarted": RIGHT,
    },
)
