"""Plans are pure: the same inputs give the same text, and what does not matter does not show."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from graphql import build_schema
from hypothesis import given

from tests.bound import lookup, scan
from tests.properties import examples
from tests.properties.engine import engine, run_engine, told
from tests.properties.generator import Case, case, cases

ROOT = Path(__file__).resolve().parents[2]
PRINT = """
import sys
from tests.properties.engine import engine
from tests.properties.generator import case
for seed in range(int(sys.argv[1])):
    made = case(seed)
    asked = engine(made.build())
    print(seed, asked.explain(asked.parse(made.operation.text), made.operation.variables))
"""


def _explained(made: Case) -> str:
    asked = engine(made.build())
    return asked.explain(asked.parse(made.operation.text), made.operation.variables)


def test_p11_hash_seeds_do_not_show_in_a_plan() -> None:
    texts = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", PRINT, "12"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        texts.add(done.stdout)
    assert len(texts) == 1


@given(cases())
@examples(20)
async def test_p11_the_order_of_manifests_does_not_show_in_a_plan(made: Case) -> None:
    turned = tuple(replace(b, fields=dict(reversed(list(b.fields.items())))) for b in reversed(made.bindings))
    assert _explained(replace(made, bindings=turned)) == _explained(made)


@given(cases())
@examples(20)
async def test_p13_an_unrelated_system_changes_no_plan_and_no_answer(made: Case) -> None:
    sdl = made.sdl + "\ntype Stranger { id: ID! name: String }\nextend type Query { stranger(id: ID!): Stranger strangers: [Stranger] }"
    fields = {"id": "id", "name": "name"}
    more = replace(
        made,
        sdl=sdl,
        schema=build_schema(sdl, assume_valid_sdl=True),
        bindings=(lookup("aaa", "Stranger", "id", fields, anchor=True), *made.bindings, scan("aaa", "Stranger", fields)),
        rows={**made.rows, "aaa": {"Stranger": [{"id": "1", "name": "x"}]}},
        keys={**made.keys, "Stranger": (("id",),)},
        roots={**made.roots, "Query.stranger": ("Stranger", {"id": "id"})},
    )
    assert _explained(more) == _explained(made)
    asked = made.operation
    plain = await run_engine(made.build(), asked.text, asked.variables, made.denied)
    found = await run_engine(more.build(), asked.text, asked.variables, made.denied)
    assert (found.text, found.errors) == (plain.text, plain.errors), await told(made, plain, found)


def test_the_generator_is_repeatable() -> None:
    assert (case(7).operation, case(7).rows, case(7).bindings) == (case(7).operation, case(7).rows, case(7).bindings)
