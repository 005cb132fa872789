"""What a random case has against its question: systems that fail, and rules that hide rows from the caller."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import build_schema

from auth.access import Rows as Rules
from auth.access import Rule, RuleOperator
from connectors.spi import ErrorKind
from hub.oracle.pages import matches
from schema.registry import Binding
from tests.memory import Faults
from tests.properties.model import Model
from tests.properties.values import VALUES, Truth

Native = dict[str, Any]
KINDS: tuple[ErrorKind, ...] = ("config", "invalid", "denied", "missing", "broken", "busy", "down", "slow")


def random_rules(rng: random.Random, model: Model) -> Rules:
    """Rules for some types, on fields that may lie in any system, and that the caller may be denied."""
    found: dict[str, tuple[Rule, ...]] = {}
    for name in rng.sample(sorted(model.entities), min(len(model.entities), rng.choice((1, 1, 2)))):
        paths = model.orders[f"{name}Order"]
        some = []
        for spelled in rng.sample(sorted(paths), min(len(paths), rng.choice((1, 1, 2)))):
            leaf = spelled.rpartition("_")[2]
            values = VALUES[leaf]
            op: RuleOperator = rng.choice(("EQ", "IN", "IN", "PREFIX") if leaf in ("String", "ID") else ("EQ", "IN"))
            value = (
                rng.choice(("", "1", "a", "甲")) if op == "PREFIX" else rng.choice(values) if op == "EQ" else tuple(rng.sample(values, 2))
            )
            some.append(Rule(paths[spelled], op, value))
        found[name] = tuple(some)
    return found


def keys_hidden(model: Model, name: str, rules: tuple[Rule, ...], entities: list[Truth]) -> Iterator[str]:
    """The key values of entities that fail a rule, by what is true of them."""
    leaves = {path: spelled.rpartition("_")[2] for spelled, path in model.orders[f"{name}Order"].items()}
    for one in entities:
        for rule in rules:
            value: Any = one
            for part in rule.path.split("."):
                value = None if value is None else value[part]
            if not matches(rule.op.lower(), value, rule.value, _kind(leaves[rule.path])):
                yield from (str(one[key]) for key in ("id", *model.alternatives[name]) if one[key] is not None)
                break


def _kind(leaf: str) -> Any:
    return _KINDS[leaf]


_SCALARS = "scalar Decimal scalar Date scalar DateTime enum Colour { RED GREEN BLUE }"
_KINDS = build_schema(f"{_SCALARS} type Query {{ a: Colour b: Float c: ID d: Int e: Decimal f: Date g: DateTime }}").type_map


def random_faults(rng: random.Random, bindings: list[Binding], rows: Mapping[str, Mapping[str, list[Native]]]) -> dict[str, Faults]:
    """Faults that mean the same however keys are batched, in a third of all cases."""
    found: dict[str, Faults] = {}
    wild = rng.random() < 0.35
    for binding in bindings:
        faults = found.setdefault(binding.system, Faults(shuffled=rng.randint(0, 9)))
        if not wild:
            continue
        relation = binding.relation
        if rng.random() < 0.12:
            faults.down[relation.name] = rng.choice(KINDS)
        if binding.key and rng.random() < 0.05:
            faults.strangers.add(relation.name)
        if binding.key and rng.random() < 0.3:
            paths = [relation.field(k).path for k in binding.key]
            keys = sorted({tuple(row[p] for p in paths) for row in rows[binding.system][str(relation.native["rows"])]}, key=repr)
            for key in rng.sample(keys, min(len(keys), 2)):
                if rng.random() < 0.7:
                    faults.keys[relation.name, key] = rng.choice(KINDS)
                elif not binding.many:
                    faults.doubled.add((relation.name, key))
    for binding in bindings:
        if binding.relation.name.endswith(".listed"):  # a list and a lookup of the same rows say the same, or neither says anything
            _together(found[binding.system], str(binding.relation.native["rows"]), binding.relation.name)
    return found


def _together(faults: Faults, table: str, listed: str) -> None:
    names = {key[0] for key in (*faults.keys, *faults.doubled)} | {*faults.strangers, *faults.down}
    lookup = next((name for name in sorted(names) if name.replace(".by.", ".") == table), "")
    for some in (faults.keys, faults.doubled):
        for key in [key for key in some if key[0] == lookup]:
            some.pop(key) if isinstance(some, dict) else some.discard(key)
    faults.strangers.discard(lookup)
    faults.down.pop(listed, None)
    if lookup in faults.down:
        faults.down[listed] = faults.down[lookup]
