"""SQL: what a statement looks like, what a database does behind one's back, what its errors mean."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from connectors.spi import Ask, Call, Condition, Field, Options, Order, Page, Relation, SourceError
from connectors.sql import SqlConnector, SqlSettings
from tests.connectors.databases import ENGINES, Database, Engine, mysql, postgres, sqlite
from tests.connectors.loopback import never, served

DDL = (
    'CREATE TABLE "T_FRXX" ("TYSHXYDM" varchar(18) PRIMARY KEY, "企业名称" varchar(60), "ZCZB" numeric(18, 2), "CLRQ" date, "DJ" integer)',
)
INSERT = 'INSERT INTO "T_FRXX" VALUES (?, ?, ?, ?, ?)'
ROWS = [("A1", "甲", "1.10", "2024-01-31", 1), ("A2", "乙", "20.00", "2023-12-05", 2), ("A3", None, None, None, None)]
USCC, NAME = Field("uscc", "TYSHXYDM", nullable=False), Field("name", "企业名称")
CAPITAL, FOUNDED, LEVEL = Field("capital", "ZCZB", "decimal"), Field("founded", "CLRQ", "date"), Field("level", "DJ", "int")
ALL = ("EQ", "IN", "LT", "LE", "GT", "GE")
TABLE = Relation(
    "entities", (USCC, NAME, CAPITAL, FOUNDED, LEVEL), Options({"table": "T_FRXX", "key": ["TYSHXYDM"]}), keys=("uscc",), max_keys=500,
    where=Options({"uscc": ALL, "name": (*ALL, "PREFIX"), "capital": ALL, "founded": ALL, "level": ALL}),
    order=("uscc", "name", "level"), limit=True, total=True,
)  # fmt: skip


@dataclass(frozen=True)
class Opened:
    """A connector, what it is connected to, and the statements it sends."""

    connector: SqlConnector
    database: Database
    sent: list[str]

    async def fetch(self, ask: Ask, relation: Relation = TABLE, **call: Any) -> Page:
        return await fetched(self.connector, ask, relation, **call)

    async def kind(self, ask: Ask, relation: Relation, **call: Any) -> tuple[str, str]:
        with pytest.raises(SourceError) as caught:
            await self.fetch(ask, relation, **call)
        return caught.value.kind, caught.value.detail


async def fetched(connector: SqlConnector, ask: Ask, relation: Relation = TABLE, **call: Any) -> Page:
    """All pages as one."""
    plan = connector.plan(ask, relation)
    pages = [page async for page in connector.fetch(plan, Call(**call))]
    columns = {one.name: [value for page in pages for value in page.columns[one.name]] for one in plan.fields}
    faults = {key: fault for page in pages for key, fault in page.faults.items()}
    return Page(columns, sum(page.size for page in pages), pages[0].total, faults)


@asynccontextmanager
async def opened(engine: Engine, folder: Path, rows: Sequence[Sequence[Any]] = ROWS, **settings: Any) -> AsyncIterator[Opened]:
    if engine is not sqlite:
        rows = [(k, n, Decimal(c) if c else None, date.fromisoformat(d) if d else None, level) for k, n, c, d, level in rows]
    async with engine(folder, DDL, INSERT, rows) as database:
        connector = SqlConnector(SqlSettings.of({"url": database.url, "schema": database.schema, **settings}))
        sent: list[str] = []

        @event.listens_for(connector._engine.sync_engine, "before_cursor_execute")
        def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            sent.append(" ".join(statement.split()))

        try:
            yield Opened(connector, database, sent)
        finally:
            await connector.close()


every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)


@every_engine
async def test_values_arrive_as_the_database_has_them(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as world:
        found = await world.fetch(Ask("entities", ("name", "capital", "founded", "level"), by=("uscc",)), keys=[("A1",), ("A3",)])
    capital, founded = (1.1, "2024-01-31") if engine is sqlite else (Decimal("1.10"), date(2024, 1, 31))
    assert sorted(map(repr, zip(*found.columns.values(), strict=True))) == sorted(
        map(repr, [("A1", "甲", capital, founded, 1), ("A3", None, None, None, None)])
    )


@every_engine
async def test_values_go_as_the_engine_has_them(engine: Engine, tmp_path: Path) -> None:
    where = (Condition("capital", "GE", "c"), Condition("founded", "IN", "f"), Condition("level", "EQ", "l"))
    async with opened(engine, tmp_path) as world:
        params = {"c": Decimal("1.1"), "f": [date(2024, 1, 31), date(1999, 1, 1)], "l": 1}
        assert (await world.fetch(Ask("entities", ("uscc",), where=where), params=params)).columns == {"uscc": ["A1"]}


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        (sqlite, 'SELECT "TYSHXYDM", "企业名称" FROM "T_FRXX" WHERE "TYSHXYDM" IN (:keys) LIMIT :max_rows'),
        (postgres, 'SELECT "TYSHXYDM", "企业名称" FROM "{schema}"."T_FRXX" WHERE "TYSHXYDM" = any(:keys) LIMIT :max_rows::INTEGER'),
        (mysql, "SELECT `TYSHXYDM`, `企业名称` FROM `T_FRXX` WHERE `TYSHXYDM` IN (:keys) LIMIT :max_rows"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_batch_is_one_statement(engine: Engine, expected: str, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as world:
        ask = Ask("entities", ("name",), by=("uscc",))
        plan = world.connector.plan(ask, TABLE)
        assert plan.text == expected.format(schema=world.database.schema)
        await world.fetch(ask, keys=[(f"A{i}",) for i in range(400)])
        assert len(world.sent) == 1
        assert "A399" not in world.sent[0]


async def test_a_statement_says_what_is_pushed(tmp_path: Path) -> None:
    ask = Ask(
        "entities",
        ("name",),
        where=(Condition("name", "PREFIX", "p"), Condition("level", "GE", "l")),
        order=(Order("level", True),),
        limit="n",
    )
    async with opened(sqlite, tmp_path) as world:
        assert world.connector.plan(ask, replace(TABLE, native=Options({"table": "T_FRXX", "where": "DJ <> ':x%'"}))).text == (
            'SELECT "企业名称" FROM "T_FRXX" WHERE (DJ <> \':x%\') AND ("企业名称" COLLATE "BINARY") >= :p'
            ' AND substr("企业名称", 1, length(:p)) = :p AND "DJ" >= :l ORDER BY "DJ" DESC LIMIT :n'
        )


@every_engine
async def test_a_fixed_condition_stands_as_written(engine: Engine, tmp_path: Path) -> None:
    quote = "`" if engine is mysql else '"'
    native = {"table": "T_FRXX", "where": f"{quote}企业名称{quote} LIKE '甲%' OR {quote}DJ{quote} = 2 AND ':no' <> '%s'"}
    async with opened(engine, tmp_path) as world:
        found = await world.fetch(Ask("entities", ("uscc",), by=("uscc",)), replace(TABLE, native=Options(native)), keys=[("A1",), ("A3",)])
    assert found.columns == {"uscc": ["A1"]}


async def test_two_fields_may_lie_in_one_column(tmp_path: Path) -> None:
    twice = replace(TABLE, fields=(*TABLE.fields, Field("party.uscc", "TYSHXYDM")))
    async with opened(sqlite, tmp_path) as world:
        found = await world.fetch(Ask("entities", ("party.uscc", "level"), by=("uscc",)), twice, keys=[("A2",)])
    assert found.columns == {"uscc": ["A2"], "party.uscc": ["A2"], "level": [2]}


async def test_the_total_is_counted_only_where_the_rows_do_not_show_it(tmp_path: Path) -> None:
    async with opened(sqlite, tmp_path) as world:
        ask = Ask("entities", ("uscc",), limit="n", total=True)
        totals = [((await world.fetch(ask, params={"n": n})).total, len(world.sent)) for n in (5, 3, 0)]
    assert totals == [(3, 1), (3, 3), (3, 5)]


async def test_large_answers_come_in_pages(tmp_path: Path) -> None:
    rows = [(f"{i:05}", None, None, None, i) for i in range(12_001)]
    async with opened(sqlite, tmp_path, rows) as world:
        plan = world.connector.plan(Ask("entities", ("level",)), TABLE)
        assert [page.size async for page in world.connector.fetch(plan, Call())] == [5000, 5000, 2001]


@every_engine
async def test_nothing_can_be_written(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as world, world.connector._engine.connect() as connection:
        with pytest.raises(DBAPIError, match=r"(?i)read.?only"):
            await connection.execute(text("CREATE TABLE t_new (a integer)"))


@every_engine
async def test_a_connection_that_died_is_replaced(engine: Engine, tmp_path: Path) -> None:
    """The database was restarted: pooled connections are dead, the next call works."""
    ask = Ask("entities", ("uscc",), by=("uscc",))
    async with opened(engine, tmp_path, poolSize=3) as world:
        await asyncio.gather(*(world.fetch(ask, keys=[("A1",)]) for _ in range(3)))
        await world.database.cut()
        assert (await world.fetch(ask, keys=[("A1",)])).size == 1
        assert (await world.fetch(ask, keys=[("A2",)])).size == 1


def files(folder: Path) -> list[Path]:
    return list(folder.rglob("*.db"))


async def test_a_file_that_is_taken_away_is_down_and_comes_back(tmp_path: Path) -> None:
    ask = Ask("entities", ("name",), by=("uscc",))
    async with opened(sqlite, tmp_path) as world:
        (file,) = files(tmp_path)
        await world.fetch(ask, keys=[("A1",)])
        away = file.rename(file.with_suffix(".away"))
        assert (await world.kind(ask, TABLE, keys=[("A1",)]))[0] == "down"
        assert not file.exists()
        with closing(sqlite3.connect(file)) as other:
            other.execute('CREATE TABLE "T_FRXX" ("TYSHXYDM", "企业名称")')
            other.execute("INSERT INTO \"T_FRXX\" VALUES ('A1', '新')")
            other.commit()
        assert (await world.fetch(ask, keys=[("A1",)])).columns["name"] == ["新"]
        away.replace(file)
        assert (await world.fetch(ask, keys=[("A1",)])).columns["name"] == ["甲"]


async def test_a_locked_file_is_busy(tmp_path: Path) -> None:
    async with opened(sqlite, tmp_path) as world:
        with closing(sqlite3.connect(files(tmp_path)[0])) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert (await world.kind(Ask("entities", ("uscc",)), TABLE))[0] == "busy"


async def test_a_pool_with_all_places_taken_waits_for_the_deadline(tmp_path: Path) -> None:
    async with opened(sqlite, tmp_path, poolSize=1) as world, world.connector._engine.connect():
        soon = asyncio.get_running_loop().time() + 0.05
        assert (await world.kind(Ask("entities", ("uscc",)), TABLE, deadline=soon))[0] == "slow"


@every_engine
@pytest.mark.parametrize(
    ("native", "kind", "word"),
    [
        ({"table": "T_NONE"}, "config", "T_NONE"),
        ({"table": "T_FRXX", "where": "no_column = 1"}, "config", "no_column"),
        ({"table": "T_FRXX", "where": "= ="}, "config", ""),
    ],
)
async def test_what_is_not_there_is_named_to_the_operator(
    engine: Engine, native: dict[str, str], kind: str, word: str, tmp_path: Path
) -> None:
    async with opened(engine, tmp_path) as world:
        with pytest.raises(SourceError) as caught:
            await world.fetch(Ask("entities", ("uscc",)), replace(TABLE, native=Options(native)))
    assert caught.value.kind == kind
    assert "T_" not in caught.value.message
    assert word in caught.value.detail


@pytest.mark.parametrize("engine", [postgres, mysql], ids=["postgres", "mysql"])
async def test_what_may_not_be_seen_is_denied(engine: Engine, tmp_path: Path) -> None:
    hidden = Options({"table": "pg_authid", "schema": "pg_catalog"} if engine is postgres else {"table": "user", "schema": "mysql"})
    column = Field("uscc", "rolname" if engine is postgres else "User")
    async with opened(engine, tmp_path) as world:
        assert (await world.kind(Ask("entities", ("uscc",)), replace(TABLE, native=hidden, fields=(column,))))[0] == "denied"


@pytest.mark.parametrize("engine", [postgres, mysql], ids=["postgres", "mysql"])
async def test_a_wrong_user_or_database(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as world:
        own = world.connector._engine.url
        for url in (own.set(database="no_such_database"), own.set(username="nobody_here")):
            connector = SqlConnector(SqlSettings.of({"url": url.render_as_string(hide_password=False)}))
            with pytest.raises(SourceError) as caught:
                await connector.describe()
            await connector.close()
            assert caught.value.kind in ("config", "denied")
            assert world.database.password not in caught.value.detail


@pytest.mark.parametrize("engine", [postgres, mysql], ids=["postgres", "mysql"])
async def test_another_protocol_at_the_port_is_an_error_in_time(engine: Engine) -> None:
    async with served(web.get("/", never)) as base:
        connector = SqlConnector(SqlSettings.of({"url": base.replace("http", "postgresql" if engine is postgres else "mysql") + "/db"}))
        soon = asyncio.get_running_loop().time() + 0.5
        with pytest.raises(SourceError) as caught:
            await fetched(connector, Ask("entities", ("uscc",)), deadline=soon)
        await connector.close()
    assert caught.value.kind in ("down", "slow", "broken")


async def test_a_key_of_another_type_is_a_fault_of_its_own(tmp_path: Path) -> None:
    by_level = replace(TABLE, keys=("level",), native=Options({"table": "T_FRXX"}))
    async with opened(postgres, tmp_path) as world:
        found = await world.fetch(Ask("entities", ("uscc",), by=("level",)), by_level, keys=[(1,), ("secret",), (2,), (10**30,)])
    assert sorted(found.columns["uscc"]) == ["A1", "A2"]
    assert [(key, fault.kind, "secret" in fault.detail) for key, fault in found.faults.items()] == [
        (("secret",), "invalid", False),
        ((10**30,), "invalid", False),
    ]


@every_engine
async def test_a_value_no_database_holds_is_invalid(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as world:
        for value in ("\0", "a\ud800"):
            ask = Ask("entities", ("uscc",), where=(Condition("name", "EQ", "v"),))
            assert (await world.kind(ask, TABLE, params={"v": value}))[0] == "invalid"


async def test_other_capitals_are_another_key_and_padding_is_none(tmp_path: Path) -> None:
    """MySQL holds A1 and a1 for equal; PostgreSQL pads CHAR(n)."""
    async with opened(mysql, tmp_path) as world:
        found = await world.fetch(Ask("entities", ("level",), by=("uscc",)), keys=[("a1",), ("A2",)])
        assert found.columns == {"uscc": ["A2"], "level": [2]}
        assert (await world.fetch(Ask("entities", ("level",), where=(Condition("uscc", "IN", "k"),)), params={"k": ["a1", "A2"]})).size == 1


@every_engine
async def test_a_database_describes_its_tables(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as world:
        (found,) = (await world.connector.describe()).relations
        assert (found.name, found.keys, [(one.name, one.type) for one in found.fields]) == (
            "T_FRXX",
            ("TYSHXYDM",),
            [("TYSHXYDM", "text"), ("企业名称", "text"), ("ZCZB", "decimal"), ("CLRQ", "date"), ("DJ", "int")],
        )
        answer = await world.fetch(Ask("T_FRXX", ("DJ",), by=("TYSHXYDM",)), found, keys=[("A1",)])
        assert answer.columns == {"TYSHXYDM": ["A1"], "DJ": [1]}


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "not a URL"),
        ("nonsense", "not a URL"),
        ("db2://h/d", "no database is known by 'db2'"),
        ("mysql+pymysql://h/d", "mysql.pymysql"),
    ],
)
def test_an_address_that_is_none(url: str, word: str) -> None:
    with pytest.raises(SourceError, match=word) as caught:
        SqlConnector(SqlSettings.of({"url": url}))
    assert caught.value.kind == "config"


async def test_a_database_in_memory(tmp_path: Path) -> None:
    connector = SqlConnector(SqlSettings.of({"url": "sqlite://"}))
    assert (await connector.describe()).relations == ()
    await connector.close()


async def test_a_column_that_is_not_given_is_named(tmp_path: Path) -> None:
    async with opened(sqlite, tmp_path) as world:
        with pytest.raises(SourceError, match="no column is given for 'uscc'"):
            world.connector.plan(Ask("entities", ("uscc",)), Relation("entities", (Field("uscc", ""),), Options({"table": "T"})))
