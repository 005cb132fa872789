"""Run the steps of a plan: each as soon as those it needs are done, fetches of one group together. Fills layers; makes no JSON.

A failure stays with the rows it concerns: no step raises, except when the whole request is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql.execution.values import VariableValues

from connectors.spi import SourceError
from hub.plan.merge import needs
from hub.plan.model import ROOT, Arguments, Expand, Fetch, QueryPlan, Scan, Step
from hub.run.arguments import BadArgument, PageArguments, arguments, page
from hub.run.choices import left
from hub.run.chunks import Answered, Asked, Key, Question, Shared, align
from hub.run.layers import Fault, Fetched, Layer, Paged, keys_of, such
from hub.run.lists import expand
from hub.run.required import bundles, under
from hub.run.scan import Scanning, conditions
from hub.run.sources import Sources


@dataclass(slots=True)
class Ran:
    """What is left of a run: the layers, by id, and the systems that were called."""

    layers: dict[int, Layer]
    systems: set[str] = field(default_factory=set)


async def execute(
    plan: QueryPlan,
    sources: Sources,
    variables: VariableValues,
    deadline: float,
    request_id: str,
    principal: str = "",
    shared: Shared | None = None,
) -> Ran:
    """Run ``plan`` until ``deadline`` (seconds of the sources' clock). Raises nothing but CancelledError."""
    asked = Asked(sources, deadline, request_id, principal, shared)
    run = _Run(plan, sources, variables, deadline, request_id, asked)
    try:
        await run.all()
    finally:
        run.cancel()
    return Ran(run.layers, run.asked.systems)


class _Run:
    def __init__(
        self, plan: QueryPlan, sources: Sources, variables: VariableValues, deadline: float, request_id: str, asked: Asked
    ) -> None:
        self.plan = plan
        self.sources = sources
        self.variables = variables
        self.deadline = deadline
        self.request_id = request_id
        self.asked = asked
        self.layers: dict[int, Layer] = {ROOT: Layer(1)}
        self.steps: Mapping[int, Step] = {step.id: step for step in plan.steps}
        self.tasks: dict[int, asyncio.Task[None]] = {}

    async def all(self) -> None:
        for members in self.plan.groups:
            steps = [step for step in (self.steps[number] for number in members) if isinstance(step, Fetch)]
            task = asyncio.create_task(self._group(steps))
            self.tasks.update(dict.fromkeys(members, task))
        for step in self.plan.steps:
            if step.id not in self.tasks:
                self.tasks[step.id] = asyncio.create_task(self._step(step))
        if self.tasks:
            await asyncio.gather(*set(self.tasks.values()))

    def cancel(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        self.asked.cancel()

    async def _after(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            await self.tasks[number]

    async def _step(self, step: Step) -> None:
        await self._after(needs(step))
        match step:
            case Arguments():
                self._arguments(step)
            case Scan():
                await self._scan(step)
            case Expand():
                self.layers[step.id] = expand(step, self.layers[step.layer], self.variables)

    # -- one-row layers and root lists ---------------------------------------------------------------------------

    def _arguments(self, step: Arguments) -> None:
        faults = {}
        given: dict[str, Any] = {}
        try:
            given = arguments(step.selected, self.variables)
        except BadArgument as error:
            faults[0] = error.fault
        columns = {key: [given.get(argument)] for argument, key in step.columns.items()}
        self.layers[step.id] = Layer(1, (0,), (0,), fetched={step.id: Fetched(columns, (True,), faults)})

    async def _scan(self, step: Scan) -> None:
        try:
            given = arguments(step.selected, self.variables)
            cut = page(given, len(step.order)) if step.order else None
            scanning = Scanning(step, self.sources, self.deadline, self.request_id, conditions(step, given))
            self.asked.systems.add(step.binding.system)
            self.layers[step.id] = await self._scanned(step, scanning, cut)
        except SourceError as error:
            self.layers[step.id] = Layer(0, faults={0: Fault.of(error)})
        except BadArgument as error:
            self.layers[step.id] = Layer(0, faults={0: error.fault})

    async def _scanned(self, step: Scan, scanning: Scanning, cut: PageArguments | None) -> Layer:
        found = await scanning.rows(cut) if step.rows or cut is None else None
        total = found.total if found is not None else None
        if step.total and total is None:
            total = await scanning.total()
        columns = found.columns if found is not None else {}
        size = found.size if found is not None else 0
        paged = Paged(range(size), found is not None and found.has_next, cut is not None and cut.after is not None, total)
        return Layer(size, parent=[0] * size, index=range(size), lists={0: paged}, fetched={step.id: Fetched(columns)})

    # -- fetches -------------------------------------------------------------------------------------------------

    async def _group(self, steps: Sequence[Fetch]) -> None:
        await self._after(sorted({number for step in steps for number in needs(step)}))
        if steps[0].requires:  # alone in its group
            await self._requiring(steps[0])
            return
        keyed = [self._keys(step) for step in steps]
        answers = await self.asked.rows(self._question(steps[0]), [key for keys, _ in keyed for key in keys])
        for step, (keys, faults) in zip(steps, keyed, strict=True):
            self.layers[step.layer].fetched[step.id] = align(step.binding, step.columns, keys, faults, answers)

    async def _requiring(self, step: Fetch) -> None:
        """A fetch with values that other fields give: one question for each combination of them, all at once."""
        keys, faults = self._keys(step)
        layer = self.layers[step.layer]
        asked = bundles(layer, step.requires, keys, faults)
        names = [each.param for each in step.requires]
        questions = [self._question(step, dict(zip(names, given, strict=True))) for given in asked]
        found = await asyncio.gather(*(self.asked.rows(q, some) for q, some in zip(questions, asked.values(), strict=True)))
        answers: dict[Key, Answered] = {}
        for given, some in zip(asked, found, strict=True):
            answers |= under(given, some)
        layer.fetched[step.id] = align(step.binding, step.columns, keys, faults, answers)

    def _keys(self, step: Fetch) -> tuple[list[Key | None], dict[int, Fault]]:
        """The key of each row that is to be asked for, and why some could not be had."""
        layer = self.layers[step.layer]
        keys, faults = keys_of(layer, step.key)
        wanted = such(layer, step.when)
        if step.unless:
            open_ = [any(each) for each in zip(*(left(layer, guard) for guard in step.unless), strict=True)]
            wanted = open_ if wanted is None else [one and other for one, other in zip(wanted, open_, strict=True)]
        if wanted is not None:
            keys = [key if open else None for key, open in zip(keys, wanted, strict=True)]
            faults = {row: fault for row, fault in faults.items() if wanted[row]}
        return keys, faults

    def _question(self, step: Fetch, required: Mapping[str, Any] | None = None) -> Question:
        params: dict[str, Any] = dict(required or {})
        if step.selected is not None:
            given = arguments(step.selected, self.variables)
            params |= {param: given.get(argument) for argument, param in step.binding.args.items()}
        return Question(step.binding, step.columns, tuple(slot.type for slot in step.key), params)
