"""The same of the real manifests: random questions about a small province, engine against oracle."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from connectors.kinds import KINDS
from schema.canonical import canonical
from schema.compose import compose, load_systems
from schema.faults import Fault
from tests.oracle.test_province import SYSTEMS, province
from tests.properties import examples
from tests.properties.engine import engine, run_engine, run_oracle
from tests.properties.operations import operation
from tests.worlds import World

CONTROL = frozenset({"hub"})  # answered by resolvers of its own


@given(st.integers(0, 2**32 - 1))
@examples(20)
async def test_p1_p2_the_real_manifests_are_answered_as_the_oracle_says(seed: int) -> None:
    rng = random.Random(seed)
    there = province()
    firms = [str(row["TYSHXYDM"]) for row in there.systems["legalEntityRegister"].settings.rows["T_FRXX"]][:2]
    asked = operation(rng, there.schema, {"Enterprise": firms}, depth=5, without=CONTROL)
    graded = [name for name in sorted(there.registry.coordinates) if not name.startswith("PageInfo.") and "Edge." not in name]
    denied = frozenset(rng.sample(graded, 3)) if rng.random() < 0.5 else frozenset()
    found = await run_engine(there, asked.text, asked.variables, denied)
    wanted = await run_oracle(there, asked.text, asked.variables, denied)
    assert (found.text, found.errors) == (wanted.text, wanted.errors), (asked, sorted(denied))


def test_p27_nothing_is_unplanned_but_what_composition_tells_of() -> None:
    """With all real manifests, and with each of them left out, which leaves fields that nobody serves: asked of the whole schema, since the
    public one has none of them."""
    read = load_systems(SYSTEMS)
    unplanned: set[str] = set()
    for left_out in (None, *read):
        made = compose(canonical(), [one for one in read if one is not left_out], kinds=set(KINDS))
        if not made.ok:
            continue
        told = {name for fault in made.faults for name in _told(fault)}
        asked = engine(World(made.whole, made.registry, {}, []))
        for seed in range(6):
            question = operation(random.Random(seed), made.whole, {"Enterprise": ["91330100MA20AAAA0X"]}, depth=6, without=CONTROL)
            plan = asked.explain(asked.parse(question.text), question.variables)
            found = set(re.findall(r"([\w.]+) \(NOT_BOUND\)", plan))
            assert {name for name in found if name not in told and f"{name.partition('.')[0]}.*" not in told} == set(), plan
            unplanned |= found
    assert unplanned


def _told(fault: Fault) -> Iterator[str]:
    """The coordinates that a notice of composition says cannot be answered; ``Type.*`` for all of a type."""
    names = re.findall(r"'([\w.]+)'", fault.message)
    if fault.code == "NOT_SERVED":
        yield names[0]
    elif fault.code == "NO_TARGET_LOOKUP":
        yield f"{names[0]}.*"
