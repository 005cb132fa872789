"""Generated code for small answers: made in the second run, free of the caller's words, and silent where anything is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hub.run import generated
from hub.run.engine import Engine
from tests.run.test_engine import department_world, engine

TEXT = '{ mine: firm(uscc: "A") { called: name licences { evil: title item { name } } __typename } }'
WANTED = {"called": "企业A", "licences": [{"evil": f"证{n}", "item": {"name": "甲乙"[n % 2]}} for n in range(3)], "__typename": "Firm"}


async def asked(one: Engine, text: str = TEXT) -> Any:
    return await one.run(one.parse(text))


def builds(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each answer that generated code could make was made by it."""
    found: list[bool] = []
    right = generated._build

    def build(plan: Any) -> Any:
        made = right(plan)

        def counted(*args: Any) -> Any:
            try:
                data = made(*args)  # type: ignore[misc]
            except generated.Unclean:
                found.append(False)
                raise
            found.append(True)
            return data

        return counted if made is not None else None

    monkeypatch.setattr(generated, "_build", build)
    return found


async def test_a_plan_has_its_own_code_from_its_second_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    made, one = builds(monkeypatch), engine(department_world())
    answers = [(await asked(one)).data for _ in range(3)]
    assert answers == [{"mine": WANTED}] * 3
    assert made == [True, True]


async def test_the_code_holds_no_word_of_the_caller() -> None:
    one = engine(department_world())
    await asked(one)
    ready = one.preparer.ready(one.parse(TEXT), None, {})
    source, table = generated.written(one.preparer.plan(ready.prepared, frozenset()))
    ours = {"def", "build", "layers", "notices", "return", "column", "there", "look", "lists", "pages", "zip", "for", "in", "if", "else"}
    ours |= {"None", "True", "and", "not", "all", "raise", "range", "size", "_", "total"}
    assert set(re.findall(r"[^\W\d]\w*", source)) - ours <= set(re.findall(r"[clgprtv]\d+", source))
    assert {"mine", "called", "evil"} <= {value for value in table.values() if isinstance(value, str)}


async def test_where_something_is_wrong_the_full_assembly_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made, there = builds(monkeypatch), department_world()
    one = engine(there)
    await asked(one)
    there.systems["permits"].faults.down["Item.by.code"] = "down"
    result = await asked(one)
    assert made == [False]
    assert result.data["mine"]["licences"][0] == {"evil": "证0", "item": {"name": None}}
    assert [error.extensions["code"] for error in result.errors] == ["SYSTEM_DOWN"] * 3


async def test_large_answers_and_page_information_are_left_to_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    made, one = builds(monkeypatch), engine(department_world())
    for _ in range(3):
        assert len((await asked(one, "{ firms { nodes { uscc } pageInfo { endCursor } } }")).data["firms"]["nodes"]) == 5
    monkeypatch.setattr(generated, "SMALL", 1)
    for _ in range(3):
        await asked(one)
    assert made == []
