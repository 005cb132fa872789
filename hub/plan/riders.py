"""Free riders: of providers that are worth the same, one that is asked anyway.

Decided once for each operation and type, from the fields that are asked for and nothing else: not by position, so that a field has one
value wherever it is shown; not by what the caller may see, so that a smaller right never shows another value.
"""

from __future__ import annotations

from collections.abc import Iterable

from schema.registry import Binding, Registry, Resolve


def asked_anyway(registry: Registry, coordinates: Iterable[str]) -> frozenset[str]:
    """Ids of the lookups that an operation which touches ``coordinates`` asks, as far as that can be told beforehand.

    First those that nothing else can stand in for: anchors of what is looked up, and lookups that are best for a field by worth alone.
    Then, field by field in order of name, the rider among equals, or else the first of them by name.
    """
    names = sorted(coordinates)
    anchors = (registry.anchor(lookup.type) for lookup in (registry.roots.get(name) for name in names) if lookup is not None)
    asked = {anchor.id for anchor in anchors if anchor is not None}
    open_: list[list[Binding]] = []
    for name in names:
        type_name, _, field = name.partition(".")
        found = () if name in registry.links else registry.providers(type_name, field)
        equals = [b for b in found if b.worth == found[0].worth]
        if len(equals) == 1 or (equals and registry.policy(name) is not Resolve.FIRST):
            asked.add(equals[0].id)
        elif equals:
            open_.append(equals)
    for equals in open_:
        asked.add(next((b for b in equals if b.id in asked), equals[0]).id)
    return frozenset(asked)


def riding(found: Iterable[Binding], asked: frozenset[str]) -> tuple[Binding, ...]:
    """Lookups by worth, then those that are asked anyway, then by name."""
    return tuple(sorted(found, key=lambda b: (b.worth, b.id not in asked, b.rank)))
