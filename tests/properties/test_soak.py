"""The long run's own tools: a case printed as Python is the same case, and a failing one becomes small and still fails."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.properties import checks, examples
from tests.properties.engine import both
from tests.properties.generator import Case, case, cases
from tests.properties.planted import PLANTED
from tests.properties.printed import printed
from tests.properties.reduce import reduced
from tests.properties.soak import Tally, report, soak


@given(cases())
@examples(15)
async def test_a_printed_case_runs_and_is_the_same(made: Case) -> None:
    text = printed(made)
    there: dict[str, object] = {}
    exec(compile(text, "printed", "exec"), there)
    again = there["CASE"]
    assert isinstance(again, Case)
    assert printed(again) == text
    assert [(a.text, a.errors) for a in await both(again)] == [(a.text, a.errors) for a in await both(made)]
    await there[f"test_case_{made.seed}_{made.size}"]()  # type: ignore[operator]


async def test_a_failing_case_is_made_small_and_its_print_still_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = next(one for one in PLANTED if one.story == "rows are shifted by one")
    monkeypatch.setattr(planted.owner, planted.name, planted.wrong(getattr(planted.owner, planted.name)))
    large, *_ = [made for made in map(case, range(20)) if await checks.differs(made)]
    small = await reduced(large, checks.differs)
    text = printed(small)
    assert len(text) < len(printed(large)) / 3
    there: dict[str, object] = {}
    exec(compile(text, "printed", "exec"), there)
    with pytest.raises(AssertionError):
        await there[f"test_case_{small.seed}_{small.size}"]()  # type: ignore[operator]


def test_a_soak_counts_cases_and_features_and_finds_nothing() -> None:
    tally = soak(1000, 12, None, workers=2)
    assert (tally.cases, tally.failed) == (12, [])
    assert tally.features["aliases"] > 0
    assert report(tally, 2.0).startswith("12 cases in 2 s, 6.0 cases/s\n")


def test_a_soak_tells_what_it_never_saw() -> None:
    assert "never seen: aliases, " in report(Tally(1), 1.0)
