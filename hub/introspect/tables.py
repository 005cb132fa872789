"""A SQL database as ``Found``: tables, columns, comments, keys by reflection, and a few rows of each through the connector itself.

Reads only, and nothing but what the hub could read in service. Raises SourceError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.spi import Ask, Call, Secret, SourceError
from connectors.spi import Relation as Place
from connectors.sql import SqlConnector, SqlSettings
from connectors.sql.reflect import Table, TableColumn
from hub.introspect.found import Column, ColumnType, Found, Relation

SAMPLES = 200
_TYPES: tuple[ColumnType, ...] = ("text", "int", "bigint", "float", "decimal", "bool", "date", "datetime", "json")
_READ: Mapping[str, ColumnType] = {each: each for each in _TYPES}


async def find(url: str, *, variable: str, tables: Sequence[str] = (), schema: str = "") -> Found:
    """What a database holds: all tables and views, or those named. ``variable`` is what the manifest calls its address.

    Raises SourceError; ``missing`` when a table is not there, with the names of those that are.
    """
    connector = SqlConnector(SqlSettings(url=Secret(url), schema=schema, pool_size=1))
    try:
        there = {each.name: each for each in await connector.tables()}
        absent = [name for name in tables if name not in there]
        if absent:
            raise SourceError("missing", f"There is no table {absent[0]!r}; there are: {', '.join(sorted(there)) or 'none'}.")
        wanted = [there[name] for name in tables] if tables else list(there.values())
        places = {each.name: each for each in (await connector.describe()).relations}
        found = [await _relation(connector, table, places[table.name]) for table in wanted]
    finally:
        await connector.close()
    source = {"url": f"${{{variable}}}", **({"schema": schema} if schema else {})}
    return Found("sql", tuple(found), source=source)


async def _relation(connector: SqlConnector, table: Table, place: Place) -> Relation:
    readable = [each.name for each in table.columns if each.type in _READ]
    samples = await _samples(connector, place, readable) if readable else {}
    columns = tuple(_column(each, samples.get(each.name, ()), table) for each in table.columns)
    return Relation(table.name, columns, table.comment, table.key)


async def _samples(connector: SqlConnector, place: Place, names: Sequence[str]) -> Mapping[str, Sequence[Any]]:
    """The first rows, as the connector would bring them in service."""
    plan = connector.plan(Ask(place.name, tuple(names), limit="few"), place)
    found: dict[str, list[Any]] = {name: [] for name in names}
    async for page in connector.fetch(plan, Call(params={"few": SAMPLES})):
        for name in names:
            found[name] += page.columns[name]
    return found


def _column(column: TableColumn, samples: Sequence[Any], table: Table) -> Column:
    return Column(
        column.name,
        _READ.get(column.type, "other"),
        column.nullable,
        column.comment,
        tuple(samples),
        unique=(column.name,) in table.unique,
        native=column.native,
    )
