"""When deliveries come: looked for every so often, brought, copied, put in the place of the one before; and which one is read now.

One look at a time for each file, whoever asks; who finds a copy there does not wait long for a newer one. A delivery that cannot be
taken leaves the one before in its place, and is told of. Must not know relations or statements.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from connectors.files import due
from connectors.files.deliver import Copy, make_copy
from connectors.files.duck import Cursor, Duck
from connectors.files.entries import Entry
from connectors.files.remote import Remote
from connectors.files.shelf import Refusal, Shelf, remembered
from connectors.files.words import FilesSettings, Source, last
from connectors.spi import SourceError

_PATIENCE = 0.5  # of the time that a call has left, for a newer delivery where there is one to answer from
_LISTING, _BRINGING = 20.0, 1800.0  # seconds that a folder may take


@dataclass(frozen=True, slots=True)
class Standing:
    """How one file stands: the delivery that is read (None: there is none), and what is wrong, if anything."""

    file: str
    copy: Copy | None
    trouble: SourceError | None


@dataclass(slots=True)
class _Watch:
    """One file that is looked for."""

    shelf: Shelf
    looked: float | None = None
    looking: asyncio.Task[None] | None = None
    slow: bool = False  # somebody has waited for this look in vain
    needs: set[str] = field(default_factory=set)
    trouble: SourceError | None = None


class Arrivals:
    """All files of one system."""

    def __init__(self, settings: FilesSettings, folder: Path, remote: Remote, duck: Duck, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._folder = folder
        self._remote = remote
        self._duck = duck
        self._now = now
        self._nulls = frozenset(settings.nulls)
        self._watches: dict[Source, _Watch] = {}
        self._recalled = False

    async def current(self, source: Source, needs: frozenset[str], deadline: float | None = None) -> Copy:
        """The delivery to read. ``needs`` are columns in use from now on. Raises SourceError when there is none, saying why."""
        watch = self._watch(source)
        watch.needs |= needs
        loop = asyncio.get_running_loop()
        self._begin(source, watch)
        if watch.looking is not None and not (watch.slow and watch.shelf.current):
            # Who finds a copy there gives a newer one half of the time it has, and leaves the other half to the question itself. When one
            # has waited in vain, others do not.
            enough = None if watch.shelf.current is None or deadline is None else loop.time() + _PATIENCE * (deadline - loop.time())
            try:
                async with asyncio.timeout_at(enough):
                    await asyncio.shield(watch.looking)
            except TimeoutError:
                watch.slow = True
        if watch.shelf.current is None:
            raise watch.trouble or SourceError("missing", "The file has not been delivered.")
        return watch.shelf.current

    @contextlib.contextmanager
    def reading(self, source: Source, copy: Copy) -> Iterator[Path]:
        """The file of a copy, which stays there meanwhile."""
        with self._watch(source).shelf.reading(copy) as file:
            yield file

    def standing(self) -> tuple[Standing, ...]:
        """By name; a file whose next delivery is late says so before what else is wrong with it. Files that were asked for before this
        process began count too."""
        if not self._recalled:
            self._recalled = True
            for source in remembered(self._folder):
                if source not in self._watches:
                    self._watch(replace(source, expect_by=self._settings.expect_by or source.expect_by))
        found = []
        for watch in self._watches.values():
            source, copy, trouble = watch.shelf.source, watch.shelf.current, watch.trouble
            seen = datetime.fromisoformat(copy.seen) if copy is not None else None
            if due.late(source.expect_by, seen, self._now()):
                detail = f"{source.file}: expected by {source.expect_by}, last seen {copy.seen if copy is not None else 'never'}"
                trouble = SourceError("missing", "A delivery is late.", detail=detail, code="LATE")
            found.append(Standing(source.file, copy, trouble))
        return tuple(sorted(found, key=lambda one: one.file))

    def stir(self) -> None:
        """Look for every delivery for which it is time, without waiting."""
        for source, watch in self._watches.items():
            self._begin(source, watch)

    async def close(self) -> None:
        """Ends what is under way. Safe to call twice."""
        tasks = [watch.looking for watch in self._watches.values() if watch.looking is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, source: Source, watch: _Watch) -> None:
        """Begin to look, if it is time and nobody does."""
        loop = asyncio.get_running_loop()
        if watch.looking is not None or (watch.looked is not None and loop.time() - watch.looked < self._settings.every):
            return
        watch.looked, watch.slow = loop.time(), False
        watch.looking = loop.create_task(self._look(source, watch))

    def _watch(self, source: Source) -> _Watch:
        found = self._watches.get(source)
        if found is None:
            shelf = Shelf(self._folder / source.place, source, self._settings.keep)
            shelf.load()
            found = self._watches[source] = _Watch(shelf)
        found.shelf.source = source  # when it is expected may be said anew
        return found

    async def _look(self, source: Source, watch: _Watch) -> None:
        """Look for a delivery, and take it if it is new. What goes wrong is kept for those who ask."""
        try:
            watch.trouble = await self._taken(source, watch)
        except SourceError as error:
            watch.trouble = error
        except OSError as error:  # the hub's own disk
            watch.trouble = SourceError("busy", "The hub has no room for the file.", detail=type(error).__name__)
        finally:
            watch.looking = None

    async def _taken(self, source: Source, watch: _Watch) -> SourceError | None:
        """What is wrong though nothing failed: a delivery that was refused before lies there still."""
        shelf = watch.shelf
        async with asyncio.timeout(_LISTING):
            entry = await self._newest(source)
        shelf.load()
        needs = tuple(sorted(watch.needs))
        if shelf.current is not None and (shelf.current.name, shelf.current.mark) == (entry.name, entry.mark):
            return None
        refused = shelf.refused
        if refused is not None and refused.mark == entry.mark and (refused.code != "COLUMN_GONE" or refused.needs == needs):
            return _again(refused)
        if entry.size > self._settings.max_bytes:
            error = SourceError("broken", "The file is too large.", detail=f"over {self._settings.max_bytes} bytes", code="TOO_LARGE")
        else:
            try:
                await self._take(source, watch, entry)
                return None
            except SourceError as failed:
                if failed.kind != "broken":
                    raise
                error = failed
        shelf.make()
        shelf.refuse(Refusal(entry.mark, error.kind, error.message, error.detail, error.code, needs))
        raise error

    async def _newest(self, source: Source) -> Entry:
        """The delivery that lies there. Raises SourceError (missing)."""
        try:
            found = {one.name: one for one in await self._remote.list(source.folder)}
        except TimeoutError:
            raise SourceError("slow", "The folder did not answer in time.") from None
        except SourceError as error:
            if error.kind == "missing":
                raise SourceError("down", error.message, detail=error.detail) from None
            raise
        ready = self._settings.ready
        names = [name for name in found if source.fits(name) and (not ready or name + ready in found)]
        if not names:
            raise SourceError("missing", "The file has not been delivered.", detail=source.file)
        return found[last(names)]

    async def _take(self, source: Source, watch: _Watch, entry: Entry) -> None:
        shelf, now = watch.shelf, self._now()
        shelf.make()
        before = shelf.current
        stem = f"{now:%Y%m%dT%H%M%S}-{os.urandom(4).hex()}"
        incoming = shelf.folder / f"{stem}.incoming"
        # Columns that the delivery before it had and that are in use; others were never there, and are asked for in vain anyway.
        needs = frozenset(watch.needs & {*before.columns}) if before is not None else frozenset()
        made = Copy(entry.name, entry.mark, now.isoformat(timespec="seconds"), stem, 0, 0, ())
        try:
            async with asyncio.timeout(_BRINGING):
                await self._remote.bring(source.folder, entry, incoming)
            os.chmod(incoming, 0o600)

            def copy(cursor: Cursor) -> Copy:
                with _alone(shelf.folder):
                    most = self._settings.max_bytes
                    return make_copy(cursor, incoming, source, made, shelf.folder, nulls=self._nulls, most=most, needs=needs)

            found = await self._duck.run(copy)
        except TimeoutError:
            raise SourceError("slow", "The folder did not answer in time.") from None
        finally:
            incoming.unlink(missing_ok=True)
        if before is not None and before.ended and not found.ended and source.format in ("CSV", "JSONL"):
            for file in found.files(shelf.folder):
                file.unlink(missing_ok=True)
            detail = "the one before ended with a line end, this one does not"
            raise SourceError("broken", "The file was cut off.", detail=detail, code="CUT_OFF")
        shelf.add(found)


def _again(refusal: Refusal) -> SourceError:
    return SourceError("broken", refusal.message, detail=refusal.detail, code=refusal.code)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time works in a folder; the lock goes with the process."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
