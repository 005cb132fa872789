"""How single records of the world look in an answer of the hub. Must not import the engine."""

from __future__ import annotations

from typing import Any

from demo.facts import CheckResult, DischargePermit, EnforcementCase, InsuredUnit, Merchant, ServiceIssue


def case_shown(case: EnforcementCase) -> dict[str, Any]:
    return {
        "caseNo": case.case_no,
        "violation": case.violation,
        "link": case.link,
        "summaryProcedure": case.summary_procedure,
        "filedOn": case.filed_on.isoformat(),
        "decidedOn": case.decided_on and case.decided_on.isoformat(),
        "penaltyAmount": text_of(case.penalty_amount),
        "handlingDept": case.handling_dept,
        "decisionDocNo": case.decision_doc_no,
    }


def check_shown(result: CheckResult) -> dict[str, Any]:
    return {
        "checkNo": result.check_no,
        "planNo": result.plan_no,
        "checkedAt": result.checked_at.isoformat(),
        "outcome": result.outcome,
        "publicUrl": result.public_url,
    }


def fund_shown(unit: InsuredUnit) -> dict[str, Any]:
    return {
        "registeredOn": unit.registered_on.isoformat(),
        "inArrears": bool(unit.months_in_arrears),
        "monthsInArrears": unit.months_in_arrears,
        "headcount": unit.headcount,
        "contributions": [
            {"fund": one.fund, "headcount": one.headcount, "payable": text_of(one.payable), "paid": text_of(one.paid)}
            for one in unit.contributions
        ],
    }


def issue_shown(issue: ServiceIssue) -> dict[str, Any]:
    return {
        "issueNo": issue.issue_no,
        "category": issue.category,
        "foundOn": issue.found_on.isoformat(),
        "dueOn": issue.due_on and issue.due_on.isoformat(),
        "status": issue.status,
    }


def permit_shown(permit: DischargePermit) -> dict[str, Any]:
    return {"permitNo": permit.permit_no, "category": permit.category, "validUntil": permit.valid_until.isoformat()}


def merchant_shown(merchant: Merchant) -> dict[str, Any]:
    return {
        "merchantId": merchant.merchant_id,
        "shopName": merchant.shop_name,
        "foodLicenceNo": merchant.food_licence_no,
        "licenceExpires": merchant.licence_expires and merchant.licence_expires.isoformat(),
        "verifyStatus": merchant.verify_status,
        "sunshineKitchen": merchant.sunshine_kitchen,
        "orders": str(merchant.orders),
        "inspections": [
            {"inspectionId": one.inspection_id, "indicator": one.indicator, "passed": one.passed} for one in merchant.inspections
        ],
    }


def text_of(value: object) -> str | None:
    return None if value is None else str(value)
