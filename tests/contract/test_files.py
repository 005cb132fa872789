"""The contract over files: CSV in GB18030 and UTF-8, XLSX, JSON lines and Parquet, with Chinese and odd names of columns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract import ROWS, Contract, World
from connectors.files import FilesConnector, FilesSettings
from connectors.spi import Field, Options, Relation, Secret
from tests.connectors.deliveries import Form, csv_gb18030, csv_utf8, json_lines, parquet, xlsx

COLUMNS = ("ZZBH", "order", "名 称", "DJ", '颁发"%')
FIELDS = tuple(Field(name, path) for name, path in zip(ROWS[0], COLUMNS, strict=True))
FIELDS = (replace(FIELDS[0], nullable=False), *FIELDS[1:3], replace(FIELDS[3], type="int"), FIELDS[4])
TEXT = ("EQ", "IN", "LT", "LE", "GT", "GE", "PREFIX")
WHERE = Options({"id": TEXT, "holder": TEXT, "name": TEXT, "level": TEXT[:-1], "issuedOn": TEXT})
SECRET = "files-secret-4711"
ENDLESS = "(SELECT count(*) FROM range(1000000000000)) >= 0"


def relations(file: str) -> tuple[Relation, ...]:
    table = Relation(
        "table", FIELDS, Options({"file": file, "key": ["ZZBH"], "unique": ["ZZBH"]}),
        where=WHERE, order=tuple(ROWS[0]), limit=True, total=True, seek=True, each=True, aggregates=("COUNT", "SUM", "MIN", "MAX"),
    )  # fmt: skip
    modest = replace(
        table, name="modest", where=Options({"holder": ["EQ"]}), order=("level",), limit=False, total=False, seek=False, aggregates=()
    )
    by_id = replace(table, name="byId", keys=("id",), max_keys=500, fields=(Field("id", ""), *FIELDS[1:]))
    by_holder = replace(table, name="byHolder", native=Options({"file": file, "key": ["order"]}), keys=("holder",), max_keys=2)
    by_two = replace(table, name="byTwo", native=Options({"file": file}), keys=("holder", "level"), max_keys=5)
    by_level = replace(table, name="byLevel", native=Options({"file": file}), keys=("level",), max_keys=3)
    stuck = replace(table, name="stuck", native=Options({"file": file, "where": ENDLESS}))
    return table, modest, by_id, by_holder, by_two, by_level, stuck


RELATIONS = relations("rows.csv")[:-1]  # of a file of CSV


@pytest.mark.parametrize("form", [csv_gb18030, csv_utf8, xlsx, json_lines, parquet], ids=lambda form: form.__name__)
class TestFiles(Contract):
    @pytest.fixture(autouse=True)
    def _place(self, form: Form, tmp_path: Path) -> None:
        self.form, self.folder = form, tmp_path

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        place = self.folder / "delivered"
        place.mkdir()
        file = self.form(place, COLUMNS, [tuple(row.values()) for row in ROWS])
        wrong = self.folder / "wrong"
        wrong.mkdir()
        (wrong / file.name).write_bytes("<html>系统维护中</html>".encode())
        options = {"base": str(place), "nulls": [r"\N"], "auth": {"kind": "BASIC", "user": "hub", "secret": Secret(SECRET)}}
        made = [
            FilesConnector(FilesSettings.of({**options, "base": str(base), "data": str(self.folder / "data" / base.name)}))
            for base in (place, self.folder / "gone", wrong)
        ]
        *whole, stuck = relations(file.name)
        try:
            yield World(
                connector=made[0],
                relations=tuple(whole),
                stuck=stuck,
                gone=(made[1], whole[0]),
                garbage=(made[2], whole[0]),
                options=options,
                secret=SECRET,
                unsendable={one.name: frozenset({"\ud800"}) for one in whole[2:5]},
            )
        finally:
            for connector in made:
                await connector.close()
