"""Several providers of one field: who answers, and who is not asked."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from schema.registry import Authority, Existence, Resolve, Role
from tests.properties import examples
from tests.properties.engine import run_engine, run_oracle, told
from tests.properties.fallback import fallbacks_hold
from tests.properties.generator import Case, cases


@given(st.randoms(use_true_random=False), st.sampled_from((Resolve.FALLBACK_ON_ERROR, Resolve.FALLBACK_ON_NULL)))
@examples(30)
async def test_p22_no_null_where_a_system_that_may_be_asked_can_tell(rng: random.Random, policy: Resolve) -> None:
    await fallbacks_hold(rng, policy)


@given(cases())
@examples(15)
async def test_p14_a_provider_of_lower_rank_changes_no_answer_without_faults(made: Case) -> None:
    calm = replace(made.calm(), policies={})
    some = [b for b in calm.bindings if b.role is Role.LOOKUP and set(b.fields) - {k for key in calm.keys[b.type] for k in key}]
    if not some:
        return
    keys = {key for keys in calm.keys.values() for each in keys for key in each}
    more = replace(calm, rows={**calm.rows, "zzz": {}})
    for binding in some:
        fields = {name: served for name, served in binding.fields.items() if name in binding.key or name not in keys}
        other = replace(binding, id=f"zzz.{binding.id}", system="zzz", fields=fields, authority=Authority.DERIVED, priority=-9)
        more = replace(more, bindings=(*more.bindings, replace(other, existence=Existence.CONTRIBUTES)))
    asked = calm.operation
    for run in (run_engine, run_oracle):
        plain = await run(calm.build(), asked.text, asked.variables, calm.denied)
        found = await run(more.build(), asked.text, asked.variables, calm.denied)
        assert (found.text, found.errors) == (plain.text, plain.errors), await told(calm, plain, found)
