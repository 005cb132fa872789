"""How much of a plan somebody may see: names of systems or numbers that stand for them, and which coordinates stay out.

A plan asks for more than its caller does: keys on the way, fields that tell whether an embedded object is there. Those of them that
the caller may not see are not shown either. Decides nothing: what is hidden is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hub.plan.model import Fetch, Figures, QueryPlan, Scan, Screen, Step, listings_of, own_fetches
from schema.registry import Binding, Served


@dataclass(frozen=True, slots=True)
class View:
    """``hidden`` are coordinates that stay out. ``named`` shows systems by name; otherwise they are s1, s2, … as they come."""

    hidden: frozenset[str] = frozenset()
    named: bool = True
    _numbers: dict[str, str] = field(default_factory=dict, compare=False)

    def name(self, system: str) -> str:
        return system if self.named or not system else self._numbers.setdefault(system, f"s{len(self._numbers) + 1}")

    def shows(self, coordinate: str) -> bool:
        return coordinate not in self.hidden

    def columns(self, binding: Binding, names: Iterable[str]) -> list[str]:
        """Those of a binding's columns that hold nothing hidden."""
        if not self.hidden:
            return list(names)
        behind = columns_of(binding)
        return [name for name in names if self.hidden.isdisjoint(behind.get(name, ()))]


def mentioned(plan: QueryPlan) -> frozenset[str]:
    """All coordinates that a plan speaks of: fields of keys, and what lies in the columns that are asked for."""
    found: set[str] = set()
    for step in plan.steps:
        for own in (step.scan if isinstance(step, Figures) else step, *own_fetches(step)):
            found.update(_spoken_of(own))
        for listing in listings_of(step):
            for path in {term.path for term in (*listing.key, *listing.terms.values())} | {path for path, _ in listing.rules}:
                found.add(f"{listing.node}.{path.partition('.')[0]}")
    return frozenset(found)


def _spoken_of(step: Step) -> Iterator[str]:
    if isinstance(step, Screen):
        yield from (f"{step.type}.{term.path.partition('.')[0]}" for term in step.terms or ())
    if isinstance(step, Fetch) and step.binding.relation.open:
        yield from step.behind.values()
        yield from (output.place.coordinate for output in (step.representation.outputs if step.representation is not None else ()))
    elif isinstance(step, Fetch | Scan):
        parent = (step.binding.field or step.binding.type).partition(".")[0]
        yield from (f"{parent}.{name}" for name in step.binding.key)
        behind = columns_of(step.binding)
        for column in step.columns:
            yield from behind.get(column, ())


def columns_of(binding: Binding) -> Mapping[str, tuple[str, ...]]:
    """What lies in each column of a binding's rows: the coordinates of the field itself and of those that it lies within."""
    found: dict[str, tuple[str, ...]] = {}
    if binding.typename is not None:
        found[binding.typename] = ()
    kinds = ((binding.type, binding.fields), *((variant.type, variant.parts) for variant in binding.variants))
    for column, way in (each for type_name, fields in kinds for each in _lies(type_name, fields, "", ())):
        found[column] = (*found.get(column, ()), *way)
    return found


def _lies(type_name: str, fields: Mapping[str, Served], prefix: str, way: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, served in fields.items():
        here = (*way, f"{type_name}.{name}")
        if served.column is not None:
            yield prefix + served.column, here
        inner = f"{prefix}{served.column}." if served.column is not None and served.many else prefix
        if served.typename is not None:
            yield inner + served.typename, here
        if served.type:
            yield from _lies(served.type, served.parts, inner, here)
        for variant in served.variants:
            yield from _lies(variant.type, variant.parts, inner, here)
