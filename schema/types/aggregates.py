"""Figures of many entities: how many there are, sums, smallest and largest values, for all or in groups.

Named by the entity: ``EnterpriseAggregate`` is one group. Inside, fields have the names of the entity's own (``schema.types.filters``
says where those lie that no field is called). Who may not see a field may not see its figures either, nor group by it.
"""

from enum import StrEnum

import strawberry

from schema.scalars import USCC, Date, Decimal, Division
from schema.types.enums import CaseLink, CreditGrade, EnterpriseStatus, EntityType, SettingLevel
from schema.types.planned import meanings, planned, words

KEY = ("本组的分组字段取值，未作为分组字段的为空", "Values of the fields that were grouped by; null for all others")
COUNT = ("条数", "How many there are")
SUM = ("合计，精确值", "Sums, exact")
MIN = ("最小值", "Smallest values")
MAX = ("最大值", "Largest values")


@meanings(
    ENTITY_TYPE=("主体类型", "Kind of entity"),
    STATUS=("登记状态", "Registration status"),
    DIVISION=("登记地行政区划", "Division of registration"),
    INDUSTRY_CODE=("行业代码", "Industry code"),
    CREDIT_GRADE=("信用等级", "Credit grade"),
)
@strawberry.enum(description=words("市场主体的分组字段", "What enterprises can be grouped by"))
class EnterpriseGroup(StrEnum):
    ENTITY_TYPE = "ENTITY_TYPE"
    STATUS = "STATUS"
    DIVISION = "DIVISION"
    INDUSTRY_CODE = "INDUSTRY_CODE"
    CREDIT_GRADE = "CREDIT_GRADE"


@strawberry.type(description=words("市场主体分组取值", "What the enterprises of a group have in common"))
class EnterpriseGroupKey:
    entity_type: EntityType | None = planned("主体类型", "Kind of entity")
    status: EnterpriseStatus | None = planned("登记状态", "Registration status")
    division: Division | None = planned("登记地行政区划", "Division of registration")
    industry_code: str | None = planned("行业代码", "Industry code")
    credit_grade: CreditGrade | None = planned("信用等级", "Credit grade")


@strawberry.type(description=words("市场主体合计", "Sums over enterprises"))
class EnterpriseSums:
    registered_capital: Decimal | None = planned("注册资本合计（万元）", "Registered capital in ten thousand yuan")


@strawberry.type(description=words("市场主体极值", "Extremes over enterprises"))
class EnterpriseExtremes:
    registered_capital: Decimal | None = planned("注册资本（万元）", "Registered capital in ten thousand yuan")
    established_on: Date | None = planned("成立日期", "Date of establishment")


@strawberry.type(description=words("一组市场主体的汇总", "Figures of one group of enterprises"))
class EnterpriseAggregate:
    group: EnterpriseGroupKey = planned(*KEY)
    count: int = planned(*COUNT)
    sum: EnterpriseSums = planned(*SUM)
    min: EnterpriseExtremes = planned(*MIN)
    max: EnterpriseExtremes = planned(*MAX)


@meanings(
    LINK=("办案环节", "Stage of the case"),
    SUMMARY_PROCEDURE=("是否简案快办", "Whether the summary procedure is used"),
    HANDLING_DEPT=("办案单位", "Handling department"),
    DIVISION=("行政区划", "Division"),
)
@strawberry.enum(description=words("执法案件的分组字段", "What enforcement cases can be grouped by"))
class EnforcementCaseGroup(StrEnum):
    LINK = "LINK"
    SUMMARY_PROCEDURE = "SUMMARY_PROCEDURE"
    HANDLING_DEPT = "HANDLING_DEPT"
    DIVISION = "DIVISION"


@strawberry.type(description=words("执法案件分组取值", "What the enforcement cases of a group have in common"))
class EnforcementCaseGroupKey:
    link: CaseLink | None = planned("办案环节", "Stage of the case")
    summary_procedure: bool | None = planned("是否简案快办", "Whether the summary procedure is used")
    handling_dept: USCC | None = planned("办案单位", "Handling department's code")
    division: Division | None = planned("行政区划", "Division")


@strawberry.type(description=words("执法案件合计", "Sums over enforcement cases"))
class EnforcementCaseSums:
    penalty_amount: Decimal | None = planned("罚款金额合计（元）", "Penalties in yuan")


@strawberry.type(description=words("执法案件极值", "Extremes over enforcement cases"))
class EnforcementCaseExtremes:
    penalty_amount: Decimal | None = planned("罚款金额（元）", "Penalty in yuan")
    filed_on: Date | None = planned("立案日期", "Date of filing")
    decided_on: Date | None = planned("决定日期", "Date of the decision")


@strawberry.type(description=words("一组执法案件的汇总", "Figures of one group of enforcement cases"))
class EnforcementCaseAggregate:
    group: EnforcementCaseGroupKey = planned(*KEY)
    count: int = planned(*COUNT)
    sum: EnforcementCaseSums = planned(*SUM)
    min: EnforcementCaseExtremes = planned(*MIN)
    max: EnforcementCaseExtremes = planned(*MAX)


@meanings(
    SETTING_LEVEL=("设定层级", "The level of law that sets the permit"),
    LEAD_DEPT=("主管部门", "Department in charge"),
    DELEGATED=("是否下放", "Whether the province has delegated it"),
    VERSION_YEAR=("清单版本年份", "Year of the catalogue's version"),
)
@strawberry.enum(description=words("许可事项的分组字段", "What permit items can be grouped by"))
class PermitItemGroup(StrEnum):
    SETTING_LEVEL = "SETTING_LEVEL"
    LEAD_DEPT = "LEAD_DEPT"
    DELEGATED = "DELEGATED"
    VERSION_YEAR = "VERSION_YEAR"


@strawberry.type(description=words("许可事项分组取值", "What the permit items of a group have in common"))
class PermitItemGroupKey:
    setting_level: SettingLevel | None = planned("设定层级", "The level of law that sets the permit")
    lead_dept: str | None = planned("主管部门", "Department in charge")
    delegated: bool | None = planned("是否下放", "Whether the province has delegated it")
    version_year: int | None = planned("清单版本年份", "Year of the catalogue's version")


@strawberry.type(description=words("许可事项极值", "Extremes over permit items"))
class PermitItemExtremes:
    validity_years: int | None = planned("有效期（年）", "Validity in years")
    version_year: int | None = planned("清单版本年份", "Year of the catalogue's version")


@strawberry.type(description=words("一组许可事项的汇总", "Figures of one group of permit items"))
class PermitItemAggregate:
    group: PermitItemGroupKey = planned(*KEY)
    count: int = planned(*COUNT)
    min: PermitItemExtremes = planned(*MIN)
    max: PermitItemExtremes = planned(*MAX)
