"""Free riders: of providers that are worth the same, one that is asked anyway.

Decided once for each operation and type, from the fields that are asked for and nothing else: not by position, so that a field has one
value wherever it is shown; not by what the caller may see, so that a smaller right never shows another value.
"""

from __future__ import annotations

from collections.abc import Iterable

from schema.registry import ENTITIES, Binding, Equals, Ranked, Registry, Resolve


def asked_anyway(registry: Registry, coordinates: Iterable[str]) -> frozenset[str]:
    """Ids of the lookups that an operation which touches ``coordinates`` asks, as far as that can be told beforehand.

    First those that nothing else can stand in for: anchors of what is looked up, and lookups that are best for a field by worth alone.
    Then, field by field in order of name, the rider among equals, or else the first of them by name.
    """
    names = sorted(coordinates)
    looked_up = {lookup.type for lookup in (registry.roots.get(name) for name in names) if lookup is not None}
    if ENTITIES in names:
        looked_up.update(name.partition(".")[0] for name in names)
    anchors = (registry.anchor(name) for name in looked_up)
    asked = {anchor.id for anchor in anchors if anchor is not None}
    open_: list[tuple[Ranked, Equals]] = []
    for name in names:
        type_name, _, field = name.partition(".")
        ranked = registry.ranked(type_name)
        equals = None if name in registry.links else ranked.equals.get(field)
        if equals is None:
            continue
        if len(equals.ids) == 1 or registry.policy(name) is not Resolve.FIRST:
            asked.add(equals.first.id)
        else:
            open_.append((ranked, equals))
    for ranked, equals in open_:
        asked.add(min((ranked.ids[one] for one in equals.ids & asked), key=lambda b: b.rank, default=equals.first).id)
    return frozenset(asked)


def riding(ranked: Ranked, field: str, asked: frozenset[str]) -> tuple[Binding, ...]:
    """The best lookup of each key for a field: by worth, then those that are asked anyway, then by name."""
    own = [ranked.ids[one] for one in asked & ranked.ids.keys()]
    best = []
    for first in ranked.firsts.get(field, ()):
        riders = (b for b in own if field in b.fields and b.key == first.key and b.worth == first.worth)
        best.append(min(riders, key=lambda b: b.rank, default=first))
    return tuple(sorted(best, key=lambda b: (b.worth, b.id not in asked, b.rank)))
