"""Lists of lists of objects: nulls and errors exactly where GraphQL wants them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bound import items, lookup, obj
from tests.nasty.asking import Told, ask
from tests.worlds import world

SDL = """
type Query { page(id: ID!): Page }
type Page { id: ID!  blocks: %s }
type Word { text: %s  author: Person }
type Person { id: ID!  name: String }
"""


async def blocks(kind: str, native: Any, text: str = "String", *, below: str = "text") -> Told:
    there = world(
        SDL % (kind, text),
        [
            lookup("s", "Page", "id", {"id": "id", "blocks": items("b", "Word", {"text": "t", "author": obj("Person", {"id": "a"})})}),
            lookup("people", "Person", "id", {"id": "id", "name": "n"}),
        ],
        {"s": {"Page": [{"id": "1", "b": native}]}, "people": {"Person": [{"id": "p", "n": "P"}]}},
        keys={"Page": ["id"], "Person": ["id"]},
        roots={"Query.page": ("Page", {"id": "id"})},
    )
    return await ask(there, f'{{ page(id: "1") {{ id blocks {{ {below} }} }} }}')


WORD = {"t": "x"}


@pytest.mark.parametrize(
    ("kind", "native", "shown", "errors"),
    [
        ("[[Word!]!]", [[WORD, WORD], [], [WORD]], [["x", "x"], [], ["x"]], []),
        ("[[Word]]", [[None], None, [WORD, None]], [[None], None, ["x", None]], []),
        ("[[Word!]]", [[WORD, None], [WORD]], [None, ["x"]], [("page.blocks.0.1", "NON_NULL")]),
        ("[[Word]!]", [[WORD], None], None, [("page.blocks.1", "NON_NULL")]),
        ("[[Word]]", [[WORD], 7, [8]], [["x"], None, [None]], [("page.blocks.1", "BAD_VALUE"), ("page.blocks.2.0", "BAD_VALUE")]),
        ("[[Word]]", "no list", None, [("page.blocks", "BAD_VALUE")]),
        ("[[[Word!]!]!]", [[[WORD], []], []], [[["x"], []], []], []),
    ],
)
async def test_nulls_and_faults_in_lists_of_lists(kind: str, native: Any, shown: Any, errors: list[tuple[str, str]]) -> None:
    """Case 25: null inner list, null element, an element that may not be null, and what is no list at all."""
    told = await blocks(kind, native)

    def texts(value: Any) -> Any:
        return [texts(item) for item in value] if isinstance(value, list) else value and value["text"]

    assert (texts(told.data["page"]["blocks"]), told.errors) == (shown, errors)


async def test_an_element_that_loses_its_text_takes_the_page_where_nothing_may_be_null() -> None:
    """Case 25, 26: ``[[Word!]!]!`` with a text that may not be null: one error, and the page is null."""
    told = await blocks("[[Word!]!]!", [[WORD], [{"t": None}, {"t": None}]], "String!")
    assert (told.data, told.errors) == ({"page": None}, [("page.blocks.1.0.text", "NON_NULL")])


async def test_references_in_lists_of_lists_are_looked_up_together() -> None:
    told = await blocks("[[Word!]!]", [[{"a": "p"}], [{"a": "q"}, {"a": "p"}]], below="author { name }")
    assert told.data["page"]["blocks"] == [
        [{"author": {"name": "P"}}],
        [{"author": {"name": None}}, {"author": {"name": "P"}}],
    ]
