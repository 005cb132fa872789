"""The engine: a document and a principal in, finished bytes out. Ties documents, mask, plan, run and assembly together.

One engine serves one composition; a new composition gets a new engine, so a request sees one epoch from begin to end. Knows no
HTTP, no storage and no connector kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import ExecutionResult, GraphQLSchema
from graphql.execution.values import VariableValues

from auth.policy import denied as deny
from auth.principal import ANONYMOUS, Principal
from hub.answer import Answer
from hub.errors import Refused
from hub.plan.explain import Explained, explained
from hub.plan.model import QueryPlan
from hub.plan.operation import Unplannable
from hub.run.arguments import Inputs
from hub.run.assemble import assemble, assemble_large
from hub.run.coalesce import Coalescer
from hub.run.documents import Document
from hub.run.execute import execute
from hub.run.positions import values
from hub.run.prepared import Caches, Policy, Preparer, Ready
from hub.run.refusals import build_error, refusal, request_error, shown
from hub.run.seam import Context, Part, run
from hub.run.slices import LARGE, encode, weight
from hub.run.sources import Sources
from hub.run.telling import Telling, told, wanted
from schema.registry import Registry

TIMEOUT = 10.0  # seconds for a whole request


class Engine:
    """See the module. ``core_roots`` are root coordinates with resolvers of their own; ``max_errors`` caps the errors of one answer;
    ``coalesce`` lets requests share calls; ``caches`` are those of the engine before, if there was one."""

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
        policy: Policy = deny,
        coalesce: bool = True,
        caches: Caches | None = None,
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
        self.preparer = Preparer(schema, registry, policy, sources.clock, self._is_core, caches)

    def parse(self, text: str) -> Document:
        """Parse and validate against the public schema; from the cache when seen before."""
        return self.preparer.document(text)

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
        try:
            telling = wanted(extensions, principal)
            context, result = await self._result(document, operation_name, variables, principal, request_id, None, telling)
        except Refused as refused:
            context, result = None, ExecutionResult(None, [refusal(refused)])
        operation = context.prepared.operation if context is not None else None
        body: dict[str, Any] = {}
        if context is not None:
            body["data"] = result.data
        errors = [build_error(error) for error in result.errors or ()]
        if errors:
            body["errors"] = errors
        if context is not None and context.telling is not None:
            plan = self._plan(context)
            told_ = told(context.telling, plan, self.registry, self._policy, principal)
            body["extensions"] = {**(result.extensions or {}), "explain": told_}
        elif result.extensions:
            body["extensions"] = result.extensions
        return Answer(
            body=await encode(body, context.rows if context is not None else 0),
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
        operation_name: str | None = None,
        principal: Principal = ANONYMOUS,
        request_id: str = "",
    ) -> ExecutionResult:
        """The same answer as values. ``denied`` stands in for the policy's decision when it is given."""
        _, result = await self._result(document, operation_name, variables, principal, request_id, denied)
        return ExecutionResult(values(result.data), result.errors, result.extensions)

    def explained(
        self,
        document: Document,
        variables: Mapping[str, Any] | None = None,
        *,
        operation_name: str | None = None,
        principal: Principal = ANONYMOUS,
    ) -> Explained:
        """The whole plan of an operation as this principal would get it. Raises GraphQLError for a document that is not valid, LookupError
        when there is no operation of that name, Unplannable."""
        if document.errors:
            raise document.errors[0]
        prepared = self.preparer.ready(document, operation_name, variables or {}).prepared
        return explained(self.preparer.plan(prepared, self.preparer.denied(prepared, principal)), self.registry)

    def explain(
        self,
        document: Document,
        variables: Mapping[str, Any] | None = None,
        *,
        operation_name: str | None = None,
        principal: Principal = ANONYMOUS,
    ) -> str:
        """The same as text."""
        return self.explained(document, variables, operation_name=operation_name, principal=principal).text

    # -- inside --------------------------------------------------------------------------------------------------

    async def _result(
        self,
        document: Document,
        operation_name: str | None,
        variables: Mapping[str, Any] | None,
        principal: Principal,
        request_id: str,
        denied: frozenset[str] | None,
        telling: Telling | None = None,
    ) -> tuple[Context | None, ExecutionResult]:
        if document.errors or document.tree is None:
            return None, ExecutionResult(None, [request_error(document.fault, error=error) for error in document.errors])
        try:
            ready = self.preparer.ready(document, operation_name, variables or {})
        except Unplannable as bound:
            return None, ExecutionResult(None, [request_error("PLAN_TOO_COMPLEX", str(bound))])
        except LookupError:
            return None, ExecutionResult(None, [request_error("OPERATION_NOT_FOUND")])
        selections = ready.operation.selections
        core = {one.key: ready.nodes[one.number] for one in selections if self._is_core(one.name, one.coordinate)}
        keys = tuple(selected.key for selected in selections)
        if telling is not None and telling.mode == "dryRun":
            core = {}  # what has a resolver of its own is not run either
        context = Context(self, ready, principal, request_id, self._directory, denied, keys, core, telling=telling)
        outcome = run(self.schema, document.tree, context, variables, operation_name or None)
        if isinstance(outcome, list):
            return None, ExecutionResult(None, [request_error("BAD_VARIABLES", error=error) for error in outcome])
        try:
            return context, await outcome
        except Unplannable as bound:
            return None, ExecutionResult(None, [request_error("PLAN_TOO_COMPLEX", str(bound))])

    async def part(self, context: Context, variables: VariableValues) -> Part:
        """The planned root fields of an operation; called by the seam. Raises Unplannable."""
        ready: Ready = context.prepared
        telling: Telling | None = context.telling
        plan = self._plan(context)
        if telling is not None and telling.mode == "dryRun":
            return Part(None)
        deadline = self.sources.clock.monotonic() + self._timeout
        inputs, analysis = Inputs(variables, ready.nodes), telling.analysis if telling is not None else None
        ran = await execute(plan, self.sources, inputs, deadline, context.request_id, context.principal.id, self._shared, analysis)
        context.systems = tuple(sorted(ran.systems))
        began = self.sources.clock.monotonic()
        context.rows = weight(ran.layers)
        done = assemble(plan, ran.layers) if context.rows <= LARGE else await assemble_large(plan, ran.layers)
        if analysis is not None:
            analysis.assembly = self.sources.clock.monotonic() - began
        notices = done.notices.listed()
        return Part(done.data, shown(done.errors, self._max_errors, ready.nodes), {"notices": notices} if notices else None)

    def _plan(self, context: Context) -> QueryPlan:
        """The plan of a request under its own mask. Raises Unplannable."""
        prepared = context.prepared.prepared
        return self.preparer.plan(prepared, self.preparer.denied(prepared, context.principal) if context.denied is None else context.denied)

    def _is_core(self, name: str, coordinate: str) -> bool:
        return name in ("__schema", "__type") or coordinate in self._core_roots
