"""What manifests say about who may see a field: grades, scopes, and the words that people read.

A manifest may make a canonical field stricter, never more open. Knows neither callers nor tokens.
"""

from __future__ import annotations

import re

from schema.coordinates import Coordinate, Grade
from schema.entries import FieldEntry, TypeEntry, Words
from schema.world import Sheet

Scopes = tuple[frozenset[str], ...]
_CJK = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")


def scopes_of(words: Words) -> Scopes:
    """@requiresScopes as a disjunction of conjunctions; empty when nothing is required."""
    return tuple(frozenset(every) for every in words["requiresScopes"].args["scopes"]) if "requiresScopes" in words else ()


def both(first: Scopes, second: Scopes) -> Scopes:
    """Both demands at once."""
    if not first or not second:
        return first or second
    return tuple(dict.fromkeys(one | other for one in first for other in second))


def is_bilingual(text: str) -> bool:
    """Whether the first line is Chinese and a later one English."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return len(lines) > 1 and bool(_CJK.search(lines[0])) and any(_LATIN.search(line) for line in lines[1:])


def raise_rows(sheet: Sheet, rows: dict[str, Coordinate]) -> None:
    """Apply @grade and @requiresScopes on bound canonical fields to the coordinate table: only ever stricter."""
    for bound in sheet.manifest.types:
        if bound.extends or bound.name not in sheet.world.canonical:
            continue
        for field in bound.fields.values():
            row = rows.get(f"{bound.name}.{field.name}")
            if row is not None and row.owner == "canonical":
                rows[row.name] = _raised(sheet, row, field, bound)


def _raised(sheet: Sheet, row: Coordinate, field: FieldEntry, bound: TypeEntry) -> Coordinate:
    grade = row.grade
    if "grade" in field.words:
        word = field.words["grade"]
        wanted = Grade[word.args["level"]]
        if wanted < sheet.world.graded[row.name]:
            message = f"'{row.name}' is {sheet.world.graded[row.name].name}; a manifest cannot lower it to {wanted.name}."
            sheet.report("GRADE_LOWERED", word.node, message, "remove @grade, or raise the grade")
        grade = max(grade, wanted)
    scopes = both(row.scopes, both(scopes_of(bound.words), scopes_of(field.words)))
    return Coordinate(row.type, row.field, grade, row.nullable, row.description, scopes, row.owner)
