"""Random cases: a public schema, systems that serve it, one truth behind them all, and an operation to ask.

Everything comes from one ``random.Random``, so a seed is a case. ``cases()`` is the hypothesis strategy; ``case(seed)`` the same by hand.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import GraphQLSchema, build_schema
from hypothesis import strategies as st

from auth.access import Rows as Rules
from schema.registry import Aggregated, Authority, Binding
from tests.memory import Faults
from tests.properties.model import Model, Shape, connect, random_entity, random_model
from tests.properties.operations import Operation, operation
from tests.properties.trouble import keys_hidden, random_faults, random_rules
from tests.properties.values import Truth, each_part, native
from tests.worlds import Lies, World, either, items, leaf, link, lookup, obj, scan, world

Native = dict[str, Any]
KEYS = ("id", "old", "arch", "region")  # fields that are keys somewhere


@dataclass(frozen=True, slots=True, repr=False)
class Case:
    """One question to one world. ``faults`` are by system. ``build`` makes a fresh world each time, since worlds remember calls."""

    seed: int
    size: int
    sdl: str
    schema: GraphQLSchema
    bindings: tuple[Binding, ...]
    rows: Mapping[str, Mapping[str, list[Native]]]
    keys: Mapping[str, tuple[tuple[str, ...], ...]]
    roots: Mapping[str, tuple[str, Mapping[str, str]]]
    filters: Mapping[str, Mapping[str, str]]
    orders: Mapping[str, Mapping[str, str]]
    aggregates: Mapping[str, Aggregated]
    faults: Mapping[str, Faults]
    denied: frozenset[str]
    operation: Operation
    rules: Rules = field(default_factory=dict)
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)  # type -> key values of entities that fail its rules

    def __repr__(self) -> str:
        return f"case({self.seed}, {self.size})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How hypothesis shows a failing case, which would otherwise be all of it."""
        printer.text(repr(self))

    def build(self) -> World:
        made = world(
            self.schema,
            self.bindings,
            self.rows,
            keys=self.keys,
            roots=self.roots,
            filters=self.filters,
            orders=self.orders,
            aggregates=self.aggregates,
        )
        for name, faults in self.faults.items():
            if name in made.systems:
                made.systems[name].faults = faults
        return made

    def unseen(self) -> Case:
        """The same case without any row of an entity that the caller's rules hide."""
        rows = {system: dict(tables) for system, tables in self.rows.items()}
        for binding in self.bindings:
            gone = self.hidden.get(binding.type, frozenset())
            table = str(binding.relation.native["rows"])
            keys = [f"c_{name}" for name in KEYS if name != "region"]
            kept = [row for row in rows[binding.system][table] if not any(str(row.get(key)) in gone for key in keys)]
            rows[binding.system][table] = kept
        return replace(self, rows=rows)

    def calm(self) -> Case:
        """The same case where no system fails; orders of answers stay shuffled."""
        return replace(self, faults={name: Faults(shuffled=faults.shuffled) for name, faults in self.faults.items()})


def cases(*, max_size: int = 4) -> st.SearchStrategy[Case]:
    """Random cases for hypothesis. Smaller sizes are simpler, which is what shrinking has to hold on to."""
    return st.builds(case, st.integers(0, 2**32 - 1), st.integers(1, max_size))


def case(seed: int, size: int = 3) -> Case:
    """The case of ``seed``. ``size`` bounds the number of entity types and the depth of the operation."""
    rng = random.Random(f"{seed}/{size}")
    model = random_model(rng, size)
    truths = {name: [random_entity(rng, model, name, i) for i in range(rng.randint(1, 6))] for name in model.entities}
    for name, some in truths.items():
        for one in some:
            connect(rng, model, name, one, truths)
    bindings, rows = _Systems(rng, model, truths).made()
    schema = build_schema(model.sdl, assume_valid_sdl=True)
    asked = operation(rng, schema, {name: [str(one["id"]) for one in some] for name, some in truths.items()}, depth=size + 2)
    coordinates = [f"{name}.{f}" for name in (*model.values, *model.entities) for f in model.fields(name)]
    denied = frozenset(rng.sample(coordinates, rng.randint(1, 3))) if rng.random() < 0.3 else frozenset()
    keys = {name: (model.keys[name], *((alt,) for alt in model.alternatives[name])) for name in model.entities}
    faults = random_faults(rng, bindings, rows)
    rules = random_rules(rng, model) if rng.random() < 0.35 else {}
    hidden = {name: frozenset(keys_hidden(model, name, some, truths[name])) for name, some in rules.items()}
    return Case(
        seed,
        size,
        model.sdl,
        schema,
        tuple(bindings),
        rows,
        keys,
        model.roots,
        model.filters,
        model.orders,
        model.aggregates,
        faults,
        denied,
        asked,
        rules,
        hidden,
    )


# -- the systems ------------------------------------------------------------------------------------------------------


class _Systems:
    """Bindings and the rows behind them. Each binding has rows of its own, written its own way."""

    def __init__(self, rng: random.Random, model: Model, truths: Mapping[str, list[Truth]]) -> None:
        self.rng = rng
        self.model = model
        self.truths = truths
        self.bindings: list[Binding] = []
        self.rows: dict[str, dict[str, list[Native]]] = {}
        self.systems = [f"s{i}" for i in range(rng.randint(1, 4))]
        self.flaw = rng.choice((0.0, 0.0, 0.1))

    def made(self) -> tuple[list[Binding], dict[str, dict[str, list[Native]]]]:
        for name in self.model.entities:
            self._lookups(name)
            for shape in self.model.entities[name].values():
                if shape.kind == "link":
                    self._link(name, shape)
            if self.rng.random() < 0.95:
                self._scan(name)
        return self.bindings, self.rows

    def _add(self, system: str, table: str, binding: Binding, rows: list[Native]) -> None:
        self.rng.shuffle(rows)
        self.rows.setdefault(system, {})[table] = rows
        self.bindings.append(binding)

    def _lookups(self, name: str) -> None:
        shapes = {n: s for n, s in self.model.entities[name].items() if s.kind != "link"}
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
        self.flaw = 0.0 if lists else flaw
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
        if lists:  # of sound rows the system can list keys as well, under conditions
            able = [n for n in self._leaves(name, lies) if lies[n].kind != "json"]
            where = {n: self.rng.sample(("EQ", "IN", "LT", "GE", "PREFIX"), self.rng.randint(1, 5)) for n in able}
            listed = scan(system, name, lies, rows=table, where=where, limit=self.rng.random() < 0.5)
            relation = replace(listed.relation, name=f"{table}.listed")
            self.bindings.append(replace(listed, id=f"{listed.id}.{table}", relation=relation, authority=Authority.DERIVED))
        self.flaw = flaw

    def _leaves(self, name: str, lies: Mapping[str, Lies]) -> list[str]:
        shapes = self.model.entities[name]
        return [n for n, lie in lies.items() if shapes[n].kind == "leaf" and not lie.many and not shapes[n].type.startswith("[")]

    def _carried(self, name: str, most: int = 2) -> list[Shape]:
        """Some fields of an entity that rows of others carry: its first key, and perhaps more."""
        shapes = self.model.entities[name]
        more = [s for s in shapes.values() if s.kind != "link" and s.name not in self.model.keys[name]]
        return [shapes[k] for k in self.model.keys[name]] + self.rng.sample(more, min(len(more), self.rng.choice((0, 0, 1, most))))

    def _link(self, parent: str, shape: Shape) -> None:
        for system in self.rng.sample(self.systems, min(len(self.systems), self.rng.choice((0, 1, 1, 1, 1, 1, 1, 2)))):
            target = shape.target[0]
            alternatives = self.model.alternatives[parent]
            key = (self.rng.choice(alternatives),) if alternatives and self.rng.random() < 0.3 else self.model.keys[parent]
            flaw, sound = self.flaw, self.rng.random() < 0.5
            self.flaw = 0.0 if sound else flaw
            shapes = self._carried(target)
            lies, write = self._written(shapes, self.model.keys[target])
            many = shape.type.rstrip("!") != target
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
            able = self._able(of, lies, parent_key) if many and self.rng.random() < 0.8 else {}
            binding = link(system, table, target, parent_key, lies, rows=table, max_keys=size, many=many, priority=priority, able=able)
            self._add(system, table, binding, rows)
            self.flaw = flaw

    def _able(self, shapes: list[Shape], lies: dict[str, Lies], key: Mapping[str, str]) -> dict[str, Any]:
        """What a link's source can do of a list for each key. Columns are renamed where the parent's key has their name."""
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

    def _scan(self, name: str) -> None:
        system = self.rng.choice(self.systems)
        flaw, sound = self.flaw, self.rng.random() < 0.6  # only of sound columns can a source say that it compares them as we do
        self.flaw = 0.0 if sound else flaw
        lies, write = self._written(self._carried(name, 6), self.model.keys[name])
        plain = [n for n, lie in lies.items() if lie.path is not None and not lie.many and lie.kind not in ("json", "datetime")]
        able = [n for n in plain if self.model.entities[name][n].kind == "leaf" and not self.model.entities[name][n].type.startswith("[")]
        able = [n for n in able if sound or n in self.model.keys[name]]
        operators = ("EQ", "IN", "LT", "LE", "GT", "GE", "PREFIX")
        where = {n: self.rng.sample(operators, self.rng.randint(1, 7)) for n in able if self.rng.random() < 0.6}
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

        def write(value: Any, row: Native) -> None:
            row[path] = None if value is None else [None if item is None else fill(item, {}) for item in value]

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
        prefix = "" if many else f"{path}_"
        variants: dict[str, tuple[str, Mapping[str, Lies | str]]] = {}
        writers: dict[str, Callable[[Any, Native], None]] = {}
        for i, name in enumerate(shape.target):
            if name in self.model.entities:
                lies, write = self._reference(name, f"{prefix}{i}", shapes=[self.model.entities[name][k] for k in self.model.keys[name]])
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
