"""``@defer`` answered in parts: what is not deferred as soon as it is there, the rest in the frames that graphql-core would send.

One plan is run once, the whole one, so an answer in parts asks what the answer in one piece asks. When the units that the first part needs
are done it is put together and handed out; when all are, so is the rest. Transports are in ``hub.serve``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import msgspec
from graphql import ExecutionResult, GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues

from auth.principal import ANONYMOUS, Principal
from hub.answer import Answer
from hub.plan.model import QueryPlan, Unit
from hub.plan.operation import Unplannable
from hub.run.arguments import Inputs
from hub.run.assemble import Assembled
from hub.run.chunks import Asked, Shared
from hub.run.collected import Collected
from hub.run.documents import Document
from hub.run.early import early, needed, whole
from hub.run.execute import _Run  # its staged kind is here, so that the ordinary way stays as it is
from hub.run.generated import assembled
from hub.run.increments import Completed, Cut, Delivery, Made
from hub.run.layers import Fault
from hub.run.positions import Located, values
from hub.run.prepared import Preparer, Ready
from hub.run.quality import all_notices
from hub.run.refusals import build_error, fault_error, request_error, shown
from hub.run.slices import turn, weight
from hub.run.sources import Sources
from hub.run.terms import Viewer

TOGETHER = 500  # groups that are completed before others have their turn


class Engine(Protocol):
    """What an answer in parts needs of its engine."""

    schema: GraphQLSchema
    sources: Sources
    preparer: Preparer

    @property
    def shared(self) -> Shared | None: ...

    def opened(
        self, document: Document, operation_name: str | None, variables: Mapping[str, Any] | None
    ) -> tuple[Ready, VariableValues] | ExecutionResult: ...

    def seeing(self, ready: Ready, principal: Principal) -> tuple[QueryPlan, Viewer]: ...

    def bounds(self) -> tuple[float, int | None]: ...

    def resolved(self, ready: Ready) -> bool: ...

    async def execute(
        self,
        document: Document,
        *,
        operation_name: str | None = None,
        variables: Mapping[str, Any] | None = None,
        principal: Principal = ANONYMOUS,
        request_id: str = "",
        extensions: Mapping[str, Any] | None = None,
    ) -> Answer: ...

    async def answered(
        self,
        result: ExecutionResult,
        ready: Ready | None,
        systems: tuple[str, ...],
        operation_name: str | None,
        executed: bool = False,
        rows: int = 0,
    ) -> Answer: ...


async def in_parts(
    engine: Engine,
    document: Document,
    *,
    operation_name: str | None = None,
    variables: Mapping[str, Any] | None = None,
    principal: Principal = ANONYMOUS,
    request_id: str = "",
    extensions: Mapping[str, Any] | None = None,
) -> Answer:
    """Like ``engine.execute``; where the operation defers something the answer has a ``rest``, which has to be read or closed.

    What is not a query, has root fields with resolvers of their own, keeps nulls in their places or wants its plan told comes at once.
    """

    async def at_once() -> Answer:
        return await engine.execute(
            document,
            operation_name=operation_name,
            variables=variables,
            principal=principal,
            request_id=request_id,
            extensions=extensions,
        )

    if document.later is None or (extensions and "explain" in extensions):
        return await at_once()
    opened = engine.opened(document, operation_name, variables)
    if isinstance(opened, ExecutionResult):
        return await at_once()
    ready, given = opened
    keeps_nulls = document.definitions[operation_name or next(iter(document.definitions))].directives
    if ready.operation.kind != "query" or keeps_nulls or engine.resolved(ready):
        return await at_once()
    try:
        plan, viewer = engine.seeing(ready, principal)
    except Unplannable as bound:
        return await engine.answered(ExecutionResult(None, [request_error("PLAN_TOO_COMPLEX", str(bound))]), None, (), operation_name)
    parts = _Parts(engine, ready, plan, Collected(engine.schema, document.later, operation_name or "", given), viewer)
    try:
        return await parts.begun(given, principal, request_id)
    except BaseException:
        parts.close()
        raise


class _Staged(_Run):
    """A run that tells when the units at ``early`` are done."""

    def begin(self, early: frozenset[int]) -> asyncio.Future[None]:
        """Set off. Whatever comes first is waited for by ``until``."""
        self.over = asyncio.get_running_loop().create_future()
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.wanted = {id(self.units[place]) for place in early}
        self._told()
        self._turn()
        return self.first

    def _done(self, unit: Unit) -> None:
        super()._done(unit)
        self.wanted.discard(id(unit))
        self._told()

    def _told(self) -> None:
        if not self.wanted and not self.first.done():
            self.first.set_result(None)

    async def until(self, there: asyncio.Future[None]) -> None:
        """Wait for ``there``. Raises what went wrong in the program before."""
        assert self.over is not None, "it has begun"
        await asyncio.wait({there, self.over}, return_when=asyncio.FIRST_COMPLETED)
        if self.over.done():
            self.over.result()


class _Parts:
    """One operation on its way in parts; the ``Rest`` of its answer."""

    def __init__(self, engine: Engine, ready: Ready, plan: QueryPlan, collected: Collected, viewer: Viewer) -> None:
        self.viewer = viewer
        self.engine = engine
        self.ready = ready
        self.plan = plan
        self.collected = collected
        self.run: _Staged | None = None
        self.delivery: Delivery | None = None
        self.left = engine.bounds()[1]  # errors that the answer may still have
        self.notices: list[Any] = []

    async def begun(self, given: VariableValues, principal: Principal, request_id: str) -> Answer:
        """The first part, or the whole answer where nothing is left to come."""
        engine, sources = self.engine, self.engine.sources
        deadline = sources.clock.monotonic() + engine.bounds()[0]
        who = principal.caller
        asked = Asked(sources, request_id, who, engine.shared)
        inputs = Inputs(given, self.ready.nodes)
        self.run = run = _Staged(self.plan, sources, (inputs,), deadline, asked, request_id, None, who, None, self.viewer)
        first = early(self.plan, self.collected)
        await run.until(run.begin(needed(first)))
        cut, done = await self._cut(first)
        made = cut.first()
        data, errors = (None, [made]) if isinstance(made, Located) else (made.data, made.errors)
        self.notices = self._noticed(done)
        result = ExecutionResult(data, self._shown(errors), {"notices": self.notices} if self.notices else None)
        answer = await engine.answered(result, self.ready, tuple(sorted(asked.systems)), None, True)
        if isinstance(made, Located):
            self.close()
            return answer
        delivery = Delivery(made)
        if not delivery.open:
            self.close()
            return answer
        self.delivery = delivery
        body = {**msgspec.json.decode(answer.body), "pending": delivery.pending(delivery.open), "hasNext": True}
        # The record of this answer is kept before its first byte leaves: it names whoever may be asked for the rest as well.
        systems = tuple(sorted({*answer.systems, *self.plan.systems}))
        return replace(answer, body=msgspec.json.encode(body), systems=systems, rest=self)

    async def next(self) -> Answer | None:
        """All that was deferred, in one frame."""
        run, delivery = self.run, self.delivery
        if run is None or delivery is None or run.over is None:
            return None
        await run.until(run.over)
        cut, done = await self._cut(whole(self.plan))
        pending: list[dict[str, Any]] = []
        incremental: list[dict[str, Any]] = []
        completed: list[dict[str, Any]] = []
        count = 0
        while delivery.open:
            over = delivery.next(cut)
            pending += delivery.pending(over.announced)
            incremental += [self._told(told.id, told.sub_path, told.made) for told in over.told]
            completed.append(self._completed(over))
            count += 1
            if count % TOGETHER == 0:
                await turn()
        body: dict[str, Any] = {"hasNext": False}
        for name, some in (("pending", pending), ("incremental", incremental), ("completed", completed)):
            if some:
                body[name] = some
        notices = self._noticed(done)
        if notices != self.notices:
            body["extensions"] = {"notices": notices}
        errors = [error for one in (*incremental, *completed) for error in one.get("errors", ())]
        self.close()
        return self._frame(body, errors, tuple(sorted(run.asked.systems)))

    def failed(self) -> Answer:
        """The last frame after a mistake of the program: whatever is pending fails."""
        error = build_error(fault_error(Fault("INTERNAL")))
        delivery = self.delivery
        still = delivery.pending(delivery.open) if delivery is not None else []
        self.close()
        return self._frame({"hasNext": False, "completed": [{"id": one["id"], "errors": [error]} for one in still]}, [error], ())

    def close(self) -> None:
        """End what is under way."""
        run, self.run, self.delivery = self.run, None, None
        if run is None:
            return
        run.cancel()
        if run.over is not None and (not run.over.done() or run.over.cancelled()):
            run.over.cancel()
        elif run.over is not None:
            run.over.exception()  # seen, whoever was to be told

    # -- inside --------------------------------------------------------------------------------------------------

    async def _cut(self, plan: QueryPlan) -> tuple[Cut, Assembled]:
        """Data and errors where they are; nulls move where it is known what comes together."""
        assert self.run is not None, "it has begun"
        layers = self.run.layers
        done = await assembled(plan, layers, weight(layers), False)
        return Cut(self.collected, values(done.data) or {}, done.errors), done

    def _noticed(self, done: Assembled) -> list[Any]:
        assert self.run is not None, "it has begun"
        return all_notices(done.notices, self.run.layers, self.run.asked.stale, self.plan.denied)

    def _shown(self, errors: Sequence[Located]) -> list[GraphQLError]:
        found = shown(errors, self.left, self.ready.nodes)
        if self.left is not None:
            self.left = max(0, self.left - len(errors))
        return found

    def _told(self, name: str, sub_path: Sequence[str | int], made: Made) -> dict[str, Any]:
        found: dict[str, Any] = {"data": made.data, "id": name}
        if sub_path:
            found["subPath"] = list(sub_path)
        if made.errors:
            found["errors"] = [build_error(error) for error in self._shown(made.errors)]
        return found

    def _completed(self, over: Completed) -> dict[str, Any]:
        if over.error is None:
            return {"id": over.id}
        return {"id": over.id, "errors": [build_error(error) for error in self._shown([over.error])]}

    def _frame(self, body: Mapping[str, Any], errors: Sequence[Mapping[str, Any]], systems: tuple[str, ...]) -> Answer:
        codes = tuple(sorted({error["extensions"]["code"] for error in errors}))
        return Answer(msgspec.json.encode(body), True, codes, (), systems, self.ready.operation.name, "query")
