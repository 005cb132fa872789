"""Run the steps of a plan: each as soon as those it needs are done, fetches of one group together. Fills layers; makes no JSON.

A failure stays with the rows it concerns: no step raises, except when the whole request is cancelled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from graphql import GraphQLString

from connectors.columns import in_lot
from connectors.spi import SourceError
from hub.plan.model import Align, Arguments, Entities, Event, Expand, Fetch, Figures, QueryPlan, Scan, Screen, Unit, Write
from hub.plan.schedule import budget
from hub.plan.slots import ROOT
from hub.run.aggregate import figures
from hub.run.analysis import Analysis
from hub.run.arguments import BadArgument, Inputs, arguments, variables
from hub.run.choices import left
from hub.run.chunks import Asked, Question, Shared, align
from hub.run.cursors import Cursors
from hub.run.cut import cut_of
from hub.run.entities import entities
from hub.run.layers import Fault, Fetched, Layer, keys_of, such
from hub.run.lists import aligned, expand
from hub.run.nested import Listed, begun
from hub.run.representations import represented
from hub.run.required import bundles, under
from hub.run.rows import Key
from hub.run.scan import Asking
from hub.run.semi import scanned
from hub.run.sent import Answered, when_all
from hub.run.sources import Sources
from hub.run.terms import Viewer, screened, terms
from hub.run.writes import write

NOBODY = Viewer(Cursors(), {})  # whose lists nobody pages through later


@dataclass(slots=True)
class Ran:
    """What is left of a run: the layers, by id, the systems that were called, and how old what stands in is, by field or type."""

    layers: dict[int, Layer]
    systems: set[str] = field(default_factory=set)
    stale: Mapping[str, float] = field(default_factory=dict)


async def execute(
    plan: QueryPlan,
    sources: Sources,
    inputs: Inputs,
    deadline: float,
    request_id: str,
    principal: str = "",
    shared: Shared | None = None,
    analysis: Analysis | None = None,
    event: Layer | None = None,
    viewer: Viewer | None = None,
    others: Sequence[Inputs] = (),
) -> Ran:
    """Run ``plan`` until ``deadline`` (seconds of the sources' clock), and tell ``analysis`` what each step does; then nothing is shared.
    ``event`` is the row of a subscription's event, ``viewer`` for whom lists are made. ``others`` are the inputs of further requests, one
    row of the roots each; see ``hub.run.folds``. Raises nothing but CancelledError."""
    # Nothing is taken of the event's own system that was asked for before the event.
    anew = frozenset(step.binding.system for step in plan.steps if isinstance(step, Event))
    asked = Asked(sources, request_id, principal, shared if analysis is None else None, anew)
    run = _Run(plan, sources, (inputs, *others), deadline, asked, request_id, analysis, principal, event, viewer or NOBODY)
    try:
        await run.all()
    except BaseException:
        run.cancel()
        raise
    return Ran(run.layers, run.asked.systems, run.asked.stale)


class _Run:
    """One run: units whose counter has reached zero are begun. Only what asks a system has a task."""

    def __init__(
        self,
        plan: QueryPlan,
        sources: Sources,
        inputs: tuple[Inputs, ...],
        deadline: float,
        asked: Asked,
        request_id: str,
        analysis: Analysis | None,
        principal: str,
        event: Layer | None,
        viewer: Viewer,
    ) -> None:
        self.units = plan.schedule
        self.analysis = analysis
        self.sources = sources
        self.each = inputs
        self.inputs = inputs[0]
        self.deadline = deadline
        self.asked = asked
        self.request_id = request_id
        self.principal = principal
        self.event = event
        self.viewer = viewer
        self.layers: dict[int, Layer] = {ROOT: Layer(len(inputs))}
        self.waits = [unit.waits for unit in self.units]
        self.next: deque[Callable[[], None]] = deque(partial(self._begin, unit) for unit in self.units if not unit.waits)
        self.left = len(self.units)
        self.now = 0.0  # of the turn at hand
        self.turning = False
        self.over: asyncio.Future[None] | None = None
        self.tasks: list[asyncio.Task[None]] = []

    async def all(self) -> None:
        self._turn()
        if self.left:
            self.over = asyncio.get_running_loop().create_future()
            await self.over

    def _turn(self) -> None:
        """All that can be done now: in the request's task at first, then wherever an answer comes in, which saves waking the task."""
        if self.turning:
            return
        self.turning = True
        self.now = self.sources.clock.monotonic()
        try:
            while self.next:
                self.next.popleft()()
        except BaseException as error:
            if self.over is None:
                raise
            if not self.over.done():
                self.over.set_exception(error)
        finally:
            self.turning = False
        if not self.left and self.over is not None and not self.over.done():
            self.over.set_result(None)

    def cancel(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.asked.cancel()

    def _begin(self, unit: Unit) -> None:
        step = unit.steps[0]
        match step:
            case Fetch():
                self._fetch(unit)
                return
            case Scan():
                self._task(unit, self._scan(step, self._until(unit)), self._context(step))
                return
            case Arguments():
                self._arguments(step)
            case Entities():
                self._entities(step)
            case Figures():
                self._task(unit, self._figures(step, self._until(unit)), self._context(step))
                return
            case Write():
                self._task(unit, self._write(step), self._context(step))
                return
            case Event():
                assert self.event is not None, "a subscription's plan is run for an event"
                self.layers[step.id] = self.event
            case Expand():
                if self._listing(unit, step):
                    return
            case Align():
                self.layers[step.layer].fetched[step.id] = aligned(step, self.layers)
            case Screen():
                layer = self.layers[step.layer]
                layer.fetched[step.id] = screened(step, layer, self.viewer.rows)
        self._done(unit)

    def _done(self, unit: Unit) -> None:
        self.left -= 1
        for place in unit.feeds:
            self.waits[place] -= 1
            if not self.waits[place]:
                self.next.append(partial(self._begin, self.units[place]))

    def _until(self, unit: Unit) -> float:
        """When ``unit`` has to be done, so that there is time for what needs it."""
        return self.now + budget(unit, max(0.0, self.deadline - self.now))

    def _later(self, go_on: Callable[[], None]) -> None:
        if self.over is None or not self.over.done():
            self.next.append(go_on)
            self._turn()

    def _context(self, step: Fetch | Scan | Write | Figures | Expand, keys: Iterable[object] = ()) -> Context:
        """In which calls for ``step`` are made."""
        return self.asked.context if self.analysis is None else self.analysis.of(step.id, keys, self.asked.context)

    def _task(self, unit: Unit, work: Coroutine[None, None, None], context: Context) -> None:
        """A step that asks a system in a way of its own."""

        def done() -> None:
            task.result()
            self._done(unit)

        task = asyncio.get_running_loop().create_task(work, context=context)
        self.tasks.append(task)
        task.add_done_callback(lambda _: self._later(done))

    # -- one-row layers and root lists ---------------------------------------------------------------------------

    def _arguments(self, step: Arguments) -> None:
        faults = {}
        given: list[dict[str, Any]] = []
        for row, inputs in enumerate(self.each):
            try:
                given.append(arguments(step.selected, inputs))
            except BadArgument as error:
                given.append({})
                faults[row] = error.fault
        size = len(given)
        columns = {key: [one.get(argument) for one in given] for argument, key in step.columns.items()}
        self.layers[step.id] = Layer(size, range(size), (0,) * size, fetched={step.id: Fetched(columns, (True,) * size, faults)})

    def _entities(self, step: Entities) -> None:
        try:
            given = arguments(step.selected, self.inputs)["representations"]
            self.layers[step.id] = entities(step, given, self.viewer.max_scan)
        except BadArgument as error:
            self.layers[step.id] = Layer(0, faults={0: error.fault})

    async def _scan(self, step: Scan, until: float) -> None:
        try:
            given = arguments(step.selected, self.inputs)
            wanted = terms(step.listing, step.selected if step.pages else None, given, self.viewer, rows=step.rows)
            params = {param: given[name] for name, param in step.binding.args.items() if given.get(name) is not None}
            self.asked.systems.add(step.binding.system)
            self.layers[step.id] = await scanned(step, wanted, params, self._asking(until))
        except SourceError as error:
            self.layers[step.id] = Layer(0, faults={0: Fault.of(error)})
        except BadArgument as error:
            self.layers[step.id] = Layer(0, faults={0: error.fault})

    async def _figures(self, step: Figures, until: float) -> None:
        try:
            given = arguments(step.scan.selected, self.inputs)
            self.asked.systems.add(step.binding.system)
            self.layers[step.id] = await figures(step, given, self._asking(until))
        except SourceError as error:
            self.layers[step.id] = Layer(0, faults={0: Fault.of(error)})
        except BadArgument as error:
            self.layers[step.id] = Layer(0, faults={0: error.fault})

    def _asking(self, until: float) -> Asking:
        return Asking(self.viewer, self.sources, self.asked, until, self.request_id, self.principal)

    # -- lists ---------------------------------------------------------------------------------------------------

    def _listing(self, unit: Unit, step: Expand) -> bool:
        """Make the layer of a list. True: other systems say which rows are in it, so it is still to come."""
        above = self.layers[step.layer]
        if step.listing is None and not step.kinds:
            self.layers[step.id] = expand(step, above)
            return False
        listed = begun(step, above, self.inputs, self.viewer)
        if not listed.foreign:
            self.layers[step.id] = listed.layer()
            return False
        context = self._context(step)
        self._task(unit, self._completed(step, listed, self._until(unit)), context)
        return True

    async def _completed(self, step: Expand, listed: Listed, until: float) -> None:
        await listed.complete(self.asked, until)
        self.layers[step.id] = listed.layer()

    async def _write(self, step: Write) -> None:
        layer, called = await write(step, self.sources, self.inputs, self.deadline, self.request_id, self.principal)
        self.layers[step.id] = layer
        if called:
            self.asked.systems.add(step.binding.system)

    # -- fetches -------------------------------------------------------------------------------------------------

    def _fetch(self, unit: Unit) -> None:
        steps = [step for step in unit.steps if isinstance(step, Fetch)]
        if steps[0].requires:  # alone in its unit
            return self._requiring(unit, steps[0])
        keyed = [self._keys(step) for step in steps]
        try:
            question = self._question(unit, steps[0], lots=steps[1:])
        except BadArgument as error:
            return self._refused(unit, error, keyed)
        wanted = keyed[0][0] if len(keyed) == 1 else [key for keys, _ in keyed for key in keys]
        answering = self.asked.rows(question, wanted, self._until(unit), self._context(steps[0], wanted))

        def aligned() -> None:
            answers = answering.answers()
            for step, (keys, faults) in zip(steps, keyed, strict=True):
                self.layers[step.layer].fetched[step.id] = align(step.binding, keys, faults, answers)
            self._done(unit)

        answering.then(lambda: self._later(aligned))

    def _refused(self, unit: Unit, error: BadArgument, keyed: Sequence[tuple[Sequence[Key | None], Mapping[int, Fault]]]) -> None:
        """Fetches whose arguments cannot be used: nothing is asked."""
        for step, (keys, faults) in zip(unit.steps, keyed, strict=True):
            assert isinstance(step, Fetch)
            failed = {row: error.fault for row, key in enumerate(keys) if key is not None} | dict(faults)
            self.layers[step.layer].fetched[step.id] = align(step.binding, [None] * len(keys), failed, {})
        self._done(unit)

    def _requiring(self, unit: Unit, step: Fetch) -> None:
        """A fetch with values that other fields give: one question for each combination of them, all at once."""
        keys, faults = self._keys(step)
        layer = self.layers[step.layer]
        asked = bundles(layer, step.requires, keys, faults)
        names = [each.param for each in step.requires]
        try:
            questions = [self._question(unit, step, dict(zip(names, given, strict=True))) for given in asked]
        except BadArgument as error:
            return self._refused(unit, error, [(keys, faults)])
        until, context = self._until(unit), self._context(step, keys)
        waiting = [self.asked.rows(question, some, until, context) for question, some in zip(questions, asked.values(), strict=True)]

        def aligned() -> None:
            answers: dict[Key, Answered] = {}
            for given, one in zip(asked, waiting, strict=True):
                answers |= under(given, one.answers())
            layer.fetched[step.id] = align(step.binding, keys, faults, answers)
            self._done(unit)

        when_all(waiting, lambda: self._later(aligned))

    def _keys(self, step: Fetch) -> tuple[list[Key | None], dict[int, Fault]]:
        """The key of each row that is to be asked for, and why some could not be had."""
        if step.binding.relation.open:
            return represented(step, self.layers)
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

    def _question(self, unit: Unit, step: Fetch, required: Mapping[str, Any] | None = None, lots: Sequence[Fetch] = ()) -> Question:
        types = (GraphQLString,) if step.binding.relation.open else tuple(slot.type for slot in step.key)
        if step.given:
            return Question(step.binding, _columns(step, lots), types, variables(step.given, self.inputs))
        if step.selected is None and required is None:
            if not unit.made:
                unit.made.append(Question(step.binding, _columns(step, lots), types))
            made: Question = unit.made[0]
            return made
        params: dict[str, Any] = dict(required or {})
        cut = None
        if step.selected is not None:
            given = arguments(step.selected, self.inputs)
            params |= {param: given.get(argument) for argument, param in step.binding.args.items()}
            if step.cut is not None:
                with suppress(BadArgument):  # the list itself says so
                    cut = cut_of(terms(step.cut, step.selected, given, self.viewer), step.binding.relation)
        return Question(step.binding, step.columns, types, params, cut=cut)


def _columns(step: Fetch, others: Sequence[Fetch]) -> tuple[str, ...]:
    """What fetches that share a call ask for: the columns of the first of them, and those of each lot that stands apart."""
    apart = {other.lot: other.columns for other in others if other.lot}
    return (*step.columns, *(in_lot(lot, name) for lot, names in apart.items() for name in names if name not in step.binding.relation.keys))
