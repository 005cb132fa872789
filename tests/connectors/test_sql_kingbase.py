"""Kingbase through PostgreSQL's protocol, with a PostgreSQL in its place that gives Kingbase's name for its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from connectors.spi import Ask, Condition, Order, Secret
from connectors.sql.engine import opened as engine_of
from connectors.sql.kin import KinDialect
from tests.connectors.databases import kingbase
from tests.connectors.test_sql import opened


async def test_kingbase_is_asked_as_postgresql_is(tmp_path: Path) -> None:
    """Keys, a condition, an order and a count over Chinese names; nothing written. SQLAlchemy alone does not know it."""
    ask = Ask("entities", ("name", "capital"), where=(Condition("name", "PREFIX", "p"),), order=(Order("level", True),), total=True)
    async with opened(kingbase, tmp_path) as world:
        assert world.database.url.startswith("kingbase://")
        assert (await world.fetch(Ask("entities", ("name",), by=("uscc",)), keys=[("A1",), ("A9",)])).columns["name"] == ["甲"]
        assert "= ANY" in world.sent[-1].upper()
        found = await world.fetch(ask, params={"p": "乙"})
        assert (found.columns["name"], found.total) == (["乙"], 1)
        (relation,) = (await world.connector.describe()).relations
        assert (relation.name, relation.keys) == ("T_FRXX", ("TYSHXYDM",))
        async with world.connector._engine.connect() as connection:
            with pytest.raises(DBAPIError, match="read-only"):
                await connection.execute(text("CREATE TABLE t_new (a integer)"))
        plain = create_async_engine(make_url(world.database.url).set(drivername="postgresql+psycopg"))
        with pytest.raises(AssertionError, match="KingbaseES"):  # what the dialect is for
            await plain.connect().start()
        await plain.dispose()


@pytest.mark.parametrize(("said", "version"), [(120001, (12, 1)), (90603, (9, 6)), (0, (9, 6))])
def test_the_version_is_what_was_said_at_log_in(said: int, version: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        """A connection that gives its name and, as libpq has it, its version."""

        info = connection = driver_connection = property(lambda self: self)
        server_version = said

        def exec_driver_sql(self, statement: str) -> Session:
            return self

        def scalar(self) -> str:
            return "KingbaseES V008R003"

    assert KinDialect()._get_server_version_info(Session()) == version  # type: ignore[arg-type,no-untyped-call]


def test_an_address_of_kingbase_has_its_port() -> None:
    places = [engine_of(Secret(url), 1)[0].url.port for url in ("kingbase://h/d", "kingbase://h:5/d", "postgresql://h/d")]
    assert places == [54321, 5, None]
