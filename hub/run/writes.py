"""A write: one call, made once. It is never sent elsewhere or shared, and never repeated unless its source tells by a key what it has
carried out already, so an answer that got lost leaves its outcome unknown.

Knows the connector interface and one step.
"""

from __future__ import annotations

from uuid import uuid4

from connectors.spi import Ask, Call, SourceError
from hub.plan.model import Write
from hub.run.arguments import BadArgument, Inputs, arguments
from hub.run.chunks import join
from hub.run.layers import Fault, Fetched, Layer
from hub.run.sources import Sources
from schema.registry import Binding


async def write(step: Write, sources: Sources, inputs: Inputs, deadline: float, request_id: str, principal: str) -> tuple[Layer, bool]:
    """The one-row layer of what the source answered, and whether it was called at all. Raises nothing but CancelledError."""
    binding = step.binding
    try:
        given = arguments(step.selected, inputs)
    except BadArgument as error:
        return row(binding, step.id, step.columns, fault=error.fault), False
    params = {param: given.get(argument) for argument, param in binding.args.items()}
    try:
        sources.cache.drop(binding.system)  # whatever becomes of it; what is read meanwhile may be of before
        plan = sources.plan(binding.system, Ask(binding.relation.name, step.columns, args=tuple(params)), binding.relation)
        key = uuid4().hex if binding.idempotent else ""
        call = Call(params, (), deadline, principal, request_id, idempotency_key=key)
        pages = await sources.pages(binding.system, plan, call)
        columns, size = join(pages, plan), sum(page.size for page in pages)
        if size > 1:
            raise SourceError("broken", "a write is answered by one row", source=binding.system, relation=binding.relation.name)
    except SourceError as error:
        return row(binding, step.id, step.columns, fault=Fault.of(error) if error.untouched else unknown(binding)), True
    finally:
        sources.cache.drop(binding.system)
    if not size:
        return row(binding, step.id, step.columns), True
    return Layer(1, (0,), (0,), fetched={step.id: Fetched(columns, (True,))}), True


def row(binding: Binding, step: int, columns: tuple[str, ...], fault: Fault | None = None) -> Layer:
    """The layer of a row that is not there, and why not."""
    empty = {column.name: [None] for column in binding.relation.select(columns)}
    return Layer(1, (0,), (0,), fetched={step: Fetched(empty, (False,), {0: fault} if fault is not None else {})})


def unknown(binding: Binding) -> Fault:
    """The call was sent and its answer did not come, or cannot be read: only the source knows what it did."""
    if not binding.check:
        return Fault("OUTCOME_UNKNOWN", system=binding.system)
    zh = f"请求已发出但未收到可辨认的结果，可能已经办理。请先用 `{binding.check}` 查询，再决定是否重新提交。"
    en = f"The request was sent and no readable answer came: it may have been carried out. Ask `{binding.check}` before sending it again."
    return Fault("OUTCOME_UNKNOWN", zh, en, system=binding.system)
