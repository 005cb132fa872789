"""A plan as people, tests and programs read it: one line a step, as text and as plain data. Names of steps, systems and columns; no value.

``lines`` says what each kind of step shows; text and data are made of the same. What a caller may not see is left out by ``View``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.plan.alternatives import Alternative, alternatives
from hub.plan.merge import needs
from hub.plan.model import Align, Arguments, Entities, Event, Expand, Fetch, Figures, Join, Listing, QueryPlan, Scan, Screen, Step, Write
from hub.plan.outputs import Choice, Connection, Failure, List, Object, Output, Rows
from hub.plan.required import steps_of
from hub.plan.slots import Guard, Slot
from hub.plan.view import View
from schema.registry import Registry, Resolve

HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Line:
    """One step. ``parts`` are what is said of it, name to plain value, in the order of the text."""

    id: int
    kind: str
    system: str = ""
    parts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explained:
    """A plan told. ``measured`` is by step, where the plan was run for it (see ``hub.run.analysis``)."""

    operation: str
    systems: tuple[str, ...]
    calls: int
    lines: tuple[Line, ...]
    alternatives: Mapping[int, tuple[Alternative, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    measured: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """One line a step, in the order of their numbers; then what else could have been asked, warnings, and what is not answered::

            plan of Overview: 2 systems, 2 calls at least
             1 arguments  enterprise
             2 fetch      legalEntityRegister  Enterprise by uscc <- 1.uscc  [name]
             3 fetch      credit531x           Enterprise by uscc <- 1.uscc  [creditScore.grade]  up to 100 keys a call
            not answered: Enterprise.legalRepName (FORBIDDEN)

        Fetches that share calls are marked ``with`` the first of their group.
        """
        name = self.operation or "the query"
        lines = [f"plan of {name}: {_count(len(self.systems), 'system')}, {_count(self.calls, 'call')} at least"]
        width = max((len(system) for system in self.systems), default=0)
        for line in self.lines:
            system = f"{line.system:<{width}}  " if line.system else ""
            lines.append(f"{line.id:>2} {line.kind:<10} {system}{_words(line.parts)}")
            if line.id in self.measured:
                lines.append(f"   {_measured(self.measured[line.id])}")
        for number, others in self.alternatives.items():
            lines.append(f"instead of {number}: " + ", ".join(f"{other.system} ({other.why})" for other in others))
        lines += [f"warning: {warning}" for warning in self.warnings]
        if self.failures:
            lines.append("not answered: " + ", ".join(f"{place} ({code})" for place, code in self.failures))
        return "\n".join(lines)

    @property
    def data(self) -> dict[str, Any]:
        """The same for programs."""
        steps = []
        for line in self.lines:
            step = {"id": line.id, "kind": line.kind, **({"system": line.system} if line.system else {}), **line.parts}
            others = [{"system": other.system, "why": other.why} for other in self.alternatives.get(line.id, ())]
            steps.append(
                step
                | ({"alternatives": others} if others else {})
                | ({"measured": self.measured[line.id]} if line.id in self.measured else {})
            )
        return {
            "operation": self.operation,
            "systems": list(self.systems),
            "calls": self.calls,
            "steps": steps,
            "warnings": list(self.warnings),
            "notAnswered": [{"coordinate": place, "code": code} for place, code in self.failures],
        }


def explain(plan: QueryPlan, registry: Registry | None = None) -> str:
    """The text of the whole plan, for who may see all of it."""
    return explained(plan, registry).text


def explained(plan: QueryPlan, registry: Registry | None = None, view: View | None = None) -> Explained:
    """``plan`` as ``view`` shows it (None: whole). With a registry also which other systems could have been asked, and why they are not."""
    view = view or View()
    steps = {step.id: step for step in plan.steps}
    first = {member: members[0] for members in plan.groups for member in members[1:]}
    sure = {step.id for step in plan.steps if isinstance(step, Fetch) and not step.unless}
    lines = tuple(_line(step, steps, first, view) for step in plan.steps)
    others = alternatives(plan, registry) if registry is not None else {}
    seen: set[int] = set()
    return Explained(
        plan.operation,
        tuple(dict.fromkeys(line.system for line in sorted(lines, key=lambda line: line.system) if line.system)),
        sum(not sure.isdisjoint(members) for members in plan.groups) + sum(isinstance(step, Scan | Write | Figures) for step in plan.steps),
        lines,
        {number: tuple(replace(other, system=view.name(other.system)) for other in some) for number, some in others.items()},
        tuple(_warnings(plan, steps, first, registry, view)),
        tuple(sorted({failure for root in plan.roots for failure in _failures(root.output, seen)})),
    )


def _line(step: Step, steps: Mapping[int, Step], first: Mapping[int, int], view: View) -> Line:
    """What is said of one step."""
    # Named before all that the step speaks of, since hidden systems are numbered as they are met.
    system = view.name(step.binding.system) if isinstance(step, Scan | Figures | Write | Event | Fetch) else ""
    match step:
        case Arguments():
            return Line(step.id, "arguments", parts={"field": step.selected.key})
        case Entities():
            keys = [kind.value for kind in step.kinds if not kind.denied]
            return Line(step.id, "entities", parts={"field": step.selected.key, "by": keys})
        case Expand():
            what: dict[str, Any] = {"rows": "all"}
            if step.selected is not None and step.listing is not None:
                what = {"rows": "cut and ordered by " + ", ".join(_paths(step.listing, (term.path for term in step.listing.key), view))}
            listings = [step.listing, *(kind.listing for kind in step.kinds)]
            of = f"{step.source}{'.' + step.slot.column if step.slot else ''}"
            return Line(step.id, "expand", parts={"of": of, **what, **_narrowing(listings, view)})
        case Scan():
            parts: dict[str, Any] = {"type": step.node, "columns": view.columns(step.binding, step.columns)}
            parts |= {"total": True} if step.total else {}
            parts |= _narrowing([step.listing, *(kind.listing for kind in step.kinds)], view)
            parts |= {"keysFirst": [_join(join, step.listing, view) for join in step.joins]} if step.joins else {}
            return Line(step.id, "scan", system, parts)
        case Figures():
            visible = [(function, path) for function, path in step.measures if _paths(step.scan.listing, (path,), view) != [HIDDEN]]
            figures = sorted({f"{function.lower()}({path})" for function, path in visible})
            parts = {"type": step.scan.node, "figures": figures}
            parts |= {"groups": _paths(step.scan.listing, sorted(step.groups.values()), view)} if step.groups else {}
            return Line(step.id, "figures", system, parts | _narrowing([step.scan.listing], view))
        case Screen():
            whole = view.hidden and any(not view.shows(f"{step.type}.{term.path.partition('.')[0]}") for term in step.terms or ())
            read = "nobody serves its rules" if step.terms is None else ", ".join(f"{step.layer}.{term.path}" for term in step.terms)
            return Line(step.id, "screen", parts={"type": step.type, "reads": HIDDEN if whole else read})
        case Write() | Event():
            kind, name = "write" if isinstance(step, Write) else "event", step.binding.field
            return Line(step.id, kind, system, {"type": name, "columns": view.columns(step.binding, step.columns)})
        case Align():
            return Line(step.id, "align", parts={"of": _origin(step.slot), "rows": f"beside {step.layer}"})
        case Fetch():
            return Line(step.id, "fetch", system, _fetch(step, steps, first, view))


def _paths(listing: Listing, paths: Iterable[str], view: View) -> list[str]:
    """Canonical paths of a list's rows; those that may not be shown as one word."""
    return list(dict.fromkeys(p if view.shows(f"{listing.node}.{p.partition('.')[0]}") else HIDDEN for p in paths))


def _narrowing(listings: Iterable[Listing | None], view: View) -> dict[str, Any]:
    """What the rows of a list may be narrowed or ordered by here, and what that needs of other systems."""
    parts: dict[str, Any] = {}
    for listing in listings:
        if listing is None:
            continue
        rules = {path for path, _ in listing.rules}
        asked = sorted(path for path in listing.terms if path not in rules)
        for name, some in (("seenBy", sorted(rules)), ("by", asked)):
            if some:
                parts[name] = [*parts.get(name, ()), *_paths(listing, some, view)]
        for fetch in listing.fetches:
            columns = view.columns(fetch.binding, (name for name in fetch.columns if name not in fetch.binding.relation.keys))
            own = {"system": view.name(fetch.binding.system), "type": fetch.binding.type, "columns": columns}
            parts["forItsRows"] = [*parts.get("forItsRows", ()), own]
    return parts


def _join(join: Join, listing: Listing, view: View) -> dict[str, Any]:
    """Whom the list's keys are had from first, as far as it lists them."""
    key, *_ = _paths(listing, (join.to.path,), view)
    return {"system": view.name(join.binding.system), "key": key, "by": _paths(listing, sorted(join.columns), view)}


def _fetch(step: Fetch, steps: Mapping[int, Step], first: Mapping[int, int], view: View) -> dict[str, Any]:
    binding = step.binding
    if binding.relation.open:
        return _from_graph(step, steps, first, view)
    parent = (binding.field or binding.type).partition(".")[0]
    key = []
    for name, slot in zip(binding.key, step.key, strict=True):
        shown = view.shows(f"{parent}.{name}")
        key.append({"field": name if shown else HIDDEN, "from": _origin(slot) if shown else str(slot.step)})
    columns = [name for name in step.columns if name not in binding.relation.keys]
    parts: dict[str, Any] = {"type": binding.field or binding.type, "key": key, "columns": view.columns(binding, columns)}
    parts["maxKeys"] = max(1, binding.relation.max_keys)
    after = [number for number in needs(step) if not isinstance(steps[number], Arguments | Entities)]
    parts |= {"cut": "for each key"} if step.cut is not None else {}
    parts |= {"after": after} if after else {}
    parts |= {"of": [each.value for each in reversed(step.when)]} if step.when else {}
    parts |= {"requires": {each.param: _way(each.output) for each in step.requires}} if step.requires else {}
    parts |= {"onlyWhere": list(dict.fromkeys(map(_guard, step.unless)))} if step.unless else {}
    parts |= {"with": first[step.id]} if step.id in first else {}
    return parts


def _from_graph(step: Fetch, steps: Mapping[int, Step], first: Mapping[int, int], view: View) -> dict[str, Any]:
    """A fetch from a graph of a federation: by which fields of an entity, with what else of it, and which part of the graph."""
    entity, needed = step.representation, needs(step)
    hidden = tuple(column for column, place in step.behind.items() if not view.shows(place))
    columns = [name for name in step.columns if name not in step.binding.relation.keys and not name.startswith(hidden or "\n")]
    parts: dict[str, Any] = {"type": entity.kind if entity is not None else step.binding.type, "key": [], "columns": columns}
    for output in entity.keys[0] if entity is not None else ():
        shown = view.shows(output.place.coordinate)
        parts["key"].append({"field": output.place.key if shown else HIDDEN, "from": ", ".join(sorted({f"{n}" for n in steps_of(output)}))})
    parts |= {"maxKeys": step.binding.relation.max_keys} if entity is not None else {}
    parts |= {"after": list(needed)} if needed else {}
    parts |= {"of": [each.value for each in reversed(step.when)]} if step.when else {}
    required = [output.place.key for output in (entity.required if entity is not None else ()) if view.shows(output.place.coordinate)]
    parts |= {"requires": {name: name for name in required}} if required else {}
    parts |= {"with": first[step.id]} if step.id in first else {}
    return parts


def _words(parts: Mapping[str, Any]) -> str:
    """Parts as text, two spaces between them; a key belongs to the type before it."""
    text = ""
    for name, value in parts.items():
        match name:
            case "key" if not value:
                continue
            case "key":
                text += " by " + ", ".join(f"{part['field']} <- {part['from']}" for part in value)
                continue
            case "columns":
                word = "[" + ", ".join(value) + "]"
            case "figures":
                word = "[" + ", ".join(value) + "]"
            case "groups":
                word = "by " + ", ".join(value) + " as given"
            case "seenBy":
                word = "only rows that " + ", ".join(value) + " lets the caller see"
            case "by":
                word = "by " + ", ".join(value) + " as given"
            case "forItsRows":
                words = (f"{own['system']} {own['type']} [{', '.join(own['columns'])}]" for own in value)
                word = "for its rows " + ", ".join(words)
            case "keysFirst":
                word = "keys first from " + ", ".join(f"{own['system']} by {', '.join(own['by'])}" for own in value)
            case "cut":
                word = f"cut {value}"
            case "total":
                word = "with total"
            case "maxKeys":
                word = "one key a call" if value == 1 else f"up to {value} keys a call"
            case "after":
                word = "after " + ", ".join(map(str, value))
            case "of" if isinstance(value, list):
                word = "of " + " in ".join(value)
            case "requires":
                word = "requires " + ", ".join(f"{param}: {way}" for param, way in value.items())
            case "onlyWhere":
                word = "only where " + " or ".join(value)
            case "with":
                word = f"with {value}"
            case _:
                word = str(value)
        text += f"  {word}" if text else word
    return text


def _measured(measured: Mapping[str, Any]) -> str:
    """Figures as text, and the codes of what failed."""
    codes = "".join(f", {code} {count}" for code, count in measured["errors"].items())
    figures = f"{_count(measured['calls'], 'call')}, {_count(measured['keys'], 'key')}, {_count(measured['rows'], 'row')}"
    figures += f", {_count(measured['bytes'], 'byte')}" if "bytes" in measured else ""
    figures += "".join(f", {measured[name]} {name}" for name in ("cached", "stale", "coalesced") if name in measured)
    return f"{figures}, {measured['queueMs']:g} ms waiting, {measured['sourceMs']:g} ms at the source{codes}"


def _warnings(plan: QueryPlan, steps: Mapping[int, Step], first: Mapping[int, int], registry: Registry | None, view: View) -> Iterator[str]:
    """What will be slow, or dear to a system."""
    for step in plan.steps:
        if isinstance(step, Fetch) and step.id not in first:
            name = view.name(step.binding.system)
            if step.binding.relation.max_keys <= 1 and isinstance(steps.get(step.layer), Scan | Expand | Entities):
                yield f"step {step.id} makes a call to {name} for each row of a list"
            system = registry.systems.get(step.binding.system) if registry is not None else None
            if system is not None and system.credential != "hub":
                yield f"step {step.id} shares no call to {name} with other callers: it is asked in the caller's own name"


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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _failures(output: Output, seen: set[int]) -> Iterator[tuple[str, str]]:
    if id(output) in seen:  # many types may share it
        return
    seen.add(id(output))
    match output:
        case Failure():
            yield output.place.coordinate, output.code
        case Object():
            yield from _below(output, seen)
        case Choice():
            for option in output.options:
                yield from _failures(option, seen)
        case List():
            yield from _below(output.rows, seen)
        case Connection():
            for part in output.fields:
                if part.failure:
                    yield part.place.coordinate, part.failure
                for rows in (part.rows, *(node for _, _, node in part.children)):
                    if rows is not None:
                        yield from _below(rows, seen)
        case _:
            return


def _below(rows: Object | Rows, seen: set[int]) -> Iterator[tuple[str, str]]:
    sets: Sequence[tuple[Output, ...]] = (rows.children, *(concrete.children for concrete in rows.variants.values()))
    for children in sets:
        for child in children:
            yield from _failures(child, seen)
