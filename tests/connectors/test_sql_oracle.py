"""Oracle and Dameng, of which no server runs here: the statements as they would be sent, and what their errors mean.

Compiled for Oracle's own driver, and for Dameng as it is asked. The way into Dameng's driver, which blocks, is gone with SQLite's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import oracledb
import pytest
from sqlalchemy import exc
from sqlalchemy.dialects import oracle
from sqlalchemy.dialects.oracle.oracledb import OracleDialectAsync_oracledb
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.sql.elements import quoted_name

from connectors.spi import Aggregate, Ask, Call, Condition, Options, Order, Relation, Secret, SourceError
from connectors.sql import SqlConnector, SqlSettings
from connectors.sql.dameng import DamengDialect, Driver
from connectors.sql.dialect import divided
from connectors.sql.engine import _BEGINNING, greeting
from connectors.sql.engine import opened as engine_of
from connectors.sql.failures import failure
from connectors.sql.reflect import _type, names
from connectors.sql.statement import prepare
from tests.connectors.loopback import nobody
from tests.connectors.test_sql import TABLE

ORACLE = engine_of(Secret("oracle://h/?service_name=x"), 1)[0].dialect
DAMENG: Dialect = DamengDialect()
WHOLE = replace(TABLE, seek=True, each=True, aggregates=("COUNT", "SUM", "MIN", "MAX"), max_keys=5_000)
both = pytest.mark.parametrize("dialect", [ORACLE, DAMENG], ids=["oracle", "dameng"])


def sent(dialect: Dialect, ask: Ask, relation: Relation = WHOLE, **call: Any) -> tuple[str, Mapping[str, Any]]:
    """The statement of a call on one line, and its values by name."""
    statement = prepare(ask, relation, dialect, "S").native
    given = Call(**call)
    select, values = divided(dialect.name, statement.select, statement.parameters(given, given.keys))
    state = select.compile(dialect=dialect).construct_expanded_state(values)
    return " ".join(state.statement.split()), state.parameters


@both
def test_a_statement_for_people(dialect: Dialect) -> None:
    ask = Ask(
        "entities",
        ("name",),
        where=(Condition("name", "PREFIX", "p"), Condition("level", "IN", "l")),
        order=(Order("level", True), Order("uscc")),
        limit="n",
        after=("a", "b"),
    )
    assert prepare(ask, WHOLE, dialect, "S").text == (
        'SELECT "企业名称" FROM "S"."T_FRXX" WHERE "企业名称" LIKE :p ESCAPE \'!\' AND "DJ" IN (:l)'
        ' AND ("DJ" < :a OR "DJ" IS NULL OR "DJ" = :a AND "TYSHXYDM" > :b)'
        ' ORDER BY "DJ" DESC NULLS LAST, "TYSHXYDM" ASC FETCH FIRST :n ROWS ONLY'
    )
    assert prepare(Ask("entities", ("name",), by=("uscc",)), WHOLE, dialect, "").text == (
        'SELECT "TYSHXYDM", "企业名称" FROM "T_FRXX" WHERE "TYSHXYDM" IN (:keys) FETCH FIRST :max_rows ROWS ONLY'
    )


@both
def test_more_than_a_thousand_keys_are_several_lists(dialect: Dialect) -> None:
    """1,000 are one list; one more would be ORA-01795. Every key is sent once."""
    ask = Ask("entities", ("name",), by=("uscc",))
    text, _ = sent(dialect, ask, keys=[(f"A{i}",) for i in range(1_000)])
    assert text.count(" IN (") == 1
    text, values = sent(dialect, ask, keys=[(f"A{i}",) for i in range(2_001)])
    assert text.count('"TYSHXYDM" IN (') == 3
    assert text.count(" OR ") == 2
    assert "ANY" not in text.upper()
    assert sorted(value for value in values.values() if isinstance(value, str)) == sorted(f"A{i}" for i in range(2_001))
    assert max(part.count(",") for part in text.split(" IN (")[1:]) == 999


@both
def test_a_long_list_keeps_its_neighbours(dialect: Dialect) -> None:
    where = (Condition("level", "IN", "l"), Condition("name", "EQ", "v"))
    text, values = sent(dialect, Ask("entities", ("uscc",), where=where), params={"l": [*range(1_500)], "v": "甲"})
    between = text[text.index(" WHERE ") :].split(" AND ")
    assert (len(between), between[0].startswith(' WHERE ("DJ" IN ('), between[0].endswith(")")) == (2, True, True)
    assert between[1].startswith('"企业名称" = ')
    assert "甲" in values.values()


@both
def test_composite_keys_of_any_number_are_tuples(dialect: Dialect) -> None:
    two = replace(WHOLE, keys=("uscc", "level"), native=Options({"table": "T_FRXX"}))
    text, _ = sent(dialect, Ask("entities", ("name",), by=("uscc", "level")), two, keys=[(f"A{i}", i) for i in range(1_200)])
    assert text.count('("TYSHXYDM", "DJ") IN ((') == 1


@both
def test_names_stay_as_they_are_written(dialect: Dialect) -> None:
    """Capitals, small letters, Chinese, a reserved word, a quotation mark: each in quotes, so that the database folds none."""
    paths = ("TYSHXYDM", "tyshxydm", "Mixed", "企业名称", "order", 'a"b')
    named = replace(
        WHOLE, fields=tuple(replace(WHOLE.fields[0], name=f"f{i}", path=path) for i, path in enumerate(paths)), keys=(), order=()
    )
    named = replace(named, where=Options(), native=Options({"table": "登记 表"}))
    text, _ = sent(dialect, Ask("entities", tuple(f"f{i}" for i in range(len(paths)))), named)
    assert text.startswith('SELECT "TYSHXYDM", "tyshxydm", "Mixed", "企业名称", "order", "a""b" FROM "S"."登记 表" FETCH FIRST ')


@both
def test_figures_and_a_limit_for_each_key(dialect: Dialect) -> None:
    figures = Ask("entities", (), aggregates=(Aggregate("COUNT"), Aggregate("SUM", "capital"), Aggregate("MAX", "name")), group=("level",))
    text, _ = sent(dialect, figures)
    assert text.startswith('SELECT min("DJ") AS ')
    assert 'GROUP BY "DJ"' in text
    each, _ = sent(dialect, Ask("entities", ("name",), by=("uscc",), order=(Order("level"),), limit="n"), keys=[("A1",)], params={"n": 2})
    assert 'row_number() OVER (PARTITION BY "TYSHXYDM" ORDER BY "DJ" ASC NULLS FIRST)' in each
    assert ') "_each" WHERE' in each  # not AS, which Oracle does not take


@both
def test_a_truth_value_is_a_number(dialect: Dialect) -> None:
    where = (Condition("level", "EQ", "l"), Condition("capital", "GE", "c"))
    _, values = sent(dialect, Ask("entities", ("uscc",), where=where), params={"l": True, "c": Decimal("1.10")})
    assert [(type(value), value) for value in values.values()][:2] == [(int, 1), (Decimal, Decimal("1.10"))]


def test_transactions_begin_read_only() -> None:
    """Neither has a session that only reads; comparison by bytes and the province's time are the session's."""
    assert set(_BEGINNING.values()) == {"SET TRANSACTION READ ONLY"}
    assert [greeting(backend) for backend in _BEGINNING] == [
        ("ALTER SESSION SET TIME_ZONE = '+08:00' NLS_SORT = BINARY NLS_COMP = BINARY",),
        ("SET TIME ZONE '+08:00'",),
    ]
    assert isinstance(ORACLE, OracleDialectAsync_oracledb)


async def test_an_oracle_where_nobody_listens_is_down() -> None:
    """The one thing that its driver can be asked without a server."""
    connector = SqlConnector(SqlSettings.of({"url": f"oracle://u:hidden@127.0.0.1:{nobody()}/?service_name=x"}))
    with pytest.raises(SourceError) as caught:
        await connector.describe()
    await connector.close()
    assert caught.value.kind == "down"
    assert "hidden" not in caught.value.detail


def test_a_dameng_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "dmPython", None)
    with pytest.raises(SourceError, match="'dmPython' is not installed: pip install dmPython") as caught:
        SqlConnector(SqlSettings.of({"url": "dm://u:p@h/d"}))
    assert caught.value.kind == "config"


class _Code:
    """What both drivers put into an error."""

    def __init__(self, code: int, full_code: str = "") -> None:
        self.code, self.full_code = code, full_code

    def __str__(self) -> str:
        return f"{self.full_code}: no '甲' here"


@pytest.mark.parametrize(
    ("backend", "code", "kind"),
    [
        ("oracle", "ORA-01017", "denied"),
        ("oracle", "ORA-00942", "config"),
        ("oracle", "ORA-00904", "config"),
        ("oracle", "ORA-12514", "config"),
        ("oracle", "ORA-12519", "busy"),
        ("oracle", "DPY-4024", "slow"),
        ("oracle", "DPY-4011", "down"),
        ("oracle", "ORA-12541", "down"),
        ("oracle", "ORA-01722", "invalid"),
        ("oracle", "ORA-00600", "broken"),
        ("dm", -2501, "denied"),
        ("dm", -2106, "config"),
        ("dm", -2111, "config"),
        ("dm", -70028, "down"),
        ("dm", -6407, "busy"),
        ("dm", -6118, "invalid"),
        ("dm", -1, "broken"),
    ],
)
def test_what_an_error_means(backend: str, code: str | int, kind: str) -> None:
    cause = oracledb.DatabaseError(_Code(code) if isinstance(code, int) else _Code(0, code))
    found = failure(backend, exc.DatabaseError("", {}, cause))
    assert (found.kind, "甲" in found.detail) == (kind, kind in ("config", "denied", "down"))


def test_names_and_numbers_as_the_database_has_them() -> None:
    """SQLAlchemy writes small what Oracle keeps in capitals, and NUMBER is whole or not by its scale."""
    number: Any = oracle.NUMBER
    shown = [ORACLE.normalize_name(name) for name in ("TYSHXYDM", "tyshxydm", "Mixed", "企业名称", "ORDER")]
    assert shown[0] == "tyshxydm"
    assert [names(ORACLE)(name) for name in shown] == ["TYSHXYDM", "tyshxydm", "Mixed", "企业名称", "ORDER"]
    assert names(DAMENG)(quoted_name("tyshxydm", True)) == "tyshxydm"
    assert [_type(number(*one)) for one in ((9, 0), (18, 2), (None, None))] == ["int", "decimal", "decimal"]


async def test_a_driver_that_blocks_is_asked_in_threads(tmp_path: Path) -> None:
    """SQLite's, which has the interface that Dameng's has: rows, values by place, errors, and what Oracle's dialect asks at first."""

    def connect(**words: Any) -> sqlite3.Connection:
        assert words == {"user": "u", "password": "p", "server": "h", "port": 5236, "connection_timeout": 60}
        connection = sqlite3.connect(tmp_path / "dm.db", check_same_thread=False)
        connection.create_function("sys_context", 2, lambda *names: "S")
        return connection

    driver = ModuleType("dmPython")
    vars(driver).update({**vars(sqlite3), "connect": connect})
    with sqlite3.connect(tmp_path / "dm.db") as first:
        first.execute("CREATE TABLE dual AS SELECT 1 AS dummy")
    first.close()
    engine = create_async_engine("dm+dmpython://u:p@h:5236", module=Driver(driver), hide_parameters=True)
    try:
        async with engine.connect() as connection:
            found = await connection.exec_driver_sql("SELECT ?, dummy FROM dual", ("甲",))
            assert [tuple(row) for row in found] == [("甲", 1)]
            with pytest.raises(exc.OperationalError, match="no such column"):
                await connection.exec_driver_sql("SELECT no_column FROM dual")
        assert engine.dialect.default_schema_name == "s"
    finally:
        await engine.dispose()
