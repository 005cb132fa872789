"""GraphQL: a list argument of two keys, with a bearer token; the server is graphql-core over rows that are spoiled."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from graphql import build_schema, graphql_sync

from tests.faults.asking import KEYS, LIMITS, RIGHT, ROWS, SECRET, TRUTH, Kind, There, manifest
from tests.faults.http import MOST, TLS, Request, served
from tests.faults.records import long_truth, spoiled

# A scalar of any kind, so that the server hands on what a better one would have refused.
SCHEMA = "scalar Any type Query { records(codes: [ID!]!): [Record] } type Record { code: Any nr: Any dj: Any je: Any rq: Any bt: Any }"


@asynccontextmanager
async def serve(fault: str, folder: Path) -> AsyncIterator[There]:
    gone = {"renamed_column": SCHEMA.replace("dj:", "djNew:"), "dropped_column": SCHEMA.replace("dj: Any", "")}
    schema = build_schema(gone.get(fault, SCHEMA))

    def answer(request: Request) -> Any:
        asked = json.loads(request.body)
        codes = next(iter(asked["variables"].values()))
        if request.headers.get("authorization") != f"Bearer {SECRET}" or (fault == "denied_midway" and KEYS[2] in codes):
            return None
        rows = spoiled(fault, [row for row in ROWS if row["code"] in codes])
        done = graphql_sync(schema, asked["query"], {"records": rows}, variable_values=asked["variables"])
        return {"data": done.data, **({"errors": [error.formatted for error in done.errors]} if done.errors else {})}

    async with served(fault, answer, folder) as source:
        truth = long_truth() if fault == "long_numbers" else TRUTH
        yield There({"RECORDS_URL": source.base}, {"records.key": SECRET}, then=source.then, truth=truth, beside=str(folder))


GRAPHQL = Kind(
    "GraphQL",
    manifest(
        f'@graphql(url: "${{RECORDS_URL}}/graphql", auth: {{kind: BEARER, secret: "records.key"}}, {TLS}, maxBytes: {MOST}, {LIMITS})',
        '@field(name: "records", argument: "codes", keyType: "[ID!]!", batch: {by: "uscc", match: "code", max: 2})',
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
        "extra_row": "SYSTEM_BROKEN",
        "doubled_row": "SYSTEM_BROKEN at b",
        "doubled_name": RIGHT,
        "other_order": RIGHT,
        "number_as_text": RIGHT,
        "long_numbers": RIGHT,
        "not_a_number": "SYSTEM_BROKEN at a, b",
        "invalid_date": "BAD_VALUE at b.fileChecked",
        "renamed_column": "SYSTEM_CONFIG",
        "dropped_column": "SYSTEM_CONFIG",
        "clock_skew": RIGHT,
        "certificate_expired": "SYSTEM_CONFIG",
        "pool_exhausted": "SYSTEM_DOWN",
        "restarted": RIGHT,
    },
    never={"missing_key": "a server gives each row each field that was selected, or an error"},
)
