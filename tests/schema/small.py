"""A small province for tests of composition: three canonical types and a way to write manifests short."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig

from connectors import kinds
from schema.compose import Composition, compose, parse_manifest
from schema.coordinates import Grade
from schema.entries import Manifest
from schema.faults import format_fault
from schema.scalars import SCALARS, USCC, Date, DateTime, Decimal
from schema.types.connection import Connection
from schema.types.planned import argument, meanings, pages, paging, planned, words

KINDS = frozenset({*kinds.KINDS, "memory"})


@meanings(OPEN=("开业", "Open"), SHUT=("歇业", "Shut"))
@strawberry.enum(description=words("状态", "State"))
class State(StrEnum):
    OPEN = "OPEN"
    SHUT = "SHUT"


@strawberry.type(description=words("地点", "A place"))
class Place:
    street: str | None = planned("街道", "Street")
    opened: Date | None = planned("启用日期", "In use since")


@strawberry.type(description=words("证", "A permit"))
class Permit:
    permit_no: strawberry.ID = planned("证号", "Number")
    title: str | None = planned("名称", "Title")
    shop: Shop | None = planned("持证店铺", "The shop that holds it")


@strawberry.type(description=words("店铺", "A shop"))
class Shop:
    uscc: USCC = planned("统一社会信用代码", "Unified social credit code")
    name: str | None = planned("名称", "Name")
    capital: Decimal | None = planned("资本", "Capital", grade=Grade.L3, scopes=[["money"]])
    state: State | None = planned("状态", "State")
    place: Place | None = planned("地点", "Where it is")
    tags: list[str] | None = planned("标签", "Tags")
    checked_at: DateTime | None = planned("检查时间", "Checked at")
    permits: Connection[Permit] | None = pages("证", "Its permits")
    main: Permit | None = planned("主证", "Its first permit")


@strawberry.type(description=words("查询", "Query"))
class Query:
    shop: Shop | None = planned("店铺", "A shop", arguments=[argument("uscc", USCC, "代码", "Code")])
    shops: Connection[Shop] | None = planned("店铺列表", "Shops", arguments=paging())


@cache
def canonical() -> strawberry.Schema:
    return strawberry.Schema(query=Query, config=StrawberryConfig(scalar_map=SCALARS))


def manifest(name: str, body: str, source: str = '@rest(base: "${URL}")') -> Manifest:
    """A manifest of system ``name``, whose file is ``name.graphql``."""
    head = f'extend schema @system(name: "{name}", title: "系统", owner: "厅") {source}\n'
    return parse_manifest(head + body, f"{name}.graphql")


SHOP = 'type Shop @key(fields: "uscc") '
BY_USCC = (
    'type Query { byUscc(uscc: USCC! @is(field: "uscc")): Shop @lookup '
    '@get(path: "/shops?c={keys}", batch: {by: "uscc", match: "code"}) }\n'
)


def composed(*manifests: Manifest) -> Composition:
    """The composition of manifests, whatever their faults."""
    return compose(canonical(), manifests, kinds=KINDS)


def clean(*manifests: Manifest) -> Composition:
    """The composition of manifests that have no fault but fields that nobody serves, and calls that take one key at a time."""
    made = composed(*manifests)
    assert [format_fault(found) for found in made.faults if found.severity != "notice" and found.code != "NO_BATCH"] == []
    return made


def codes(made: Composition) -> Sequence[str]:
    """Codes of all faults but notices."""
    return [found.code for found in made.faults if found.severity != "notice"]
