"""Requests of one moment with one plan: each system is called once for all, and nobody can tell from the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from graphql import GraphQLError

from auth.principal import Audience, Principal
from hub.run import folds
from hub.run.documents import Document
from hub.run.engine import Engine
from hub.run.generated import RUNS
from hub.run.slices import LARGE
from schema.coordinates import Grade
from tests.bound import leaf, link, lookup, obj, scan
from tests.plan.test_planner import SDL
from tests.run.test_engine import FIRMS, LICENCES, engine
from tests.worlds import World, world

TEXT = "query ($uscc: ID!) { firm(uscc: $uscc) { name score { points } licences { id title } } }"
SCORES = [{"code": code, "p": points} for code, points in zip("ABCD", (10, 20, 30, 40), strict=True)]  # E has none


def fan(*, max_keys: int = 50, score_keys: int = 50) -> World:
    """A firm of three systems."""
    bindings = [
        lookup("register", "Firm", "uscc", {"uscc": "code", "name": "mc"}, anchor=True, max_keys=max_keys),
        scan("register", "Firm", {"uscc": "code", "name": "mc"}),
        lookup("credit", "Firm", "uscc", {"uscc": "code", "score": obj("Score", {"points": leaf("p", "int")})}, max_keys=score_keys),
        link("library", "Firm.licences", "Licence", {"uscc": "czr"}, {"id": "id", "title": "t"}, max_keys=50),
    ]
    rows: dict[str, Any] = {"register": {"Firm": FIRMS}, "credit": {"Firm": SCORES}, "library": {"Licence": LICENCES}}
    return world(SDL, bindings, rows, keys={"Firm": ["uscc"], "Licence": ["id"]}, roots={"Query.firm": ("Firm", {"uscc": "uscc"})})


def firm(code: str) -> dict[str, Any]:
    points = {row["code"]: {"points": row["p"]} for row in SCORES}
    licences = [{"id": row["id"], "title": row["t"]} for row in LICENCES if row["czr"] == code]
    return {"firm": {"name": f"企业{code}", "score": points.get(code), "licences": licences}}


def relation(there: World) -> str:
    """What credit is asked for."""
    return next(one.relation.name for one in there.registry.lookups["Firm"] if one.system == "credit")


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until ``holds``."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not come about")


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each fold, whether its requests were answered out of it."""
    found: list[bool] = []
    right = folds._whole

    def noted(*args: Any) -> Any:
        made = right(*args)
        found.append(made is not None)
        return made

    monkeypatch.setattr(folds, "_whole", noted)
    return found


async def ready(one: Engine, text: str = TEXT, **options: Any) -> Document:
    """A document whose plan has run so often that there is code for it."""
    document = one.parse(text)
    for _ in range(RUNS):
        await one.run(document, {"uscc": "A"}, **options)
    return document


async def moment(one: Engine, codes: Sequence[str], text: str = TEXT, **options: Any) -> list[Any]:
    """The answers of one moment; the plan has run before."""
    document = await ready(one, text, **options)
    return await asyncio.gather(*(one.run(document, {"uscc": code}, **options) for code in codes))


async def test_each_system_is_called_once_and_each_request_has_its_own_answer(whole: list[bool]) -> None:
    there = fan()
    answers = await moment(engine(there), "ABCABC")
    assert [answer.data for answer in answers] == [firm(code) for code in "ABCABC"]
    assert {call.system: call.keys for call in there.received[6:]} == dict.fromkeys(
        ("register", "credit", "library"), (("A",), ("B",), ("C",))
    )
    assert len(there.received) == 9
    assert whole == [True]


async def test_more_requests_than_a_fold_holds_make_several(whole: list[bool]) -> None:
    answers = await moment(engine(fan()), "ABC" * 7)
    assert [answer.data for answer in answers] == [firm(code) for code in "ABC" * 7]
    assert whole == [True, True]


async def test_a_request_alone_is_run_by_itself(whole: list[bool]) -> None:
    [answer] = await moment(engine(fan()), "B")
    assert answer.data == firm("B")
    assert whole == []


async def test_what_is_missing_of_one_is_told_to_it_alone_and_asked_once(whole: list[bool]) -> None:
    there = fan()
    answers = await moment(engine(there), ("A", "nobody", "B"))
    assert [answer.data for answer in answers] == [firm("A"), {"firm": None}, firm("B")]
    assert [answer.errors for answer in answers] == [None, None, None]
    assert len(there.received) == 9
    assert whole == [True]


async def test_a_system_that_is_down_is_asked_once_and_each_request_has_its_error() -> None:
    there = fan()
    one = engine(there)
    await ready(one)
    there.systems["credit"].faults.down[relation(there)] = "down"
    document = one.parse(TEXT)
    answers = await asyncio.gather(*(one.run(document, {"uscc": code}) for code in "AB"))
    assert [answer.data for answer in answers] == [{"firm": {**firm(code)["firm"], "score": None}} for code in "AB"]
    told = [(tuple(error.path or ()), (error.extensions or {})["code"]) for answer in answers for error in answer.errors or ()]
    assert told == [(("firm", "score"), "SYSTEM_DOWN")] * 2
    assert len(there.calls("credit")) == 3  # two before that moment


async def test_a_fault_of_one_key_is_told_to_its_request_alone() -> None:
    there = fan()
    there.systems["credit"].faults.keys[relation(there), ("B",)] = "broken"
    answers = await moment(engine(there), "ABC")
    assert [answer.data for answer in answers] == [firm("A"), {"firm": {**firm("B")["firm"], "score": None}}, firm("C")]
    assert [len(answer.errors or ()) for answer in answers] == [0, 1, 0]
    assert len(there.calls("credit")) == 3


async def test_who_goes_away_is_not_missed_and_who_stays_has_its_answer(whole: list[bool]) -> None:
    one = engine(fan())
    document = await ready(one)
    tasks = [asyncio.create_task(one.run(document, {"uscc": code})) for code in "ABC"]
    await asyncio.sleep(0)
    tasks[1].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(done[1], asyncio.CancelledError)
    assert [done[place].data for place in (0, 2)] == [firm("A"), firm("C")]  # type: ignore[union-attr]
    assert whole == [True]


async def test_a_fold_that_nobody_waits_for_ends_with_its_calls() -> None:
    there = fan()
    one = engine(there)
    document = await ready(one)
    for memory in there.systems.values():
        memory.latency = 3600.0
    tasks = [asyncio.create_task(one.run(document, {"uscc": code})) for code in "ABC"]
    await until(lambda: len(there.received) == 9)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    assert one.shared is not None
    assert one.shared.idle


async def test_callers_who_may_not_see_the_same_do_not_meet(whole: list[bool]) -> None:
    one = engine(fan())
    masks = (frozenset[str](), frozenset({"Firm.score"}))
    for denied in masks:
        document = await ready(one, denied=denied)
    answers = await asyncio.gather(*(one.run(document, {"uscc": code}, denied=denied) for code in "AB" for denied in masks))
    assert [answer.data["firm"]["score"] for answer in answers if answer.data] == [{"points": 10}, None, {"points": 20}, None]
    assert whole == [True]  # a plan that always has an error to tell has no code, and is not folded


async def test_a_system_asked_in_the_callers_name_is_not_folded(whole: list[bool]) -> None:
    there = fan()
    systems = {**there.registry.systems, "credit": replace(there.registry.systems["credit"], credential="caller")}
    answers = await moment(engine(replace(there, registry=replace(there.registry, systems=systems))), "AB")
    assert [answer.data for answer in answers] == [firm("A"), firm("B")]
    assert whole == []


async def test_systems_that_take_few_keys_are_not_folded(whole: list[bool]) -> None:
    answers = await moment(engine(fan(score_keys=2)), "AB")
    assert [answer.data for answer in answers] == [firm("A"), firm("B")]
    assert whole == []


async def test_the_audit_knows_of_each_request_which_systems_it_asked() -> None:
    one = engine(fan())
    document = await ready(one, "query ($uscc: ID!) { firm(uscc: $uscc) { name score { points } } }")
    who = Principal("app", Audience.APP, frozenset(), Grade.L2)

    async def ask(code: str) -> Any:
        return await one.execute(document, variables={"uscc": code}, principal=who, request_id=code)

    answers = await asyncio.gather(ask("A"), ask("B"))
    assert [(answer.systems, orjson.loads(answer.body)["data"]["firm"]["name"]) for answer in answers] == [
        (("credit", "register"), "企业A"),
        (("credit", "register"), "企业B"),
    ]


async def test_answers_that_are_large_together_are_made_one_by_one(whole: list[bool]) -> None:
    there = fan()
    many: list[dict[str, str]] = [{"id": f"E{number}", "t": "证", "czr": "E"} for number in range(LARGE // 2)]
    there.systems["library"].rows["Licence"] = [*LICENCES, *many]
    answers = await moment(engine(there), "EE", "query ($uscc: ID!) { firm(uscc: $uscc) { licences { id } } }")
    assert [answer.data for answer in answers] == [{"firm": {"licences": [{"id": row["id"]} for row in many]}}] * 2
    assert whole == [False]


async def test_a_plan_whose_folds_come_to_nothing_is_let_alone_longer_and_longer(whole: list[bool]) -> None:
    there = fan()
    one = engine(there)
    document = await ready(one)

    async def moments(count: int) -> None:
        for _ in range(count):
            await asyncio.gather(*(one.run(document, {"uscc": code}) for code in "AB"))

    there.systems["credit"].faults.down[relation(there)] = "down"
    await moments(12)  # folded in the 1st, 3rd, 6th and 11th
    assert whole == [False] * 4
    there.systems["credit"].faults.down.clear()
    await moments(7 + 3)  # the 8th fold comes true, and then each does
    assert whole == [False] * 4 + [True] * 3


async def test_a_mistake_of_the_program_is_told_to_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: Any) -> Any:
        raise GraphQLError("a mistake")

    one = engine(fan())
    document = await ready(one)
    monkeypatch.setattr(folds, "_whole", wrong)
    done = await asyncio.gather(*(one.run(document, {"uscc": code}) for code in "AB"), return_exceptions=True)
    assert [str(error) for error in done] == ["a mistake", "a mistake"]
