"""The words of ``@files`` and ``@file``, read: where deliveries lie, how they are written, which of them a relation means.

Two relations that say the same of a file share one copy of it: ``Source`` is what they share. Must not open anything.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, Literal, Self

from connectors.files import due
from connectors.settings import read, refused
from connectors.spi import Relation, Secret

Format = Literal["CSV", "XLSX", "JSONL", "PARQUET"]
SUFFIXES: Mapping[str, Format] = {
    ".csv": "CSV", ".tsv": "CSV", ".txt": "CSV", ".xlsx": "XLSX", ".xls": "XLSX", ".jsonl": "JSONL", ".ndjson": "JSONL",
    ".parquet": "PARQUET",
}  # fmt: skip
ENCODINGS = ("utf-8", "gb18030", "utf-16")
_ALIKE = {"utf8": "utf-8", "utf-8-sig": "utf-8", "gbk": "gb18030", "gb2312": "gb18030", "utf16": "utf-16"}
_DIGITS = re.compile(r"(\d+)")
GIBIBYTE = 1024**3


@dataclass(frozen=True, slots=True)
class Auth:
    """``user`` and ``secret``: a password, or for SFTP a private key; for S3 the two halves of an access key."""

    kind: Literal["NONE", "BASIC"] = "BASIC"
    user: Secret | None = field(default=None, metadata={"plain": True})
    secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """``base`` is a folder: a path, ``sftp://``, ``s3://``. ``every`` in seconds is how often a new delivery is looked for, ``keep`` how
    many are kept, ``nulls`` the texts that stand for nothing, ``ready`` what is added to a delivery's name when it is whole. ``data`` is
    the deployment's: where copies lie; a folder that goes with the connector if not given."""

    base: Secret = field(metadata={"plain": True})
    format: Format | None = None
    encoding: str = ""
    expect_by: str = ""
    every: float = 60.0
    keep: int = 7
    nulls: tuple[str, ...] = ("",)
    ready: str = ""
    max_bytes: int = GIBIBYTE
    auth: Auth | None = None
    endpoint: str = ""
    host_key: str = ""
    data: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From a manifest's words. Raises SourceError (config) naming what it does not know."""
        found = read(cls, data)
        encoding(found.encoding)
        due.read(found.expect_by)
        if found.keep < 1:
            raise refused("setting 'keep' has to be at least 1")
        return found


@dataclass(frozen=True, slots=True)
class Words:
    """``Relation.native`` of this kind: ``file`` names the delivery, ``*`` and ``?`` allowed; ``key`` are the columns asked by,
    ``unique`` those that no two rows share; ``where`` a fixed condition in DuckDB's SQL. The others say how the file is written."""

    file: str
    key: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    where: str = ""
    sheet: str = ""
    format: Format | None = None
    encoding: str = ""
    delimiter: str = ""
    columns: tuple[str, ...] = ()
    skip: int = 0
    expect_by: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One delivery as it is kept: which file, how to read it, and what no two of its rows share."""

    file: str
    format: Format
    sheet: str = ""
    encoding: str = ""
    delimiter: str = ""
    columns: tuple[str, ...] = ()
    skip: int = 0
    unique: tuple[str, ...] = ()
    expect_by: str = field(default="", compare=False)

    @property
    def folder(self) -> str:
        """The folder below the base in which it lies, empty for the base itself."""
        parent = str(PurePosixPath(self.file).parent)
        return "" if parent == "." else parent

    @property
    def place(self) -> str:
        """The name of the folder that holds its copies: readable, and another for whatever is read in another way."""
        told = {name: value for name, value in asdict(self).items() if name != "expect_by"}
        digest = hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()[:10]
        return f"{re.sub(r'[^0-9A-Za-z_.一-鿿-]+', '_', self.file)[:60].strip('._') or 'file'}-{digest}"

    def fits(self, name: str) -> bool:
        """Whether a file of that name is a delivery. Hidden names and those of uploads under way never are, unless written out."""
        pattern = PurePosixPath(self.file).name
        if name != pattern and (name.startswith(".") or name.lower().endswith((".tmp", ".part", ".filepart", ".crdownload"))):
            return False
        return name == pattern or fnmatchcase(name, pattern)


def source_of(relation: Relation, settings: FilesSettings) -> tuple[Words, Source]:
    """What a relation says, and the delivery that it means. Raises SourceError (config)."""
    words = read(Words, relation.native, f"{relation.name}.")
    format = words.format or settings.format or SUFFIXES.get(PurePosixPath(words.file).suffix.lower())
    if format is None:
        raise refused(f"{relation.name}: nothing says how '{words.file}' is written; write format: CSV, XLSX, JSONL or PARQUET")
    if ".." in PurePosixPath(words.file).parts or words.file.startswith("/"):
        raise refused(f"{relation.name}: a file lies within the folder; '{words.file}' does not")
    if len(words.delimiter) > 1:
        raise refused(f"{relation.name}: delimiter is one character")
    expected = words.expect_by or settings.expect_by
    due.read(expected)
    said = encoding(words.encoding or settings.encoding)
    return words, Source(words.file, format, words.sheet, said, words.delimiter, words.columns, words.skip, words.unique, expected)


def encoding(said: str) -> str:
    """The usual name of an encoding, empty for one that is found out. Raises SourceError (config) for one that is not read."""
    name = _ALIKE.get(said.lower(), said.lower())
    if name and name not in ENCODINGS:
        raise refused(f"the encoding '{said}' is not read; take {', '.join(ENCODINGS)}, or leave it out")
    return name


def last(names: Sequence[str]) -> str:
    """The newest of dated names: the greatest, numbers within compared as numbers. Not by time: clocks differ, and copies renew it."""
    return max(names, key=lambda name: [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(name)])
