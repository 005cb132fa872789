"""The same of the real manifests: random questions about a small province, engine against oracle."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.test_province import province
from tests.properties import examples
from tests.properties.engine import run_engine, run_oracle
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
