"""Which property notices each planted mistake, and how soon: the table in docs/properties.md.

Asks the property that the mistake names; ``python -m tests.properties.soak --planted`` prints it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from unittest.mock import patch

from tests.properties.generator import Case, case
from tests.properties.planted import PLANTED, Planted

SEEDS = 400


@dataclass(frozen=True, slots=True)
class Noticed:
    """The first seed whose case shows a mistake, and how many cases it took."""

    seed: int
    cases: int


@cache
def made(seed: int) -> Case:
    """The case of a seed; sizes take turns."""
    return case(seed, 1 + seed % 3)


async def noticed(planted: Planted) -> Noticed | None:
    """Plant it, try the cases one after the other, and take it out again. None: nothing noticed it."""
    with patch.object(planted.owner, planted.name, planted.wrong(getattr(planted.owner, planted.name))):
        for seed in range(SEEDS):
            try:
                await planted.by(made(seed))
            except (AssertionError, LookupError):  # a mistake in what waits for what may show as a value that is not there yet
                return Noticed(seed, seed + 1)
    return None


async def table() -> str:
    """The table as Markdown."""
    lines = ["| planted mistake | noticed by | seed | cases tried |", "| --- | --- | --- | --- |"]
    for planted in PLANTED:
        found = await noticed(planted)
        what = f"{found.seed} | {found.cases}" if found else f"never | {SEEDS}"
        lines.append(f"| {planted.story} | {planted.by.__name__} | {what} |")
    return "\n".join(lines)
