"""Which binding gives which field at an entity position: the choice of providers, pure and deterministic.

Keys are acquired by rounds (a worklist over what is available), so that no choice can be circular; a field that was asked for
then goes to its best-ranked provider whose key can be had at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from hub.plan.riders import riding
from schema.registry import Binding, Registry, Resolve


@dataclass(frozen=True, slots=True)
class Reach:
    """What an entity position can get from what its rows carry. ``via`` gives, for each field that can be had but is not carried, the
    binding that has it in the earliest round (the best-ranked of that round)."""

    carried: frozenset[str]
    via: Mapping[str, Binding]

    def has(self, field: str) -> bool:
        return field in self.carried or field in self.via

    def all(self, fields: tuple[str, ...]) -> bool:
        return all(self.has(field) for field in fields)


def reach(registry: Registry, type_name: str, carried: frozenset[str]) -> Reach:
    """The fixpoint over the lookups of ``type_name``. Cached per registry."""
    return _reach(_Identity(registry), type_name, carried)


def sources(registry: Registry, type_name: str, field: str, found: Reach, asked: frozenset[str]) -> tuple[Binding, ...]:
    """All that can answer a field that is not carried, best first: links, then lookups, each by rank, whose keys can be had at all.

    Of lookups that are worth the same those come first that are ``asked`` anyway, unless the field falls back.
    """
    coordinate = f"{type_name}.{field}"
    lookups = registry.providers(type_name, field)
    if registry.policy(coordinate) is Resolve.FIRST:
        lookups = riding(lookups, asked)
    return tuple(b for b in (*registry.links.get(coordinate, ()), *lookups) if found.all(b.key))


class _Identity:
    """A registry as a cache key: equal only to itself, since hashing all of it would cost more than planning."""

    __slots__ = ("registry",)

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def __hash__(self) -> int:
        return id(self.registry)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.registry is self.registry


@lru_cache(maxsize=4096)
def _reach(identity: _Identity, type_name: str, carried: frozenset[str]) -> Reach:
    lookups = identity.registry.lookups.get(type_name, ())
    available = set(carried)
    via: dict[str, Binding] = {}
    waiting = [b for b in lookups if not b.requires and not b.args]  # those are for their field alone
    while True:
        ready = [b for b in waiting if available.issuperset(b.key)]
        if not ready:
            return Reach(carried, via)
        for binding in ready:
            for name in binding.fields:
                if name not in available:
                    via.setdefault(name, binding)
        available.update(via)
        waiting = [b for b in waiting if b not in ready]
