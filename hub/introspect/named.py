"""Which files of a folder are deliveries of one thing: names that differ in a date, a quarter or a number alone.

Pure. The pattern of such names is written into the manifest; it has to fit those files and no others of the folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from connectors.files.words import SUFFIXES, Source, last

_PART = r"\d+(?:st|nd|rd|th)?|[Qq][1-4]|第?[一二三四]季度"
_NUMBER = re.compile(rf"(?:{_PART})(?:[-_.T年月日季度号Qq第]*(?:{_PART}))*(?:[年月日号]|季度)?")


@dataclass(frozen=True, slots=True)
class Group:
    """``pattern`` is what @file says; ``newest`` the delivery that is read now; ``title`` what the name says without its date."""

    pattern: str
    newest: str
    title: str


def grouped(names: Iterable[str]) -> tuple[Group, ...]:
    """The files that can be read, by pattern. A pattern that fits other files too is made narrower, at last to the newest one's name."""
    known = sorted(name for name in names if PurePosixPath(name).suffix.lower() in SUFFIXES and served(name, name))
    by_pattern: dict[str, list[str]] = {}
    for name in known:
        by_pattern.setdefault(_starred(name, "*"), []).append(name)
    found = [_group(pattern, files, known) for pattern, files in by_pattern.items()]
    return tuple(sorted(found, key=lambda one: one.pattern))


def chosen(pattern: str, names: Iterable[str]) -> Group | None:
    """The files that a person's own pattern means."""
    fitting = [name for name in names if served(pattern, name)]
    return Group(pattern, last(fitting), _title(pattern)) if fitting else None


def served(pattern: str, name: str) -> bool:
    """Whether the connector takes ``name`` for a delivery of ``pattern``. Hidden names and uploads under way are none."""
    hidden = name.startswith(".") or name.lower().endswith((".tmp", ".part", ".filepart", ".crdownload"))
    return not hidden and Source(pattern, "CSV").fits(name)


def _group(pattern: str, files: Sequence[str], known: Sequence[str]) -> Group:
    newest = last(files)
    for each in (pattern, _starred(newest, "?")):
        fitting = [name for name in known if served(each, name)]
        if newest in fitting and set(fitting) <= set(files) and last(fitting) == newest:
            return Group(each, newest, _title(each))
    return Group(newest, newest, _title(newest))


def _starred(name: str, sign: str) -> str:
    path = PurePosixPath(name)
    stem = _NUMBER.sub(lambda found: sign if sign == "*" else sign * len(found[0]), path.stem)
    # A name of nothing but a date would fit every file.
    return name if sign == "*" and not re.search(r"[^*\W_]", stem) else f"{stem}{path.suffix}"


def _title(pattern: str) -> str:
    stem = PurePosixPath(pattern).stem
    return re.sub(r"[\s_.-]*[*?]+[\s_.-]*", "_", stem).strip("_ .-") or stem.strip("*?") or "file"


def encodings(found: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """(what @files says, what a @file says of its own): nothing of UTF-8, which is found out as well as declared."""
    texts = {pattern: said for pattern, said in found.items() if said}
    if len(set(texts.values())) == 1:
        only = next(iter(texts.values()))
        return ("" if only == "utf-8" else only), {}
    return "", {pattern: said for pattern, said in texts.items() if said != "utf-8"}
