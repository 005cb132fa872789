"""Connections and filters: rule S10."""

from __future__ import annotations

import pytest

from hub.oracle.pages import cursor
from tests.oracle.small import ask, errors, small


async def test_a_connection_is_ordered_by_key_cut_and_counted() -> None:  # S10
    page = "{ edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }"
    there = small(library={"Licence": [{"id": name, "czr": "A", "by": "x"} for name in "cab"]})
    result = await ask(there, f'{{ firm(uscc: "A") {{ licences(first: 2) {page} }} }}')
    assert result.data is not None
    first = result.data["firm"]["licences"]
    assert [edge["node"]["id"] for edge in first["edges"]] == ["a", "b"]
    info = {"hasNextPage": True, "hasPreviousPage": False, "startCursor": cursor(("a",)), "endCursor": cursor(("b",))}
    assert (first["pageInfo"], first["totalCount"]) == (info, 3)
    after = first["pageInfo"]["endCursor"]
    result = await ask(there, f'query ($a: String) {{ firm(uscc: "A") {{ licences(after: $a) {page} }} }}', {"a": after})
    assert result.data is not None
    second = result.data["firm"]["licences"]
    assert [edge["node"]["id"] for edge in second["edges"]] == ["c"]
    assert second["pageInfo"] | {"startCursor": None, "endCursor": None} == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "startCursor": None,
        "endCursor": None,
    }


async def test_a_root_connection_filters_and_refuses_what_it_cannot() -> None:  # S10
    there = small()
    result = await ask(there, "{ firms(filter: {status: {eq: ACTIVE}}, first: 1) { nodes { uscc } totalCount } }")
    assert result.data == {"firms": {"nodes": [{"uscc": "A"}], "totalCount": 2}}
    result = await ask(there, '{ firms(filter: {status: {in: [ACTIVE]}, uscc: {in: ["B", "C"]}}) { nodes { uscc } } }')
    assert result.data == {"firms": {"nodes": [{"uscc": "C"}]}}
    result = await ask(there, '{ firms(filter: {oldNo: {eq: "a1"}}) { nodes { uscc } } }')
    assert result.data == {"firms": {"nodes": [{"uscc": "A"}]}}  # had from another system
    result = await ask(there, '{ firms(filter: {grade: {eq: "优"}}) { nodes { uscc } } }')
    assert result.data == {"firms": {"nodes": [{"uscc": "A"}]}}
    refused = await ask(there, '{ firms(filter: {unbound: {eq: "a1"}}) { totalCount } }')
    assert (refused.data, errors(refused)) == ({"firms": None}, [("firms", "FILTER_NOT_PUSHABLE")])
    hidden = await ask(there, "{ firms(filter: {status: {eq: ACTIVE}}) { totalCount } }", denied={"Firm.status"})
    assert (hidden.data, errors(hidden)) == ({"firms": None}, [("firms", "FORBIDDEN")])


async def test_an_order_puts_null_below_all_and_ends_with_the_key() -> None:  # S10
    def order(terms: str) -> str:
        return f"{{ firms(orderBy: [{terms}]) {{ nodes {{ uscc }} }} }}"

    async def found(terms: str) -> str:
        result = await ask(small(), order(terms))
        assert result.data is not None, result.errors
        return "".join(node["uscc"] for node in result.data["firms"]["nodes"])

    assert await found("{field: CAPITAL}") == "BCA"
    assert await found("{field: CAPITAL, direction: DESC}") == "ABC"
    assert await found("{field: STATUS, direction: DESC}") == "BAC"
    assert await found("{field: STATUS}, {field: POINTS}") == "CAB"  # from another system


@pytest.mark.parametrize(("arguments", "code"), [('after: "%%"', "BAD_CURSOR"), ("first: 0", "TOO_LARGE"), ("first: 1001", "TOO_LARGE")])
async def test_bad_page_arguments_are_errors_of_the_connection(arguments: str, code: str) -> None:  # S10
    result = await ask(small(), f"{{ firms({arguments}) {{ totalCount }} }}")
    assert (result.data, errors(result)) == ({"firms": None}, [("firms", code)])
