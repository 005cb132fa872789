"""PostgreSQL and those that grew from it, such as Kingbase: they speak its protocol and call themselves by another name.

Must not know settings, statements or relations.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.engine import URL

_OLDEST = (9, 6)  # the PostgreSQL that KingbaseES V8R3 grew from


class KinDialect(PGDialectAsync_psycopg):
    """PostgreSQL's, that does not mind ``KingbaseES V008R006…`` where SQLAlchemy looks for PostgreSQL's version."""

    supports_statement_cache = True

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> type[KinDialect]:
        return cls

    def _get_server_version_info(self, connection: Connection) -> tuple[int, ...]:
        try:
            return tuple(super()._get_server_version_info(connection))  # type: ignore[no-untyped-call]
        except AssertionError:  # what it said at log-in: V8R6 is like 12.1; where it said nothing, the least of them
            driver: Any = connection.connection.driver_connection
            number = int(driver.info.server_version)
            return divmod(number, 10_000) if number >= 100_000 else _OLDEST
