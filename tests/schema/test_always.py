"""``@from(always: true)``: which columns it makes, and where it means nothing."""

from __future__ import annotations

import pytest

from connectors.spi import Field
from tests.schema.small import BY_USCC, SHOP, clean, codes, composed, manifest

PLACE = 'type Place { street: String @from(path: "jd", always: true) opened: Date }\n'


def columns(body: str, source: str = '@rest(base: "${URL}")') -> dict[str, Field]:
    (binding,) = clean(manifest("a", body, source)).registry.lookups["Shop"]
    return {each.name: each for each in binding.relation.fields}


def test_a_plain_value_and_a_list_of_values() -> None:
    found = columns(BY_USCC + SHOP + "{ uscc: USCC! name: String @from(always: true) tags: [String!] @from(always: true) state: State }")
    assert {name for name, each in found.items() if each.always} == {"name", "tags"}


def test_the_parts_of_an_object_by_their_own_word_or_by_that_of_the_expression() -> None:
    found = columns(BY_USCC + SHOP + '{ uscc: USCC! place: Place @from(path: "dz") }\n' + PLACE)
    assert {name for name, each in found.items() if each.always} == {"place.street"}
    found = columns(
        BY_USCC + SHOP + '{ uscc: USCC! place: Place @from(expr: "{street: a, opened: b}", always: true) }\ntype Place { opened: Date }'
    )
    assert {name for name, each in found.items() if each.always} == {"place.street", "place.opened"}


def test_a_list_of_objects_and_what_lies_in_its_elements() -> None:
    extra = 'extend type Shop { "历次地点\\nFormer places" former: [Place!] @from(path: "lc", always: true) @grade(level: L1) }\n'
    former = columns(BY_USCC + SHOP + "{ uscc: USCC! }\n" + extra + PLACE)["former"]
    assert (former.always, [each.always for each in former.items]) == (True, [True, False])


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ('@sql(url: "${URL}")', '@table(name: "T", key: ["C"])'),
        ('@files(base: "${URL}")', '@file(name: "f.csv", key: ["C"])'),
        ('@graphql(url: "${URL}")', ""),
    ],
)
def test_a_kind_that_says_itself_that_a_column_is_gone_has_no_use_for_it(source: str, place: str) -> None:
    query = "" if place else BY_USCC.replace('@get(path: "/shops?c={keys}", ', '@field(name: "shops", argument: "c", ')
    body = query + SHOP + place + '{ uscc: USCC! @from(path: "C") name: String @from(path: "N", always: true) }'
    body = body.replace('@from(path: "C")', "") if query else body
    assert codes(composed(manifest("a", body, source))) == ["WRONG_PLACE"]


def test_an_object_in_a_row_is_said_of_by_its_parts() -> None:
    body = BY_USCC + SHOP + '{ uscc: USCC! place: Place @from(path: "dz", always: true) }\n' + PLACE
    assert codes(composed(manifest("a", body))) == ["BAD_PARTS"]
