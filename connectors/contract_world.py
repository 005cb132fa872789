"""What the contract of connectors is about: rows that every source holds, a world to ask in, and what the engine would make of it.

For ``connectors.contract`` and whoever writes a connector. Must not know any kind of system.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import cycle, islice
from typing import Any

from connectors.spi import Ask, Call, Connector, ErrorKind, Operator, Page, Plan, Relation, SourceError

Row = Mapping[str, Any]

# Texts that have broken somebody's connector: quotes, comments, line breaks, wildcards, separators, templates, wide characters.
HOSTILE = (
    "a'b", 'a"b', "a`b", "a;b", "a--b", "/*a*/", "a\nb", "a\r\nb", "a\tb", "a%b", "a_b", "a\\b", "a\\'b", "a/b?c=d&e#f", "a+b", "a b",
    "{keys}", "{uscc}", ":x", "$1", "%s", "%(x)s", "${X}", "' OR '1'='1", "null", "A'B", "ß", "证照", "𠮷野家", "é", "a,b", "{a}", "[a]",
    "<a>", "*",
)  # fmt: skip
STRANGERS = ("nobody", "l-1", "L-1 ", "%", "_", "**", "L-%", "")
UNHOLDABLE = ("\0", "a\0b", "\ud800")  # no rows, or a fault: never an exception, and never at the expense of other keys


def _rows() -> Iterator[dict[str, Any]]:
    ids = [f"L-{i}" for i in range(1, 25)] + list(HOSTILE)
    holders = cycle(("H1", "H2", "H3", "h1", "H'4", None))
    names = cycle(("营业执照", "Permit", "permit", "Per%mit", "Per_mit", "Pera", None, "a'b;--", "zz", "Z", ""))
    levels = cycle((1, 2, 3, None, 10, -1))
    dates = cycle(("20240131", "20231205", None, "20240201", "19991231"))
    for identifier in ids:
        yield {"id": identifier, "holder": next(holders), "name": next(names), "level": next(levels), "issuedOn": next(dates)}


ROWS: tuple[Row, ...] = tuple(_rows())
"""What every source of a contract holds: ``id`` text, unique; ``holder`` text, repeated; ``name`` text; ``level`` int; ``issuedOn``
text, a date as departments write it. All but ``id`` may be null."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A connector and the source behind it.

    Each of ``relations`` serves all of ROWS under the canonical names ``id``, ``holder``, ``name``, ``level`` and ``issuedOn``, by key
    where it has ``max_keys``, else as a whole. ``stuck`` is one whose source never answers. ``gone`` is a connector to a place
    where nobody is, ``garbage`` one whose source answers nonsense (None: its driver would not let that happen), each with a
    relation. ``options`` are the words the connector was made of, ``secret`` a text in them that nobody may see.
    ``unsendable`` are, by relation, texts that cannot be keys there and become faults.
    """

    connector: Connector
    relations: tuple[Relation, ...]
    stuck: Relation
    gone: tuple[Connector, Relation]
    garbage: tuple[Connector, Relation] | None
    options: Mapping[str, Any]
    secret: str
    unsendable: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def whole(self) -> Iterator[Relation]:
        return (one for one in self.relations if not one.max_keys)

    def keyed(self) -> Iterator[Relation]:
        return (one for one in self.relations if one.max_keys)


OPERATORS: tuple[Operator, ...] = ("EQ", "IN", "LT", "LE", "GT", "GE", "PREFIX")


def finish(rows: Sequence[Row], rest: Ask, params: Row) -> list[Row]:
    """What the engine does with what a source left: filter, sort, cut. Null meets no condition and sorts below everything."""
    found = [row for row in rows if all(_holds(one.op, row[one.field], params[one.param]) for one in rest.where)]
    if rest.after:
        found = [row for row in found if _follows(row, rest, params)]
    for order in reversed(rest.order):
        found.sort(key=lambda row: _rank(row[order.field]), reverse=order.descending)
    return found[: params[rest.limit]] if rest.limit else found


def _follows(row: Row, ask: Ask, params: Row) -> bool:
    """Whether a row's place in the order comes after the one that is named."""
    for order, name in zip(ask.order, ask.after, strict=True):
        here, there = _rank(row[order.field]), _rank(None if name is None else params[name])
        if here != there:
            return here < there if order.descending else here > there
    return False


def computed(rows: Sequence[Row], ask: Ask) -> list[Row]:
    """One row for each group of equal values, with its aggregates: over values that are not null."""
    groups: dict[tuple[Any, ...], list[Row]] = {} if ask.group else {(): []}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in ask.group), []).append(row)
    found: list[Row] = []
    for key, some in groups.items():
        one = dict(zip(ask.group, key, strict=True))
        for aggregate in ask.aggregates:
            values: list[Any] = [row[aggregate.field] for row in some if row[aggregate.field] is not None] if aggregate.field else [*some]
            figure = {"COUNT": len, "SUM": sum, "MIN": min, "MAX": max}[aggregate.function]
            one[aggregate.name] = figure(values) if values or aggregate.function == "COUNT" else None  # type: ignore[operator]
        found.append(one)
    return found


def plain(rows: Sequence[Row]) -> list[Row]:
    """Rows in which whole numbers are integers, however exactly a driver hands them over."""
    return [{name: int(v) if isinstance(v, Decimal) and v == v.to_integral_value() else v for name, v in row.items()} for row in rows]


def project(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """The rows with only these columns."""
    return [{name: row[name] for name in names} for row in rows]


def bag(rows: Sequence[Row]) -> list[str]:
    """Rows in an order of their own, to compare regardless of order but not of number."""
    return sorted(repr(sorted(row.items())) for row in rows)


def rows_of(pages: Sequence[Page]) -> list[Row]:
    """The rows of pages as mappings."""
    return [{name: column[i] for name, column in page.columns.items()} for page in pages for i in range(page.size)]


async def answered(connector: Connector, plan: Plan, call: Call) -> tuple[list[Row], int | None]:
    """(rows, total) of one call, every page checked for its shape."""
    pages = [page async for page in connector.fetch(plan, call)]
    for page in pages:
        assert {*page.columns} == {one.name for one in plan.fields}
        assert {len(column) for column in page.columns.values()} <= {page.size}
        assert {*page.faults} <= {*call.keys}
    return rows_of(pages), next((page.total for page in pages if page.total is not None), None)


async def in_chunks(connector: Connector, plan: Plan, keys: Sequence[tuple[Any, ...]], size: int) -> list[Row]:
    """The rows of all ``keys``, asked for so many at a time."""
    return [row for some in chunks(keys, size) for row in (await answered(connector, plan, Call(keys=some)))[0]]


async def everything(world: World, relation: Relation, names: Sequence[str]) -> list[Row]:
    """All rows, by the way the relation offers; those whose key is null or cannot be sent come from ROWS themselves."""
    by = relation.keys if relation.max_keys else ()
    plan = world.connector.plan(Ask(relation.name, tuple(names), by=by), relation)
    if not by:
        return project((await answered(world.connector, plan, Call()))[0], names)
    keys = [key for key in keys_of(relation) if not unsent(world, relation, key)]
    found = await in_chunks(world.connector, plan, keys, relation.max_keys)
    beyond = [row for row in ROWS if tuple(row[name] for name in by) not in set(keys)]
    return project([*found, *beyond], names)


@contextmanager
def failing(kind: ErrorKind) -> Iterator[None]:
    """The body has to raise a SourceError of this kind."""
    seen: SourceError | None = None
    try:
        yield
    except SourceError as error:
        seen = error
    assert seen is not None, f"no SourceError of kind {kind}"
    assert seen.kind == kind, f"{seen!r} is not {kind} ({seen.detail})"
    assert seen.message


def _holds(op: Operator, value: Any, wanted: Any) -> bool:
    if value is None or wanted is None:
        return False
    match op:
        case "EQ":
            return bool(value == wanted)
        case "IN":
            return value in wanted
        case "LT":
            return bool(value < wanted)
        case "LE":
            return bool(value <= wanted)
        case "GT":
            return bool(value > wanted)
        case "GE":
            return bool(value >= wanted)
        case "PREFIX":
            return str(value).startswith(wanted)


def _rank(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def probes(name: str, op: Operator) -> list[Any]:
    """Values to filter column ``name`` by: some that are there, some that are not, some that patterns trip over."""
    there = list(dict.fromkeys(row[name] for row in ROWS if row[name] is not None))
    if name == "level":
        values: list[Any] = [*there, 0, 99]
    else:
        values = [*there[:12], *there[-12:], "nobody", "per", "Per%", "Per_", "a'", "营", "~", ""]
    if op == "IN":
        return [[], values[:1], values, [None, *values[:2]]]
    return [*values, None] if op == "EQ" else values


def keys_of(relation: Relation) -> list[tuple[Any, ...]]:
    """Every key of ROWS that has no null in it, once."""
    found = dict.fromkeys(tuple(row[name] for name in relation.keys) for row in ROWS)
    return [key for key in found if None not in key]


def unsent(world: World, relation: Relation, key: tuple[Any, ...]) -> bool:
    """Whether the world says that this key cannot be asked for."""
    return any(part in world.unsendable.get(relation.name, ()) for part in key)


def chunks(keys: Sequence[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    """``keys`` in parts of at most ``size``."""
    rest = iter(keys)
    while some := list(islice(rest, size)):
        yield some


def by_key(world: World, relation: Relation) -> Plan:
    """A plan that asks for ``id`` and ``name`` by key."""
    return world.connector.plan(Ask(relation.name, ("id", "name"), by=relation.keys), relation)


def any_plan(connector: Connector, relation: Relation) -> Plan:
    """A plan that asks for ``id`` in the way the relation offers."""
    return connector.plan(Ask(relation.name, ("id",), by=relation.keys if relation.max_keys else ()), relation)


def any_call(relation: Relation, deadline: float | None = None) -> Call:
    """A call for ``any_plan``."""
    return Call(keys=keys_of(relation)[:1] if relation.max_keys else (), deadline=deadline)


def stuck(world: World, deadline: float | None) -> tuple[Plan, Call]:
    """A plan and a call that are never answered."""
    return any_plan(world.connector, world.stuck), any_call(world.stuck, deadline)
