"""Licence: an electronic licence (GB/T 36903, identified by GB/T 36904)."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.scalars import USCC, Date, LicenceID
from schema.types.enums import LicenceStatus, TrustLevel
from schema.types.permit_item import PermitItem
from schema.types.planned import planned, words

if TYPE_CHECKING:
    from schema.types.enterprise import Enterprise


@strawberry.type(description=words("电子证照", "An electronic licence"))
class Licence:
    licence_id: LicenceID = planned("电子证照标识", "Licence identifier", name="licenceId")
    name: str | None = planned("证照名称", "Name of the licence")
    type_code: str | None = planned("证照类型代码", "Licence type code")
    holder: Annotated["Enterprise", strawberry.lazy("schema.types.enterprise")] | None = planned("持证主体", "The enterprise that holds it")
    issuer: USCC | None = planned("颁发机构代码", "Issuing body's code")
    issuer_name: str | None = planned("颁发机构名称", "Issuing body's name")
    issued_on: Date | None = planned("颁发日期", "Date of issue")
    valid_until: Date | None = planned("有效期至", "Last day of validity")
    status: LicenceStatus | None = planned("证照状态", "Status")
    trust_level: TrustLevel | None = planned("可信等级", "Trust level")
    item: PermitItem | None = planned("对应的许可事项", "The permit item it comes from")
