"""A folder of files as ``Found``: each delivery is taken as the connector takes it in service, and its columns are told from their values.

Types: every value of a file counts. What is written with leading zeros, is longer than 15 digits, or looks like a code is text. The key
is a column that no two rows share and none lacks. Raises SourceError; a file that cannot be taken is a note, unless it was asked for.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from connectors.files.deliver import Copy, make_copy
from connectors.files.duck import Cursor, Duck
from connectors.files.duck import name as quoted
from connectors.files.entries import Entry
from connectors.files.remote import Remote
from connectors.files.rows import sheets
from connectors.files.words import SUFFIXES, FilesSettings, Source
from connectors.spi import SourceError
from hub.introspect import evidence
from hub.introspect.found import Column, ColumnType, Found, Relation
from hub.introspect.leaves import unfit
from hub.introspect.named import Group, chosen, encodings, grouped

SAMPLES = 200  # different values of a column
_LONG = 15  # digits of the longest whole number that is one
_CODE = 6  # digits from which on numbers that all have as many are codes
_CJK = re.compile(r"[\u4e00-\u9fff]")
_WHOLE = r"-?(0|[1-9][0-9]*)"
_DECIMAL = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?"


@dataclass(frozen=True, slots=True)
class Folder:
    """``source`` are the words of @files as they will be written; ``settings`` the same with what the deployment gives."""

    settings: FilesSettings
    source: Mapping[str, Any] = field(default_factory=dict)


async def find(folder: Folder, *, patterns: Sequence[str] = ()) -> Found:
    """What lies in a folder: all that can be read, or the files that ``patterns`` mean. Raises SourceError."""
    remote, most = Remote(folder.settings), folder.settings.max_bytes
    with tempfile.TemporaryDirectory(prefix="hub-add-") as own:
        duck = Duck(Path(own))
        try:
            entries = {one.name: one for one in await remote.list("")}
            groups = _wanted(patterns, entries)
            relations: list[Relation] = []
            notes: list[str] = []
            for at, group in enumerate(groups):
                try:
                    relations += await _relations(remote, duck, Path(own), entries[group.newest], group, at, notes, most)
                except SourceError as error:
                    if patterns:
                        raise
                    notes.append(f"Left out: {group.newest}: {error.message}{f' ({error.detail})' if error.detail else ''}")
        finally:
            await remote.close()
            await duck.close()
    shared, own_ones = encodings({str(one.place["name"]): str(one.place["encoding"]) for one in relations})
    source = {**folder.source, **({"encoding": shared} if shared else {})}
    placed = tuple(replace(one, place=_placed(one.place, own_ones)) for one in relations)
    return Found("files", placed, source=source, notes=tuple(notes))


def _wanted(patterns: Sequence[str], entries: Mapping[str, Entry]) -> Sequence[Group]:
    if not patterns:
        found = grouped(entries)
        if not found:
            raise SourceError("missing", "There is no CSV, XLSX, JSON lines or Parquet file in the folder.")
        return found
    groups = []
    for pattern in patterns:
        group = chosen(pattern, entries)
        if group is None:
            there = ", ".join(sorted(entries)[:20]) or "none"
            raise SourceError("missing", f"There is no file {pattern!r}; there are: {there}.")
        if PurePosixPath(pattern).suffix.lower() not in SUFFIXES:
            raise SourceError("config", f"Nothing says how {pattern!r} is written: its name ends in none of {', '.join(SUFFIXES)}.")
        groups.append(group)
    return groups


def _placed(place: Mapping[str, Any], own: Mapping[str, str]) -> Mapping[str, Any]:
    found = {name: value for name, value in place.items() if name != "encoding" and value}
    encoding = own.get(str(place["name"]))
    return {**found, "encoding": encoding} if encoding else found


async def _relations(
    remote: Remote, duck: Duck, own: Path, entry: Entry, group: Group, at: int, notes: list[str], most: int
) -> list[Relation]:
    """One for a file, one for each sheet of a workbook."""
    if entry.size > most:
        raise SourceError("broken", "The file is too large.", detail=f"over {most} bytes", code="TOO_LARGE")
    brought = own / f"{at}.brought"
    await remote.bring("", entry, brought)
    format = SUFFIXES[PurePosixPath(group.pattern).suffix.lower()]
    names: Sequence[str] = await duck.aside(lambda: sheets(brought)) if format == "XLSX" else ("",)
    found = []
    for number, sheet in enumerate(names):
        several = len(names) > 1
        called = f"{group.title}_{sheet}" if several else group.title
        source = Source(group.newest, format, sheet=sheet)
        stem = f"{at}-{number}"

        def work(cursor: Cursor, source: Source = source, stem: str = stem) -> tuple[Copy, list[_Seen]]:
            # The copy takes the file away, and other sheets need it still.
            file = own / f"{stem}.file"
            shutil.copyfile(brought, file)
            made = Copy(entry.name, entry.mark, "", stem, 0, 0, ())
            copy = make_copy(cursor, file, source, made, own, nulls=frozenset({""}), most=most, needs=frozenset())
            return copy, _seen(cursor, own / f"{stem}.parquet", copy)

        try:
            copy, seen = await duck.run(work)
        except SourceError as error:
            if not several:
                raise
            notes.append(f"Left out: sheet {sheet} of {group.newest}: {error.message}")
            continue
        key = _key(seen) if copy.rows else None
        if key is None:
            why = "no column that is in each row and in no two rows the same" if copy.rows else "no rows"
            notes.append(f"Left out: {group.newest}{f', sheet {sheet}' if several else ''} has {why}.")
            continue
        if copy.bad:
            notes.append(f"{copy.bad} rows of {group.newest} cannot be read and will be left out.")
        columns = tuple(replace(one.column, unique=one.column.path == key) for one in seen)
        place = {"name": group.pattern, "sheet": sheet if several else "", "encoding": copy.encoding}
        found.append(Relation(called, columns, called if _CJK.search(called) else "", (key,), place=place))
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """A column, and whether it is in each row and in no two rows the same."""

    column: Column
    own: bool


def _seen(cursor: Cursor, file: Path, copy: Copy) -> list[_Seen]:
    return [_column(cursor, str(file), name, copy.rows) for name in copy.columns]


def _column(cursor: Cursor, file: str, column: str, rows: int) -> _Seen:
    """What all values of a column are, and the first different ones."""
    each = quoted(column)
    asked = (
        f"SELECT count({each}), count(DISTINCT {each}), bool_and(regexp_full_match({each}, '{_WHOLE}')), "
        f"bool_and(regexp_full_match({each}, '{_DECIMAL}')), min(length({each})), max(length({each})), "
        f"bool_and({each} IN ('true', 'false')), bool_and(starts_with({each}, '[')), "
        f"max(abs(TRY_CAST({each} AS HUGEINT))) FROM read_parquet($file)"
    )
    count, kinds, whole, decimal, least, most, truth, listed, largest = cursor.execute(asked, {"file": file}).fetchall()[0]
    first = f"SELECT {each} FROM (SELECT {each}, min(file_row_number) AS place_ FROM read_parquet($file, file_row_number = true) "
    first += f"WHERE {each} IS NOT NULL GROUP BY {each}) ORDER BY place_ LIMIT {SAMPLES}"
    samples = tuple(str(one[0]) for one in cursor.execute(first, {"file": file}).fetchall())
    type: ColumnType = "text"
    if count and truth:
        type = "bool"
    elif count and listed and all(map(_is_list, samples)):
        type = "json"
    elif count and whole:
        codes = least == most >= _CODE and kinds > 1
        type = "text" if codes or most > _LONG else "int" if largest is not None and largest < 2**31 else "bigint"
    elif count and decimal and most <= _LONG + 12:
        type = "decimal"
    own = rows > 0 and count == rows == kinds
    return _Seen(Column(column, type, nullable=count < rows, samples=samples), own)


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


def _key(seen: Sequence[_Seen]) -> str | None:
    """The first column that can be a key and looks like one, by its values or its name; else the first column of all, if it can be one."""
    able = [one for one in seen if one.own and one.column.type not in ("bool", "json") and unfit(one.column.path) is None]
    for one in able:
        if evidence.keylike(one.column):
            return one.column.path
    return able[0].column.path if able and able[0] is seen[0] else None
