"""Which property notices each planted mistake, and how soon: the table in docs/properties.md.

Asks the property that the mistake names; ``python -m tests.properties.soak --planted`` prints it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

from tests.properties.generator import Case, case
from tests.properties.planted import PLANTED, Planted

SEEDS = 400
TABLE = Path(__file__).parents[2] / "docs" / "properties.md"


@dataclass(frozen=True, slots=True)
class Noticed:
    """The first seed whose case shows a mistake, and how many cases it took."""

    seed: int
    cases: int


@cache
def made(seed: int) -> Case:
    """The case of a seed; sizes take turns."""
    return case(seed, 1 + seed % 3)


@cache
def before() -> Mapping[str, int]:
    """The seed that showed each mistake when the table was last printed."""
    rows = re.findall(r"^\| (.+?) \| \w+ \| (\d+) \| \d+ \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    return {story: int(seed) for story, seed in rows}


async def noticed(planted: Planted, first: Sequence[int] = ()) -> Noticed | None:
    """Plant it, try the cases one after the other, those of ``first`` before all, and take it out again. None: nothing noticed it."""
    with patch.object(planted.owner, planted.name, planted.wrong(getattr(planted.owner, planted.name))):
        for tried, seed in enumerate((*first, *range(SEEDS)), 1):
            try:
                await planted.by(made(seed))
            except (AssertionError, LookupError):  # a mistake in what waits for what may show as a value that is not there yet
                return Noticed(seed, tried)
    return None


async def table() -> str:
    """The table as Markdown."""
    lines = ["| planted mistake | noticed by | seed | cases tried |", "| --- | --- | --- | --- |"]
    for planted in PLANTED:
        found = await noticed(planted)
        what = f"{found.seed} | {found.cases}" if found else f"never | {SEEDS}"
        lines.append(f"| {planted.story} | {planted.by.__name__} | {what} |")
    return "\n".join(lines)
