"""Which binding gives which field at an entity position: the choice of providers, pure and deterministic.

Keys are acquired by rounds (a worklist over what is available), so that no choice can be circular; a field that was asked for
then goes to its best-ranked provider whose key can be had at all. Rounds go over the distinct keys of a type, and choices over the best
binding of each key, so the work does not grow with the number of systems; ``Work`` counts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hub.plan.riders import riding
from schema.registry import Binding, Ranked, Registry, Resolve


@dataclass(slots=True)
class Work:
    """How much planning has looked at: ``candidates`` are bindings and keys, each time that one is considered."""

    candidates: int = 0


@dataclass(frozen=True, slots=True)
class Reach:
    """What an entity position can get from what its rows carry. ``rounds`` says of each key that can be had in which round it can."""

    carried: frozenset[str]
    ranked: Ranked
    rounds: Mapping[tuple[str, ...], int]
    work: Work = field(default_factory=Work, compare=False)

    def via(self, name: str) -> Binding | None:
        """The binding that has a field which is not carried in the earliest round, the best-ranked of that round."""
        return min(self._there(self.ranked.vias.get(name, ())), key=lambda binding: self.rounds[binding.key], default=None)

    def has(self, name: str) -> bool:
        return name in self.carried or self.via(name) is not None

    def all(self, names: tuple[str, ...]) -> bool:
        return names in self.rounds or all(map(self.has, names))

    def those(self, bindings: Iterable[Binding]) -> Iterator[Binding]:
        """Those whose keys can be had, in their order; looked at as far as they are wanted."""
        for binding in bindings:
            self.work.candidates += 1
            if self.all(binding.key):
                yield binding

    def _there(self, bindings: Iterable[Binding]) -> Iterable[Binding]:
        for binding in bindings:
            self.work.candidates += 1
            if binding.key in self.rounds:
                yield binding


def reach(registry: Registry, type_name: str, carried: frozenset[str], work: Work | None = None) -> Reach:
    """The fixpoint over the lookups of ``type_name``."""
    work = work or Work()
    ranked = registry.ranked(type_name)
    available = set(carried)
    rounds: dict[tuple[str, ...], int] = {}
    waiting = list(ranked.gives)
    while True:
        work.candidates += len(waiting)
        ready = [key for key in waiting if available.issuperset(key)]
        if not ready:
            return Reach(carried, ranked, rounds, work)
        number = len(rounds) and max(rounds.values()) + 1
        for key in ready:
            rounds[key] = number
        available.update(*(ranked.gives[key] for key in ready))
        waiting = [key for key in waiting if key not in rounds]


def sources(registry: Registry, type_name: str, field: str, found: Reach, asked: frozenset[str]) -> Iterator[Binding]:
    """All that can answer a field that is not carried, best first: links, then lookups, each by rank, whose keys can be had at all.

    Where the first answers, the best of each key are all that there can be; of lookups that are worth the same those that are ``asked``
    anyway come first.
    """
    coordinate = f"{type_name}.{field}"
    ranked = registry.ranked(type_name)
    if registry.policy(coordinate) is Resolve.FIRST:
        return found.those((*registry.linkers(coordinate), *riding(ranked, field, asked)))
    return found.those((*registry.links.get(coordinate, ()), *ranked.providers.get(field, ())))
