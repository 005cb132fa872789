"""What the seam relies on in graphql-core and Strawberry, and that planned fields and ordinary resolvers answer side by side."""

from __future__ import annotations

from typing import Any

import graphql
import strawberry
from graphql import build_schema, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from hub.clock import SystemClock
from hub.run.engine import Engine
from hub.run.seam import HubExecutor
from hub.run.sources import Sources
from tests.bound import lookup
from tests.worlds import World, world


def there() -> World:
    schema = build_schema(
        "type Query { firm(uscc: ID!): Firm  hub: Hub!  late: String! } type Firm { uscc: ID! name: String } type Hub { me: String }"
    )
    assert schema.query_type is not None
    schema.query_type.fields["hub"].resolve = lambda root, info: {"me": info.context.request_id}

    async def late(root: Any, info: Any) -> None:
        raise RuntimeError("secret detail")

    schema.query_type.fields["late"].resolve = late
    rows = {"register": {"Firm": [{"code": "A", "mc": "甲"}]}}
    bindings = [lookup("register", "Firm", "uscc", {"uscc": "code", "name": "mc"}, anchor=True)]
    return world(schema, bindings, rows, keys={"Firm": ["uscc"]}, roots={"Query.firm": ("Firm", {"uscc": "uscc"})})


def engine() -> Engine:
    made = there()
    sources = Sources(made.registry.systems, made.connectors, SystemClock())
    return Engine(made.schema, made.registry, sources, core_roots=frozenset({"Query.hub", "Query.late"}))


async def test_planned_fields_resolvers_and_introspection_in_response_order() -> None:
    asked = engine()
    document = asked.parse("query Q($u: ID!) { z: hub { me } firm(uscc: $u) { name } __typename __schema { queryType { name } } }")
    result = await asked.run(document, {"u": "A"}, request_id="r1")
    assert result.data == {
        "z": {"me": "r1"},
        "firm": {"name": "甲"},
        "__typename": "Query",
        "__schema": {"queryType": {"name": "Query"}},
    }
    assert result.data is not None
    assert list(result.data) == ["z", "firm", "__typename", "__schema"]


async def test_a_resolver_s_failure_at_a_non_null_root_field_empties_the_data_and_tells_nothing() -> None:
    asked = engine()
    body = (await asked.execute(asked.parse('{ firm(uscc: "A") { name } late }'))).body.decode()
    assert body.startswith('{"data":null,"errors":[')
    assert "secret" not in body
    assert "INTERNAL" in body


def test_the_versions_that_the_seam_was_tried_with() -> None:
    assert graphql.version_info[:2] == (3, 3)
    assert issubclass(HubExecutor, StrawberryGraphQLCoreExecutionContext)


def test_build_gives_an_executor_or_the_request_s_errors() -> None:
    schema = there().schema
    built = HubExecutor.build(schema, parse("query ($u: ID!) { firm(uscc: $u) { name } }"), raw_variable_values={"u": "A"})
    assert isinstance(built, HubExecutor)
    assert built.variable_values.coerced == {"u": "A"}
    assert built.operation.operation.value == "query"
    assert built.fragment_definitions == {}
    assert isinstance(HubExecutor.build(schema, parse("query ($u: ID!) { firm(uscc: $u) { name } }")), list)


def test_strawberry_hands_its_operations_to_an_executor_of_ours() -> None:
    seen: list[Any] = []

    class Spy(HubExecutor):
        def execute_operation(self, serially: bool | None = None) -> Any:
            seen.append(self.operation)
            return super().execute_operation(serially)

    @strawberry.type
    class Query:
        one: int = 1

    assert strawberry.Schema(Query, execution_context_class=Spy).execute_sync("{ one }", root_value=Query()).data == {"one": 1}
    assert len(seen) == 1
