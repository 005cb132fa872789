"""The engine: a document and a principal in, finished bytes out. Ties documents, mask, plan, run and assembly together.

One engine serves one composition; a new composition gets a new engine, so a request sees one epoch from begin to end. Knows no
HTTP, no storage and no connector kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cachetools import LRUCache
from graphql import ExecutionResult, GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type
from graphql.execution.values import VariableValues

from auth.access import Access, Rows, shape
from auth.policy import all_rows
from auth.policy import denied as deny
from auth.principal import ANONYMOUS, Principal
from hub.answer import Answer
from hub.plan.explain import explain
from hub.plan.listing import coordinates_on
from hub.plan.model import QueryPlan
from hub.plan.operation import Operation, Unplannable, normalise
from hub.plan.planner import plan_query
from hub.run.assemble import assemble
from hub.run.coalesce import Coalescer
from hub.run.cursors import Cursors
from hub.run.documents import Document, Documents
from hub.run.execute import execute
from hub.run.positions import values
from hub.run.refusals import build_error, request_error, shown
from hub.run.seam import Context, Part, run
from hub.run.sources import Sources
from hub.run.terms import Viewer
from schema.coordinates import Coordinate
from schema.registry import Registry

TIMEOUT = 10.0  # seconds for a whole request


@dataclass(slots=True)
class Prepared:
    """A normalised operation with what policy must decide on; ``masks`` and ``plans`` are filled as callers come."""

    operation: Operation
    rows: tuple[Coordinate, ...]
    masks: LRUCache[Any, frozenset[str]] = field(default_factory=lambda: LRUCache(256))
    plans: LRUCache[Any, QueryPlan] = field(default_factory=lambda: LRUCache(64))


class Engine:
    """See the module. ``core_roots`` are root coordinates with resolvers of their own; ``max_errors`` caps the errors of one answer;
    ``policy`` says which coordinates a caller may not see, ``rows`` which rules those that it sees must pass;
    ``coalesce`` lets requests share calls; ``cursors`` seals them, by default with a key that nobody else has."""

    def __init__(
        self,
        schema: GraphQLSchema,
        registry: Registry,
        sources: Sources,
        *,
        core_roots: frozenset[str] = frozenset(),
        directory: Any = None,
        timeout: float = TIMEOUT,
        max_errors: int | None = None,
        policy: Callable[[Principal, Iterable[Coordinate]], frozenset[str]] = deny,
        rows: Callable[[Principal], Rows] = all_rows,
        coalesce: bool = True,
        cursors: Cursors | None = None,
    ) -> None:
        self.schema = schema
        self.registry = registry
        self.sources = sources
        self._core_roots = core_roots
        self._directory = directory
        self._timeout = timeout
        self._max_errors = max_errors
        self._policy = policy
        self._rows = rows
        self._shared = Coalescer(sources) if coalesce else None
        self._cursors = cursors or Cursors()
        self._documents = Documents(schema)
        self._prepared: LRUCache[Any, Prepared] = LRUCache(4096)

    def parse(self, text: str) -> Document:
        """Parse and validate against the public schema; from the cache when seen before."""
        return self._documents.document(text)

    async def execute(
        self,
        document: Document,
        *,
        operation_name: str | None = None,
        variables: Mapping[str, Any] | None = None,
        principal: Principal = ANONYMOUS,
        request_id: str = "",
        extensions: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Answer one operation. Raises nothing: what is wrong with the request is in the answer."""
        context, result = await self._result(document, operation_name, variables, principal, request_id, None)
        operation = context.prepared.operation if context is not None else None
        body: dict[str, Any] = {}
        if context is not None:
            body["data"] = result.data
        errors = [build_error(error) for error in result.errors or ()]
        if errors:
            body["errors"] = errors
        if result.extensions:
            body["extensions"] = result.extensions
        return Answer(
            body=msgspec.json.encode(body),
            executed=context is not None,
            codes=tuple(sorted({error["extensions"]["code"] for error in errors})),
            coordinates=tuple(sorted(operation.coordinates)) if operation is not None else (),
            systems=context.systems if context is not None else (),
            operation=operation.name if operation is not None else operation_name or "",
            kind=operation.kind if operation is not None else "",
        )

    async def run(
        self,
        document: Document,
        variables: Mapping[str, Any] | None = None,
        *,
        denied: frozenset[str] | None = None,
        rows: Rows | None = None,
        operation_name: str | None = None,
        principal: Principal = ANONYMOUS,
        request_id: str = "",
    ) -> ExecutionResult:
        """The same answer as values. ``denied`` and ``rows`` stand in for the policy's decision when they are given."""
        access = None if denied is None and rows is None else Access(denied or frozenset(), rows or {})
        _, result = await self._result(document, operation_name, variables, principal, request_id, access)
        return ExecutionResult(values(result.data), result.errors, result.extensions)

    def explain(
        self,
        document: Document,
        variables: Mapping[str, Any] | None = None,
        *,
        operation_name: str | None = None,
        principal: Principal = ANONYMOUS,
    ) -> str:
        """The plan of an operation for this principal, as text. Raises GraphQLError for a document that is not valid."""
        if document.errors:
            raise document.errors[0]
        prepared = self._prepare(document, operation_name, variables or {})
        return explain(self._plan(prepared, self._access(prepared, principal)))

    # -- inside --------------------------------------------------------------------------------------------------

    async def _result(
        self,
        document: Document,
        operation_name: str | None,
        variables: Mapping[str, Any] | None,
        principal: Principal,
        request_id: str,
        access: Access | None,
    ) -> tuple[Context | None, ExecutionResult]:
        if document.errors or document.tree is None:
            return None, ExecutionResult(None, [request_error(document.fault, error=error) for error in document.errors])
        try:
            prepared = self._prepare(document, operation_name, variables or {})
        except Unplannable as bound:
            return None, ExecutionResult(None, [request_error("PLAN_TOO_COMPLEX", str(bound))])
        except LookupError:
            return None, ExecutionResult(None, [request_error("OPERATION_NOT_FOUND")])
        selections = prepared.operation.selections
        core = {selected.key: selected.nodes for selected in selections if self._is_core(selected.name, selected.coordinate)}
        keys = tuple(selected.key for selected in selections)
        context = Context(self, prepared, principal, request_id, self._directory, access, keys, core)
        outcome = run(self.schema, document.tree, context, variables, operation_name or None)
        if isinstance(outcome, list):
            return None, ExecutionResult(None, [request_error("BAD_VARIABLES", error=error) for error in outcome])
        try:
            return context, await outcome
        except Unplannable as bound:
            return None, ExecutionResult(None, [request_error("PLAN_TOO_COMPLEX", str(bound))])

    async def part(self, context: Context, variables: VariableValues) -> Part:
        """The planned root fields of an operation; called by the seam. Raises Unplannable."""
        prepared: Prepared = context.prepared
        access = context.access if context.access is not None else self._access(prepared, context.principal)
        plan = self._plan(prepared, access)
        deadline = self.sources.clock.monotonic() + self._timeout
        viewer = Viewer(self._cursors, access.rows)
        ran = await execute(plan, self.sources, variables, deadline, context.request_id, context.principal.id, self._shared, viewer)
        context.systems = tuple(sorted(ran.systems))
        done = assemble(plan, ran.layers)
        notices = [*done.notices.listed(), *(notice for layer in ran.layers.values() for notice in layer.notices)]
        return Part(done.data, shown(done.errors, self._max_errors), {"notices": notices} if notices else None)

    def _is_core(self, name: str, coordinate: str) -> bool:
        return name in ("__schema", "__type") or coordinate in self._core_roots

    def _prepare(self, document: Document, operation_name: str | None, variables: Mapping[str, Any]) -> Prepared:
        """The operation under this request's conditions. Raises LookupError when there is none of that name, Unplannable."""
        if operation_name:
            node = document.definitions[operation_name]
        elif len(document.definitions) == 1:
            node = next(iter(document.definitions.values()))
        else:
            raise LookupError("operationName")
        defaults = {d.variable.name.value: d.default_value for d in node.variable_definitions or ()}
        conditions = tuple(bool(variables.get(name, getattr(defaults.get(name), "value", False))) for name in document.conditions)
        key = (document.digest, operation_name or "", conditions)
        found = self._prepared.get(key)
        if found is None:
            operation = normalise(self.schema, node, document.fragments, dict(zip(document.conditions, conditions, strict=True)))
            found = self._prepared[key] = Prepared(operation, self._policed(operation))
        return found

    def _policed(self, operation: Operation) -> tuple[Coordinate, ...]:
        """The coordinates that policy decides on: all that are touched, and what the fields among them are looked up or filtered by."""
        names = dict.fromkeys(operation.coordinates)
        for coordinate in operation.coordinates:
            lookup = self.registry.roots.get(coordinate)
            if lookup is not None:
                names.update(dict.fromkeys(f"{lookup.type}.{name}" for name in lookup.arguments.values()))
            names.update(dict.fromkeys(self._behind(coordinate)))
            definition = self._field(coordinate)
            node = get_named_type(definition.type).name
            node = self.registry.connections.get(node, node)
            for argument in definition.args.values():
                named = get_named_type(argument.type).name
                for path in {*self.registry.filters.get(named, {}).values(), *self.registry.orders.get(named, {}).values()}:
                    names.update(dict.fromkeys(coordinates_on(self.schema, node, path)))
        return tuple(self.registry.coordinates[name] for name in names if name in self.registry.coordinates)

    def _behind(self, coordinate: str) -> Iterator[str]:
        """The coordinates behind a field that lists figures, and all that its figures may be grouped by or made of."""
        found = self.registry.aggregates.get(get_named_type(self._field(coordinate).type).name)
        if found is not None:
            for path in {*found.groups.values(), *(path for paths in found.figures.values() for path in paths.values())}:
                yield from coordinates_on(self.schema, found.node, path)
            for named in self.registry.filters:
                if named == f"{found.node}Filter":
                    for path in self.registry.filters[named].values():
                        yield from coordinates_on(self.schema, found.node, path)

    def _field(self, coordinate: str) -> GraphQLField:
        type_name, _, name = coordinate.partition(".")
        parent = self.schema.type_map[type_name]
        assert isinstance(parent, GraphQLObjectType)
        found: GraphQLField = parent.fields[name]
        return found

    def _mask(self, prepared: Prepared, principal: Principal) -> frozenset[str]:
        key = (principal.audience, principal.scopes, principal.ceiling)
        found = prepared.masks.get(key)
        if found is None:
            found = prepared.masks[key] = self._policy(principal, prepared.rows)
        return found

    def _access(self, prepared: Prepared, principal: Principal) -> Access:
        return Access(self._mask(prepared, principal), self._rows(principal))

    def _plan(self, prepared: Prepared, access: Access) -> QueryPlan:
        """The plan for callers with these rights. Of rules it depends on what they read, never on their values."""
        rules = shape(access.rows)
        found = prepared.plans.get((access.denied, rules))
        if found is None:
            operation = prepared.operation
            planned = tuple(one for one in operation.selections if not self._is_core(one.name, one.coordinate))
            operation = Operation(operation.kind, operation.name, operation.root, planned, operation.coordinates)
            found = plan_query(self.schema, self.registry, operation, access.denied, dict(rules))
            prepared.plans[access.denied, rules] = found
        return found
