"""Random cases: a public schema, systems that serve it, one truth behind them all, and an operation to ask.

Everything comes from one ``random.Random``, so a seed is a case. ``cases()`` is the hypothesis strategy; ``case(seed)`` the same by hand.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cachetools import LRUCache
from graphql import GraphQLSchema, build_schema
from hypothesis import strategies as st

from auth.access import Rows as Rules
from schema.registry import Aggregated, Binding, Registry, Resolve
from tests.memory import Faults
from tests.properties.faults import random_faults, random_policies
from tests.properties.model import Model, connect, random_entity, random_model
from tests.properties.operations import Operation, operation
from tests.properties.systems import KEYS, Native, Systems
from tests.properties.trouble import keys_hidden, random_rules
from tests.worlds import World, over, registry


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
    policies: Mapping[str, Resolve]
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
        made = over(self.schema, _registry(self), self.rows)
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
        if all(faults == Faults(shuffled=faults.shuffled) for faults in self.faults.values()):
            return self
        return replace(self, faults={name: Faults(shuffled=faults.shuffled) for name, faults in self.faults.items()})


_registries: LRUCache[tuple[int, ...], tuple[Case, Registry]] = LRUCache(16)  # worlds are fresh each time, what is bound in them is not


def _registry(case: Case) -> Registry:
    key = tuple(map(id, (case.schema, case.bindings, case.keys, case.roots, case.filters, case.orders, case.aggregates, case.policies)))
    if key not in _registries:
        made = registry(
            case.schema,
            case.bindings,
            keys=case.keys,
            roots=case.roots,
            filters=case.filters,
            orders=case.orders,
            aggregates=case.aggregates,
            policies=case.policies,
        )
        _registries[key] = (case, made)  # the case as well, so that the ids in the key stay taken
    return _registries[key][1]


def cases(*, max_size: int = 4) -> st.SearchStrategy[Case]:
    """Random cases for hypothesis. Smaller sizes are simpler, which is what shrinking has to hold on to."""
    return st.builds(case, st.integers(0, 2**32 - 1), st.integers(1, max_size))


def case(seed: int, size: int = 3) -> Case:
    """The case of ``seed``. ``size`` bounds the number of entity types and the depth of the operation."""
    rng = random.Random(f"{seed}/{size}")
    model = random_model(rng, size)
    truths = {name: [random_entity(rng, model, name, i) for i in range(rng.randint(1, 6))] for name in model.entities}
    ghosts = {name: random_entity(rng, model, name, 77) for name in model.entities}
    for name, some in truths.items():
        for one in some:
            connect(rng, model, name, one, truths, ghosts)
    bindings, rows = Systems(rng, model, truths).made()
    schema = build_schema(model.sdl, assume_valid_sdl=True)
    asked = operation(rng, schema, {name: [str(one["id"]) for one in some] for name, some in truths.items()}, depth=size + 2)
    denied = random_mask(rng, model) if rng.random() < 0.4 else frozenset()
    needed = [f"{b.type}.{r.selection.partition('.')[0]}" for b in bindings for r in b.requires]
    if denied and needed and rng.random() < 0.6:
        denied |= {rng.choice(needed)}
    keys = {name: (model.keys[name], *((alt,) for alt in model.alternatives[name])) for name in model.entities}
    rules = random_rules(rng, model) if rng.random() < 0.35 else {}
    hidden = {name: frozenset(keys_hidden(model, name, some, truths[name])) for name, some in rules.items()}
    policies = random_policies(rng, model)
    faults = random_faults(rng, bindings, rows)
    return Case(
        seed=seed,
        size=size,
        sdl=model.sdl,
        schema=schema,
        bindings=tuple(bindings),
        rows=rows,
        keys=keys,
        roots=model.roots,
        filters=model.filters,
        orders=model.orders,
        aggregates=model.aggregates,
        policies=policies,
        faults=faults,
        denied=denied,
        operation=asked,
        rules=rules,
        hidden=hidden,
    )


def random_mask(rng: random.Random, model: Model) -> frozenset[str]:
    """A few coordinates that the caller may not see; now and then all, or all but one, of a plain object's, which decide about it."""
    coordinates = [f"{name}.{f}" for name in (*model.values, *model.entities) for f in model.fields(name)]
    denied = set(rng.sample(coordinates, rng.randint(1, 4)))
    if rng.random() < 0.4:
        name = rng.choice(list(model.values))
        own = [f"{name}.{f}" for f in model.values[name]]
        denied.update(rng.sample(own, len(own) - rng.choice((0, 0, 1))))
    return frozenset(denied)
