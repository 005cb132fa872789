"""From a source's columns to fields: those bound to a canonical type, and those contributed.

Pure. ``propose`` decides which type rows are of; this says how each column becomes one of its fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from hub.introspect import evidence, naming
from hub.introspect.canon import CanonType
from hub.introspect.found import Column
from hub.introspect.guess import Guess
from hub.introspect.sketch import FieldSketch, Sketch, TypeSketch
from hub.introspect.terms import camel, plain
from schema.coordinates import Grade
from schema.expressions import ExpressionError, read_expression, read_join, read_path

_DATED = ("rq", "sj", "date", "time", "day", "日期", "时间", "on", "at")
_KINDS = {"int": "Int", "bigint": "Decimal", "float": "Float", "decimal": "Decimal", "bool": "Boolean", "id": "ID", "text": "String"}
_SCALARS = ("USCC", "LicenceID", "ResidentID")


def flat(columns: Iterable[Column], before: str = "", depth: int = 0, always: bool = True) -> Iterator[Column]:
    """Objects within a row taken apart: ``bfjg`` with ``dm`` inside is the column ``bfjg.dm``, always there if both are."""
    for column in columns:
        path = f"{before}{column.path}"
        if column.inside and not column.many and depth < 3:
            yield from flat(column.inside, f"{path}.", depth + 1, always and column.always)
        else:
            yield replace(column, path=path, always=always and column.always)


def unfit(path: str) -> str | None:
    """Why a name cannot be the path of a manifest, if it cannot."""
    try:
        read_path(path)
    except ExpressionError:
        return "its name cannot stand in a path"
    return None


def expressible(path: str) -> bool:
    """Whether a path can stand inside an expression, which ends at blanks and marks."""
    try:
        read_expression(f"{{key: {path}}}")
    except ExpressionError:
        return False
    return True


def joinable(path: str) -> bool:
    """Whether a column can stand on the left of a join."""
    try:
        read_join(f"{path} = key")
    except ExpressionError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Typed:
    """``type`` in SDL without ``!``; ``why`` where it was not plain."""

    type: str
    format: str | None = None
    why: str = ""


def typed(column: Column) -> Typed | None:
    """The scalar of a contributed field. None for what the hub cannot read."""
    if column.type in ("object", "other") or (column.many and column.inside):
        return None
    if column.type == "json":
        return Typed("[String!]", "json", "its values are lists") if evidence.lists(column) else None
    if column.many:
        return Typed(f"[{_KINDS.get(column.type, 'String')}!]")
    for scalar in _SCALARS:
        fit = evidence.identifier(scalar, column)
        if fit.seen > 2 and fit.share >= 0.8:
            return Typed(scalar, why=f"{fit.good} of {fit.seen} sampled values pass the check of {scalar}")
    found = evidence.moment(column)
    named = plain(column.path).endswith(_DATED) or column.path.endswith(_DATED) or "日期" in column.comment or "时间" in column.comment
    if found is not None and (column.type in ("date", "datetime") or named or found.format not in ("yyyyMMdd", "yyyyMMddHHmmss")):
        return Typed(found.scalar, found.format, f"its values are written as {found.format}" if found.format else "")
    if column.type == "text" and plain(column.path).startswith(("sf", "is", "has")) and evidence.truths(column):
        return Typed("Boolean", why="its values are yes and no")
    if column.type == "int" and not evidence.small(column):
        return Typed("Decimal", why="some values are larger than an Int")
    return Typed(_KINDS.get(column.type, "String"))


def bind(sketch: Sketch, made: TypeSketch, entity: CanonType, bound: Mapping[str, Guess], columns: Iterable[Column]) -> None:
    """The canonical fields of ``entity`` that columns are bound to; parts of one object are written together."""
    parts: dict[str, list[tuple[str, Column, Guess]]] = {}
    for column in columns:
        guess = bound.get(column.path)
        if guess is None:
            continue
        if guess.values:
            texts = sketch.enums.setdefault(guess.target.scalar, {})
            texts.update({text: value for text, value in guess.values.items() if value not in texts.values()})
        outer, dot, inner = guess.target.name.rpartition(".")
        if dot:
            parts.setdefault(outer, []).append((inner, column, guess))
            continue
        key = guess.target.name == entity.key
        shape = "[" * guess.target.lists + guess.target.scalar + "!]" * guess.target.lists
        path = None if column.path == guess.target.name else column.path
        told, always = (_told(guess),), column.always and not key
        made.bound.append(FieldSketch(guess.target.name, shape + "!" * key, path, guess.format, always=always, notes=told, key=key))
    for outer, found in parts.items():
        first = found[0][2].target
        expr = "{" + ", ".join(f"{inner}: {column.path}" for inner, column, _ in found) + "}"
        notes = tuple(f"{inner}: {_told(guess)}" for inner, _, guess in found)
        made.bound.append(FieldSketch(outer, first.outer, expr=expr, always=all(column.always for _, column, _ in found), notes=notes))
        if not first.reference:
            inside = sketch.type(first.outer, canonical=True, embedded=True)
            for inner, _, guess in found:
                if inner not in inside.names:
                    inside.bound.append(FieldSketch(inner, guess.target.scalar, format=guess.format))


def refer(made: TypeSketch, entity: CanonType, guess: Guess, column: str) -> None:
    """A contributed column that holds another entity's key becomes a reference to that entity."""
    for at, field in enumerate(made.added):
        if (field.path or field.name) == column and not field.key and field.expr is None and expressible(column):
            name = naming.unused(camel(entity.name), made.names)
            expr = f"{{{entity.key}: {column}}}"
            note = f"{guess.confidence:.2f} {entity.name}.{entity.key}: {'; '.join(guess.reasons)}"
            made.added[at] = replace(field, name=name, type=entity.name, path=None, format=None, expr=expr, notes=(note,))
            return


def _told(guess: Guess) -> str:
    return f"{guess.confidence:.2f} {'; '.join(guess.reasons)}"


def contribute(
    sketch: Sketch,
    made: TypeSketch,
    columns: Iterable[Column],
    maybe: Mapping[str, Guess],
    taken: frozenset[str],
    *,
    keys: tuple[str, ...] = (),
) -> None:
    """Every column that is not bound as a field of its own, graded with care. ``keys`` are the columns of a new type's key."""
    for number, column in enumerate(columns, 1):
        wrong = unfit(column.path)
        found = None if wrong else typed(column)
        if column.many and column.inside and not wrong:
            _nested(sketch, made, column, taken)
            continue
        if found is None:
            made.notes.append(f"Not served: {column.path} ({wrong or column.native or column.type}).")
            continue
        called = naming.call(column, f"column{number}")
        own = {*made.names, *(name.partition(".")[2] for name in taken if name.startswith(f"{made.name}."))}
        name = naming.unused(called.name, own, sketch.name if made.canonical else "")
        level, why = naming.grade(column)
        guess = maybe.get(column.path)
        notes = [f"{level.name}: {why}"] if why else []
        notes += [f"read as the initials of {called.read}"] if called.read else []
        notes += [found.why] if found.why else []
        if guess is not None:
            notes.append(f"perhaps {guess.target.name}: {_told(guess)}")
        is_key = column.path in keys and not found.type.startswith("[")
        kind = "ID" if is_key and found.type in ("String", "Int", "Decimal", "Float") else found.type
        made.added.append(
            FieldSketch(
                name,
                kind + "!" * is_key,
                None if column.path == name else column.path,
                found.format,
                always=column.always and not is_key,
                notes=tuple(notes),
                zh=called.zh,
                en=called.en,
                grade=level,
                key=is_key,
            )
        )
    by_column = {each.path or each.name: each.name for each in made.added if each.key}
    if keys and all(each in by_column for each in keys):
        made.key = " ".join(by_column[each] for each in keys)


def _nested(sketch: Sketch, made: TypeSketch, column: Column, taken: frozenset[str]) -> None:
    """A list of objects within a row: a type without a key."""
    name = naming.type_name(f"{made.name}_{column.path}", sketch.name, {*taken, *sketch.types})
    zh, en = naming.described(column.comment, column.path)
    inner = TypeSketch(name, zh=zh, en=en)
    contribute(sketch, inner, flat(column.inside), {}, taken)
    if not inner.added:
        return
    sketch.types[name] = inner
    own = naming.call(column, "items")
    field = naming.unused(own.name, made.names | {each.partition(".")[2] for each in taken if each.startswith(f"{made.name}.")})
    path = None if column.path == field else column.path
    made.added.append(FieldSketch(field, f"[{name}!]", path, always=column.always, zh=own.zh, en=own.en, grade=Grade.L2))
