"""What supervision leaves on an enterprise: enforcement cases and results of inspections.

What is not decided yet is not public: the stage, the alleged violation and the filing date of a case are L2.
"""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.coordinates import Grade
from schema.scalars import USCC, Date, DateTime, Decimal, Division
from schema.types.enums import CaseLink, CheckOutcome
from schema.types.planned import planned, words

if TYPE_CHECKING:
    from schema.types.enterprise import Enterprise


@strawberry.type(description=words("行政执法案件", "An enforcement case"))
class EnforcementCase:
    case_no: strawberry.ID = planned("案号", "Case number")
    enterprise: Annotated["Enterprise", strawberry.lazy("schema.types.enterprise")] | None = planned("涉案主体", "The enterprise concerned")
    party_name: str | None = planned("当事人", "Name of the party", grade=Grade.L2)
    violation: str | None = planned("违法行为", "The violation", grade=Grade.L2)
    legal_clause: str | None = planned("法律条款", "The clause of law")
    link: CaseLink | None = planned("办案环节", "Stage of the case", grade=Grade.L2)
    summary_procedure: bool | None = planned("是否简案快办", "Whether the summary procedure is used")
    filed_on: Date | None = planned("立案日期", "Date of filing", grade=Grade.L2)
    decided_on: Date | None = planned("决定日期", "Date of the decision")
    penalty_amount: Decimal | None = planned("罚款金额（元）", "Penalty in yuan")
    handling_dept: USCC | None = planned("办案单位", "Handling department's code")
    division: Division | None = planned("行政区划", "Division")
    decision_doc_no: str | None = planned("处罚决定书文号", "Number of the decision document")


@strawberry.type(description=words("检查结果记录", "The result of an inspection"))
class CheckResult:
    check_no: strawberry.ID = planned("检查编号", "Inspection number")
    plan_no: str | None = planned("抽查计划编号", "Number of the inspection plan")
    enterprise: Annotated["Enterprise", strawberry.lazy("schema.types.enterprise")] | None = planned(
        "被检查主体", "The enterprise inspected"
    )
    officers: list[str] | None = planned("检查人员", "Inspecting officers", grade=Grade.L3)
    checked_at: DateTime | None = planned("检查时间", "Time of the inspection")
    outcome: CheckOutcome | None = planned("检查结果", "Outcome")
    public_url: str | None = planned("公示地址", "Where the result is published")
