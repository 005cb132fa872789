"""The meaning of an answer, one story for each rule of ``hub.oracle``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bound import leaf, lookup
from tests.memory import Faults
from tests.oracle.small import ask, errors, small
from tests.worlds import world


async def test_what_the_rows_carry_is_taken_from_there() -> None:  # S1
    there = small()
    result = await ask(there, "{ allFirms { uscc name parent { uscc } } }")
    assert result.data == {
        "allFirms": [
            {"uscc": "A", "name": "甲", "parent": None},
            {"uscc": "B", "name": "乙", "parent": {"uscc": "A"}},
            {"uscc": "C", "name": "丙", "parent": None},
        ]
    }
    assert [call.relation for call in there.received] == ["Firm.all"]


async def test_a_key_chain_is_followed_to_the_provider() -> None:  # S2
    there = small()
    result = await ask(there, '{ firm(uscc: "A") { archiveNo } }')
    assert result.data == {"firm": {"archiveNo": "z9"}}
    assert [(call.relation, call.keys) for call in there.calls("credit")] == [
        ("Firm.by.uscc", (("A",),)),
        ("Firm.by.oldNo", (("a1",),)),
    ]


async def test_a_field_that_nobody_serves_is_not_bound() -> None:  # S2
    result = await ask(small(), '{ firm(uscc: "A") { name unbound } unserved { id } }')
    assert result.data == {"firm": {"name": "甲", "unbound": None}, "unserved": None}
    assert errors(result) == [("firm.unbound", "NOT_BOUND"), ("unserved", "NOT_BOUND")]


async def test_a_key_that_the_source_cannot_hold_is_asked_for_as_it_is() -> None:
    there = world(
        "type Query { thing(id: ID!): Thing } type Thing { id: ID! name: String }",
        [lookup("s", "Thing", "id", {"id": leaf("no", "int"), "name": "name"}, anchor=True)],
        {"s": {"Thing": [{"no": 7, "name": "seven"}]}},
        keys={"Thing": ("id",)},
        roots={"Query.thing": ("Thing", {"id": "id"})},
    )
    assert (await ask(there, '{ a: thing(id: "7") { name } b: thing(id: "x") { name } }')).data == {"a": {"name": "seven"}, "b": None}
    assert [call.keys for call in there.received] == [((7,),), (("x",),), ((7,),)]


async def test_a_null_key_means_no_call_and_no_error() -> None:  # S2
    there = small()
    result = await ask(there, '{ firm(uscc: "B") { oldNo archiveNo oldest { id } } }')
    assert result.data == {"firm": {"oldNo": None, "archiveNo": None, "oldest": None}}
    assert not result.errors
    assert all(call.relation != "Firm.by.oldNo" for call in there.received)


async def test_a_failed_key_fails_its_dependents_at_their_own_path() -> None:  # S2
    there = small()
    there.systems["credit"].faults = Faults(down={"Firm.by.uscc": "slow"})
    result = await ask(there, '{ firm(uscc: "A") { archiveNo oldest { id } name } }')
    assert result.data == {"firm": {"archiveNo": None, "oldest": None, "name": "甲"}}
    assert errors(result) == [("firm.archiveNo", "SYSTEM_SLOW"), ("firm.oldest", "SYSTEM_SLOW")]


async def test_the_anchor_says_what_exists_and_its_failure_does_not() -> None:  # S3
    there = small()
    result = await ask(there, '{ firm(uscc: "Z") { name } }')
    assert (result.data, result.errors) == ({"firm": None}, None)
    there.systems["register"].faults = Faults(down={"Firm.by.uscc": "down"})
    result = await ask(there, '{ firm(uscc: "A") { uscc name score { points } } }')
    assert result.data == {"firm": {"uscc": "A", "name": None, "score": {"points": 88}}}
    assert errors(result) == [("firm.name", "SYSTEM_DOWN")]


async def test_a_reference_is_there_when_its_key_is_and_is_not_checked() -> None:  # S3
    there = small(register={"Firm": [{"code": "A", "fcode": "GONE"}]})
    result = await ask(there, '{ firm(uscc: "A") { parent { uscc name } } }')
    assert (result.data, result.errors) == ({"firm": {"parent": {"uscc": "GONE", "name": None}}}, None)


async def test_a_single_link_is_there_when_a_row_came() -> None:  # S3
    there = small(library={"Licence": [{"id": "L1", "arch": "z9", "by": "x"}]})
    assert (await ask(there, '{ firm(uscc: "A") { oldest { id } } }')).data == {"firm": {"oldest": {"id": "L1"}}}
    assert (await ask(small(), '{ firm(uscc: "A") { oldest { id } } }')).data == {"firm": {"oldest": None}}


async def test_absent_is_not_failed() -> None:  # S4
    result = await ask(small(), '{ firm(uscc: "C") { score { points } oldNo } }')
    assert (result.data, result.errors) == ({"firm": {"score": None, "oldNo": None}}, None)


async def test_a_failed_call_is_an_error_at_each_of_its_fields() -> None:  # S5
    there = small()
    there.systems["credit"].faults = Faults(down={"Firm.by.uscc": "busy"})
    there.systems["library"].faults = Faults(down={"Firm.licences": "denied"})
    result = await ask(there, '{ firm(uscc: "A") { x: score { points grade } oldNo licences { nodes { id } } } }')
    assert result.data == {"firm": {"x": None, "oldNo": None, "licences": None}}
    assert errors(result) == [("firm.licences", "SYSTEM_DENIED"), ("firm.oldNo", "SYSTEM_BUSY"), ("firm.x", "SYSTEM_BUSY")]


async def test_a_fault_of_one_key_is_its_own() -> None:  # S6
    there = small()
    there.systems["credit"].faults = Faults(keys={("Firm.by.uscc", ("A",)): "missing"}, doubled={("Firm.by.uscc", ("B",))})
    result = await ask(there, "{ allFirms { oldNo } }")
    assert result.data == {"allFirms": [{"oldNo": None}] * 3}
    assert errors(result) == [("allFirms.0.oldNo", "SYSTEM_REFUSED"), ("allFirms.1.oldNo", "SYSTEM_BROKEN")]


async def test_a_row_that_nobody_asked_for_breaks_the_call() -> None:  # S6
    there = small()
    there.systems["credit"].faults = Faults(strangers={"Firm.by.uscc"})
    assert errors(await ask(there, '{ firm(uscc: "A") { oldNo } }')) == [("firm.oldNo", "SYSTEM_BROKEN")]


async def test_a_value_of_the_wrong_type_is_null_at_its_place() -> None:  # S7
    row = {"code": "A", "rs": "many", "gm": '[1, "x", 3]', "zt": "9", "rq": "2020-01-01", "ss": 2, "bq": 5}
    result = await ask(small(register={"Firm": [row]}), '{ firm(uscc: "A") { staff sizes status founded listed tags } }')
    firm = {"staff": None, "sizes": [1, None, 3], "status": None, "founded": None, "listed": None, "tags": None}
    assert result.data == {"firm": firm}
    places = ("founded", "listed", "sizes.1", "staff", "status", "tags")
    assert errors(result) == [(f"firm.{place}", "BAD_VALUE") for place in places]


async def test_null_at_a_non_null_position_empties_the_nearest_nullable_one() -> None:  # S8
    document = '{ firm(uscc: "A") { licences { edges { node { id issuer } } } } }'
    result = await ask(small(), document)
    nodes = [{"id": "L1", "issuer": "x"}, None, {"id": "L3", "issuer": "x"}]
    assert result.data == {"firm": {"licences": {"edges": [{"node": node} for node in nodes]}}}
    assert errors(result) == [("firm.licences.edges.1.node.issuer", "NON_NULL")]
    result = await ask(small(), '{ firm(uscc: "C") { notes { text at } } }')
    assert result.data == {"firm": {"notes": None}}
    assert errors(result) == [("firm.notes.1.text", "NON_NULL")]


async def test_of_the_errors_below_an_emptied_position_only_its_cause_remains() -> None:  # S8
    row = {"code": "A", "p": None, "g": ["not text"]}
    result = await ask(small(credit={"Firm": [row]}), '{ firm(uscc: "A") { score { grade points } name } }')
    assert result.data == {"firm": {"score": None, "name": "甲"}}
    assert errors(result) == [("firm.score.points", "NON_NULL")]


async def test_a_denied_field_is_null_and_its_system_is_not_asked() -> None:  # S9
    there = small()
    result = await ask(there, '{ firm(uscc: "A") { name score { points } } }', denied={"Firm.score"})
    assert result.data == {"firm": {"name": "甲", "score": None}}
    assert errors(result) == [("firm.score", "FORBIDDEN")]
    assert there.calls("credit") == []
    denied = await ask(there, '{ firm(uscc: "A") { licences { nodes { id issuer } } name } }', denied={"Licence.issuer"})
    assert denied.data == {"firm": {"licences": None, "name": "甲"}}
    assert errors(denied) == [("firm.licences.nodes.0.issuer", "FORBIDDEN")]


async def test_an_embedded_object_is_null_only_when_all_of_it_is() -> None:  # S11
    result = await ask(small(), "{ allFirms { address { town } } }")
    assert result.data == {"allFirms": [{"address": None}, {"address": {"town": None}}, {"address": None}]}


async def test_concrete_types_are_told_by_the_typename_column() -> None:
    document = "{ allFirms { owner { __typename ... on Human { name age } ... on Firm { uscc name } } } }"
    result = await ask(small(), document)
    assert result.data == {
        "allFirms": [
            {"owner": None},
            {"owner": {"__typename": "Human", "name": "张", "age": 40}},
            {"owner": {"__typename": "Firm", "uscc": "A", "name": "甲"}},
        ]
    }


async def test_aliases_fragments_and_conditions_are_those_of_graphql() -> None:
    there = small()
    document = """
      query ($no: Boolean = false, $yes: Boolean!) {
        a: firm(uscc: "A") { ...F score @include(if: $no) { points } }
        b: firm(uscc: "A") { ... on Firm { name } ... @skip(if: $yes) { licences { totalCount } } }
      }
      fragment F on Firm { name n: name status }
    """
    result = await ask(there, document, {"yes": True})
    assert result.data == {"a": {"name": "甲", "n": "甲", "status": "ACTIVE"}, "b": {"name": "甲"}}
    assert {call.system for call in there.received} == {"register"}


@pytest.mark.parametrize(
    ("document", "variables", "code"),
    [
        ("{ firm", None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { firms(first: $n) { totalCount } }", {"n": "x"}, "BAD_VARIABLES"),
    ],
)
async def test_what_is_not_a_request_is_refused(document: str, variables: dict[str, Any] | None, code: str) -> None:
    result = await ask(small(), document, variables)
    assert (result.data, errors(result)) == (None, [("", code)])
