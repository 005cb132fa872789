"""docs/properties.md says what is tested, and no more."""

from __future__ import annotations

import re

from tests.properties.page import PAGE, SAYS, between, files_of, properties
from tests.properties.planted import PLANTED

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_of_properties_is_up_to_date() -> None:
    assert between("properties", TEXT) == properties(), "run python -m tests.properties.page"


def test_every_property_has_tests() -> None:
    assert list(SAYS) == list(range(1, 35))
    assert [number for number, paths in files_of().items() if not paths] == []


def test_the_planted_mistakes_are_those_of_the_table_and_each_was_noticed() -> None:
    rows = re.findall(r"^\| ([^|]+) \| (\w+) \| (\d+|never) \| \d+ \|$", between("planted", TEXT), re.MULTILINE)
    assert [(story, by) for story, by, _ in rows] == [(planted.story, planted.by.__name__) for planted in PLANTED], (
        "run python -m tests.properties.page --planted"
    )
    assert [story for story, _, seed in rows if seed == "never"] == []
    assert len(rows) >= 30
