"""Run the steps of a plan: each as soon as those it needs are done, fetches of one group together. Fills layers; makes no JSON.

A failure stays with the rows it concerns: no step raises, except when the whole request is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from graphql.execution.values import VariableValues

from connectors.spi import SourceError
from hub.plan.merge import needs
from hub.plan.model import ROOT, Arguments, Expand, Fetch, Figures, Guard, QueryPlan, Scan, Step
from hub.run.aggregate import figures
from hub.run.arguments import BadArgument, arguments
from hub.run.chunks import Asked, Question, Shared, align
from hub.run.cursors import Cursors
from hub.run.cut import cut_of
from hub.run.layers import Fault, Fetched, Layer, keys_of
from hub.run.lists import expand
from hub.run.nested import listed
from hub.run.semi import scanned
from hub.run.sources import Sources
from hub.run.terms import Viewer, guarded, terms


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
    viewer: Viewer | None = None,
) -> Ran:
    """Run ``plan`` until ``deadline`` (seconds of the sources' clock). Raises nothing but CancelledError."""
    asked = Asked(sources, deadline, request_id, principal, shared)
    run = _Run(plan, sources, variables, deadline, request_id, asked, viewer or Viewer(Cursors(), {}))
    try:
        await run.all()
    finally:
        run.cancel()
    return Ran(run.layers, run.asked.systems)


class _Run:
    def __init__(
        self,
        plan: QueryPlan,
        sources: Sources,
        variables: VariableValues,
        deadline: float,
        request_id: str,
        asked: Asked,
        viewer: Viewer,
    ) -> None:
        self.plan = plan
        self.sources = sources
        self.variables = variables
        self.deadline = deadline
        self.request_id = request_id
        self.asked = asked
        self.viewer = viewer
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
            case Figures():
                await self._figures(step)
            case Expand():
                above = self.layers[step.layer]
                found = (
                    expand(step, above)
                    if step.listing is None and not step.kinds
                    else await listed(step, above, self.variables, self.viewer, self.asked)
                )
                self.layers[step.id] = found
            case Guard():
                layer = self.layers[step.layer]
                layer.fetched[step.id] = guarded(step, layer, self.viewer.rows)

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
            wanted = terms(step.listing, step.selected if step.pages else None, given, self.viewer)
            params = {param: given[name] for name, param in step.binding.args.items() if given.get(name) is not None}
            self.asked.systems.add(step.binding.system)
            self.layers[step.id] = await scanned(
                step, wanted, params, self.sources, self.asked, self.deadline, self.request_id, self.viewer
            )
        except SourceError as error:
            self.layers[step.id] = Layer(0, faults={0: Fault.of(error)})
        except BadArgument as error:
            self.layers[step.id] = Layer(0, faults={0: error.fault})

    async def _figures(self, step: Figures) -> None:
        try:
            given = arguments(step.scan.selected, self.variables)
            self.asked.systems.add(step.binding.system)
            self.layers[step.id] = await figures(step, given, self.viewer, self.sources, self.asked, self.deadline, self.request_id)
        except SourceError as error:
            self.layers[step.id] = Layer(0, faults={0: Fault.of(error)})
        except BadArgument as error:
            self.layers[step.id] = Layer(0, faults={0: error.fault})

    # -- fetches -------------------------------------------------------------------------------------------------

    async def _group(self, steps: Sequence[Fetch]) -> None:
        await self._after(sorted({number for step in steps for number in needs(step)}))
        keyed = [keys_of(self.layers[step.layer], step.key) for step in steps]
        answers = await self.asked.rows(self._question(steps[0]), [key for keys, _ in keyed for key in keys])
        for step, (keys, faults) in zip(steps, keyed, strict=True):
            self.layers[step.layer].fetched[step.id] = align(step.binding, step.columns, keys, faults, answers)

    def _question(self, step: Fetch) -> Question:
        params: dict[str, Any] = {}
        cut = None
        if step.selected is not None:
            given = arguments(step.selected, self.variables)
            params = {param: given.get(argument) for argument, param in step.binding.args.items()}
            if step.cut is not None:
                with suppress(BadArgument):  # the list itself says so
                    cut = cut_of(terms(step.cut, step.selected, given, self.viewer), step.binding.relation)
        return Question(step.binding, step.columns, tuple(slot.type for slot in step.key), params, cut)
