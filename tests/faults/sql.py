"""SQL: a table made as a fault says, in a file of SQLite; and what tables of all databases share."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from demo.faults import HTML
from tests.connectors.databases import Database, Engine, sqlite
from tests.faults.asking import KEYS, LIMITS, RIGHT, ROWS, TRUTH, Kind, There, manifest
from tests.faults.records import LONG, long_truth

MOST = 100_000  # ``maxBytes``, for ``huge``
MANIFEST = manifest(
    f'@sql(url: "${{RECORDS_URL}}", schema: "${{RECORDS_SCHEMA}}", maxBytes: {MOST}, {LIMITS})',
    table='@table(name: "records", key: ["code"])',
)
COLUMNS = {"code": "varchar(60)", "nr": "varchar(30)", "dj": "integer", "je": "numeric(20, 2)", "rq": "varchar(8)", "bt": "varchar(61)"}
OTHER_TYPES: Mapping[str, Mapping[str, str]] = {
    "number_as_text": {"dj": "varchar(9)", "je": "varchar(30)"},
    "long_numbers": {"nr": "bigint"},
}
INSERT = f"INSERT INTO records VALUES ({', '.join('?' * len(COLUMNS))})"
ROWS_ALONE = {
    "wrong_length": "the length of a message is the driver's and the server's own business; what is cut off is `truncated`",
    "deep": "rows are flat, and a document in a column is a text",
    "missing_key": "each row of a table has each of its columns; one that is gone is `dropped_column`",
    "doubled_name": "a table has a column once",
    "clock_skew": "nothing that is asked depends on the database's clock",
}
"""What no database does, and why."""


def table(make: Engine, fault: str, folder: Path) -> AbstractAsyncContextManager[Database]:
    """The table in a database of its own."""
    types = {**COLUMNS, **OTHER_TYPES.get(fault, {})}
    if fault == "long_numbers" and make is sqlite:
        types["je"] = "text"  # its numbers are floats
    return make(folder, (f"CREATE TABLE records ({', '.join(f'{name} {kind}' for name, kind in types.items())})",), INSERT, rows(fault))


def rows(fault: str) -> Sequence[Sequence[Any]]:
    """The rows of the table."""
    found: list[dict[str, Any]] = [dict(row) for row in ROWS]
    second = found[1]
    match fault:
        case "null_key":
            second["code"] = None
        case "extra_row":  # its key is equal to another's for a collation that overlooks capitals
            found.append({**second, "code": KEYS[1].lower(), "dj": 9})
        case "doubled_row":
            found.append({**second, "dj": 9})
        case "other_order":
            found.reverse()
        case "number_as_text":
            found = [{**row, "dj": str(row["dj"]), "je": str(row["je"])} for row in found]
        case "long_numbers":
            found = [{**row, "nr": int(row["nr"]), "je": LONG} for row in found]
        case "not_a_number":
            second["je"] = "NaN"
        case "invalid_date":
            second["rq"] = "20240230"
    return [[row[name] for name in COLUMNS] for row in found]


def true(fault: str) -> Mapping[str, Mapping[str, Any]]:
    """What such a table holds. A row without a key is nobody's: who asks by key is told that there is none."""
    if fault == "null_key":
        return {**TRUTH, "b": {**dict.fromkeys(TRUTH["b"]), "name": TRUTH["b"]["name"]}}
    return long_truth() if fault == "long_numbers" else TRUTH


def then(fault: str, database: Database) -> Callable[[], Awaitable[Any]] | None:
    """What befalls the database between two questions."""
    changes = {"renamed_column": "RENAME COLUMN dj TO dj_new", "dropped_column": "DROP COLUMN dj"}
    if fault in changes:
        return partial(database.run, f"ALTER TABLE records {changes[fault]}")
    return database.cut if fault == "restarted" else None


@asynccontextmanager
async def serve(fault: str, folder: Path) -> AsyncIterator[There]:
    async with table(sqlite, fault, folder) as database:
        (file,) = list(folder.glob("*/*.db"))  # noqa: ASYNC240 - a test that waits for nobody
        content = file.read_bytes()
        match fault:
            case "refuses":
                file.unlink()
            case "truncated":
                file.write_bytes(content[: len(content) // 2])
            case "fails_500":  # the first page tells of the table, the second holds it
                file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
            case "html":
                file.write_text(HTML, encoding="utf-8")
            case "wrong_charset":
                await database.run(f"UPDATE records SET bt = CAST(x'd6a4d5d5' AS TEXT) WHERE code = '{KEYS[1]}'")  # 证照 in GBK
            case "huge":
                await database.run(f"UPDATE records SET bt = hex(zeroblob({MOST}))")
        with locked(file) if fault == "busy_429" else nullcontext():
            words = {"RECORDS_URL": database.url, "RECORDS_SCHEMA": ""}
            yield There(words, secret=database.password, then=then(fault, database), truth=true(fault))


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """While somebody else writes and lets nobody read."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


_FILE = "a file is not spoken to over a network"
SQLITE = Kind(
    "SQLite",
    MANIFEST,
    serve,
    sees={
        "refuses": "SYSTEM_DOWN",
        "truncated": "SYSTEM_BROKEN",
        "fails_500": "SYSTEM_BROKEN",
        "busy_429": "SYSTEM_SLOW",
        "html": "SYSTEM_BROKEN",
        "wrong_charset": "SYSTEM_BROKEN",
        "huge": "SYSTEM_BROKEN",
        "null_key": RIGHT,
        "extra_row": RIGHT,
        "doubled_row": "SYSTEM_BROKEN at b",
        "other_order": RIGHT,
        "number_as_text": RIGHT,
        "long_numbers": RIGHT,
        "invalid_date": "BAD_VALUE at b.fileChecked",
        "renamed_column": "SYSTEM_CONFIG at fileLevel of each",
        "dropped_column": "SYSTEM_CONFIG at fileLevel of each",
        "restarted": RIGHT,
    },
    never={
        **ROWS_ALONE,
        **dict.fromkeys(("hangs", "resets", "drips", "certificate_expired"), _FILE),
        "denied_midway": "a file asks for no credential",
        "not_a_number": "it keeps NaN as null",
        "pool_exhausted": "a file may be opened any number of times",
    },
)
