"""Arguments of a field at run time, as canonical values: literals and variables alike.

Knows GraphQL's input coercion, nothing of rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputType,
    GraphQLScalarType,
    get_argument_values,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.values import VariableValues

from connectors.columns import numbered, variable
from hub.plan.operation import Nodes, Selected
from hub.run.layers import Fault

PAGE_DEFAULT = 50
PAGE_MAX = 1000


class BadArgument(Exception):
    """An argument that passed the schema but cannot be used. ``fault`` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Inputs:
    """What one request gives that its plan does not hold: ``variables``, coerced, and the field nodes of its own document by number."""

    variables: VariableValues
    nodes: Nodes


def arguments(selected: Selected, inputs: Inputs) -> dict[str, Any]:
    """Argument values in canonical form; arguments that were not given are left out. Raises BadArgument."""
    try:
        node = selected.given or inputs.nodes[selected.number][0]
        given = get_argument_values(selected.definition, node, inputs.variables)
    except GraphQLError as error:  # a nullable variable with a default that was given as null, where null may not be
        raise BadArgument(Fault("BAD_VARIABLES", en=error.message)) from None
    return {name: plain(value, selected.definition.args[name].type) for name, value in given.items()}


def variables(given: Sequence[Selected], inputs: Inputs) -> dict[str, Any]:
    """The arguments of fields within a graph, as the variables that its columns name. Raises BadArgument."""
    found: dict[str, Any] = {}
    for selected in given:
        values = arguments(selected, inputs)
        number = numbered(selected.number)
        found |= {variable(name, number): values[name] for name in selected.named if name in values}
    return found


def plain(value: Any, kind: GraphQLInputType) -> Any:
    """A coerced input value as canonical JSON: scalars and enums serialised, objects and lists walked."""
    if is_non_null_type(kind):
        kind = kind.of_type
    if value is None:
        return None
    if is_list_type(kind):
        return [plain(item, kind.of_type) for item in value]
    if is_input_object_type(kind):
        return {name: plain(item, kind.fields[name].type) for name, item in value.items() if name in kind.fields}
    assert isinstance(kind, GraphQLScalarType | GraphQLEnumType)
    return kind.serialize(value)


def first_of(given: Mapping[str, Any]) -> int:
    """How many rows a page may have. Raises BadArgument."""
    first = given.get("first")
    first = PAGE_DEFAULT if first is None else first
    if not 1 <= first <= PAGE_MAX:
        raise BadArgument(
            Fault("TOO_LARGE", f"first 必须在 1 到 {PAGE_MAX} 之间，实际为 {first}。", f"first must be 1 to {PAGE_MAX}, not {first}.")
        )
    assert isinstance(first, int)
    return first
