"""SQL aggregates, places and cuts: exact or handed back, one statement each."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.spi import Aggregate, Ask, Condition, Field, Options, Order
from tests.connectors.databases import ENGINES, Engine, sqlite
from tests.connectors.test_sql import TABLE, opened

ABLE = replace(TABLE, seek=True, each=True, aggregates=("COUNT", "SUM", "MIN", "MAX"))
ROWS = [
    ("A1", "甲", "0.10", "2024-01-31", 1),
    ("A2", "甲", "0.20", "2023-12-05", 1),
    ("A3", "乙", "99999999999999.99", None, 2),
    ("A4", None, None, None, None),
]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
async def test_sums_of_money_are_exact_or_left_to_the_engine(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path, ROWS) as there:
        ask = Ask("entities", aggregates=(Aggregate("COUNT"), Aggregate("SUM", "capital")), group=("name",))
        plan = there.connector.plan(ask, ABLE)
        if engine is sqlite:  # which would add them up as floating point
            assert (plan.rest.aggregates, plan.ask.aggregates) == (ask.aggregates, ())
            return
        page = await there.fetch(ask, ABLE)
        found = dict(zip(page.columns["name"], zip(page.columns["count()"], page.columns["sum(capital)"], strict=True), strict=True))
        assert found == {"甲": (2, Decimal("0.30")), "乙": (1, Decimal("99999999999999.99")), None: (1, None)}


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
async def test_figures_are_one_statement_whatever_the_number_of_rows(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path, ROWS) as there:
        await there.fetch(Ask("entities", ("uscc",)), ABLE)
        there.sent.clear()
        where = (Condition("name", "EQ", "name"),)
        aggregates = (Aggregate("COUNT"), Aggregate("SUM", "level"), Aggregate("MAX", "level"))
        page = await there.fetch(Ask("entities", where=where, aggregates=aggregates), ABLE, params={"name": "甲"})
        assert {name: [int(value) for value in column] for name, column in page.columns.items()} == {
            "count()": [2],
            "sum(level)": [2],
            "max(level)": [1],
        }
        assert len(there.sent) == 1
        page = await there.fetch(Ask("entities", where=where, aggregates=aggregates), ABLE, params={"name": "nobody"})
        assert page.columns == {"count()": [0], "sum(level)": [None], "max(level)": [None]}


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
async def test_a_place_with_a_null_in_it_is_gone_on_from_in_both_directions(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path, ROWS) as there:

        async def after(*order: Order, **place: object) -> list[str]:
            names = tuple(None if value is None else name for name, value in place.items())
            ask = Ask("entities", ("uscc",), order=order, after=names, limit="n")
            found: list[str] = (await there.fetch(ask, ABLE, params={**place, "n": 9})).columns["uscc"]
            return found

        assert await after(Order("level"), Order("uscc"), level=None, uscc="A4") == ["A1", "A2", "A3"]
        assert await after(Order("level"), Order("uscc", True), level=1, uscc="A2") == ["A1", "A3"]
        assert await after(Order("level", True), Order("uscc"), level=1, uscc="A1") == ["A2", "A4"]
        assert await after(Order("level", True), Order("uscc"), level=None, uscc="A4") == []


async def test_sqlite_is_not_asked_about_points_in_time(tmp_path: Path) -> None:
    """It holds them as texts, in whatever form they were written."""
    async with opened(sqlite, tmp_path) as there:
        at = Field("at", "CLRQ", "datetime")
        relation = replace(ABLE, fields=(*ABLE.fields, at), where=Options({"at": ("GE",)}), order=("at", "uscc"))
        where = (Condition("at", "GE", "at"),)
        assert there.connector.plan(Ask("entities", ("uscc",), where=where), relation).rest.where == where
        ask = Ask("entities", ("uscc",), order=(Order("at"), Order("uscc")), after=("at", "uscc"))
        assert there.connector.plan(ask, relation).rest.after == ask.after
