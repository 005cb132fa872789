"""Random mutations and subscriptions: a random case with writes to its own tables, or with a feed of its own rows, and an operation.

Everything comes from the seed of the case.
"""

from __future__ import annotations

import random
from dataclasses import replace

from graphql import GraphQLObjectType, GraphQLSchema, OverlappingFieldsCanBeMergedRule, build_schema, parse, validate

from connectors.spi import Options, Relation
from schema.registry import Binding, Role, Served
from tests.properties.faults import KINDS
from tests.properties.generator import Case
from tests.properties.operations import Operation, selection
from tests.worlds import World

CHANGED, GIVEN = "Subscription.changed", "Query.given"


def mutation(base: Case) -> Case | None:
    """The case with mutations that change the text of one column of one system; None where there is none to be changed."""
    rng = random.Random(f"write {base.seed}/{base.size}")
    writable = [(binding, name) for binding in base.bindings if binding.role is Role.LOOKUP for name in _texts(base, binding)]
    if not writable:
        return None
    chosen = [rng.choice(writable) for _ in range(rng.randint(1, 3))]
    writes = [_write(rng, at, binding, name) for at, (binding, name) in enumerate(chosen)]
    marks = [rng.choice(("", "", "!")) for _ in writes]
    fields = " ".join(
        f"set{at}({binding.key[0]}: {'ID' if binding.key[0] == 'id' else 'String'}, value: String): {binding.type}{mark}"
        for at, ((binding, _), mark) in enumerate(zip(chosen, marks, strict=True))
    )
    sdl = f"{base.sdl}\ntype Mutation {{ {fields} }}"
    schema = build_schema(sdl, assume_valid_sdl=True)
    faults = dict(base.faults)
    for write in writes:
        if rng.random() < 0.15:
            down = {**faults[write.system].down, write.relation.name: rng.choice(KINDS)}
            faults[write.system] = replace(faults[write.system], down=down)
    asked = _asked(rng, base, schema, writes, chosen)
    denied = base.denied | ({writes[0].field or ""} if rng.random() < 0.05 else set())
    return replace(base, sdl=sdl, schema=schema, bindings=(*base.bindings, *writes), faults=faults, denied=denied, operation=asked)


def _texts(base: Case, binding: Binding) -> list[str]:
    """Fields of a lookup by one key that are plain texts in a column of their own."""
    if len(binding.key) != 1 or "." in binding.relation.field(binding.relation.keys[0]).path:
        return []
    kind = base.schema.type_map[binding.type]
    assert isinstance(kind, GraphQLObjectType)
    return [
        name
        for name, served in sorted(binding.fields.items())
        if name not in binding.key
        and served.type is None
        and str(kind.fields[name].type) == "String"
        and (column := binding.relation.field(str(served.column))).type == "text"
        and column.path.isidentifier()
        and column.format is None
    ]


def _write(rng: random.Random, at: int, binding: Binding, name: str) -> Binding:
    key = binding.key[0]
    lookup = binding.relation
    carried = {key, *rng.sample(sorted(binding.fields), rng.randint(0, min(2, len(binding.fields))))}
    fields: dict[str, Served] = {each: served for each, served in binding.fields.items() if each in carried}
    native = Options(
        {
            "rows": lookup.native["rows"],
            "by": {key: lookup.field(lookup.keys[0]).path},
            "sets": {"value": lookup.field(str(binding.fields[name].column)).path},
        }
    )
    coordinate = f"Mutation.set{at}"
    relation = Relation(coordinate, lookup.fields, native, args=(key, "value"), effect="write")
    args = {key: key, "value": "value"}
    return Binding(
        f"{binding.system}.{coordinate}", binding.system, Role.WRITE, binding.type, relation, fields, args=args, field=coordinate
    )


def _asked(rng: random.Random, base: Case, schema: GraphQLSchema, writes: list[Binding], chosen: list[tuple[Binding, str]]) -> Operation:
    root = schema.mutation_type
    assert root is not None
    while True:
        parts: list[str] = []
        fragments: list[str] = []
        variables: dict[str, object] = {}
        declared: dict[str, str] = {}
        for turn in range(rng.randint(1, 4)):
            at = rng.randrange(len(writes))
            binding, _ = chosen[at]
            path = binding.relation.field(binding.relation.keys[0]).path
            keys = [row[path] for row in base.rows[binding.system][str(binding.relation.native["rows"])]] or ["nobody"]
            key = str(rng.choice((*keys, *keys, "nobody")))
            made = selection(rng, schema, binding.type, turn)
            declared |= made.declared
            variables |= dict(made.operation.variables)
            fragments += made.fragments
            parts.append(f'm{turn}: set{at}({binding.key[0]}: "{key}", value: "new{turn}") {made.operation.text}')
        if rng.random() < 0.1:
            parts.insert(rng.randrange(len(parts)), "__typename")
        head = f"({', '.join(f'${name}: {kind}' for name, kind in declared.items())})" if declared else ""
        text = "\n".join([f"mutation M{head} {{ {' '.join(parts)} }}", *fragments])
        if not validate(schema, parse(text), [OverlappingFieldsCanBeMergedRule]):
            return Operation(text, variables)


def subscription(base: Case) -> tuple[Case, Case] | None:
    """(a case whose operation subscribes to news of one row, the same as a query that has this row given to it); None without a row."""
    rng = random.Random(f"feed {base.seed}/{base.size}")
    scans = [b for b in base.bindings if b.role is Role.SCAN and not b.variants and base.rows[b.system][str(b.relation.native["rows"])]]
    if not scans:
        return None
    scan = rng.choice(scans)
    row = rng.choice(base.rows[scan.system][str(scan.relation.native["rows"])])
    made_fields = f"type Subscription {{ changed: {scan.type} }}\nextend type Query {{ given: [{scan.type}] }}"
    sdl = f"{base.sdl}\n{made_fields}"
    schema = build_schema(sdl, assume_valid_sdl=True)
    plain = replace(scan.relation, name=CHANGED, native=Options(), where=Options(), order=(), limit=False, total=False)
    feed = replace(scan, id=f"{scan.system}.{CHANGED}", role=Role.EVENTS, relation=plain, field=CHANGED)
    listed = replace(scan, id=f"{scan.system}.{GIVEN}", relation=replace(plain, name=GIVEN, native=Options({"rows": GIVEN})), field=GIVEN)
    rows = {name: {**tables, **({GIVEN: [row]} if name == scan.system else {})} for name, tables in base.rows.items()}
    made = selection(rng, schema, scan.type, 0)
    head = f"({', '.join(f'${name}: {kind}' for name, kind in made.declared.items())})" if made.declared else ""
    told, asked = (
        Operation("\n".join([f"{kind} Q{head} {{ {root} {made.operation.text} }}", *made.fragments]), made.operation.variables)
        for kind, root in (("subscription", "changed"), ("query", "given"))
    )
    whole = replace(base, sdl=sdl, schema=schema, bindings=(*base.bindings, feed, listed), rows=rows)
    return replace(whole, operation=told), replace(whole, operation=asked)


def publish(made: World) -> None:
    """Let the row of ``subscription`` happen."""
    for system in made.systems.values():
        for row in system.rows.get(GIVEN, ()):
            system.publish(CHANGED, row)
