"""How each department writes the world down: its own tables, names, codes and formats, as its manifest declares them.

Tables are for the SQL departments (``Table`` says the columns, ``rows`` fills them); ``*_json`` are one record of a REST department;
``*_fields`` one object of the GraphQL department, or one message of the gRPC department; ``unit_xml`` is one record of the SOAP department;
``permit_news`` what is announced. Must not know any protocol.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from demo.facts import (
    CheckResult,
    CreditRecord,
    DischargePermit,
    InsuredUnit,
    Licence,
    Merchant,
    OnlineOperator,
    Platform,
    ServiceIssue,
    World,
)
from demo.vocabulary import ISSUE_CATEGORIES

ENTITY_TYPES = {"COMPANY": "1", "SELF_EMPLOYED": "2", "COOPERATIVE": "3"}
STATUSES = {"ACTIVE": "存续", "REVOKED": "吊销", "CANCELLED": "注销"}
LICENCE_STATUSES = {"VALID": "1", "EXPIRED": "2", "REVOKED": "3"}
OUTCOMES = {"PASSED": "01", "RECTIFY": "02", "FAILED": "03", "NOT_FOUND": "04"}
LINKS = {
    name: str(10 * n)
    for n, name in enumerate(("CLUE", "FILED", "INVESTIGATION", "REVIEW", "NOTICE", "DECISION", "EXECUTION", "CLOSED"), start=1)
}
SETTING_LEVELS = {"CENTRAL": "1", "PROVINCIAL_REGULATION": "2", "CITY_REGULATION": "3"}
FUNDS = {"PENSION": "110", "UNEMPLOYMENT": "210", "MEDICAL": "310", "INJURY": "410", "HOUSING": "610"}
EXERCISE_LEVELS = {"NATIONAL": "1", "PROVINCE": "2", "CITY": "3", "COUNTY": "4", "TOWN": "5"}
ISSUE_FOUND_BY = {"INVESTIGATION": "排查", "EXPERIENCE": "体验", "REVIEW": "复核"}
ISSUE_STATUSES = {"OPEN": "待整改", "RECTIFYING": "整改中", "VERIFIED": "已核实", "CLOSED": "已销号"}
DISCHARGE_CATEGORIES = {"KEY": "重点管理", "SIMPLIFIED": "简化管理", "REGISTERED": "登记管理"}
MERCHANT_STATUSES = {"MATCHED": 1, "MISMATCH": 2, "MISSING": 3}
ISSUE_COLUMNS = ("问题编号", "问题类别", "问题描述", "发现方式", "发现日期", "整改期限", "状态", "行政区划", "责任部门", "事项编码")


@dataclass(frozen=True, slots=True)
class Column:
    """``type`` in the words of MySQL; ``doc`` is the column's comment."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of one department. The first column is the primary key; ``by`` are further columns it is asked by."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    rows: Callable[[World], list[tuple[Any, ...]]]
    by: tuple[str, ...] = ()


def _columns(text: str) -> tuple[Column, ...]:
    return tuple(Column(*line.split(maxsplit=2)) for line in text.strip().splitlines())


def _enterprises(world: World) -> list[tuple[Any, ...]]:
    return [
        (
            e.uscc,
            e.name,
            ENTITY_TYPES[e.entity_type],
            STATUSES[e.status],
            e.division,
            e.industry_code,
            None if e.registered_capital is None else str(e.registered_capital),
            f"{e.established_on:%Y%m%d}",
            e.address,
            e.legal_rep_name,
        )
        for e in world.enterprises
    ]


def _cases(world: World) -> list[tuple[Any, ...]]:
    return [
        (
            c.case_no,
            c.uscc,
            c.party_name,
            c.violation,
            c.legal_clause,
            LINKS[c.link],
            "是" if c.summary_procedure else "否",
            c.filed_on.isoformat(),
            c.decided_on.isoformat() if c.decided_on else None,
            None if c.penalty_amount is None else str(c.penalty_amount),
            c.handling_dept,
            c.division,
            c.decision_doc_no,
        )
        for c in world.enforcement_cases
    ]


def _items(world: World) -> list[tuple[Any, ...]]:
    return [
        (
            i.item_code,
            i.name,
            SETTING_LEVELS[i.setting_level],
            json.dumps(i.legal_basis, ensure_ascii=False),
            i.lead_dept,
            json.dumps(i.implementing_depts),
            ",".join(EXERCISE_LEVELS[level] for level in i.exercise_levels),
            i.conditions,
            i.validity_years,
            "Y" if i.fee_required else "N",
            int(i.quantity_limit),
            int(i.annual_check),
            int(i.delegated),
            i.version_year,
        )
        for i in world.permit_items
    ]


TABLES: dict[str, tuple[Table, ...]] = {
    "legalEntityRegister": (
        Table(
            "T_FRXX",
            "法人信息",
            _columns("""
                TYSHXYDM  VARCHAR(18)    统一社会信用代码
                QYMC      VARCHAR(200)   企业名称
                QYLX      CHAR(1)        企业类型
                DJZT      VARCHAR(10)    登记状态
                XZQH      CHAR(6)        行政区划
                HYDM      VARCHAR(10)    行业代码
                ZCZB      DECIMAL(18,2)  注册资本（万元）
                CLRQ      CHAR(8)        成立日期
                ZS        VARCHAR(300)   住所
                FDDBR     VARCHAR(60)    法定代表人
            """),
            _enterprises,
        ),
    ),
    "marketEnforcementCore": (
        Table(
            "AJ_JBXX",
            "案件基本信息",
            _columns("""
                AH      VARCHAR(30)    案号
                DSR_DM  VARCHAR(18)    当事人代码
                DSR_MC  VARCHAR(200)   当事人名称
                WFXW    VARCHAR(500)   违法行为
                FLTK    VARCHAR(500)   法律条款
                AJHJ    CHAR(2)        案件环节
                JAKB    CHAR(1)        简案快办
                LARQ    DATE           立案日期
                CDRQ    DATE           处罚决定日期
                FKJE    DECIMAL(14,2)  罚款金额（元）
                BADW    VARCHAR(18)    办案单位
                XZQH    CHAR(6)        行政区划
                CFWH    VARCHAR(60)    处罚文号
            """),
            _cases,
            by=("DSR_DM",),
        ),
    ),
    "adminPermitCatalogue": (
        Table(
            "XK_SX",
            "许可事项",
            _columns("""
                SXBM  VARCHAR(12)    事项编码
                SXMC  VARCHAR(200)   事项名称
                SDCJ  CHAR(1)        设定层级
                SDYJ  VARCHAR(2000)  设定依据
                ZGBM  VARCHAR(100)   主管部门
                SSJG  VARCHAR(1000)  实施机关
                XSCJ  VARCHAR(20)    行使层级
                XKTJ  VARCHAR(2000)  许可条件
                YXQ   INT            有效期（年）
                SFSF  CHAR(1)        是否收费
                SLXZ  TINYINT        数量限制
                NJNB  TINYINT        年检年报
                SFXF  TINYINT        是否下放
                BBNF  INT            版本年份
            """),
            _items,
        ),
    ),
}


def licence_json(licence: Licence) -> dict[str, Any]:
    """One licence as 电子证照库 gives it."""
    return {
        "zzbs": licence.licence_id,
        "zzmc": licence.name,
        "zzlxdm": licence.type_code,
        "czr": licence.holder,
        "bfjg": {"dm": licence.issuer, "mc": licence.issuer_name},
        "bfrq": f"{licence.issued_on:%Y%m%d}",
        "yxqz": f"{licence.valid_until:%Y%m%d}" if licence.valid_until else None,
        "zt": LICENCE_STATUSES[licence.status],
        "kxdj": licence.trust_level,
        "sxdm": licence.item_code,
    }


def credit_json(record: CreditRecord) -> dict[str, Any]:
    """One credit record as 531X gives it; its time is local, without an offset."""
    return {
        "tyshxydm": record.uscc,
        "ztmc": record.name,
        "pf": record.score,
        "dj": record.grade,
        "pjsj": f"{record.evaluated_at:%Y%m%d%H%M%S}",
        "mxbb": record.model_version,
        "xyxf_url": record.repair_url,
        "xyxf_zt": None,
    }


def check_json(result: CheckResult) -> dict[str, Any]:
    """One inspection as 互联网+监管 gives it; its time is in milliseconds since 1970."""
    return {
        "jcbh": result.check_no,
        "jhbh": result.plan_no,
        "tydm": result.uscc,
        "jcry": list(result.officers),
        "jcsj": int(result.checked_at.timestamp()) * 1000,
        "jg": OUTCOMES[result.outcome],
        "gsdz": result.public_url,
    }


def unit_xml(unit: InsuredUnit) -> dict[str, Any]:
    """One unit as 社保、公积金代扣代缴 gives it: a date with an offset, what is not owed left out, nil where nothing was paid."""
    return {
        "tyshxydm": unit.uscc,
        "dwmc": unit.name,
        "djrq": f"{unit.registered_on}+08:00",
        "sfqf": "true" if unit.months_in_arrears else "false",
        **({"qfys": unit.months_in_arrears} if unit.months_in_arrears else {}),
        "cbrs": unit.headcount,
        "xz": [{"@dm": FUNDS[one.fund], "rs": one.headcount, "yjje": one.payable, "sjje": one.paid} for one in unit.contributions],
    }


def platform_fields(platform: Platform) -> dict[str, Any]:
    """One platform as 公平在线 gives it."""
    return {
        "platformId": platform.platform_id,
        "name": platform.name,
        "category": platform.category,
        "operatorUscc": platform.operator_uscc,
        "monitoredSince": platform.monitored_since.isoformat(),
    }


def operator_fields(operator: OnlineOperator) -> dict[str, Any]:
    """One online operator as 公平在线 gives it, with its findings."""
    return {
        "operatorId": operator.operator_id,
        "shopName": operator.shop_name,
        "realNameVerified": operator.real_name_verified,
        "platformId": operator.platform_id,
        "uscc": operator.uscc,
        "findings": [
            {
                "findingId": finding.finding_id,
                "scene": finding.scene,
                "foundAt": finding.found_at.isoformat(),
                "disposal": finding.disposal,
            }
            for finding in operator.findings
        ],
    }


def merchant_fields(merchant: Merchant) -> dict[str, Any]:
    """One merchant as 外卖在线 gives it, in the fields of its message; what there is none of is not sent."""
    found = {
        "merchant_id": merchant.merchant_id,
        "uscc": merchant.uscc,
        "shop_name": merchant.shop_name,
        "platform_id": merchant.platform_id,
        "food_licence_no": merchant.food_licence_no,
        "licence_expires": merchant.licence_expires and merchant.licence_expires.isoformat(),
        "verify_status": MERCHANT_STATUSES[merchant.verify_status],
        "verified_at": merchant.verified_at,
        "sunshine_kitchen": merchant.sunshine_kitchen,
        "orders": merchant.orders,
        "inspections": [
            {"inspection_id": one.inspection_id, "captured_at": one.captured_at, "indicator": one.indicator, "passed": one.passed}
            for one in merchant.inspections
        ],
    }
    return {name: value for name, value in found.items() if value is not None}


def issue_row(issue: ServiceIssue) -> list[str]:
    """A line of the quarterly list, by ``ISSUE_COLUMNS``. What there is none of is left empty."""
    return [
        issue.issue_no,
        dict(ISSUE_CATEGORIES)[issue.category],
        issue.title,
        ISSUE_FOUND_BY[issue.found_by],
        f"{issue.found_on:%Y/%m/%d}",
        f"{issue.due_on:%Y/%m/%d}" if issue.due_on else "",
        ISSUE_STATUSES[issue.status],
        issue.division,
        issue.dept,
        issue.item_code or "",
    ]


def permit_news(permit: DischargePermit) -> list[dict[str, Any]]:
    """What was said of a permit over time, as ``nr`` of 排污许可管理, oldest first; numbered within the permit."""
    said = {"tyshxydm": permit.uscc, "pwxkzbh": permit.permit_no, "gllb": DISCHARGE_CATEGORIES[permit.category]}
    days = [*([permit.renewed_from] if permit.renewed_from else []), permit.valid_until]
    found = [{"xh": number, **said, "yxqz": f"{day:%Y%m%d}", "zt": "有效"} for number, day in enumerate(days, 1)]
    return [*found, {"xh": len(found) + 1, **said, "yxqz": None, "zt": "注销"}] if permit.revoked else found
