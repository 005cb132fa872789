"""The same of the real manifests: random questions about a small province, engine against oracle."""

from __future__ import annotations

import random
import re
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from schema.canonical import canonical
from schema.compose import compose, load_systems
from tests.oracle.test_province import SYSTEMS, province
from tests.properties import examples
from tests.properties.engine import engine, run_engine, run_oracle
from tests.properties.operations import operation

CONTROL = frozenset({"hub"})  # answered by resolvers of its own


@given(st.integers(0, 2**32 - 1))
@examples(40)
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


@given(st.integers(0, 2**32 - 1))
@examples(40)
async def test_p27_of_the_real_manifests_nothing_is_unplanned_but_what_composition_tells_of(seed: int) -> None:
    there, told = province(), _told()
    asked = operation(random.Random(seed), there.schema, {"Enterprise": ["91330100MA20AAAA0X"]}, depth=6, without=CONTROL)
    plan = engine(there).explain(engine(there).parse(asked.text), asked.variables)
    assert set(re.findall(r"([\w.]+) \(NOT_BOUND\)", plan)) <= told, plan


@cache
def _told() -> frozenset[str]:
    """The coordinates that composition says nobody serves, or that nobody is found by."""
    made = compose(canonical(), load_systems(SYSTEMS), kinds=("rest", "sql", "graphql"))
    assert made.ok
    return frozenset(name for fault in made.faults if fault.code == "NOT_SERVED" for name in re.findall(r"'(\w+\.\w+)'", fault.message))
