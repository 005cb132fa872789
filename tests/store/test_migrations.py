"""From empty to head and back, on both databases, and the tables say what the migrations build."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import migrations
from hub.store import Store, StoreFault, migrate
from hub.store.engines import reading, writing
from hub.store.tables import metadata
from tests.auth.world import StandingClock


async def tables(store: Store) -> set[str]:
    async with reading(store.engine) as connection:
        return set(await connection.run_sync(lambda here: inspect(here).get_table_names()))


async def test_from_empty_to_head_and_back_to_empty(empty: Store) -> None:
    assert await empty.revision() is None
    assert not await empty.is_current()
    await empty.upgrade()
    assert await empty.is_current()
    assert await tables(empty) == {*metadata.tables, "alembic_version"}
    await empty.downgrade("base")
    assert await empty.revision() is None
    assert await tables(empty) == {"alembic_version"}
    await empty.upgrade()
    assert await tables(empty) == {*metadata.tables, "alembic_version"}


async def test_every_step_goes_down_and_up_again(store: Store) -> None:
    steps = [step.revision for step in ScriptDirectory.from_config(migrate.config()).walk_revisions()]
    for revision in [*steps[1:], "base"]:
        await store.downgrade(revision)
    for revision in reversed(steps):
        await migrate.upgrade(store.engine, revision)
        assert await store.revision() == revision


async def test_the_tables_are_what_the_migrations_build(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async with reading(store.engine) as connection:
        assert await connection.run_sync(differences) == []


async def test_a_column_too_many_would_be_noticed(store: Store) -> None:
    async with writing(store.engine) as connection:
        await connection.execute(text("ALTER TABLE clients ADD COLUMN extra INTEGER"))
    with pytest.raises(AssertionError):
        await test_the_tables_are_what_the_migrations_build(store)


async def test_upgrading_what_is_current_changes_nothing(store: Store) -> None:
    before = await store.trust()
    await store.upgrade()
    assert await store.trust() == before


async def test_replicas_may_upgrade_at_the_same_time(url: str, tmp_path: Path) -> None:
    replicas = [Store.open(url, tmp_path / "hub.key", StandingClock()) for _ in range(3)]
    await asyncio.gather(*(replica.upgrade() for replica in replicas))
    assert await replicas[0].is_current()
    for replica in replicas:
        await replica.close()


async def test_a_step_that_fails_leaves_the_store_as_it_was(empty: Store) -> None:
    async with writing(empty.engine) as connection:
        await connection.execute(text("CREATE TABLE audit (id INTEGER)"))
    with pytest.raises(Exception, match="audit"):
        await empty.upgrade()
    assert await tables(empty) == {"audit"}


async def test_a_store_made_by_a_newer_program_is_refused(store: Store) -> None:
    async with writing(store.engine) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'f00d'"))
    with pytest.raises(StoreFault, match="newer program"):
        await store.upgrade()
    assert not await store.is_current()


def test_the_scripts_are_found_beside_the_package_wherever_it_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(ScriptDirectory.from_config(migrate.config()).dir) == Path(migrations.__file__).parent
    assert migrate.head()
