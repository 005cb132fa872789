"""Rows as departments write them into files: CSV in two encodings, XLSX, JSON lines, Parquet. Null is ``\\N`` where there is no null."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import openpyxl  # type: ignore[import-untyped]

Rows = Sequence[Sequence[Any]]
Form = Callable[[Path, Sequence[str], Rows], Path]
NULL = r"\N"


def csv_gb18030(folder: Path, columns: Sequence[str], rows: Rows) -> Path:
    """Commas, CRLF, as most departments export."""
    file = folder / "rows.csv"
    with file.open("w", encoding="gb18030", newline="") as stream:
        csv.writer(stream).writerows([columns, *([NULL if value is None else value for value in row] for row in rows)])
    return file


def csv_utf8(folder: Path, columns: Sequence[str], rows: Rows) -> Path:
    """Tabs, a byte order mark, as spreadsheet programs write."""
    file = folder / "rows.tsv"
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream, delimiter="\t").writerows([columns, *([NULL if value is None else value for value in row] for row in rows)])
    return file


def xlsx(folder: Path, columns: Sequence[str], rows: Rows) -> Path:
    """One sheet; a workbook cannot hold an empty text, so null is one."""
    file = folder / "rows.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [columns, *([NULL if value is None else value for value in row] for row in rows)]:
        sheet.append(list(row))
    for each in sheet.iter_rows():
        for cell in each:
            if isinstance(cell.value, str):
                cell.value = cell.value.replace("\r", "_x000D_")  # as spreadsheet programs do: XML itself has no carriage returns
                cell.data_type = "s"  # a text that begins with '=' or '/' is a text
    book.save(file)
    return file


def json_lines(folder: Path, columns: Sequence[str], rows: Rows) -> Path:
    file = folder / "rows.jsonl"
    lines = [json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def parquet(folder: Path, columns: Sequence[str], rows: Rows) -> Path:
    file = folder / "rows.parquet"
    kinds = ["BIGINT" if all(isinstance(row[at], int | None) for row in rows) else "VARCHAR" for at in range(len(columns))]
    with duckdb.connect(":memory:") as made:
        names = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" {kind}' for name, kind in zip(columns, kinds, strict=True))
        made.execute(f"CREATE TABLE t ({names})")
        made.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(columns))})", [list(row) for row in rows])
        made.execute(f"COPY t TO '{file}' (FORMAT parquet)")
    return file
