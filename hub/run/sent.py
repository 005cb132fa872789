"""Answers of calls by key: those that are there and those that are on their way, and going on when the last has come.

A chunk of keys is answered once and may serve several questions; nobody waits for a future here. Knows no bindings, no calls and no time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from hub.run.layers import Fault
from hub.run.parts import Part, Whole
from hub.run.rows import Key, Rows, spans


@dataclass(slots=True)
class Answered:
    """One chunk's answer: native ``columns``, the rows ``at`` each key, and what went wrong for a key or for all. ``stale`` says of keys
    whose rows are those of an earlier answer, since the source does not answer now, how many seconds old that is."""

    columns: Mapping[str, list[Any]]
    at: Rows = field(default_factory=dict)
    faults: Mapping[Key, Fault] = field(default_factory=dict)
    fault: Fault | None = None
    stale: Mapping[Key, float] = field(default_factory=dict)
    _whole: dict[str, Whole] = field(default_factory=dict, init=False, compare=False, repr=False)

    def of(self, keys: Sequence[Key]) -> Answered:
        """The same for ``keys`` alone: no row of another's is in it."""
        if self.fault is not None:
            return self
        own = [self.at.get(key, ()) for key in keys]
        at = dict(zip(keys, spans(map(len, own)), strict=True))
        faults = {key: self.faults[key] for key in keys if key in self.faults} if self.faults else {}
        stale = {key: self.stale[key] for key in keys if key in self.stale} if self.stale else {}
        if len(own) == 1 and (isinstance(own[0], range) or len(own[0]) == 1):  # one key, whose rows lie together
            start, stop = own[0][0] if own[0] else 0, own[0][-1] + 1 if own[0] else 0
            whole = self._whole or self._shared()
            return Answered({name: Part(column, start, stop) for name, column in whole.items()}, at, faults, None, stale)
        rows = list(chain.from_iterable(own))
        return Answered({name: [column[row] for row in rows] for name, column in self.columns.items()}, at, faults, None, stale)

    def _shared(self) -> dict[str, Whole]:
        self._whole.update((name, Whole(column)) for name, column in self.columns.items())
        return self._whole


class Sent:
    """A chunk of keys on its way. ``answers`` has what holds each key as soon as it is there."""

    __slots__ = ("_error", "_then", "answers")

    def __init__(self) -> None:
        self.answers: Mapping[Key, Answered] | None = None
        self._error: BaseException | None = None
        self._then: list[Callable[[], None]] = []

    @property
    def done(self) -> bool:
        return self.answers is not None or self._error is not None

    def settle(self, answers: Mapping[Key, Answered]) -> None:
        """The answer has come; the first one counts."""
        if not self.done:
            self.answers = answers
            self._go_on()

    def fail(self, error: BaseException) -> None:
        """A mistake of the program: ``result`` raises it."""
        if not self.done:
            self._error = error
            self._go_on()

    def _go_on(self) -> None:
        then, self._then = self._then, []
        for go_on in then:
            go_on()

    def then(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` when it is there; it must not raise."""
        if self.done:
            go_on()
        else:
            self._then.append(go_on)

    def result(self) -> Mapping[Key, Answered]:
        """The answers of a chunk that is done."""
        if self.answers is None:
            raise self._error or RuntimeError("the answer is not there yet")
        return self.answers

    def withdraw(self) -> None:
        """Nobody waits for it here any more."""
        self._then = []


class Alone(Sent):
    """A chunk with a call of its own."""

    __slots__ = ("_task",)

    def __init__(self, work: Coroutine[None, None, Mapping[Key, Answered]], context: Context) -> None:
        super().__init__()
        self._task = asyncio.get_running_loop().create_task(work, context=context)
        self._task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[Mapping[Key, Answered]]) -> None:
        if not task.cancelled():
            error = task.exception()
            if error is not None:
                self.fail(error)
            else:
                self.settle(task.result())

    def withdraw(self) -> None:
        super().withdraw()
        self._task.cancel()


class Awaited(Protocol):
    """Something that will be there."""

    def then(self, go_on: Callable[[], None]) -> None: ...


def when_all(some: Sequence[Awaited], go_on: Callable[[], None]) -> None:
    """Call ``go_on`` when all of ``some`` are there: at once, or when the last has come."""
    if len(some) == 1:
        return some[0].then(go_on)
    left = len(some)

    def one_less() -> None:
        nonlocal left
        left -= 1
        if not left:
            go_on()

    for each in some:
        each.then(one_less)
    if not some:
        go_on()


class Answering:
    """Answers of several chunks, some of them still to come."""

    __slots__ = ("_chunks", "_keys")

    def __init__(self, keys: Iterable[Key], chunks: Sequence[Sent]) -> None:
        self._keys = keys
        self._chunks = chunks

    def then(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` when all are there: at once, or when the last has come."""
        when_all(self._chunks, go_on)

    def answers(self) -> Mapping[Key, Answered]:
        """What holds each key, when all are there. Raises what a chunk raised."""
        if len(self._chunks) == 1:
            return self._chunks[0].result()
        found: dict[Key, Answered] = {}
        for chunk in self._chunks:
            found.update(chunk.result())
        return {key: found[key] for key in self._keys}
