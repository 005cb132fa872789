"""The engine: a document and a principal in, finished bytes out. Ties documents, mask, plan, run and assembly together.

One engine serves one composition; a new composition gets a new engine, so a request sees one epoch from begin to end. Knows no
HTTP, no storage and no connector kinds.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from graphql import ExecutionResult, GraphQLSchema
from graphql.execution.values import VariableValues

from auth.access import Access, Rows, shape
from auth.policy import all_rows
from auth.policy import denied as deny
from auth.principal import ANONYMOUS, Principal
from hub.answer import Answer
from hub.errors import Refused
from hub.plan.explain import Explained, explained
from hub.plan.model import QueryPlan
from hub.plan.operation import Unplannable
from hub.run.arguments import Inputs
from hub.run.chunks import Asker, Shared
from hub.run.coalesce import Coalescer
from hub.run.cursors import Cursors
from hub.run.documents import Document
from hub.run.execute import Ran, execute
from hub.run.feeds import Feeds
from hub.run.folds import Folds, Whole
from hub.run.generated import assembled
from hub.run.layers import Layer
from hub.run.output_order import in_output_order
from hub.run.positions import values
from hub.run.prepared import Caches, Policy, Preparer, Ready
from hub.run.quality import all_notices
from hub.run.refusals import build_error, refusal, request_error, shown
from hub.run.seam import Context, Part, coerced, run
from hub.run.shown import INTROSPECTION, TELLING, Shown
from hub.run.slices import encode, weight
from hub.run.sources import Sources
from hub.run.subscribe import Who, subscribed
from hub.run.telling import Telling, told, wanted
from hub.run.terms import MAX_SCAN, Viewer
from schema.registry import Registry
from schema.subgraph import SERVICE

TIMEOUT = 10.0  # seconds for a whole request


class Engine:
    """See the module. ``core_roots`` are root coordinates with resolvers of their own; ``max_errors`` caps the errors of one answer;
    ``policy`` says which coordinates a caller may not see, ``rows`` which rules those that it sees must pass;
    ``coalesce`` lets requests share calls; ``cursors`` seals them, by default with a key that nobody else has; ``caches`` are those of the
    engine before, if there was one; ``max_scan`` rows of a list are looked at here at most."""

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
        rows: Callable[[Principal], Rows] = all_rows,
        coalesce: bool = True,
        caches: Caches | None = None,
        cursors: Cursors | None = None,
        max_scan: int = MAX_SCAN,
    ) -> None:
        self.schema = schema
        self.registry = registry
        self.sources = sources
        self._core_roots = core_roots
        self._directory = directory
        self._timeout = timeout
        self._max_errors = max_errors
        self._policy = policy
        self._shown = Shown(schema, registry, policy)
        self._rows = rows
        self._cursors = cursors or Cursors()
        self._max_scan = max_scan
        self.shared = Coalescer(sources) if coalesce else None
        self._folds = Folds(sources, self.shared) if self.shared is not None else None
        self.feeds = Feeds(sources)
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
        if context is not None and context.telling is not None:
            told_ = told(context.telling, self._plan(context), self.registry, self._policy, principal)
            result = ExecutionResult(result.data, result.errors, {**(result.extensions or {}), "explain": told_})
        ready = context.prepared if context is not None else None
        systems, rows = (context.systems, context.rows) if context is not None else ((), 0)
        return await self.answered(result, ready, systems, operation_name, context is not None, rows)

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

    async def answered(
        self,
        result: ExecutionResult,
        ready: Ready | None,
        systems: tuple[str, ...],
        operation_name: str | None,
        executed: bool = False,
        rows: int = 0,
    ) -> Answer:
        """A result as finished bytes; not ``executed``: a request error, or the end of a subscription. ``rows`` is how much it is."""
        operation = ready.operation if ready is not None else None
        body: dict[str, Any] = {}
        if executed:
            body["data"] = result.data
        errors = [build_error(error) for error in result.errors or ()]
        if errors:
            body["errors"] = errors
        if result.extensions:
            body["extensions"] = result.extensions
        return Answer(
            body=await encode(body, rows),
            executed=executed,
            codes=tuple(sorted({error["extensions"]["code"] for error in errors})),
            coordinates=operation.coordinates if operation is not None else (),
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
        rows: Rows | None = None,
        operation_name: str | None = None,
        principal: Principal = ANONYMOUS,
        request_id: str = "",
    ) -> ExecutionResult:
        """The same answer as values. ``denied`` and ``rows`` stand in for the policy's decision when they are given."""
        access = None if denied is None and rows is None else Access(denied or frozenset(), rows or {})
        _, result = await self._result(document, operation_name, variables, principal, request_id, access)
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
        ready = self.preparer.ready(document, operation_name, variables or {})
        access = self._access(ready, principal)
        return explained(self.preparer.plan(ready.prepared, access.denied, rules=shape(access.rows)), self.registry)

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

    def bounds(self) -> tuple[float, int | None]:
        """Seconds for a whole request, and how many errors one answer has."""
        return self._timeout, self._max_errors

    def resolved(self, ready: Ready) -> bool:
        """Whether any root field has a resolver of its own."""
        return any(self._is_core(one.name, one.coordinate) for one in ready.operation.selections)

    # -- inside --------------------------------------------------------------------------------------------------

    async def _result(
        self,
        document: Document,
        operation_name: str | None,
        variables: Mapping[str, Any] | None,
        principal: Principal,
        request_id: str,
        access: Access | None,
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
        context = Context(self, ready, principal, request_id, self._directory, access, keys, core, telling=telling)
        if any(one.name in TELLING for one in selections):
            try:
                context.shown = self._shown.to(principal)
                if any(one.coordinate == SERVICE for one in selections):
                    context.sdl = self._shown.sdl(context.shown)
            except ValueError:
                return None, ExecutionResult(None, [request_error("FORBIDDEN")])
        outcome = run(self.schema, document.tree, context, variables, operation_name or None)
        if isinstance(outcome, list):
            return None, ExecutionResult(None, [request_error("BAD_VARIABLES", error=error) for error in outcome])
        try:
            return context, await outcome
        except Unplannable as bound:
            return None, ExecutionResult(None, [request_error("PLAN_TOO_COMPLEX", str(bound))])

    def opened(
        self, document: Document, operation_name: str | None, variables: Mapping[str, Any] | None
    ) -> tuple[Ready, VariableValues] | ExecutionResult:
        """A subscription's operation and its variables, or the request errors."""
        if document.errors or document.tree is None:
            return ExecutionResult(None, [request_error(document.fault, error=error) for error in document.errors])
        try:
            ready = self.preparer.ready(document, operation_name, variables or {})
        except Unplannable as bound:
            return ExecutionResult(None, [request_error("PLAN_TOO_COMPLEX", str(bound))])
        except LookupError:
            return ExecutionResult(None, [request_error("OPERATION_NOT_FOUND")])
        given = coerced(self.schema, document.tree, variables, operation_name or None)
        if isinstance(given, list):
            return ExecutionResult(None, [request_error("BAD_VARIABLES", error=error) for error in given])
        return ready, given

    def mask(self, ready: Ready, principal: Principal) -> frozenset[str]:
        """What of an operation this principal may not see."""
        return self.preparer.denied(ready.prepared, principal)

    def seeing(self, ready: Ready, principal: Principal) -> tuple[QueryPlan, Viewer]:
        """The plan of an operation for this principal, and what its lists go by. Raises Unplannable."""
        access = self._access(ready, principal)
        return self.preparer.plan(ready.prepared, access.denied, rules=shape(access.rows)), Viewer(
            self._cursors, access.rows, self._max_scan
        )

    async def event(
        self, ready: Ready, variables: VariableValues, principal: Principal, request_id: str, row: Layer
    ) -> tuple[Part, tuple[str, ...]]:
        """The answer for one row of an event, and the systems that were called for it."""
        try:
            plan, viewer = self.seeing(ready, principal)
        except Unplannable as bound:
            return Part(None, [request_error("PLAN_TOO_COMPLEX", str(bound))]), ()
        deadline = self.sources.clock.monotonic() + self._timeout
        inputs = Inputs(variables, ready.nodes)
        ran = await execute(plan, self.sources, inputs, deadline, request_id, principal.caller, self.shared, event=row, viewer=viewer)
        return await self._assembled(plan, ran, weight(ran.layers), ready), tuple(sorted(ran.systems))

    async def part(self, context: Context, variables: VariableValues, only: str | None = None) -> Part:
        """The planned root fields of an operation, or the one of a mutation whose turn it is; called by the seam. Raises Unplannable."""
        ready: Ready = context.prepared
        telling: Telling | None = context.telling
        plan = self._plan(context, only)
        viewer = Viewer(self._cursors, self._access_of(context).rows, self._max_scan)
        if telling is not None and telling.mode == "dryRun":
            return Part(None)
        if context.deadline is None:
            context.deadline = self.sources.clock.monotonic() + self._timeout
        inputs = Inputs(variables, ready.nodes)
        # Steps are numbered anew in each turn of a mutation, so what they do is told of queries alone.
        analysis = telling.analysis if telling is not None and only is None else None
        # What is read after a write is asked for by this request alone: a call that others share may have been made before it.
        shared: Shared | None = self.shared if only is None else None
        who = context.principal.caller
        if self._folds is not None and only is None and analysis is None:
            folded = await self._folds.run(plan, inputs, Asker(context.deadline, context.request_id, who))
            if isinstance(folded, Whole):
                context.systems, context.rows = folded.systems, folded.rows
                return Part(folded.data)
            shared = folded
        ran = await execute(plan, self.sources, inputs, context.deadline, context.request_id, who, shared, analysis, viewer=viewer)
        context.systems = tuple(sorted({*context.systems, *ran.systems}))
        began = self.sources.clock.monotonic()
        rows = weight(ran.layers)
        context.rows += rows
        part = await self._assembled(plan, ran, rows, ready, context.propagates)
        if analysis is not None:
            analysis.assembly = self.sources.clock.monotonic() - began
        return part

    async def _assembled(self, plan: QueryPlan, ran: Ran, rows: int, ready: Ready, propagates: bool = True) -> Part:
        done = await assembled(plan, ran.layers, rows, propagates)
        notices = all_notices(done.notices, ran.layers, ran.stale, plan.denied)
        errors = shown(in_output_order(plan, done.errors), self._max_errors, ready.nodes)
        return Part(done.data, errors, {"notices": notices} if notices else None)

    def _plan(self, context: Context, only: str | None = None) -> QueryPlan:
        """The plan of a request, or of one of its root fields, under its own mask. Raises Unplannable."""
        prepared = context.prepared.prepared
        access = self._access_of(context)
        return self.preparer.plan(prepared, access.denied, only, shape(access.rows))

    def _access_of(self, context: Context) -> Access:
        if context.access is None:
            context.access = self._access(context.prepared, context.principal)
        return context.access

    def _access(self, ready: Ready, principal: Principal) -> Access:
        return Access(self.mask(ready, principal), self._rows(principal))

    def _is_core(self, name: str, coordinate: str) -> bool:
        return name in INTROSPECTION or coordinate == SERVICE or coordinate in self._core_roots
