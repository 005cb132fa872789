"""Root fields that are no queries: ``@send`` or ``@call`` on a field of Mutation, ``@topic`` on one of Subscription.

A mutation has one binding, which is called once. A feed's arguments go into its path, or choose among its events by the field of that
name. Knows one manifest at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schema.binder import Binder
from schema.entries import FieldEntry, Word
from schema.faults import suggest
from schema.places import Place, holes_of, placeholder_names, placeholders_known, relation, topic_fits, topic_native
from schema.registry import Binding, Role, Undo
from schema.rows import Rows
from schema.shapes import is_leaf
from schema.undoing import undo_of
from schema.words import ACTIONS
from schema.world import Bound

USUAL = "rest"  # the kind of system that every root has a word for


def bind_action(binder: Binder, entry: FieldEntry, root: str) -> None:
    """One field of ``root``, Mutation or Subscription."""
    sheet = binder.sheet
    coordinate = f"{root}.{entry.name}"
    kinds = ACTIONS[root]
    name = kinds.get(sheet.kind, kinds[USUAL])
    lists = sheet.shape(entry).lists
    bound = binder.element(entry)
    if bound is None:
        return
    if lists:
        sheet.report("NOT_SUPPORTED", entry.type, f"'{coordinate}' brings one object at a time.", "remove the list")
        return
    word = next((entry.words[each] for each in (name, *kinds.values()) if each in entry.words), None)
    if word is None:
        message = f"'{coordinate}' does not say where it is sent to or comes from."
        sheet.report("NO_PLACE", entry.node, message, f'add @{name}({"operation" if name == "call" else "path"}: "…")')
        return
    owners = [each for each, own in kinds.items() if own == word.name]
    if sheet.kind not in owners:
        message = f"@{word.name} is for {' and '.join(owners)} systems; this one is reached by {sheet.kind}."
        own = kinds.get(sheet.kind)
        fix = f"use @{own}" if own else f"describe the service that takes it in a file of its own, with @{owners[0]}"
        sheet.report("WRONG_PLACE", word.node, message, fix)
        return
    if word.name == "topic" and not topic_fits(sheet, word):
        return
    if not placeholders_known(sheet, word, {}, tuple(entry.arguments), batch=False):
        return
    rows = _carried(binder, word, binder.rows(bound.name), bound.name)
    if rows is None:
        return
    if root == "Mutation":
        _bind_write(binder, entry, word, rows, coordinate, bound.name)
    else:
        _bind_feed(binder, entry, word, rows, coordinate, bound)


def _carried(binder: Binder, word: Word, rows: Rows, type_name: str) -> Rows | None:
    """The rows as this place brings them, which may be less than what other calls of the same system do."""
    names = word.args.get("carries")
    if names is None:
        return rows
    for name in names:
        if name not in rows.fields:
            message = f"'{name}' is not among what this file binds on '{type_name}'.{suggest(name, rows.fields)}"
            binder.sheet.report("UNKNOWN_FIELD", word.value_node("carries"), message, "name fields that are bound here")
            return None
    fields = {name: served for name, served in rows.fields.items() if name in names}
    columns = [column for column in rows.columns if column.name.partition(".")[0] in names]
    return Rows(fields, columns, {}, [])


def _bind_write(binder: Binder, entry: FieldEntry, word: Word, rows: Rows, coordinate: str, type_name: str) -> None:
    used = placeholder_names(word)
    for name, argument in entry.arguments.items():
        if name not in used:
            fix = f"put {{{name}}} into {holes_of(word)}, or remove the argument"
            binder.sheet.report("NO_PLACEHOLDER", argument.node, f"The argument '{name}' is never sent.", fix)
            return
    check = word.args.get("check")
    query = binder.sheet.world.schema.query_type
    if check is not None and (query is None or check not in query.fields):
        known = query.fields if query is not None else ()
        message = f"There is no root field '{check}' to ask.{suggest(check, known)}"
        binder.sheet.report("UNKNOWN_FIELD", word.value_node("check"), message, "name a field of Query")
        return
    undone = undo_of(binder, entry, word, rows, type_name)
    if undone is None and word.args.get("undo") is not None:
        return
    made = relation(coordinate, rows, _place(word, tuple(entry.arguments), ("check", "carries", "undo", "batch", "single")), ())
    made = replace(made, effect="write", where=type(made.where)(), order=())
    idempotent = word.args.get("idempotency") is not None
    _add(binder, entry, made, rows, Role.WRITE, type_name, check=check or "", idempotent=idempotent, undo=undone)


def _bind_feed(binder: Binder, entry: FieldEntry, word: Word, rows: Rows, coordinate: str, bound: Bound) -> None:
    type_name = bound.name
    used = placeholder_names(word)
    narrows: dict[str, str] = {}
    for name, argument in entry.arguments.items():
        if name in used:
            continue
        said = argument.words.get("is")
        target = said.args["field"] if said else name
        served = rows.fields.get(target)
        shape = binder.sheet.leaf_shape(type_name, target)
        if served is None or served.type is not None or shape is None or shape.lists or not is_leaf(binder.sheet.world.type(shape.name)):
            message = f"'{name}' is neither in the path nor a plain field of the events.{suggest(target, rows.fields)}"
            fix = f'put {{{name}}} into the path, or write @is(field: "…") with a field that the events carry'
            binder.sheet.report("NO_PLACEHOLDER", said.value_node("field") if said else argument.node, message, fix)
            return
        narrows[name] = target
    sent = tuple(name for name in entry.arguments if name not in narrows)
    place = _place(word, sent, ("carries",))
    if binder.sheet.kind == "stream":
        # What is kept for the type is what its followers are told from, if both name one topic.
        own = bound.words.get("topic")
        place = replace(place, native=topic_native(bound, type_name, own if own and own.args["path"] == word.args["path"] else word))
    made = replace(relation(coordinate, rows, place, ()), order=())
    _add(binder, entry, made, rows, Role.EVENTS, type_name, narrows=narrows)


def _place(word: Word, args: tuple[str, ...], without: tuple[str, ...]) -> Place:
    native = {name: value for name, value in word.args.items() if value is not None and name not in without}
    return Place(native, (), 0, args=args, word=word)


def _add(
    binder: Binder,
    entry: FieldEntry,
    made: Any,
    rows: Rows,
    role: Role,
    type_name: str,
    *,
    narrows: Mapping[str, str] | None = None,
    check: str = "",
    idempotent: bool = False,
    undo: Undo | None = None,
) -> None:
    binding = Binding(
        binder.id(made.name),
        binder.sheet.manifest.name,
        role,
        type_name,
        made,
        rows.fields,
        args={each: each for each in made.args},
        narrows=narrows or {},
        check=check,
        idempotent=idempotent,
        undo=undo,
        field=made.name,
    )
    binder.add(binding, entry)
