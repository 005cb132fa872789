"""行政检查: inspections; how often an enterprise is visited depends on what the register says of it."""

from __future__ import annotations

import strawberry
from strawberry import ID, federation
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

_ROWS = [
    ("J-1", "2026-03-02", "合格", ID("91330106MA2AXK0T11"), ID("浙食 0001")),
    ("J-2", "2026-04-15", "整改", ID("91330108MA2HYD5X3A"), ID("浙危 0003")),
    ("J-3", "2026-05-20", "合格", ID("91330108MA2HYD5X3A"), ID("浙运 0004")),
]


@federation.type(keys=[Key(fields=FieldSet("number"), resolvable=False)])
class Permit:
    number: ID


@strawberry.type(description="检查 An inspection.")
class Inspection:
    no: ID
    date: str
    result: str
    permit: Permit | None


@federation.type(keys=["uscc"])
class Enterprise:
    uscc: ID
    employees: int | None = federation.field(external=True, default=None)

    @strawberry.field
    def inspections(self) -> list[Inspection] | None:
        rows = (row for row in _ROWS if row[3] == self.uscc)
        return [Inspection(no=ID(no), date=date, result=result, permit=Permit(number=number)) for no, date, result, _, number in rows]

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
