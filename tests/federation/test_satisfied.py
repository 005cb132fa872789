"""Keys are taken away from federations: what is then told to be out of reach is what plans cannot have, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from random import Random

import pytest
from graphql import GraphQLSchema, get_named_type, is_composite_type, print_ast
from hypothesis import given
from hypothesis import strategies as st

from hub.plan.model import Fetch
from hub.plan.outputs import Choice, Failure, List, Object, Output
from hub.run.engine import Engine
from schema.federation import merge, subgraph
from schema.federation.satisfied import Missing, missing
from schema.federation.serve import composition
from schema.federation.supergraph import read_document
from tests.federation.estate import Estate
from tests.federation.estates import ESTATES
from tests.federation.generated import Maker
from tests.federation.queries import Queries
from tests.federation.test_planning import engine_of
from tests.properties import examples

KEY = re.compile(r'@key\(fields: "[^"]*"()\)')
Subgraphs = Mapping[str, str]


def poorer(subgraphs: Subgraphs) -> Iterator[Subgraphs]:
    """The same with a key that is not resolvable any more, with a key less, and with a subgraph less."""
    for name, sdl in subgraphs.items():
        for key in KEY.finditer(sdl):
            yield {**subgraphs, name: f"{sdl[: key.start(1)]}, resolvable: false{sdl[key.start(1) :]}"}
            yield {**subgraphs, name: sdl[: key.start()] + sdl[key.end() :]}
    for name in subgraphs:
        yield {other: sdl for other, sdl in subgraphs.items() if other != name}


def agrees(subgraphs: Subgraphs, seed: str) -> None:
    """What does not hold together otherwise is not looked at."""
    read = [subgraph.read(name, "http://there.example", sdl, name) for name, sdl in subgraphs.items()]
    document, faults = merge.merge([one for one, _ in read if one is not None])
    found = read_document(document, "")
    if faults or any(some for _, some in read) or found.federation is None or found.schema is None:
        return
    made = composition(print_ast(document), "supergraph.graphql", {})
    engine = engine_of(made, {})
    lost = missing(found.federation, found.schema)
    for one in lost:
        assert unbound(engine, along(found.schema, one)), one
    if not lost:
        queries = Queries(found.schema, ["1"], seed)
        for text in (queries.valid() for _ in range(4)):
            assert not unbound(engine, text), text


def along(schema: GraphQLSchema, one: Missing) -> str:
    """A query that asks for what is missing, by the way that leads there."""
    made = one.name if one.name == "__typename" else _field(schema, one.type, one.name, "__typename")
    at = one.type
    for coordinate in reversed(one.way):
        owner, _, name = coordinate.partition(".")
        named = get_named_type(schema.type_map[owner].fields[name].type).name  # type: ignore[attr-defined]
        made = _field(schema, owner, name, made if named == at else f"... on {at} {{ {made} }}")
        at = owner
    return f"{at.lower()} {{ {made} }}"


def _field(schema: GraphQLSchema, owner: str, name: str, below: str) -> str:
    field = schema.type_map[owner].fields[name]  # type: ignore[attr-defined]
    inner = f" {{ {below} }}" if is_composite_type(get_named_type(field.type)) else ""
    return name + Queries(schema, ["1"], "")._arguments(field) + inner


def unbound(engine: Engine, text: str) -> bool:
    """Whether something that is asked for, or that it requires, is had from nobody."""
    ready = engine.preparer.ready(engine.parse(text), None, {})
    plan = engine.preparer.plan(ready.prepared, frozenset())
    needed = [output for step in plan.steps if isinstance(step, Fetch) and step.representation for output in step.representation.outputs]
    return any(map(_fails, (*(root.output for root in plan.roots), *needed)))


def _fails(output: Output) -> bool:
    match output:
        case Failure():
            return True
        case Object():
            return any(map(_fails, (*output.children, *(one for each in output.variants.values() for one in each.children))))
        case List():
            rows = output.rows
            return any(map(_fails, (*rows.children, *(one for each in rows.variants.values() for one in each.children))))
        case Choice():
            return any(map(_fails, output.options))
    return False


@pytest.mark.parametrize("estate", ESTATES, ids=lambda one: one.name)
def test_what_an_estate_lacks_without_a_key_is_what_plans_lack(estate: Estate) -> None:
    for number, subgraphs in enumerate((dict(estate.subgraphs), *poorer(estate.subgraphs))):
        agrees(subgraphs, f"{estate.name} {number}")


@given(st.integers(0, 10**9))
@examples(15)
def test_what_any_federation_lacks_without_a_key_is_what_plans_lack(made: int) -> None:
    random = Random(made)
    subgraphs = dict(Maker(random).estate().subgraphs)
    agrees(random.choice([subgraphs, *poorer(subgraphs)]), str(made))


@pytest.mark.parametrize("estate", ESTATES, ids=lambda one: one.name)
def test_an_estate_as_it_is_lacks_nothing(estate: Estate) -> None:
    read = [subgraph.read(name, "", sdl, name)[0] for name, sdl in estate.subgraphs.items()]
    found = read_document(merge.merge([one for one in read if one is not None])[0], "")
    assert found.federation is not None
    assert found.schema is not None
    assert missing(found.federation, found.schema) == []
