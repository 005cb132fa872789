"""A plan as text: the same for people, tests and the console. Holds names of steps, systems and columns; never a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.spi import Ask, describe_ask
from hub.plan.merge import needs
from hub.plan.model import (
    Arguments,
    Connection,
    Expand,
    Failure,
    Fetch,
    Figures,
    Guard,
    Join,
    List,
    Listing,
    Object,
    Output,
    QueryPlan,
    Rows,
    Scan,
    Slot,
    Step,
)


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
    calls = len(plan.groups) + sum(isinstance(step, Scan | Figures) for step in plan.steps)
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
            what = "all"
            if step.selected is not None and step.listing is not None:
                what = "cut and ordered by " + ", ".join(term.path for term in step.listing.key) + _narrowing(step.listing)
            elif step.listing is not None:
                what += _narrowing(step.listing)
            return f"expand     {step.source}{'.' + step.slot.column if step.slot else ''}  {what}"
        case Scan():
            wanted = describe_ask(Ask(step.binding.relation.name, step.columns)).partition(" ")[2]
            parts = [f"scan       {step.binding.system:<{width}}  {step.node}  {wanted}"]
            parts += ["with total"] if step.total else []
            return "  ".join(parts) + _narrowing(step.listing) + "".join(map(_join, step.joins))
        case Figures():
            asked = ", ".join(sorted({f"{function.lower()}({path})" for function, path in step.measures}))
            by = f"  by {', '.join(sorted(step.groups.values()))} as given" if step.groups else ""
            return f"figures    {step.binding.system:<{width}}  {step.scan.node}  [{asked}]{by}" + _narrowing(step.scan.listing)
        case Guard():
            read = ", ".join(f"{step.layer}.{term.path}" for term in step.terms) if step.terms is not None else "nobody serves its rules"
            return f"guard      {step.type}  {read}"
        case Fetch():
            return _fetch(step, steps, width, first)


def _narrowing(listing: Listing) -> str:
    """What the rows of a list may be narrowed or ordered by here, and what that needs of other systems."""
    parts = []
    rules = {path for path, _ in listing.rules}
    if rules:
        parts.append("only rows that " + ", ".join(sorted(rules)) + " lets the caller see")
    asked = sorted(path for path in listing.terms if path not in rules)
    if asked:
        parts.append("by " + ", ".join(asked) + " as given")
    lines = ["".join("  " + part for part in parts)]
    for fetch in listing.fetches:
        binding = fetch.binding
        key = ", ".join(f"{name} <- {slot.column}" for name, slot in zip(binding.key, fetch.key, strict=True))
        columns = ", ".join(name for name in fetch.columns if name not in binding.relation.keys)
        lines.append(f"   for its rows  {binding.system}  {binding.type} by {key}  [{columns}]")
    return "\n".join(lines)


def _join(join: Join) -> str:
    paths = ", ".join(sorted(join.columns))
    return f"\n   keys first    {join.binding.system}  {join.binding.type}.{join.to.path} by {paths}, as far as it lists them"


def _fetch(step: Fetch, steps: Mapping[int, Step], width: int, first: Mapping[int, int]) -> str:
    binding = step.binding
    key = ", ".join(f"{name} <- {_origin(slot)}" for name, slot in zip(binding.key, step.key, strict=True))
    columns = ", ".join(name for name in step.columns if name not in binding.relation.keys)
    what = binding.field or binding.type
    parts = [f"fetch      {binding.system:<{width}}  {what} by {key}  [{columns}]"]
    limit = binding.relation.max_keys
    parts += ["one key a call"] if limit <= 1 else [f"up to {limit} keys a call"]
    after = [number for number in needs(step) if not isinstance(steps[number], Arguments)]
    parts += ["cut for each key"] if step.cut is not None else []
    parts += ["after " + ", ".join(map(str, after))] if after else []
    parts += [f"with {first[step.id]}"] if step.id in first else []
    return "  ".join(parts)


def _origin(slot: Slot) -> str:
    return f"{slot.step}.{slot.column}"


def _failures(output: Output) -> Iterator[tuple[str, str]]:
    match output:
        case Failure():
            yield output.place.coordinate, output.code
        case Object():
            yield from _below(output)
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
