"""The oracle itself: graphql-core over a copy of the schema whose resolvers ask ``hub.oracle.answer``.

graphql-core merges selections, decides conditions, finds the paths of errors and moves nulls up; what remains of it here is to name
errors and to drop those that an emptied position has swallowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any, cast

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    GraphQLEnumType,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    Visitor,
    default_field_resolver,
    execute,
    is_abstract_type,
    is_specified_scalar_type,
    lexicographic_sort_schema,
    parse,
    validate,
    visit,
)

from auth.access import Rows
from connectors.spi import Connector
from hub.oracle.answer import Answer
from hub.oracle.asked import asked_anyway, touched
from hub.oracle.calls import Calls
from hub.oracle.pages import Part
from hub.oracle.things import Thing
from hub.oracle.values import Fault
from schema.registry import Registry

INCREMENTAL = frozenset({"defer", "stream"})


class Oracle:
    """Answers operations over ``schema``. ``connectors`` are by system name; a system without one counts as not set up."""

    def __init__(self, schema: GraphQLSchema, registry: Registry, connectors: Mapping[str, Connector]) -> None:
        self.registry = registry
        self.connectors = connectors
        self.original = schema
        self.schema = _copied(schema)
        for kind in self.schema.type_map.values():
            self._attach(kind)

    async def execute(
        self,
        document: str | DocumentNode,
        variables: Mapping[str, Any] | None = None,
        operation_name: str | None = None,
        denied: frozenset[str] = frozenset(),
        context: Any = None,
        rows: Rows | None = None,
    ) -> ExecutionResult:
        """The answer to one operation; a syntax tree is taken as valid. ``denied`` are coordinates that the caller may not see (S9),
        ``rows`` the rules that what it sees must pass (S13);
        ``extensions.notices`` lists identifiers that fail their check."""
        if isinstance(document, str):
            try:
                document = parse(document)
            except GraphQLError as error:
                return ExecutionResult(None, [_coded(error, "GRAPHQL_PARSE_FAILED")])
            if invalid := validate(self.original, document):
                return ExecutionResult(None, [_coded(error, "GRAPHQL_VALIDATION_FAILED") for error in invalid])
        document = cast(DocumentNode, visit(document, _AtOnce()))
        asked = asked_anyway(self.registry, touched(self.schema, document, operation_name, variables or {}))
        calls = Calls(self.connectors)
        while True:
            answer = Answer(self.original, self.registry, calls, denied, asked, rows)
            result = execute(
                self.schema,
                document,
                root_value=answer,
                context_value=context,
                variable_values=dict(variables or {}),
                operation_name=operation_name,
            )
            result = await result if isawaitable(result) else result
            if not await calls.settle():
                errors = _kept(result.data, result.errors or []) or None
                return ExecutionResult(result.data, errors, {"notices": answer.noticed()} if answer.notices else None)

    def _attach(self, kind: Any) -> None:
        """Let the oracle resolve ``kind`` of the copied schema. Leaves leave as they are, since ``read`` has made them canonical."""
        if kind.name.startswith("__"):
            return
        if isinstance(kind, GraphQLObjectType):
            kind.is_type_of = None
            for name, definition in kind.fields.items():
                definition.resolve = _resolver(f"{kind.name}.{name}", definition.resolve)
        elif is_abstract_type(kind):
            kind.resolve_type = lambda value, *_: value.type
        elif isinstance(kind, GraphQLEnumType):
            for name, value in kind.values.items():
                value.value = name
        elif isinstance(kind, GraphQLScalarType) and not is_specified_scalar_type(kind):
            kind.coerce_output_value = lambda value: value


def _copied(schema: GraphQLSchema) -> GraphQLSchema:
    """A copy, by graphql-core's own way of making one, and without @defer and @stream, with which plain execution refuses a schema."""
    kwargs = lexicographic_sort_schema(schema).to_kwargs()
    kwargs["directives"] = tuple(each for each in kwargs["directives"] if each.name not in INCREMENTAL)
    return GraphQLSchema(**kwargs)


class _AtOnce(Visitor):
    """Takes @defer and @stream out of a document: they say when something comes, not what (S14)."""

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return REMOVE if node.name.value in INCREMENTAL else None


def _resolver(coordinate: str, ordinary: Callable[..., Any] | None) -> Callable[..., Any]:
    def resolve(source: Any, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
        answer: Answer = info.root_value
        if coordinate in answer.denied:  # S9
            raise Fault("FORBIDDEN")
        if isinstance(source, Thing):
            return answer.field(source, coordinate, info, args)
        if isinstance(source, Part):  # a part of a connection, or of a group's figures
            found = source[info.field_name]
            return found() if callable(found) else found
        if source is answer and (ordinary is None or answer.planned(coordinate, info.return_type)):
            return answer.root(coordinate, info, args)
        return (ordinary or default_field_resolver)(None if source is answer else source, info, **args)

    return resolve


def _kept(data: Any, errors: list[GraphQLError]) -> list[GraphQLError]:
    """S8: of the errors under a position that became null, the one that made it so, which graphql-core reports last."""
    kept: dict[tuple[Any, ...], GraphQLError] = {}
    for error in errors:
        value, at = data, 0
        path = tuple(error.path or ())
        while value is not None and at < len(path):
            value, at = value[path[at]], at + 1
        kept[path[:at]] = _coded(error, "NON_NULL" if path else "BAD_VARIABLES")
    return list(kept.values())


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    """``error`` with a code; INTERNAL when a resolver failed for any other reason than a null."""
    cause = error.original_error
    if isinstance(cause, Exception) and not isinstance(cause, GraphQLError) and "Cannot return null" not in str(cause):
        code = "INTERNAL"
    error.extensions = {"code": code, **(error.extensions or {})}
    return error
