"""S20: figures of the rows of a list, group by group, computed from all of them when they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from functools import partial
from typing import Any, Protocol

from graphql import get_named_type

from hub.oracle.pages import Part, Unreadable, rank
from hub.oracle.terms import Asked, Info, Terms, terms_of, usable
from hub.oracle.values import Fault
from schema.registry import Aggregated, Binding


class Rows(Asked, Protocol):
    """Who knows all rows as well."""

    def known(self, things: Iterable[Any], paths: Sequence[str]) -> list[tuple[Any, ...]]: ...

    def listed(self, things: list[Any], terms: Terms) -> Any: ...

    def all(self, driver: Binding, info: Info, args: Mapping[str, Any]) -> list[Any]: ...


def figures_of(answer: Rows, coordinate: str, of: Aggregated, info: Info, args: Mapping[str, Any]) -> list[Part]:
    """S20: a list of groups, ordered by the values that they have in common."""
    scans = answer.registry.scans.get(coordinate) or answer.registry.scans.get(of.node, ())
    if not scans:
        raise Fault("NOT_BOUND")
    driver = scans[0]
    terms = terms_of(answer, info, args, driver.fields, of.node)
    by = list(dict.fromkeys(of.groups[value] for value in args.get("groupBy") or ()))
    for path in by:
        usable(answer, of.node, path, driver.fields)
    things = answer.listed(answer.all(driver, info, args), terms)
    groups: dict[Any, list[Any]] = {} if by else {(): []}
    for thing, values in zip(things, answer.known(things, by), strict=True):
        groups.setdefault(tuple(None if isinstance(value, Unreadable) else value for value in values), []).append(thing)
    kinds = [answer.leaf_type(of.node, path) for path in by]
    ordered = sorted(groups, key=lambda key: [rank(value, kind) for value, kind in zip(key, kinds, strict=True)])
    return [_group(answer, of, driver, dict(zip(by, key, strict=True)), groups[key]) for key in ordered]


def _group(answer: Rows, of: Aggregated, driver: Binding, values: Mapping[str, Any], things: list[Any]) -> Part:
    found = Part(count=len(things))
    for kind, paths in of.figures.items():
        found[kind] = Part({name: partial(_figure, answer, of.node, driver, kind, path, values, things) for name, path in paths.items()})
    return found


def _figure(answer: Rows, node: str, driver: Binding, kind: str, path: str, values: Mapping[str, Any], things: list[Any]) -> Any:
    owner = node
    for name in path.split("."):
        if f"{owner}.{name}" in answer.denied:
            raise Fault("FORBIDDEN")
        owner = get_named_type(answer.type_of(owner, name)).name
    if kind == "group":
        return values.get(path)
    if not answer.serves(node, driver.fields, path):
        raise Fault("NOT_BOUND")
    some = [value for (value,) in answer.known(things, [path]) if value is not None and not isinstance(value, Unreadable)]
    if not some:
        return None
    if kind == "sum":
        with localcontext(prec=500):
            return format(sum(map(Decimal, map(str, some))), "f")
    return (min if kind == "min" else max)(some, key=lambda value: rank(value, answer.leaf_type(node, path)))
