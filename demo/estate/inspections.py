"""行政检查: inspections; how often an enterprise is visited depends on what the register says of it."""

from __future__ import annotations

import strawberry
from strawberry import ID, federation
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

_ROWS = [
    (ID("J-1"), "2026-03-02", "合格", ID("91330106MA2AXK0T11"), ID("浙食 0001")),
    (ID("J-2"), "2026-04-15", "整改", ID("91330108MA2HYD5X3A"), ID("浙危 0003")),
    (ID("J-3"), "2026-05-20", "合格", ID("91330108MA2HYD5X3A"), ID("浙运 0004")),
]


@strawberry.interface(description="处理 What an inspection led to.")
class Measure:
    no: ID
    date: str


@strawberry.type(description="罚款 A fine.")
class Fine(Measure):
    yuan: int


@strawberry.type(description="责令整改 An order to put things right.")
class Rectification(Measure):
    until: str


_MEASURES: dict[ID, list[Measure]] = {
    ID("J-2"): [Fine(no=ID("F-1"), date="2026-04-20", yuan=5000), Rectification(no=ID("Z-1"), date="2026-04-20", until="2026-06-30")],
}


@federation.type(keys=[Key(fields=FieldSet("number"), resolvable=False)])
class Permit:
    number: ID


@strawberry.type(description="检查 An inspection.")
class Inspection:
    no: ID
    date: str
    result: str
    permit: Permit | None

    @strawberry.field
    def measures(self) -> list[Measure]:
        return _MEASURES.get(self.no, [])


def inspection(no: ID) -> Inspection | None:
    found = (Inspection(no=row[0], date=row[1], result=row[2], permit=Permit(number=row[4])) for row in _ROWS if row[0] == no)
    return next(found, None)


@federation.type(keys=["uscc"])
class Enterprise:
    uscc: ID
    employees: int | None = federation.field(external=True, default=None)

    @strawberry.field
    def inspections(self) -> list[Inspection] | None:
        return [found for row in _ROWS if row[3] == self.uscc and (found := inspection(row[0])) is not None]

    visits_a_year: int | None = federation.field(
        resolver=lambda root: None if root.employees is None else 1 + root.employees // 100,
        requires=["employees"],
        description="一年检查几次 Visits a year.",
    )

    @classmethod
    def resolve_reference(cls, uscc: ID, employees: int | None = None) -> Enterprise:
        return cls(uscc=uscc, employees=employees)


@strawberry.type
class Query:
    @strawberry.field
    def visited(self) -> list[Enterprise]:
        return [Enterprise(uscc=uscc) for uscc in dict.fromkeys(row[3] for row in _ROWS)]


def rectify(no: ID, until: str) -> Inspection | None:
    found = inspection(no)
    if found is not None:
        some = _MEASURES.setdefault(no, [])
        some.append(Rectification(no=ID(f"Z-{len(some) + 1}"), date="2026-06-01", until=until))
    return found


@strawberry.type
class Mutation:
    rectify: Inspection | None = strawberry.mutation(
        resolver=rectify, description="责令整改 Orders what an inspection found to be put right."
    )


TYPES = (Fine, Rectification)
