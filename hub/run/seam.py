"""The one place that touches what is private to graphql-core and Strawberry: our executor in their ``execution_context_class`` seam.

``execute_operation`` is called for every query and once per event of a subscription. Planned root fields go to the engine, all others
(introspection, fields with a resolver of their own) to graphql-core, and the data are put together in response order.

Tried with graphql-core 3.3 and Strawberry 0.341, which ``pyproject.toml`` pins; ``tests/run/test_seam.py`` holds what is relied on:
``build`` gives the executor or request errors, ``execute_operation`` returns a result or an awaitable, the attributes read below.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
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
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableDefinitionNode,
    get_variable_values,
)
from graphql.execution.values import VariableValues
from strawberry import Schema
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from auth.access import Access
from auth.principal import Principal
from hub.run.shown import INTROSPECTION
from schema.shapes import named_node


@dataclass(frozen=True, slots=True)
class Part:
    """What the engine answers of one operation: ``data`` of the planned root fields (None: nulled), in response order, and errors."""

    data: Mapping[str, Any] | None
    errors: Sequence[GraphQLError] = ()
    extensions: Mapping[str, Any] | None = None


class Planned(Protocol):
    """The engine as the seam sees it."""

    async def part(self, context: Context, variables: VariableValues, only: str | None = None) -> Part: ...


@dataclass(slots=True)
class Context:
    """The context of one operation, for the engine and for resolvers. ``keys`` are the root response keys in order; ``core`` those that
    graphql-core answers, with their field nodes. ``propagates`` says whether a null that may not be one empties what is above it.
    ``deadline`` is the request's, in seconds of the engine's clock. ``systems`` that were called and ``rows`` that were handled are filled
    in."""

    engine: Planned
    prepared: Any
    principal: Principal
    request_id: str
    directory: Any = None
    access: Access | None = None
    keys: tuple[str, ...] = ()
    core: Mapping[str, Sequence[FieldNode]] | None = None
    systems: tuple[str, ...] = ()
    deadline: float | None = None
    telling: Any = None  # how the request wants its plan told, if it does
    rows: int = 0
    propagates: bool = True
    shown: GraphQLSchema | None = None  # what introspection tells of, where that is not the whole schema
    sdl: str = ""  # the same as the SDL of a subgraph, where it is asked for


class HubExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes planned root fields by plan. Without a hub context it is Strawberry's own executor."""

    def execute_operation(self, serially: bool | None = None) -> Any:
        context = self.context_value
        if not isinstance(context, Context):
            return super().execute_operation(serially)
        if context.core is not None and len(context.core) == len(context.keys):
            return super().execute_operation(serially) if context.shown is None else self._core(context.core)
        if self.operation.operation is OperationType.MUTATION:
            return in_order(context, self.variable_values, self._core)
        return self._hub(context)

    async def _hub(self, context: Context) -> ExecutionResult:
        context.propagates = self.error_propagation
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
        """The root fields that have resolvers: the same operation with only those selected, by graphql-core. Introspection is answered
        by the schema that the caller sees."""
        shown = self.context_value.shown
        told = {key: nodes for key, nodes in fields.items() if nodes[0].name.value in INTROSPECTION}
        if shown is None or not told:
            return await self._resolved(self.schema, fields)
        done = await self._resolved(shown, told)
        rest = {key: nodes for key, nodes in fields.items() if key not in told}
        if not rest:
            return done
        more = await self._resolved(self.schema, rest)
        data = None if done.data is None or more.data is None else {**done.data, **more.data}
        ordered = None if data is None else {key: data[key] for key in fields if key in data}
        return ExecutionResult(ordered, [*(done.errors or ()), *(more.errors or ())] or None)

    async def _resolved(self, schema: GraphQLSchema, fields: Mapping[str, Sequence[FieldNode]]) -> ExecutionResult:
        operation = OperationDefinitionNode(
            operation=self.operation.operation,
            name=self.operation.name,
            variable_definitions=tuple(each for each in self.operation.variable_definitions or () if _is_known(schema, each)),
            directives=self.operation.directives,
            selection_set=SelectionSetNode(selections=tuple(node for nodes in fields.values() for node in nodes)),
        )
        fragments: tuple[FragmentDefinitionNode, ...] = tuple(self.fragment_definitions.values())
        context = self.context_value
        built = StrawberryGraphQLCoreExecutionContext.build(
            schema,
            DocumentNode(definitions=(operation, *fragments)),
            self.root_value,
            context,
            {name: source.value for name, source in self.variable_values.sources.items()},
        )
        assert not isinstance(built, list), "the operation was built once already"
        result = built.execute_operation()
        return await _finished(result)


def _is_known(schema: GraphQLSchema, variable: VariableDefinitionNode) -> bool:
    """Whether a variable's type is in the schema; without it no field there takes the variable."""
    node = named_node(variable.type)
    return isinstance(node, NamedTypeNode) and node.name.value in schema.type_map


async def _finished(result: Any) -> ExecutionResult:
    found = await result if isawaitable(result) else result
    assert isinstance(found, ExecutionResult)
    return found


def adopt(schema: GraphQLSchema, canonical: Schema) -> GraphQLSchema:
    """Tell an extended schema which Strawberry schema it came from: Strawberry's resolvers look for it there."""
    schema._strawberry_schema = canonical  # type: ignore[attr-defined]  # how Strawberry itself links the two
    return schema


KEEP_NULLS = "experimental_disableErrorPropagation"  # the directive that sets graphql-core's ``error_propagation``
MAX_ERRORS = 50  # of variables; what ``build`` has for its default


def coerced(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any] | None, operation_name: str | None
) -> list[GraphQLError] | VariableValues:
    """The variables of an operation, or the request errors."""
    operation = _operation(document, operation_name)
    return get_variable_values(schema, operation.variable_definitions or (), dict(variables or {}), max_errors=MAX_ERRORS)


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation of that name, or the only one; the engine has made sure that it is there."""
    found = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return next(node for node in found if name is None or (node.name is not None and node.name.value == name))


def _dict(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return found if found is None or isinstance(found, dict) else dict(found)


async def _planned(context: Context, values: VariableValues) -> ExecutionResult:
    part = await context.engine.part(context, values)
    return ExecutionResult(_dict(part.data), list(part.errors) or None, _dict(part.extensions))


Core = Callable[[Mapping[str, Sequence[FieldNode]]], Awaitable[ExecutionResult]]


async def in_order(context: Context, values: VariableValues, core: Core | None = None) -> ExecutionResult:
    """Root fields of a mutation one after the other, each with all below it (GraphQL specification, October 2021, §6.3.1). One that
    leaves the data null ends it: what comes after is not done. The errors of those before it stay, since these have been done."""
    data: dict[str, Any] = {}
    errors: list[GraphQLError] = []
    notices: list[Any] = []
    resolved = context.core or {}
    for key in context.keys:
        done: Part | ExecutionResult
        if key in resolved:
            assert core is not None, "whatever has resolvers is run by an executor"
            done = await core({key: resolved[key]})
        else:
            done = await context.engine.part(context, values, key)
        errors.extend(done.errors or ())
        notices.extend((done.extensions or {}).get("notices", ()))
        if done.data is None:
            return ExecutionResult(None, errors or None)
        data.update(done.data)
    return ExecutionResult(data, errors or None, {"notices": notices} if notices else None)


def run(
    schema: GraphQLSchema, document: DocumentNode, context: Context, variables: Mapping[str, Any] | None, operation_name: str | None
) -> list[GraphQLError] | Awaitable[ExecutionResult]:
    """Coerce variables and execute: request errors, or the result to wait for."""
    if not context.core:  # nothing for graphql-core to execute: its variables will do
        values = coerced(schema, document, variables, operation_name)
        if isinstance(values, list):
            return values
        operation = _operation(document, operation_name)
        context.propagates = not any(one.name.value == KEEP_NULLS for one in operation.directives or ())
        return in_order(context, values) if operation.operation is OperationType.MUTATION else _planned(context, values)
    built = HubExecutor.build(schema, document, None, context, dict(variables or {}), operation_name)
    if isinstance(built, list):
        return built
    return _finished(built.execute_operation())
