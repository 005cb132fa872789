"""Random faults of systems: failing relations and keys, doubled rows, strangers. They mean the same however keys are batched."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from connectors.spi import ErrorKind
from schema.registry import Binding
from tests.memory import Faults

KINDS: tuple[ErrorKind, ...] = ("config", "invalid", "denied", "missing", "broken", "busy", "down", "slow")


def random_faults(rng: random.Random, bindings: list[Binding], rows: Mapping[str, Mapping[str, list[dict[str, Any]]]]) -> dict[str, Faults]:
    """Faults that mean the same however keys are batched, in a third of all cases."""
    found: dict[str, Faults] = {}
    wild = rng.random() < 0.4
    for binding in bindings:
        faults = found.setdefault(binding.system, Faults(shuffled=rng.randint(0, 9)))
        if not wild:
            continue
        relation = binding.relation
        if rng.random() < 0.25:
            faults.down[relation.name] = rng.choice(KINDS)
        if binding.key and rng.random() < 0.1:
            faults.strangers.add(relation.name)
        if binding.key and rng.random() < 0.3:
            paths = [relation.field(k).path for k in binding.key]
            keys = sorted({tuple(row[p] for p in paths) for row in rows[binding.system][str(relation.native["rows"])]}, key=repr)
            for key in rng.sample(keys, min(len(keys), 2)):
                if rng.random() < 0.7:
                    faults.keys[relation.name, key] = rng.choice(KINDS)
                elif not binding.many:
                    faults.doubled.add((relation.name, key))
    return found
