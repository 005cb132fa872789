"""行政许可: permits, and what an enterprise has of them."""

from __future__ import annotations

import strawberry
from strawberry import ID, federation

_ROWS = {
    ID("浙食 0001"): ("食品经营许可", "2028-06-30", ID("91330106MA2AXK0T11")),
    ID("浙印 0002"): ("印刷经营许可", "2027-03-31", ID("91330110MA2KCDE18N")),
    ID("浙危 0003"): ("危险化学品经营许可", "2026-12-31", ID("91330108MA2HYD5X3A")),
    ID("浙运 0004"): ("道路运输经营许可", "2029-01-31", ID("91330108MA2HYD5X3A")),
}


@federation.type(keys=["number"], description="许可 A permit.")
class Permit:
    number: ID
    title: str
    valid_until: str
    holder: Enterprise

    @classmethod
    def resolve_reference(cls, number: ID) -> Permit | None:
        return permit(number)


@federation.type(keys=["uscc"])
class Enterprise:
    uscc: ID

    @strawberry.field
    def permits(self) -> list[Permit] | None:  # null where permits cannot be had, so that the rest can be shown
        return [found for found in map(permit, _ROWS) if found is not None and found.holder.uscc == self.uscc]


def permit(number: ID) -> Permit | None:
    if number not in _ROWS:
        return None
    title, valid_until, uscc = _ROWS[number]
    return Permit(number=number, title=title, valid_until=valid_until, holder=Enterprise(uscc=uscc))


@strawberry.type
class Query:
    permit: Permit | None = strawberry.field(resolver=permit)
