"""Registries of many systems, made up but plausible, straight as values: no manifest is read and nothing can be called.

One hot type, as Enterprise is in a province: every tenth system has something to say of it. Forty of its fields are served by many, the
rest by one each; three keys lead from one to the next. All other systems serve types of their own. The same size gives the same registry.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import GraphQLSchema, build_schema

from connectors.spi import Field, Options, Relation
from schema.coordinates import Coordinate, Coordinates, Grade
from schema.registry import Authority, Binding, Coverage, Existence, Registry, Role, RootLookup, Served, System

KEYS = ("uscc", "oldNo", "archiveNo")
SHARED = 40  # fields of the hot type that several systems serve
ASKED = 30  # fields of the question: twenty shared ones, ten that one system alone has
QUESTION = '{ firm(uscc: "A") { ' + " ".join([*(f"shared{n}" for n in range(20)), *(f"own{n}" for n in range(10))]) + " } }"


@dataclass(frozen=True, slots=True)
class Province:
    """``hot`` is the number of bindings on the hot type."""

    schema: GraphQLSchema
    registry: Registry
    hot: int


def province(systems: int) -> Province:
    """A province of so many systems, 400 or more."""
    rng = random.Random(systems)
    names = [f"system{number:05}" for number in range(systems)]
    hot = names[::10]
    lookups: dict[str, list[Binding]] = {"Firm": list(_hot(rng, hot))}
    for number, name in enumerate(names):
        for kind in {number // 8, rng.randrange(1 + systems // 8)}:
            lookups.setdefault(f"Kind{kind}", []).append(_binding(name, f"Kind{kind}", "id", ("id", *rng.sample("abcdef", 3)), rng))
    ranked = {kind: tuple(sorted(found, key=lambda binding: binding.rank)) for kind, found in sorted(lookups.items())}
    own = max(10, len(hot))
    firm = [*KEYS, *(f"shared{n}" for n in range(SHARED)), *(f"own{n}" for n in range(own))]
    fields = {"Firm": firm} | {kind: ["id", *"abcdef"] for kind in ranked if kind != "Firm"}
    sdl = "\n".join(f"type {kind} {{ {' '.join(f'{name}: String' for name in some)} }}" for kind, some in fields.items())
    registry = Registry(
        systems={name: System(name, name, "", "rest", Options()) for name in names},
        coordinates=Coordinates(Coordinate(kind, name, Grade.L1, True) for kind, some in fields.items() for name in some),
        keys={kind: (("uscc",), ("oldNo",), ("archiveNo",)) if kind == "Firm" else (("id",),) for kind in ranked},
        lookups=ranked,
        links={},
        scans={},
        roots={"Query.firm": RootLookup("Query.firm", "Firm", {"uscc": "uscc"})},
        connections={},
        epoch=str(systems),
    )
    return Province(build_schema(f"type Query {{ firm(uscc: String!): Firm }}\n{sdl}", assume_valid=True), registry, len(ranked["Firm"]))


def _hot(rng: random.Random, names: list[str]) -> Iterator[Binding]:
    yield _binding(names[0], "Firm", "uscc", ("uscc", "shared0", "shared1"), rng, anchor=True)
    yield _binding(names[1], "Firm", "uscc", ("uscc", "oldNo"), rng)
    yield _binding(names[2], "Firm", "oldNo", ("oldNo", "archiveNo"), rng)
    for number, name in enumerate(names):
        key = rng.choices(KEYS, (6, 2, 1))[0]
        shared = rng.sample([f"shared{n}" for n in range(SHARED)], 3)
        yield _binding(name, "Firm", key, (key, *shared, f"own{number}"), rng)


def _binding(system: str, kind: str, key: str, fields: tuple[str, ...], rng: random.Random, *, anchor: bool = False) -> Binding:
    name = f"{kind}.by.{key}.{'anchor' if anchor else '.'.join(fields)}"
    return Binding(
        id=f"{system}.{name}",
        system=system,
        role=Role.LOOKUP,
        type=kind,
        relation=Relation(name, tuple(Field(each, each) for each in fields), keys=(key,), max_keys=100),
        fields={each: Served(each, column=each) for each in fields},
        key=(key,),
        existence=Existence.ANCHOR if anchor else Existence.CONTRIBUTES,
        coverage=Coverage.COMPLETE if anchor else Coverage.PARTIAL,
        authority=rng.choice(tuple(Authority)),
        priority=rng.randrange(3),
    )
