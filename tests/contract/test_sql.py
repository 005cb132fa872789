"""The contract over SQL: SQLite, PostgreSQL, MySQL or MariaDB, with a table that has Chinese and reserved names and no kind collation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract import ROWS, Contract, World
from connectors.spi import Field, Options, Relation
from connectors.sql import SqlConnector, SqlSettings
from tests.connectors.databases import ENGINES, Engine, sqlite
from tests.connectors.loopback import nobody

DDL = (
    'CREATE TABLE "T_证照" ("ZZBH" varchar(60) NOT NULL, "order" varchar(20), "名称" varchar(60), "DJ" integer, "颁发%" char(8))',
    'CREATE INDEX "I_证照" ON "T_证照" ("ZZBH")',
)
INSERT = 'INSERT INTO "T_证照" VALUES (?, ?, ?, ?, ?)'
SQL_FIELDS = (
    Field("id", "ZZBH", nullable=False),
    Field("holder", "order"),
    Field("name", "名称"),
    Field("level", "DJ", "int"),
    Field("issuedOn", "颁发%"),
)
TEXT = ("EQ", "IN", "LT", "LE", "GT", "GE", "PREFIX")
WHERE = Options({"id": TEXT, "holder": TEXT, "name": TEXT, "level": TEXT[:-1], "issuedOn": TEXT})
TABLE = Relation(
    "table", SQL_FIELDS, Options({"table": "T_证照", "key": ["ZZBH"]}),
    where=WHERE, order=("id", "holder", "name", "level", "issuedOn"), limit=True, total=True, seek=True, each=True,
    aggregates=("COUNT", "SUM", "MIN", "MAX"),
)  # fmt: skip
MODEST = replace(
    TABLE, name="modest", where=Options({"holder": ["EQ"]}), order=("level",), limit=False, total=False, seek=False, aggregates=()
)
BY_ID = replace(TABLE, name="byId", keys=("id",), max_keys=500, fields=(Field("id", ""), *SQL_FIELDS[1:]))
BY_HOLDER = replace(TABLE, name="byHolder", native=Options({"table": "T_证照", "key": ["order"]}), keys=("holder",), max_keys=2)
BY_TWO = replace(TABLE, name="byTwo", native=Options({"table": "T_证照"}), keys=("holder", "level"), max_keys=5)
BY_LEVEL = replace(TABLE, name="byLevel", native=Options({"table": "T_证照"}), keys=("level",), max_keys=3)
RELATIONS = (TABLE, MODEST, BY_ID, BY_HOLDER, BY_TWO, BY_LEVEL)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
class TestSql(Contract):
    @pytest.fixture(autouse=True)
    def _place(self, engine: Engine, tmp_path: Path) -> None:
        self.engine, self.folder = engine, tmp_path

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with self.engine(self.folder, DDL, INSERT, [tuple(row.values()) for row in ROWS]) as database:
            options = {"url": database.url, "schema": database.schema, "poolSize": 2}
            gone = f"sqlite:///{self.folder}/nobody.db"
            if self.engine is not sqlite:
                gone = f"{database.url.split(':')[0]}://hub:{database.password}@127.0.0.1:{nobody()}/hub"
            made = [SqlConnector(SqlSettings.of({**options, "url": url})) for url in (database.url, gone, self.nonsense())]
            try:
                yield World(
                    connector=made[0],
                    relations=RELATIONS,
                    stuck=replace(TABLE, name="stuck", native=Options({"table": "T_证照", "where": database.endless})),
                    gone=(made[1], TABLE),
                    garbage=(made[2], TABLE) if self.engine is sqlite else None,
                    options=options,
                    secret=database.password,
                    # No database holds these in a text; SQLite could, and nobody asks it to.
                    unsendable={one.name: frozenset({"\0", "\ud800"}) for one in (BY_ID, BY_HOLDER, BY_TWO)},
                )
            finally:
                for connector in made:
                    await connector.close()

    def nonsense(self) -> str:
        """A file that is no database."""
        file = self.folder / "nonsense.db"
        file.write_bytes(b"\x89PNG" * 1000)
        return f"sqlite:///{file}"
