"""A manifest before it is text: types, fields and calls as plain data, in the order in which they will be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schema.coordinates import Grade

Words = Mapping[str, Any]  # the arguments of a directive


@dataclass(frozen=True, slots=True)
class Argument:
    """``uscc: USCC! @is(field: "uscc")``."""

    name: str
    type: str
    field: str


@dataclass(frozen=True, slots=True)
class FieldSketch:
    """One field. A ``grade`` makes it a contributed one, which has words (``zh``, ``en``); ``notes`` become comments above it.

    ``place`` is a word of where its rows lie, with its arguments: ``("get", {...})``.
    """

    name: str
    type: str
    path: str | None = None
    format: str | None = None
    expr: str | None = None
    always: bool = False
    notes: tuple[str, ...] = ()
    zh: str = ""
    en: str = ""
    grade: Grade | None = None
    key: bool = False
    arguments: tuple[Argument, ...] = ()
    place: tuple[str, Words] | None = None
    lookup: bool = False


@dataclass(slots=True)
class TypeSketch:
    """``canonical`` types are bound in ``type X`` by ``bound`` and extended by ``added``; a new type has ``added`` alone.

    ``place`` is the word of what holds its rows (table, file, topic), with its arguments.
    """

    name: str
    canonical: bool = False
    key: str = ""
    zh: str = ""
    en: str = ""
    place: tuple[str, Words] | None = None
    entity: bool = False
    replica: bool = False
    embedded: bool = False
    notes: list[str] = field(default_factory=list)
    bound: list[FieldSketch] = field(default_factory=list)
    added: list[FieldSketch] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        return {each.name for each in (*self.bound, *self.added)}


@dataclass(slots=True)
class Sketch:
    """A whole manifest. ``lookups`` go into ``type Query``, ``roots`` into ``extend type Query``."""

    name: str
    kind: str
    title: str
    owner: str
    contact: str = ""
    source: Words = field(default_factory=dict)
    types: dict[str, TypeSketch] = field(default_factory=dict)
    enums: dict[str, dict[str, str]] = field(default_factory=dict)  # canonical enum -> source's text -> value
    lookups: list[FieldSketch] = field(default_factory=list)
    roots: list[FieldSketch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def type(self, name: str, **given: Any) -> TypeSketch:
        """The type of that name, made if it is not there."""
        return self.types.setdefault(name, TypeSketch(name, **given))
