"""docs/estates.md shows what the tests prove; each item has a case, and each estate shows some item."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.federation.estates import ESTATES
from tests.federation.items import CASES, ITEMS, Item
from tests.federation.page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.federation.page"


@pytest.mark.parametrize("item", ITEMS, ids=lambda one: one.name)
def test_each_item_has_a_case(item: Item) -> None:
    assert item.cases or item.tests
    assert [name for name in item.cases if name not in CASES] == []
    for name in item.tests:
        module, _, test = name.partition("::")
        assert callable(getattr(import_module(f"tests.federation.{module}"), test))


def test_each_estate_shows_an_item() -> None:
    shown = {CASES[name][0].name for item in ITEMS for name in item.cases}
    assert shown == {estate.name for estate in ESTATES}
