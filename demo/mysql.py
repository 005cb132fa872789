"""The SQL departments: the MySQL wire protocol over an in-memory SQLite that holds the department's tables.

``mysql_mimic`` speaks the protocol and answers what drivers ask on connecting; a SELECT on one of the tables goes to SQLite with its
text literals as parameters, which is exact for MySQL's escapes and quick. Nothing can be written. Must not know the hub.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from mysql_mimic import ResultColumn, ResultSet, Session  # type: ignore[import-untyped]
from mysql_mimic.auth import SimpleIdentityProvider  # type: ignore[import-untyped]
from mysql_mimic.connection import Connection  # type: ignore[import-untyped]
from mysql_mimic.control import LocalControl  # type: ignore[import-untyped]
from mysql_mimic.errors import MysqlError  # type: ignore[import-untyped]
from mysql_mimic.stream import ConnectionClosed, MysqlStream  # type: ignore[import-untyped]
from mysql_mimic.types import ColumnType  # type: ignore[import-untyped]
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from demo.facts import World
from demo.faults import Cut, Faults, How, Mode, Tally, nonsense
from demo.native import Table
from demo.service import HOST, listening_port

DATABASE = "demo"
UNKNOWN_COLUMN, PARSE_ERROR, NO_SUCH_TABLE, READ_ONLY = 1054, 1064, 1146, 1290  # MySQL's error numbers

_FROM = re.compile(r"\bFROM\s+(?:`?\w+`?\.)?`?(\w+)`?", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a", "b": "\b", "%": "\\%", "_": "\\_"}
_SHOW_CREATE = re.compile(r"SHOW\s+CREATE\s+TABLE\s+(?:`?\w+`?\.)?`?(\w+)`?", re.IGNORECASE)
_SHOW_TABLES = re.compile(r"SHOW\s+(FULL\s+)?TABLES\b", re.IGNORECASE)
_DESCRIBE = re.compile(r"DESC(?:RIBE)?\s+(?:`?\w+`?\.)?`?(\w+)`?\s*;?\s*$", re.IGNORECASE)
_WITHOUT_EFFECT = re.compile(
    r"\s*(?:ROLLBACK|COMMIT|BEGIN|SET\s+@(?!@))", re.IGNORECASE
)  # nothing is written; a client's own variables are not read
_FOREIGN = re.compile(r"\b(?:CAST|CONVERT|BINARY|COLLATE)\b", re.IGNORECASE)
_CENT = Decimal("0.01")  # every amount has two places
_BYTES = (exp.DType.BINARY, exp.DType.VARBINARY, exp.DType.CHARACTER_SET)
_TYPES = {
    str: ColumnType.VAR_STRING,
    int: ColumnType.LONGLONG,
    float: ColumnType.DOUBLE,
    Decimal: ColumnType.NEWDECIMAL,
    date: ColumnType.DATE,
}


class Database:
    """The department's tables. ``select`` runs MySQL's SQL; rows hold str, int, float, Decimal, date or None."""

    def __init__(self, tables: Sequence[Table], world: World) -> None:
        self.tables = {table.name: table for table in tables}
        self._keys = {
            table.name: re.compile(rf"`?\b(?:{'|'.join((table.columns[0].name, *table.by))})`?\s+IN\s*\(([^)]*)\)", re.IGNORECASE)
            for table in tables
        }
        sqlite3.register_converter("DECIMAL", lambda raw: Decimal(raw.decode()).quantize(_CENT))
        sqlite3.register_converter("DATE", lambda raw: date.fromisoformat(raw.decode()))
        self._sqlite = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)
        self._sqlite.create_function("concat", -1, lambda *parts: None if None in parts else "".join(map(str, parts)), deterministic=True)
        for table in tables:
            columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
            self._sqlite.execute(f'CREATE TABLE "{table.name}" ({columns}, PRIMARY KEY ("{table.columns[0].name}")) WITHOUT ROWID')
            marks = ", ".join("?" * len(table.columns))
            self._sqlite.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', table.rows(world))
            for column in table.by:
                self._sqlite.execute(f'CREATE INDEX "{table.name}_{column}" ON "{table.name}" ("{column}")')
        self._sqlite.commit()
        self._sqlite.execute("PRAGMA query_only = ON")

    def table_of(self, sql: str) -> Table | None:
        """The table that a SELECT reads, if it is one of these."""
        found = _FROM.search(sql) if sql.lstrip(" \t\r\n(")[:6].upper() == "SELECT" else None
        return self.tables.get(found[1]) if found else None

    def keys_in(self, table: Table, sql: str) -> int:
        """How many keys the statement asks for by a list."""
        return sum(found.count(",") + 1 for found in self._keys[table.name].findall(_LITERAL.sub("?", sql)) if found.strip())

    def select(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows. Raises MysqlError for what SQLite does not take."""
        values: list[str] = []

        def take(literal: re.Match[str]) -> str:
            values.append(_ESCAPE.sub(_unescape, literal[0][1:-1]))
            return "?"

        try:
            cursor = self._sqlite.execute(_translate(_LITERAL.sub(take, sql)), values)
            return [column[0] for column in cursor.description or ()], cursor.fetchall()
        except sqlite3.Error as error:
            raise MysqlError(str(error), UNKNOWN_COLUMN if "no such column" in str(error) else PARSE_ERROR) from error

    def ddl(self, name: str) -> str:
        """The table in the words of SHOW CREATE TABLE. Raises MysqlError."""
        table = self.table(name)
        lines = [
            f"  `{column.name}` {column.type.lower()} {'NOT NULL' if index == 0 else 'DEFAULT NULL'} COMMENT '{column.doc}'"
            for index, column in enumerate(table.columns)
        ]
        lines.append(f"  PRIMARY KEY (`{table.columns[0].name}`)")
        lines.extend(f"  KEY `{table.name}_{column}` (`{column}`)" for column in table.by)
        return f"CREATE TABLE `{table.name}` (\n" + ",\n".join(lines) + f"\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='{table.doc}'"

    def table(self, name: str) -> Table:
        """The table called ``name``. Raises MysqlError."""
        try:
            return self.tables[name]
        except KeyError:
            raise MysqlError(f"Table '{DATABASE}.{name}' doesn't exist", NO_SUCH_TABLE) from None


@lru_cache(maxsize=1024)
def _translate(sql: str) -> str:
    """MySQL's SQL in SQLite's words. Text is compared byte by byte here, so whatever asks for that is left out.

    Raises MysqlError for what cannot be parsed.
    """
    if not _FOREIGN.search(sql):
        return sql
    try:
        statement = parse_one(sql, read="mysql")
    except SqlglotError as error:
        raise MysqlError(str(error), PARSE_ERROR) from error
    return statement.transform(_bytewise).sql("sqlite")


def _bytewise(node: exp.Expr) -> exp.Expr:
    """``CAST(x AS BINARY)``, ``CONVERT(x USING utf8mb4)`` and ``x COLLATE utf8mb4_bin`` are ``x``."""
    while isinstance(node, exp.Collate) or (isinstance(node, exp.Cast) and node.to.this in _BYTES):
        node = node.this
    return node


def _unescape(found: re.Match[str]) -> str:
    return "'" if found[1] is None else _ESCAPES.get(found[1], found[1])


class DepartmentSession(Session):  # type: ignore[misc]
    """One connection's session. Statements on the tables are counted and pass the faults; a driver's own questions do not."""

    def __init__(self, database: Database, faults: Faults, tally: Tally) -> None:
        super().__init__()
        self._database = database
        self._faults = faults
        self._tally = tally

    async def handle_query(self, sql: str, attrs: dict[str, str]) -> Any:
        table = self._database.table_of(sql)
        if table is not None:
            self._tally.add(table.name, self._database.keys_in(table, sql))
        how = None
        if table is not None or self._faults.mode is Mode.HANG:  # slow tables, yet a quick login
            try:
                how = await self._faults.gate()
            except Cut:
                self.connection.stream.writer.transport.abort()
                raise ConnectionClosed from None
        if table is None:
            if _WITHOUT_EFFECT.match(sql):
                return None
            try:
                return self._described(sql) or await super().handle_query(sql, attrs)
            except SqlglotError as error:
                raise MysqlError(str(error), PARSE_ERROR) from error
        if how is How.COLUMNS:  # the table was altered and nobody said so
            raise MysqlError(f"Unknown column '{table.columns[0].name}' in 'field list'", UNKNOWN_COLUMN)
        names, rows = self._database.select(sql)
        if how is How.HTML:  # a database has no HTML: one column of text, whatever was asked for
            names, rows = ["MESSAGE"], [("系统维护中",)]
        elif how is How.TEXT:
            rows = [tuple(nonsense(value) for value in row) for row in rows]
        return result(names, rows)

    async def query(self, expression: Any, sql: str, attrs: dict[str, str]) -> Any:
        """What no fast path and nothing of the library answers: an unknown table, or a statement that would write."""
        found = _FROM.search(sql)
        if found:
            self._database.table(found[1])
        raise MysqlError("This database can only be read.", READ_ONLY)

    def _described(self, sql: str) -> Any:
        text = sql.strip()
        if create := _SHOW_CREATE.match(text):
            return result(["Table", "Create Table"], [(create[1], self._database.ddl(create[1]))])
        if tables := _SHOW_TABLES.match(text):
            width = 2 if tables[1] else 1
            names = [f"Tables_in_{DATABASE}", "Table_type"][:width]
            return result(names, [(name, "BASE TABLE")[:width] for name in sorted(self._database.tables)])
        if described := _DESCRIBE.match(text):
            columns = self._database.table(described[1]).columns
            shown = [(c.name, c.type.lower(), "NO" if n == 0 else "YES", "PRI" if n == 0 else "", None, "") for n, c in enumerate(columns)]
            return result(["Field", "Type", "Null", "Key", "Default", "Extra"], shown)
        return None


def result(names: Sequence[str], rows: list[tuple[Any, ...]]) -> Any:
    """A result set whose column types are those of the first value that is not null."""
    columns = []
    for index, name in enumerate(names):
        value = next((row[index] for row in rows if row[index] is not None), "")
        columns.append(ResultColumn(name, _TYPES[type(value)]))
    return ResultSet(rows, columns)


class MysqlDoor:
    """The door of one SQL department."""

    def __init__(self, database: Database, faults: Faults, tally: Tally) -> None:
        self._database = database
        self._faults = faults
        self._tally = tally
        self._control = LocalControl(server_id=1)
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        logging.getLogger("mysql_mimic").setLevel(logging.CRITICAL)  # a client's mistake is answered to the client

    async def open(self, port: int) -> int:
        self._server = await asyncio.start_server(self._welcome, HOST, port)
        return listening_port(self._server)

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        connections = dict(self._connections)
        for task, writer in connections.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def url(self, port: int) -> str:
        return f"mysql+asyncmy://root@{HOST}:{port}/{DATABASE}"

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._connections[task] = writer
        task.add_done_callback(self._gone)

    def _gone(self, task: asyncio.Task[None]) -> None:
        writer = self._connections.pop(task)
        writer.close()
        if not task.cancelled() and (error := task.exception()) is not None:
            logging.getLogger(__name__).error("a connection ended badly", exc_info=error)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from greeting to goodbye. Whatever a client does ends this connection at most."""
        number: int | None = None
        try:
            if self._faults.mode is Mode.HANG:
                await self._faults.gate()
            session = DepartmentSession(self._database, self._faults, self._tally)
            connection = Connection(MysqlStream(reader, writer), session, self._control, SimpleIdentityProvider())
            number = connection.connection_id = await self._control.add(connection)
            await connection.start()
        except (Cut, ConnectionError, ConnectionClosed, asyncio.IncompleteReadError, MysqlError):
            return
        finally:
            if number is not None:
                await self._control.remove(number)
