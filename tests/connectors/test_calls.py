"""What SOAP and gRPC have in common: the place of an operation, whatever carries it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.calls import prepare
from connectors.spi import Ask, Call, Field, Options, Relation, SourceError
from tests.connectors.test_soap import asked

FIELDS = (Field("id", "nr"),)


def relation(given: Any, **more: Any) -> Relation:
    return Relation("firms", FIELDS, Options({"operation": "list", "input": given}), **more)


def test_a_text_that_is_one_name_becomes_the_value_and_falls_away_without_one() -> None:
    place = prepare(relation({"a": "{x}", "b": ["{x}", "<{x}>"], "c": {"d": "{y}"}, "e": 1}, args=("x", "y")))
    assert place.names() == {"x", "y"}
    assert place.values({"x": 7}) == {"a": 7, "b": [7, "<7>"], "c": {}, "e": 1}


def test_an_input_may_be_json_where_graphql_cannot_write_its_names() -> None:
    assert prepare(relation('{"a-b": ["{keys}"]}', keys=("id",), max_keys=5)).values({"keys": ["x"]}) == {"a-b": [["x"]]}


@pytest.mark.parametrize(
    ("given", "more", "said"),
    [
        ({"a": "{kez}"}, {"keys": ("key",)}, "'{kez}' in the input is neither a key nor an argument (did you mean 'key'?)"),
        ({"a": "x"}, {"keys": ("id",), "max_keys": 5}, "a batch needs '{keys}' in its input"),
        ({"a": "{keys}"}, {"keys": ("id", "of")}, "'{keys}' needs exactly one key column"),
        ('{"a"', {}, "input is not JSON"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(given: Any, more: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceError) as caught:
        prepare(relation(given, **more))
    assert (caught.value.kind, said in caught.value.message) == ("config", True)


async def test_a_soap_write_goes_out_with_the_key_that_it_may_come_again_by(tmp_path: Path) -> None:
    native = {"operation": "list", "at": "return.zz", "idempotency": {"header": "X-Key"}}
    write = Relation("list", FIELDS, Options(native), effect="write")
    async with asked(tmp_path) as (connector, requests):
        plan = connector.plan(Ask("list", ("id",)), write)
        assert [page.size async for page in connector.fetch(plan, Call(idempotency_key="k1"))] == [0]
        assert [each.headers["X-Key"] for each in requests] == ["k1"]
