"""The connector interface: what crosses the line between the engine and one kind of system.

For whoever writes a connector. Uses the standard library alone; must not know GraphQL, HTTP frameworks, the planner or other connectors.

A connector writes two methods, ``describe`` and ``fetch``; ``open``, ``plan``, ``condition`` and ``close`` have defaults. One whose systems
announce news writes a third, see ``connectors.feeds``::

    class Memory(Connector):
        kind = "memory"
        Settings = MemorySettings

        async def describe(self) -> Catalog:
            return Catalog(relations=())

        async def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
            wanted = set(call.keys)
            rows = [row for row in self.rows if (row["uscc"],) in wanted]
            yield Page.of(rows, plan.fields)

Rules that keep it honest (``connectors.contract`` proves them for every kind):

1. Values never enter ``Plan.native`` or ``Plan.text``; only names of parameters do.
2. ``plan`` may push less than it was asked; what it leaves is in ``Plan.rest`` and the engine does it.
3. With ``Ask.by``, rows come back in any order and carry the key columns; the engine aligns them.
4. A bad key is a fault in the page, not an exception: its neighbours survive.
5. Retry, time limit, concurrency, rate, breaker and cache belong to the engine; ``Call.deadline`` lets a driver give up early.
6. Values are handed over as the source has them (native); ``Field.format`` is for the engine, not for connectors.
7. Cancelling the iterator releases what it held; ``close`` may be called twice.

``SourceError.kind``, split by what the engine can do::

    config  invalid  denied  missing  broken     will not get better by asking again
    busy    down     slow                        may be asked again (reads only)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from connectors.columns import shown
from connectors.paths import read_all
from connectors.plain import Caller as Caller
from connectors.plain import Options as Options
from connectors.plain import Secret as Secret
from connectors.plain import identity as identity

ErrorKind = Literal["config", "invalid", "denied", "missing", "busy", "down", "slow", "broken"]
Operator = Literal["EQ", "IN", "LT", "LE", "GT", "GE", "PREFIX"]
Function = Literal["COUNT", "SUM", "MIN", "MAX"]
RETRYABLE: frozenset[str] = frozenset({"busy", "down", "slow"})


class SourceError(Exception):
    """Something a source did or could not do.

    ``message`` is fit for the caller (no host, no value, no secret); ``detail`` is for the operator's log only.
    ``retry_after`` is in seconds, when the source said so. ``untouched`` says of a call to a source that was down that it never got there.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        detail: str = "",
        source: str = "",
        relation: str = "",
        retry_after: float | None = None,
        code: str = "",
        untouched: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.detail = detail
        self.source = source
        self.relation = relation
        self.retry_after = retry_after
        self.code = code  # a code of the system's own error table (``errors:`` in its manifest), or empty
        self.untouched = untouched or kind in ("config", "invalid", "denied", "missing", "busy")

    @property
    def retryable(self) -> bool:
        return self.kind in RETRYABLE

    def __repr__(self) -> str:
        return f"SourceError({self.kind}: {self.message})"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a relation.

    ``name`` is the canonical name, dotted for parts of an embedded object (``creditScore.score``). ``path`` is where the
    value lies natively: a JSON path such as ``lerep.tel`` or ``list[0].code``, or a column name. An empty path on a key column
    means that the source does not repeat the key: the connector fills in the key it asked with. ``items`` are the fields inside
    each element when the value is a list of objects; their names are relative to the element. ``type`` is one of text, int, float,
    decimal, bool, date, datetime, json, raw. ``format`` and ``values`` (native text → canonical enum value) are read by the engine's
    conversion alone; a ``raw`` value is canonical already. ``always``: a row that lacks it, and has not even null there, has
    ``connectors.paths.ABSENT``.
    """

    name: str
    path: str
    type: str = "text"
    nullable: bool = True
    format: str | None = None
    values: Options = field(default_factory=Options)
    items: tuple[Field, ...] = ()
    doc: str = ""
    always: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """Something a source can be asked for: a table, an endpoint, an operation, a file, a topic.

    ``native`` holds what the manifest says of the place (a ``@get``'s path and batch, a ``@table``'s name) as plain data.
    ``keys`` are the columns it can be asked by; ``max_keys`` how many at once (0 never by key, 1 singly, n together).
    ``where`` names the operators each column takes; ``order`` the columns it can sort by; ``limit`` and ``total`` whether it can
    cut and count by itself, ``seek`` whether it can go on after given values of an order, ``each`` whether it can cut for each key,
    ``aggregates`` what it can compute over all rows or groups. ``args`` are parameters its place needs besides keys. One that is ``open``
    has, besides ``fields``, any column that a question makes up (``connectors.columns``): a graph has no end.
    """

    name: str
    fields: tuple[Field, ...]
    native: Options = field(default_factory=Options)
    keys: tuple[str, ...] = ()
    max_keys: int = 0
    args: tuple[str, ...] = ()
    effect: Literal["read", "write"] = "read"
    where: Options = field(default_factory=Options)
    order: tuple[str, ...] = ()
    limit: bool = False
    total: bool = False
    seek: bool = False
    each: bool = False
    aggregates: tuple[Function, ...] = ()
    open: bool = False

    def field(self, name: str) -> Field:
        """The column called ``name``. Raises KeyError."""
        for column in self.fields:
            if column.name == name:
                return column
        if self.open:
            return Field(*shown(name))
        raise KeyError(name)

    def select(self, names: Iterable[str]) -> tuple[Field, ...]:
        """The columns called ``names``, each once, in that order; ``shops.id`` selects item ``id`` of list column ``shops``.

        Of what lies in the lists of an ``open`` relation the lists are selected. Raises KeyError.
        """
        if self.open:
            return tuple(map(self.field, dict.fromkeys(name if name in self.keys else shown(name)[0] for name in names)))
        return _select(self.fields, names)


def _select(fields: tuple[Field, ...], names: Iterable[str]) -> tuple[Field, ...]:
    by_name = {column.name: column for column in fields}
    inside: dict[str, list[str] | None] = {}  # None: the whole column
    for name in names:
        if name in by_name:
            inside[name] = None
            continue
        outer = next((c.name for c in fields if c.items and name.startswith(c.name + ".")), None)
        if outer is None:
            raise KeyError(name)
        part = inside.setdefault(outer, [])
        if part is not None:
            part.append(name[len(outer) + 1 :])
    return tuple(
        by_name[name] if part is None else replace(by_name[name], items=_select(by_name[name].items, part)) for name, part in inside.items()
    )


@dataclass(frozen=True, slots=True)
class Catalog:
    """What is there, for introspection and as a connection check. Deterministic: relations sorted by name."""

    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """``field op :param``. The value arrives in ``Call.params``; for IN it is a sequence."""

    field: str
    op: Operator
    param: str


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``function`` of a column's values that are not null; COUNT without a field counts rows. Exact: no sum is rounded."""

    function: Function
    field: str = ""

    @property
    def name(self) -> str:
        """The column in which it comes back."""
        return f"{self.function.lower()}({self.field.replace('.', '_')})"


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to one relation. Holds names only; every value comes in ``Call``.

    ``shops.id`` in ``fields`` asks for part of a list column. ``after`` asks for the rows that follow given values of ``order``: the
    parameter of each, or None where that value is null (null stands below all others).
    ``limit`` is the name of the parameter that holds the number of rows wanted (with ``by``: per key). ``total`` asks for the
    number of rows that match ``where``, regardless of ``after`` and ``limit``. With ``aggregates``, one row comes for each group of equal
    values in the columns ``group`` (one in all when there are none), and ``fields`` is empty.
    """

    relation: str
    fields: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    order: tuple[Order, ...] = ()
    limit: str | None = None
    args: tuple[str, ...] = ()
    total: bool = False
    after: tuple[str | None, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    group: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A connector's answer to an ask: ``ask`` is what the source will do, ``rest`` what the engine must still do.

    ``native`` is the connector's own (a compiled statement, a URL template); ``text`` says the same for people.
    ``fields`` are the columns that come back, key columns included.
    """

    relation: Relation
    ask: Ask
    rest: Ask
    fields: tuple[Field, ...]
    native: Any = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One execution of a plan. ``keys`` are native key tuples, unique, at most ``Relation.max_keys`` of them.

    ``deadline`` is in seconds of the loop's monotonic clock. ``principal`` is the caller, a ``Caller`` where it showed a token, for
    systems with delegated credentials alone. ``idempotency_key`` is the same for all tries of a write; its place says how it travels.
    """

    params: Mapping[str, Any] = field(default_factory=dict)
    keys: Sequence[tuple[Any, ...]] = ()
    deadline: float | None = None
    principal: str = ""
    request_id: str = ""
    max_rows: int = 100_000
    max_bytes: int = 64 * 1024 * 1024
    idempotency_key: str = ""


def too_many_rows(call: Call) -> SourceError:
    """What a connector raises when a source has more rows than ``call.max_rows``: an answer is never cut in silence."""
    return SourceError("broken", "The source has more rows than can be read at once.", detail=f"over {call.max_rows}", code="TOO_LARGE")


@dataclass(slots=True)
class Page:
    """Rows as columns: ``columns[name][i]`` is the native value of row ``i``. All columns have length ``size``.

    Where the source says that it cannot tell one value that is only shown, the SourceError stands in its place; in each row of a column
    that it no longer has. ``total`` answers
    ``Ask.total``. ``faults`` maps a key to what went wrong for it alone. ``max_age`` in seconds. ``bytes`` is what the source sent for it.
    """

    columns: dict[str, list[Any]]
    size: int
    total: int | None = None
    faults: Mapping[tuple[Any, ...], SourceError] = field(default_factory=dict)
    max_age: float | None = None
    bytes: int | None = None

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], fields: Sequence[Field], *, total: int | None = None, key: tuple[Any, ...] = ()) -> Page:
        """Turn native row mappings into columns by each field's path; ``key`` fills columns whose path is empty, in order."""
        rows = rows if isinstance(rows, list) else list(rows)
        filled = iter(key)
        columns: dict[str, list[Any]] = {}
        for column in fields:
            columns[column.name] = read_all(column.path, rows, always=column.always) if column.path else [next(filled, None)] * len(rows)
        return cls(columns=columns, size=len(rows), total=total)


class Connector(ABC):
    """One kind of system. An instance serves one system; the engine calls it from one event loop."""

    kind: ClassVar[str]
    Settings: ClassVar[type]

    def __init__(self, settings: Any, *, system: str = "") -> None:
        self.settings = settings
        self.system = system

    async def open(self, relations: Sequence[Relation]) -> None:
        """What it is going to be asked, told when the hub begins and when manifests have changed, for one that gathers ahead of questions.
        Returns at once. Raises SourceError; whoever is never opened has to begin with its first question."""

    @abstractmethod
    async def describe(self) -> Catalog:
        """What is there. Raises SourceError. Also serves as the connection check."""

    @abstractmethod
    def fetch(self, plan: Plan, call: Call) -> AsyncIterator[Page]:
        """Ask the source: the only I/O. Raises SourceError; yields pages until there are no more rows."""

    def plan(self, ask: Ask, relation: Relation) -> Plan:
        """Split ``ask`` by what ``relation`` declares. Pure: no I/O, no values."""
        return split(ask, relation)

    def condition(self) -> SourceError | None:
        """What the connector knows to be wrong though calls are answered, such as a delivery that is late. Comes at once."""
        return None

    async def close(self) -> None:
        """Give back what is held. Safe to call twice."""


def split(ask: Ask, relation: Relation, *, native: Any = None, text: str = "") -> Plan:
    """The default negotiation: push what the relation declares, hand back the rest.

    Limit, total and aggregates go down only when every condition did, and a limit when the whole order and ``after`` did too, since they
    would otherwise count the wrong rows; a limit per key (``by``) only where the relation can cut for ``each``.
    """
    pushed = tuple(c for c in ask.where if c.op in relation.where.get(c.field, ()))
    left = tuple(c for c in ask.where if c not in pushed)
    sorts = bool(ask.order) and not left and all(o.field in relation.order for o in ask.order)
    orderly = not left and (sorts or not ask.order)
    seeks = not ask.after or (relation.seek and sorts)
    cut = relation.limit and orderly and seeks and (not ask.by or relation.each)
    count = relation.total and not left and not ask.by
    adds = not left and not ask.by and {a.function for a in ask.aggregates} <= {*relation.aggregates}
    computed = () if adds else (*ask.group, *(a.field for a in ask.aggregates if a.field))
    ordering = () if orderly and seeks else (o.field for o in ask.order)
    wanted = tuple(dict.fromkeys((*ask.by, *ask.fields, *(c.field for c in left), *ordering, *computed)))
    sorted_, limit = ask.order if sorts else (), ask.limit if cut else None
    added, grouped = (ask.aggregates, ask.group) if adds else ((), ())
    after = ask.after if seeks else ()
    done = Ask(relation.name, wanted, ask.by, pushed, sorted_, limit, ask.args, ask.total and count, after, added, grouped)
    rest = Ask(
        relation.name,
        where=left,
        order=() if orderly else ask.order,
        limit=None if cut else ask.limit,
        total=ask.total and not count,
        after=() if seeks else ask.after,
        aggregates=() if adds else ask.aggregates,
        group=() if adds else ask.group,
    )
    return Plan(
        relation, done, rest, (*relation.select((*wanted, *done.group)), *_computed(done, relation)), native, text or describe_ask(done)
    )


def _computed(ask: Ask, relation: Relation) -> tuple[Field, ...]:
    """The columns that aggregates come back in."""
    return tuple(Field(a.name, a.name, relation.field(a.field).type if a.field else "int") for a in ask.aggregates)


def describe_ask(ask: Ask) -> str:
    """One line for explain: ``byUscc by uscc [name, status] where level EQ :level limit :first``."""
    parts = [ask.relation]
    if ask.by:
        parts.append("by " + ", ".join(ask.by))
    parts.append("[" + ", ".join(name for name in ask.fields if name not in ask.by) + "]")
    if ask.where:
        parts.append("where " + " and ".join(f"{c.field} {c.op} :{c.param}" for c in ask.where))
    if ask.order:
        parts.append("order " + ", ".join(o.field + (" desc" if o.descending else "") for o in ask.order))
    if ask.after:
        parts.append("after " + ", ".join("null" if name is None else f":{name}" for name in ask.after))
    if ask.aggregates:
        parts.append(", ".join(a.name for a in ask.aggregates))
    if ask.group:
        parts.append("group by " + ", ".join(ask.group))
    ends = (f"limit :{ask.limit}" if ask.limit else "", "with total" if ask.total else "")
    return " ".join(filter(None, (*parts, *ends)))
