"""One topic kept from a stream whose every step the test decides: when a question may be answered, and what the stream is told when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from connectors.spi import SourceError
from connectors.streams import keeper as keeping
from connectors.streams.keeper import Keeper
from connectors.streams.messages import Batch, Message, Position, Topic
from connectors.streams.store import Keep, Store
from tests.connectors.messages import body
from tests.connectors.test_streams import relation

TOPIC = Topic.of(relation("steps"))
Watch = Callable[[Position], AsyncIterator[Batch]]


@asynccontextmanager
async def kept(folder: Path, watch: Watch) -> AsyncIterator[Keeper]:
    async def soon(seconds: float) -> None:
        await asyncio.sleep(0)

    store = Store(folder / "s.sqlite", Keep(), 1024)
    try:
        with ThreadPoolExecutor(1) as writing:
            made = Keeper(store, store.keep(TOPIC), watch, writing, sleep=soon)
            try:
                yield made
            finally:
                await made.close()
    finally:
        store.close()  # after the last that its thread had to write


def said(number: int) -> Message:
    return Message(body(f"K{number}"), sequence=number)


async def waits(keeper: Keeper) -> bool:
    """Whether a question has to wait."""
    ready = asyncio.ensure_future(keeper.ready())
    await asyncio.wait({ready}, timeout=0.1)
    done = ready.done()
    ready.cancel()
    return not done


async def test_half_of_what_a_stream_held_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PATIENCE", 0.01)
    taken, more = asyncio.Event(), asyncio.Event()

    async def watch(position: Position) -> AsyncIterator[Batch]:
        yield Batch([said(1)], origin="a")
        taken.set()
        await more.wait()
        yield Batch([said(2)], origin="a", current=True)
        await asyncio.Event().wait()

    async with kept(tmp_path, watch) as keeper:
        await taken.wait()
        assert await waits(keeper), "the stream held two when it was joined, and one has come"
        more.set()
        assert not await waits(keeper)


async def test_half_of_it_is_none_after_a_restart_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PATIENCE", 0.01)
    taken = asyncio.Event()

    async def half(position: Position) -> AsyncIterator[Batch]:
        yield Batch([said(1)], origin="a")
        taken.set()
        await asyncio.Event().wait()

    async def gone(position: Position) -> AsyncIterator[Batch]:
        if position == Position("a", {"": 1}):
            raise SourceError("down", "nobody is there")
        yield Batch()

    async with kept(tmp_path, half):
        await taken.wait()
    async with kept(tmp_path, gone) as keeper:
        with pytest.raises(SourceError, match="nobody is there"):
            await keeper.ready()


async def test_the_stream_is_told_after_the_store_has_committed(tmp_path: Path) -> None:
    told: list[int] = []
    end = asyncio.Event()

    async def watch(position: Position) -> AsyncIterator[Batch]:
        async def done() -> None:
            with closing(Store(tmp_path / "s.sqlite", Keep(), 1024)) as other:
                told.append(other.counts(keeper.kept)[0].applied)
            end.set()

        yield Batch([said(1), said(2)], done, origin="a", current=True)
        await asyncio.Event().wait()

    async with kept(tmp_path, watch) as keeper:
        await end.wait()
    assert told == [2], "another connection saw both rows when the stream was told"


async def test_a_batch_that_was_not_acknowledged_comes_again_and_changes_nothing(tmp_path: Path) -> None:
    joined: list[Position] = []
    end = asyncio.Event()

    async def watch(position: Position) -> AsyncIterator[Batch]:
        joined.append(position)

        async def lost() -> None:
            raise SourceError("down", "the connection broke before this was heard")

        yield Batch([said(1), said(2)], lost if len(joined) == 1 else end_of, origin="a", current=True)
        await asyncio.Event().wait()

    async def end_of() -> None:
        end.set()

    async with kept(tmp_path, watch) as keeper:
        await end.wait()
        counts = (await keeper.state()).counts
    assert joined == [Position(), Position("a", {"": 2})]
    assert (counts.applied, counts.repeated) == (2, 2)


async def test_what_a_driver_raises_ends_no_watch(tmp_path: Path) -> None:
    tries: list[int] = []
    joined = asyncio.Event()

    async def watch(position: Position) -> AsyncIterator[Batch]:
        tries.append(len(tries))
        if len(tries) == 1:
            raise RuntimeError("a mistake")
        if len(tries) == 2:
            raise asyncio.CancelledError  # some drivers cancel what waits for a connection that broke

        async def done() -> None:
            joined.set()

        yield Batch((), done, origin="a", current=True)
        await asyncio.Event().wait()

    async with kept(tmp_path, watch) as keeper:
        async with asyncio.timeout(20):
            await joined.wait()
            await keeper.ready()
    assert len(tries) == 3
