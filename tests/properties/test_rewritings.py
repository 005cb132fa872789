"""Asking the same thing in other words gives the same answer; asking with fewer rights gives less of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from graphql import GraphQLObjectType
from hypothesis import given
from hypothesis import strategies as st

from tests.properties import examples
from tests.properties.engine import run_engine, run_oracle, told
from tests.properties.generator import Case, cases
from tests.properties.rewrite import backwards, doubled, inlined, renamed, split, unrenamed
from tests.properties.shape import less


@given(cases())
@examples(20)
async def test_p16_renaming_keys_renames_the_answer_alone(case: Case) -> None:
    asked, other = case.operation, renamed(case)
    for run in (run_engine, run_oracle):
        plain = await run(case.build(), asked.text, asked.variables, case.denied, case.rules)
        found = await run(case.build(), other.text, other.variables, case.denied, case.rules)
        assert replace(found, data=unrenamed(found.data)).text == plain.text, await told(case, plain, found)
        paths = Counter({(tuple(_short(step) for step in path), code): count for (path, code), count in found.errors.items()})
        assert paths == plain.errors, await told(case, plain, found)


def _short(step: str | int) -> str | int:
    return step.removeprefix("z_") if isinstance(step, str) else step


@given(cases())
@examples(20)
async def test_p16_fragments_and_variables_are_only_ways_to_write(case: Case) -> None:
    asked = case.operation
    for run in (run_engine, run_oracle):
        plain = await run(case.build(), asked.text, asked.variables, case.denied, case.rules)
        for other in (split(case), doubled(case), inlined(case)):
            found = await run(case.build(), other.text, other.variables, case.denied, case.rules)
            assert (found.text, found.errors) == (plain.text, plain.errors), await told(replace(case, operation=other), plain, found)


@given(cases())
@examples(20)
async def test_p16_the_order_of_fields_changes_the_order_of_keys_alone(case: Case) -> None:
    asked, other = case.operation, backwards(case)
    plain = await run_engine(case.build(), asked.text, asked.variables, case.denied, case.rules)
    found = await run_engine(case.build(), other.text, other.variables, case.denied, case.rules)
    assert found.data == plain.data, await told(case, plain, found)


@given(cases(), st.randoms(use_true_random=False))
@examples(15)
async def test_p15_a_smaller_right_gives_less_and_nothing_else(case: Case, rng: st.DataObject) -> None:
    asked = case.operation
    names = sorted(
        f"{kind.name}.{name}"
        for kind in case.schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name in kind.fields
    )
    denied = case.denied | set(rng.sample(names, 4))  # type: ignore[attr-defined]
    for run in (run_engine, run_oracle):
        more = await run(case.build(), asked.text, asked.variables, case.denied, case.rules)
        fewer = await run(case.build(), asked.text, asked.variables, frozenset(denied), case.rules)
        assert less(fewer.data, more.data) is not None, await told(replace(case, denied=frozenset(denied)), more, fewer)
