"""SQL: a column that is gone from its table while the hub runs. What else was asked for is answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.spi import Aggregate, Ask, Condition, Options, Order, SourceError
from connectors.sql.lost import Known
from connectors.sql.statement import prepare
from tests.connectors.databases import Engine, sqlite
from tests.connectors.test_sql import TABLE, Opened, every_engine, opened
from tests.connectors.test_sql_oracle import DAMENG, ORACLE

SHOWN = Ask("entities", ("name", "level", "capital"), by=("uscc",))
RENAME = 'ALTER TABLE "T_FRXX" RENAME COLUMN "DJ" TO "DJ2"'


async def lose(world: Opened, statement: str = RENAME) -> None:
    await world.database.run(statement.replace('"', "`") if world.connector._backend == "mysql" else statement)


@every_engine
async def test_the_others_are_answered_and_the_table_is_looked_at_once(engine: Engine, tmp_path: Path) -> None:
    now = [0.0]
    async with opened(engine, tmp_path) as world:
        world.connector._known = Known(lambda: now[0])
        await world.fetch(SHOWN, keys=[("A1",)])
        await lose(world)
        world.sent.clear()
        found = await world.fetch(SHOWN, keys=[("A1",), ("A9",)])
        assert (found.columns["uscc"], found.columns["name"]) == (["A1"], ["甲"])
        (lost,) = found.columns["level"]
        assert isinstance(lost, SourceError)
        assert (lost.kind, "DJ" in lost.message, len(world.sent)) == ("config", False, 3)  # as it was, the look, without the column
        await world.fetch(SHOWN, keys=[("A2",)])
        assert len(world.sent) == 4
        trouble = world.connector.condition()
        assert trouble is not None
        assert "DJ" in trouble.detail
        await lose(world, RENAME.replace('"DJ" TO "DJ2"', '"DJ2" TO "DJ"'))
        now[0] = 61.0
        assert (await world.fetch(SHOWN, keys=[("A2",)])).columns["level"] == [2]
        assert world.connector.condition() is None


@pytest.mark.parametrize(
    "ask",
    [
        Ask("entities", ("name",), where=(Condition("level", "GE", "l"),)),
        Ask("entities", ("name",), order=(Order("level"),)),
        Ask("entities", (), aggregates=(Aggregate("SUM", "level"),)),
        Ask("entities", (), aggregates=(Aggregate("COUNT"),), group=("level",)),
        Ask("entities", ("level",), by=("uscc",)),
    ],
    ids=["where", "order", "sum", "group", "nothing else"],
)
async def test_a_column_that_decides_is_an_error_of_the_whole(ask: Ask, tmp_path: Path) -> None:
    able = replace(TABLE, aggregates=("COUNT", "SUM"))
    async with opened(sqlite, tmp_path) as world:
        await lose(world)
        for _ in range(2):
            kind, detail = await world.kind(ask, able, params={"l": 1}, keys=[("A1",)] if ask.by else [])
            assert (kind, "DJ" in detail) == ("config", True)


async def test_what_the_engine_does_itself_is_no_less_decided_by_it(tmp_path: Path) -> None:
    """The source cannot narrow by the level, so the engine is to: without the level it would find nothing, and think that right."""
    modest = replace(TABLE, where=Options({}), order=())
    async with opened(sqlite, tmp_path) as world:
        await lose(world)
        ask = Ask("entities", ("name",), where=(Condition("level", "GE", "l"),))
        assert (await world.kind(ask, modest, params={"l": 1}))[0] == "config"


async def test_a_list_with_its_total_and_an_order_goes_on(tmp_path: Path) -> None:
    async with opened(sqlite, tmp_path) as world:
        await lose(world)
        ask = Ask("entities", ("uscc", "level"), order=(Order("uscc", True),), limit="n", total=True)
        found = await world.fetch(ask, params={"n": 2})
        assert (found.columns["uscc"], found.total, found.size) == (["A3", "A2"], 3, 2)


@pytest.mark.parametrize("dialect", [ORACLE, DAMENG], ids=["oracle", "dameng"])
def test_what_is_left_is_a_statement_anywhere(dialect: object) -> None:
    plan = prepare(SHOWN, TABLE, dialect, "S")  # type: ignore[arg-type]
    known = Known(lambda: 0.0)
    known.keep(plan.native, ["TYSHXYDM", "企业名称", "ZCZB"], SourceError("config", ""))
    statement, lost = known.without(plan, dialect, "S")  # type: ignore[arg-type]
    assert lost == {"level"}
    assert '"DJ"' not in str(statement.select.compile(dialect=dialect))  # type: ignore[arg-type]
