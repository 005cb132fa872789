"""Random systems behind a model: bindings, and the rows in which each writes the truth its own way.

A kind of field (``Shape.kind``) is written by one method of ``Systems``; a new kind gets one in ``_field``.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from schema.registry import Authority, Binding, Role
from tests.bound import Lies, either, items, leaf, link, lookup, obj, scan
from tests.properties.faults import LISTED
from tests.properties.model import Model, Shape
from tests.properties.needs import needs_of, value_at
from tests.properties.values import Truth, each_part, native

Native = dict[str, Any]
LINKS = ("link", "any")  # kinds of fields that are fetched by the parent's key
KEYS = ("id", "old", "arch", "region")  # fields that are keys somewhere


class Systems:
    """Bindings and the rows behind them. Each binding has rows of its own, written its own way."""

    def __init__(self, rng: random.Random, model: Model, truths: Mapping[str, list[Truth]]) -> None:
        self.rng = rng
        self.model = model
        self.truths = truths
        self.bindings: list[Binding] = []
        self.rows: dict[str, dict[str, list[Native]]] = {}
        self.systems = [f"s{i}" for i in range(rng.randint(1, 4))]
        self.flaw = rng.choice((0.0, 0.0, 0.1, 0.4))

    def made(self) -> tuple[list[Binding], dict[str, dict[str, list[Native]]]]:
        for name in self.model.entities:
            self._lookups(name)
            for shape in self.model.entities[name].values():
                if shape.kind in LINKS:
                    self._link(name, shape)
            if self.rng.random() < 0.95:
                self._scan(name)
            else:  # what lists a lookup's rows is not meant to be the list itself
                self.bindings = [b for b in self.bindings if b.type != name or not b.relation.name.endswith(LISTED)]
            if self.rng.random() < 0.7:
                self._needy(name)
        if self.rng.random() < 0.9:
            self._everybody()
        lookups = Counter((b.system, b.type) for b in self.bindings if b.role is Role.LOOKUP)
        # Rows that a system has twice, by two keys, are not the same rows: a list of the one says nothing of the other.
        self.bindings = [b for b in self.bindings if not b.relation.name.endswith(LISTED) or lookups[b.system, b.type] == 1]
        return self.bindings, self.rows

    def _add(self, system: str, table: str, binding: Binding, rows: list[Native]) -> None:
        self.rng.shuffle(rows)
        self.rows.setdefault(system, {})[table] = rows
        self.bindings.append(binding)

    def _lookups(self, name: str) -> None:
        shapes = {n: s for n, s in self.model.entities[name].items() if s.kind not in LINKS}
        keys = [self.model.keys[name], *((alt,) for alt in self.model.alternatives[name])]
        free = [n for n in shapes if n not in self.model.keys[name] and n not in self.model.alternatives[name]]
        served: dict[tuple[tuple[str, ...], str], set[str]] = {}
        for system in self.systems:
            for key in keys:
                if key == keys[0] or self.rng.random() < 0.4:
                    served[key, system] = set()
        for n in free:
            for slot in self.rng.sample(sorted(served), min(len(served), self.rng.choice((0, 1, 1, 1, 1, 1, 2, 2, 2, 3)))):
                served[slot].add(n)
        for i, alt in enumerate(self.model.alternatives[name]):  # the chain: id → old → arch, and some ways back
            before = keys[i]
            slots = [slot for slot in sorted(served) if slot[0] == before]
            served[self.rng.choice(slots or sorted(served))].add(alt)
            back = [slot for slot in sorted(served) if slot[0] == (alt,)]
            if back and self.rng.random() < 0.7:
                served[self.rng.choice(back)].update(self.model.keys[name])
        anchor = self.rng.choice([slot for slot in sorted(served) if slot[0] == keys[0]]) if self.rng.random() < 0.6 else None
        for (key, system), names in sorted(served.items()):
            if names or (key, system) == anchor:
                self._lookup(name, key, system, sorted(names | set(key)), anchor=(key, system) == anchor)

    def _lookup(self, name: str, key: tuple[str, ...], system: str, names: list[str], *, anchor: bool) -> None:
        shapes = [self.model.entities[name][n] for n in names]
        flaw, lists = self.flaw, len(key) == 1 and self.rng.random() < 0.3
        self.flaw = 0.0 if lists else flaw  # a list and a lookup of rows that cannot be read would not agree
        lies, write = self._written(shapes, key)
        coverage = 1.0 if anchor and self.rng.random() < 0.7 else 0.7
        rows = [write(one) for one in self.truths[name] if self.rng.random() < coverage and all(one[k] is not None for k in key)]
        table = f"{name}.{'.'.join(key)}"
        binding = lookup(
            system,
            name,
            key,
            lies,
            rows=table,
            max_keys=self.rng.choice((1, 2, 3, 100)),
            anchor=anchor,
            authority=self.rng.choice((Authority.SOURCE, Authority.SOURCE, *Authority)),
            priority=self.rng.choice((0, 0, 1)),
        )
        self._add(system, table, binding, rows)
        if lists:
            self._listed(system, name, lies, table)
        self.flaw = flaw

    def _listed(self, system: str, name: str, lies: Mapping[str, Lies], table: str) -> None:
        """The rows of a lookup as a list under conditions, from which no list of the question is made: it ranks last."""
        shapes = self.model.entities[name]
        plain = [n for n, lie in lies.items() if shapes[n].kind == "leaf" and not lie.many and not shapes[n].type.startswith("[")]
        able = [n for n in plain if lies[n].kind not in ("json", "datetime")]
        where = {n: self.rng.sample(("EQ", "IN", "LT", "GE", "PREFIX"), self.rng.randint(1, 5)) for n in able}
        listed = scan(system, name, lies, rows=table, where=where, limit=self.rng.random() < 0.5)
        relation = replace(listed.relation, name=f"{table}{LISTED}")
        self.bindings.append(replace(listed, id=f"{listed.id}.{table}", relation=relation, authority=Authority.DERIVED))

    def _carried(self, name: str, most: int = 2) -> list[Shape]:
        """Some fields of an entity that rows of others carry: its first key, and perhaps more."""
        shapes = self.model.entities[name]
        more = [s for s in shapes.values() if s.kind not in LINKS and s.name not in self.model.keys[name]]
        return [shapes[k] for k in self.model.keys[name]] + self.rng.sample(more, min(len(more), self.rng.choice((0, 0, 1, most))))

    def _link(self, parent: str, shape: Shape) -> None:
        for system in self.rng.sample(self.systems, min(len(self.systems), self.rng.choice((0, 1, 1, 1, 1, 1, 1, 2)))):
            target = shape.target[0]
            alternatives = self.model.alternatives[parent]
            key = (self.rng.choice(alternatives),) if alternatives and self.rng.random() < 0.3 else self.model.keys[parent]
            many = shape.type.startswith("[") or "Connection" in shape.type
            flaw, sound = self.flaw, self.rng.random() < 0.5
            self.flaw = 0.0 if sound else flaw
            shapes = self._carried(target) if shape.kind != "any" else []
            lies, write = self._anybody(shape) if shape.kind == "any" else self._written(shapes, self.model.keys[target])
            rows = []
            for one in self.truths[parent]:
                if all(one[k] is not None for k in key) and self.rng.random() < 0.9:
                    for child in one[shape.name] if many else one[shape.name][:1]:
                        rows.append({f"p_{k}": one[k] for k in key} | write(child))
            table = f"{parent}.{shape.name}"
            size = self.rng.choice((1, 2, 100))
            parent_key = {k: f"p_{k}" for k in key}
            priority = self.rng.choice((0, 1))
            of = shapes if sound else [one for one in shapes if one.name in self.model.keys[target]]
            able = self._able(of, lies, parent_key) if many and shapes and self.rng.random() < 0.8 else {}
            node = shape.type.strip("[]!") if shape.kind == "any" else target
            binding = link(system, table, node, parent_key, lies, rows=table, max_keys=size, many=many, priority=priority, able=able)
            self._add(system, table, binding, rows)
            self.flaw = flaw

    def _able(self, shapes: list[Shape], lies: Lies | dict[str, Lies], key: Mapping[str, str]) -> dict[str, Any]:
        """What a link's source can do of a list for each key. Columns are renamed where the parent's key has their name."""
        assert isinstance(lies, dict)
        plain = [
            s.name for s in shapes if s.kind == "leaf" and not s.type.startswith("[") and lies[s.name].kind not in ("json", "datetime")
        ]
        prefix = "row." if any(name in lies for name in key) else ""
        columns = [prefix + name for name in plain]
        return {
            "where": {name: ("EQ", "IN", "LT", "GE", "PREFIX") for name in columns if self.rng.random() < 0.6},
            "order": tuple(name for name in columns if self.rng.random() < 0.9),
            "limit": True,
            "each": True,
            "seek": self.rng.random() < 0.7,
        }

    def _needy(self, name: str) -> None:
        """Some field of an entity from a system of its own, whose call needs other fields of the entity."""
        fields = [s for s in self.model.entities[name].values() if s.name.startswith("f") and s.kind not in LINKS]
        shape, key = self.rng.choice(fields), self.model.keys[name]
        some = needs_of(self.rng, self.model, name, shape)
        if not some:
            return
        lies, write = self._written([shape, *(self.model.entities[name][k] for k in key)], key)
        rows = []
        for one in self.truths[name]:
            if self.rng.random() < 0.9 and all(one[k] is not None for k in key):
                rows.append(write(one) | {need.column: value_at(one, need.path) for need in some.values()})
        table = f"{name}.{shape.name}"
        authority = self.rng.choice((Authority.SOURCE, Authority.SOURCE, Authority.REPLICA))
        size = self.rng.choice((1, 2, 100))
        binding = lookup("needy", name, key, lies, rows=table, max_keys=size, authority=authority, priority=1, requires=some)
        self._add("needy", table, binding, rows)

    def _scan(self, name: str) -> None:
        system = self.rng.choice(self.systems)
        flaw, sound = self.flaw, self.rng.random() < 0.6  # only of sound columns can a source say that it compares them as we do
        self.flaw = 0.0 if sound else flaw
        lies, write = self._written(self._carried(name, 6), self.model.keys[name])
        plain = [n for n, lie in lies.items() if lie.path is not None and not lie.many and lie.kind not in ("json", "datetime")]
        able = [n for n in plain if self.model.entities[name][n].kind == "leaf" and not self.model.entities[name][n].type.startswith("[")]
        able = [n for n in able if sound or n in self.model.keys[name]]
        operators = ("EQ", "IN", "LT", "LE", "GT", "GE", "PREFIX")
        where = {n: self.rng.sample(operators, self.rng.randint(1, 7)) for n in able if self.rng.random() < 0.8}
        order = tuple(n for n in able if self.rng.random() < 0.7)
        table = f"{name}.all"
        binding = scan(
            system,
            name,
            lies,
            rows=table,
            where=where,
            order=order,
            limit=self.rng.random() < 0.6,
            total=self.rng.random() < 0.5,
            seek=self.rng.random() < 0.5,
            aggregates=tuple(self.rng.sample(("COUNT", "SUM", "MIN", "MAX"), self.rng.choice((2, 4, 4)))) if sound else (),
        )
        self._add(system, table, binding, [write(one) for one in self.truths[name]])
        self.flaw = flaw

    def _anybody(self, shape: Shape) -> tuple[Lies, Callable[[Any], Native]]:
        """Rows of several types."""
        lies, fill = self._either(shape, "e")

        def write(value: Any) -> Native:
            row: Native = {}
            fill(value, row)
            return row

        return lies, write

    def _everybody(self) -> None:
        members = tuple(name for name in (*self.model.entities, *self.model.values) if name in self.model.entities or name == "V0")
        lies, write = self._anybody(Shape("everybody", "any", "Member", target=members))
        rows = [write((name, one)) for name, some in self.truths.items() for one in some]
        system = self.rng.choice(self.systems)
        self._add(system, "everybody", scan(system, "Member", lies, rows="everybody", coordinate="Query.everybody"), rows)

    # -- how truth is written ------------------------------------------------------------------------------------------

    def _written(self, shapes: list[Shape], key: tuple[str, ...]) -> tuple[dict[str, Lies], Callable[[Truth], Native]]:
        lies: dict[str, Lies] = {}
        writers: list[tuple[str, Callable[[Any, Native], None]]] = []
        for shape in shapes:
            lies[shape.name], writer = self._field(shape, f"c_{shape.name}", exact=shape.name in key or shape.name in KEYS)
            writers.append((shape.name, writer))

        def write(one: Truth) -> Native:
            row: Native = {}
            for name, writer in writers:
                writer(one[name], row)
            return row

        return lies, write

    def _field(self, shape: Shape, path: str, *, exact: bool = False) -> tuple[Lies, Callable[[Any, Native], None]]:
        if shape.kind == "leaf":
            return self._leaf(shape, path, exact)
        if shape.kind in ("object", "items"):
            return self._object(shape, path)
        if shape.kind == "ref":
            return self._reference(shape.target[0], path)
        if shape.kind == "refs":
            return self._references(shape, path)
        return self._either(shape, path)

    def _leaf(self, shape: Shape, path: str, exact: bool) -> tuple[Lies, Callable[[Any, Native], None]]:
        form = native(self.rng, shape.leaf, shape.type, exact=exact)
        nested = not exact and self.rng.random() < 0.15

        def write(value: Any, row: Native) -> None:
            flawed = not exact and self.rng.random() < self.flaw
            written = form.bad(self.rng) if flawed else form.write(value)
            if nested:
                row[path] = {"in": [written]} if written is not None else None
            else:
                row[path] = written

        return leaf(f"{path}.in[0]" if nested else path, form.kind, format=form.format, values=form.values), write

    def _object(self, shape: Shape, path: str) -> tuple[Lies, Callable[[Any, Native], None]]:
        many = shape.kind == "items"
        parts = self.model.values[shape.target[0]].values()
        inner = [(s.name, *self._field(s, f"p{i}" if many else f"{path}_{i}")) for i, s in enumerate(parts)]
        lies: dict[str, Lies | str] = {name: part for name, part, _ in inner}

        def fill(value: Truth | None, row: Native) -> Native:
            for name, _, writer in inner:
                writer(None if value is None else value[name], row)
            return row

        def fill_only(value: Any, row: Native) -> None:
            fill(value, row)

        if not many:
            return obj(shape.target[0], lies), fill_only

        def listed(value: Any) -> Any:
            if isinstance(value, list):
                return "no list" if self.rng.random() < self.flaw / 3 else [listed(item) for item in value]
            return None if value is None else fill(value, {})

        def write(value: Any, row: Native) -> None:
            row[path] = listed(value)

        return items(path, shape.target[0], lies), write

    def _reference(self, target: str, path: str, *, shapes: list[Shape] | None = None) -> tuple[Lies, Callable[[Any, Native], None]]:
        alternatives = self.model.alternatives[target]
        if shapes is None and alternatives and self.rng.random() < 0.25:
            shapes = [self.model.entities[target][self.rng.choice(alternatives)]]
        shapes = shapes or [s for s in self._carried(target) if s.kind == "leaf" and s.name not in alternatives]
        inner = [(s.name, *self._field(s, f"{path}_{s.name}", exact=s.name in KEYS)) for s in shapes]

        def write(value: Any, row: Native) -> None:
            for name, _, writer in inner:
                writer(None if value is None else value[name], row)

        return obj(target, {name: part for name, part, _ in inner}), write

    def _references(self, shape: Shape, path: str) -> tuple[Lies, Callable[[Any, Native], None]]:
        target = shape.target[0]
        first = [self.model.entities[target][k] for k in self.model.keys[target]]  # what a connection is ordered by
        lies, one = self._reference(target, "k", shapes=first if "Connection" in shape.type else None)
        text = self.rng.random() < 0.3

        def write(value: Any, row: Native) -> None:
            found: list[Native] = [{} for _ in value or ()]
            for element, known in zip(found, value or (), strict=True):
                one(known, element)
            row[path] = None if value is None else json.dumps(found, default=str) if text else found

        return items(path, target, dict(lies.parts), format="json" if text else None), write

    def _either(self, shape: Shape, path: str) -> tuple[Lies, Callable[[Any, Native], None]]:
        many = shape.kind == "eithers"
        apart = self.rng.random() < 0.5  # or keys of all types in one column
        prefix = "" if many else f"{path}_"
        variants: dict[str, tuple[str, Mapping[str, Lies | str]]] = {}
        writers: dict[str, Callable[[Any, Native], None]] = {}
        for i, name in enumerate(shape.target):
            if name in self.model.entities:
                place = f"{prefix}{i}" if apart else f"{prefix}k"
                lies, write = self._reference(name, place, shapes=[self.model.entities[name][k] for k in self.model.keys[name]])
            else:
                made = [(s.name, *self._field(s, f"{prefix}{i}_{j}")) for j, s in enumerate(self.model.values[name].values())]
                lies = obj(name, {n: part for n, part, _ in made})
                write = each_part(made)
            variants[f"n{i}"] = (name, dict(lies.parts))
            writers[name] = write
        native_names = {name: value for value, (name, _) in variants.items()}

        def one(value: Any, row: Native) -> Native:
            if value is not None:
                name, what = value
                row[f"{prefix}type"] = "unheard-of" if self.rng.random() < self.flaw else native_names[name]
                writers[name](what, row)
            return row

        def write_all(value: Any, row: Native) -> None:
            if many:
                row[path] = None if value is None else [one(item, {}) for item in value]
            else:
                one(value, row)

        return either(f"{prefix}type", variants, path=path if many else None), write_all
