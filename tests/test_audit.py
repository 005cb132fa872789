"""The audit log: commits are shared, nothing is lost, and a store that fails is heard by exactly those who waited for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.audit import LARGEST_BATCH, AuditLog, AuditQuery, AuditRecord, AuditUnavailable
from hub.clock import SystemClock
from hub.store import Store

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)


class NoonClock(SystemClock):
    def now(self) -> datetime:
        return NOON


class Shelf:
    """A store whose commits last until they are let go; ``commits`` are the request ids of each."""

    def __init__(self, gated: bool = False) -> None:
        self.commits: list[list[str]] = []
        self.records: list[AuditRecord] = []
        self.begun = 0
        self.gate = asyncio.Event()
        self.fault: BaseException | None = None
        if not gated:
            self.gate.set()

    async def append_audit(self, records: Sequence[AuditRecord]) -> None:
        self.begun += 1
        await asyncio.sleep(0)
        await self.gate.wait()
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.commits.append([record.request_id for record in records])
        self.records += records

    async def audit_records(self, query: AuditQuery) -> Sequence[AuditRecord]:
        return [record for record in reversed(self.records) if query.client in (None, record.client)][: query.limit]


def asked(name: object) -> AuditRecord:
    return AuditRecord(str(name), "shanghai", "partner", "", "0" * 64)


@asynccontextmanager
async def running(shelf: Shelf) -> AsyncIterator[AuditLog]:
    log = AuditLog(shelf, NoonClock())
    await log.start()
    yield log
    shelf.gate.set()
    await log.stop()


async def turns(number: int = 10) -> None:
    """Let everything that can go on go on."""
    for _ in range(number):
        await asyncio.sleep(0)


async def test_two_hundred_answers_at_once_share_a_few_commits() -> None:
    shelf = Shelf()
    async with running(shelf) as log:
        await asyncio.gather(*(log.append(asked(number)) for number in range(200)))
    assert len(shelf.commits) <= 3
    assert sorted(int(name) for commit in shelf.commits for name in commit) == list(range(200))


async def test_answers_that_trickle_in_share_the_next_commit() -> None:
    """Two hundred callers, each arriving a turn of the loop after the one before."""
    shelf = Shelf()

    async def caller(number: int) -> None:
        await turns(number)
        await log.append(asked(number))

    async with running(shelf) as log:
        await asyncio.gather(*(caller(number) for number in range(200)))
    assert len(shelf.commits) < 120
    assert sorted(int(name) for commit in shelf.commits for name in commit) == list(range(200))


async def test_records_that_arrive_while_a_commit_is_in_flight_form_the_next() -> None:
    shelf = Shelf(gated=True)
    async with running(shelf) as log:
        first = asyncio.create_task(log.append(asked("a")))
        await turns()
        rest = [asyncio.create_task(log.append(asked(name))) for name in "bcd"]
        await turns()
        assert shelf.begun == 1
        assert not any(task.done() for task in (first, *rest))
        shelf.gate.set()
        await asyncio.gather(first, *rest)
    assert shelf.commits == [["a"], ["b", "c", "d"]]


async def test_append_returns_only_when_its_own_commit_is_done() -> None:
    shelf = Shelf(gated=True)
    async with running(shelf) as log:
        waiting = asyncio.create_task(log.append(asked("a")))
        await turns(50)
        assert not waiting.done()
        assert shelf.commits == []
        shelf.gate.set()
        await waiting
        assert shelf.commits == [["a"]]


async def test_one_caller_alone_waits_for_no_timer() -> None:
    shelf = Shelf()
    async with running(shelf) as log:
        for number in range(5):
            await log.append(asked(number))
    assert shelf.commits == [["0"], ["1"], ["2"], ["3"], ["4"]]


async def test_a_failing_store_is_heard_by_exactly_those_of_its_commit() -> None:
    shelf = Shelf(gated=True)
    shelf.fault = OSError("disk full")
    async with running(shelf) as log:
        first = [asyncio.create_task(log.append(asked(name))) for name in "ab"]
        await turns()
        later = [asyncio.create_task(log.append(asked(name))) for name in "cd"]
        await turns()
        shelf.gate.set()
        heard = await asyncio.gather(*first, *later, return_exceptions=True)
    assert [type(what) for what in heard] == [AuditUnavailable, AuditUnavailable, type(None), type(None)]
    assert isinstance(heard[0], AuditUnavailable)
    assert isinstance(heard[0].__cause__, OSError)
    assert shelf.commits == [["c", "d"]]


async def test_whatever_the_store_raises_the_writer_goes_on() -> None:
    shelf = Shelf()
    async with running(shelf) as log:
        for fault in (ValueError("bad"), asyncio.CancelledError(), RuntimeError("worse")):
            shelf.fault = fault
            with pytest.raises(AuditUnavailable):
                await log.append(asked("x"))
        await log.append(asked("y"))
    assert shelf.commits == [["y"]]


async def test_nothing_waiting_is_lost_on_stop() -> None:
    shelf = Shelf(gated=True)
    log = AuditLog(shelf, NoonClock())
    await log.start()
    waiting = [asyncio.create_task(log.append(asked(number))) for number in range(LARGEST_BATCH + 20)]
    await turns()
    stopping = asyncio.create_task(log.stop())
    await turns()
    assert not stopping.done()
    shelf.gate.set()
    await asyncio.gather(stopping, *waiting)
    assert sorted(int(name) for commit in shelf.commits for name in commit) == list(range(LARGEST_BATCH + 20))
    assert max(len(commit) for commit in shelf.commits) <= LARGEST_BATCH


async def test_a_log_that_is_stopped_or_never_started_takes_no_record() -> None:
    log = AuditLog(Shelf(), NoonClock())
    with pytest.raises(AuditUnavailable, match="not running"):
        await log.append(asked("a"))
    await log.start()
    await log.append(asked("b"))
    await log.stop()
    with pytest.raises(AuditUnavailable, match="not running"):
        await log.append(asked("c"))
    await log.start()
    await log.append(asked("d"))
    await log.stop()
    await log.stop()


async def test_a_caller_that_goes_away_takes_nothing_with_it() -> None:
    shelf = Shelf(gated=True)
    async with running(shelf) as log:
        gone = asyncio.create_task(log.append(asked("gone")))
        stays = asyncio.create_task(log.append(asked("stays")))
        await turns()
        gone.cancel()
        await turns()
        shelf.gate.set()
        await stays
    assert gone.cancelled()
    assert shelf.commits == [["gone", "stays"]]


async def test_a_writer_that_is_killed_leaves_nobody_waiting() -> None:
    shelf = Shelf(gated=True)
    log = AuditLog(shelf, NoonClock())
    await log.start()
    waiting = [asyncio.create_task(log.append(asked(name))) for name in "ab"]
    await turns()
    waiting.append(asyncio.create_task(log.append(asked("c"))))
    await turns()
    (writer,) = (task for task in asyncio.all_tasks() if task.get_name() == "audit")
    writer.cancel()
    heard = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(what) for what in heard] == [AuditUnavailable] * 3
    with pytest.raises(AuditUnavailable, match="not running"):
        await log.append(asked("d"))
    shelf.gate.set()
    await log.stop()


async def test_a_stop_that_is_given_up_leaves_nobody_waiting() -> None:
    shelf = Shelf(gated=True)
    log = AuditLog(shelf, NoonClock())
    await log.start()
    waiting = asyncio.create_task(log.append(asked("a")))
    await turns()
    stopping = asyncio.create_task(log.stop())
    await turns()
    stopping.cancel()
    with pytest.raises(AuditUnavailable):
        await waiting
    shelf.gate.set()
    await turns()


async def test_a_store_that_does_not_keep_up_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.audit.MOST_WAITING", 3)
    shelf = Shelf(gated=True)
    async with running(shelf) as log:
        taken = [asyncio.create_task(log.append(asked("in flight")))]
        await turns()
        taken += [asyncio.create_task(log.append(asked(number))) for number in range(3)]
        await turns()
        with pytest.raises(AuditUnavailable, match="too many"):
            await log.append(asked("one too many"))
        shelf.gate.set()
        await asyncio.gather(*taken)


async def test_a_record_is_stamped_unless_it_says_when() -> None:
    shelf = Shelf()
    early = datetime(2020, 1, 1, tzinfo=UTC)
    async with running(shelf) as log:
        await log.append(asked("a"))
        await log.append(AuditRecord("b", "", "anonymous", "", "0" * 64, at=early))
        assert [record.at for record in await log.records()] == [early, NOON]
        assert [record.request_id for record in await log.records(AuditQuery(client="shanghai"))] == ["a"]


async def test_over_the_real_store_a_thousand_answers_are_all_there(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/hub.db", tmp_path / "hub.key")
    await store.upgrade()
    log = AuditLog(store, SystemClock())
    await log.start()
    await asyncio.gather(*(log.append(asked(number)) for number in range(1000)))
    await log.stop()
    found = await log.records(AuditQuery(limit=2000))
    assert sorted(int(record.request_id) for record in found) == list(range(1000))
    assert [record.id for record in found] == list(range(1000, 0, -1))
    await store.close()
    reopened = Store.open(f"sqlite:///{tmp_path}/hub.db", tmp_path / "hub.key")
    assert len(await reopened.audit_records(AuditQuery(limit=2000))) == 1000
    await reopened.close()
