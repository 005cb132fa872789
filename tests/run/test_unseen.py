"""What a caller may not see does not show itself by what is there and what is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auth.policy import denied as deny
from auth.principal import ANONYMOUS
from hub.oracle import Oracle
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.coordinates import Coordinate, Coordinates, Grade
from tests.bound import Lies, either, items, lookup, obj, scan
from tests.properties.engine import StillClock
from tests.worlds import World, world

SDL = """
type Query { firm(id: ID!): Firm }
type Firm { id: ID! score: Score visits: [Visit] }
type Score { points: Int grade: String }
type Visit { day: String finding: String }
"""


def firms(points: int | None, grade: str | None = None) -> World:
    fields: dict[str, Lies | str] = {
        "id": "ID",
        "score": obj("Score", {"points": "PF", "grade": "DJ"}),
        "visits": items("FK", "Visit", {"finding": "JL", "day": "RQ"}),
    }
    rows = [{"ID": "1", "PF": points, "DJ": grade, "FK": [{"JL": "x", "RQ": "2026-01-01"}]}]
    return world(
        SDL,
        [lookup("a", "Firm", "id", fields)],
        {"a": {"Firm": rows}},
        keys={"Firm": ["id"]},
        roots={"Query.firm": ("Firm", {"id": "id"})},
    )


async def answer(there: World, query: str, *denied: str) -> tuple[object, list[str]]:
    """The answer and its codes, of the engine and of the oracle, which agree."""
    engine = Engine(there.schema, there.registry, Sources(there.registry.systems, there.connectors, StillClock()))
    found = await engine.run(engine.parse(query), denied=frozenset(denied))
    wanted = await Oracle(there.schema, there.registry, there.connectors).execute(query, denied=frozenset(denied))
    assert (found.data, len(found.errors or ())) == (wanted.data, len(wanted.errors or ()))
    return found.data, [str((error.extensions or {})["code"]) for error in found.errors or ()]


@pytest.mark.parametrize("points", [None, 7])
async def test_a_denied_leaf_does_not_tell_whether_its_object_is_there(points: int | None) -> None:
    data, codes = await answer(firms(points), '{ firm(id: "1") { score { grade } } }', "Score.points")
    assert (data, codes) == ({"firm": {"score": None}}, [])


async def test_an_object_of_which_nothing_may_be_seen_is_forbidden_and_not_asked_for() -> None:
    there = firms(7, "A")
    data, codes = await answer(there, '{ firm(id: "1") { score { __typename } } }', "Score.points", "Score.grade")
    assert (data, codes) == ({"firm": {"score": None}}, ["FORBIDDEN"])
    assert there.received == []


async def test_counting_a_list_asks_for_nothing_denied_inside_it() -> None:
    there = firms(7)
    data, _ = await answer(there, '{ firm(id: "1") { visits { __typename } } }', "Visit.finding")
    assert data == {"firm": {"visits": [{"__typename": "Visit"}]}}
    assert there.received[0].inside == ("visits.day",)


async def test_counting_a_list_asks_for_a_denied_key_before_anything_else_that_is_denied() -> None:
    sdl = "type Query { firms: [Firm] } type Firm { id: ID! visits: [Visit] } type Visit { finding: String by: Firm }"
    visits = items("FK", "Visit", {"finding": "JL", "by": obj("Firm", {"id": "QY"})})
    rows = [{"ID": "1", "FK": [{"JL": "x", "QY": "2"}]}]
    there = world(sdl, [scan("a", "Firm", {"id": "ID", "visits": visits})], {"a": {"Firm": rows}}, keys={"Firm": ["id"]})
    data, _ = await answer(there, "{ firms { visits { finding __typename } } }", "Visit.finding", "Firm.id")
    assert data == {"firms": [{"visits": [{"finding": None, "__typename": "Visit"}]}]}
    assert there.received[0].inside == ("visits.by.id",)


async def test_of_a_list_nothing_is_asked_for_but_what_the_question_names() -> None:
    there = firms(7)
    await answer(there, '{ firm(id: "1") { visits { finding } } }')
    assert there.received[0].inside == ("visits.finding",)


async def test_of_an_object_of_an_abstract_type_nothing_is_asked_for_but_its_type_and_what_the_question_names() -> None:
    sdl = "type Query { firm(id: ID!): Firm } type Firm { id: ID! owner: Owner } union Owner = Person type Person { name: String age: Int }"
    owner = either("LX", {"p": ("Person", {"name": "XM", "age": "NL"})})
    there = world(
        sdl,
        [lookup("a", "Firm", "id", {"id": "ID", "owner": owner})],
        {"a": {"Firm": [{"ID": "1", "LX": "p", "XM": "甲", "NL": 40}]}},
        keys={"Firm": ["id"]},
        roots={"Query.firm": ("Firm", {"id": "id"})},
    )
    data, _ = await answer(there, '{ firm(id: "1") { owner { ... on Person { name } } } }')
    assert data == {"firm": {"owner": {"name": "甲"}}}
    assert there.received[0].fields == ("id", "owner.@type", "owner.Person.name")


async def test_policy_is_asked_about_leaves_that_the_question_does_not_name() -> None:
    there = firms(7)
    points = Coordinate("Score", "points", Grade.L3, True)
    rows = [points if row.name == points.name else row for row in there.registry.coordinates.values()]
    registry = replace(there.registry, coordinates=Coordinates(rows))
    engine = Engine(there.schema, registry, Sources(registry.systems, there.connectors, StillClock()), policy=deny)
    found = await engine.execute(engine.parse('{ firm(id: "1") { score { grade } } }'), principal=ANONYMOUS)
    assert found.body == b'{"data":{"firm":{"score":null}}}'
