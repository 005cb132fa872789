"""Finding an entity by its key: ``@lookup`` fields of ``type Query``, and ``@table``, ``@file`` or ``@topic``, which give a lookup
and a list.

Knows one manifest at a time.
"""

from __future__ import annotations

from connectors.spi import Field, Relation
from schema.binder import Binder, entity_of, rank_of
from schema.entries import FieldEntry, Word
from schema.places import TABLE_KEYS, Place, key_path, place_word, read_place, relation, table_native, topic_fits, topic_native
from schema.registry import Authority, Binding, Role, Served
from schema.rows import Rows, column_of, has_place
from schema.words import KINDS, TABLES
from schema.world import Bound, table_of


def bind_lookup(binder: Binder, bound: Bound, entry: FieldEntry) -> None:
    """A ``@lookup`` of ``type Query``: a LOOKUP of its type by the key that its arguments are."""
    arguments = binder.arguments(bound.name, entry)
    if arguments is None:
        return
    word = place_word(binder.sheet, entry)
    place: Place | None
    if word is None:
        if has_place(entry) or binder.needs_place(entry, f"Query.{entry.name}"):
            return
        place = Place({}, tuple(arguments.values()), 1)
    else:
        place = read_place(binder.sheet, entry, word, arguments, (), all_keys=True)
    if place is None:
        return
    keys = binder.sheet.world.keys.get(bound.name, ())
    key = next((each for each in keys if set(each) == set(place.key)), place.key)
    rows = _keyed(binder, bound, place, key)
    if rows is not None:
        _add(binder, bound, entry.name, relation(entry.name, rows, place, key), rows, key, entry)


def _keyed(binder: Binder, bound: Bound, place: Place, key: tuple[str, ...]) -> Rows | None:
    """The rows of a lookup, with the columns of its key at the place where the answer repeats them."""
    sheet, rows = binder.sheet, binder.rows(bound.name)
    columns = {column.name: column for column in rows.columns}
    for name in key:
        entry = bound.fields.get(name)
        said = entry is not None and "from" in entry.words
        if entry is not None and (entry.broken or (said and name not in columns)):
            return None  # reported where it was read
        if entry is not None and said and place.match is not None and columns[name].path != place.match:
            message = f"The key '{name}' lies at '{columns[name].path}' by @from, and at '{place.match}' by batch.match."
            sheet.report("KEY_COLUMN_MISMATCH", entry.words["from"].node, message, "write the same path in both")
            return None
        if entry is None and place.max_keys > 1 and place.match is None:
            binder.no_match(place, name)
            return None
        # Asked singly, a source need not repeat the key; the connector fills in what it asked with.
        if not said and (place.match is not None or entry is None or place.max_keys == 1):
            columns[name] = column_of(sheet, bound.name, name, name, place.match or "")
    return _with_key(rows, key, columns)


def _with_key(rows: Rows, key: tuple[str, ...], columns: dict[str, Field]) -> Rows:
    fields = {**{name: Served(name, column=name) for name in key}, **rows.fields}
    return Rows(fields, list(columns.values()), rows.where, rows.order)


def bind_table(binder: Binder, bound: Bound) -> None:
    """``@table``, ``@file`` or ``@topic``: a LOOKUP by the type's first key, and a SCAN, over one relation."""
    sheet = binder.sheet
    sheet.used.add(bound.name)
    for name, kind in TABLES.items():
        if name in bound.words and sheet.kind in KINDS and sheet.kind != kind:
            right = next((f"write @{own}" for own, owner in TABLES.items() if owner == sheet.kind), "use a lookup in `type Query`")
            sheet.report(
                "WRONG_PLACE", bound.words[name].node, f"@{name} is for {kind} systems; this one is reached by {sheet.kind}.", right
            )
            return
    word = table_of(bound.words)
    assert word is not None
    topic = word.name == "topic"
    native = tuple(key_path(bound, name) for name in (bound.key_names[0] if bound.key_names else ())) if topic else tuple(word.args["key"])
    if topic and not topic_fits(sheet, word):
        return
    if topic and not native:
        message = f"The latest messages of a topic are told apart by a key, and '{bound.name}' has none."
        sheet.report("KEY_COLUMN_MISMATCH", word.node, message, 'write @key(fields: "…")')
        return
    if not bound.key_names or len(bound.key_names[0]) != len(native):
        fix = f'write @key(fields: "…") with {len(native)} field{"s" * (len(native) != 1)}, in the order of the columns'
        message = f"The {word.name}'s key has {len(native)} column{'s' * (len(native) != 1)}; @key of '{bound.name}' does not."
        sheet.report("KEY_COLUMN_MISMATCH", word.node, message, fix)
        return
    key = bound.key_names[0]
    rows = binder.rows(bound.name)
    columns = {column.name: column for column in rows.columns}
    for name, column in zip(key, native, strict=True):
        if not _fits(binder, bound, word, columns, name, column):
            return
    whole = _with_key(rows, key, columns)
    name = str(word.args["path" if topic else "name"]) + (f"#{word.args['sheet']}" if word.args.get("sheet") else "")
    place = topic_native(bound, bound.name, word) if topic else table_native(sheet, word, native)
    made = relation(name, whole, Place(place, key, TABLE_KEYS, word=word), key, counted=True)
    _add(binder, bound, name, made, whole, key, bound)
    existence, coverage = entity_of(bound.words)
    authority, priority = rank_of(bound.words)
    scan = Binding(
        binder.id(f"{name}.scan"),
        sheet.manifest.name,
        Role.SCAN,
        bound.name,
        made,
        whole.fields,
        existence=existence,
        coverage=coverage,
        authority=authority,
        priority=priority,
    )
    binder.add(scan, bound)


def _fits(binder: Binder, bound: Bound, word: Word, columns: dict[str, Field], name: str, column: str) -> bool:
    """Whether a key field is the column that the table says; a key field that is not bound becomes one."""
    entry = bound.fields.get(name)
    if (entry is not None and entry.broken) or binder.sheet.leaf_shape(bound.name, name) is None:
        return False  # reported where it was read
    if name not in columns:
        columns[name] = column_of(binder.sheet, bound.name, name, name, column)
    if columns[name].path == column:
        return True
    message = f"The key '{name}' is column '{columns[name].path}' by @from, and '{column}' by @{word.name}."
    binder.sheet.report("KEY_COLUMN_MISMATCH", entry.node if entry else word.node, message, "write the same column in both")
    return False


def _add(binder: Binder, bound: Bound, name: str, made: Relation, rows: Rows, key: tuple[str, ...], entry: FieldEntry | Bound) -> None:
    """One LOOKUP for each rank: fields that are worth more or less than the rest are served apart."""
    ranks: dict[tuple[Authority, int], dict[str, Served]] = {}
    usual = rank_of(bound.words)
    for each, served in rows.fields.items():
        own = bound.fields.get(each)
        rank = rank_of(own.words) if own is not None and "serves" in own.words and each not in key else usual
        ranks.setdefault(rank, {})[each] = served
    existence, coverage = entity_of(bound.words)
    for (authority, priority), fields in ranks.items():
        suffix = "" if (authority, priority) == usual else f".{authority.lower()}{priority}"
        binding = Binding(
            binder.id(f"{name}{suffix}"),
            binder.sheet.manifest.name,
            Role.LOOKUP,
            bound.name,
            made,
            {**{each: rows.fields[each] for each in key}, **fields},
            key=key,
            existence=existence,
            coverage=coverage,
            authority=authority,
            priority=priority,
        )
        binder.add(binding, entry)
