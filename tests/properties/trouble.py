"""Rules that hide rows from the caller of a random case."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from graphql import build_schema

from auth.access import Rows as Rules
from auth.access import Rule, RuleOperator
from hub.oracle.pages import matches
from tests.properties.model import Model
from tests.properties.values import VALUES, Truth


def random_rules(rng: random.Random, model: Model) -> Rules:
    """Rules for some types, on fields that may lie in any system, and that the caller may be denied."""
    found: dict[str, tuple[Rule, ...]] = {}
    for name in rng.sample(sorted(model.entities), min(len(model.entities), rng.choice((1, 1, 2)))):
        paths = model.orders[f"{name}Order"]
        some = []
        for spelled in rng.sample(sorted(paths), min(len(paths), rng.choice((1, 1, 2)))):
            leaf = spelled.rpartition("_")[2]
            values = VALUES[leaf]
            op: RuleOperator = rng.choice(("EQ", "IN", "IN", "IN", "PREFIX") if leaf in ("String", "ID") else ("EQ", "IN", "IN"))
            some.append(Rule(paths[spelled], op, _value(rng, op, values)))
        found[name] = tuple(some)
    return found


def _value(rng: random.Random, op: RuleOperator, values: Sequence[Any]) -> Any:
    if op == "PREFIX":
        return rng.choice(("", "1", "a", "甲"))
    if op == "EQ":
        return rng.choice(values)
    many = max(2, len(values) - rng.choice((1, 1, 2, 4)))  # where rules hide everything, nothing is told of what they hide
    return tuple(rng.sample(values, many))


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
