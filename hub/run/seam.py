"""The one place that touches what is private to graphql-core and Strawberry: our executor in their ``execution_context_class`` seam.

``execute_operation`` is called for every query and once per event of a subscription. Planned root fields go to the engine, all others
(introspection, fields with a resolver of their own) to graphql-core, and the data are put together in response order.

Tried with graphql-core 3.3 and Strawberry 0.341, which ``pyproject.toml`` pins; ``tests/run/test_seam.py`` holds what is relied on:
``build`` gives the executor or request errors, ``execute_operation`` returns a result or an awaitable, the attributes read below.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Protocol

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.execution.values import VariableValues
from strawberry import Schema
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from auth.access import Access
from auth.principal import Principal


@dataclass(frozen=True, slots=True)
class Part:
    """What the engine answers of one operation: ``data`` of the planned root fields (None: nulled), in response order, and errors."""

    data: Mapping[str, Any] | None
    errors: Sequence[GraphQLError] = ()
    extensions: Mapping[str, Any] | None = None


class Planned(Protocol):
    """The engine as the seam sees it."""

    async def part(self, context: Context, variables: VariableValues) -> Part: ...


@dataclass(slots=True)
class Context:
    """The context of one operation, for the engine and for resolvers. ``keys`` are the root response keys in order; ``core`` those that
    graphql-core answers, with their field nodes."""

    engine: Planned
    prepared: Any
    principal: Principal
    request_id: str
    directory: Any = None
    access: Access | None = None
    keys: tuple[str, ...] = ()
    core: Mapping[str, Sequence[FieldNode]] | None = None
    systems: tuple[str, ...] = ()


class HubExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes planned root fields by plan. Without a hub context it is Strawberry's own executor."""

    def execute_operation(self, serially: bool | None = None) -> Any:
        context = self.context_value
        if not isinstance(context, Context) or (context.core is not None and len(context.core) == len(context.keys)):
            return super().execute_operation(serially)
        return self._hub(context)

    async def _hub(self, context: Context) -> ExecutionResult:
        planned = await context.engine.part(context, self.variable_values)
        errors = list(planned.errors)
        data = planned.data
        if context.core:
            rest = await self._core(context.core)
            errors.extend(rest.errors or ())
            both = None if data is None or rest.data is None else {**data, **rest.data}
            data = None if both is None else {key: both[key] for key in context.keys if key in both}
        return ExecutionResult(dict(data) if data is not None else None, errors or None, dict(planned.extensions or {}) or None)

    async def _core(self, fields: Mapping[str, Sequence[FieldNode]]) -> ExecutionResult:
        """The root fields that have resolvers: the same operation with only those selected, by graphql-core."""
        operation = OperationDefinitionNode(
            operation=self.operation.operation,
            name=self.operation.name,
            variable_definitions=self.operation.variable_definitions,
            directives=self.operation.directives,
            selection_set=SelectionSetNode(selections=tuple(node for nodes in fields.values() for node in nodes)),
        )
        fragments: tuple[FragmentDefinitionNode, ...] = tuple(self.fragment_definitions.values())
        context = self.context_value
        built = StrawberryGraphQLCoreExecutionContext.build(
            self.schema,
            DocumentNode(definitions=(operation, *fragments)),
            self.root_value,
            context,
            {name: source.value for name, source in self.variable_values.sources.items()},
        )
        assert not isinstance(built, list), "the operation was built once already"
        result = built.execute_operation()
        return await _finished(result)


async def _finished(result: Any) -> ExecutionResult:
    found = await result if isawaitable(result) else result
    assert isinstance(found, ExecutionResult)
    return found


def adopt(schema: GraphQLSchema, canonical: Schema) -> GraphQLSchema:
    """Tell an extended schema which Strawberry schema it came from: Strawberry's resolvers look for it there."""
    schema._strawberry_schema = canonical  # type: ignore[attr-defined]  # how Strawberry itself links the two
    return schema


def run(
    schema: GraphQLSchema, document: DocumentNode, context: Context, variables: Mapping[str, Any] | None, operation_name: str | None
) -> list[GraphQLError] | Awaitable[ExecutionResult]:
    """Coerce variables and execute: request errors, or the result to wait for."""
    built = HubExecutor.build(schema, document, None, context, dict(variables or {}), operation_name)
    if isinstance(built, list):
        return built
    return _finished(built.execute_operation())
