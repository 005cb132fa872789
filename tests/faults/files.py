"""Files: one CSV in a folder of this machine, its whole content at fault. A folder that is not there refuses; SFTP hangs or resets."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.faults.asking import LIMITS, RIGHT, ROWS, TRUTH, Kind, There, manifest
from tests.faults.records import long_truth, spoiled

_COLUMNS = tuple(ROWS[0])
_ENDLESS = "x" * 2_000


@asynccontextmanager
async def serve(fault: str, folder: Path) -> AsyncIterator[There]:
    if fault in ("hangs", "resets"):
        async with silent(fault) as port:
            yield There({"RECORDS_URL": f"sftp://127.0.0.1:{port}/in"})
        return
    place = folder / "in"
    if fault != "refuses":
        place.mkdir()
        (place / "records-2024Q1.csv").write_bytes(content(fault))
    truth = long_truth() if fault == "long_numbers" else TRUTH
    if fault == "null_key":  # its row is nobody's: it is put aside and counted
        truth = {**TRUTH, "b": {**dict.fromkeys(TRUTH["b"]), "name": TRUTH["b"]["name"]}}
    yield There({"RECORDS_URL": str(place)}, truth=truth)


@asynccontextmanager
async def silent(fault: str) -> AsyncIterator[int]:
    """The port of an SFTP server that takes the connection, and says nothing or resets it."""
    calls: list[asyncio.StreamWriter] = []

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(writer)
        if fault == "resets":
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in calls:
            writer.transport.abort()
        await server.wait_closed()


def content(fault: str) -> bytes:
    """The file as it was delivered."""
    if fault == "html":
        return b"<!DOCTYPE html><html><body>login</body></html>"
    rows: Sequence[Mapping[str, Any]] = spoiled(fault, ROWS)
    columns = [name for name in ("dj_new", *_COLUMNS) if any(name in row for row in rows)]
    if fault == "missing_key":
        columns.remove("code")
    if fault == "doubled_name":
        columns.append("dj")
    text = io.StringIO(newline="")
    csv.writer(text).writerows([columns, *([row.get(name) for name in columns] for row in rows)])
    found = text.getvalue()
    if fault == "huge":
        found += f"{_ENDLESS}\n"
    data = found.encode("gb18030" if fault == "wrong_charset" else "utf-8")
    # Within a row. A first delivery cut within its last value looks like one that merely lacks a line end, and is taken: see `ended`.
    return data[:-60] if fault == "truncated" else data


_LOCAL = "a folder of this machine has no connection, and one that is reached by SFTP is tried by `hangs` and `resets`"
_WHOLE = "a delivery is taken as a whole before it is asked, and answers from then on"

FILES = Kind(
    "files",
    manifest(
        f'@files(base: "${{RECORDS_URL}}", encoding: "utf-8", maxBytes: 1000, {LIMITS})',
        table='@file(name: "records-*.csv", key: ["code"])',
    ),
    serve,
    sees={
        "refuses": "SYSTEM_DOWN",
        "hangs": "SYSTEM_SLOW",
        "resets": "SYSTEM_DOWN",
        "truncated": "SYSTEM_BROKEN",
        "html": "SYSTEM_BROKEN",
        "wrong_charset": "SYSTEM_BROKEN",
        "huge": "TOO_LARGE",
        "null_key": RIGHT,
        "missing_key": "SYSTEM_CONFIG",
        "extra_row": RIGHT,
        "doubled_row": "SYSTEM_BROKEN at b",
        "doubled_name": "SYSTEM_BROKEN",
        "other_order": RIGHT,
        "number_as_text": RIGHT,
        "long_numbers": RIGHT,
        "not_a_number": "BAD_VALUE at b.fileFee",
        "invalid_date": "BAD_VALUE at b.fileChecked",
        "renamed_column": "SYSTEM_CONFIG",
        "dropped_column": "SYSTEM_CONFIG",
        "clock_skew": RIGHT,
    },
    never={
        **dict.fromkeys(("drips", "wrong_length", "fails_500", "busy_429", "certificate_expired", "pool_exhausted"), _LOCAL),
        **dict.fromkeys(("denied_midway", "restarted"), _WHOLE),
        "deep": "rows are flat, and a document in a column is a text",
    },
)
