"""What lists may be narrowed by: one condition input for each value type, one filter input for each entity.

Every given condition must hold; one left out or null says nothing; an empty ``in`` holds for no value, and a value that is null meets
nothing but ``isNull: true``. Most fields stand under their own name; ``ELSEWHERE`` says where the others lie. Whether a system can
filter by a field is its manifest's to say; what it cannot the engine does within a bound, or refuses by name.
"""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import strawberry

from schema.scalars import USCC, Date, DateTime, Decimal, Division, ItemCode, LicenceID
from schema.types.enums import (
    CaseLink,
    CheckOutcome,
    CreditGrade,
    EnterpriseStatus,
    EntityType,
    LicenceStatus,
    SettingLevel,
    TrustLevel,
)
from schema.types.planned import words

Value = TypeVar("Value")
ELSEWHERE: Mapping[str, str] = {
    "creditGrade": "creditScore.grade",
    "creditScore": "creditScore.score",
    "creditEvaluatedAt": "creditScore.evaluatedAt",
}
"""Name in a filter or an order -> path from the entity, where the two differ."""


def by(zh: str, en: str) -> Any:
    """A field of a filter input: optional, described."""
    return strawberry.field(default=strawberry.UNSET, description=words(zh, en))


def _in() -> Any:
    return strawberry.field(default=strawberry.UNSET, name="in", description=words("属于其中之一", "Is one of"))


SAID = words("取值条件，各项须同时满足", "Conditions on one value; all must hold")


@strawberry.input(description=SAID)
class Condition(Generic[Value]):
    eq: Value | None = by("等于", "Equals")
    in_: list[Value] | None = _in()
    is_null: bool | None = by("是否为空", "Whether there is no value")


@strawberry.input(name="Condition", description=SAID)
class Range(Generic[Value]):
    """Of numbers and points in time."""

    eq: Value | None = by("等于", "Equals")
    in_: list[Value] | None = _in()
    lt: Value | None = by("小于", "Is less than, or before")
    le: Value | None = by("小于或等于", "Is not greater than, or not after")
    gt: Value | None = by("大于", "Is greater than, or after")
    ge: Value | None = by("大于或等于", "Is not less than, or not before")
    is_null: bool | None = by("是否为空", "Whether there is no value")


@strawberry.input(name="Condition", description=SAID)
class Text(Generic[Value]):
    """Of texts and codes."""

    eq: Value | None = by("等于", "Equals")
    in_: list[Value] | None = _in()
    prefix: str | None = by("以此开头（区分大小写）", "Begins with this; capitals count")
    is_null: bool | None = by("是否为空", "Whether there is no value")


@strawberry.input(description=words("市场主体筛选条件，各项须同时满足", "Filter for enterprises; all conditions must hold"))
class EnterpriseFilter:
    uscc: Text[USCC] | None = by("统一社会信用代码", "Unified social credit code")
    name: Text[str] | None = by("名称", "Registered name")
    entity_type: Condition[EntityType] | None = by("主体类型", "Kind of entity")
    status: Condition[EnterpriseStatus] | None = by("登记状态", "Registration status")
    division: Text[Division] | None = by("登记地行政区划", "Division of registration")
    industry_code: Text[str] | None = by("行业代码", "Industry code")
    registered_capital: Range[Decimal] | None = by("注册资本（万元）", "Registered capital in ten thousand yuan")
    established_on: Range[Date] | None = by("成立日期", "Date of establishment")
    credit_grade: Condition[CreditGrade] | None = by("信用等级", "Credit grade")
    credit_score: Range[int] | None = by("信用分", "Credit score")
    credit_evaluated_at: Range[DateTime] | None = by("信用评价时间", "Time of the credit evaluation")


@strawberry.input(description=words("电子证照筛选条件，各项须同时满足", "Filter for licences; all conditions must hold"))
class LicenceFilter:
    licence_id: Text[LicenceID] | None = strawberry.field(
        default=strawberry.UNSET, name="licenceId", description=words("电子证照标识", "Licence identifier")
    )
    name: Text[str] | None = by("证照名称", "Name of the licence")
    type_code: Text[str] | None = by("证照类型代码", "Licence type code")
    issuer: Text[USCC] | None = by("颁发机构代码", "Issuing body's code")
    issued_on: Range[Date] | None = by("颁发日期", "Date of issue")
    valid_until: Range[Date] | None = by("有效期至", "Last day of validity")
    status: Condition[LicenceStatus] | None = by("证照状态", "Status")
    trust_level: Condition[TrustLevel] | None = by("可信等级", "Trust level")


@strawberry.input(description=words("执法案件筛选条件，各项须同时满足", "Filter for enforcement cases; all conditions must hold"))
class EnforcementCaseFilter:
    case_no: Text[strawberry.ID] | None = by("案号", "Case number")
    link: Condition[CaseLink] | None = by("办案环节", "Stage of the case")
    summary_procedure: Condition[bool] | None = by("是否简案快办", "Whether the summary procedure is used")
    filed_on: Range[Date] | None = by("立案日期", "Date of filing")
    decided_on: Range[Date] | None = by("决定日期", "Date of the decision")
    penalty_amount: Range[Decimal] | None = by("罚款金额（元）", "Penalty in yuan")
    division: Text[Division] | None = by("行政区划", "Division")


@strawberry.input(description=words("检查结果筛选条件，各项须同时满足", "Filter for results of inspections; all conditions must hold"))
class CheckResultFilter:
    check_no: Text[strawberry.ID] | None = by("检查编号", "Inspection number")
    plan_no: Text[str] | None = by("抽查计划编号", "Number of the inspection plan")
    checked_at: Range[DateTime] | None = by("检查时间", "Time of the inspection")
    outcome: Condition[CheckOutcome] | None = by("检查结果", "Outcome")


@strawberry.input(description=words("许可事项筛选条件，各项须同时满足", "Filter for permit items; all conditions must hold"))
class PermitItemFilter:
    item_code: Text[ItemCode] | None = by("事项编码", "Item code")
    name: Text[str] | None = by("事项名称", "Name of the item")
    setting_level: Condition[SettingLevel] | None = by("设定层级", "The level of law that sets the permit")
    lead_dept: Text[str] | None = by("主管部门", "Department in charge")
    delegated: Condition[bool] | None = by("是否下放", "Whether the province has delegated it")
    version_year: Range[int] | None = by("清单版本年份", "Year of the catalogue's version")
