"""Enterprise: a market entity by its unified social credit code, with what other departments hold on it."""

import strawberry

from schema.coordinates import Grade
from schema.registry import Resolve
from schema.scalars import USCC, Date, DateTime, Decimal, Division
from schema.types.connection import Connection
from schema.types.enums import CreditGrade, EnterpriseStatus, EntityType
from schema.types.filters import CheckResultFilter, EnforcementCaseFilter, LicenceFilter
from schema.types.licence import Licence
from schema.types.orders import CheckResultOrder, EnforcementCaseOrder, LicenceOrder
from schema.types.planned import pages, planned, words
from schema.types.supervision import CheckResult, EnforcementCase


@strawberry.type(description=words("公共信用评价", "Public credit evaluation"))
class CreditScore:
    score: int | None = planned("信用分", "Score", grade=Grade.L2)
    grade: CreditGrade | None = planned("信用等级", "Grade")
    evaluated_at: DateTime | None = planned("评价时间", "Time of the evaluation")
    model_version: str | None = planned("评价模型版本", "Version of the scoring model")


@strawberry.type(description=words("市场主体", "A market entity"))
class Enterprise:
    uscc: USCC = planned("统一社会信用代码", "Unified social credit code")
    name: str | None = planned("名称", "Registered name", resolve=Resolve.FALLBACK_ON_ERROR)
    entity_type: EntityType | None = planned("主体类型", "Kind of entity")
    status: EnterpriseStatus | None = planned("登记状态", "Registration status")
    division: Division | None = planned("登记地行政区划", "Division of registration")
    industry_code: str | None = planned("行业代码（GB/T 4754）", "Industry code (GB/T 4754)")
    registered_capital: Decimal | None = planned("注册资本（万元）", "Registered capital in ten thousand yuan")
    established_on: Date | None = planned("成立日期", "Date of establishment")
    address: str | None = planned("住所", "Registered address", grade=Grade.L2)
    legal_rep_name: str | None = planned("法定代表人", "Legal representative", grade=Grade.L3)
    credit_score: CreditScore | None = planned("公共信用评价", "Public credit evaluation")
    licences: Connection[Licence] | None = pages("电子证照", "Its electronic licences", filter=LicenceFilter | None, order=LicenceOrder)
    enforcement_cases: Connection[EnforcementCase] | None = pages(
        "行政执法案件", "Enforcement cases against it", filter=EnforcementCaseFilter | None, order=EnforcementCaseOrder
    )
    check_results: Connection[CheckResult] | None = pages(
        "检查结果", "Results of its inspections", filter=CheckResultFilter | None, order=CheckResultOrder
    )
