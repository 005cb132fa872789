"""Keys into calls, answers into rows: unique keys, chunks no longer than a relation takes, answers checked against the question.

An answer is trusted in nothing: a row for a key that nobody asked, a column that is missing or too short, two rows where one was due
become errors, never a shifted row. Knows the connector interface and one request's memory, not plans' outputs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from graphql import GraphQLOutputType

from connectors.spi import Ask, Call, Condition, Field, Order, Page, Plan, SourceError
from hub.run.convert import canonical, native
from hub.run.layers import Fault, Fetched
from hub.run.sources import Sources
from schema.registry import Binding

Key = tuple[Any, ...]


@dataclass(slots=True)
class Answered:
    """One chunk's answer: native ``columns``, the rows ``at`` each key, and what went wrong for a key or for all."""

    columns: Mapping[str, list[Any]]
    at: Mapping[Key, list[int]] = field(default_factory=dict)
    faults: Mapping[Key, Fault] = field(default_factory=dict)
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Which rows of each key are wanted, when not all: see ``hub.run.cut``. ``params`` are the values of its names."""

    where: tuple[Condition, ...]
    order: tuple[Order, ...]
    after: tuple[str | None, ...]
    limit: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What a chunk asks: a binding, the columns wanted, the types of its key, parameters besides keys, and perhaps a cut for each key."""

    binding: Binding
    columns: tuple[str, ...]
    types: tuple[GraphQLOutputType, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    cut: Cut | None = None

    @property
    def plain(self) -> bool:
        """Whether an answer is the same whoever asks, so that keys that were asked need not be asked again."""
        return not self.params and self.cut is None


class Shared(Protocol):
    """Calls that several requests share; see ``hub.run.coalesce``."""

    def shares(self, question: Question) -> bool: ...

    async def rows(self, question: Question, keys: Sequence[Key], deadline: float, request_id: str) -> Mapping[Key, Answered]: ...


class Asked:
    """One request's memory of keys asked: no key is sent twice to one binding. Tasks end with the request."""

    def __init__(self, sources: Sources, deadline: float, request_id: str, principal: str = "", shared: Shared | None = None) -> None:
        self._sources = sources
        self._deadline = deadline
        self._request_id = request_id
        self._principal = principal
        self._shared = shared
        self._known: dict[str, dict[Key, asyncio.Task[Mapping[Key, Answered]]]] = {}
        self._tasks: list[asyncio.Task[Mapping[Key, Answered]]] = []
        self.systems: set[str] = set()

    def cancel(self) -> None:
        """End what is still under way; the request is over."""
        for task in self._tasks:
            task.cancel()

    async def rows(self, question: Question, keys: Iterable[Key | None]) -> Mapping[Key, Answered]:
        """The answer that holds each of ``keys``; new keys are sent in chunks, all at once."""
        binding = question.binding
        known = self._known.setdefault(binding.id, {}) if question.plain else {}
        wanted = dict.fromkeys(key for key in keys if key is not None)
        new = [key for key in wanted if key not in known]
        size = max(1, binding.relation.max_keys)
        for start in range(0, len(new), size):
            chunk = new[start : start + size]
            task = asyncio.create_task(self._answers(question, chunk))
            self._tasks.append(task)
            known.update(dict.fromkeys(chunk, task))
        tasks = {known[key] for key in wanted}
        if tasks:
            await asyncio.wait(tasks)
        return {key: known[key].result()[key] for key in wanted}

    async def _answers(self, question: Question, chunk: Sequence[Key]) -> Mapping[Key, Answered]:
        self.systems.add(question.binding.system)
        if self._shared is None or not self._shared.shares(question):
            return dict.fromkeys(chunk, await ask(self._sources, question, chunk, self._deadline, self._request_id, self._principal))
        try:
            return await self._shared.rows(question, chunk, self._deadline, self._request_id)
        except SourceError as error:
            return dict.fromkeys(chunk, Answered({}, fault=Fault.of(error)))


async def ask(
    sources: Sources, question: Question, chunk: Sequence[Key], deadline: float, request_id: str, principal: str = ""
) -> Answered:
    """One call for the keys of ``chunk``, at most as many as the relation takes. A failure is in the answer."""
    binding, types = question.binding, question.types
    relation = binding.relation
    fields = [relation.field(name) for name in relation.keys]
    chunk, written = _written(chunk, types, fields)
    if not chunk:
        return Answered({column.name: [] for column in relation.select(question.columns)})
    try:
        wanted = tuple(name for name in question.columns if name not in relation.keys)
        plan, params = _planned(sources, question, wanted)
        pages = await sources.pages(binding.system, plan, Call(params, written, deadline, principal, request_id))
        return _checked(binding, plan, types, chunk, written, pages)
    except SourceError as error:
        return Answered({}, fault=Fault.of(error))


def _planned(sources: Sources, question: Question, columns: tuple[str, ...]) -> tuple[Plan, Mapping[str, Any]]:
    """The plan of a question and its parameters. A cut that the source cannot make whole is not made there at all."""
    binding, relation, cut = question.binding, question.binding.relation, question.cut
    ask = Ask(relation.name, columns, by=relation.keys, args=tuple(question.params))
    if cut is not None:
        whole = replace(ask, where=cut.where, order=cut.order, after=cut.after, limit=cut.limit)
        plan = sources.plan(binding.system, whole, relation)
        if plan.rest == Ask(relation.name):
            return plan, {**question.params, **cut.params}
    return sources.plan(binding.system, ask, relation), question.params


def _written(chunk: Sequence[Key], types: Sequence[GraphQLOutputType], fields: Sequence[Field]) -> tuple[list[Key], list[Key]]:
    """Keys the source's way, and beside them the canonical ones. A key that does not read back as it was (``07`` in a column of numbers)
    has no row there and is left out."""
    there, back = [], []
    for values, kind, column in zip(zip(*chunk, strict=True), types, fields, strict=True):
        there.append([native(value, kind, column) for value in values])
        back.append(canonical(there[-1], kind, column).values)
    keys = zip(chunk, zip(*there, strict=True), zip(*back, strict=True), strict=True)
    kept = [(key, written) for key, written, read in keys if key == read]
    return [key for key, _ in kept], [written for _, written in kept]


def join(pages: Sequence[Page], plan: Plan) -> dict[str, list[Any]]:
    """The columns of all pages, end to end. Raises SourceError (broken) when one is missing or has the wrong length."""
    for page in pages:
        for column in plan.fields:
            if len(page.columns.get(column.name, ())) != page.size:
                raise SourceError("broken", "a column is missing", source="", relation=plan.relation.name, detail=column.name)
    if len(pages) == 1:
        return pages[0].columns
    return {column.name: [value for page in pages for value in page.columns[column.name]] for column in plan.fields}


def _checked(
    binding: Binding, plan: Plan, types: tuple[GraphQLOutputType, ...], asked: Sequence[Key], written: Sequence[Key], pages: Sequence[Page]
) -> Answered:
    columns = join(pages, plan)
    relation = binding.relation
    parts = [canonical(columns[name], kind, relation.field(name)).values for name, kind in zip(relation.keys, types, strict=True)]
    at: dict[Key, list[int]] = {key: [] for key in asked}
    for row, key in enumerate(zip(*parts, strict=True)):
        rows = at.get(key)
        if rows is None:
            raise SourceError("broken", "a row that nobody asked for", source=binding.system, relation=plan.relation.name)
        rows.append(row)
    back = dict(zip(written, asked, strict=True))
    faults = {back[key]: Fault.of(error) for page in pages for key, error in page.faults.items() if key in back}
    if not binding.many:
        faults |= {key: Fault("SYSTEM_BROKEN", system=binding.system) for key, rows in at.items() if len(rows) > 1}
    return Answered(columns, at, faults)


def align(
    binding: Binding, columns: tuple[str, ...], keys: Sequence[Key | None], faults: dict[int, Fault], answers: Mapping[Key, Answered]
) -> Fetched:
    """Bring answers into the order of a layer's rows; ``faults`` are those of the keys themselves, and are added to."""
    for row, key in enumerate(keys):
        if key is not None:
            answered = answers[key]
            fault = answered.fault or answered.faults.get(key)
            if fault is not None:
                faults[row] = fault
    names = [column.name for column in binding.relation.select(columns)]
    if binding.many:
        return _grouped(names, keys, faults, answers)
    where = [
        None if key is None or row in faults else (answers[key], answers[key].at[key][0]) if answers[key].at.get(key) else None
        for row, key in enumerate(keys)
    ]
    aligned = {name: [None if place is None else place[0].columns[name][place[1]] for place in where] for name in names}
    return Fetched(aligned, [place is not None for place in where], faults)


def _grouped(names: Sequence[str], keys: Sequence[Key | None], faults: dict[int, Fault], answers: Mapping[Key, Answered]) -> Fetched:
    """List rows of several chunks laid end to end, and which of them belong to which row of the layer."""
    offsets: dict[int, int] = {}
    joined: dict[str, list[Any]] = {name: [] for name in names}
    for answered in answers.values():
        if id(answered) not in offsets and answered.fault is None:
            offsets[id(answered)] = len(joined[names[0]])
            for name in names:
                joined[name].extend(answered.columns[name])
    groups: list[Sequence[int] | None] = []
    for row, key in enumerate(keys):
        if key is None or row in faults:
            groups.append(None)
        else:
            offset, rows = offsets[id(answers[key])], answers[key].at.get(key, [])
            groups.append(rows if not offset else [offset + place for place in rows])
    return Fetched(joined, [group is not None for group in groups], faults, groups)
