"""What introspection tells a caller: the schema without what it may not see."""

from __future__ import annotations

from typing import Any

from auth.policy import denied
from auth.principal import Audience, Principal
from connectors.kinds import KINDS
from hub.clock import SystemClock
from hub.connected import packaged
from hub.run.engine import Engine
from hub.run.sources import Sources
from schema.canonical import canonical
from schema.compose import compose, load_systems
from schema.coordinates import Grade

EVERYBODY = Principal("", Audience.ANONYMOUS, frozenset(), Grade.L1)
OPERATOR = Principal("operator", Audience.OPERATOR, frozenset({"credit:repair"}), Grade.L4)


def engine() -> Engine:
    made = compose(canonical(), load_systems(packaged()), kinds=set(KINDS))
    return Engine(made.schema, made.registry, Sources({}, {}, SystemClock()), core_roots=frozenset({"Query.hub"}), policy=denied)


async def told(asked: Engine, query: str, principal: Principal, variables: dict[str, Any] | None = None) -> Any:
    result = await asked.run(asked.parse(query), variables, principal=principal)
    assert not result.errors
    return result.data


FIELDS = "query ($name: String!) { __type(name: $name) { fields { name } } }"


async def names(asked: Engine, type_name: str, principal: Principal) -> set[str]:
    data = await told(asked, FIELDS, principal, {"name": type_name})
    return {field["name"] for field in (data["__type"] or {"fields": ()})["fields"]}


async def test_a_caller_is_told_of_the_fields_that_it_may_see() -> None:
    asked = engine()
    hidden = denied(EVERYBODY, asked.registry.coordinates.values())
    for type_name in ("Enterprise", "EnforcementCase", "OnlineOperator"):
        whole, seen = await names(asked, type_name, OPERATOR), await names(asked, type_name, EVERYBODY)
        assert whole - seen == {name.partition(".")[2] for name in hidden if name.startswith(f"{type_name}.")}
        assert seen < whole


async def test_what_only_a_hidden_field_leads_to_is_not_told_of_either() -> None:
    asked = engine()
    assert await names(asked, "RiskFinding", OPERATOR)
    assert await names(asked, "RiskFinding", EVERYBODY) == set()
    data = await told(asked, "{ __schema { mutationType { name } } }", EVERYBODY)
    assert data == {"__schema": {"mutationType": None}}


async def test_introspection_stands_beside_what_has_a_resolver_in_the_order_of_the_question() -> None:
    query = '{ b: __typename a: __schema { queryType { name } } hub { me { audience } } c: __type(name: "USCC") { kind } }'
    data = await told(engine(), query, EVERYBODY)
    assert list(data) == ["b", "a", "hub", "c"]
    assert data["a"] == {"queryType": {"name": "Query"}}


async def test_a_question_is_validated_against_the_whole_schema() -> None:
    asked = engine()
    document = asked.parse('{ __typename enterprise(uscc: "91330106MA2CFLDG4R") { legalRepName } }')
    assert not document.errors


async def test_callers_of_the_same_rights_are_told_of_one_schema() -> None:
    asked = engine()
    other = Principal("app", Audience.APP, frozenset(), Grade.L1)
    assert asked._shown.to(EVERYBODY) is asked._shown.to(other)
    assert asked._shown.to(OPERATOR) is asked.schema
