"""The records of the synthetic world, in canonical terms: what is true, before any department writes it down its own way.

Enumerations are canonical names, dates are dates, amounts are decimals. Must not know how the records are made or served.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Enterprise:
    """``registered_capital`` in ten thousand yuan; enumerations are canonical names."""

    uscc: str
    name: str
    entity_type: str
    status: str
    division: str
    industry_code: str
    registered_capital: Decimal | None
    established_on: date
    address: str
    legal_rep_name: str


@dataclass(frozen=True, slots=True)
class Licence:
    licence_id: str
    name: str
    type_code: str
    holder: str
    issuer: str
    issuer_name: str
    issued_on: date
    valid_until: date | None
    status: str
    trust_level: str
    item_code: str | None


@dataclass(frozen=True, slots=True)
class CreditRecord:
    uscc: str
    name: str
    score: int
    grade: str
    evaluated_at: datetime
    model_version: str
    repair_url: str | None


@dataclass(frozen=True, slots=True)
class CheckResult:
    check_no: str
    plan_no: str
    uscc: str
    officers: tuple[str, ...]
    checked_at: datetime
    outcome: str
    public_url: str | None


@dataclass(frozen=True, slots=True)
class EnforcementCase:
    """``uscc`` is None when the party is a person; ``penalty_amount`` in yuan, None until decided."""

    case_no: str
    uscc: str | None
    party_name: str
    violation: str
    legal_clause: str
    link: str
    summary_procedure: bool
    filed_on: date
    decided_on: date | None
    penalty_amount: Decimal | None
    handling_dept: str
    division: str
    decision_doc_no: str | None


@dataclass(frozen=True, slots=True)
class PermitItem:
    item_code: str
    name: str
    setting_level: str
    legal_basis: tuple[str, ...]
    lead_dept: str
    implementing_depts: tuple[str, ...]
    exercise_levels: tuple[str, ...]
    conditions: str | None
    validity_years: int | None
    fee_required: bool
    quantity_limit: bool
    annual_check: bool
    delegated: bool
    version_year: int


@dataclass(frozen=True, slots=True)
class Platform:
    platform_id: str
    name: str
    category: str
    operator_uscc: str | None
    monitored_since: date


@dataclass(frozen=True, slots=True)
class Finding:
    finding_id: str
    scene: str
    found_at: datetime
    disposal: str | None


@dataclass(frozen=True, slots=True)
class OnlineOperator:
    operator_id: str
    shop_name: str
    real_name_verified: bool
    platform_id: str
    uscc: str | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """``fund`` is the name of the kind; amounts in yuan, ``paid`` None while nothing has come in."""

    fund: str
    headcount: int
    payable: Decimal
    paid: Decimal | None


@dataclass(frozen=True, slots=True)
class InsuredUnit:
    """An enterprise as social insurance knows it; ``months_in_arrears`` is None where nothing is owed."""

    uscc: str
    name: str
    registered_on: date
    months_in_arrears: int | None
    headcount: int
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class ServiceIssue:
    """``item_code`` is that of the permit item whose service it is about, where it is about one."""

    issue_no: str
    category: str
    title: str
    found_by: str
    found_on: date
    due_on: date | None
    status: str
    division: str
    dept: str
    item_code: str | None


@dataclass(frozen=True, slots=True)
class DischargePermit:
    """``renewed_from`` is until when it was valid before it was renewed, where it was; a revoked one is no longer one."""

    uscc: str
    permit_no: str
    category: str
    valid_until: date
    division: str
    renewed_from: date | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class KitchenInspection:
    inspection_id: str
    captured_at: datetime
    indicator: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Merchant:
    """A shop on a platform that delivers meals; ``orders`` is how many it has had, which may be more than 32 bits hold."""

    merchant_id: str
    uscc: str
    shop_name: str
    platform_id: str
    food_licence_no: str | None
    licence_expires: date | None
    verify_status: str
    verified_at: datetime
    sunshine_kitchen: bool
    orders: int
    inspections: tuple[KitchenInspection, ...]


@dataclass(frozen=True, slots=True)
class World:
    """Everything, in the order it was made. Within one enterprise, lists are in the order its department would give them."""

    seed: int
    enterprises: tuple[Enterprise, ...]
    licences: tuple[Licence, ...]
    credit_records: tuple[CreditRecord, ...]
    check_results: tuple[CheckResult, ...]
    enforcement_cases: tuple[EnforcementCase, ...]
    permit_items: tuple[PermitItem, ...]
    platforms: tuple[Platform, ...]
    online_operators: tuple[OnlineOperator, ...]
    insured_units: tuple[InsuredUnit, ...]
    service_issues: tuple[ServiceIssue, ...]
    discharge_permits: tuple[DischargePermit, ...]
    merchants: tuple[Merchant, ...]
