"""A delivery becomes a copy: its rows as text in Parquet, in the order of their key; beside it what could not be read, and why.

A copy is made aside and moved into place when it is whole. A delivery of which much cannot be read is refused as a whole, so that it
never replaces a good one. Must not know relations, nor when deliveries come.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import duckdb
import orjson

from connectors.files.charset import broken
from connectors.files.duck import Cursor, literal, name
from connectors.files.rows import Bad, Good, open_sheet
from connectors.files.words import Source

TOLERATED = 0.1  # of all rows; more that cannot be read, and the delivery is refused
_TOLD = 10_000  # bad rows that are written down; all are counted
_PERHAPS_MORE = 20  # bad rows that any delivery may have, however small
_TEXTS = 2_000  # characters of a bad row


@dataclass(frozen=True, slots=True)
class Copy:
    """One delivery as it is kept. ``mark`` tells it from others of its name, ``seen`` (ISO 8601, with offset) is when the hub saw it first.

    ``stem`` names its files: ``.parquet``, ``.origin``, ``.bad.jsonl`` where ``bad`` rows were left out, ``.twice.parquet`` where keys
    that stand in several rows are among them (``twice``). ``ended``: the delivery ended with a line end.
    """

    name: str
    mark: str
    seen: str
    stem: str
    rows: int
    bad: int
    columns: tuple[str, ...]
    encoding: str = ""
    ended: bool = True
    twice: int = 0

    def files(self, folder: Path) -> Iterator[Path]:
        """All that is kept of it."""
        return (folder / f"{self.stem}{suffix}" for suffix in (".parquet", ".origin", ".bad.jsonl", ".twice.parquet"))


@dataclass(slots=True)
class _Pass:
    """What came out of reading a delivery once."""

    columns: tuple[str, ...] = ()
    rows: int = 0
    bad: int = 0
    encoding: str = ""
    ended: bool = True


def make_copy(
    cursor: Cursor, file: Path, source: Source, made: Copy, folder: Path, *, nulls: frozenset[str], most: int, needs: frozenset[str]
) -> Copy:
    """Read ``file``, write the copy named by ``made`` into ``folder``, and tell what is in it. Raises SourceError (broken).

    ``needs`` are columns that are in use: a delivery without one of them is refused.
    """
    aside = folder / f"{made.stem}.reading"
    bad = folder / f"{made.stem}.bad.jsonl"
    try:
        with open(bad, "w", encoding="utf-8", opener=_private) as out:
            if source.format == "PARQUET":
                rows, done = _columnar(cursor, file, out)
            else:
                rows, done = _textual(file, source, aside, out, nulls, most)
            gone = sorted(needs - {*done.columns})
            if gone and done.columns:
                raise broken("The file has lost a column that is in use.", f"no '{gone[0]}'", "COLUMN_GONE")
            missing = [column for column in source.unique if column not in done.columns]
            twice: list[int] = []
            if source.unique and not missing:
                twice = _twice(cursor, rows, source, folder / f"{made.stem}.twice.parquet", out, done)
            _tolerable(done)
            columns = ", ".join(name(column) for column in done.columns)
            order = ", ".join(name(column) for column in source.unique) if not missing else ""
            kept = f"SELECT {columns} FROM {rows} WHERE _line NOT IN (SELECT unnest($gone))" + (f" ORDER BY {order}" if order else "")
            target = folder / f"{made.stem}.parquet"
            cursor.execute(f"COPY ({kept}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)", {"gone": twice})
        if not done.bad:
            bad.unlink()
        os.replace(file, folder / f"{made.stem}.origin")
        return Copy(
            made.name, made.mark, made.seen, made.stem, done.rows - len(twice), done.bad, done.columns, done.encoding, done.ended,
            int((folder / f"{made.stem}.twice.parquet").exists()),
        )  # fmt: skip
    except BaseException as error:
        for each in made.files(folder):
            each.unlink(missing_ok=True)
        if isinstance(error, duckdb.InterruptException):
            raise
        if isinstance(error, duckdb.Error):
            raise broken("The file is not of the format that is declared, or was cut off.", type(error).__name__, "NOT_A_TABLE") from None
        raise
    finally:
        aside.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _textual(file: Path, source: Source, aside: Path, out: TextIO, nulls: frozenset[str], most: int) -> tuple[str, _Pass]:
    """Rows as JSON lines, which say null and empty apart, and what DuckDB reads them by."""
    sheet = open_sheet(file, source, nulls, most)
    done = _Pass(encoding=sheet.encoding, ended=sheet.ended)
    with open(aside, "wb", opener=_private) as lines:
        for row in sheet.rows:
            if isinstance(row, Good):
                wrong = next((key for key in source.unique if _empty(row.values, sheet.columns, key)), None)
                if wrong is None:
                    lines.write(orjson.dumps({"_line": row.line, **{f"c{at}": value for at, value in enumerate(row.values)}}))
                    lines.write(b"\n")
                    done.rows += 1
                    continue
                row = Bad(row.line, f"has no key: '{wrong}' is empty")
            _tell(out, done, row)
    done.columns = tuple(sheet.columns)
    if not done.columns:
        raise broken("The file has no row that can be read.")
    types = ", ".join(["'_line': 'BIGINT'", *(f"'c{at}': 'VARCHAR'" for at in range(len(done.columns)))])
    named = ", ".join(["_line", *(f"c{at} AS {name(column)}" for at, column in enumerate(done.columns))])
    reading = f"read_json({literal(str(aside))}, format='newline_delimited', maximum_object_size=67108864, columns={{{types}}})"
    return f"(SELECT {named} FROM {reading})", done


def _empty(values: Sequence[Any], columns: Sequence[str], key: str) -> bool:
    try:
        at = columns.index(key)
    except ValueError:
        return False
    return at >= len(values) or not values[at]


def _columnar(cursor: Cursor, file: Path, out: TextIO) -> tuple[str, _Pass]:
    """A Parquet file's columns as text: lists and objects as JSON."""
    place = f"read_parquet({literal(str(file))})"
    columns = [(str(one[0]), str(one[1])) for one in cursor.execute(f"DESCRIBE SELECT * FROM {place}").fetchall()]
    count = cursor.execute(f"SELECT count(*) FROM {place}").fetchall()[0][0]
    texts = [f"{_text(name(column), kind)} AS {name(column)}" for column, kind in columns]
    return f"(SELECT row_number() OVER () AS _line, {', '.join(texts)} FROM {place})", _Pass(tuple(one for one, _ in columns), int(count))


def _text(column: str, kind: str) -> str:
    nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))
    return f"CAST(to_json({column}) AS VARCHAR)" if nested else f"CAST({column} AS VARCHAR)"


def _twice(cursor: Cursor, rows: str, source: Source, file: Path, out: TextIO, done: _Pass) -> list[int]:
    """Lines to be left out because their key stands in several rows: all of them, but one where the rows are the same in everything."""
    keys = ", ".join(name(column) for column in source.unique)
    null = " OR ".join(f"{name(column)} IS NULL" for column in source.unique)
    content = ", ".join(name(column) for column in done.columns)
    # Text formats have told of rows without a key already; in Parquet they are found here.
    gone = [int(one[0]) for one in cursor.execute(f"SELECT _line FROM {rows} WHERE {null} ORDER BY _line").fetchall()]
    for line in gone:
        _tell(out, done, Bad(line, "has no key"))
    figures = f"list_sort(list(_line)) AS lines, count(DISTINCT row({content})) AS kinds"
    several = f"SELECT {figures}, {keys} FROM {rows} WHERE NOT ({null}) GROUP BY {keys} HAVING count(*) > 1"
    found = cursor.execute(f"SELECT lines, kinds FROM ({several}) ORDER BY lines").fetchall()
    for lines, kinds in found:
        for line in lines[1 if kinds == 1 else 0 :]:
            others = ", ".join(str(other) for other in lines[:5] if other != line)
            why = f"is the same as line {lines[0]}" if kinds == 1 else f"has the key of another row, line {others}"
            _tell(out, done, Bad(int(line), why))
            gone.append(int(line))
    if any(kinds > 1 for _, kinds in found):
        cursor.execute(f"COPY (SELECT {keys} FROM ({several}) WHERE kinds > 1) TO {literal(str(file))} (FORMAT parquet)")
    return gone


def _tell(out: TextIO, done: _Pass, row: Bad) -> None:
    if done.bad < _TOLD:
        told = {"line": row.line, "reason": row.reason, **({"lines": row.lines} if row.lines > 1 else {})}
        out.write(json.dumps({**told, **({"text": row.text[:_TEXTS]} if row.text else {})}, ensure_ascii=False) + "\n")
    done.bad += row.lines


def _tolerable(done: _Pass) -> None:
    whole = done.rows + done.bad
    if done.bad > max(TOLERATED * whole, min(_PERHAPS_MORE, whole / 2)):
        raise broken("Too many rows of the file cannot be read.", f"{done.bad} of {whole}", "BAD_ROWS")
