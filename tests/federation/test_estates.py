"""Behind the hub an estate answers as the monolith that holds all its data, with the requests that are needed and no more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.federation.compose import MARK
from tests.federation.estate import Case, Estate, running
from tests.federation.estates import ESTATES
from tests.federation.served import hub

NAMED = [
    ("-".join(filter(None, (one.name, case.title or str(number), writing))), one, case, writing)
    for one in ESTATES
    for writing in one.writings
    for number, case in enumerate(one.cases[:1] if writing == "hive" else one.cases)
]
CASES = [pytest.param(one, case, writing, id=name) for name, one, case, writing in NAMED]


@pytest.mark.parametrize("estate", ESTATES, ids=lambda one: one.name)
def test_what_was_composed_is_up_to_date(estate: Estate) -> None:
    for writing in ("api", *estate.writings):
        assert estate.composed(writing).startswith(f"{MARK}{estate.digest}\n"), f"python -m tests.federation.compose {estate.name}"


@pytest.mark.parametrize(("estate", "case", "writing"), CASES)
async def test_an_estate_answers_as_the_monolith(estate: Estate, case: Case, writing: str) -> None:
    async with running(estate) as there, hub(estate.composed(writing), there.urls) as ask:
        for name in case.down:
            there.subgraphs[name].down = True
        answer = await ask(case.query, case.variables, case.scopes)
    expected = there.monolith(case.query, case.variables, case.denied)
    assert answer.get("data") == expected["data"]
    assert paths(answer) == sorted(case.errors) if case.errors else paths(answer) == paths(expected)
    assert there.calls() == case.calls
    assert {name: there.representations()[name] for name in case.representations} == case.representations


def paths(answer: dict[str, Any]) -> list[str]:
    """Where the errors are, in order."""
    return sorted(".".join(map(str, error.get("path", ()))) for error in answer.get("errors", []))


def test_cases_are_called_differently() -> None:
    assert len({name for name, *_ in NAMED}) == len(NAMED)
