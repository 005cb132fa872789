"""How the fields that a manifest binds on one type lie in a row: native columns, and what is served from them.

A plain field is a column. An object lies in the same row, its parts with dotted names; a list of objects is one column with items; a
reference to an entity carries that entity's key. Fields with a call of their own (@get, @field, @join) are not in the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from graphql import is_abstract_type, is_enum_type

from connectors.spi import Field, Options
from schema.assign import enum_values
from schema.entries import FieldEntry
from schema.expressions import Part, join_paths, read_expression
from schema.faults import suggest
from schema.registry import Served, Variant
from schema.shapes import Shape, is_leaf, native_type
from schema.words import FLAT, PLACES
from schema.world import Sheet, table_of

TYPENAME = "__typename"


@dataclass(slots=True)
class Rows:
    """``fields`` by canonical name; ``where`` and ``order`` name the columns that the source can filter and sort by."""

    fields: dict[str, Served] = field(default_factory=dict)
    columns: list[Field] = field(default_factory=list)
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where in the row we are: the prefix of names, the path so far, and the types around us."""

    name: str = ""
    path: str = ""
    within: tuple[str, ...] = ()

    def inner(self, name: str, path: str, type_name: str) -> _Spot:
        return _Spot(f"{self.name}{name}.", path, (*self.within, type_name))


def has_place(entry: FieldEntry) -> bool:
    """Whether a field is answered by a call of its own."""
    return any(place in entry.words for place in PLACES)


def rows_of(sheet: Sheet, type_name: str) -> Rows:
    """Everything this manifest binds on a type, as a row of it carries it."""
    rows = Rows()
    _fill(sheet, rows, type_name, _Spot(within=(type_name,)))
    return rows


def rows_of_any(sheet: Sheet, entry: FieldEntry, abstract: str) -> tuple[Rows, str | None, tuple[Variant, ...]]:
    """Rows of an interface or union: the column that tells the type, and what the rows of each type carry."""
    rows = Rows()
    typename, variants = _variants(sheet, rows, entry, abstract, _Spot(within=(abstract,)))
    return rows, typename, variants


def rows_of_field(sheet: Sheet, type_name: str, entry: FieldEntry) -> Rows:
    """One field of a type alone, as a row of the call that is its own carries it."""
    rows = Rows()
    made = _serve(sheet, rows, type_name, entry, _Spot(within=(type_name,)))
    if made is not None:
        rows.fields[entry.name] = made
    return rows


def _fill(sheet: Sheet, rows: Rows, type_name: str, spot: _Spot) -> dict[str, Served]:
    """Add the fields of a type at a spot; returns what is served there."""
    sheet.used.add(type_name)
    served: dict[str, Served] = rows.fields if not spot.name and len(spot.within) == 1 else {}
    for entry in sheet.types[type_name].fields.values():
        if entry.broken or has_place(entry):
            continue
        made = _serve(sheet, rows, type_name, entry, spot)
        if made is not None:
            served[entry.name] = made
    return served


def _serve(sheet: Sheet, rows: Rows, type_name: str, entry: FieldEntry, spot: _Spot) -> Served | None:
    shape = sheet.shape(entry)
    type_ = sheet.world.type(shape.name)
    if type_ is None or not _may_lack(sheet, entry):
        return None  # reported where the schema was extended, or just now
    path, expr = entry.word("from", "path"), entry.word("from", "expr")
    parts = read_expression(expr) if expr is not None else None
    if is_leaf(type_):
        if isinstance(parts, Mapping):
            sheet.report(
                "BAD_PARTS", entry.words["from"].node, f"'{type_name}.{entry.name}' is a plain value, not an object.", "give a path"
            )
            return None
        native = parts.path if parts is not None else path if path is not None else _default(sheet, type_name, entry.name)
        return _leaf(sheet, rows, entry, shape, f"{spot.name}{entry.name}", join_paths(spot.path, native))
    if entry.word("from", "always") and not shape.lists and not isinstance(parts, Mapping):
        message = f"'{type_name}.{entry.name}' is an object, which lies in a row by its parts."
        sheet.report("BAD_PARTS", entry.words["from"].value_node("always"), message, "write always at its parts")
    base = path if path is not None else entry.name if parts is None and sheet.kind not in FLAT else "$"
    if shape.lists:
        return _list(sheet, rows, type_name, entry, shape, parts, spot, path if path is not None else entry.name)
    inner = spot.inner(entry.name, join_paths(spot.path, base), shape.name)
    if is_abstract_type(type_):
        typename, variants = _variants(sheet, rows, entry, shape.name, inner)
        return Served(entry.name, type=shape.name, typename=typename, variants=variants) if variants else None
    made = _object(sheet, rows, type_name, entry, shape, parts, inner)
    return Served(entry.name, type=shape.name, parts=made) if made else None


def _may_lack(sheet: Sheet, entry: FieldEntry) -> bool:
    """Whether rows of this kind can lack a column at all, where the manifest says that they do not; reports where they cannot."""
    if not entry.word("from", "always") or sheet.kind not in (*FLAT, "graphql"):
        return True
    message = f"'always' of @from means nothing to {sheet.kind} systems, which say so themselves when a column is gone."
    sheet.report("WRONG_PLACE", entry.words["from"].value_node("always"), message, "remove always")
    return False


def _default(sheet: Sheet, type_name: str, name: str) -> str:
    """Where a value lies when nothing is said: under the field's own name, or for a key of a table or file in its key column."""
    bound = sheet.types[type_name]
    table = table_of(bound.words)
    if table is not None and bound.key_names and name in bound.key_names[0]:
        at = bound.key_names[0].index(name)
        columns = table.args.get("key", ())  # a topic's key lies where its fields say
        if at < len(columns):
            return str(columns[at])
    return name


def column_of(sheet: Sheet, type_name: str, field_name: str, column: str, path: str) -> Field:
    """A column that holds a type's field, with the format and enum texts this manifest gives for it."""
    shape = sheet.leaf_shape(type_name, field_name)
    assert shape is not None
    own = sheet.types[type_name].fields.get(field_name) if type_name in sheet.types else None
    rows = Rows()
    _leaf(sheet, rows, own, shape, column, path)
    return rows.columns[0] if path else replace(rows.columns[0], path="")


def _leaf(
    sheet: Sheet, rows: Rows, entry: FieldEntry | None, shape: Shape, name: str, path: str, within: FieldEntry | None = None
) -> Served:
    """A column; ``within`` is the object field whose expression names it."""
    format = entry.word("from", "format") if entry else None
    enum = sheet.enums.get(shape.name)
    values = Options(enum_values(enum)) if enum is not None and is_enum_type(sheet.world.type(shape.name)) else Options()
    always = any(each.word("from", "always") for each in (entry, within) if each is not None)
    kind = native_type(shape, sheet.kind, format)
    rows.columns.append(Field(name, path or "$", kind, nullable=not shape.required[0], format=format, values=values, always=always))
    if entry is not None and "filter" in entry.words:
        rows.where[name] = tuple(dict.fromkeys(entry.words["filter"].args["ops"]))
    if entry is not None and "sort" in entry.words:
        rows.order.append(name)
    return Served(name.rpartition(".")[2], column=name)


def _object(
    sheet: Sheet, rows: Rows, type_name: str, entry: FieldEntry, shape: Shape, parts: Part | Mapping[str, Part] | None, spot: _Spot
) -> dict[str, Served]:
    """The parts of an object in the row, named by an expression or bound by this manifest on its type."""
    if isinstance(parts, Part):
        spot = _Spot(spot.name, join_paths(spot.path, parts.path), spot.within)
    made = (
        _expressed(sheet, rows, entry, shape.name, parts, spot)
        if isinstance(parts, Mapping)
        else _declared(sheet, rows, type_name, entry, shape, spot)
    )
    keys = sheet.world.keys.get(shape.name)
    if made and keys and not any(set(key) <= made.keys() for key in keys):
        wanted = ", ".join(keys[0])
        sheet.report(
            "BAD_PARTS",
            entry.words["from"].node if "from" in entry.words else entry.node,
            f"'{type_name}.{entry.name}' refers to '{shape.name}' without its key ({wanted}).",
            f'write @from(expr: "{{{wanted}: …}}")',
        )
        return {}
    return made


def _expressed(sheet: Sheet, rows: Rows, entry: FieldEntry, target: str, parts: Mapping[str, Part], spot: _Spot) -> dict[str, Served]:
    sheet.used.add(target)
    made: dict[str, Served] = {}
    word = entry.words["from"]
    for name, part in parts.items():
        shape = sheet.leaf_shape(target, name)
        own = sheet.types[target].fields.get(name) if target in sheet.types else None
        if own is not None and own.broken:
            continue
        if shape is None or not is_leaf(sheet.world.type(shape.name)):
            known = getattr(sheet.world.type(target), "fields", {})
            what = (
                f"'{target}' has no field '{name}'.{suggest(name, known)}" if shape is None else f"'{target}.{name}' is not a plain value."
            )
            # The name stands before its path; the fault points at the string, since blanks between them are free.
            sheet.report("BAD_PARTS", word.value_node("expr"), what, "name plain fields of the type")
            continue
        made[name] = _leaf(sheet, rows, own, shape, f"{spot.name}{name}", join_paths(spot.path, part.path), entry)
    if "filter" in entry.words or "sort" in entry.words:
        for served in made.values():
            assert served.column is not None
            if "filter" in entry.words:
                rows.where[served.column] = tuple(dict.fromkeys(entry.words["filter"].args["ops"]))
            if "sort" in entry.words:
                rows.order.append(served.column)
    return made


def _declared(sheet: Sheet, rows: Rows, type_name: str, entry: FieldEntry, shape: Shape, spot: _Spot) -> dict[str, Served]:
    target = shape.name
    keys = sheet.world.keys.get(target, ())
    if target not in sheet.types:
        fix = (
            f'write @from(expr: "{{{", ".join(f"{name}: …" for name in keys[0])}}}")'
            if keys
            else f"add `type {target} {{ … }}` with its fields"
        )
        sheet.report(
            "NOT_BOUND_HERE", entry.type, f"This file does not say which fields of '{target}' lie in '{type_name}.{entry.name}'.", fix
        )
        return {}
    if target not in spot.within[:-1]:
        return _fill(sheet, rows, target, spot)
    # The type is being written already: an entity is referred to by key, anything else would never end.
    made = {}
    for name in keys[0] if keys else ():
        own = sheet.types[target].fields.get(name)
        shape_ = sheet.leaf_shape(target, name)
        if shape_ is not None and not (own and own.broken):
            path = own.word("from", "path") if own else None
            made[name] = _leaf(sheet, rows, own, shape_, f"{spot.name}{name}", join_paths(spot.path, path if path is not None else name))
    if not keys:
        sheet.report(
            "BAD_PARTS", entry.type, f"'{target}' lies within itself without end.", "leave the field out, or give it a call of its own"
        )
    return made


def _list(
    sheet: Sheet,
    rows: Rows,
    type_name: str,
    entry: FieldEntry,
    shape: Shape,
    parts: Part | Mapping[str, Part] | None,
    spot: _Spot,
    path: str,
) -> Served | None:
    items = Rows()
    inner = _Spot("", "", (*spot.within, shape.name))
    typename: str | None = None
    variants: tuple[Variant, ...] = ()
    made: dict[str, Served] = {}
    if is_abstract_type(sheet.world.type(shape.name)):
        typename, variants = _variants(sheet, items, entry, shape.name, inner)
    else:
        made = _object(sheet, items, type_name, entry, shape, parts, inner)
    if not items.columns:
        return None
    name = f"{spot.name}{entry.name}"
    format = entry.word("from", "format")
    kind, always = "text" if format == "json" else "json", bool(entry.word("from", "always"))
    rows.columns.append(Field(name, join_paths(spot.path, path) or "$", kind, format=format, items=tuple(items.columns), always=always))
    return Served(entry.name, name, shape.name, many=True, parts=made, typename=typename, variants=variants)


def _variants(sheet: Sheet, rows: Rows, entry: FieldEntry, abstract: str, spot: _Spot) -> tuple[str | None, tuple[Variant, ...]]:
    """The column that tells the type, and for each concrete type bound here what its rows carry. Names hold the type, since two
    types may have one field at different places."""
    path = entry.word("from", "typename")
    if path is None and sheet.kind != "graphql":
        fix = 'write @from(typename: "…"), the path that says which type a row is of'
        sheet.report("BAD_PARTS", entry.node, f"Rows of '{abstract}' do not say which type they are of.", fix)
        return None, ()
    column = f"{spot.name}{TYPENAME}"
    members = [member.name for member in sheet.world.members(abstract) if member.name in sheet.types]
    if not members:
        sheet.report("NOT_BOUND_HERE", entry.type, f"This file binds no type that is a '{abstract}'.", "bind at least one of its types")
        return None, ()
    rows.columns.append(Field(column, join_paths(spot.path, path or TYPENAME)))
    variants = []
    for member in members:
        own = sheet.types[member].words.get("from")
        value = own.args.get("path") if own else None
        # A GraphQL source has to be asked for each type's fields under a type condition.
        path_in = join_paths(spot.path, f"... on {value or member}") if sheet.kind == "graphql" else spot.path
        parts = _fill(sheet, rows, member, _Spot(f"{spot.name}{member}.", path_in, (*spot.within, member)))
        variants.append(Variant(value or member, member, parts))
    return column, tuple(variants)
