"""``@send(undo:)``: which mutation undoes another, and where each of its arguments comes from.

A later program that carries out several writes takes them back by it. Knows one manifest at a time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from graphql import is_required_argument

from schema.binder import Binder
from schema.entries import FieldEntry, Word
from schema.faults import suggest
from schema.registry import Served, Undo
from schema.rows import Rows
from schema.shapes import Shape, shape_of, shape_of_type

_HOLE = re.compile(r"\{(\w+)\}")


def undo_of(binder: Binder, entry: FieldEntry, word: Word, rows: Rows, type_name: str) -> Undo | None:
    """How the mutation ``entry`` is undone; None where it does not say, or, with a fault, where that cannot be."""
    said: Mapping[str, Any] | None = word.args.get("undo")
    if said is None:
        return None
    schema = binder.sheet.world.schema
    known = schema.mutation_type.fields if schema.mutation_type is not None else {}
    field = known.get(said["field"])

    def refused(message: str, fix: str) -> None:
        binder.sheet.report("BAD_UNDO", word.value_node("undo"), message, fix)

    if field is None or said["field"] == entry.name:
        names = [name for name in known if name != entry.name]
        refused(f"There is no other mutation '{said['field']}' to undo it by.{suggest(said['field'], names)}", "name a field of Mutation")
        return None
    given = said.get("arguments") or {}
    if not isinstance(given, Mapping) or not all(isinstance(source, str) for source in given.values()):
        refused("The arguments of `undo` are an object of texts.", 'write arguments: {no: "{no}"}')
        return None
    missing = [name for name, argument in field.args.items() if is_required_argument(argument) and name not in given]
    if missing:
        refused(f"'{said['field']}' needs '{missing[0]}'.", f'add {missing[0]}: "…"')
        return None
    for name, source in given.items():
        argument = field.args.get(name)
        if argument is None:
            takes = ", ".join(field.args) or "nothing"
            refused(f"'{said['field']}' has no argument '{name}'.{suggest(name, field.args)}", f"what it takes: {takes}")
            return None
        wanted, there = shape_of_type(argument.type), _shape(binder, entry, rows, type_name, source)
        if there is None:
            hole = _HOLE.fullmatch(source)
            what = f"'{entry.name}' has no argument '{hole[1]}'" if hole else f"the answer carries no plain field '{source}'"
            near = suggest(hole[1], entry.arguments) if hole else suggest(source, rows.fields)
            fix = "write {name} for an argument of this mutation, else a field that its row carries"
            refused(f"{what[:1].upper()}{what[1:]}.{near}", fix)
            return None
        if (wanted.name, wanted.lists) != (there.name, there.lists):
            refused(f"'{said['field']}({name}:)' is '{wanted}', and '{source}' is '{there}'.", "give what is of the same type")
            return None
    return Undo(f"Mutation.{said['field']}", dict(given))


def _shape(binder: Binder, entry: FieldEntry, rows: Rows, type_name: str, source: str) -> Shape | None:
    """The type of what an argument of the undoing mutation comes from."""
    hole = _HOLE.fullmatch(source)
    if hole is not None:
        argument = entry.arguments.get(hole[1])
        return shape_of(argument.type) if argument is not None else None
    served: Served | None = rows.fields.get(source)
    return binder.sheet.leaf_shape(type_name, source) if served is not None and served.type is None else None
