"""Federations made at random, with data: subgraphs, the supergraph that they compose to, and queries over it.

Every entity is in the first graph by all its keys, so whatever is made holds together: from each graph keys lead to each other.
A plain object's fields may lie in different graphs, fields may be shared, required of others, provided or behind an interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from tests.federation.estate import Estate
from tests.federation.estates.writing import LINK_27

HEAD = """
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) {
  query: Query
}
"""
Resolver = Callable[..., Any]
KEYS = (("id",), ("code",), ("id", "code"), ("id",))


@dataclass
class Made:
    """A field: ``type`` as SDL writes it, and what each graph that has it says besides: ``@external`` and the like."""

    name: str
    type: str
    graphs: dict[str, str] = field(default_factory=dict)  # graph -> requires or provides, as written
    external: set[str] = field(default_factory=set)
    arguments: str = ""
    requires: tuple[str, ...] = ()
    target: str = ""
    many: bool = False


@dataclass
class Kind:
    name: str
    graphs: dict[str, tuple[str, ...]]  # graph -> its keys, as written; none for a plain object
    fields: dict[str, Made] = field(default_factory=dict)
    implements: dict[str, set[str]] = field(default_factory=dict)  # interface -> graphs


@dataclass(frozen=True, slots=True)
class Written(Estate):
    """An estate whose supergraph is written here, not composed. ``texts`` by writing."""

    texts: Mapping[str, str] = field(default_factory=dict)

    def composed(self, writing: str = "") -> str:
        return self.texts[writing]


class Maker:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.graphs = [f"g{number}" for number in range(random.randint(2, 4))]
        self.entities: dict[str, Kind] = {}
        self.plains: dict[str, Kind] = {}
        self.roots: dict[str, Made] = {}

    def some(self, of: Any, least: int = 1) -> list[Any]:
        of = sorted(of)
        return sorted(self.random.sample(of, self.random.randint(min(least, len(of)), len(of))))

    def estate(self) -> Written:
        for number in range(self.random.randint(1, 4)):
            self.entity(f"E{number}")
        for number in range(self.random.randint(0, 2)):
            self.plain(f"V{number}")
        if self.random.random() < 0.6:
            self.interface()
        for kind in self.entities.values():
            self.fields(kind)
        for kind in list(self.entities.values()):
            self.needing(kind)
        self.strict()
        for name, kind in self.entities.items():
            shared = self.some(kind.graphs)
            self.roots[f"all{name}"] = Made(f"all{name}", f"[{name}!]!", dict.fromkeys(shared, ""), target=name, many=True)
            one = self.random.choice(sorted(kind.graphs))
            self.roots[f"one{name}"] = Made(f"one{name}", name, {one: ""}, arguments="(at: Int!)", target=name)
        rows = self.rows()
        subgraphs = {graph: self.subgraph(graph) for graph in self.graphs}
        own = {graph: dict(self.resolvers(graph)) for graph in self.graphs}
        common = dict(self.common())
        return Written("random", subgraphs, (), lambda: rows, common, own, texts={"": self.supergraph(), "api": self.api()})

    # -- types ---------------------------------------------------------------------------------------------------

    def entity(self, name: str) -> Kind:
        graphs: dict[str, tuple[str, ...]] = {self.graphs[0]: ("id", "code")}
        for graph in self.graphs[1:]:
            if self.random.random() < 0.75:
                graphs[graph] = tuple(dict.fromkeys(" ".join(self.random.choice(KEYS)) for _ in range(self.random.randint(1, 2))))
        kind = self.entities[name] = Kind(name, graphs)
        for key in ("id", "code"):
            has = {graph for graph, keys in graphs.items() if any(key in each.split() for each in keys)}
            kind.fields[key] = Made(key, "ID!", dict.fromkeys(sorted(has), ""))
        return kind

    def plain(self, name: str) -> Kind:
        kind = self.plains[name] = Kind(name, dict.fromkeys(self.some(self.graphs), ()))
        for number in range(self.random.randint(1, 3)):
            kind.fields[f"p{number}"] = Made(f"p{number}", "Int", dict.fromkeys(self.some(kind.graphs), ""))
        if self.random.random() < 0.5:
            target = self.random.choice(sorted(self.entities))
            there = [graph for graph in self.some(kind.graphs) if graph in self.entities[target].graphs]
            if there:
                kind.fields["to"] = Made("to", target, dict.fromkeys(there, ""), target=target)
        kind.graphs = dict.fromkeys(sorted({graph for made in kind.fields.values() for graph in made.graphs}), ())
        return kind

    def interface(self) -> None:
        for kind in self.entities.values():
            graphs = {graph for graph in kind.graphs if graph in kind.fields["id"].graphs and self.random.random() < 0.6}
            if graphs:
                kind.implements["I"] = graphs

    def fields(self, kind: Kind) -> None:
        for number in range(self.random.randint(1, 4)):
            made = Made(f"s{number}", self.random.choice(("Int", "String")), dict.fromkeys(self.some(kind.graphs), ""))
            if self.random.random() < 0.3:
                made.type, made.arguments = "Int", "(x: Int)"
            kind.fields[made.name] = made
        for number in range(self.random.randint(0, 2)):
            target = self.random.choice(sorted(self.entities))
            there = [graph for graph in kind.graphs if graph in self.entities[target].graphs]
            many = self.random.random() < 0.5
            made = Made(f"r{number}", f"[{target}!]" if many else target, dict.fromkeys(self.some(there), ""), target=target, many=many)
            kind.fields[made.name] = made
        for name, plain in self.plains.items():
            both = {graph for graph in kind.graphs if graph in plain.graphs}
            whole = all(both & made.graphs.keys() for made in plain.fields.values())
            if both and whole and self.random.random() < 0.6:
                many = self.random.random() < 0.4
                type_ = f"[{name}!]" if many else name
                kind.fields[f"v{name}"] = Made(f"v{name}", type_, dict.fromkeys(sorted(both), ""), target=name, many=many)
        tellers = {graph for other in self.entities.values() for graph in other.implements.get("I", ()) if graph in kind.graphs}
        if tellers and self.random.random() < 0.7:
            many = self.random.random() < 0.5
            made = Made("i", "[I!]" if many else "I", {self.random.choice(sorted(tellers)): ""}, target="I", many=many)
            kind.fields["i"] = made

    def needing(self, kind: Kind) -> None:
        """Fields that require others, and references that provide some."""
        for number in range(self.random.randint(0, 3)):
            graph = self.random.choice(sorted(kind.graphs))
            others = [
                made.name
                for made in kind.fields.values()
                if graph not in made.graphs and graph not in made.external and not made.target and not made.arguments
            ] + [made.name for made in kind.fields.values() if graph in made.external and not made.arguments]
            if others:
                names = tuple(self.random.sample(sorted(others), min(len(others), self.random.randint(1, 2))))
                for name in names:
                    kind.fields[name].external.add(graph)
                made = Made(f"q{number}", "String", {graph: f'@requires(fields: "{" ".join(names)}")'}, requires=names)
                kind.fields[made.name] = made
        for made in list(kind.fields.values()):
            if made.target in self.entities and self.random.random() < 0.4:
                target = self.entities[made.target]
                graph = self.random.choice(sorted(made.graphs))
                provided = [
                    one.name
                    for one in target.fields.values()
                    if graph not in one.graphs
                    and not one.target
                    and not one.arguments
                    and one.name not in ("id", "code")
                    and not one.requires
                ]
                if provided:
                    name = self.random.choice(sorted(provided))
                    target.fields[name].external.add(graph)
                    made.graphs[graph] = f'@provides(fields: "{name}")'

    def strict(self) -> None:
        """Some fields that nothing else is made of may not be null, though their values sometimes are."""
        kinds = (*self.entities.values(), *self.plains.values())
        used = {name for kind in kinds for made in kind.fields.values() for name in made.requires}
        for made in (made for kind in kinds for made in kind.fields.values()):
            if not (made.name in used or made.external or made.requires or made.type.endswith("!")) and self.random.random() < 0.15:
                made.type += "!"

    # -- data ----------------------------------------------------------------------------------------------------

    def rows(self) -> dict[str, Any]:
        found: dict[str, list[dict[str, Any]]] = {}
        for name in self.entities:
            count = self.random.randint(1, 3)
            found[name] = [{"__typename": name, "id": f"{name}-{at}", "code": f"c{name}-{at}"} for at in range(count)]
        for name, kind in self.entities.items():
            for row in found[name]:
                for made in kind.fields.values():
                    if made.name not in row and not made.requires:
                        row[made.name] = self.value(made, found)
                for made in kind.fields.values():
                    if made.requires:
                        row[made.name] = self.needed(row, kind, made)
        rows: dict[str, Any] = {**found, "Query.ok": 1}
        for made in self.roots.values():
            rows[f"Query.{made.name}"] = found[made.target]
        return rows

    def needed(self, row: dict[str, Any], kind: Kind, made: Made) -> str:
        for name in made.requires:
            if name not in row:
                row[name] = self.needed(row, kind, kind.fields[name])
        return " ".join(str(row[name]) for name in made.requires)

    def value(self, made: Made, found: dict[str, list[dict[str, Any]]]) -> Any:
        if made.target == "I":
            (graph,) = made.graphs
            members = [row for name, kind in self.entities.items() if graph in kind.implements.get("I", ()) for row in found[name]]
            pick: Callable[[], Any] = lambda: self.random.choice(members)  # noqa: E731
        elif made.target in self.plains:
            pick = lambda: self.object(made.target, found)  # noqa: E731
        elif made.target:
            pick = lambda: self.random.choice(found[made.target])  # noqa: E731
        else:
            return (
                None
                if self.random.random() < 0.2
                else self.random.randint(0, 99)
                if made.type.startswith("Int")
                else f"t{self.random.randint(0, 99)}"
            )
        if made.many:
            return None if self.random.random() < 0.1 else [pick() for _ in range(self.random.randint(0, 3))]
        return None if self.random.random() < 0.2 else pick()

    def object(self, name: str, found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
        return {"__typename": name, **{made.name: self.value(made, found) for made in self.plains[name].fields.values()}}

    def common(self) -> Iterator[tuple[str, Any]]:
        for name, kind in self.entities.items():
            for made in kind.fields.values():
                if made.arguments:
                    yield f"{name}.{made.name}", added(made.name)
        for made in self.roots.values():
            if made.arguments:
                yield f"Query.{made.name}", standing_at(made.target)

    def resolvers(self, graph: str) -> Iterator[tuple[str, Any]]:
        for name, kind in self.entities.items():
            for made in kind.fields.values():
                if made.requires and graph in made.graphs:
                    yield f"{name}.{made.name}", joined(made.requires)

    # -- SDL -----------------------------------------------------------------------------------------------------

    def subgraph(self, graph: str) -> str:
        lines = [
            LINK_27,
            "type Query { " + " ".join(self.in_graph(made, graph) for made in self.roots.values() if graph in made.graphs),
            " ok: Int @shareable }",
        ]
        if any(graph in kind.implements.get("I", ()) for kind in self.entities.values()):
            lines.append("interface I { id: ID! }")
        for kind in (*self.entities.values(), *self.plains.values()):
            if graph in kind.graphs:
                keys = " ".join(f'@key(fields: "{key}")' for key in kind.graphs[graph])
                implements = " implements I" if graph in kind.implements.get("I", ()) else ""
                fields = [self.in_graph(made, graph) for made in kind.fields.values() if graph in made.graphs or graph in made.external]
                lines.append(f"type {kind.name}{implements} {keys} {{ {' '.join(fields)} }}")
        return "\n".join(lines)

    def in_graph(self, made: Made, graph: str) -> str:
        if graph in made.external and graph not in made.graphs:
            return f"{made.name}{made.arguments}: {made.type} @external"
        return f"{made.name}{made.arguments}: {made.type} {made.graphs[graph]} {'@shareable' if len(made.graphs) > 1 else ''}"

    def api(self) -> str:
        lines = ["type Query { " + " ".join(f"{made.name}{made.arguments}: {made.type}" for made in self.roots.values()) + " ok: Int }"]
        lines += ["interface I { id: ID! }"] if any(kind.implements for kind in self.entities.values()) else []
        for kind in (*self.entities.values(), *self.plains.values()):
            implements = " implements I" if kind.implements else ""
            fields = " ".join(f"{made.name}{made.arguments}: {made.type}" for made in kind.fields.values())
            lines.append(f"type {kind.name}{implements} {{ {fields} }}")
        return "\n".join(lines)

    def supergraph(self) -> str:
        values = " ".join(f'{graph.upper()} @join__graph(name: "{graph}", url: "http://{graph}.example")' for graph in self.graphs)
        types = " ".join(f"@join__type(graph: {graph.upper()})" for graph in self.graphs)
        roots = " ".join(self.joined(made) for made in self.roots.values())
        lines = [HEAD, f"enum join__Graph {{ {values} }}", f"type Query {types} {{ {roots} ok: Int }}"]
        having = {graph for kind in self.entities.values() for graph in kind.implements.get("I", ())}
        if having:
            lines.append("interface I " + " ".join(f"@join__type(graph: {graph.upper()})" for graph in sorted(having)) + " { id: ID! }")
        for kind in (*self.entities.values(), *self.plains.values()):
            said = [f'@join__implements(graph: {graph.upper()}, interface: "I")' for graph in sorted(kind.implements.get("I", ()))]
            for graph, keys in kind.graphs.items():
                said += [f'@join__type(graph: {graph.upper()}, key: "{key}")' for key in keys] or [f"@join__type(graph: {graph.upper()})"]
            implements = " implements I" if kind.implements else ""
            lines.append(f"type {kind.name}{implements} {' '.join(said)} {{ {' '.join(map(self.joined, kind.fields.values()))} }}")
        return "\n".join(lines)

    def joined(self, made: Made) -> str:
        said = []
        for graph in sorted({*made.graphs, *made.external}):
            word = made.graphs.get(graph, "")
            inside = word.replace("@requires(fields", "requires").replace("@provides(fields", "provides").removesuffix(")")
            external = ", external: true" if graph not in made.graphs else ""
            said.append(f"@join__field(graph: {graph.upper()}{', ' + inside if inside else ''}{external})")
        return f"{made.name}{made.arguments}: {made.type} {' '.join(said)}"


def added(name: str) -> Resolver:
    return lambda row, x=0: None if row[name] is None else row[name] + (x or 0)


def standing_at(name: str) -> Resolver:
    return lambda rows, at: next(iter(rows[name][at : at + 1]), None)


def joined(names: tuple[str, ...]) -> Resolver:
    return lambda row: " ".join(str(row[name]) for name in names)


# -- queries ----------------------------------------------------------------------------------------------------------


def query(random: Random, schema: GraphQLSchema) -> str:
    """A query over some of the roots."""
    assert schema.query_type is not None
    return "{ " + selections(random, schema, schema.query_type, random.randint(1, 4)) + " }"


def selections(random: Random, schema: GraphQLSchema, parent: GraphQLObjectType | GraphQLInterfaceType, levels: int) -> str:
    found = []
    names = [name for name, one in parent.fields.items() if levels > 0 or is_leaf_type(get_named_type(one.type))]
    for number, name in enumerate(random.sample(names, random.randint(1, min(len(names), 4)))):
        found.append(
            selected(random, schema, f"{'' if random.random() < 0.7 else f'x{levels}{number}: '}{name}", parent.fields[name], levels)
        )
    if random.random() < 0.2:
        found.append("__typename")
    if is_abstract_type(parent):
        for member in schema.get_possible_types(parent):
            if random.random() < 0.6:
                found.append(f"... on {member.name} {{ {aliased(random, schema, member, levels)} }}")
    return " ".join(found)


def aliased(random: Random, schema: GraphQLSchema, parent: GraphQLObjectType, levels: int) -> str:
    """Fields of a member, under names that no other member has."""
    names = [name for name, one in parent.fields.items() if levels > 0 or is_leaf_type(get_named_type(one.type))]
    some = random.sample(names, random.randint(1, min(len(names), 3)))
    return " ".join(selected(random, schema, f"{parent.name.lower()}{name}: {name}", parent.fields[name], levels) for name in some)


def selected(random: Random, schema: GraphQLSchema, text: str, definition: GraphQLField, levels: int) -> str:
    named: Any = get_named_type(definition.type)
    if definition.args and (random.random() < 0.7 or "at" in definition.args):
        text += "(" + ", ".join(f"{name}: {random.randint(0, 2)}" for name in definition.args) + ")"
    return text if is_leaf_type(named) else f"{text} {{ {selections(random, schema, named, levels - 1)} }}"
