"""A subscription: each event's row is the root of the plan that a query about it would have, run anew with the rights of that moment.

Knows feeds and one engine; transports are in ``hub.serve``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import ExecutionResult, get_named_type
from graphql.execution.values import VariableValues

from auth.errors import BadToken
from auth.principal import Principal
from hub.answer import Answer
from hub.plan.operation import Selected
from hub.run.arguments import BadArgument, Inputs, arguments
from hub.run.convert import canonical
from hub.run.feeds import Ended, Feeds, Happened
from hub.run.layers import Fault, Fetched, Layer
from hub.run.refusals import fault_error
from hub.run.seam import Part
from hub.run.writes import row
from schema.registry import Binding, Registry

TOGETHER = 32  # rows of one event that are answered at a time, so that their keys travel in common calls
Who = Callable[[], Awaitable[Principal]]


class Prepared(Protocol):
    """A normalised operation; see ``hub.run.engine``."""

    @property
    def operation(self) -> Any: ...


class Engine(Protocol):
    """What a subscription needs of its engine."""

    registry: Registry
    feeds: Feeds

    def opened(
        self, document: Any, operation_name: str | None, variables: Mapping[str, Any] | None
    ) -> tuple[Any, VariableValues] | ExecutionResult: ...

    def mask(self, prepared: Any, principal: Principal) -> frozenset[str]: ...

    async def event(
        self, prepared: Any, variables: VariableValues, principal: Principal, request_id: str, row: Layer
    ) -> tuple[Part, tuple[str, ...]]: ...

    async def answered(
        self, result: ExecutionResult, ready: Any, systems: tuple[str, ...], operation_name: str | None, executed: bool = False
    ) -> Answer: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a subscription chose by its arguments: parameters of the feed, and values of fields that an event's row must have."""

    params: Mapping[str, Any]
    narrowed: Mapping[str, frozenset[Any]]


async def subscribed(
    engine: Engine,
    document: Any,
    *,
    who: Who,
    operation_name: str | None = None,
    variables: Mapping[str, Any] | None = None,
    request_id: str = "",
) -> AsyncGenerator[Answer, None]:
    """One answer for each row of each event. One that is not ``executed`` is the last and says why there are no more.

    ``who`` is asked at the beginning and before each event; it raises BadToken when the caller's rights have ended.
    """
    opened = engine.opened(document, operation_name, variables)
    if isinstance(opened, ExecutionResult):
        yield await engine.answered(opened, None, (), operation_name)
        return
    prepared, given = opened
    [selected] = prepared.operation.selections  # validation lets a subscription have one root field

    async def ended(fault: Fault) -> Answer:
        return await engine.answered(ExecutionResult(None, [fault_error(fault)]), prepared, (), operation_name)

    try:
        principal = await who()
        if selected.coordinate in engine.mask(prepared, principal):
            raise Ended(Fault("FORBIDDEN"))
        binding = engine.registry.feeds.get(selected.coordinate)
        if binding is None:
            raise Ended(Fault("NOT_BOUND"))
        wanted = _wanted(binding, selected, Inputs(given, prepared.nodes), engine.mask(prepared, principal))
        async with engine.feeds.joined(binding, wanted.params, principal.caller, request_id) as news:
            async for happened in news:
                rows = _rows(binding, selected, happened, wanted)
                for start in range(0, len(rows), TOGETHER):
                    principal = await who()
                    denied = engine.mask(prepared, principal)
                    if selected.coordinate in denied or _hidden(binding, wanted, denied):
                        raise Ended(Fault("FORBIDDEN"))
                    asked = [engine.event(prepared, given, principal, request_id, one) for one in rows[start : start + TOGETHER]]
                    for part, systems in await asyncio.gather(*asked):
                        data = dict(part.data) if part.data is not None else None
                        result = ExecutionResult(data, list(part.errors), dict(part.extensions or {}))
                        yield await engine.answered(result, prepared, systems, operation_name, True)
    except Ended as end:
        yield await ended(end.fault)
    except BadArgument as bad:
        yield await ended(bad.fault)
    except BadToken:
        yield await ended(Fault("UNAUTHENTICATED"))


def _wanted(binding: Binding, selected: Selected, inputs: Inputs, denied: frozenset[str]) -> _Wanted:
    """Raises BadArgument, Ended (FORBIDDEN): choosing by what one may not see would tell what there is."""
    given = arguments(selected, inputs)
    narrowed = {
        field: frozenset(value if isinstance(value, list) else [value])
        for name, field in binding.narrows.items()
        if (value := given.get(name)) is not None
    }
    wanted = _Wanted({param: given.get(name) for name, param in binding.args.items()}, narrowed)
    if _hidden(binding, wanted, denied):
        raise Ended(Fault("FORBIDDEN"))
    return wanted


def _hidden(binding: Binding, wanted: _Wanted, denied: frozenset[str]) -> bool:
    return any(f"{binding.type}.{name}" in denied for name in wanted.narrowed)


def _rows(binding: Binding, selected: Selected, happened: Happened, wanted: _Wanted) -> list[Layer]:
    """A layer for each row that was asked for; an event that could not be read is told to everybody."""
    # The plan has this one step first, since the root field is planned first.
    step = 1
    if happened.fault is not None:
        return [row(binding, step, tuple(column.name for column in binding.relation.fields), happened.fault)]
    kept = range(happened.size)
    named: Any = get_named_type(selected.type)
    for name, values in wanted.narrowed.items():
        column = str(binding.fields[name].column)
        read = canonical(happened.columns[column], named.fields[name].type, binding.relation.field(column)).values
        kept = [at for at in kept if read[at] in values]  # type: ignore[assignment]  # fewer of them, in order
    columns = happened.columns.items()
    return [Layer(1, (0,), (0,), fetched={step: Fetched({name: [values[at]] for name, values in columns}, (True,))}) for at in kept]
