"""Keys into calls, answers into rows: unique keys, chunks no longer than a relation takes, answers checked against the question.

An answer is trusted in nothing: a row for a key that nobody asked, a column that is missing or too short, two rows where one was due
become errors, never a shifted row. Knows the connector interface and one request's memory, not plans' outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate, chain, repeat
from typing import Any, Protocol

from graphql import GraphQLOutputType

from connectors.spi import Ask, Call, Condition, Field, Order, Page, Plan, SourceError
from hub.run import analysis
from hub.run.cache import AWAY, Name, max_age
from hub.run.convert import canonical, natives
from hub.run.flights import Flights
from hub.run.layers import Fault, Fetched
from hub.run.rows import NOWHERE, Columns, Key, Rows, all_of, by_key, one_each
from hub.run.sent import Alone, Answered, Answering, Sent
from hub.run.sources import Sources
from schema.registry import Binding


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
    """What a chunk asks: a binding, the columns wanted, the types of its key, parameters besides keys, and perhaps a cut for each key.

    ``scope`` is a fingerprint of all else that decides which rows there are for the caller (a row filter and its values). Questions share
    calls and answers only within one scope.
    """

    binding: Binding
    columns: tuple[str, ...]
    types: tuple[GraphQLOutputType, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    scope: str = ""
    cut: Cut | None = None

    name: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """``name`` is by what it is known that an answer to one question is an answer to another with the same keys and no parameters."""
        cut = () if self.cut is None else (self.cut,)
        object.__setattr__(self, "name", repr((self.binding.id, self.columns, self.scope, *cut)))

    @property
    def plain(self) -> bool:
        """Whether it has no parameters and wants all rows of its keys, so that others may ask the same."""
        return not self.params and self.cut is None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and until when (seconds of the sources' clock)."""

    deadline: float
    request_id: str = ""
    principal: str = ""


class Shared(Protocol):
    """Calls that several requests share; see ``hub.run.coalesce``."""

    def shares(self, question: Question) -> bool: ...

    def rows(self, question: Question, keys: Sequence[Key], asker: Asker) -> Sent: ...

    @property
    def lists(self) -> Flights: ...


class Asked:
    """One request's memory of keys asked: no key is sent twice to one binding. What is under way ends with the request. Of the systems
    ``anew`` nothing is taken that was asked for before it. ``stale`` is how many seconds old what stands in is, by field or type."""

    def __init__(
        self, sources: Sources, request_id: str, principal: str = "", shared: Shared | None = None, anew: frozenset[str] = frozenset()
    ) -> None:
        self._sources = sources
        self._request_id = request_id
        self._principal = principal
        self._shared = shared
        self._anew = anew
        self.stale: dict[str, float] = {}
        self._asker = Asker(0.0)
        self._known: dict[tuple[object, str], dict[Key, Sent]] = {}
        self._sent: list[Sent] = []
        self.context = copy_context()  # the request's own, whoever's answer it is that sets off another call
        self.systems: set[str] = set()

    def cancel(self) -> None:
        """End what is still under way, or leave it to others; the request is over."""
        for sent in self._sent:
            sent.withdraw()

    def rows(self, question: Question, keys: Sequence[Key | None], deadline: float, context: Context | None = None) -> Answering:
        """The answer that holds each of ``keys``; new keys are sent in chunks, all at once, and answered by ``deadline``. Calls of this
        request's own are made in ``context``."""
        params = repr(sorted(question.params.items())) if question.params else ""
        known = self._known.setdefault((question.name, params), {})
        wanted = [key for key in keys if key is not None]
        if len(wanted) > 1:
            wanted = list(dict.fromkeys(wanted))
        new = [key for key in wanted if key not in known] if known else wanted
        if len(new) < len(wanted):
            (context or self.context).copy().run(analysis.coalesced, len(wanted) - len(new))
        if new:
            self.systems.add(question.binding.system)
            if self._asker.deadline != deadline:
                self._asker = Asker(deadline, self._request_id, self._principal)
            size = max(1, question.binding.relation.max_keys)
            if question.binding.cache:
                new = self._kept(question, new, known, context or self.context)
            for start in range(0, len(new), size):
                chunk = new[start : start + size] if len(new) > size else new
                sent = self._begun(question, chunk, self._asker, context or self.context)
                self._sent.append(sent)
                known.update(dict.fromkeys(chunk, sent))
                if question.binding.stale:
                    sent.then(partial(self._noted, question.binding, sent))
        if len(wanted) == 1:
            return Answering(wanted, [known[wanted[0]]])
        return Answering(wanted, list(dict.fromkeys(map(known.__getitem__, wanted))))

    def _kept(self, question: Question, keys: list[Key], known: dict[Key, Sent], context: Context) -> list[Key]:
        """Take what may be served again; the keys that are still to be asked for."""
        system, sources = question.binding.system, self._sources
        if system in self._anew:
            return keys
        found, held = sources.cache.rows(named(sources, question, self._principal), keys, sources.clock.monotonic())
        counted = sources.standings[system].kept
        counted["hit"] += len(found)
        counted["miss"] += len(keys) - len(found)
        if held is None:
            return keys
        sent = Sent()
        sent.settle(dict.fromkeys(found, held))
        known.update(dict.fromkeys(found, sent))
        context.copy().run(analysis.kept, len(found))
        return [key for key in keys if key not in known]

    def _noted(self, binding: Binding, sent: Sent) -> None:
        for answered in {id(one): one for one in (sent.answers or {}).values()}.values():
            if answered.stale:
                self.note(binding, max(answered.stale.values()))

    def note(self, binding: Binding, age: float) -> None:
        """What ``binding`` brings is ``age`` seconds old, since its system does not answer."""
        place = binding.field or binding.type
        self.stale[place] = max(age, self.stale.get(place, 0.0))

    def flights(self, binding: Binding) -> Flights | None:
        """Where calls for lists are shared; None: this request makes its own."""
        return self._shared.lists if self._shared is not None and binding.system not in self._anew else None

    def is_anew(self, system: str) -> bool:
        return system in self._anew

    def _begun(self, question: Question, chunk: Sequence[Key], asker: Asker, context: Context) -> Sent:
        if self._shared is not None and question.binding.system not in self._anew and self._shared.shares(question):
            return self._shared.rows(question, chunk, asker)
        return Alone(self._alone(question, chunk, asker), context)

    async def _alone(self, question: Question, chunk: Sequence[Key], asker: Asker) -> Mapping[Key, Answered]:
        return dict.fromkeys(chunk, await ask(self._sources, question, chunk, asker))


def named(sources: Sources, question: Question, principal: str) -> Name:
    """What the rows of a question are kept by."""
    rest = (question.scope, question.cut, sorted(question.params.items()), tuple(map(str, question.types)))
    return sources.name(question.binding, question.columns, rest, principal)


async def ask(sources: Sources, question: Question, chunk: Sequence[Key], asker: Asker, shared: bool = False) -> Answered:
    """One call for the keys of ``chunk``, at most as many as the relation takes. A failure is in the answer. A ``shared`` call is made
    for several askers: it does not carry the name of one."""
    binding, types = question.binding, question.types
    relation = binding.relation
    fields = [relation.field(name) for name in relation.keys]
    chunk, written = _written(chunk, types, fields)
    if not chunk:
        return Answered({column.name: [] for column in relation.select(question.columns)})
    name = named(sources, question, asker.principal) if binding.cache else None
    try:
        wanted = tuple(name for name in question.columns if name not in relation.keys)
        plan, params = _planned(sources, question, wanted)
        call = Call(params, written, asker.deadline, "" if shared else asker.principal, asker.request_id)
        pages = await sources.pages(binding.system, plan, call, asker.principal)
        answered = _checked(binding, plan, types, chunk, written, pages)
    except SourceError as error:
        fault = Fault.of(error) if relation.effect == "read" or error.untouched else Fault("OUTCOME_UNKNOWN", system=binding.system)
        if name is None or not binding.stale or error.kind not in AWAY:
            return Answered({}, fault=fault)
        return stood_in(sources, binding, name, chunk, fault)
    if name is not None:
        sources.cache.keep(name, binding, chunk, answered, sources.clock.monotonic(), max_age(pages))
    return answered


def stood_in(sources: Sources, binding: Binding, name: Name, keys: Sequence[Key], fault: Fault) -> Answered:
    """What an earlier answer says of ``keys`` while their system does not answer; ``fault`` for the others."""
    answered = sources.cache.standing_in(name, keys, sources.clock.monotonic(), fault)
    sources.standings[binding.system].kept["stale"] += len(answered.stale)
    analysis.kept(len(answered.stale), stale=True)
    return answered


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
    if len(keys) == 1 and keys[0] is not None:  # of one row there is nothing to bring into order
        alone = answers[keys[0]]
        there, size = alone.at.get(keys[0], ()), len(next(iter(alone.columns.values()), ()))
        if alone.fault is None and not alone.faults and (binding.many or len(there) == size == 1):
            return Fetched(alone.columns, (True,), faults, (there,) if binding.many else None)
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
