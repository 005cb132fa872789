"""docs/faults.md shows what the tests prove, and nothing else."""

from __future__ import annotations

from tests.faults.page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.faults.page"
