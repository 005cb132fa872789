"""A sketch as the text of a manifest. Pure; the same sketch gives the same text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.introspect.sketch import FieldSketch, Sketch, TypeSketch, Words

_ENUMS = frozenset({"method", "kind", "style", "existence", "coverage", "authority", "level", "password"})
_DATA = frozenset({"body", "input"})  # plain data: what it holds is named by the source
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
_WIDE = 120


def manifest(sketch: Sketch) -> str:
    """The whole file."""
    parts = [_head(sketch)]
    if sketch.lookups:
        parts.append(_block("type Query", sketch.lookups))
    if sketch.roots:
        parts.append(_block("extend type Query", sketch.roots))
    for made in sketch.types.values():
        parts += _type(sketch, made)
    parts += [_enum(name, texts) for name, texts in sorted(sketch.enums.items())]
    return "\n".join(parts)


def _head(sketch: Sketch) -> str:
    title = _line(sketch.title or sketch.name)
    lines = [f"# {title}: proposed by `hub add` from what the source says of itself. Read it, then correct it here."]
    lines += [
        "# Numbers are confidences from 0 to 1. Values were looked at to tell what a column holds; none is kept in this file."
        if any(each.notes for made in sketch.types.values() for each in (*made.bound, *made.added))
        else "# No value is kept in this file."
    ]
    lines += [f"# {_line(note)}" for note in sketch.notes]
    said = {"name": sketch.name, "title": sketch.title or "待补充名称", "owner": sketch.owner or "待补充部门"}
    if sketch.contact:
        said["contact"] = sketch.contact
    return "\n".join([*lines, "extend schema", f"  @system({_arguments(said)})", f"  @{sketch.kind}({_arguments(sketch.source)})", ""])


def _type(sketch: Sketch, made: TypeSketch) -> Iterator[str]:
    notes = "".join(f"# {_line(note)}\n" for note in made.notes)
    if not made.canonical:
        yield notes + _described(made.zh, made.en, "") + _block(f"type {made.name}{_words(made)}", made.added)
        return
    if made.bound:
        yield notes + _block(f"type {made.name}{_words(made)}", made.bound)
        notes = ""
    if made.added:
        yield notes + _block(f"extend type {made.name}", made.added)


def _words(made: TypeSketch) -> str:
    found = []
    if made.key:
        found.append(f"@key({_arguments({'fields': made.key})})")
    if made.place:
        found.append(f"@{made.place[0]}({_arguments(made.place[1])})")
    if made.entity:
        anchor = not made.canonical
        found.append(f"@entity(existence: {'ANCHOR' if anchor else 'CONTRIBUTES'}, coverage: {'COMPLETE' if anchor else 'PARTIAL'})")
    if made.replica:
        found.append("@serves(authority: REPLICA)")
    line = "".join(f" {each}" for each in found)
    return line if len(line) <= 100 else "".join(f"\n  {each}" for each in found)


def _block(head: str, fields: Iterable[FieldSketch]) -> str:
    return head + " {\n" + "".join(_field(each) for each in fields) + "}\n"


def _field(field: FieldSketch) -> str:
    lines = "".join(f"  # {_line(note)}\n" for note in field.notes)
    if field.grade is not None:
        lines += _described(field.zh, field.en, "  ")
    arguments = ", ".join(f"{each.name}: {each.type} @is({_arguments({'field': each.field})})" for each in field.arguments)
    head = f"  {field.name}{f'({arguments})' if arguments else ''}: {field.type}"
    words = []
    if field.lookup:
        words.append("@lookup")
    said: dict[str, Any] = {"path": field.path, "expr": field.expr, "format": field.format, "always": field.always or None}
    said = {name: value for name, value in said.items() if value is not None}
    if said:
        words.append(f"@from({_arguments(said)})")
    if field.grade is not None:
        words.append(f"@grade(level: {field.grade.name})")
    line = " ".join([head, *words])
    if field.place is not None:
        place = f"@{field.place[0]}({_arguments(field.place[1])})"
        line += f" {place}" if len(line) + len(place) < _WIDE else f"\n    {place}"
    return f"{lines}{line}\n"


def _described(zh: str, en: str, indent: str) -> str:
    return f"{indent}{_text(f'{zh}{chr(10)}{en}')}\n"


def _enum(name: str, texts: Mapping[str, str]) -> str:
    return f"enum {name} {{\n" + "".join(f"  {value} @from({_arguments({'path': text})})\n" for text, value in texts.items()) + "}\n"


def _arguments(words: Words) -> str:
    return ", ".join(f"{name}: {_value(name, value)}" for name, value in words.items())


def _value(name: str, value: Any) -> str:
    if name in _DATA:
        return _data(value) if _nameable(value) else _text(json.dumps(value, ensure_ascii=False))
    if isinstance(value, Mapping):
        return "{" + _arguments(value) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(name, each) for each in value) + "]"
    if isinstance(value, str) and name not in _ENUMS:
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _data(value: Any) -> str:
    """Plain data as SDL writes it; no name in it means anything to the hub."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_data(inner)}" for name, inner in value.items()) + "}"
    return "[" + ", ".join(map(_data, value)) + "]" if isinstance(value, list | tuple) else json.dumps(value, ensure_ascii=False)


def _nameable(value: Any) -> bool:
    """Whether GraphQL can write the names in plain data; else the whole is written as JSON in a text."""
    if isinstance(value, Mapping):
        return all(_NAME.fullmatch(name) and _nameable(inner) for name, inner in value.items())
    return all(map(_nameable, value)) if isinstance(value, list | tuple) else True


def _line(note: str) -> str:
    """A comment is one line, whatever a source calls its columns."""
    return " ".join(note.split())


def _text(text: str) -> str:
    """A string of SDL: JSON's escapes are among GraphQL's."""
    return json.dumps(text, ensure_ascii=False)
