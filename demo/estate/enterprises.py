"""市场监管: the register of enterprises."""

from __future__ import annotations

import strawberry
from strawberry import ID, federation

_ROWS = {
    ID("91330106MA2AXK0T11"): ("西湖茶业有限公司", 12),
    ID("91330110MA2KCDE18N"): ("余杭纺织有限公司", 340),
    ID("91330108MA2HYD5X3A"): ("钱江物流有限公司", 75),
}


@federation.type(keys=["uscc"], description="企业 An enterprise.")
class Enterprise:
    uscc: ID
    name: str
    employees: int | None

    @classmethod
    def resolve_reference(cls, uscc: ID) -> Enterprise | None:
        return enterprise(uscc)


def enterprise(uscc: ID) -> Enterprise | None:
    return Enterprise(uscc=uscc, name=_ROWS[uscc][0], employees=_ROWS[uscc][1]) if uscc in _ROWS else None


@strawberry.type
class Query:
    enterprise: Enterprise | None = strawberry.field(resolver=enterprise)

    @strawberry.field
    def enterprises(self) -> list[Enterprise]:
        return [found for found in map(enterprise, _ROWS) if found is not None]
