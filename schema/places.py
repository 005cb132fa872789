"""Where rows are fetched: @get, @field, @call, @join, @table, @file and @topic as ``Relation.native``, with their keys and parameters.

``Relation.keys`` are columns in the order of ``Binding.key``; a place names them, so a ``{name}`` that an author wrote for a key is
rewritten to its column. Knows no binding.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql.language import StringValueNode

from connectors.spi import Field, Options, Relation
from schema.entries import FieldEntry, Word
from schema.expressions import Part, read_join, read_template
from schema.faults import suggest
from schema.rows import Rows, column_of
from schema.words import HOLES, KINDS, PLACES, TABLES
from schema.world import Bound, Sheet, table_of

TABLE_KEYS = 500  # keys in one IN list
BATCH = "keys"  # the placeholder of a batch
ENGINES = frozenset({"batch", "single", "cache", "stale"})  # of a place's arguments those that no connector needs to know
_HOLE = re.compile(r"\{(\w+)\}")
_OURS = frozenset({*ENGINES, "carries", "check", "undo"})  # said to composition, not to a connector as they stand
_MUTATIONS = frozenset({"carries", "check", "idempotency", "undo"})  # arguments of a place that mean something to mutations alone


@dataclass(frozen=True, slots=True)
class Place:
    """``key`` are the names that are asked by, ``max_keys`` how many at once (0 never), ``match`` where rows repeat them."""

    native: Mapping[str, Any]
    key: tuple[str, ...]
    max_keys: int
    match: str | None = None
    args: tuple[str, ...] = ()
    word: Word | None = None


def place_word(sheet: Sheet, entry: FieldEntry) -> Word | None:
    """The word that says where a field's rows lie, if this kind of system has it. Kinds that are installed take any."""
    found = [entry.words[name] for name in PLACES if name in entry.words]
    own = [word for word in found if sheet.kind not in KINDS or sheet.kind in PLACES[word.name]]
    right = ", ".join(f"@{name}" for name, kinds in (*PLACES.items(), *((n, (k,)) for n, k in TABLES.items())) if sheet.kind in kinds)
    for word in found:
        if word not in own:
            message = f"@{word.name} is for {' and '.join(PLACES[word.name])} systems; this one is reached by {sheet.kind}."
            sheet.report("WRONG_PLACE", word.node, message, f"use {right}")
    for word in own[:1]:
        mutations = sorted(_MUTATIONS & {argument.name.value for argument in word.node.arguments or ()})
        if mutations:
            node = word.value_node(mutations[0])
            sheet.report(
                "WRONG_PLACE", node, f"'{mutations[0]}' of @{word.name} is of mutations; this field reads.", f"remove {mutations[0]}"
            )
    for word in own[1:]:
        message = f"@{own[0].name} says already where the rows of '{entry.name}' lie."
        sheet.report("DEFINED_TWICE", word.node, message, "keep one of the two")
    return own[0] if len(found) == 1 and own else None


def read_place(
    sheet: Sheet, entry: FieldEntry, word: Word, keys: Mapping[str, str], args: Collection[str], *, all_keys: bool
) -> Place | None:
    """A @get, @field or @call. ``keys`` maps the names an author may use to key columns; with ``all_keys`` each of them must be sent."""
    batch = word.args.get("batch")
    if word.name in HOLES and not placeholders_known(sheet, word, keys, args, batch is not None):
        return None
    if batch is not None:
        named = tuple(keys.get(name, name) for name in batch["by"])
        wrong = [name for name in batch["by"] if name not in keys]
        if wrong or len(named) != 1 or (all_keys and set(named) != set(keys.values())):
            wanted = sorted(set(keys.values()))
            message = (
                f"batch.by is '{' '.join(batch['by'])}', but the key is '{' '.join(wanted)}'." if wanted else "There is no key to ask by."
            )
            fix = f'write by: "{wanted[0]}"' if len(wanted) == 1 else "leave out batch: a key of several fields is asked for singly"
            sheet.report("BAD_BATCH", word.value_node("batch"), message, fix)
            return None
        return _called(sheet, entry, word, keys, args, named, batch)
    if word.name in HOLES:
        named = tuple(dict.fromkeys(keys[name] for name in placeholder_names(word) if name in keys and name not in args))
    else:
        named = tuple(dict.fromkeys(keys.values())) if all_keys or len(set(keys.values())) == 1 else ()
    if word.name in HOLES:
        missing = [name for name in dict.fromkeys(keys.values()) if name not in named]
        if keys and ((all_keys and missing) or not named):
            first = HOLES[word.name][0]
            fix = f"put {{{missing[0]}}} into the {first}, or add batch"
            sheet.report("NO_PLACEHOLDER", word.value_node(first), f"The key '{missing[0]}' is never sent.", fix)
            return None
    elif keys and len(named) != 1:
        sheet.report("BAD_BATCH", word.node, "A root field of the source is asked by one key field.", "choose a key of one field")
        return None
    return _called(sheet, entry, word, keys, args, named, None)


def _called(
    sheet: Sheet,
    entry: FieldEntry,
    word: Word,
    keys: Mapping[str, str],
    args: Collection[str],
    named: tuple[str, ...],
    batch: Mapping[str, Any] | None,
) -> Place | None:
    native: dict[str, Any] = {name: value for name, value in word.args.items() if value is not None and name not in _OURS}
    if word.name == "get" and kept(sheet, word, "cache"):
        native["cached"] = True  # for how long is the engine's; that it is says to the connector that asking whether it still holds pays
    if batch is not None:
        native["batch"] = {"by": named[0], **{name: value for name, value in batch.items() if name != "by" and value is not None}}
    if word.name == "field":
        if named and "argument" not in native and sheet.manifest.kind == "graphql":  # other kinds have relations, not arguments
            sheet.report("MISSING_ARGUMENT", word.node, "@field does not say which argument carries the key.", 'add argument: "…"')
            return None
    else:
        native |= {name: renamed(native[name], {**keys, **{each: each for each in args}}) for name in HOLES[word.name] if name in native}
        if batch is not None and BATCH not in placeholder_names(word):
            node = word.value_node(HOLES[word.name][0])
            sheet.report("NO_PLACEHOLDER", node, "The keys of the batch are never sent.", f"put {{keys}} into {holes_of(word)}")
            return None
    used = tuple(args) if word.name == "field" else tuple(name for name in args if name in placeholder_names(word))
    return Place(native, named, batch["max"] if batch is not None else 1 if named else 0, batch.get("match") if batch else None, used, word)


def placeholders_known(sheet: Sheet, word: Word, keys: Mapping[str, str], args: Collection[str], batch: bool) -> bool:
    """Whether every name in braces is a key or an argument; reports those that are not."""
    allowed = {*args, *({BATCH} if batch else keys)}
    good = True
    for argument in HOLES[word.name]:
        node, value = word.value_node(argument), word.args.get(argument)
        template = argument == "path"
        for part in read_template(str(value)) if template else (Part(name, 0) for name in _holes(value)):
            if part.path not in allowed:
                good = False
                _unknown(sheet, node, part.path, allowed, 1 + part.offset if template and not getattr(node, "block", False) else 0)
    return good


def _unknown(sheet: Sheet, node: Any, name: str, allowed: Iterable[str], offset: int) -> None:
    known = ", ".join(f"{{{each}}}" for each in sorted(allowed)) or "nothing"
    near = suggest(name, allowed)
    if name == BATCH:
        sheet.report(
            "UNKNOWN_PLACEHOLDER", node, "{keys} stands for a batch of keys, and there is no batch.", 'add batch: {by: "…"}', offset=offset
        )
    else:
        sheet.report(
            "UNKNOWN_PLACEHOLDER",
            node,
            f"{{{name}}} is neither a key nor an argument.{near}",
            f"what can be put in here: {known}",
            offset=offset,
        )


def placeholder_names(word: Word) -> list[str]:
    """The names in braces in a place's arguments."""
    return [name for argument in HOLES[word.name] for name in _holes(word.args.get(argument))]


def holes_of(word: Word) -> str:
    """Where names in braces may stand, for a fix: ``the path or the body``."""
    return " or ".join(f"the {argument}" for argument in HOLES[word.name])


def _holes(body: Any) -> Iterator[str]:
    if isinstance(body, str):
        yield from _HOLE.findall(body)
    elif isinstance(body, Mapping):
        for value in body.values():
            yield from _holes(value)
    elif isinstance(body, list | tuple):
        for value in body:
            yield from _holes(value)


def kept(sheet: Sheet, word: Word | None, name: str) -> Any:
    """What a place says of ``cache`` or ``stale``; else the source, for all its places."""
    own = word.args.get(name) if word is not None else None
    return own if own is not None or sheet.manifest.source is None else sheet.manifest.source.args.get(name)


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Plain data with the names in braces called otherwise."""
    if isinstance(value, str):
        return _HOLE.sub(lambda hole: f"{{{names.get(hole[1], hole[1])}}}", value)
    if isinstance(value, Mapping):
        return {name: renamed(inner, names) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [renamed(inner, names) for inner in value]
    return value


def table_native(sheet: Sheet, table: Word, key: tuple[str, ...]) -> dict[str, Any]:
    """A table or file as a connector reads it: its name, the native key columns, a fixed condition, how a file is read. A table's
    schema is the connector's setting; a topic is ``topic_native``."""
    if table.name == "file":
        said = {name: value for name, value in table.args.items() if name not in ("name", "key") and value is not None}
        return {"file": table.args["name"], "key": key, "unique": tuple(table.args["key"]), **said}
    native: dict[str, Any] = {"table": table.args["name"], "key": key}
    if table.args.get("where"):
        native["where"] = table.args["where"]
    return native


def topic_native(bound: Bound, type_name: str, topic: Word) -> dict[str, Any]:
    """A stream's topic as a connector reads it: its key lies where this file says of the fields of the type's first key."""
    names = bound.key_names[0] if bound.key_names else ()
    said = {name: topic.args[name] for name in ("path", "at", "order", "deleted") if topic.args.get(name) is not None}
    return {**said, "type": type_name, "key": tuple(key_path(bound, name) for name in names)}


def topic_fits(sheet: Sheet, word: Word) -> bool:
    """Whether all that a @topic says means something to this kind of system; reports what does not."""
    for name in {"stream": ("event", "quiet"), "rest": ("order", "deleted")}.get(sheet.kind, ()):
        node = word.value_node(name)
        if node is not word.node:
            sheet.report("WRONG_PLACE", node, f"'{name}' of @topic means nothing to {sheet.kind} systems.", f"remove {name}")
            return False
    return sheet.kind != "stream" or placeholders_known(sheet, word, {}, (), batch=False)


def key_path(bound: Bound, name: str) -> str:
    """Where a row holds a key field: by @from, or under its own name."""
    entry = bound.fields.get(name)
    path = entry.word("from", "path") if entry is not None else None
    return str(path) if path is not None else name


def join_place(sheet: Sheet, word: Word, parent: str, element: Bound) -> tuple[Place, tuple[str, ...]] | None:
    """A @join: rows of the element's table whose left columns equal the parent's key fields. Also returns those columns."""
    table = table_of(element.words)
    if table is None:
        name = next((name for name, kind in TABLES.items() if kind == sheet.kind), "table")
        message = f"'{element.name}' has no {name} in this file."
        sheet.report("BAD_JOIN", word.node, message, f'add @{name}(name: "…", key: ["…"]) to type {element.name}')
        return None
    pairs = read_join(word.args["on"])
    keys = sheet.key_fields(parent)
    node = word.value_node("on")
    for _, right in pairs:
        if right.path not in keys:
            near = suggest(right.path, keys)
            offset = 1 + right.offset if isinstance(node, StringValueNode) and not node.block else 0
            sheet.report(
                "BAD_JOIN",
                node,
                f"'{right.path}' is not a key field of '{parent}'.{near}",
                "right of '=' stands a key field",
                offset=offset,
            )
            return None
    columns = tuple(left.path for left, _ in pairs)
    return Place(table_native(sheet, table, columns), tuple(right.path for _, right in pairs), TABLE_KEYS, word=word), columns


def key_columns(sheet: Sheet, owner: str, key: tuple[str, ...], rows: Rows, paths: Iterable[str]) -> tuple[Field, ...]:
    """Columns for a parent's key beside the element's own: named after the key, unless the element has a column of that name."""
    found = []
    for name, path in zip(key, paths, strict=True):
        column = name
        if column in rows.names:
            column = f"{owner[:1].lower()}{owner[1:]}_{name}"
            while column in rows.names:
                column += "_"
        found.append(column_of(sheet, owner, name, column, path))
    return tuple(found)


def relation(
    name: str, rows: Rows, place: Place, keys: tuple[str, ...], extra: tuple[Field, ...] = (), *, counted: bool = False
) -> Relation:
    """Put together what a connector is asked. ``counted``: the place can cut and count by itself, and go on after a key: that is how
    a connection is paged, whatever else its manifest lets callers filter and sort by."""
    where, order = dict(rows.where), list(rows.order)
    for key in keys if counted else ():
        where[key] = tuple(dict.fromkeys((*where.get(key, ()), "GT")))
        order += [] if key in order else [key]
    return Relation(
        name=name,
        fields=(*rows.columns, *extra),
        native=Options(place.native),
        keys=keys,
        max_keys=place.max_keys,
        args=place.args,
        where=Options(where),
        order=tuple(order),
        limit=counted,
        total=counted,
        seek=counted,
        each=counted,
        aggregates=("COUNT", "SUM", "MIN", "MAX") if counted else (),
    )
