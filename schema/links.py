"""Rows of other types: from an entity to its lists and objects, and lists of all.

Knows one manifest at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import is_abstract_type, is_input_object_type

from connectors.spi import Field
from schema.binder import Binder, entity_of, rank_of
from schema.entries import FieldEntry, Word, Words
from schema.places import Place, holes_of, join_place, key_columns, place_word, read_place, relation, renamed
from schema.registry import Binding, Role, Variant
from schema.rows import Rows, has_place, rows_of_any, rows_of_field
from schema.shapes import is_leaf, shape_of
from schema.words import HOLES, KINDS
from schema.world import Bound

PAGING = frozenset({"first", "after", "filter", "orderBy", "groupBy"})


@dataclass(frozen=True, slots=True)
class Brought:
    """The rows that a field with a call of its own brings: of one type, ``bound`` here, or of an abstract one by ``variants``."""

    type: str
    rows: Rows
    bound: Bound | None = None
    typename: str | None = None
    variants: tuple[Variant, ...] = ()

    @property
    def words(self) -> Words:
        return self.bound.words if self.bound is not None else {}


def brought(binder: Binder, entry: FieldEntry) -> Brought | None:
    """What a field brings; None, and a fault, if this manifest does not say what its rows carry."""
    name = binder.sheet.shape(entry).name
    if is_abstract_type(binder.sheet.world.type(name)):
        rows, typename, variants = rows_of_any(binder.sheet, entry, name) if not entry.broken else (Rows(), None, ())
        return Brought(name, rows, None, typename, variants) if variants else None
    bound = binder.element(entry)
    return Brought(bound.name, binder.rows(bound.name), bound) if bound is not None else None


def bind_link(binder: Binder, parent: Bound, entry: FieldEntry) -> None:
    """A field with a call of its own: a LINK to rows of its type, by the parent's key."""
    sheet = binder.sheet
    if is_leaf(sheet.world.type(sheet.shape(entry).name)) and "join" not in entry.words:
        bind_value(binder, parent, entry)
        return
    rows, word = brought(binder, entry), place_word(sheet, entry)
    requires = binder.requirements(parent.name, entry)
    if rows is None or word is None or requires is None:
        return
    coordinate, lists = f"{parent.name}.{entry.name}", sheet.shape(entry).lists
    if lists > 1:
        sheet.report("NOT_SUPPORTED", entry.type, "A call brings one list of rows.", "bind one list")
        return
    if not sheet.world.keys.get(parent.name):
        message = f"'{coordinate}' is asked for by the key of '{parent.name}', which has none."
        sheet.report("BAD_KEY", entry.node, message, f'write type {parent.name} @key(fields: "…")')
        return
    joins = word.name == "join"
    found = _joined(binder, entry, coordinate, lists == 1, word, parent, rows) if joins else _called(binder, entry, word, parent)
    if found is None:
        return
    place, paths = found
    extra = key_columns(sheet, parent.name, place.key, rows.rows, paths)
    keys = tuple(column.name for column in extra)
    authority, priority = rank_of(entry.words if "serves" in entry.words else parent.words)
    binding = Binding(
        binder.id(coordinate),
        sheet.manifest.name,
        Role.LINK,
        rows.type,
        relation(coordinate, rows.rows, _with_columns(place, extra), keys, extra, counted=joins),
        rows.rows.fields,
        key=place.key,
        field=coordinate,
        many=lists == 1,
        authority=authority,
        priority=priority,
        args={each: each for each in place.args if each not in {required.param for required in requires}},
        requires=requires,
        typename=rows.typename,
        variants=rows.variants,
    )
    binder.add(binding, entry)


def bind_value(binder: Binder, parent: Bound, entry: FieldEntry) -> None:
    """A plain value with a call of its own: a LOOKUP of the parent for that field alone."""
    sheet, word = binder.sheet, place_word(binder.sheet, entry)
    requires = binder.requirements(parent.name, entry)
    if word is None or requires is None:
        return
    coordinate = f"{parent.name}.{entry.name}"
    if not sheet.world.keys.get(parent.name):
        message = f"'{coordinate}' is asked for by the key of '{parent.name}', which has none."
        sheet.report("BAD_KEY", entry.node, message, f'write type {parent.name} @key(fields: "…")')
        return
    found = _called(binder, entry, word, parent)
    if found is None:
        return
    place, paths = found
    rows = rows_of_field(sheet, parent.name, entry)
    extra = key_columns(sheet, parent.name, place.key, rows, paths)
    keys = tuple(column.name for column in extra)
    authority, priority = rank_of(entry.words if "serves" in entry.words else parent.words)
    binding = Binding(
        binder.id(coordinate),
        sheet.manifest.name,
        Role.LOOKUP,
        parent.name,
        relation(coordinate, rows, _with_columns(place, extra), keys, extra),
        rows.fields,
        key=place.key,
        args={each: each for each in place.args if each not in {required.param for required in requires}},
        requires=requires,
        authority=authority,
        priority=priority,
    )
    binder.add(binding, entry)


def _all_sent(binder: Binder, entry: FieldEntry, place: Place) -> bool:
    """Whether each argument of a @get or @call is sent. One that is not would be public, and do nothing.

    What narrows, orders and pages a list is the engine's, which asks the source for as much as it can do.
    """
    if place.word is None or place.word.name not in HOLES:
        return True
    for name, argument in entry.arguments.items():
        engines = name in PAGING or is_input_object_type(binder.sheet.world.type(shape_of(argument.type).name))
        if name not in place.args and "require" not in argument.words and not engines:
            fix = f"put {{{name}}} into {holes_of(place.word)}, or remove the argument"
            binder.sheet.report("NO_PLACEHOLDER", argument.node, f"The argument '{name}' is never sent.", fix)
            return False
    return True


Found = tuple[Place, tuple[str, ...]]  # the place, and where each part of the parent's key lies in a row


def _joined(binder: Binder, entry: FieldEntry, coordinate: str, many: bool, word: Word, parent: Bound, rows: Brought) -> Found | None:
    if word.args["many"] is not many:
        message = f"'{coordinate}' is {'a list' if many else 'one object'}."
        binder.sheet.report("BAD_JOIN", word.node, message, f"write many: {'true' if many else 'false'}")
        return None
    for argument in entry.arguments.values():
        if "require" in argument.words:
            message = "A join takes no values but the key."
            binder.sheet.report("BAD_REQUIRE", argument.words["require"].node, message, "ask by a key field")
            return None
    if rows.bound is None:
        message = f"A join brings rows of one table; '{rows.type}' is several types."
        binder.sheet.report("NOT_SUPPORTED", entry.type, message, "bind an object type")
        return None
    return join_place(binder.sheet, word, parent.name, rows.bound)


def _called(binder: Binder, entry: FieldEntry, word: Word, parent: Bound) -> Found | None:
    keys = {name: name for name in sorted(binder.sheet.key_fields(parent.name))}
    place = read_place(binder.sheet, entry, word, keys, tuple(entry.arguments), all_keys=False)
    for name, argument in entry.arguments.items() if place is not None else ():
        if "require" in argument.words and name not in place.args:  # type: ignore[union-attr]
            message = f"What '{name}' requires is never sent."
            where = holes_of(word) if word.name in HOLES else "the path or the body"
            binder.sheet.report("BAD_REQUIRE", argument.words["require"].node, message, f"put {{{name}}} into {where}")
            return None
    if place is not None and place.max_keys > 1 and not place.match:
        binder.no_match(place, place.key[0])
        return None
    if place is not None and not _all_sent(binder, entry, place):
        return None
    return (place, tuple((place.match or "") for _ in place.key)) if place is not None else None


def _with_columns(place: Place, extra: tuple[Field, ...]) -> Place:
    """The place with the parent's key called by its columns, where these had to be named otherwise."""
    names = {name: column.name for name, column in zip(place.key, extra, strict=True) if name != column.name}
    native = dict(place.native)
    holes = HOLES.get(place.word.name, ()) if place.word is not None else ()
    native |= {argument: renamed(native[argument], names) for argument in holes if argument in native}
    if "batch" in native:
        native["batch"] = {**native["batch"], "by": names.get(native["batch"]["by"], native["batch"]["by"])}
    return replace(place, native=native) if names else place


def bind_scan(binder: Binder, found: Brought, entry: FieldEntry, coordinate: str | None) -> None:
    """A list of all entities of a type; ``coordinate`` is the public root it is for, if it is for one alone."""
    sheet = binder.sheet
    word, rows = place_word(sheet, entry), found.rows
    place: Place | None
    if word is None:
        if has_place(entry) or binder.needs_place(entry, coordinate or f"Query.{entry.name}"):
            return
        place = Place({}, (), 0, args=tuple(entry.arguments))
    elif word.name == "join":
        sheet.report(
            "WRONG_PLACE",
            word.node,
            "@join belongs to a field of an entity.",
            f"add {KINDS.get(sheet.kind, '@table to its type')} for a list of all",
        )
        return
    else:
        place = read_place(sheet, entry, word, {}, (*entry.arguments, *rows.where), all_keys=True)
    if place is None:
        return
    if not _all_sent(binder, entry, place):
        return
    name = coordinate or entry.name
    # What may stand in the path besides arguments are columns to filter by; those are conditions, not parameters.
    place = replace(place, args=tuple(each for each in place.args if each in entry.arguments))
    page: Mapping[str, Any] = place.native.get("page") or {}
    existence, coverage = entity_of(found.words)
    authority, priority = rank_of(entry.words if "serves" in entry.words else found.words)
    binding = Binding(
        binder.id(name),
        sheet.manifest.name,
        Role.SCAN,
        found.type,
        replace(relation(name, rows, place, ()), order=(), total=bool(page.get("total"))),
        rows.fields,
        field=coordinate,
        existence=existence,
        coverage=coverage,
        authority=authority,
        priority=priority,
        args={each: each for each in place.args},
        typename=found.typename,
        variants=found.variants,
    )
    binder.add(binding, entry)
