"""What goes wrong in a random case, and which fields fall back when it does."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from connectors.spi import ErrorKind
from schema.registry import Binding, Resolve
from tests.memory import Faults
from tests.properties.model import Model

LISTED = ".listed"  # how a relation's name ends that lists the rows of a lookup
KINDS: tuple[ErrorKind, ...] = ("config", "invalid", "denied", "missing", "broken", "busy", "down", "slow")


def random_policies(rng: random.Random, model: Model) -> dict[str, Resolve]:
    """Some fields fall back, in half of all cases."""
    if rng.random() < 0.5:
        return {}
    names = [f"{name}.{field}" for name in model.entities for field in model.fields(name)]
    return {name: rng.choice((Resolve.FALLBACK_ON_ERROR, Resolve.FALLBACK_ON_NULL)) for name in names if rng.random() < 0.5}


def random_faults(rng: random.Random, bindings: list[Binding], rows: Mapping[str, Mapping[str, list[dict[str, Any]]]]) -> dict[str, Faults]:
    """Faults that mean the same however keys are batched, in a third of all cases."""
    found: dict[str, Faults] = {}
    wild = rng.random() < 0.4
    for binding in bindings:
        faults = found.setdefault(binding.system, Faults(shuffled=rng.randint(0, 9)))
        if not wild:
            continue
        relation = binding.relation
        if rng.random() < 0.15:
            faults.down[relation.name] = rng.choice(KINDS)
        if binding.key and not relation.each and rng.random() < 0.06:  # rows that are cut away are not seen to be strange
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
        if binding.relation.name.endswith(LISTED):
            place = (binding.system, binding.relation.native["rows"])
            own = next(one for one in bindings if one.key and (one.system, one.relation.native["rows"]) == place)
            _agreeing(found[binding.system], own.relation.name, binding.relation.name)
    return found


def _agreeing(faults: Faults, lookup: str, listed: str) -> None:
    """A list and a lookup of the same rows both answer, or neither does."""
    for known in [key for key in faults.keys if key[0] == lookup]:
        del faults.keys[known]
    faults.doubled -= {key for key in faults.doubled if key[0] == lookup}
    faults.strangers.discard(lookup)
    faults.down.pop(listed, None)
    if lookup in faults.down:
        faults.down[listed] = faults.down[lookup]
