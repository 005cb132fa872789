"""Plans without an engine: from a text straight to the plan, nothing cached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode, parse

from hub.plan.model import QueryPlan
from hub.plan.operation import Nodes, Operation, condition_variables, normalise
from hub.plan.planner import plan_query
from schema.registry import Registry


def normalised(schema: GraphQLSchema, text: str, variables: Mapping[str, Any] | None = None) -> tuple[Operation, Nodes]:
    """The only operation of ``text`` under the conditions that ``variables`` or their defaults make."""
    tree = parse(text)
    [node] = [one for one in tree.definitions if isinstance(one, OperationDefinitionNode)]
    fragments = {one.name.value: one for one in tree.definitions if isinstance(one, FragmentDefinitionNode)}
    defaults = {d.variable.name.value: getattr(d.default_value, "value", False) for d in node.variable_definitions or ()}
    given = defaults | dict(variables or {})
    return normalise(schema, node, fragments, {name: bool(given[name]) for name in condition_variables(tree)})


def planned(
    schema: GraphQLSchema, registry: Registry, text: str, variables: Mapping[str, Any] | None = None, denied: frozenset[str] = frozenset()
) -> QueryPlan:
    return plan_query(schema, registry, normalised(schema, text, variables)[0], denied)
