"""Lists narrowed by a field of another system that can say which keys meet the condition: only those are asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from auth.principal import Audience, Principal
from connectors.spi import Call, Page, Plan
from hub.clock import SystemClock
from hub.run import semi
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.registry import Authority, Binding
from tests.bound import lookup, scan
from tests.nasty.test_lists import FIRMS, GRADE_A, GRADES, SDL, asked
from tests.worlds import World, world

WHOLE = "{ nodes { uscc grade } totalCount pageInfo { hasNextPage endCursor } }"
ABLE: Mapping[str, Any] = {
    "where": {"uscc": ["EQ", "IN"], "division": ["PREFIX"]},
    "order": ("name", "uscc"),
    "limit": True,
    "total": True,
    "seek": True,
}


def later(binding: Binding) -> Binding:
    """Not the one that lists are made from."""
    return replace(binding, authority=Authority.DERIVED)


def there(
    firms: Sequence[Mapping[str, Any]] = FIRMS, grades: Sequence[Mapping[str, Any]] = GRADES, able: Mapping[str, Any] = ABLE
) -> World:
    firm = {"uscc": "code", "name": "mc", "division": "xz"}
    grade = {"uscc": "code", "grade": "dj"}
    return world(
        SDL,
        [
            lookup("register", "Firm", "uscc", firm, anchor=True),
            scan("register", "Firm", firm, **able),
            lookup("credit", "Firm", "uscc", grade, rows="Grade"),
            later(scan("credit", "Firm", grade, rows="Grade", where={"grade": ["EQ", "IN"]})),
        ],
        {"register": {"Firm": firms}, "credit": {"Grade": grades}},
        keys={"Firm": ["uscc"]},
        filters={"FirmFilter": {name: name for name in ("name", "division", "grade")}},
        orders={"FirmOrder": {"NAME": "name", "GRADE": "grade"}},
    )


LARGE = [{"code": f"F{n:06}", "mc": f"n{n % 7}", "xz": "3301" if n % 2 else "3302"} for n in range(100_000)]
FEW = [{"code": row["code"], "dj": "A" if n % 10_000 == 1 else "B"} for n, row in enumerate(LARGE)]


async def test_a_register_of_100_000_rows_is_asked_for_the_matching_keys_alone() -> None:
    of = there(LARGE, FEW)
    data, codes = await asked(of, f"{{ firms(filter: {{grade: {{eq: A}}}}, first: 3) {WHOLE} }}")
    assert codes == []
    assert [node["uscc"] for node in data["firms"]["nodes"]] == ["F000001", "F010001", "F020001"]
    assert (data["firms"]["totalCount"], data["firms"]["pageInfo"]["hasNextPage"]) == (10, True)
    keys = tuple(row["code"] for row in FEW if row["dj"] == "A")
    assert [call.where for call in of.calls("register")] == [(("uscc", "IN", keys),)]
    assert [(call.where, len(call.keys)) for call in of.calls("credit")] == [((("grade", "EQ", "A"),), 0), ((), 3)]


async def test_the_keys_are_intersected_with_the_lists_own_conditions_and_rules() -> None:
    of = there(LARGE, FEW)
    data, codes = await asked(of, f'{{ firms(filter: {{grade: {{in: [A, B]}}, division: {{prefix: "3301"}}}}) {WHOLE} }}', rows=GRADE_A)
    assert (codes, data["firms"]["totalCount"]) == ([], 10)
    assert all(node["grade"] == "A" for node in data["firms"]["nodes"])


@pytest.mark.parametrize("chunk", [1, 2, 300])
@pytest.mark.parametrize("order", ["", "{field: NAME}", "{field: NAME, direction: DESC}", "{field: GRADE}"])
async def test_however_keys_are_divided_pages_and_totals_are_those_of_the_list(
    chunk: int, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(semi, "CHUNK", chunk)
    given = f"filter: {{grade: {{in: [A, B]}}}}, orderBy: [{order}]"
    whole, codes = await asked(there(able={}), f"{{ firms({given}) {WHOLE} }}")
    assert codes == []
    found: list[Any] = []
    after, more = None, True
    while more:
        page, codes = await asked(there(), f"query ($a: String) {{ firms({given}, first: 2, after: $a) {WHOLE} }}", {"a": after})
        assert (codes, page["firms"]["totalCount"]) == ([], 4)
        found += page["firms"]["nodes"]
        after, more = page["firms"]["pageInfo"]["endCursor"], page["firms"]["pageInfo"]["hasNextPage"]
    assert found == whole["firms"]["nodes"]


async def test_a_denied_field_is_refused_before_anything_is_asked() -> None:
    of = there()
    assert await asked(of, "{ firms(filter: {grade: {eq: A}}) { totalCount } }", denied=frozenset({"Firm.grade"})) == (
        {"firms": None},
        ["FORBIDDEN"],
    )
    assert of.received == []


async def test_every_call_of_a_list_is_made_in_the_caller_s_name() -> None:
    of, names = there(), []
    for system in of.systems.values():

        async def named(plan: Plan, call: Call, fetch: Any = system.fetch) -> AsyncIterator[Page]:
            names.append((plan.ask.relation, call.principal))
            async for page in fetch(plan, call):
                yield page

        system.fetch = named  # type: ignore[method-assign]  # the same source, heard
    engine = Engine(of.schema, of.registry, Sources(of.registry.systems, of.connectors, SystemClock()), coalesce=False)
    question = engine.parse("{ firms(filter: {grade: {eq: A}}, first: 3) { nodes { uscc grade } totalCount } }")
    assert not (await engine.run(question, principal=Principal("app", Audience.APP))).errors
    assert names == [("Firm.all", "app"), ("Firm.all", "app"), ("Firm.by.uscc", "app")]


async def test_too_many_keys_are_no_help_and_a_list_that_is_too_long_is_refused() -> None:
    of = there(LARGE, FEW)
    assert await asked(of, "{ firms(filter: {grade: {eq: B}}) { totalCount nodes { uscc } } }") == (
        {"firms": None},
        ["FILTER_NOT_PUSHABLE"],
    )
    assert [call.where for call in of.calls("register")] == [()]


async def test_a_system_that_does_not_answer_is_what_the_list_fails_by() -> None:
    of = there(LARGE, FEW)
    of.systems["credit"].faults.down |= {"Firm.all": "down", "Firm.by.uscc": "down"}
    assert await asked(of, f"{{ firms(filter: {{grade: {{eq: A}}}}) {WHOLE} }}") == ({"firms": None}, ["SYSTEM_DOWN"])


async def test_a_driver_that_takes_no_keys_is_looked_at_within_the_bound() -> None:
    of = there(able={})
    data, codes = await asked(of, f"{{ firms(filter: {{grade: {{eq: A}}}}) {WHOLE} }}")
    assert (codes, [node["uscc"] for node in data["firms"]["nodes"]]) == ([], ["A", "B"])
    assert [call.where for call in of.calls("credit")] == [()]


def test_explain_says_that_keys_come_first() -> None:
    of = there()
    engine = Engine(of.schema, of.registry, Sources(of.registry.systems, of.connectors, SystemClock()))
    plan = engine.explain(engine.parse("{ firms(filter: {grade: {eq: A}}) { totalCount } }"))
    assert "keys first from credit by grade" in plan
