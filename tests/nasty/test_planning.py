"""Nasty questions to the planner: who answers, by which key, and who need not be asked. Engine and oracle have to agree on each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from schema.registry import Authority, Binding, Resolve
from tests.bound import Lies, link, lookup, obj, scan
from tests.memory import Faults
from tests.nasty.asking import ask, asked
from tests.worlds import World, world

PERSON = """
type Query { person(id: ID!): Person  byOld(old: ID): Person  people: [Person!] }
type Person { id: ID  old: ID  archive: ID  city: String  name: String  home: Home  boxes: Int  boss: Person  visits: [Visit!] }
type Home { street: String  town: String }
type Visit { id: ID!  place: String }
"""
PEOPLE: Mapping[str, Any] = {"Person": ["id", "old", "archive", ("id", "city")], "Visit": ["id"]}
ROOTS: Mapping[str, Any] = {"Query.person": ("Person", {"id": "id"}), "Query.byOld": ("Person", {"old": "old"})}


def people(*bindings: Binding, rows: Mapping[str, Any], policies: Mapping[str, Resolve] | None = None) -> World:
    return world(PERSON, bindings, rows, keys=PEOPLE, roots=ROOTS, policies=policies)


def two_registers(policy: Resolve) -> World:
    """Names, homes and visits in two systems; the second knows ``b`` and ``c`` alone, and ``c`` better than the first."""
    better: dict[str, Lies | str] = {"id": "id", "name": "n", "home": obj("Home", {"street": "s", "town": "t"})}
    return people(
        scan("index", "Person", {"id": "id"}),
        lookup("better", "Person", "id", better),
        lookup("worse", "Person", "id", better, authority=Authority.REPLICA),
        link("better", "Person.visits", "Visit", {"id": "p"}, {"id": "id", "place": "at"}, priority=1),
        link("worse", "Person.visits", "Visit", {"id": "p"}, {"id": "id", "place": "at"}),
        rows={
            "index": {"Person": [{"id": key} for key in "abc"]},
            "better": {
                "Person": [{"id": "a", "n": "A", "s": "1", "t": "x"}, {"id": "b", "n": "B", "s": "2", "t": "y"}, {"id": "c"}],
                "Visit": [{"p": "a", "id": "v1", "at": "here"}],
            },
            "worse": {
                "Person": [{"id": "b", "n": "b", "s": "2", "t": None}, {"id": "c", "n": "c", "s": None, "t": "z"}],
                "Visit": [{"p": "a", "id": "v1", "at": "there"}, {"p": "b", "id": "v2", "at": "there"}],
            },
        },
        policies=dict.fromkeys(("Person.name", "Person.home", "Person.visits"), policy),
    )


async def test_the_next_system_is_asked_only_for_what_the_better_one_failed_to_say() -> None:
    """Case 35: an alternative is chosen, row by row."""
    there = two_registers(Resolve.FALLBACK_ON_ERROR)
    there.systems["better"].faults = Faults(keys={("Person.by.id", ("b",)): "down"})
    told = await ask(there, "{ people { id name home { town } } }")
    assert told.data["people"] == [
        {"id": "a", "name": "A", "home": {"town": "x"}},
        {"id": "b", "name": "b", "home": {"town": None}},
        {"id": "c", "name": None, "home": None},  # the better one says that there is nothing; nobody else is asked
    ]
    assert told.errors == []
    assert asked(there, "worse") == [("Person.by.id", (("b",),))]


async def test_no_record_is_no_answer_to_a_failure() -> None:
    """Case 35: what the better system could not say and the other has no record of stays an error."""
    there = two_registers(Resolve.FALLBACK_ON_ERROR)
    there.systems["better"].faults = Faults(down={"Person.by.id": "slow"})
    told = await ask(there, '{ person(id: "a") { name home { town } } }')
    assert told.data == {"person": {"name": None, "home": None}}
    assert told.errors == [("person.home", "SYSTEM_SLOW"), ("person.name", "SYSTEM_SLOW")]


async def test_where_one_has_nothing_another_may() -> None:
    """Case 35: fallback on null, also of objects that lie in the row."""
    there = two_registers(Resolve.FALLBACK_ON_NULL)
    told = await ask(there, "{ people { id name home { town } } }")
    assert told.data["people"][2] == {"id": "c", "name": "c", "home": {"town": "z"}}
    assert asked(there, "worse") == [("Person.by.id", (("c",),))]


async def test_a_list_with_a_call_of_its_own_falls_back_too() -> None:
    """Case 35: lists; an empty one is an answer."""
    there = two_registers(Resolve.FALLBACK_ON_ERROR)
    there.systems["better"].faults = Faults(keys={("Person.visits", ("b",)): "down"})
    told = await ask(there, "{ people { id visits { place } } }")
    assert told.data["people"] == [
        {"id": "a", "visits": [{"place": "here"}]},
        {"id": "b", "visits": [{"place": "there"}]},
        {"id": "c", "visits": []},
    ]
    assert (told.errors, asked(there, "worse")) == ([], [("Person.visits", (("b",),))])


async def test_without_a_policy_the_first_by_rank_answers_or_nobody() -> None:
    there = two_registers(Resolve.FIRST)
    there.systems["better"].faults = Faults(down={"Person.by.id": "down"})
    told = await ask(there, "{ people { name } }")
    assert [one["name"] for one in told.data["people"]] == [None, None, None]
    assert (len(told.errors), asked(there, "worse")) == (3, [])


async def test_a_value_that_cannot_be_read_is_asked_for_elsewhere() -> None:
    number: dict[str, Lies | str] = {"id": "id", "boxes": "n"}
    there = people(
        lookup("a", "Person", "id", number),
        lookup("b", "Person", "id", number),
        rows={"a": {"Person": [{"id": "1", "n": "many"}]}, "b": {"Person": [{"id": "1", "n": 7}]}},
        policies={"Person.boxes": Resolve.FALLBACK_ON_ERROR},
    )
    assert (await ask(there, '{ person(id: "1") { boxes } }')).data == {"person": {"boxes": 7}}


def three_of_equal_worth(**priorities: int) -> World:
    """The name in three systems; the last also has the boxes."""
    rows = [{"id": "1", "n": "甲", "b": 3}]
    return people(
        *(lookup(s, "Person", "id", {"id": "id", "name": "n"}, priority=priorities.get(s, 0)) for s in ("a", "b")),
        lookup("c", "Person", "id", {"id": "id", "name": "n", "boxes": "b"}),
        rows={key: {"Person": rows} for key in "abc"},
    )


@pytest.mark.parametrize("text", ["name boxes", "boxes name", "...on Person { boxes } name"])
async def test_what_a_system_is_asked_anyway_answers_for_its_equals(text: str) -> None:
    """Case 1: the same field in three systems; one is needed for another field too: one fetch, whatever the order of fields."""
    there = three_of_equal_worth()
    told = await ask(there, f'{{ person(id: "1") {{ {text} }} }}')
    assert told.data == {"person": {"name": "甲", "boxes": 3}}
    assert [call.system for call in there.received] == ["c"]


async def test_a_better_system_is_asked_though_another_call_could_be_spared() -> None:
    """Case 1: rank first; only equals stand in for each other."""
    there = three_of_equal_worth(b=1)
    await ask(there, '{ person(id: "1") { name boxes } }')
    assert sorted(call.system for call in there.received) == ["b", "c"]


async def test_a_field_has_one_value_throughout_an_answer() -> None:
    """Case 1: who rides is decided for the operation, not by position; and a right that is missing changes no other value."""
    there = three_of_equal_worth()
    text = '{ one: person(id: "1") { name } two: person(id: "1") { boxes name } }'
    told = await ask(there, text)
    assert told.data == {"one": {"name": "甲"}, "two": {"boxes": 3, "name": "甲"}}
    assert asked(there, "c") == [("Person.by.id", (("1",),))]
    await ask(there, text, denied=frozenset({"Person.boxes"}))
    assert [call.system for call in there.received] == ["c"]


@pytest.mark.parametrize(("told", "systems"), [(True, ["bridge", "near"]), (False, ["bridge", "far"])])
async def test_the_best_authority_is_asked_though_its_key_takes_another_call(told: bool, systems: list[str]) -> None:
    """Case 2: rank decides, not the number of waves; a nearer system of less authority answers only where the key is null."""
    there = people(
        lookup("bridge", "Person", "id", {"id": "id", "old": "old"}),
        lookup("near", "Person", "id", {"id": "id", "boxes": "n"}, authority=Authority.REPLICA),
        lookup("far", "Person", "old", {"old": "old", "boxes": "n"}),
        rows={
            "bridge": {"Person": [{"id": "1", "old": None if told else "x"}]},
            "near": {"Person": [{"id": "1", "n": 1}]},
            "far": {"Person": [{"old": "x", "n": 2}]},
        },
    )
    assert (await ask(there, '{ person(id: "1") { boxes } }')).data == {"person": {"boxes": 1 if told else 2}}
    assert [call.system for call in there.received] == systems


async def test_a_key_chain_of_three_systems() -> None:
    """Case 3: id → old → archive, each key from another system, and no key sent where one is null on the way."""
    there = people(
        scan("index", "Person", {"id": "id"}),
        lookup("first", "Person", "id", {"id": "id", "old": "old"}),
        lookup("second", "Person", "old", {"old": "old", "archive": "a"}),
        lookup("third", "Person", "archive", {"archive": "a", "boxes": "n"}),
        rows={
            "index": {"Person": [{"id": key} for key in "1234"]},
            "first": {"Person": [{"id": "1", "old": "o1"}, {"id": "2", "old": None}, {"id": "3", "old": "o3"}]},
            "second": {"Person": [{"old": "o1", "a": "z1"}, {"old": "o3", "a": None}]},
            "third": {"Person": [{"a": "z1", "n": 5}]},
        },
    )
    told = await ask(there, "{ people { id boxes } }")
    assert [one["boxes"] for one in told.data["people"]] == [5, None, None, None]
    assert told.errors == []
    assert [(call.system, call.keys) for call in there.received] == [
        ("index", ()),
        ("first", (("1",), ("2",), ("3",), ("4",))),
        ("second", (("o1",), ("o3",))),
        ("third", (("z1",),)),
    ]


async def test_a_key_whose_parts_come_from_two_systems() -> None:
    """Case 4: a person by id and city, where another system knows the city; null or failed, a part stops the call."""
    there = people(
        scan("index", "Person", {"id": "id"}),
        lookup("cities", "Person", "id", {"id": "id", "city": "c"}, max_keys=1),
        lookup("local", "Person", ("id", "city"), {"id": "id", "city": "c", "name": "n"}),
        rows={
            "index": {"Person": [{"id": key} for key in "123"]},
            "cities": {"Person": [{"id": "1", "c": "杭"}, {"id": "2", "c": None}, {"id": "3", "c": "甬"}]},
            "local": {"Person": [{"id": "1", "c": "杭", "n": "甲"}, {"id": "1", "c": "甬", "n": "other"}]},
        },
    )
    there.systems["cities"].faults = Faults(keys={("Person.by.id", ("3",)): "down"})
    told = await ask(there, "{ people { id name } }")
    assert [one["name"] for one in told.data["people"]] == ["甲", None, None]
    assert told.errors == [("people.2.name", "SYSTEM_DOWN")]
    assert asked(there, "local") == [("Person.by.id.city", (("1", "杭"),))]


def by_either(rows: list[dict[str, Any]]) -> World:
    """Names by id in one system, by old number in another; what lists people may know one, the other, or both."""
    return people(
        scan("index", "Person", {"id": "id", "old": "old"}),
        lookup("new", "Person", "id", {"id": "id", "name": "n"}),
        lookup("past", "Person", "old", {"old": "old", "name": "n"}),
        rows={
            "index": {"Person": rows},
            "new": {"Person": [{"id": "1", "n": "new 1"}]},
            "past": {"Person": [{"old": "o1", "n": "past 1"}, {"old": "o2", "n": "past 2"}]},
        },
    )


async def test_each_row_is_asked_for_by_the_key_that_it_has() -> None:
    """Case 5: a key with alternatives: rows are split by the key that is there; a record that is missing is no reason to ask elsewhere."""
    there = by_either([{"id": "1", "old": "o1"}, {"id": None, "old": "o2"}, {"id": None, "old": None}, {"id": "9", "old": "o1"}])
    told = await ask(there, "{ people { name } }")
    assert [one["name"] for one in told.data["people"]] == ["new 1", "past 2", None, None]
    assert told.errors == []
    assert asked(there, "new") == [("Person.by.id", (("1",), ("9",)))]
    assert asked(there, "past") == [("Person.by.old", (("o2",),))]


async def test_no_call_by_another_key_where_the_first_is_there() -> None:
    """Case 5: nothing more is asked when every row has the first key."""
    there = by_either([{"id": "1", "old": "o1"}])
    assert (await ask(there, "{ people { name } }")).data == {"people": [{"name": "new 1"}]}
    assert asked(there, "past") == []


async def test_a_key_that_failed_is_an_error_and_no_reason_to_use_another() -> None:
    """Case 5: failed is not null."""
    there = people(
        lookup("bridge", "Person", "old", {"old": "old", "id": "id"}),
        lookup("new", "Person", "id", {"id": "id", "name": "n"}, priority=1),
        lookup("past", "Person", "old", {"old": "old", "name": "n"}),
        rows={"bridge": {}, "new": {}, "past": {"Person": [{"old": "o1", "n": "past 1"}]}},
    )
    there.systems["bridge"].faults = Faults(down={"Person.by.old": "busy"})
    told = await ask(there, '{ byOld(old: "o1") { name } }')
    assert (told.data, told.errors) == ({"byOld": {"name": None}}, [("byOld.name", "SYSTEM_BUSY")])
    there.systems["bridge"].faults = Faults()
    told = await ask(there, '{ byOld(old: "o1") { name } }')
    assert (told.data, told.errors) == ({"byOld": {"name": "past 1"}}, [])
