"""Which bindings some query can reach.

One worklist over *contexts*: the set of key fields that are at hand at some position of a type. A context grows by every lookup whose
key it holds; a link or a reference in reach opens contexts of other types. Contexts hold key fields alone, so their number, and
with it the work, grows with the bindings and not with the paths through the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from schema.binder import Bindings, each_served
from schema.faults import Fault, fault
from schema.registry import Binding, Registry, Role, Served
from schema.world import Bound, Sheet, World


@dataclass(slots=True)
class Whole:
    """Everything bound, and where each binding was written."""

    world: World
    registry: Registry
    sheets: Mapping[str, Sheet]  # by system
    made: Mapping[str, Bindings]  # by system
    planned: frozenset[str]  # root coordinates that the engine answers
    faulty: frozenset[str] = frozenset()  # types named in files that have errors
    wrong: frozenset[str] = frozenset()  # those files
    faults: list[Fault] = field(default_factory=list)

    def report(self, code: str, binding: Binding, message: str, fix: str = "", *, field_name: str | None = None) -> None:
        entry = self.made[binding.system].entries[binding.id]
        node = entry.node
        if field_name is not None:
            bound = self.sheets[binding.system].types.get(binding.type)
            if bound is not None and field_name in bound.fields:
                node = bound.fields[field_name].node
        elif isinstance(entry, Bound):
            node = getattr(entry.node, "name", entry.node)
        self.faults.append(fault(code, self.sheets[binding.system].manifest.file, node, message, fix))


def all_bindings(registry: Registry) -> Iterator[Binding]:
    for table in (registry.lookups, registry.links, registry.scans):
        for bindings in table.values():
            yield from bindings
    yield from registry.writes.values()
    yield from registry.feeds.values()


Context = tuple[str, frozenset[str]]


@dataclass(slots=True)
class _Search:
    whole: Whole
    useful: dict[str, frozenset[str]]  # type -> fields that some key of a lookup or link needs
    links: dict[str, list[Binding]]  # parent type -> links
    contexts: set[Context] = field(default_factory=set)
    waiting: list[Context] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)

    def open(self, type_name: str, carried: Iterable[str]) -> None:
        context = (type_name, frozenset(carried) & self.useful.get(type_name, frozenset()))
        if context not in self.contexts:
            self.contexts.add(context)
            self.waiting.append(context)

    def rows(self, type_name: str, row: Served) -> None:
        """Rows of a type are at hand: the type, and everything that lies within them, can be gone on from."""
        self.open(type_name, row.parts)
        for served in each_served({"": row}):
            if served.type is not None:
                self.open(served.type, served.parts)
            for variant in served.variants:
                self.open(variant.type, variant.parts)

    def run(self) -> None:
        registry = self.whole.registry
        while self.waiting:
            type_name, carried = self.waiting.pop()
            held = set(carried)
            fired: set[str] = set()
            grown = True
            while grown:
                grown = False
                for binding in registry.lookups.get(type_name, ()):
                    if binding.id not in fired and held.issuperset(binding.key):
                        fired.add(binding.id)
                        if not binding.requires and not binding.args:
                            held.update(set(binding.fields) & self.useful.get(type_name, frozenset()))
                        grown = True
                        if binding.id not in self.reached:
                            self.reached.add(binding.id)
                            self.rows_within(binding)
            for binding in self.links.get(type_name, ()):
                if binding.id not in self.reached and held.issuperset(binding.key):
                    self.reached.add(binding.id)
                    self.rows(binding.type, binding.row)

    def rows_within(self, binding: Binding) -> None:
        for served in each_served(binding.fields):
            if served.type is not None:
                self.open(served.type, served.parts)
            for variant in served.variants:
                self.open(variant.type, variant.parts)


def reached(whole: Whole) -> tuple[set[str], set[Context]]:
    """The ids of all bindings that some query can reach, and the contexts that queries open."""
    registry = whole.registry
    useful: dict[str, set[str]] = {}
    links: dict[str, list[Binding]] = {}
    for type_name, lookups in registry.lookups.items():
        for binding in lookups:
            useful.setdefault(type_name, set()).update(binding.key)
    for coordinate, bindings in registry.links.items():
        parent = coordinate.partition(".")[0]
        links.setdefault(parent, []).extend(bindings)
        for binding in bindings:
            useful.setdefault(parent, set()).update(binding.key)
    search = _Search(whole, {name: frozenset(fields) for name, fields in useful.items()}, links)
    for root in registry.roots.values():
        search.open(root.type, root.arguments.values())
    for name in whole.faulty:  # what a faulty file would lead to once it is mended is not to be told of too
        search.open(name, search.useful.get(name, ()))
    listed = _listed(whole)
    for scans in registry.scans.values():
        for binding in scans:
            if binding.field is not None or binding.type in listed:
                search.reached.add(binding.id)
                search.rows(binding.type, binding.row)
    for binding in (*registry.writes.values(), *registry.feeds.values()):  # root fields of their own
        search.reached.add(binding.id)
        search.rows(binding.type, binding.row)
    search.run()
    return search.reached, search.contexts


def _listed(whole: Whole) -> frozenset[str]:
    """Types that a public root lists."""
    found = set()
    for coordinate in whole.planned:
        shape = whole.world.field_shape("Query", coordinate.partition(".")[2])
        if shape is not None and shape.lists == 1:
            found.add(shape.name)
    return frozenset(found)


def unreachable(whole: Whole) -> None:
    """Report every binding that no query can reach, and the key field that is missing."""
    found, contexts = reached(whole)
    for binding in all_bindings(whole.registry):
        # A table gives a scan for nothing; that no root lists its type is no slip of the author's.
        if binding.id in found or (binding.role is Role.SCAN and isinstance(whole.made[binding.system].entries[binding.id], Bound)):
            continue
        if binding.role is Role.SCAN:
            whole.report(
                "UNREACHABLE",
                binding,
                f"No public list of '{binding.type}' leads here.",
                "contribute one with `extend type Query`, or remove it",
            )
            continue
        start = (binding.field or binding.type).partition(".")[0]
        near = [held for name, held in contexts if name == start]
        best = max(near, key=lambda held: (len(held & set(binding.key)), sorted(held)), default=None)
        key = ", ".join(binding.key)
        if best is None:
            message = f"No query leads to '{start}': there is no root field, link or reference to it."
        else:
            missing = ", ".join(name for name in binding.key if name not in best)
            message = f"Wherever a query reaches '{start}', the key ({key}) is not at hand: {missing} is missing."
        whole.report("UNREACHABLE", binding, message, f"serve {key} somewhere, or add a reference or root field that gives it")
