"""What lists may be narrowed by: one condition input for each value type, one filter input for each entity with a list of its own.

The fields are those that the anchor's manifest declares with ``@filter``. Every given condition must hold; one left out or null
says nothing; an empty ``in`` holds for no row.
"""

from typing import Any, Generic, TypeVar

import strawberry

from schema.scalars import USCC, Date, Division, ItemCode
from schema.types.enums import CaseLink, EnterpriseStatus, EntityType, SettingLevel
from schema.types.planned import words

Value = TypeVar("Value")


def by(zh: str, en: str) -> Any:
    """A field of a filter input: optional, described."""
    return strawberry.field(default=strawberry.UNSET, description=words(zh, en))


@strawberry.input(description=words("取值条件，各项须同时满足", "Conditions on one value; all must hold"))
class Condition(Generic[Value]):
    eq: Value | None = strawberry.field(default=strawberry.UNSET, description=words("等于", "Equals"))
    in_: list[Value] | None = strawberry.field(default=strawberry.UNSET, name="in", description=words("属于其中之一", "Is one of"))


@strawberry.input(description=words("市场主体筛选条件，各项须同时满足", "Filter for enterprises; all conditions must hold"))
class EnterpriseFilter:
    uscc: Condition[USCC] | None = by("统一社会信用代码", "Unified social credit code")
    name: Condition[str] | None = by("名称", "Registered name")
    entity_type: Condition[EntityType] | None = by("主体类型", "Kind of entity")
    status: Condition[EnterpriseStatus] | None = by("登记状态", "Registration status")
    division: Condition[Division] | None = by("登记地行政区划", "Division of registration")
    industry_code: Condition[str] | None = by("行业代码", "Industry code")
    established_on: Condition[Date] | None = by("成立日期", "Date of establishment")


@strawberry.input(description=words("执法案件筛选条件，各项须同时满足", "Filter for enforcement cases; all conditions must hold"))
class EnforcementCaseFilter:
    case_no: Condition[strawberry.ID] | None = by("案号", "Case number")
    link: Condition[CaseLink] | None = by("办案环节", "Stage of the case")
    filed_on: Condition[Date] | None = by("立案日期", "Date of filing")
    division: Condition[Division] | None = by("行政区划", "Division")


@strawberry.input(description=words("许可事项筛选条件，各项须同时满足", "Filter for permit items; all conditions must hold"))
class PermitItemFilter:
    item_code: Condition[ItemCode] | None = by("事项编码", "Item code")
    name: Condition[str] | None = by("事项名称", "Name of the item")
    setting_level: Condition[SettingLevel] | None = by("设定层级", "The level of law that sets the permit")
    lead_dept: Condition[str] | None = by("主管部门", "Department in charge")
    delegated: Condition[bool] | None = by("是否下放", "Whether the province has delegated it")
    version_year: Condition[int] | None = by("清单版本年份", "Year of the catalogue's version")
