"""What systems have and how it is asked for, in a few words each: columns, objects in a row, lists of them, and bindings over these.

Described from the canonical side: ``leaf("QYMC")`` is a column, ``obj("Address", {...})`` an object in the same row,
``items("lic", "Licence", {...})`` a list of native objects. ``tests.worlds`` makes a world of such bindings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.spi import Field, Function, Options, Relation
from schema.registry import (
    Authority,
    Binding,
    Coverage,
    Existence,
    Require,
    Role,
    Served,
    Variant,
)


@dataclass(frozen=True, slots=True)
class Lies:
    """How one canonical field lies in a row; see ``schema.registry.Served``. Made by ``leaf``, ``obj``, ``items`` and ``either``."""

    path: str | None = None
    kind: str = "text"
    format: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    type: str | None = None
    parts: Mapping[str, Lies] = field(default_factory=dict)
    many: bool = False
    typename: Lies | None = None
    variants: Mapping[str, tuple[str, Mapping[str, Lies]]] = field(default_factory=dict)


def leaf(path: str, kind: str = "text", *, format: str | None = None, values: Mapping[str, str] | None = None) -> Lies:
    """A scalar, an enum, or a list of them. ``values`` are native text → canonical enum value."""
    return Lies(path, kind, format, values or {})


def obj(type_name: str, parts: Mapping[str, Lies | str]) -> Lies:
    """An object, or a reference to an entity, whose parts lie in the same row."""
    return Lies(type=type_name, parts=_lies(parts))


def items(path: str, type_name: str, parts: Mapping[str, Lies | str], *, format: str | None = None) -> Lies:
    """A list of native objects in one column."""
    return Lies(path, "json", format, type=type_name, parts=_lies(parts), many=True)


def either(typename: str, variants: Mapping[str, tuple[str, Mapping[str, Lies | str]]], *, path: str | None = None) -> Lies:
    """An object of an abstract type: ``variants`` maps a native type name to the concrete type and its parts. ``path``: a list of them."""
    named = {value: (type_name, _lies(parts)) for value, (type_name, parts) in variants.items()}
    return Lies(path, "json" if path else "text", type="", many=path is not None, typename=leaf(typename), variants=named)


def _lies(parts: Mapping[str, Lies | str]) -> dict[str, Lies]:
    return {name: leaf(part) if isinstance(part, str) else part for name, part in parts.items()}


def compiled(parts: Mapping[str, Lies], prefix: str = "") -> tuple[dict[str, Served], list[Field]]:
    """What the registry and the relation say of ``parts``. Columns are named by the dotted way down, relative to a list's element."""
    served: dict[str, Served] = {}
    columns: list[Field] = []
    for name, lies in parts.items():
        here = prefix + name
        inner = "" if lies.path is not None else f"{here}."
        below, fields = compiled(lies.parts, inner)
        variants = []
        for value, (type_name, own) in lies.variants.items():
            own_served, own_fields = compiled(own, f"{inner}{type_name}.")
            variants.append(Variant(value, type_name, own_served))
            fields += own_fields
        typename = None
        if lies.typename is not None:
            typename = f"{inner}@type"
            fields.insert(0, Field(typename, lies.typename.path or "", lies.typename.kind))
        if lies.path is None:
            columns += fields
        else:
            columns.append(Field(here, lies.path, lies.kind, format=lies.format, values=Options(lies.values), items=tuple(fields)))
        column = None if lies.path is None else here
        served[name] = Served(name, column, lies.type, lies.many, below, typename, tuple(variants))
    return served, columns


@dataclass(frozen=True, slots=True)
class Need:
    """A parameter that another field gives: the ``path`` to it (``home.town``), and the native ``column`` that must equal it."""

    path: str
    column: str
    nullable: bool = True


def _native(rows: str, needs: Mapping[str, Need]) -> Options:
    return Options({"rows": rows, "params": Options({param: need.column for param, need in needs.items()})} if needs else {"rows": rows})


def _unread(needs: Mapping[str, Need]) -> tuple[Require, ...]:
    """Requirements before the schema is known; ``registry`` reads them."""
    return tuple(Require(param, need.path, (), need.nullable) for param, need in needs.items())


# -- bindings ---------------------------------------------------------------------------------------------------------


def lookup(
    system: str,
    type_name: str,
    key: str | tuple[str, ...],
    fields: Mapping[str, Lies | str],
    *,
    rows: str | None = None,
    max_keys: int = 100,
    anchor: bool = False,
    authority: Authority = Authority.SOURCE,
    priority: int = 0,
    requires: Mapping[str, Need] | None = None,
) -> Binding:
    """``type_name`` by ``key``, whose fields are among ``fields``. ``rows`` names the rows if they are not called as the relation is;
    ``requires`` are parameters that other fields of the entity give."""
    keys = (key,) if isinstance(key, str) else key
    served, columns = compiled(_lies(fields))
    name = f"{type_name}.by.{'.'.join(keys)}"
    required = requires or {}
    if required:  # it is for its fields alone, and serves no keys
        served = {field: lies for field, lies in served.items() if field not in keys}
    relation = Relation(name, tuple(columns), _native(rows or type_name, required), keys, max_keys, tuple(required))
    return Binding(
        f"{system}.{name}",
        system,
        Role.LOOKUP,
        type_name,
        relation,
        served,
        keys,
        existence=Existence.ANCHOR if anchor else Existence.CONTRIBUTES,
        coverage=Coverage.COMPLETE if anchor else Coverage.PARTIAL,
        authority=authority,
        priority=priority,
        requires=_unread(required),
    )


def link(
    system: str,
    coordinate: str,
    node: str,
    key: Mapping[str, str],
    fields: Mapping[str, Lies | str] | Lies,
    *,
    rows: str | None = None,
    max_keys: int = 100,
    many: bool = True,
    priority: int = 0,
    requires: Mapping[str, Need] | None = None,
    args: Mapping[str, str] | None = None,
    able: Mapping[str, Any] | None = None,
) -> Binding:
    """The list or object at ``coordinate``: rows of ``node``; ``key`` maps the parent's key fields to the native columns that hold them,
    and ``args`` its arguments to the columns that must equal them. ``fields`` made by ``either`` are rows of an abstract type.
    ``able`` are abilities of the relation (``where``, ``order``, ``limit``, ``each``, ``seek``)."""
    served, columns, row = _row(fields)
    named = {column.name: column for column in columns}
    clash = [name for name in key if name in named]
    if clash and not isinstance(fields, Lies):  # the child has a field of that name: its column is called otherwise
        served, columns = compiled(_lies(fields), "row.")
    columns = [*(Field(name, path) for name, path in key.items()), *columns]
    required = requires or {}
    given = {name: Need("", path) for name, path in (args or {}).items()}
    relation = Relation(coordinate, tuple(columns), _native(rows or node, {**required, **given}), tuple(key), max_keys, (*required, *given))
    relation = replace(relation, **{**(able or {}), "where": Options((able or {}).get("where"))})
    return Binding(
        f"{system}.{coordinate}",
        system,
        Role.LINK,
        node,
        relation,
        served,
        tuple(key),
        field=coordinate,
        many=many,
        priority=priority,
        requires=_unread(required),
        args={name: name for name in given},
        typename=row.typename,
        variants=row.variants,
    )


def scan(
    system: str,
    type_name: str,
    fields: Mapping[str, Lies | str] | Lies,
    *,
    rows: str | None = None,
    coordinate: str | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    order: tuple[str, ...] = (),
    limit: bool = False,
    total: bool = False,
    seek: bool = False,
    aggregates: tuple[Function, ...] = (),
    args: Mapping[str, str] | None = None,
) -> Binding:
    """All rows of ``type_name``, with what the source can do by itself."""
    served, columns, row = _row(fields)
    name = coordinate or f"{type_name}.all"
    relation = Relation(
        name,
        tuple(columns),
        Options({"rows": rows or type_name}),
        args=tuple((args or {}).values()),
        where=Options(where),
        order=order,
        limit=limit,
        total=total,
        seek=seek,
        aggregates=aggregates,
    )
    return Binding(
        f"{system}.{name}",
        system,
        Role.SCAN,
        type_name,
        relation,
        served,
        field=coordinate,
        args=args or {},
        typename=row.typename,
        variants=row.variants,
    )


def _row(fields: Mapping[str, Lies | str] | Lies) -> tuple[dict[str, Served], list[Field], Served]:
    """Fields of a row, its columns, and, if ``either`` made it, its variants."""
    if not isinstance(fields, Lies):
        return (*compiled(_lies(fields)), Served(""))
    served, columns = compiled({"row": fields})
    return {}, columns, served["row"]


def write(
    system: str,
    coordinate: str,
    type_name: str,
    fields: Mapping[str, Lies | str],
    *,
    rows: str,
    by: tuple[str, str],
    sets: Mapping[str, str],
    check: str = "",
) -> Binding:
    """The mutation ``coordinate``: in ``rows`` of the system, where column ``by[1]`` equals argument ``by[0]``, ``sets`` says which
    arguments go into which columns."""
    served, columns = compiled(_lies(fields))
    args = {by[0]: by[0], **{name: name for name in sets}}
    native = Options({"rows": rows, "by": {by[0]: by[1]}, "sets": sets})
    relation = Relation(coordinate, tuple(columns), native, args=tuple(args), effect="write")
    return Binding(f"{system}.{coordinate}", system, Role.WRITE, type_name, relation, served, args=args, field=coordinate, check=check)


def feed(
    system: str,
    coordinate: str,
    type_name: str,
    fields: Mapping[str, Lies | str],
    *,
    args: Mapping[str, str] | None = None,
    narrows: Mapping[str, str] | None = None,
) -> Binding:
    """The subscription ``coordinate``, whose events are published by ``Memory.publish``."""
    served, columns = compiled(_lies(fields))
    relation = Relation(coordinate, tuple(columns), args=tuple((args or {}).values()))
    return Binding(
        f"{system}.{coordinate}",
        system,
        Role.EVENTS,
        type_name,
        relation,
        served,
        args=args or {},
        narrows=narrows or {},
        field=coordinate,
    )


# -- worlds -----------------------------------------------------------------------------------------------------------
