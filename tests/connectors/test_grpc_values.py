"""gRPC: values of every type, both ways, and what a message does not have."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.spi import Ask, Call, Field
from tests.connectors.grpc_firms import Server, failure, relation, rows

EVERY = (
    "code", "capital", "staff", "serial", "state", "seal", "founded", "shares", "notes.de", "notes.fr", "seat.name", "seat.within.code",
    "company", "person", "extra.a.b[1]", "rate", "active", "names[1]", "age", "states", "places", "branches.north.code", "weight",
    "more.value",
)  # fmt: skip
COLUMNS = tuple(Field(path, path) for path in EVERY)


async def test_values_of_every_type_arrive_as_they_are() -> None:
    full = {
        "code": "A", "capital": 2**53 + 1, "staff": 0, "serial": 2**64 - 1, "state": 2, "seal": b"\x00\xff", "shares": {"value": 0},
        "notes": {"de": "gut"}, "places": [{"code": "1", "name": ""}, {}], "seat": {"within": {"code": "33"}}, "person": "", "rate": 0.1,
        "active": True, "names": ["a", "b"], "states": [1, 9], "branches": {"north": {"code": "n"}}, "weight": float("nan"),
        "more": {"type_url": "x/y", "value": b"z"},
    }  # fmt: skip
    server = Server(full)
    firm = server.answer.firms[0]
    firm.founded.FromJsonString("1999-12-31T23:59:59.123456789Z")
    firm.extra.update({"a": {"b": [None, 7]}})
    firm.age.FromJsonString("1.5s")
    async with server.there() as connector:
        (found,) = await rows(connector, relation(fields=COLUMNS))
    assert found.pop("weight") != found.get("weight"), "what is no number is the engine's to tell"
    assert found == {
        "code": "A", "capital": 2**53 + 1, "staff": 0, "serial": 2**64 - 1, "state": "CLOSED", "seal": "AP8=",
        "founded": "1999-12-31T23:59:59.123456789Z", "shares": 0, "notes.de": "gut", "notes.fr": None, "seat.name": None,
        "seat.within.code": "33", "company": None, "person": "", "extra.a.b[1]": 7, "rate": 0.1, "active": True, "names[1]": "b",
        "age": "1.5s", "states": ["OPEN", 9], "branches.north.code": "n", "more.value": "eg==",
        "places": [{"code": "1", "name": "", "within": None}, {"code": "", "name": None, "within": None}],
    }  # fmt: skip


async def test_what_was_not_sent_is_null_where_the_type_can_tell_and_its_default_where_it_cannot() -> None:
    async with Server({}).there() as connector:
        (found,) = await rows(connector, relation(fields=COLUMNS))
    assert {name for name, value in found.items() if value is not None} == {
        "code", "capital", "serial", "seal", "rate", "active", "states", "places", "weight"
    }  # fmt: skip
    assert (found["code"], found["capital"], found["active"], found["states"]) == ("", 0, False, [])


async def test_only_the_items_that_are_asked_for_are_read_of_a_list() -> None:
    places = Field("places", "places", "json", items=(Field("code", "code"), Field("outer", "within.code")))
    async with Server({"places": [{"code": "1", "name": "one", "within": {"code": "33", "name": "x"}}]}).there() as connector:
        assert await rows(connector, relation(fields=(places,))) == [{"places": [{"code": "1", "within": {"code": "33"}}]}]


async def test_entries_of_a_map_are_rows_and_so_are_plain_values() -> None:
    server = Server({"names": ["x", "y"]}, by_code={"B": {"code": "B", "staff": 2}})
    async with server.there() as connector:
        entries = relation(fields=(Field("key", "key"), Field("staff", "value.staff")), native={"at": "by_code"})
        assert await rows(connector, entries) == [{"key": "B", "staff": 2}]
        assert await rows(connector, relation(fields=(Field("name", "$"),), native={"at": "firms[0].names"})) == [
            {"name": "x"},
            {"name": "y"},
        ]


async def test_what_a_manifest_says_is_sent_in_the_types_of_the_message() -> None:
    like = {
        "code": "{text}", "capital": "{number}", "staff": 3, "state": "OPEN", "seal": "AP8=", "founded": "{day}", "shares": "{number}",
        "notes": {"de": "{text}"}, "places": [{"code": "{text}"}], "extra": {"a": ["{number}"]}, "rate": 0.5, "active": "{yes}",
        "names": ["{text}", "y"], "age": "2s", "company": "{nothing}", "seat": {"name": "{nothing}"},
    }  # fmt: skip
    server = Server()
    args = {"text": "x", "number": "9007199254740993", "day": "2024-02-29", "yes": True, "nothing": None}
    async with server.there() as connector:
        await rows(connector, relation({"like": like, "one": "<{text}>"}, args=tuple(args)), Call(params=args))
    sent = server.asked[0]
    assert (sent.one, sent.like.code, sent.like.capital, sent.like.staff, sent.like.state) == ("<x>", "x", 2**53 + 1, 3, 1)
    assert (sent.like.seal, sent.like.shares.value, dict(sent.like.notes)) == (b"\x00\xff", 2**53 + 1, {"de": "x"})
    assert sent.like.founded.ToJsonString() == "2024-02-28T16:00:00Z", "a day begins as it does in the province"
    assert ([one.code for one in sent.like.places], list(sent.like.names), sent.like.rate, sent.like.active) == (
        ["x"],
        ["x", "y"],
        0.5,
        True,
    )
    assert (sent.like.WhichOneof("kind"), sent.like.HasField("seat"), sent.like.seat.HasField("name")) == (None, True, False)
    assert sent.like.age.seconds == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kode": ["x"]}, "'Asked' has no field 'kode' (did you mean 'code'?)"),
        ({"like": {"capitol": 1}}, "'Firm' has no field 'capitol' (did you mean 'capital'?)"),
        ({"like": {"staff": 2**31}}, "'staff' cannot hold this value"),
        ({"like": {"state": "SHUT"}}, "'state' is none of STATE_UNSPECIFIED, OPEN, CLOSED"),
        ({"like": "x"}, "'like' takes an object"),
        ({"like": {"branches": {"n": {"kode": "x"}}}}, "'Place' has no field 'kode' (did you mean 'code'?)"),
        ({"like": {"notes": "x"}}, "'notes' cannot hold this value"),
        ({"like": {"founded": "soon"}}, "'founded' cannot hold this value"),
        ("x", "its input is an object of the fields of 'Asked'"),
    ],
)  # fmt: skip
async def test_an_input_that_does_not_fit_the_message_is_the_manifests_fault(given: Any, said: str) -> None:
    async with Server().there() as connector:
        error = await failure(connector, relation(given))
    assert (error.kind, said in error.message) == ("config", True), error.message


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("staf", "'Firm' has no field 'staf' (did you mean 'staff'?)"),
        ("seat.nam", "'Place' has no field 'nam' (did you mean 'name'?)"),
        ("founded.seconds", "'Timestamp' has no field 'seconds'"),
        ("places.code", "'places' is a list; name one of it by [0]"),
        ("code[0]", "there is no list before [0]"),
    ],
)  # fmt: skip
async def test_a_path_that_the_message_does_not_have_is_told_before_anything_is_asked(path: str, said: str) -> None:
    server = Server()
    async with server.there() as connector:
        error = await failure(connector, relation(fields=(Field("x", path),)))
    assert (error.kind, said in error.message, server.asked) == ("config", True, []), error.message


async def test_numbers_are_keys_and_what_is_none_is_a_fault_of_its_own() -> None:
    server = Server({"serial": 7})
    of = relation({"serial": "{keys}"}, (Field("serial", "serial"),), keys=("serial",), max_keys=9, native={"batch": {"match": "serial"}})
    async with server.there() as connector:
        plan = connector.plan(Ask("firms", ("serial",), by=("serial",)), of)
        (page,) = [page async for page in connector.fetch(plan, Call(keys=[("7",), ("x",), (8,)]))]
    assert (page.columns, {key: fault.kind for key, fault in page.faults.items()}) == ({"serial": [7]}, {("x",): "invalid"})
    assert list(server.asked[0].serial) == [7, 8]


async def test_keys_of_a_field_that_holds_one_are_joined() -> None:
    server = Server()
    of = relation({"one": "{keys}"}, keys=("code",), max_keys=9, native={"batch": {"match": "code"}})
    async with server.there() as connector:
        await rows(connector, of, Call(keys=[("a",), ("b",)]), by=("code",))
    assert server.asked[0].one == "a,b"
