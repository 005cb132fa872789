"""The public root: how questions begin. All but ``hub`` are answered by the engine."""

import strawberry

from schema.coordinates import Grade
from schema.scalars import USCC, ItemCode, LicenceID
from schema.types.aggregates import (
    EnforcementCaseAggregate,
    EnforcementCaseGroup,
    EnterpriseAggregate,
    EnterpriseGroup,
    PermitItemAggregate,
    PermitItemGroup,
)
from schema.types.connection import Connection
from schema.types.enterprise import Enterprise
from schema.types.filters import EnforcementCaseFilter, EnterpriseFilter, PermitItemFilter
from schema.types.hub import Hub
from schema.types.licence import Licence
from schema.types.orders import EnforcementCaseOrder, EnterpriseOrder, PermitItemOrder
from schema.types.permit_item import PermitItem
from schema.types.planned import argument, figures, paging, planned, policy, words
from schema.types.supervision import EnforcementCase


def _hub() -> Hub:
    return Hub()


@strawberry.type(description=words("查询入口", "Where questions begin"))
class Query:
    enterprise: Enterprise | None = planned(
        "按统一社会信用代码查询市场主体",
        "An enterprise by its unified social credit code",
        arguments=[argument("uscc", USCC, "统一社会信用代码", "Unified social credit code")],
    )
    enterprises: Connection[Enterprise] | None = planned(
        "市场主体列表",
        "Enterprises",
        arguments=paging(EnterpriseFilter | None, EnterpriseOrder),
    )
    enterprise_aggregates: list[EnterpriseAggregate] | None = planned(
        "市场主体汇总：计数、求和、最小与最大，可分组",
        "Figures of enterprises: count, sum, min and max, in groups if wanted",
        arguments=figures(EnterpriseFilter | None, EnterpriseGroup),
    )
    licence: Licence | None = planned(
        "按电子证照标识查询证照",
        "A licence by its identifier",
        arguments=[argument("licenceId", LicenceID, "电子证照标识", "Licence identifier")],
    )
    enforcement_case: EnforcementCase | None = planned(
        "按案号查询执法案件",
        "An enforcement case by its number",
        arguments=[argument("caseNo", strawberry.ID, "案号", "Case number")],
    )
    enforcement_cases: Connection[EnforcementCase] | None = planned(
        "执法案件列表",
        "Enforcement cases",
        arguments=paging(EnforcementCaseFilter | None, EnforcementCaseOrder),
    )
    enforcement_case_aggregates: list[EnforcementCaseAggregate] | None = planned(
        "执法案件汇总：计数、求和、最小与最大，可分组",
        "Figures of enforcement cases: count, sum, min and max, in groups if wanted",
        arguments=figures(EnforcementCaseFilter | None, EnforcementCaseGroup),
    )
    permit_item: PermitItem | None = planned(
        "按事项编码查询许可事项",
        "A permit item by its code",
        arguments=[argument("itemCode", ItemCode, "事项编码", "Item code")],
    )
    permit_items: Connection[PermitItem] | None = planned(
        "许可事项列表",
        "Permit items",
        arguments=paging(PermitItemFilter | None, PermitItemOrder),
    )

    permit_item_aggregates: list[PermitItemAggregate] | None = planned(
        "许可事项汇总：计数、求和、最小与最大，可分组",
        "Figures of permit items: count, sum, min and max, in groups if wanted",
        arguments=figures(PermitItemFilter | None, PermitItemGroup),
    )

    hub: Hub = strawberry.field(resolver=_hub, description=words("枢纽自身的信息", "The hub about itself"), metadata=policy(Grade.L1))
