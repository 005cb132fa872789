"""A random public schema, and the truth about the entities in it.

Field names are unique over the schema (but for keys and ``label``), so that fragments on different types never clash.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schema.registry import Aggregated
from tests.properties.values import LEAVES, Truth, truth

KINDS = ("object", "object", "items", "ref", "refs", "either", "eithers", "link", "link", "link")  # of fields that are no leaves, as often


@dataclass(frozen=True, slots=True)
class Shape:
    """A field of a type. ``kind`` is leaf, object, items, ref, refs, either, eithers, link or any (a link to several types), and ``target``
    the type or types it leads to."""

    name: str
    kind: str
    type: str  # as the schema writes it
    leaf: str = ""
    target: tuple[str, ...] = ()


@dataclass(slots=True)
class Model:
    """The public types: ``values`` are plain objects, ``entities`` have keys, ``alternatives`` are further keys of an entity."""

    values: dict[str, dict[str, Shape]] = field(default_factory=dict)
    entities: dict[str, dict[str, Shape]] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    alternatives: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sdl: str = ""
    roots: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    filters: dict[str, dict[str, str]] = field(default_factory=dict)
    orders: dict[str, dict[str, str]] = field(default_factory=dict)
    aggregates: dict[str, Aggregated] = field(default_factory=dict)

    def fields(self, name: str) -> dict[str, Shape]:
        return self.values.get(name) or self.entities[name]


# -- the public schema ------------------------------------------------------------------------------------------------


def random_model(rng: random.Random, size: int) -> Model:
    model = Model()
    counter = iter(range(10_000))
    entities = [f"T{i}" for i in range(rng.randint(1, size))]
    values = [f"V{i}" for i in range(rng.randint(1, 2))]

    def leaf_shape() -> Shape:
        kind = rng.choice(LEAVES)
        written = kind + ("!" if rng.random() < 0.12 else "")
        if rng.random() < 0.3:
            written = f"[{kind}{rng.choice(('', '!'))}]"
            if rng.random() < 0.2:
                written = f"[{written}{rng.choice(('', '!'))}]"
        return Shape(f"f{next(counter)}", "leaf", written, kind)

    for i, name in enumerate(values):
        model.values[name] = {"label": Shape("label", "leaf", "String", "String")}
        for shape in [leaf_shape() for _ in range(rng.randint(1, 3))]:
            model.values[name][shape.name] = shape
        if rng.random() < 0.4:
            known = Shape(f"f{next(counter)}", "ref", rng.choice(entities), target=())
            model.values[name][known.name] = replace(known, target=(known.type,))
        if i:
            nested = Shape(f"f{next(counter)}", "object", values[0] + ("!" if rng.random() < 0.2 else ""), target=(values[0],))
            model.values[name][nested.name] = nested
    members = (*entities, values[0])
    for name in entities:
        model.keys[name] = ("id", "region") if rng.random() < 0.15 else ("id",)
        model.alternatives[name] = ("old", "arch")[: rng.choice((0, 0, 1, 2))]
        shapes = [Shape("id", "leaf", "ID!", "ID"), Shape("label", "leaf", "String", "String")]
        if "region" in model.keys[name]:
            shapes.append(Shape("region", "leaf", "String", "String"))
        shapes += [Shape(alt, "leaf", "String", "String") for alt in model.alternatives[name]]
        shapes += [leaf_shape() for _ in range(rng.randint(2, 5))]
        for kind in rng.sample(
            ("object", "object", "items", "ref", "refs", "either", "eithers", "link", "link", "link", "any"), rng.randint(1, 5)
        ):
            target = rng.choice(entities if kind in ("ref", "refs", "link") else values)
            mark = "!" if rng.random() < 0.1 else ""
            inner = "!" if rng.random() < 0.3 else ""
            abstract = rng.choice(("Labelled", "Member"))
            written = {
                "object": target + mark,
                "items": rng.choice((f"[{target}{inner}]{mark}", f"[[{target}{inner}]{rng.choice(('', '!'))}]{mark}")),
                "ref": target + mark,
                "refs": rng.choice((f"[{target}{inner}]{mark}", f"[{target}]", f"{target}Connection{mark}")),
                "either": abstract + mark,
                "eithers": f"[{abstract}{inner}]",
                "any": rng.choice((abstract, f"[{abstract}{inner}]{mark}")),
                "link": rng.choice((target, f"[{target}{inner}]{mark}", f"{target}Connection", f"{target}Connection{mark}")),
            }[kind]
            shapes.append(Shape(f"f{next(counter)}", kind, written, target=members if kind in ("either", "eithers", "any") else (target,)))
        model.entities[name] = {shape.name: shape for shape in shapes}
    model.sdl = _sdl(rng, model, members)
    return model


def _sdl(rng: random.Random, model: Model, members: tuple[str, ...]) -> str:
    first = "first: Int = 2, after: String" if rng.random() < 0.5 else "first: Int, after: String"
    parts = ["scalar Decimal scalar Date scalar DateTime enum Colour { RED GREEN BLUE }", f"union Member = {' | '.join(members)}"]
    parts.append("interface Labelled { label: String }")
    parts.append("type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }")
    parts.append("enum Direction { ASC DESC }")
    for leaf in LEAVES:
        more = "lt: {0} le: {0} gt: {0} ge: {0}" if leaf in ("Int", "Float", "Decimal", "Date", "DateTime") else "prefix: String"
        more = "" if leaf in ("Boolean", "Colour") else more.format(leaf)
        parts.append(f"input {leaf}Condition {{ eq: {leaf} in: [{leaf}!] isNull: Boolean {more} }}")
    query = []
    for name in (*model.values, *model.entities):
        implements = " implements Labelled" if name in members else ""
        body = "\n".join(
            f"  {shape.name}{_page(first, shape.target[0]) if shape.type.rstrip('!').endswith('Connection') else ''}: {shape.type}"
            for shape in model.fields(name).values()
        )
        parts.append(f"type {name}{implements} {{\n{body}\n}}")
    for name, shapes in model.entities.items():
        low = name.lower()
        keys = model.keys[name]
        mark = "!" if rng.random() < 0.1 else ""
        query.append(f"  {low}({', '.join(f'{k}: ' + ('ID!' if k == 'id' else 'String') for k in keys)}): {name}{mark}")
        model.roots[f"Query.{low}"] = (name, {k: k for k in keys})
        for alt in model.alternatives[name]:
            query.append(f"  {low}By{alt}({alt}: String): {name}")
            model.roots[f"Query.{low}By{alt}"] = (name, {alt: alt})
        paths = _paths(rng, model, shapes, keys)
        model.filters[f"{name}Filter"] = {f"{spelled}Is": path for spelled, (path, _) in paths.items()}
        model.orders[f"{name}Order"] = {f"{spelled}_{leaf}": path for spelled, (path, leaf) in paths.items()}
        parts.append(f"input {name}Filter {{ {' '.join(f'{spelled}Is: {leaf}Condition' for spelled, (_, leaf) in paths.items())} }}")
        parts.append(f"enum {name}OrderField {{ {' '.join(model.orders[f'{name}Order'])} }}")
        parts.append(f"input {name}Order {{ field: {name}OrderField! direction: Direction }}")
        given = f"filter: {name}Filter, orderBy: [{name}Order!], first: Int, after: String"
        query.append(f"  {low}s({given}): {name}Connection{'!' if rng.random() < 0.1 else ''}")
        parts.append(_aggregates(model, name, paths))
        query.append(f"  {low}Figures(filter: {name}Filter, groupBy: [{name}Group!]): [{name}Aggregate{rng.choice(('', '!'))}]")
        query.append(f"  {low}List: [{name}{rng.choice(('', '!'))}]{'!' if rng.random() < 0.1 else ''}")
        item = rng.choice(("", "!"))
        parts.append(f"type {name}Connection {{ edges: [{name}Edge{item}] nodes: [{name}{item}] pageInfo: PageInfo! totalCount: Int }}")
        parts.append(f"type {name}Edge {{ cursor: String! node: {name} }}")
    query.append(f"  everybody: [Member{rng.choice(('', '!'))}]")
    return "\n".join([*parts, "type Query {", *query, "}"])


def _page(first: str, node: str) -> str:
    return f"(filter: {node}Filter, orderBy: [{node}Order!], {first})"


def _aggregates(model: Model, name: str, paths: Mapping[str, tuple[str, str]]) -> str:
    """The types of a type's figures."""
    groups = {n: p for n, p in paths.items() if p[1] not in ("Float", "Decimal", "DateTime")}
    sums = {n: p for n, p in paths.items() if p[1] in ("Int", "Decimal")}
    ends = {n: p for n, p in paths.items() if p[1] in ("Int", "Decimal", "Float", "Date")}
    figures = {"group": groups, "sum": sums, "min": ends, "max": ends}
    kinds = {"group": "Key", "sum": "Sums", "min": "Ends", "max": "Ends"}
    found = {kind: {n: path for n, (path, _) in some.items()} for kind, some in figures.items() if some}
    model.aggregates[f"{name}Aggregate"] = Aggregated(name, found, {f"by_{n}": path for n, (path, _) in groups.items()})
    parts = [f"enum {name}Group {{ {' '.join(f'by_{n}' for n in groups)} }}"]
    for kind in ("group", "sum", "min"):
        if figures[kind]:
            fields = " ".join(f"{n}: {'Decimal' if kind == 'sum' else leaf}" for n, (_, leaf) in figures[kind].items())
            parts.append(f"type {name}{kinds[kind]} {{ {fields} }}")
    inner = " ".join(f"{kind}: {name}{kinds[kind]}" for kind in found)
    return "\n".join([*parts, f"type {name}Aggregate {{ count: Int! {inner} }}"])


def _paths(rng: random.Random, model: Model, shapes: Mapping[str, Shape], keys: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """What a type may be narrowed and ordered by: a name without dots -> (path, leaf type)."""
    plain = [shape for shape in shapes.values() if shape.kind == "leaf" and not shape.type.startswith("[")]
    found = {shape.name: (shape.name, shape.leaf) for shape in plain if shape.name in ("label", *keys) or rng.random() < 0.7}
    for shape in shapes.values():
        if shape.kind == "object":
            found[f"{shape.name}Label"] = (f"{shape.name}.label", "String")
    return found


# -- the truth --------------------------------------------------------------------------------------------------------


def random_entity(rng: random.Random, model: Model, name: str, index: int) -> Truth:
    number = 100 * (1 + list(model.entities).index(name)) + index
    one: Truth = {"id": str(number)}
    for shape in model.entities[name].values():
        if shape.name == "region":
            one["region"] = rng.choice(("杭", "甬"))
        elif shape.name in ("old", "arch"):
            one[shape.name] = None if rng.random() < 0.25 else f"{shape.name}{number}"
        elif shape.name != "id":
            one[shape.name] = _plain(rng, model, shape)
    return one


def _plain(rng: random.Random, model: Model, shape: Shape) -> Any:
    if shape.kind == "leaf":
        return truth(rng, shape.leaf, shape.type)
    if shape.kind in ("object", "items"):
        one = [{s.name: _plain(rng, model, s) for s in model.values[shape.target[0]].values()} for _ in range(rng.randint(0, 3))]
        if shape.kind == "items":
            listed = None if rng.random() < 0.15 else [None if rng.random() < 0.1 else item for item in one]
            if not shape.type.startswith("[["):
                return listed
            return None if rng.random() < 0.1 else [listed, *([[], None] if rng.random() < 0.4 else []), one[:1]][: rng.randint(0, 4)]
        return one[0] if one else None
    return None


def connect(
    rng: random.Random, model: Model, name: str, one: Truth, truths: Mapping[str, list[Truth]], ghosts: Mapping[str, Truth]
) -> None:
    """Give an entity its neighbours; now and then nobody, the same twice, or one of ``ghosts``, who is in no system."""

    def neighbour(target: str) -> Truth | None:
        if rng.random() < 0.2:
            return None
        return ghosts[target] if rng.random() < 0.1 else rng.choice(truths[target])

    def member(targets: tuple[str, ...]) -> Any:
        target = rng.choice(targets)
        if target in model.entities:
            return (target, neighbour(target))
        value = {s.name: _plain(rng, model, s) for s in model.values[target].values()}
        known(target, value)
        return (target, value)

    def known(kind: str, value: Any) -> None:
        """Give the plain objects inside an entity their neighbours."""
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, list):
                known(kind, item)
                continue
            for shape in model.values[kind].values() if item is not None else ():
                if shape.kind == "ref":
                    item[shape.name] = neighbour(shape.target[0])
                elif shape.kind == "object":
                    known(shape.target[0], item[shape.name])

    for shape in model.entities[name].values():
        if shape.kind in ("object", "items"):
            known(shape.target[0], one[shape.name])
        elif shape.kind == "ref":
            one[shape.name] = neighbour(shape.target[0])
        elif shape.kind == "refs":
            some = [neighbour(shape.target[0]) for _ in range(rng.randint(0, 4))]
            some = [item for item in some if item is not None or "Connection" not in shape.type]
            one[shape.name] = None if rng.random() < 0.1 else some
        elif shape.kind == "either":
            one[shape.name] = None if rng.random() < 0.2 else member(shape.target)
        elif shape.kind in ("eithers", "any"):
            one[shape.name] = [member(shape.target) for _ in range(rng.randint(0, 3))]
        elif shape.kind == "link":
            one[shape.name] = rng.choices(truths[shape.target[0]], k=rng.choice((0, 1, 1, 2, 4)))
