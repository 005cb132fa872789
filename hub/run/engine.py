"""The engine: a document and a principal in, finished bytes out. Ties documents, mask, plan, run and assembly together.

One engine serves one composition; a new composition gets a new engine, so a request sees one epoch from begin to end. Knows no
HTTP, no storage and no connector kinds.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from cachetools import LRUCache
from graphql import ExecutionResult, GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type
from graphql.execution.values import VariableValues

from auth.policy import denied as deny
from auth.principal import ANONYMOUS, Principal
from hub.answer import Answer
from hub.plan.explain import explain
from hub.plan.model import QueryPlan
from hub.plan.operation import Operation, Unplannable, normalise
from hub.plan.planner import plan_query
from hub.run.assemble import assemble
from hub.run.coalesce import Coalescer
from hub.run.documents import Document, Documents
from hub.run.execute import Ran, execute
from hub.run.feeds import Feeds
from hub.run.layers import Layer
from hub.run.positions import values
from hub.run.refusals import build_error, request_error, shown
from hub.run.seam import Context, Part, coerced, run
from hub.run.sources import Sources
from hub.run.subscribe import Who, subscribed
from schema.coordinates import Coordinate
from schema.registry import Registry

TIMEOUT = 10.0  # seconds for a whole request


@dataclass(slots=True)
class Prepared:
    """A normalised operation with what policy must decide on; ``masks`` and ``plans`` are filled as callers come."""

    operation: Operation
    rows: tuple[Coordinate, ...]
    masks: LRUCache[Any, frozenset[str]] = field(default_factory=lambda: LRUCache(256))
    plans: LRUCache[frozenset[str], QueryPlan] = field(default_factory=lambda: LRUCache(64))
    turns: LRUCache[tuple[frozenset[str], str], QueryPlan] = field(default_factory=lambda: LRUCache(256))


class Engine:
    """See the module. ``core_roots`` are root coordinates with resolvers of their own; ``max_errors`` caps the errors of one answer;
    ``coalesce`` lets requests share calls."""

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
        coalesce: bool = True,
    ) -> None:
        self.schema = schema
        self.registry = registry
        self.sources = sources
        self._core_roots = core_roots
        self._directory = directory
        self._timeout = timeout
        self._max_errors = max_errors
        self._policy = policy
        self._shared = Coalescer(sources) if coalesce else None
        self.feeds = Feeds(sources)
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
        prepared = context.prepared if context is not None else None
        return self.answered(result, prepared, context.systems if context is not None else (), operation_name, context is not None)

    def subscribe(
        self,
        document: Document,
        *,
        who: Who,
        operation_name: str | None = None,
        variables: Mapping[str, Any] | None = None,
        request_id: str = "",
    ) -> AsyncGenerator[Answer, None]:
        """The answers of a subscription; see ``hub.run.subscribe``."""
        return subscribed(self, document, who=who, operation_name=operation_name, variables=variables, request_id=request_id)

    async def close(self, code: str = "SHUTTING_DOWN") -> None:
        """End all subscriptions. Queries may go on."""
        await self.feeds.close(code)

    def answered(
        self,
        result: ExecutionResult,
        prepared: Prepared | None,
        systems: tuple[str, ...],
        operation_name: str | None,
        executed: bool = False,
    ) -> Answer:
        """A result as finished bytes; not ``executed``: a request error, or the end of a subscription."""
        operation = prepared.operation if prepared is not None else None
        body: dict[str, Any] = {}
        if executed:
            body["data"] = result.data
        errors = [build_error(error) for error in result.errors or ()]
        if errors:
            body["errors"] = errors
        if result.extensions:
            body["extensions"] = result.extensions
        return Answer(
            body=msgspec.json.encode(body),
            executed=executed,
            codes=tuple(sorted({error["extensions"]["code"] for error in errors})),
            coordinates=tuple(sorted(operation.coordinates)) if operation is not None else (),
            systems=systems,
            operation=operation.name if operation is not None else operation_name or "",
            kind=operation.kind if operation is not None else "",
        )

    async def run(
        self,
        document: Document,
        variables: Mapping[str, Any] | None = None,
        *,
        denied: frozenset[str] | None = None,
        operation_name: str | None = None,
        principal: Principal = ANONYMOUS,
        request_id: str = "",
    ) -> ExecutionResult:
        """The same answer as values. ``denied`` stands in for the policy's decision when it is given."""
        _, result = await self._result(document, operation_name, variables, principal, request_id, denied)
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
        return explain(self._plan(prepared, self.mask(prepared, principal)))

    # -- inside --------------------------------------------------------------------------------------------------

    async def _result(
        self,
        document: Document,
        operation_name: str | None,
        variables: Mapping[str, Any] | None,
        principal: Principal,
        request_id: str,
        denied: frozenset[str] | None,
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
        context = Context(self, prepared, principal, request_id, self._directory, denied, keys, core)
        outcome = run(self.schema, document.tree, context, variables, operation_name or None)
        if isinstance(outcome, list):
            return None, ExecutionResult(None, [request_error("BAD_VARIABLES", error=error) for error in outcome])
        try:
            return context, await outcome
        except Unplannable as bound:
            return None, ExecutionResult(None, [request_error("PLAN_TOO_COMPLEX", str(bound))])

    def opened(
        self, document: Document, operation_name: str | None, variables: Mapping[str, Any] | None
    ) -> tuple[Prepared, VariableValues] | ExecutionResult:
        """A subscription's operation and its variables, or the request errors."""
        if document.errors or document.tree is None:
            return ExecutionResult(None, [request_error(document.fault, error=error) for error in document.errors])
        try:
            prepared = self._prepare(document, operation_name, variables or {})
        except Unplannable as bound:
            return ExecutionResult(None, [request_error("PLAN_TOO_COMPLEX", str(bound))])
        except LookupError:
            return ExecutionResult(None, [request_error("OPERATION_NOT_FOUND")])
        given = coerced(self.schema, document.tree, variables, operation_name or None)
        if isinstance(given, list):
            return ExecutionResult(None, [request_error("BAD_VARIABLES", error=error) for error in given])
        return prepared, given

    async def event(
        self, prepared: Prepared, variables: VariableValues, principal: Principal, request_id: str, row: Layer
    ) -> tuple[Part, tuple[str, ...]]:
        """The answer for one row of an event, and the systems that were called for it."""
        try:
            plan = self._plan(prepared, self.mask(prepared, principal))
        except Unplannable as bound:
            return Part(None, [request_error("PLAN_TOO_COMPLEX", str(bound))]), ()
        deadline = self.sources.clock.monotonic() + self._timeout
        ran = await execute(plan, self.sources, variables, deadline, request_id, principal.id, self._shared, row)
        return self._assembled(plan, ran), tuple(sorted(ran.systems))

    async def part(self, context: Context, variables: VariableValues, only: str | None = None) -> Part:
        """The planned root fields of an operation, or the one of a mutation whose turn it is; called by the seam. Raises Unplannable."""
        prepared: Prepared = context.prepared
        denied = context.denied if context.denied is not None else self.mask(prepared, context.principal)
        plan = self._plan(prepared, denied) if only is None else self._turn(prepared, denied, only)
        if context.deadline is None:
            context.deadline = self.sources.clock.monotonic() + self._timeout
        # What is read after a write is asked for by this request alone: a call that others share may have been made before it.
        shared = self._shared if only is None else None
        ran = await execute(plan, self.sources, variables, context.deadline, context.request_id, context.principal.id, shared)
        context.systems = tuple(sorted({*context.systems, *ran.systems}))
        return self._assembled(plan, ran)

    def _assembled(self, plan: QueryPlan, ran: Ran) -> Part:
        done = assemble(plan, ran.layers)
        notices = done.notices.listed()
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
            feed = self.registry.feeds.get(coordinate)
            if feed is not None:
                names.update(dict.fromkeys(f"{feed.type}.{name}" for name in feed.narrows.values()))
            definition = self._field(coordinate)
            node = get_named_type(definition.type).name
            node = self.registry.connections.get(node, node)
            for argument in definition.args.values():
                filterable = self.registry.filters.get(get_named_type(argument.type).name, {})
                names.update(dict.fromkeys(f"{node}.{name}" for name in filterable.values()))
        return tuple(self.registry.coordinates[name] for name in names if name in self.registry.coordinates)

    def _field(self, coordinate: str) -> GraphQLField:
        type_name, _, name = coordinate.partition(".")
        parent = self.schema.type_map[type_name]
        assert isinstance(parent, GraphQLObjectType)
        found: GraphQLField = parent.fields[name]
        return found

    def _turn(self, prepared: Prepared, denied: frozenset[str], key: str) -> QueryPlan:
        """The plan of one root field of a mutation. Each has its own, so that nothing of one can be asked for with another's."""
        found = prepared.turns.get((denied, key))
        if found is None:
            operation = prepared.operation
            one = tuple(selected for selected in operation.selections if selected.key == key)
            found = plan_query(self.schema, self.registry, replace(operation, selections=one), denied)
            prepared.turns[denied, key] = found
        return found

    def mask(self, prepared: Prepared, principal: Principal) -> frozenset[str]:
        key = (principal.audience, principal.scopes, principal.ceiling)
        found = prepared.masks.get(key)
        if found is None:
            found = prepared.masks[key] = self._policy(principal, prepared.rows)
        return found

    def _plan(self, prepared: Prepared, denied: frozenset[str]) -> QueryPlan:
        found = prepared.plans.get(denied)
        if found is None:
            operation = prepared.operation
            planned = tuple(one for one in operation.selections if not self._is_core(one.name, one.coordinate))
            operation = Operation(operation.kind, operation.name, operation.root, planned, operation.coordinates)
            found = prepared.plans[denied] = plan_query(self.schema, self.registry, operation, denied)
        return found
