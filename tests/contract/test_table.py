"""docs/contract.md says of each kind what the suite tries on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Contract
from connectors.spi import Options, Relation
from tests.connectors.databases import sqlite
from tests.connectors.deliveries import csv_gb18030
from tests.contract.page import PAGE, page
from tests.contract.table import COLUMNS, RULES, TRIED, Column


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.contract.page"


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
async def test_the_table_speaks_of_the_world_that_is_tried(column: Column, tmp_path: Path) -> None:
    suite: Any = column.suite()
    suite.engine, suite.form, suite.folder = sqlite, csv_gb18030, tmp_path
    async with suite.world() as world:
        assert [_declared(one) for one in world.relations] == [_declared(one) for one in column.relations]
        assert (world.garbage is None) == ("test_garbage_is_broken" in column.never)


def _declared(relation: Relation) -> Relation:
    """All of it but where it lies in its source, which may be another place in each world."""
    return replace(relation, native=Options())


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_no_kind_leaves_a_rule_out(column: Column) -> None:
    assert [rule for rule in RULES if getattr(column.suite, rule) is not getattr(Contract, rule)] == []
    assert {*column.never, *column.partly, *TRIED} <= {*RULES}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_tried_on_some_kind(rule: str) -> None:
    assert "✓" in [column.cell(rule) for column in COLUMNS]
