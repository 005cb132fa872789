"""Latest values by key, kept in SQLite together with how far their stream has been read: one transaction, so that a message is neither
lost nor applied twice, whatever stops in between.

Synchronous; whoever calls it does so in a thread. Several stores may be open on one file. Must not know protocols.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path

from connectors.streams.messages import Batch, Message, Poison, Position, Row, Topic

DEAD = 1000  # messages of a topic that could not be taken and are kept for people to look at
DEAD_BYTES = 4096  # so much of each
_TABLES = """
CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS topics (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, layout TEXT NOT NULL, origin TEXT NOT NULL, sequences TEXT NOT NULL,
  change INTEGER NOT NULL, counts TEXT NOT NULL, heard REAL, whole INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS dead (
  topic INTEGER NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL, reason TEXT NOT NULL, place TEXT NOT NULL, size INTEGER NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (topic, number));
"""


@dataclass(frozen=True, slots=True)
class Keep:
    """How much is kept of each topic: ``count`` keys at most, each for ``age`` seconds after it was last heard of (0: for ever)."""

    count: int = 100_000
    age: float = 0.0


@dataclass(slots=True)
class Counts:
    """What became of the messages of a topic since it was first read. ``repeated`` came before, or say what is known; ``late`` came after a
    newer one of their key; ``dead`` could not be taken; ``missed`` is how often the stream no longer held what was to be read next."""

    applied: int = 0
    repeated: int = 0
    late: int = 0
    dead: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Dead:
    """One message that could not be taken: why, where, its size in bytes and its beginning."""

    at: float
    reason: str
    place: str
    size: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """One topic in the store. ``table`` holds its rows, in which ``c0`` … are ``topic.columns``."""

    id: int
    topic: Topic
    read: Callable[[Message], list[Row]] = field(repr=False)

    @property
    def table(self) -> str:
        return f"t{self.id}"


class Store:
    """One file. ``path`` is made with its folder; the connection may be used by one thread at a time."""

    def __init__(self, path: Path, keep: Keep, max_bytes: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._keep = keep
        self._max_bytes = max_bytes
        self.connection = connect(path)
        self.connection.executescript(_TABLES)
        with self._transaction():
            self.connection.execute("INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)", (uuid.uuid4().hex[:12],))
        self.identity: str = self.connection.execute("SELECT id FROM identity").fetchone()[0]

    def keep(self, topic: Topic) -> Kept:
        """The place of ``topic``, made or made over for the columns that it has now."""
        layout = json.dumps([topic.words.key, [(one.path, one.type) for one in topic.columns]])
        with self._transaction():
            found = self.connection.execute("SELECT id, layout FROM topics WHERE name = ?", (topic.name,)).fetchone()
            if found is None:
                empty = json.dumps({})
                made = self.connection.execute(
                    "INSERT INTO topics (name, layout, origin, sequences, change, counts) VALUES (?, ?, '', ?, 0, ?)",
                    (topic.name, layout, empty, empty),
                )
                kept = Kept(int(made.lastrowid or 0), topic, topic.reading(self._max_bytes))
                self._make(kept)
                return kept
            kept = Kept(found[0], topic, topic.reading(self._max_bytes))
            if found[1] != layout:
                self._make_over(kept)
                self.connection.execute("UPDATE topics SET layout = ? WHERE id = ?", (layout, kept.id))
            return kept

    def position(self, kept: Kept) -> tuple[Position, int, bool]:
        """How far its stream has been read, the number of the last change, and whether all that the stream once held has been read."""
        said = "SELECT origin, sequences, change, whole FROM topics WHERE id = ?"
        origin, sequences, change, whole = self.connection.execute(said, (kept.id,)).fetchone()
        return Position(origin, json.loads(sequences)), change, bool(whole)

    def apply(self, kept: Kept, batch: Batch, now: float) -> tuple[int, int]:
        """Take a batch in: (number of the last change, messages that could not be taken). Raises sqlite3.Error, and then nothing has
        happened."""
        with self._transaction():
            origin, sequences, change, counted, heard = self.connection.execute(
                "SELECT origin, sequences, change, counts, heard FROM topics WHERE id = ?", (kept.id,)
            ).fetchone()
            last: dict[str, int] = json.loads(sequences) if origin == batch.origin else {}
            counts = Counts(**json.loads(counted))
            dead_before = counts.dead
            counts.missed += batch.missed
            for message in batch.messages:
                if message.sequence is not None:
                    if message.sequence <= last.get(message.partition, -1):
                        counts.repeated += 1
                        continue
                    last[message.partition] = message.sequence
                heard = message.at or now
                try:
                    rows = kept.read(message)
                except Poison as poison:
                    counts.dead += 1
                    self._bury(kept, counts.dead, heard, poison, message)
                    continue
                for row in rows:
                    change = self._put(kept, row, change, heard, counts)
            self._trim(kept, now)
            said = json.dumps({one.name: getattr(counts, one.name) for one in fields(counts)})
            self.connection.execute(
                "UPDATE topics SET origin = ?, sequences = ?, change = ?, counts = ?, heard = ?, whole = MAX(whole, ?) WHERE id = ?",
                (batch.origin, json.dumps(last), change, said, heard, batch.current, kept.id),
            )
            return int(change), counts.dead - dead_before

    def counts(self, kept: Kept) -> tuple[Counts, float | None]:
        """What became of its messages, and when the last one was heard, in seconds since 1970."""
        said, heard = self.connection.execute("SELECT counts, heard FROM topics WHERE id = ?", (kept.id,)).fetchone()
        return Counts(**json.loads(said)), heard

    def dead(self, kept: Kept) -> list[Dead]:
        """The messages that could not be taken, the newest first; the last thousand."""
        found = self.connection.execute("SELECT at, reason, place, size, body FROM dead WHERE topic = ? ORDER BY number DESC", (kept.id,))
        return [Dead(*row) for row in found]

    def close(self) -> None:
        self.connection.close()

    def _put(self, kept: Kept, row: Row, change: int, heard: float, counts: Counts) -> int:
        """Keep a row unless it is older than what is there, or says what is known already; the number of the last change."""
        key = row.key or str(change + 1)
        there = self.connection.execute(f"SELECT mark, body FROM {kept.table} WHERE key = ?", (key,)).fetchone()
        if there is not None:
            if row.mark is not None and there[0] is not None and row.mark < there[0]:
                counts.late += 1
                return change
            if there[1] == row.body and (row.mark is None or row.mark == there[0]):
                # Said again. Where nothing numbers the messages, it may have been delivered twice; either way it is no news.
                counts.repeated += 1
                self.connection.execute(f"UPDATE {kept.table} SET at = MAX(at, ?) WHERE key = ?", (heard, key))
                return change
        counts.applied += 1
        values = (key, change + 1, heard, row.mark, row.body, *row.values)
        self.connection.execute(f"INSERT OR REPLACE INTO {kept.table} VALUES ({', '.join('?' * len(values))})", values)
        return change + 1

    def _bury(self, kept: Kept, number: int, heard: float, poison: Poison, message: Message) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO dead VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kept.id, number, heard, poison.reason, poison.place, len(message.body), message.body[:DEAD_BYTES]),
        )
        self.connection.execute("DELETE FROM dead WHERE topic = ? AND number <= ?", (kept.id, number - DEAD))

    def _trim(self, kept: Kept, now: float) -> None:
        if self._keep.age:
            self.connection.execute(f"DELETE FROM {kept.table} WHERE at < ?", (now - self._keep.age,))
        [size] = self.connection.execute(f"SELECT COUNT(*) FROM {kept.table}").fetchone()
        if size > self._keep.count:
            oldest = f"SELECT key FROM {kept.table} ORDER BY change LIMIT ?"
            self.connection.execute(f"DELETE FROM {kept.table} WHERE key IN ({oldest})", (size - self._keep.count,))

    def _make(self, kept: Kept) -> None:
        columns = "".join(f", c{at}" for at in range(len(kept.topic.columns)))
        self.connection.execute(f"CREATE TABLE {kept.table} (key TEXT PRIMARY KEY, change INTEGER, at REAL, mark, body BLOB{columns})")
        self.connection.execute(f"CREATE UNIQUE INDEX {kept.table}_change ON {kept.table} (change)")
        keys = [f"c{at}" for at, one in enumerate(kept.topic.columns) if one.path in kept.topic.words.key]
        if keys:
            self.connection.execute(f"CREATE INDEX {kept.table}_key ON {kept.table} ({', '.join(keys)})")

    def _make_over(self, kept: Kept) -> None:
        """The manifest reads the same messages otherwise than before: what is kept is read again. A row that no longer fits goes to the
        dead letters."""
        self.connection.execute(f"ALTER TABLE {kept.table} RENAME TO {kept.table}_before")
        for index in ("change", "key"):
            self.connection.execute(f"DROP INDEX IF EXISTS {kept.table}_{index}")
        self._make(kept)
        counts, _ = self.counts(kept)
        reading = Topic(kept.topic.words.of_row(), kept.topic.fields).reading(self._max_bytes)
        for key, change, at, mark, body in self.connection.execute(
            f"SELECT key, change, at, mark, body FROM {kept.table}_before ORDER BY change"
        ).fetchall():
            message = Message(body or b"{}", at=at)
            try:
                rows = reading(message) if body is not None else [Row(key, mark, None, (None,) * len(kept.topic.columns))]
            except Poison as poison:
                counts.dead += 1
                self._bury(kept, counts.dead, at, poison, message)
                continue
            for row in rows:
                values = (row.key or key, change, at, row.mark if row.mark is not None else mark, row.body, *row.values)
                self.connection.execute(f"INSERT OR REPLACE INTO {kept.table} VALUES ({', '.join('?' * len(values))})", values)
        self.connection.execute(f"DROP TABLE {kept.table}_before")
        said = json.dumps({one.name: getattr(counts, one.name) for one in fields(counts)})
        self.connection.execute("UPDATE topics SET counts = ? WHERE id = ?", (said, kept.id))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()


@dataclass(frozen=True, slots=True)
class Aside:
    """What a store says of one topic to people: ``heard`` when the last message came, in seconds since 1970; ``dead`` the newest first."""

    path: str
    type: str
    counts: Counts
    heard: float | None
    dead: tuple[Dead, ...]


def aside(path: Path) -> list[Aside]:
    """Every topic of a store's file by name, whether anybody writes to it or not. Raises sqlite3.Error."""
    with closing(connect(path, read_only=True)) as connection:
        found = []
        for id, name, counts, heard in connection.execute("SELECT id, name, counts, heard FROM topics ORDER BY name").fetchall():
            rows = connection.execute("SELECT at, reason, place, size, body FROM dead WHERE topic = ? ORDER BY number DESC", (id,))
            type_, _, topic = name.partition("@")
            found.append(Aside(topic, type_, Counts(**json.loads(counts)), heard, tuple(Dead(*row) for row in rows)))
        return found


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection to a store's file; a reader sees what is committed and never waits for the writer. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    # A commit is on the disk before the stream is told that its messages are.
    connection.execute("PRAGMA synchronous = FULL")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection
