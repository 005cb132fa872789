"""What lists may be ordered by: for each entity an enum of its sortable fields and an input of field and direction.

A value's name is the canonical field in capitals (``ESTABLISHED_ON`` is ``establishedOn``); ``schema.types.filters.ELSEWHERE`` says where
those lie that no field is called. The entity's key always comes last, so that every order is total.
"""

from enum import StrEnum
from typing import Any

import strawberry

from schema.types.planned import meanings, words


@meanings(
    ASC=("升序，空值在前", "Upwards: null first, then from small to large"),
    DESC=("降序，空值在后", "Downwards: from large to small, null last"),
)
@strawberry.enum(description=words("排序方向；枚举值按定义次序", "Which way to sort; enum values go by their definition"))
class Direction(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


def _field() -> Any:
    return strawberry.field(description=words("字段", "The field"))


def _direction() -> Any:
    return strawberry.field(default=Direction.ASC, description=words("方向", "The direction"))


@meanings(
    USCC=("统一社会信用代码", "Unified social credit code"),
    NAME=("名称（按字符编码）", "Registered name, by code point"),
    STATUS=("登记状态", "Registration status"),
    DIVISION=("登记地行政区划", "Division of registration"),
    INDUSTRY_CODE=("行业代码", "Industry code"),
    REGISTERED_CAPITAL=("注册资本", "Registered capital"),
    ESTABLISHED_ON=("成立日期", "Date of establishment"),
    CREDIT_GRADE=("信用等级", "Credit grade"),
    CREDIT_SCORE=("信用分", "Credit score"),
)
@strawberry.enum(description=words("市场主体的排序字段", "What enterprises can be ordered by"))
class EnterpriseOrderField(StrEnum):
    USCC = "USCC"
    NAME = "NAME"
    STATUS = "STATUS"
    DIVISION = "DIVISION"
    INDUSTRY_CODE = "INDUSTRY_CODE"
    REGISTERED_CAPITAL = "REGISTERED_CAPITAL"
    ESTABLISHED_ON = "ESTABLISHED_ON"
    CREDIT_GRADE = "CREDIT_GRADE"
    CREDIT_SCORE = "CREDIT_SCORE"


@meanings(
    LICENCE_ID=("电子证照标识", "Licence identifier"),
    NAME=("证照名称（按字符编码）", "Name of the licence, by code point"),
    TYPE_CODE=("证照类型代码", "Licence type code"),
    ISSUED_ON=("颁发日期", "Date of issue"),
    VALID_UNTIL=("有效期至", "Last day of validity"),
    STATUS=("证照状态", "Status"),
    TRUST_LEVEL=("可信等级", "Trust level"),
)
@strawberry.enum(description=words("电子证照的排序字段", "What licences can be ordered by"))
class LicenceOrderField(StrEnum):
    LICENCE_ID = "LICENCE_ID"
    NAME = "NAME"
    TYPE_CODE = "TYPE_CODE"
    ISSUED_ON = "ISSUED_ON"
    VALID_UNTIL = "VALID_UNTIL"
    STATUS = "STATUS"
    TRUST_LEVEL = "TRUST_LEVEL"


@meanings(
    CASE_NO=("案号", "Case number"),
    LINK=("办案环节", "Stage of the case"),
    FILED_ON=("立案日期", "Date of filing"),
    DECIDED_ON=("决定日期", "Date of the decision"),
    PENALTY_AMOUNT=("罚款金额", "Penalty"),
    DIVISION=("行政区划", "Division"),
)
@strawberry.enum(description=words("执法案件的排序字段", "What enforcement cases can be ordered by"))
class EnforcementCaseOrderField(StrEnum):
    CASE_NO = "CASE_NO"
    LINK = "LINK"
    FILED_ON = "FILED_ON"
    DECIDED_ON = "DECIDED_ON"
    PENALTY_AMOUNT = "PENALTY_AMOUNT"
    DIVISION = "DIVISION"


@meanings(
    CHECK_NO=("检查编号", "Inspection number"),
    CHECKED_AT=("检查时间", "Time of the inspection"),
    OUTCOME=("检查结果", "Outcome"),
)
@strawberry.enum(description=words("检查结果的排序字段", "What results of inspections can be ordered by"))
class CheckResultOrderField(StrEnum):
    CHECK_NO = "CHECK_NO"
    CHECKED_AT = "CHECKED_AT"
    OUTCOME = "OUTCOME"


@meanings(
    ITEM_CODE=("事项编码", "Item code"),
    NAME=("事项名称（按字符编码）", "Name of the item, by code point"),
    SETTING_LEVEL=("设定层级", "The level of law that sets the permit"),
    LEAD_DEPT=("主管部门", "Department in charge"),
    VALIDITY_YEARS=("有效期（年）", "Validity in years"),
    VERSION_YEAR=("清单版本年份", "Year of the catalogue's version"),
)
@strawberry.enum(description=words("许可事项的排序字段", "What permit items can be ordered by"))
class PermitItemOrderField(StrEnum):
    ITEM_CODE = "ITEM_CODE"
    NAME = "NAME"
    SETTING_LEVEL = "SETTING_LEVEL"
    LEAD_DEPT = "LEAD_DEPT"
    VALIDITY_YEARS = "VALIDITY_YEARS"
    VERSION_YEAR = "VERSION_YEAR"


@strawberry.input(description=words("市场主体排序", "One step of an order of enterprises"))
class EnterpriseOrder:
    field: EnterpriseOrderField = _field()
    direction: Direction = _direction()


@strawberry.input(description=words("电子证照排序", "One step of an order of licences"))
class LicenceOrder:
    field: LicenceOrderField = _field()
    direction: Direction = _direction()


@strawberry.input(description=words("执法案件排序", "One step of an order of enforcement cases"))
class EnforcementCaseOrder:
    field: EnforcementCaseOrderField = _field()
    direction: Direction = _direction()


@strawberry.input(description=words("检查结果排序", "One step of an order of results of inspections"))
class CheckResultOrder:
    field: CheckResultOrderField = _field()
    direction: Direction = _direction()


@strawberry.input(description=words("许可事项排序", "One step of an order of permit items"))
class PermitItemOrder:
    field: PermitItemOrderField = _field()
    direction: Direction = _direction()
