"""An empty store of each kind for a test: a SQLite file, and a PostgreSQL database of the run's own, emptied for each."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from hub.store import Store
from tests.auth.world import StandingClock

SERVER = os.environ.get("HUB_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """A PostgreSQL database of this run's own; its URL."""
    with _server() as server:
        name = f"hub_test_{secrets.token_hex(6)}"
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/hub.db"
    found: str = request.getfixturevalue("database")
    with psycopg.connect(found, autocommit=True) as here:
        here.execute("DROP SCHEMA public CASCADE")
        here.execute("CREATE SCHEMA public")
    return found


@pytest.fixture
async def empty(url: str, tmp_path: Path, clock: StandingClock) -> AsyncIterator[Store]:
    """Opened, not yet upgraded."""
    store = Store.open(url, tmp_path / "hub.key", clock)
    yield store
    await store.close()


@pytest.fixture
async def store(empty: Store) -> Store:
    """At head, with its first signing key."""
    await empty.upgrade()
    return empty


def _server() -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(SERVER, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no PostgreSQL at HUB_TEST_POSTGRES ({type(error).__name__})")
