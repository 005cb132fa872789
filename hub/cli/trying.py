"""``hub try SYSTEM.FIELD key=…``: one call to one system, shown whole: what was sent, what came back, what the hub makes of it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
from graphql import GraphQLOutputType, GraphQLSchema

from connectors.http import Exchange, onlooker
from connectors.paths import reader
from connectors.spi import Ask, Call, Connector, Field, Page, Plan, SourceError
from hub.app import BadManifests
from hub.cli.shared import Fault
from hub.cli.trial import authored
from hub.connected import composed, connect
from hub.environment import environment
from hub.run.convert import BAD, canonical, native
from schema.bad_identifier import BadIdentifier
from schema.faults import nearest
from schema.identifiers import IDENTIFIERS, QUALITY
from schema.reach import all_bindings
from schema.registry import Binding, Registry, Role, Served
from schema.shapes import shape_of_type

Columns = Mapping[str, Field]
_SHOWN = 4_000  # characters of a reply


async def attempt(target: str, given: Sequence[str], *, file: Path | None, systems: Path | None, rows: int, whole: bool) -> int:
    """Exit code 0 when the call was answered and every value could be read. Raises Fault, BadManifests, BadConfig."""
    config, folder = authored(file, systems)
    composition = composed(folder)
    if not composition.ok:
        raise BadManifests(composition.faults)
    binding = _chosen(composition.registry, target)
    pairs = _pairs(given)
    connections = connect(composition.registry, replace(environment(config, os.environ), manifests=folder))
    try:
        if binding.system in connections.problems:
            problem = connections.problems[binding.system]
            raise Fault(f"系统 {binding.system} 未接入。", f"The system {binding.system} is not connected: {problem}.")
        connector = connections.connectors[binding.system]
        return await _tried(composition.whole, connector, binding, pairs, rows, whole)
    finally:
        await asyncio.gather(*(each.close() for each in connections.connectors.values()))


def _chosen(registry: Registry, target: str) -> Binding:
    """The binding that ``SYSTEM.FIELD`` means: by its own name, a coordinate, a type, or a field that it serves."""
    system, _, field = target.partition(".")
    if system not in registry.systems:
        near = nearest(system, registry.systems)
        hint = f" Did you mean '{near}'?" if near else ""
        raise Fault(f"没有系统 {system}。", f"There is no system '{system}'.{hint} There are: {', '.join(registry.systems)}.")
    order = (Role.LOOKUP, Role.LINK, Role.SCAN)
    own = sorted((each for each in all_bindings(registry) if each.system == system), key=lambda each: (order.index(each.role), each.id))
    for fits in (
        lambda each: each.id == target,
        lambda each: each.field == field,
        lambda each: each.field is not None and each.field.partition(".")[2] == field,
        lambda each: each.type == field,
        lambda each: any(field in (f"{each.type}.{name}", name) for name in each.fields),
    ):
        found = next((each for each in own if fits(each)), None)
        if found is not None:
            return found
    names = [each.id.partition(".")[2] for each in own]
    near = nearest(field, names)
    hint = f" Did you mean '{near}'?" if near else ""
    raise Fault(f"系统 {system} 没有 {field}。", f"{system} has no '{field}'.{hint} What can be tried: {', '.join(names)}.")


def _pairs(given: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise Fault(f"参数应写作 名=值: {each}", f"Write NAME=VALUE, not '{each}'.")
        found.setdefault(name, []).append(value)
    return found


async def _tried(
    schema: GraphQLSchema, connector: Connector, binding: Binding, pairs: Mapping[str, list[str]], rows: int, whole: bool
) -> int:
    by = f" by {', '.join(binding.key)}" if binding.key else ""
    print(f"{binding.id}: {binding.role.value} of {binding.type}{by}")
    relation = binding.relation
    keys = _keys(schema, binding, pairs)
    few = "few" if not keys and relation.limit else None
    args = tuple(name for name in relation.args if name in pairs)
    ask = Ask(relation.name, tuple(each.name for each in relation.fields), relation.keys if keys else (), limit=few, args=args)
    params = {**({"few": rows} if few else {}), **{name: pairs[name][0] for name in args}}
    seen: list[Exchange] = []
    token = onlooker.set(seen)
    started = perf_counter()
    pages: list[Page] = []
    failed: SourceError | None = None
    plan: Plan | None = None
    try:
        plan = connector.plan(ask, relation)
        deadline = asyncio.get_running_loop().time() + 30
        async for page in connector.fetch(plan, Call(params=params, keys=keys, deadline=deadline)):
            pages.append(page)
            if not keys and sum(each.size for each in pages) >= rows:
                break
    except SourceError as error:
        failed = error
    finally:
        onlooker.reset(token)
    took = (perf_counter() - started) * 1000
    _show_exchanges(seen, plan, whole)
    problems = [f"{failed.kind}: {failed.message}" + (f" ({failed.detail})" if failed.detail else "")] if failed else []
    for page in pages:
        problems += [f"key {', '.join(map(str, key))}: {fault.kind}: {fault.message}" for key, fault in page.faults.items()]
    count = sum(page.size for page in pages)
    if failed is None:
        print(f"\nrows: {count}, {took:.0f} ms" + ("" if count else " (nothing is known of this key here)" if keys else ""))
        problems += _show_rows(schema, binding, plan, pages, rows)
    print("\nproblems: " + ("none" if not problems else ""))
    for problem in dict.fromkeys(problems):
        print(f"  {problem}")
    return 1 if problems else 0


def _keys(schema: GraphQLSchema, binding: Binding, pairs: Mapping[str, list[str]]) -> list[tuple[Any, ...]]:
    """The keys as the source writes them. Raises Fault for what is missing, unknown or fails its check."""
    known = {*binding.key, *binding.relation.args}
    unknown = [name for name in pairs if name not in known]
    if unknown:
        takes = ", ".join(sorted(known)) or "nothing"
        raise Fault(f"未知参数 {unknown[0]}。", f"'{unknown[0]}' is no key of {binding.id}; it takes {takes}.")
    missing = [name for name in binding.key if name not in pairs]
    if missing:
        wanted = " ".join(f"{name}=…" for name in missing)
        raise Fault("缺少主键。", f"{binding.id} is asked by key: give {wanted}")
    owner = binding.field.partition(".")[0] if binding.role is Role.LINK and binding.field else binding.type
    columns = []
    # A table's list is over the relation of its lookup, which has keys; the list is not asked by them.
    for name, column in zip(binding.key, binding.relation.keys if binding.key else (), strict=True):
        kind = _type_of(schema, owner, name)
        columns.append([native(_checked(kind, value), kind, binding.relation.field(column)) for value in pairs[name]])
    return list(zip(*columns, strict=False)) if columns else []


def _checked(kind: Any, value: str) -> str:
    scalar = shape_of_type(kind).name
    try:
        return IDENTIFIERS[scalar](value) if scalar in IDENTIFIERS else value
    except BadIdentifier as error:
        raise Fault(error.zh, error.en) from None


def _type_of(schema: GraphQLSchema, type_name: str, name: str) -> Any:
    fields = getattr(schema.type_map.get(type_name), "fields", {})
    if name in fields:
        return fields[name].type
    return schema.type_map.get("String")  # a key that is internal to its manifest


def _show_exchanges(seen: Sequence[Exchange], plan: Plan | None, whole: bool) -> None:
    print("\nrequest")
    if not seen and plan is not None:
        print(f"  {plan.text}")
    for each in seen:
        print(f"  {each.method} {each.address}")
        for name, value in each.headers.items():
            print(f"  {name}: {value}")
        if each.sent is not None:
            print(f"  {each.sent.decode('utf-8', 'replace')}")
        print(f"\nreply {each.status or 'none'}, {len(each.received)} bytes")
        text = _pretty(each.received)
        cut = len(text) > _SHOWN and not whole
        for line in (text[:_SHOWN] if cut else text).splitlines():
            print(f"  {line}")
        if cut:
            print(f"  … {len(text) - _SHOWN} characters more; --whole shows all")


def _pretty(body: bytes) -> str:
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        named = re.match(rb"\s*<\?xml[^>]*encoding=[\"']([\w.:-]+)", body)  # XML says itself how it is written
        try:
            return body.decode(named[1].decode() if named else "utf-8", "replace")
        except LookupError:
            return body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A plain value of a row: its public name, its column, its type."""

    name: str
    column: Field
    type: GraphQLOutputType


def _leaves(schema: GraphQLSchema, type_name: str, fields: Mapping[str, Served], columns: Columns, before: str) -> Iterator[Any]:
    """Leaves, and for each list of objects (name, column, its leaves)."""
    for name, served in fields.items():
        shown = f"{before}{name}"
        column = columns.get(served.column or "")
        if served.type is None:
            if column is not None:
                yield _Leaf(shown, column, _type_of(schema, type_name, name))
        elif served.many and column is not None:
            items = {each.name: each for each in column.items}
            yield shown, column, list(_leaves(schema, served.type, served.parts, items, ""))
        else:
            yield from _leaves(schema, served.type, served.parts, columns, f"{shown}.")


def _show_rows(schema: GraphQLSchema, binding: Binding, plan: Plan | None, pages: Sequence[Page], most: int) -> list[str]:
    """Print each row's values, native and canonical; returns what could not be read or fails its check."""
    assert plan is not None
    columns = {each.name: each for each in plan.fields}
    leaves = list(_leaves(schema, binding.type, binding.fields, columns, ""))
    problems: list[str] = []
    number = 0
    for page in pages:
        for at in range(page.size):
            number += 1
            if number > most:
                return problems
            print(f"  row {number}")
            for each in leaves:
                if isinstance(each, _Leaf):
                    problems += _show_leaf(each, page.columns[each.column.name][at], "    ")
                else:
                    name, column, inside = each
                    problems += _show_list(name, column, inside, page.columns[column.name][at])
    return problems


def _show_list(name: str, column: Field, inside: Sequence[Any], value: Any) -> list[str]:
    if value is not None and not isinstance(value, list):
        return [f"{name}: {column.path} is not a list"]
    print(f"    {name}: {len(value or [])} elements of {column.path}")
    problems = []
    for element in (value or [])[:3]:
        for each in inside:
            if isinstance(each, _Leaf):
                problems += _show_leaf(each, reader(each.column.path)(element), "      ")
    return problems


def _show_leaf(leaf: _Leaf, value: Any, indent: str) -> list[str]:
    """One line; the problem with it, if there is one."""
    made = canonical([value], leaf.type, leaf.column)
    found = made.values[0]
    where = f"{leaf.name:<24} {leaf.column.path or '(as asked)':<16} {_short(value)}"
    if made.flawed or found is BAD:
        print(f"{indent}{where} -> cannot be read as {leaf.type}")
        form = f" written as {leaf.column.format}" if leaf.column.format else ""
        return [f"{leaf.name}: {leaf.column.path} cannot be read as {leaf.type}{form}"]
    print(f"{indent}{where} -> {_short(found)}")
    if found is None and str(leaf.type).endswith("!"):
        return [f"{leaf.name}: {leaf.column.path} is null, and the field is {leaf.type}"]
    scalar = shape_of_type(leaf.type).name
    odd = QUALITY[scalar](found) if scalar in QUALITY and isinstance(found, str) else None
    return [f"{leaf.name}: served, with a notice: {odd}"] if odd else []


def _short(value: Any) -> str:
    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= 60 else text[:57] + "..."
