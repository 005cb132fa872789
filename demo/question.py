"""The questions that the demo asks the hub, and their answers computed from the world alone.

``WHOLE`` reaches all eleven systems that answer queries: three enterprises, one of them twice, and three platforms. ``COUNTS`` asks for the
figures of the permit catalogue, ``FIGURES`` for groups, sums and orders. An ``answer`` is the ``data`` for a caller who sees grades L1
and L2; it never asks the hub or a department, so that a hub which agrees with it is right. Must not import the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from demo.facts import Licence, OnlineOperator, World
from demo.records import case_shown, check_shown, fund_shown, issue_shown, merchant_shown, permit_shown, text_of
from demo.seed import FIXTURES, platform_id


@dataclass(frozen=True, slots=True)
class Question:
    """``answer(world)`` is the whole ``data`` that ``query`` with ``variables`` must give, with no errors."""

    name: str
    query: str
    variables: Mapping[str, Any]
    answer: Callable[[World], dict[str, Any]]


CHECKS_SHOWN = 5  # fewer than the largest enterprise has: the page is cut


def expected(world: World) -> dict[str, Any]:
    """The answer to ``WHOLE``."""
    facts = _Facts(world)
    first, second, third = _asked()
    return {
        "first": facts.whole(first),
        "second": facts.whole(second),
        "third": facts.whole(third),
        "again": facts.brief(first),
        "local": facts.platform(platform_id(0)),
        "outside": facts.platform(platform_id(1)),
        "orphan": facts.platform(platform_id(2)),
    }


def expected_counts(world: World) -> dict[str, Any]:
    """The answer to ``COUNTS``: 433, 36 and 198 in the demo's world."""
    local = [item for item in world.permit_items if item.setting_level in ("PROVINCIAL_REGULATION", "CITY_REGULATION")]
    return {
        "all": {"totalCount": len(world.permit_items)},
        "local": {"totalCount": len(local)},
        "delegated": {"totalCount": sum(item.delegated for item in world.permit_items)},
    }


def expected_figures(world: World) -> dict[str, Any]:
    """The answer to ``FIGURES``."""
    credit = {record.uscc: record for record in world.credit_records}
    good = [entity.uscc for entity in world.enterprises if entity.uscc in credit and credit[entity.uscc].grade in ("A", "B")]
    best = sorted(good, key=lambda uscc: (-credit[uscc].score, uscc))
    levels = ("CENTRAL", "PROVINCIAL_REGULATION", "CITY_REGULATION")
    oldest = sorted(sorted(world.enterprises, key=lambda one: (one.name, one.uscc), reverse=True), key=lambda one: one.established_on)
    fined = [case for case in world.enforcement_cases if case.uscc == _asked()[0] and (case.penalty_amount or 0) > 0]
    fined.sort(key=lambda case: (-(case.penalty_amount or 0), case.case_no))
    return {
        "levels": [
            {
                "group": {"settingLevel": level, "delegated": delegated},
                "count": len(items),
                "max": {"validityYears": max((item.validity_years for item in items if item.validity_years is not None), default=None)},
            }
            for level in levels
            for delegated in (False, True)
            if (items := [item for item in world.permit_items if (item.setting_level, item.delegated) == (level, delegated)])
        ],
        "districts": [
            {
                "group": {"division": division},
                "count": len(some),
                "sum": {"registeredCapital": text_of(sum((one.registered_capital or Decimal(0) for one in some), Decimal(0)))},
                "min": {"establishedOn": min(one.established_on for one in some).isoformat()},
                "max": {"establishedOn": max(one.established_on for one in some).isoformat()},
            }
            for division in sorted({one.division for one in world.enterprises if one.division.startswith("3301")})
            if (some := [one for one in world.enterprises if one.division == division])
        ],
        "best": {
            "totalCount": len(good),
            "nodes": [{"uscc": uscc, "creditScore": {"score": credit[uscc].score, "grade": credit[uscc].grade}} for uscc in best[:5]],
        },
        "oldest": {"nodes": [{"uscc": one.uscc, "establishedOn": one.established_on.isoformat()} for one in oldest[:3]]},
        "heaviest": {
            "enforcementCases": {
                "totalCount": len(fined),
                "nodes": [{"caseNo": case.case_no, "penaltyAmount": text_of(case.penalty_amount)} for case in fined[:2]],
            }
        },
    }


def _asked() -> tuple[str, str, str]:
    """One with a bit of everything, one with gaps (no licence, no credit record, no shop), one with a lot."""
    return FIXTURES[0][0], FIXTURES[1][0], FIXTURES[2][0]


class _Facts:
    """The world by key, and how each record of it looks in the answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._enterprises = {entity.uscc: entity for entity in world.enterprises}
        self._credit = {record.uscc: record for record in world.credit_records}
        self._items = {item.item_code: item for item in world.permit_items}
        self._units = {unit.uscc: unit for unit in world.insured_units}
        self._platforms = {platform.platform_id: platform for platform in world.platforms}
        self._discharge = {permit.uscc: permit_shown(permit) for permit in world.discharge_permits if not permit.revoked}
        self._issues = _by_key(world.service_issues, "issue_no")

    def whole(self, uscc: str) -> dict[str, Any]:
        entity = self._enterprises[uscc]
        record = self._credit.get(uscc)
        licences = _by_key((licence for licence in self._world.licences if licence.holder == uscc), "licence_id")
        cases = _by_key((case for case in self._world.enforcement_cases if case.uscc == uscc), "case_no")
        checks = _by_key((result for result in self._world.check_results if result.uscc == uscc), "check_no")
        return {
            "uscc": entity.uscc,
            "name": entity.name,
            "entityType": entity.entity_type,
            "status": entity.status,
            "division": entity.division,
            "industryCode": entity.industry_code,
            "registeredCapital": text_of(entity.registered_capital),
            "establishedOn": entity.established_on.isoformat(),
            "address": entity.address,
            "creditScore": record
            and {
                "score": record.score,
                "grade": record.grade,
                "evaluatedAt": record.evaluated_at.isoformat(),
                "modelVersion": record.model_version,
            },
            "creditRepairUrl": record and record.repair_url,
            "licences": {"totalCount": len(licences), "nodes": [self._licence(licence) for licence in licences]},
            "enforcementCases": {"totalCount": len(cases), "nodes": [case_shown(case) for case in cases]},
            "checkResults": {
                "totalCount": len(checks),
                "pageInfo": {"hasNextPage": len(checks) > CHECKS_SHOWN, "hasPreviousPage": False},
                "nodes": [check_shown(result) for result in checks[:CHECKS_SHOWN]],
            },
            "onlineOperators": [self._operator(operator) for operator in self._world.online_operators if operator.uscc == uscc],
            "takeawayMerchants": [merchant_shown(merchant) for merchant in self._world.merchants if merchant.uscc == uscc],
            "socialFund": fund_shown(self._units[uscc]) if uscc in self._units else None,
            "dischargePermit": self._discharge.get(uscc),
        }

    def brief(self, uscc: str) -> dict[str, Any]:
        entity = self._enterprises[uscc]
        record = self._credit.get(uscc)
        return {
            "__typename": "Enterprise",
            "name": entity.name,
            "creditScore": record and {"grade": record.grade},
            "licences": {"totalCount": sum(licence.holder == uscc for licence in self._world.licences)},
        }

    def platform(self, platform_id: str) -> dict[str, Any]:
        platform = self._platforms[platform_id]
        return {
            "platformId": platform.platform_id,
            "name": platform.name,
            "category": platform.category,
            "monitoredSince": platform.monitored_since.isoformat(),
            "operator": self._operated_by(platform.operator_uscc),
        }

    def _operated_by(self, uscc: str | None) -> dict[str, Any] | None:
        """A reference is there when its code is; what is known of a code outside the register is nothing, and no error."""
        if uscc is None:
            return None
        entity = self._enterprises.get(uscc)
        return {"uscc": uscc, "name": entity and entity.name, "status": entity and entity.status}

    def _licence(self, licence: Licence) -> dict[str, Any]:
        item = self._items[licence.item_code] if licence.item_code else None
        return {
            "licenceId": licence.licence_id,
            "name": licence.name,
            "typeCode": licence.type_code,
            "issuer": licence.issuer,
            "issuerName": licence.issuer_name,
            "issuedOn": licence.issued_on.isoformat(),
            "validUntil": licence.valid_until and licence.valid_until.isoformat(),
            "status": licence.status,
            "trustLevel": licence.trust_level,
            "item": item
            and {
                "itemCode": item.item_code,
                "name": item.name,
                "settingLevel": item.setting_level,
                "legalBasis": list(item.legal_basis),
                "leadDept": item.lead_dept,
                "implementingDepts": list(item.implementing_depts),
                "exerciseLevels": list(item.exercise_levels),
                "validityYears": item.validity_years,
                "feeRequired": item.fee_required,
                "delegated": item.delegated,
                "serviceIssues": [issue_shown(issue) for issue in self._issues if issue.item_code == item.item_code],
            },
        }

    def _operator(self, operator: OnlineOperator) -> dict[str, Any]:
        platform = self._platforms[operator.platform_id]
        return {
            "operatorId": operator.operator_id,
            "shopName": operator.shop_name,
            "realNameVerified": operator.real_name_verified,
            "platform": {"platformId": platform.platform_id, "name": platform.name},
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


def _by_key(records: Iterable[Any], key: str) -> list[Any]:
    """A connection is in ascending order of its node's key."""
    return sorted(records, key=lambda record: str(getattr(record, key)))


WHOLE = Question(
    name="Whole",
    query="""
query Whole($first: USCC!, $second: USCC!, $third: USCC!, $local: ID!, $outside: ID!, $orphan: ID!) {
  first: enterprise(uscc: $first) { ...Everything }
  second: enterprise(uscc: $second) { ...Everything }
  third: enterprise(uscc: $third) { ...Everything }
  again: enterprise(uscc: $first) {
    __typename
    name
    creditScore { grade }
    licences { totalCount }
  }
  local: platform(platformId: $local) { ...Run }
  outside: platform(platformId: $outside) { ...Run }
  orphan: platform(platformId: $orphan) { ...Run }
}

fragment Everything on Enterprise {
  uscc
  name
  entityType
  status
  division
  industryCode
  registeredCapital
  establishedOn
  address
  creditScore { score grade evaluatedAt modelVersion }
  creditRepairUrl
  licences {
    totalCount
    nodes {
      licenceId
      name
      typeCode
      issuer
      issuerName
      issuedOn
      validUntil
      status
      trustLevel
      item {
        itemCode
        name
        settingLevel
        legalBasis
        leadDept
        implementingDepts
        exerciseLevels
        validityYears
        feeRequired
        delegated
        serviceIssues { issueNo category foundOn dueOn status }
      }
    }
  }
  enforcementCases {
    totalCount
    nodes { caseNo violation link summaryProcedure filedOn decidedOn penaltyAmount handlingDept decisionDocNo }
  }
  checkResults(first: 5) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage }
    nodes { checkNo planNo checkedAt outcome publicUrl }
  }
  onlineOperators {
    operatorId
    shopName
    realNameVerified
    platform { platformId name }
    findings { findingId scene foundAt disposal }
  }
  takeawayMerchants {
    merchantId
    shopName
    foodLicenceNo
    licenceExpires
    verifyStatus
    sunshineKitchen
    orders
    inspections { inspectionId indicator passed }
  }
  socialFund {
    registeredOn
    inArrears
    monthsInArrears
    headcount
    contributions { fund headcount payable paid }
  }
  dischargePermit { permitNo category validUntil }
}

fragment Run on Platform {
  platformId
  name
  category
  monitoredSince
  operator { uscc name status }
}
""".strip(),
    variables={
        **dict(zip(("first", "second", "third"), _asked(), strict=True)),
        "local": platform_id(0),
        "outside": platform_id(1),
        "orphan": platform_id(2),
    },
    answer=expected,
)

COUNTS = Question(
    name="Counts",
    query="""
query Counts($year: Int!) {
  all: permitItems(first: 1, filter: {versionYear: {eq: $year}}) { totalCount }
  local: permitItems(first: 1, filter: {settingLevel: {in: [PROVINCIAL_REGULATION, CITY_REGULATION]}}) { totalCount }
  delegated: permitItems(first: 1, filter: {delegated: {eq: true}}) { totalCount }
}
""".strip(),
    variables={"year": 2021},
    answer=expected_counts,
)

FIGURES = Question(
    name="Figures",
    query="""
query Figures($prefix: String!) {
  levels: permitItemAggregates(groupBy: [SETTING_LEVEL, DELEGATED]) { group { settingLevel delegated } count max { validityYears } }
  districts: enterpriseAggregates(filter: {division: {prefix: $prefix}}, groupBy: [DIVISION]) {
    group { division }
    count
    sum { registeredCapital }
    min { establishedOn }
    max { establishedOn }
  }
  best: enterprises(filter: {creditGrade: {in: [A, B]}}, orderBy: [{field: CREDIT_SCORE, direction: DESC}], first: 5) {
    totalCount
    nodes { uscc creditScore { score grade } }
  }
  oldest: enterprises(orderBy: [{field: ESTABLISHED_ON}, {field: NAME, direction: DESC}], first: 3) { nodes { uscc establishedOn } }
  heaviest: enterprise(uscc: "%s") {
    enforcementCases(filter: {penaltyAmount: {gt: "0"}}, orderBy: [{field: PENALTY_AMOUNT, direction: DESC}], first: 2) {
      totalCount
      nodes { caseNo penaltyAmount }
    }
  }
}
""".strip()
    % _asked()[0],
    variables={"prefix": "3301"},
    answer=expected_figures,
)

QUESTIONS = (WHOLE, COUNTS, FIGURES)
