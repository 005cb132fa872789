"""A source that no longer has one column: its fields have an error, and whatever else was asked for is there."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.spi import SourceError
from schema.registry import Resolve
from tests.bound import Lies, items, leaf, lookup, obj, scan
from tests.plan.test_planner import SDL
from tests.run.test_engine import answer
from tests.worlds import World, world

LOST = SourceError("config", "The database has no such table or column.", detail="dj", source="register")
FIRMS = [{"code": code, "mc": f"企业{code}", "dj": LOST, "sj": LOST, "zz": LOST} for code in "AB"]
FIRM: dict[str, Lies | str] = {
    "uscc": "code",
    "name": "mc",
    "boxes": leaf("dj", "int"),
    "parent": obj("Firm", {"uscc": "sj"}),
    "licences": items("zz", "Licence", {"id": "id"}),
}


def register(*more: Any, rows: Any = FIRMS, **options: Any) -> World:
    sdl = SDL.replace("firms(first: Int, after: String)", "firms(first: Int, after: String, filter: FirmFilter, orderBy: [FirmOrder!])")
    sdl += "input FirmFilter { boxes: IntFilter } input IntFilter { ge: Int } "
    sdl += "input FirmOrder { field: FirmOrderField! direction: Direction } enum FirmOrderField { BOXES } enum Direction { ASC DESC }"
    found = [lookup("register", "Firm", "uscc", FIRM, anchor=True), scan("register", "Firm", FIRM, limit=True, total=True), *more]
    data = {"register": {"Firm": rows}, "archive": {"Firm": [{"code": "A", "n": 7}]}}
    return world(
        sdl, found, data, keys={"Firm": ["uscc"]}, roots={"Query.firm": ("Firm", {"uscc": "uscc"})},
        filters={"FirmFilter": {"boxes": "boxes"}}, orders={"FirmOrder": {"BOXES": "boxes"}}, **options,
    )  # fmt: skip


def told(body: dict[str, Any]) -> list[tuple[list[str | int], str]]:
    return [(error["path"], error["extensions"]["code"]) for error in body.get("errors", ())]


async def test_a_lost_column_is_an_error_at_its_own_field() -> None:
    body = await answer(register(), "{ firms(first: 2) { nodes { uscc name boxes } totalCount } }")
    nodes = [{"uscc": code, "name": f"企业{code}", "boxes": None} for code in "AB"]
    assert body["data"] == {"firms": {"nodes": nodes, "totalCount": 2}}
    assert told(body) == [(["firms", "nodes", place, "boxes"], "SYSTEM_CONFIG") for place in (0, 1)]


async def test_a_lost_key_or_list_is_an_error_of_what_lies_behind_it() -> None:
    there = register()
    body = await answer(there, '{ firm(uscc: "A") { name parent { name } licences { id } } }')
    assert body["data"] == {"firm": {"name": "企业A", "parent": {"name": None}, "licences": None}}
    assert told(body) == [(["firm", "parent", "name"], "SYSTEM_CONFIG"), (["firm", "licences"], "SYSTEM_CONFIG")]
    assert len(there.received) == 1  # nobody is asked for a key that is not there


@pytest.mark.parametrize("how", ["filter: {boxes: {ge: 1}}", "orderBy: [{field: BOXES, direction: ASC}]"])
async def test_a_list_that_depends_on_a_lost_column_is_an_error_and_not_empty(how: str) -> None:
    body = await answer(register(), f"{{ firms(first: 2, {how}) {{ nodes {{ uscc }} }} }}")
    assert body["data"] == {"firms": None}
    assert told(body) == [(["firms"], "SYSTEM_CONFIG")]


async def test_another_source_takes_the_place_of_a_lost_column() -> None:
    archive = lookup("archive", "Firm", "uscc", {"uscc": "code", "boxes": leaf("n", "int")})
    there = register(archive, policies={"Firm.boxes": Resolve.FALLBACK_ON_ERROR})
    body = await answer(there, '{ a: firm(uscc: "A") { boxes } b: firm(uscc: "B") { boxes } }')
    assert body["data"]["a"] == {"boxes": 7}


async def test_a_column_that_is_lost_between_two_batches_is_there_in_the_first() -> None:
    rows = [FIRMS[0] | {"dj": 3}, FIRMS[1]]
    body = await answer(register(rows=rows), '{ a: firm(uscc: "A") { boxes } b: firm(uscc: "B") { boxes } }')
    assert body["data"] == {"a": {"boxes": 3}, "b": {"boxes": None}}
    assert told(body) == [(["b", "boxes"], "SYSTEM_CONFIG")]
