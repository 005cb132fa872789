"""``hub diff OLD NEW``: what a change of manifests does to those who ask: breaking, dangerous, safe.

Each side is a folder of manifests or a file of SDL (from ``hub schema``). Grades and scopes count too: a field that fewer may see
breaks those who could; this shows only between folders.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graphql import (
    GraphQLError,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    get_named_type,
    is_introspection_type,
)

from hub.app import BadManifests
from hub.cli.shared import Fault
from hub.connected import composed
from schema.coordinates import Coordinates

Weight = Literal["BREAKING", "DANGEROUS", "SAFE"]
WEIGHTS: tuple[Weight, ...] = ("BREAKING", "DANGEROUS", "SAFE")


@dataclass(frozen=True, slots=True)
class Change:
    """``kind`` is a stable word in capitals."""

    weight: Weight
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. ``rows`` is None for a file of SDL, which says nothing of grades."""

    schema: GraphQLSchema
    rows: Coordinates | None


def diff(old: Path, new: Path) -> int:
    """Print every change; exit code 1 when one of them is breaking. Raises Fault, BadManifests."""
    found = list(changes(_side(old), _side(new)))
    for weight in WEIGHTS:
        own = sorted((each for each in found if each.weight == weight), key=lambda each: each.text)
        for each in own:
            print(f"{each.weight} {each.kind} {each.text}")
    counts = ", ".join(f"{sum(each.weight == weight for each in found)} {weight.lower()}" for weight in WEIGHTS)
    print(counts)
    return 1 if any(each.weight == "BREAKING" for each in found) else 0


def _side(place: Path) -> Side:
    if place.is_dir():
        composition = composed(place)
        if not composition.ok:
            raise BadManifests(composition.faults)
        return Side(composition.schema, composition.registry.coordinates)
    try:
        return Side(build_schema(place.read_text(encoding="utf-8")), None)
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"无法读取 {place}。", f"Cannot read {place}: {error}.") from None
    except (GraphQLError, TypeError) as error:
        raise Fault(f"{place} 不是数据模型。", f"{place} is neither a folder of manifests nor SDL: {error}") from None


def changes(old: Side, new: Side) -> Iterator[Change]:
    """What differs for those who ask."""
    for breaking in find_breaking_changes(old.schema, new.schema):
        yield Change("BREAKING", breaking.type.name, breaking.description)
    for dangerous in find_dangerous_changes(old.schema, new.schema):
        yield Change("DANGEROUS", dangerous.type.name, dangerous.description)
    yield from _added(old.schema, new.schema)
    if old.rows is not None and new.rows is not None:
        yield from _rights(old.rows, new.rows)


def _added(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    for name, type_ in new.type_map.items():
        if is_introspection_type(type_):
            continue
        before = old.type_map.get(name)
        if before is None:
            yield Change("SAFE", "TYPE_ADDED", f"{name} was added.")
            continue
        known = getattr(before, "fields", {})
        for each, field in getattr(type_, "fields", {}).items():
            if each not in known:
                # A required field of an input is breaking and told already.
                if hasattr(field, "args") or str(field.type)[-1] != "!":
                    yield Change("SAFE", "FIELD_ADDED", f"{name}.{each}: {get_named_type(field.type).name} was added.")
            elif (field.deprecation_reason or "") != (known[each].deprecation_reason or ""):
                yield Change("SAFE", "DEPRECATION_CHANGED", f"{name}.{each} is deprecated: {field.deprecation_reason or 'no longer'}.")
            elif (field.description or "") != (known[each].description or ""):
                yield Change("SAFE", "DESCRIPTION_CHANGED", f"{name}.{each} is described otherwise.")


def _rights(old: Coordinates, new: Coordinates) -> Iterator[Change]:
    """Who may see a field that is there before and after."""
    for name in old.keys() & new.keys():
        before, after = old[name], new[name]
        if after.grade > before.grade:
            yield Change("BREAKING", "GRADE_RAISED", f"{name} went from {before.grade.name} to {after.grade.name}: fewer may see it.")
        elif after.grade < before.grade:
            text = f"{name} went from {before.grade.name} to {after.grade.name}: more may see it. Is that meant?"
            yield Change("DANGEROUS", "GRADE_LOWERED", text)
        if before.scopes != after.scopes:
            wider = not after.scopes or (before.scopes and all(any(new <= each for new in after.scopes) for each in before.scopes))
            if wider:
                yield Change("DANGEROUS", "SCOPES_WIDENED", f"{name} demands other scopes, and more callers have them. Is that meant?")
            else:
                yield Change("BREAKING", "SCOPES_NARROWED", f"{name} demands scopes that some who could see it do not have.")
        if before.owner != after.owner:
            yield Change("DANGEROUS", "OWNER_CHANGED", f"{name} is contributed by {after.owner}, no longer by {before.owner}.")
