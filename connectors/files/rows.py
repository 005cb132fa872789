"""What a delivery holds, row by row as text: CSV, XLSX and JSON lines. A row that cannot be read is ``Bad``, with its line and why.

Values are never interpreted: leading zeros stay, long numbers stay exact, what is null is told by ``nulls`` alone. A file that is
not of its format, or that was cut off, raises SourceError (broken): none of it can be trusted. Must not know where files come from.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
from python_calamine import CalamineError, CalamineWorkbook

from connectors.files.charset import broken, encoding_of
from connectors.files.words import Source
from connectors.spi import SourceError

Value = str | None
_EXACT = 10**15  # what a workbook holds as a number beyond it has lost digits
_FIELD = 1 << 20  # characters in one value
_LOST = "\ufffd"
_DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that was left out: its first line, how many lines it takes, why, and what stood there."""

    line: int
    reason: str
    text: str = field(repr=False, default="")
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Good:
    """A row: its line, and a value for each of the columns known so far."""

    line: int
    values: Sequence[Value]


@dataclass(slots=True)
class Sheet:
    """The rows of a delivery. ``columns`` is complete once ``rows`` ends: JSON lines may bring new ones. ``ended``: by a line end."""

    columns: list[str]
    rows: Iterator[Good | Bad]
    encoding: str = ""
    ended: bool = True


def open_sheet(file: Path, source: Source, nulls: frozenset[str], most: int) -> Sheet:
    """Raises SourceError (broken), here or while the rows are read, when it is no such file. ``most`` bytes, also unpacked."""
    if file.stat().st_size == 0:
        raise broken("The file is empty.")
    if source.format == "XLSX":
        return _workbook(file, source, nulls, most)
    encoding = encoding_of(file, source.encoding)
    with file.open("rb") as raw:
        raw.seek(max(0, file.stat().st_size - 2))
        ended = b"\n" in raw.read()
    with file.open(encoding=encoding, newline="") as stream:
        beginning = stream.read(4096).lstrip()
    if beginning[:1] == "<":
        raise broken("A web page or XML came where a table was due.", "begins with '<'", "NOT_A_TABLE")
    if "\0" in beginning or beginning.startswith("PK\x03\x04"):
        raise broken("The file is not of the format that is declared.", f"not {source.format}", "NOT_A_TABLE")
    if source.format == "JSONL":
        if beginning[:1] == "[":
            raise broken("The file is one JSON list, not one object a line.", code="NOT_A_TABLE")
        made = _json_lines(file, encoding, nulls, ended)
    else:
        made = _separated(file, encoding, source, nulls, ended)
    made.encoding, made.ended = encoding.removesuffix("-sig"), ended
    return made


def header(names: Iterable[str]) -> list[str]:
    """Names of columns as they are asked for. Raises SourceError (broken) where two are alike or none is there."""
    found = [name.strip().lstrip("\ufeff") for name in names]
    while found and not found[-1]:
        found.pop()  # a line that ends with a delimiter
    found = [name or f"column{at}" for at, name in enumerate(found, 1)]
    if not found:
        raise broken("The file has no line of column names.")
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is not None:
        raise broken("Two columns of the file have one name.", f"'{twice}'")
    return found


def _separated(file: Path, encoding: str, source: Source, nulls: frozenset[str], ended: bool) -> Sheet:
    csv.field_size_limit(_FIELD)
    stream = file.open(encoding=encoding, newline="")
    for _ in range(source.skip):
        stream.readline()
    first = stream.readline()
    delimiter = source.delimiter or _delimiter(first)
    reader = csv.reader(chain([first], stream) if first else stream, delimiter=delimiter, strict=True)
    columns = list(source.columns)
    if not columns:
        try:
            columns = header(next(reader, []))
        except csv.Error as error:
            stream.close()
            raise broken("The line of column names cannot be read.", str(error)) from None
        except SourceError:
            stream.close()
            raise

    def rows() -> Iterator[Good | Bad]:
        with stream:
            short = False
            while True:
                line = reader.line_num + 1
                try:
                    values = next(reader)
                except StopIteration:
                    break
                except csv.Error as error:
                    if "unexpected end" in str(error):
                        raise broken("The file was cut off.", "its last value has no end", "CUT_OFF") from None
                    yield Bad(line + source.skip, f"cannot be read: {error}", lines=max(1, reader.line_num + 1 - line))
                    continue
                while len(values) > len(columns) and values[-1] == "":
                    values.pop()  # a line that ends with a delimiter
                short = 0 < len(values) < len(columns)
                if values:
                    yield _row(line + source.skip, reader.line_num + 1 - line, values, columns, delimiter, nulls)
            if short and not ended:
                raise broken("The file was cut off.", "its last row has too few values and no line end", "CUT_OFF")

    return Sheet(columns, rows())


def _row(line: int, lines: int, values: list[str], columns: Sequence[str], delimiter: str, nulls: frozenset[str]) -> Good | Bad:
    if len(values) != len(columns):
        return Bad(line, f"has {len(values)} values for {len(columns)} columns", delimiter.join(values), lines)
    if wrong := _unfit(values):
        return Bad(line, wrong, delimiter.join(values), lines)
    return Good(line, [None if value in nulls else value for value in values])


def _unfit(values: Iterable[Value]) -> str:
    """Why texts cannot be served: they were damaged before they came."""
    for value in values:
        if value and _LOST in value:
            return "holds a character that was lost before it came"
        if value and "\0" in value:
            return "holds a NUL character"
    return ""


def _delimiter(line: str) -> str:
    """What separates the names of the first line; a comma when nothing does. What stands in quotes does not count."""
    bare = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=lambda each: (bare.count(each), -_DELIMITERS.index(each)))


def _json_lines(file: Path, encoding: str, nulls: frozenset[str], ended: bool) -> Sheet:
    columns: dict[str, int] = {}
    sheet = Sheet([], iter(()))

    def rows() -> Iterator[Good | Bad]:
        with file.open(encoding=encoding, newline="\n") as stream:
            spoilt = False
            for number, line in enumerate(stream, 1):
                text = line.strip()
                if not text:
                    continue
                try:
                    found = dict(_flat(_object(text)))
                except (ValueError, TypeError, RecursionError) as error:
                    spoilt = isinstance(error, json.JSONDecodeError)
                    yield Bad(number, f"is no JSON object: {error}" if not spoilt else "is not JSON", text)
                    continue
                spoilt = False
                for name in found:
                    if name not in columns:
                        columns[name] = len(columns)
                        sheet.columns.append(name)
                values = [found.get(name) for name in columns]
                if wrong := _unfit(values):
                    yield Bad(number, wrong, text)
                else:
                    yield Good(number, [None if value in nulls and value != "" else value for value in values])
            if spoilt and not ended:
                raise broken("The file was cut off.", "its last line is not whole and has no line end", "CUT_OFF")

    sheet.rows = rows()
    return sheet


def _object(text: str) -> dict[str, Any]:
    """Numbers stay as exact as they are written; a name given twice, and what is no number in JSON, is an error."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) != len(found):
            raise ValueError("a name is given twice")
        return made

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no number")

    value = json.loads(text, object_pairs_hook=pairs, parse_float=Decimal, parse_constant=constant)
    if not isinstance(value, dict):
        raise ValueError("it is a list or a plain value")
    return value


def _flat(value: dict[str, Any], before: str = "") -> Iterator[tuple[str, Value]]:
    """Objects taken apart (``bfjg.dm``), lists as JSON, everything else as text."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{before}{name}.")
        elif isinstance(inner, list):
            yield f"{before}{name}", orjson.dumps(inner, default=lambda number: orjson.Fragment(str(number))).decode()
        elif isinstance(inner, bool):
            yield f"{before}{name}", "true" if inner else "false"
        else:
            yield f"{before}{name}", None if inner is None else str(inner)


def _workbook(file: Path, source: Source, nulls: frozenset[str], most: int) -> Sheet:
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as packed:
                if sum(part.file_size for part in packed.infolist()) > most:
                    raise broken("The file is too large.", f"over {most} bytes unpacked", "TOO_LARGE")
        book = CalamineWorkbook.from_path(str(file))
        name = source.sheet or book.sheet_names[0]
        if name not in book.sheet_names:
            raise broken("The workbook has no such sheet.", f"no '{name}'; it has {', '.join(book.sheet_names)}")
        found = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (CalamineError, zipfile.BadZipFile, IndexError) as error:
        raise broken("The file is no workbook, or was cut off.", type(error).__name__, "NOT_A_TABLE") from None
    filled = [(number, row) for number, row in enumerate(found, 1) if number > source.skip and any(value != "" for value in row)]
    columns = list(source.columns)
    if not columns:
        if not filled:
            raise broken("The file has no line of column names.")
        columns, filled = header(_cell(value) or "" for value in filled[0][1]), filled[1:]

    def rows() -> Iterator[Good | Bad]:
        for number, row in filled:
            cells = row[: len(columns)] + [""] * (len(columns) - len(row))
            try:
                if any(value != "" for value in row[len(columns) :]):
                    raise ValueError("has values beyond the named columns")
                values = [_cell(value) for value in cells]
            except ValueError as error:
                yield Bad(number, str(error), "\t".join(map(str, row)))
                continue
            if wrong := _unfit(values):
                yield Bad(number, wrong, "\t".join(map(str, row)))
            else:
                yield Good(number, [None if value in nulls or value is None else value for value in values])

    return Sheet(columns, rows())


def sheets(file: Path) -> tuple[str, ...]:
    """The names of a workbook's sheets. Raises SourceError (broken)."""
    try:
        return tuple(CalamineWorkbook.from_path(str(file)).sheet_names)
    except (CalamineError, zipfile.BadZipFile) as error:
        raise broken("The file is no workbook, or was cut off.", type(error).__name__, "NOT_A_TABLE") from None


def _cell(value: Any) -> Value:
    """A cell as text, as a person sees it. Raises ValueError for a number that a workbook cannot hold exactly."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if abs(value) >= _EXACT:
            raise ValueError("holds a number of more than 15 digits, which a workbook rounds; it has to be text")
        return format(Decimal(f"{value:.15g}"), "f")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
