"""A plan as text: the same for people, tests and the console. Holds names of steps, systems and columns; never a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.spi import Ask, describe_ask
from hub.plan.merge import needs
from hub.plan.model import (
    Arguments,
    Choice,
    Connection,
    Expand,
    Failure,
    Fetch,
    Guard,
    List,
    Object,
    Output,
    QueryPlan,
    Rows,
    Scan,
    Slot,
    Step,
)
from schema.registry import Resolve


def explain(plan: QueryPlan) -> str:
    """One line per step, in the order of their numbers: what it asks, of whom, by which key from where, and after which steps::

        plan of Overview: 2 systems, 2 calls at least
        1 arguments  enterprise
        2 fetch      legalEntityRegister  Enterprise by uscc <- 1.uscc  [name]
        3 fetch      credit531x           Enterprise by uscc <- 1.uscc  [creditScore.grade]  up to 100 keys a call
        denied: Enterprise.legalRepName

    Fetches that share calls are marked ``with`` the first of their group.
    """
    steps = {step.id: step for step in plan.steps}
    first = {member: members[0] for members in plan.groups for member in members[1:]}
    sure = {step.id for step in plan.steps if isinstance(step, Fetch) and not step.unless}
    calls = sum(not sure.isdisjoint(members) for members in plan.groups) + sum(isinstance(step, Scan) for step in plan.steps)
    name = plan.operation or "the query"
    lines = [f"plan of {name}: {_count(len(plan.systems), 'system')}, {_count(calls, 'call')} at least"]
    width = max((len(system) for system in plan.systems), default=0)
    for step in plan.steps:
        lines.append(f"{step.id:>2} {_line(step, steps, width, first)}")
    failed = sorted({f"{place} ({code})" for root in plan.roots for place, code in _failures(root.output)})
    if failed:
        lines.append("not answered: " + ", ".join(failed))
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _line(step: Step, steps: Mapping[int, Step], width: int, first: Mapping[int, int]) -> str:
    match step:
        case Arguments():
            return f"arguments  {step.selected.key}"
        case Expand():
            what = "cut and ordered by " + ", ".join(slot.column for slot in step.order) if step.selected else "all"
            return f"expand     {step.source}{'.' + step.slot.column if step.slot else ''}  {what}"
        case Scan():
            wanted = describe_ask(Ask(step.binding.relation.name, step.columns)).partition(" ")[2]
            parts = [f"scan       {step.binding.system:<{width}}  {step.node}  {wanted}"]
            parts += ["filter as given"] if step.filters else []
            parts += ["with total"] if step.total else []
            return "  ".join(parts)
        case Fetch():
            return _fetch(step, steps, width, first)


def _fetch(step: Fetch, steps: Mapping[int, Step], width: int, first: Mapping[int, int]) -> str:
    binding = step.binding
    key = ", ".join(f"{name} <- {_origin(slot)}" for name, slot in zip(binding.key, step.key, strict=True))
    columns = ", ".join(name for name in step.columns if name not in binding.relation.keys)
    what = binding.field or binding.type
    parts = [f"fetch      {binding.system:<{width}}  {what} by {key}  [{columns}]"]
    limit = binding.relation.max_keys
    parts += ["one key a call"] if limit <= 1 else [f"up to {limit} keys a call"]
    after = [number for number in needs(step) if not isinstance(steps[number], Arguments)]
    parts += ["after " + ", ".join(map(str, after))] if after else []
    parts += ["of " + " in ".join(each.value for each in reversed(step.when))] if step.when else []
    parts += ["requires " + ", ".join(f"{each.param}: {_way(each.output)}" for each in step.requires)] if step.requires else []
    parts += ["only where " + " or ".join(dict.fromkeys(map(_guard, step.unless)))] if step.unless else []
    parts += [f"with {first[step.id]}"] if step.id in first else []
    return "  ".join(parts)


def _way(output: Output) -> str:
    """The way to a required field: ``creditScore.score``."""
    below = output.options[0] if isinstance(output, Choice) else output
    inner = f".{_way(below.children[0])}" if isinstance(below, Object) and below.children else ""
    return f"{output.place.key}{inner}"


def _guard(guard: Guard) -> str:
    """Which rows a fetch is for: those that the sources before it have left open."""
    said = {Resolve.FIRST: "has no key", Resolve.FALLBACK_ON_ERROR: "fails", Resolve.FALLBACK_ON_NULL: "has nothing"}
    return " and ".join(str(probe.step) if probe.step is not None else "the row" for probe in guard.probes) + f" {said[guard.resolve]}"


def _origin(slot: Slot) -> str:
    return f"{slot.step}.{slot.column}"


def _failures(output: Output) -> Iterator[tuple[str, str]]:
    match output:
        case Failure():
            yield output.place.coordinate, output.code
        case Object():
            yield from _below(output)
        case Choice():
            for option in output.options:
                yield from _failures(option)
        case List():
            yield from _below(output.rows)
        case Connection():
            for part in output.fields:
                if part.failure:
                    yield part.place.coordinate, part.failure
                for rows in (part.rows, *(node for _, _, node in part.children)):
                    if rows is not None:
                        yield from _below(rows)
        case _:
            return


def _below(rows: Object | Rows) -> Iterator[tuple[str, str]]:
    for children in (rows.children, *(concrete.children for concrete in rows.variants.values())):
        for child in children:
            yield from _failures(child)
