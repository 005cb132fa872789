"""What all bindings of one manifest are made with: the rows of its types, the checks they share, and where each was written.

Must not know other manifests but through ``World``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import is_object_type

from schema.entries import FieldEntry, Word, Words
from schema.faults import suggest
from schema.places import Place, kept
from schema.registry import Authority, Binding, Coverage, Existence, Require, Role, RootLookup, Served
from schema.requires import BadRequire, leaf_of, require
from schema.rows import Rows, rows_of
from schema.shapes import shape_of
from schema.words import KEEPING, KEPT, KEPT_ALREADY, KINDS
from schema.world import Bound, Sheet


@dataclass(slots=True)
class Bindings:
    """What one manifest gives the registry. ``entries`` says where each binding was written, for later checks."""

    bindings: list[Binding] = field(default_factory=list)
    roots: list[RootLookup] = field(default_factory=list)
    entries: dict[str, FieldEntry | Bound] = field(default_factory=dict)


@dataclass(slots=True)
class Binder:
    """One manifest at work. ``made`` grows; faults go to the sheet, and what is faulty is left out."""

    sheet: Sheet
    made: Bindings = field(default_factory=Bindings)
    _rows: dict[str, Rows] = field(default_factory=dict)
    _told: set[int] = field(default_factory=set)  # ids of words whose `stale` was refused

    def rows(self, name: str) -> Rows:
        """The rows of a type of this manifest; made once."""
        if name not in self._rows:
            self._rows[name] = rows_of(self.sheet, name)
        return self._rows[name]

    def element(self, entry: FieldEntry) -> Bound | None:
        """The type whose rows a field brings; this manifest must bind it."""
        shape = self.sheet.shape(entry)
        self.sheet.used.add(shape.name)
        if entry.broken:
            return None
        type_ = self.sheet.world.type(shape.name)
        if type_ is not None and not is_object_type(type_):
            message = f"A call brings rows of an object type; '{shape.name}' is none."
            self.sheet.report("NOT_SUPPORTED", entry.type, message, "let it bring an object type")
            return None
        if type_ is None or shape.name not in self.sheet.types:
            near = suggest(shape.name, self.sheet.types)
            message = f"This file does not bind '{shape.name}', whose rows '{entry.name}' brings.{near}"
            self.sheet.report("NOT_BOUND_HERE", entry.type, message, f"add `type {shape.name} {{ … }}` with the fields that the rows carry")
            return None
        return self.sheet.types[shape.name]

    def needs_place(self, entry: FieldEntry, coordinate: str) -> bool:
        """Reports a field without a place; other kinds of connectors find their relation by its name."""
        fix = KINDS.get(self.sheet.kind)
        if fix is None:
            return False
        self.sheet.report("NO_PLACE", entry.node, f"'{coordinate}' does not say where its rows lie.", f"add {fix}")
        return True

    def arguments(self, type_name: str, entry: FieldEntry) -> Mapping[str, str] | None:
        """Argument -> key field; together they must be a key. None when they are not."""
        found: dict[str, str] = {}
        for name, argument in entry.arguments.items():
            word = argument.words.get("is")
            target = word.args["field"] if word else name
            shape = self.sheet.leaf_shape(type_name, target)
            if shape is None:
                known = {*self.sheet.key_fields(type_name), *getattr(self.sheet.world.type(type_name), "fields", {})}
                message = f"'{type_name}' has no field '{target}'.{suggest(target, known)}"
                place = word.value_node("field") if word else argument.node
                self.sheet.report("UNKNOWN_KEY_FIELD", place, message, 'write @is(field: "…") with a key field')
                return None
            given_shape = shape_of(argument.type)
            if given_shape.name != shape.name or given_shape.lists:
                message = f"The key '{type_name}.{target}' is '{shape.name}', not '{given_shape}'."
                self.sheet.report("TYPE_MISMATCH", argument.type, message, f"write {name}: {shape.name}!")
                return None
            found[name] = target
        keys = self.sheet.world.keys.get(type_name, ())
        if any(set(key) == set(found.values()) for key in keys):
            return found
        given = ", ".join(found.values()) or "nothing"
        known_keys = "its keys are " + " or ".join(f"({', '.join(key)})" for key in keys) if keys else "it has none"
        message = f"'{entry.name}' asks for '{type_name}' by ({given}), which is not a key: {known_keys}."
        fix = f'ask by a key, or declare one: type {type_name} @key(fields: "{" ".join(found.values()) or "…"}")'
        self.sheet.report("NOT_A_KEY", entry.node, message, fix)
        return None

    def requirements(self, type_name: str, entry: FieldEntry) -> tuple[Require, ...] | None:
        """What the arguments of a field say by @require; None when one of them is faulty."""
        found: list[Require] = []
        for name, argument in entry.arguments.items():
            word = argument.words.get("require")
            if word is None:
                continue
            world, shape, node = self.sheet.world, shape_of(argument.type), word.value_node("field")
            fix = 'write the path to a plain field: @require(field: "creditScore.score")'
            try:
                made = require(world.schema, type_name, name, word.args["field"], nullable=not shape.required[0], hidden=world.hidden)
            except BadRequire as error:
                self.sheet.report("BAD_REQUIRE", node, error.message, fix, offset=1 + error.offset)
                return None
            kind = leaf_of(world.schema, made)
            if shape.lists or shape.name != kind:
                message = f"'{name}' is '{shape}'; what it requires is '{kind}'."
                self.sheet.report("BAD_REQUIRE", argument.type, message, f"write {name}: {kind}")
                return None
            found.append(made)
        return tuple(found)

    def no_match(self, place: Place, name: str) -> None:
        """Reports a batch whose rows do not say which key they are for."""
        message = "Rows of a batch cannot be told apart: nothing says where they repeat their key."
        node = place.word.value_node("batch") if place.word else None
        self.sheet.report("NO_MATCH", node, message, f'add match: "…", the path at which each row repeats {name}')

    def id(self, name: str) -> str:
        """The id of a binding of this system."""
        return f"{self.sheet.manifest.name}.{name}"

    def add(self, binding: Binding, entry: FieldEntry | Bound) -> None:
        if binding.role in (Role.LOOKUP, Role.LINK, Role.SCAN):
            cache, stale = self.kept(entry)
            binding = replace(binding, cache=cache, stale=stale) if cache else binding
        self.made.bindings.append(binding)
        self.made.entries[binding.id] = entry

    def kept(self, entry: FieldEntry | Bound) -> tuple[float, float]:
        """For how long answers at a place may be served again, and while the system is down: what the place says, else the source."""
        place: Word | None = next((word for word in entry.words.values() if any(word.args.get(name) is not None for name in KEEPING)), None)
        if place is not None and self.sheet.kind in KEPT:
            for name in KEEPING:
                if place.args.get(name) is not None:
                    message = f"'{name}' means nothing here: {KEPT_ALREADY}."
                    self.sheet.report("WRONG_PLACE", place.value_node(name), message, f"remove {name}")
            return 0.0, 0.0
        cache, stale = (kept(self.sheet, place, name) for name in KEEPING)
        if place is not None and place.args.get("stale") is not None and not cache and id(place.node) not in self._told:
            self._told.add(id(place.node))  # a table has a lookup and a list
            message = "`stale` says how much longer than `cache` an answer may be served, and there is no `cache`."
            self.sheet.report("BAD_CACHE", place.value_node("stale"), message, 'add cache: "60s"')
        return float(cache or 0.0), float(stale or 0.0) if cache else 0.0


def rank_of(words: Words) -> tuple[Authority, int]:
    """@serves, or what holds without it."""
    said = words["serves"].args if "serves" in words else {}
    return Authority(said.get("authority", "SOURCE")), int(said.get("priority", 0))


def entity_of(words: Words) -> tuple[Existence, Coverage]:
    """@entity, or what holds without it."""
    said: Mapping[str, Any] = words["entity"].args if "entity" in words else {}
    return Existence(said.get("existence", "CONTRIBUTES")), Coverage(said.get("coverage", "PARTIAL"))


def each_served(fields: Mapping[str, Served]) -> Iterator[Served]:
    """All objects within rows, at any depth."""
    for served in fields.values():
        if served.type is not None:
            yield served
        yield from each_served(served.parts)
        for variant in served.variants:
            yield from each_served(variant.parts)
