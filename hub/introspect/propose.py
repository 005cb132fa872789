"""What a source's relations probably are, as a sketch of a manifest: whose rows, by which key, from where one gets to them.

Pure. Rows whose own key is a canonical one bind that entity; rows that carry one belong to it and hang from it; all others are
types of their own with a root field. Tables are asked by columns, calls by parameters: ``called`` holds the latter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hub.introspect import evidence, naming
from hub.introspect.called import propose_calls
from hub.introspect.canon import Canon, CanonType
from hub.introspect.found import Column, Found, Relation
from hub.introspect.guess import SURE, Guess, best
from hub.introspect.leaves import bind, contribute, expressible, joinable, refer, unfit
from hub.introspect.sketch import Argument, FieldSketch, Sketch, TypeSketch, Words
from hub.introspect.terms import plain
from schema.coordinates import Grade

_HELD = {"sql": "table", "files": "file", "stream": "topic"}  # kinds whose rows are asked by column -> the word for what holds them
_BACKING = 3  # fields of an entity that prove what its key is
_KEYLIKE = ("id", "bh", "no", "bm", "dm", "code", "编号", "编码", "号")


def propose(found: Found, canon: Canon, *, name: str, title: str = "", owner: str = "", contact: str = "") -> Sketch:
    """The sketch of a manifest for the system ``name``. What has no place in it is told in the notes."""
    sketch = Sketch(name, found.kind, title or found.title, owner, contact, found.source, notes=list(found.notes))
    if found.kind in _HELD:
        for table in sorted(found.relations, key=lambda each: each.name):
            _table(sketch, canon, table)
    else:
        propose_calls(sketch, canon, found)
    _show_unwritten(sketch)
    return sketch


@dataclass(frozen=True, slots=True)
class _Seen:
    """A table seen as rows of, or about, ``entity``: its key is ``column``, alone in its row when ``unique``."""

    entity: CanonType
    column: Column
    guess: Guess
    bound: dict[str, Guess]
    maybe: dict[str, Guess]
    unique: bool


def _seen(table: Relation, canon: Canon) -> Iterator[_Seen]:
    for entity in canon.types.values():
        bound, maybe = best(tuple(each for each in table.columns if not unfit(each.path)), entity)
        bound = {path: guess for path, guess in bound.items() if "." not in guess.target.name or expressible(path)}
        bound |= _backed(table, entity, bound, maybe)
        for column in table.columns:
            guess = bound.get(column.path)
            if guess is not None and guess.target.name == entity.key:
                yield _Seen(entity, column, guess, bound, maybe, _is_unique(table, column))


def _backed(table: Relation, entity: CanonType, bound: dict[str, Guess], maybe: dict[str, Guess]) -> dict[str, Guess]:
    """A key that its name alone does not prove, in a table whose other columns are fields of the entity."""
    others = sum(each.target.name != entity.key for each in bound.values())
    if others < _BACKING or any(each.target.name == entity.key for each in bound.values()):
        return {}
    for path, guess in maybe.items():
        doubt = any(reason.startswith("but ") for reason in guess.reasons)
        if guess.target.name == entity.key and table.key == (path,) and not doubt:
            why = f"{others} other columns are fields of {entity.name}"
            return {path: replace(guess, confidence=SURE, reasons=(*guess.reasons, "it is the primary key", why))}
    return {}


def _is_unique(table: Relation, column: Column) -> bool:
    if column.unique or table.key == (column.path,):
        return True
    if table.key:
        return False
    seen = [value for value in column.samples if value is not None]
    return len(seen) > 1 and len({repr(value) for value in seen}) == len(seen) == len(column.samples)


def _table(sketch: Sketch, canon: Canon, table: Relation) -> None:
    every = sorted(_seen(table, canon), key=lambda each: (not each.unique, -each.guess.confidence, -len(each.bound), each.entity.name))
    own = next((each for each in every if each.unique and each.entity.name not in sketch.types and _leads(sketch, canon, each)), None)
    if own is not None:
        _entity(sketch, canon, table, own)
        return
    key = table.key or _guessed_key(table)
    if not key:
        sketch.notes.append(f"Left out: {table.name} has no primary key, and no column that looks like one.")
        return
    made = _new_type(sketch, canon, table, key, every)
    if made is None:
        return
    parents = {each.entity.name: each for each in reversed(every) if each.entity.name != made.name}
    for seen in parents.values():
        if _joins(sketch) and joinable(seen.column.path):
            _joined(sketch, canon, table, made, seen)
    _root(sketch, canon, made)


def _entity(sketch: Sketch, canon: Canon, table: Relation, seen: _Seen) -> None:
    """The table's rows are the canonical entity itself."""
    entity = seen.entity
    made = sketch.type(entity.name, canonical=True, key=entity.key, entity=True)
    made.place = _place(sketch, table, (seen.column.path,))
    if not table.key:
        made.notes.append(f"{table.name} has no primary key: that {seen.column.path} is unique was seen in samples only.")
    bind(sketch, made, entity, seen.bound, table.columns)
    made.replica = any(f"{entity.name}.{each.name}" in canon.served for each in made.bound if not each.key)
    rest = [column for column in table.columns if column.path not in seen.bound]
    contribute(sketch, made, rest, seen.maybe, canon.taken)
    for owner, field, column in _links(sketch, canon, seen):
        parent = _parent(sketch, canon, owner)
        on = f"{column} = {canon.types[owner].key}"
        parent.bound.append(FieldSketch(field, f"[{entity.name}!]", place=("join", {"on": on, "many": True})))


def _links(sketch: Sketch, canon: Canon, seen: _Seen) -> Iterator[tuple[str, str, str]]:
    """(owner, field, column) of canonical lists that these rows can serve and nobody serves yet."""
    if not _joins(sketch):
        return
    for owner, field in canon.links.get(seen.entity.name, ()):
        for path, guess in seen.bound.items():
            if guess.target.reference and guess.target.outer == owner and f"{owner}.{field}" not in canon.served and joinable(path):
                yield owner, field, path
                break


def _joins(sketch: Sketch) -> bool:
    """Whether rows can be asked by a column that is not their key: a topic's are asked by it alone."""
    return _HELD[sketch.kind] != "topic"


def _leads(sketch: Sketch, canon: Canon, seen: _Seen) -> bool:
    """Whether a query comes to the entity at all."""
    return seen.entity.name in canon.reached or any(True for _ in _links(sketch, canon, seen))


def _place(sketch: Sketch, table: Relation, key: tuple[str, ...]) -> tuple[str, Words]:
    """The word of what holds the rows. A topic's key is said by the fields alone."""
    word = _HELD[sketch.kind]
    return word, table.place if word == "topic" else {"name": table.name, "key": list(key), **table.place}


def _parent(sketch: Sketch, canon: Canon, owner: str) -> TypeSketch:
    """The type of an entity that others hang from, with nothing but its key where this file binds no more of it."""
    key = canon.types[owner].key
    parent = sketch.type(owner, canonical=True, key=key)
    if not any(each.key for each in parent.bound):
        parent.bound.insert(0, FieldSketch(key, f"{canon.types[owner].field(key).scalar}!", key=True))
    return parent


def _new_type(sketch: Sketch, canon: Canon, table: Relation, key: tuple[str, ...], every: list[_Seen]) -> TypeSketch | None:
    name = naming.type_name(table.name, sketch.name, {*canon.taken, *sketch.types})
    zh, en = naming.described(table.comment, table.name)
    made = TypeSketch(name, zh=zh, en=en, entity=True, place=_place(sketch, table, key))
    if not table.key:
        made.notes.append(f"{table.name} has no primary key: that {', '.join(key)} is one was seen in samples only.")
    before = dict(sketch.types)
    contribute(sketch, made, table.columns, {}, canon.taken, keys=key)
    if not made.key:
        sketch.types = before
        sketch.notes.append(f"Left out: the key of {table.name} ({', '.join(key)}) is of a type that the hub cannot read.")
        return None
    sketch.types[name] = made
    for seen in every:
        refer(made, seen.entity, seen.guess, seen.column.path)
    return made


def _guessed_key(table: Relation) -> tuple[str, ...]:
    """Without a primary key: a column that is called like one and holds another value in each row."""
    for column in table.columns:
        if plain(column.path).endswith(_KEYLIKE) and _is_unique(table, column) and evidence.distinct(column):
            return (column.path,)
    return ()


def _joined(sketch: Sketch, canon: Canon, table: Relation, made: TypeSketch, seen: _Seen) -> None:
    """``extend type Enterprise { readings: [Reading!] @join(…) }``."""
    owner, many = seen.entity.name, not seen.unique
    parent = sketch.type(owner, canonical=True, key=seen.entity.key)
    taken = parent.names | {each.partition(".")[2] for each in canon.taken if each.startswith(f"{owner}.")}
    name = naming.unused(link_name(made.name, many), taken, sketch.name)
    place = ("join", {"on": f"{seen.column.path} = {seen.entity.key}", **({"many": True} if many else {})})
    note = f"{seen.guess.confidence:.2f} {seen.column.path} is {owner}.{seen.entity.key}: {'; '.join(seen.guess.reasons)}"
    kind = f"[{made.name}!]" if many else made.name
    parent.added.append(FieldSketch(name, kind, notes=(note,), zh=made.zh, en=made.en, grade=Grade.L2, place=place))


def link_name(type_name: str, many: bool) -> str:
    """``WaterReading`` → ``waterReadings``."""
    name = type_name[:1].lower() + type_name[1:]
    return name if not many or name.endswith("s") else name + "s"


def _root(sketch: Sketch, canon: Canon, made: TypeSketch) -> None:
    """A public root field that finds one row of a new type by its key."""
    keys = [each for each in made.added if each.key]
    arguments = tuple(Argument(each.name, each.type, each.name) for each in keys)
    taken = {each.name for each in sketch.roots} | {each.partition(".")[2] for each in canon.taken if each.startswith("Query.")}
    name = naming.unused(link_name(made.name, False), taken, sketch.name)
    sketch.roots.append(FieldSketch(name, made.name, arguments=arguments, zh=made.zh, en=made.en, grade=Grade.L2))


def _show_unwritten(sketch: Sketch) -> None:
    """How many descriptions a person has to complete."""
    words = [(each.zh, each.en) for each in sketch.roots]
    for made in sketch.types.values():
        words += [(each.zh, each.en) for each in made.added]
        words += [] if made.canonical else [(made.zh, made.en)]
    missing = sum(zh.startswith("待补充") or en.startswith("To be written") for zh, en in words)
    if missing:
        sketch.notes.append(f'To be written: {missing} descriptions; look for 待补充 and "To be written".')
