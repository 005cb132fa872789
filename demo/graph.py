"""The GraphQL department, 公平在线: platforms, online operators and their findings, as an ordinary GraphQL service over HTTP.

Its schema is its own; the hub knows it only by its manifest. Must not know the hub.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import orjson
from aiohttp import web
from graphql import GraphQLError, GraphQLSchema, build_schema, execute_sync, parse, validate

from demo.facts import World
from demo.faults import Faults, Tally
from demo.native import operator_fields, platform_fields
from demo.rest import Answer, route

BATCH = 100
SDL = """
type Query {
  platforms(ids: [ID!]!): [Platform!]!
  operators(ids: [ID!]!): [Operator!]!
  operatorsByUscc(usccs: [String!]!): [Operator!]!
}

type Platform {
  platformId: ID!
  name: String
  category: String
  operatorUscc: String
  monitoredSince: String
}

type Operator {
  operatorId: ID!
  shopName: String
  realNameVerified: Boolean
  platformId: ID
  uscc: String
  findings: [Finding!]!
}

type Finding {
  findingId: ID!
  scene: Scene
  foundAt: String
  disposal: Disposal
}

enum Scene { CHOOSE_ONE_OF_TWO BELOW_COST PRICE_DISCRIMINATION }
enum Disposal { TAKEDOWN RECTIFY CASE_FILED }
"""


def fair_online(world: World, faults: Faults, tally: Tally) -> web.Application:
    """``POST /graphql``; at most 100 keys to a field; what it does not have is left out of the list."""
    schema = _schema(world, tally)

    async def endpoint(request: web.Request) -> Answer:
        try:
            body = orjson.loads(await request.read())
            query, variables, name = body["query"], body.get("variables"), body.get("operationName")
            document = parse(query)
        except (ValueError, KeyError, TypeError, AttributeError):
            return Answer({"errors": [{"message": "Send a JSON object with a query."}]}, status=400)
        except GraphQLError as error:
            return Answer({"errors": [error.formatted]}, status=400)
        faulty = validate(schema, document)
        if faulty:
            return Answer({"errors": [error.formatted for error in faulty]}, status=400)
        result = execute_sync(schema, document, variable_values=variables, operation_name=name)
        return Answer(dict(result.formatted))

    app = web.Application()
    route(app, "POST", "/graphql", endpoint, faults, tally, counted=False)
    return app


def _schema(world: World, tally: Tally) -> GraphQLSchema:
    platforms = {platform.platform_id: [platform_fields(platform)] for platform in world.platforms}
    operators = {operator.operator_id: [operator_fields(operator)] for operator in world.online_operators}
    by_uscc: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for operator in world.online_operators:
        if operator.uscc is not None:
            by_uscc[operator.uscc].append(operator_fields(operator))
    schema = build_schema(SDL)
    assert schema.query_type is not None
    for field, argument, records in (
        ("platforms", "ids", platforms),
        ("operators", "ids", operators),
        ("operatorsByUscc", "usccs", by_uscc),
    ):
        schema.query_type.fields[field].resolve = _resolver(field, argument, records, tally)
    return schema


def _resolver(field: str, argument: str, records: dict[str, list[dict[str, Any]]], tally: Tally) -> Any:
    def resolve(_root: Any, _info: Any, **arguments: list[str]) -> list[dict[str, Any]]:
        keys = list(dict.fromkeys(arguments[argument]))
        tally.add(field, len(keys))
        if len(keys) > BATCH:
            raise GraphQLError(f"{argument}: at most {BATCH} at once.", extensions={"code": "TOO_MANY_KEYS"})
        return [record for key in keys for record in records.get(key, ())]

    return resolve
