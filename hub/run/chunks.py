"""Keys into calls, answers into rows: unique keys, chunks no longer than a relation takes, answers checked against the question.

An answer is trusted in nothing: a row for a key that nobody asked, a column that is missing or too short, two rows where one was due
become errors, never a shifted row. Knows the connector interface and one request's memory, not plans' outputs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, repeat
from typing import Any, Protocol

from graphql import GraphQLOutputType

from connectors.spi import Ask, Call, Field, Page, Plan, SourceError
from hub.run.convert import canonical, natives
from hub.run.layers import Fault, Fetched
from hub.run.rows import NOWHERE, Columns, Key, Rows, all_of, by_key, one_each
from hub.run.sources import Sources
from schema.registry import Binding


@dataclass(slots=True)
class Answered:
    """One chunk's answer: native ``columns``, the rows ``at`` each key, and what went wrong for a key or for all."""

    columns: Mapping[str, list[Any]]
    at: Rows = field(default_factory=dict)
    faults: Mapping[Key, Fault] = field(default_factory=dict)
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a chunk asks: a binding, the columns wanted, the types of its key, and parameters besides keys."""

    binding: Binding
    columns: tuple[str, ...]
    types: tuple[GraphQLOutputType, ...]
    params: Mapping[str, Any] = field(default_factory=dict)


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
        known = self._known.setdefault(binding.id, {}) if not question.params else {}
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
        plan = sources.plan(binding.system, Ask(relation.name, wanted, by=relation.keys, args=tuple(question.params)), relation)
        pages = await sources.pages(binding.system, plan, Call(question.params, written, deadline, principal, request_id))
        return _checked(binding, plan, types, chunk, written, pages)
    except SourceError as error:
        return Answered({}, fault=Fault.of(error))


def _written(chunk: Sequence[Key], types: Sequence[GraphQLOutputType], fields: Sequence[Field]) -> tuple[Sequence[Key], Sequence[Key]]:
    """Keys the source's way, and beside them the canonical ones. A key that does not read back as it was (``07`` in a column of numbers)
    has no row there and is left out."""
    parts = list(map(list, zip(*chunk, strict=True)))
    there = [natives(values, kind, column) for values, kind, column in zip(parts, types, fields, strict=True)]
    back = [canonical(values, kind, column).values for values, kind, column in zip(there, types, fields, strict=True)]
    written = list(zip(*there, strict=True))
    if back == parts:
        return chunk, written
    kept = [(key, native) for key, native, read in zip(chunk, written, zip(*back, strict=True), strict=True) if key == read]
    return [key for key, _ in kept], [native for _, native in kept]


def join(pages: Sequence[Page], plan: Plan) -> dict[str, list[Any]]:
    """The columns of all pages, end to end. Raises SourceError (broken) when one is missing or has the wrong length."""
    for page in pages:
        for column in plan.fields:
            if len(page.columns.get(column.name, ())) != page.size:
                raise SourceError("broken", "a column is missing", source="", relation=plan.relation.name, detail=column.name)
    if len(pages) == 1:
        return pages[0].columns
    return {column.name: list(chain.from_iterable(page.columns[column.name] for page in pages)) for column in plan.fields}


def _checked(
    binding: Binding, plan: Plan, types: tuple[GraphQLOutputType, ...], asked: Sequence[Key], written: Sequence[Key], pages: Sequence[Page]
) -> Answered:
    columns = join(pages, plan)
    relation = binding.relation
    parts = [canonical(columns[name], kind, relation.field(name)).values for name, kind in zip(relation.keys, types, strict=True)]
    try:
        at = by_key(asked, parts)
    except (LookupError, TypeError):  # TypeError: what stands in a key column is no key at all
        raise SourceError("broken", "a row that nobody asked for", source=binding.system, relation=plan.relation.name) from None
    faults: dict[Key, Fault] = {}
    if any(page.faults for page in pages):
        back = dict(zip(written, asked, strict=True))
        faults = {back[key]: Fault.of(error) for page in pages for key, error in page.faults.items() if key in back}
    if not binding.many and len(at) < len(parts[0]):
        faults |= {key: Fault("SYSTEM_BROKEN", system=binding.system) for key, rows in at.items() if len(rows) > 1}
    return Answered(columns, at, faults)


def align(binding: Binding, keys: Sequence[Key | None], faults: dict[int, Fault], answers: Mapping[Key, Answered]) -> Fetched:
    """Bring answers into the order of a layer's rows; ``faults`` are those of the keys themselves, and are added to."""
    distinct = list({id(answered): answered for answered in answers.values()}.values())
    if any(answered.fault or answered.faults for answered in distinct):
        for row, key in enumerate(keys):
            if key is not None:
                fault = answers[key].fault or answers[key].faults.get(key)
                if fault is not None:
                    faults[row] = fault
    whole = [answered for answered in distinct if answered.fault is None]
    before = accumulate((len(next(iter(answered.columns.values()), ())) for answered in whole), initial=0)
    rows = list(zip([answered.at for answered in whole], before, strict=False))
    columns = [answered.columns for answered in whole]
    if binding.many:
        groups = _grouped(all_of(rows), keys, faults)
        return Fetched(Columns(columns), [group is not None for group in groups], faults, groups)
    where: list[int] = list(map(one_each(rows).get, keys, repeat(NOWHERE)))  # type: ignore[arg-type]  # None is no key of it
    for row in faults:
        where[row] = NOWHERE
    return Fetched(Columns(columns, where), [place != NOWHERE for place in where], faults)


def _grouped(at: Rows, keys: Sequence[Key | None], faults: Mapping[int, Fault]) -> list[Sequence[int] | None]:
    """Which list rows belong to which row of the layer: none of them where there is no key, or a fault."""
    groups: list[Sequence[int] | None] = list(map(at.get, keys, repeat(())))  # type: ignore[arg-type]  # None is no key of ``at``
    if None in keys:
        groups = [None if key is None else group for key, group in zip(keys, groups, strict=True)]
    for row in faults:
        groups[row] = None
    return groups
