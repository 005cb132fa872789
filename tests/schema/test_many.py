"""Many systems at once: the made-up manifests of ``bench.manifests``."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

from graphql import print_schema

from bench.manifests import Written, manifests
from connectors.kinds import KINDS
from schema.canonical import canonical
from schema.compose import Composition, compose, parse_manifest


def composed(written: Iterable[Written]) -> Composition:
    return compose(canonical(), [parse_manifest(each.text, each.file) for each in written], kinds=set(KINDS))


def test_many_systems_compose_without_a_fault() -> None:
    made = composed(manifests(430))

    assert made.faults == ()
    assert Counter(system.kind for system in made.registry.systems.values()).keys() == KINDS.keys()
    assert len(made.registry.systems) == 430
    assert made.registry.writes.keys() > {"Mutation.applyForCreditRepair"}
    assert made.registry.feeds.keys() > {"Subscription.enterpriseChanged"}


def test_the_same_number_gives_the_same_text_and_fewer_are_the_beginning_of_more() -> None:
    more = manifests(600)

    assert manifests(600) == more
    assert manifests(90) == more[:90]
    assert manifests(90, seed=2) != more[:90]
    assert len({each.file for each in manifests(20_000)}) == 20_000


def test_many_systems_compose_alike_in_any_order() -> None:
    written = manifests(90)
    shuffled = random.Random(5).sample(written, len(written))

    there, again = composed(written), composed(shuffled)

    assert print_schema(there.schema) == print_schema(again.schema)
    assert there.registry == again.registry
