"""The synthetic world behind the departments: one truth, in canonical terms, that all of them agree on.

``world(seed, enterprises)`` is a pure function: the same numbers always give the same world, and a smaller world is a prefix of a
larger one (of its enterprises and all that hangs on them). Every identifier passes its check; every company and person is made up.
Must not know how any department names or formats things: that is ``demo.native``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from random import Random

from demo.facts import (
    CheckResult,
    Contribution,
    CreditRecord,
    DischargePermit,
    EnforcementCase,
    Enterprise,
    Finding,
    InsuredUnit,
    Licence,
    OnlineOperator,
    PermitItem,
    Platform,
    ServiceIssue,
    World,
)
from demo.merchants import merchants
from demo.vocabulary import (
    ACTS,
    BRANCHES,
    BRAND_FIRST,
    BRAND_SECOND,
    CATEGORIES,
    DEPARTMENTS,
    DIVISIONS,
    ISSUE_CATEGORIES,
    LICENCE_KINDS,
    RETIRED_DIVISIONS,
    STEMS,
    TRADES,
    VIOLATIONS,
    Trade,
)
from schema.identifiers import complete_licence_id, complete_uscc, organisation_code

SEED = 2021
ENTERPRISES = 300
AS_OF = date(2026, 3, 31)  # the day the world is seen from: licences past it are expired
CHINA = timezone(timedelta(hours=8))
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LICENCE_DEFINER = "11100000000013338W"  # the body whose type codes all licence kinds use
PERMIT_ITEMS, LOCAL_ITEMS, DELEGATED_ITEMS = 433, 36, 198  # the figures of the published catalogue
PLATFORMS = 24
SERVICE_ISSUES = 103  # in nine categories, as was published
ASKED_LICENCES = 14  # those of the enterprises that documents name come first; their items have issues
OUTSIDE = "91310115MA1K35XY5H"  # a Shanghai code: runs a platform, is not in the province's register

# Codes that documents and tests name, first in every world: how many licences, checks, cases and shops each has, and whether
# the credit platform has a record of it.
FIXTURES = (
    ("91330106MA2AXK0T11", 4, 7, 2, 2, True),
    ("91330106MA27000820", 0, 3, 0, 0, False),
    ("91330106MA2700269Y", 10, 9, 5, 3, True),
    ("91330106MA270004XF", 1, 0, 1, 1, True),
    ("92330782MA2HXNQ55M", 2, 1, 0, 1, True),
)


@cache
def world(seed: int = SEED, enterprises: int = ENTERPRISES) -> World:
    """The world of ``seed`` with that many enterprises (at least the five fixtures). Raises ValueError for fewer."""
    if enterprises < len(FIXTURES):
        raise ValueError(f"a world has at least {len(FIXTURES)} enterprises, not {enterprises}")
    items = tuple(_permit_items(seed))
    by_name = {item.name: item.item_code for item in items}
    entities: list[Enterprise] = []
    licences: list[Licence] = []
    credit: list[CreditRecord] = []
    checks: list[CheckResult] = []
    cases: list[EnforcementCase] = []
    operators: list[OnlineOperator] = []
    taken: set[str] = set()
    for index in range(enterprises):
        rng = Random(f"{seed}/enterprise/{index}")
        trade = rng.choice(TRADES)
        entity = _enterprise(rng, index, trade, taken)
        taken.add(entity.uscc)
        fixed = FIXTURES[index] if index < len(FIXTURES) else None
        if fixed:
            _, many_licences, many_checks, many_cases, many_shops, rated = fixed
        else:
            many_licences, many_checks = rng.randint(0, 10), rng.randint(0, 9)
            many_cases, many_shops, rated = rng.choice((0, 0, 0, 1, 1, 2, 4)), rng.choice((0, 0, 1, 1, 2, 3)), rng.random() < 0.8
        entities.append(entity)
        licences.extend(_licence(rng, entity, trade, index, n, by_name) for n in range(many_licences))
        if rated:
            credit.append(_credit_record(rng, entity))
        checks.extend(_check_results(rng, entity, index, many_checks))
        cases.extend(_case(rng, entity.uscc, entity.name, entity.division, index, n) for n in range(many_cases))
        operators.extend(_operator(rng, entity.uscc, entity.name, index, n) for n in range(many_shops))
    strays = Random(f"{seed}/strays")
    for n in range(40):  # people and unverified shops: no code of any enterprise
        if n % 2:
            cases.append(_case(strays, None, person(strays), strays.choice(DIVISIONS)[0], 90_000 + n, 0))
        else:
            operators.append(_operator(strays, None, "未核验", 90_000 + n, 0))
    return World(
        seed,
        tuple(entities),
        tuple(licences),
        tuple(credit),
        tuple(checks),
        tuple(cases),
        items,
        tuple(_platforms(seed, [entity.uscc for entity in entities[: len(FIXTURES)]])),
        tuple(operators),
        tuple(_insured_unit(seed, entity, index) for index, entity in enumerate(entities) if index < 2 or index % 5),
        tuple(_service_issues(seed, items, [one.item_code for one in licences[:ASKED_LICENCES] if one.item_code])),
        tuple(_discharge_permit(seed, entity, index) for index, entity in enumerate(entities) if index in (0, 2, 3) or index % 4 == 0),
        tuple(merchant for index, entity in enumerate(entities) for merchant in merchants(seed, entity, index)),
    )


def person(rng: Random) -> str:
    """A name that nobody bears: 样例 and a pair from the sexagenary cycle."""
    return "样例" + rng.choice(STEMS) + rng.choice(BRANCHES)


@cache
def department_uscc(index: int) -> str:
    """The code of the provincial body ``DEPARTMENTS[index]``."""
    return complete_uscc("11330000" + organisation_code(DEPARTMENTS[index].body))


def new_uscc(rng: Random, kind: str, division: str) -> str:
    """A valid code: ``kind`` is the second character (1 company, 2 self-employed, 3 cooperative)."""
    return complete_uscc(f"9{kind}{division}" + organisation_code("MA2" + "".join(rng.choices(USCC_ALPHABET, k=5))))


def _enterprise(rng: Random, index: int, trade: Trade, taken: set[str]) -> Enterprise:
    place, city, county = DIVISIONS[0] if index < 4 else rng.choice(DIVISIONS)
    registered = RETIRED_DIVISIONS.get(place, place) if rng.random() < 0.2 else place
    kind = rng.choices("123", (8, 3, 1))[0]
    uscc = new_uscc(rng, kind, registered)
    while uscc in taken:
        uscc = new_uscc(rng, kind, registered)
    if index < len(FIXTURES):
        uscc = FIXTURES[index][0]
        kind = uscc[1]
        place, city, county = next(entry for entry in DIVISIONS if entry[0] == uscc[2:8])
    brand = f"示例{rng.choice(BRAND_FIRST)}{rng.choice(BRAND_SECOND)}"
    name, entity_type = {
        "1": (f"{city}{brand}{trade.name}有限公司", "COMPANY"),
        "2": (f"{county}{brand}{trade.name}经营部", "SELF_EMPLOYED"),
        "3": (f"{county}{brand}{trade.name}专业合作社", "COOPERATIVE"),
    }[kind]
    return Enterprise(
        uscc=uscc,
        name=name,
        entity_type=entity_type,
        status="ACTIVE" if index < 3 else rng.choices(("ACTIVE", "REVOKED", "CANCELLED"), (18, 1, 1))[0],
        division=place,
        industry_code=trade.industry,
        registered_capital=None if kind == "2" else Decimal(rng.randrange(100_00, 50_000_00, 25)).scaleb(-2),
        established_on=_day(rng, 2001, 2024),
        address=f"浙江省{city}市{county}示例路{rng.randint(1, 999)}号",
        legal_rep_name=person(rng),
    )


def _licence(rng: Random, entity: Enterprise, trade: Trade, index: int, n: int, items: dict[str, str]) -> Licence:
    usual = [kind for kind in LICENCE_KINDS if kind.serial in trade.licences]
    kind = (usual + [kind for kind in LICENCE_KINDS if kind not in usual])[n]  # those of its trade first, each kind once
    issuer = department_uscc(kind.department)
    issued = _day(rng, max(2018, entity.established_on.year), 2025)
    until = issued.replace(year=issued.year + kind.years) - timedelta(days=1) if kind.years else None
    type_code = LICENCE_DEFINER + kind.serial
    status = "REVOKED" if rng.random() < 0.05 else "EXPIRED" if until is not None and until < AS_OF else "VALID"
    return Licence(
        # A serial that does not grow with the date: a licence's place in a list is decided by its key, not by its age.
        licence_id=complete_licence_id(
            type_code, issuer, f"{issued:%Y}{(index * 7919 + n * 104_729 + 5521) % 1_000_000:06}{index:05}{n:02}", "001"
        ),
        name=kind.name,
        type_code=type_code,
        holder=entity.uscc,
        issuer=issuer,
        issuer_name=DEPARTMENTS[kind.department].name,
        issued_on=issued,
        valid_until=until,
        status=status,
        trust_level=rng.choices("ABCD", (6, 3, 2, 1))[0],
        item_code=items[kind.matter] if kind.matter else None,
    )


def _credit_record(rng: Random, entity: Enterprise) -> CreditRecord:
    score = rng.randint(300, 1000)
    grade = "A" if score >= 850 else "B" if score >= 750 else "C" if score >= 600 else "D" if score >= 450 else "E"
    return CreditRecord(
        uscc=entity.uscc,
        name=entity.name,
        score=score,
        grade=grade,
        evaluated_at=_moment(rng, 2025),
        model_version="531X-2.0." + str(rng.randint(1, 4)),
        repair_url=f"https://credit.example/repair/{entity.uscc}" if grade in "CDE" else None,
    )


def _check_results(rng: Random, entity: Enterprise, index: int, many: int) -> list[CheckResult]:
    found = []
    for n in range(many):
        at = _moment(rng, rng.randint(2021, 2025))
        number = f"JC{(index * 31 + n * 617 + 137) % 1000:03}{index:05}{n}"
        found.append(
            CheckResult(
                check_no=number,
                plan_no=f"SSJ{at.year}{rng.randint(1, 120):03}",
                uscc=entity.uscc,
                officers=tuple(person(rng) for _ in range(2)),
                checked_at=at,
                outcome=rng.choices(("PASSED", "RECTIFY", "FAILED", "NOT_FOUND"), (7, 2, 1, 1))[0],
                public_url=f"https://public.example/checks/{number}" if rng.random() < 0.9 else None,
            )
        )
    return sorted(found, key=lambda result: result.checked_at, reverse=True)  # the department lists the newest first


def _case(rng: Random, uscc: str | None, party: str, division: str, index: int, n: int) -> EnforcementCase:
    violation, clause = rng.choice(VIOLATIONS)
    link = rng.choice(("CLUE", "FILED", "INVESTIGATION", "REVIEW", "NOTICE", "DECISION", "EXECUTION", "CLOSED", "CLOSED"))
    filed = _day(rng, 2021, 2025)
    decided = filed + timedelta(days=rng.randint(20, 90)) if link in ("DECISION", "EXECUTION", "CLOSED") else None
    serial = (index * 13 + n * 3571 + 241) % 10_000
    return EnforcementCase(
        case_no=f"ZJ{division}{serial:04}{index:05}{n}",
        uscc=uscc,
        party_name=party,
        violation=violation,
        legal_clause=clause,
        link=link,
        summary_procedure=rng.random() < 0.3,
        filed_on=filed,
        decided_on=decided,
        penalty_amount=Decimal(rng.randrange(200_00, 200_000_00, 50)).scaleb(-2) if decided else None,
        handling_dept=department_uscc(0),
        division=division,
        decision_doc_no=f"浙市监处罚〔{decided.year}〕{serial}号" if decided else None,
    )


def _insured_unit(seed: int, entity: Enterprise, index: int) -> InsuredUnit:
    """The first pays all, the second owes, the third has nothing to pay at present; of the others every fifth is not insured."""
    rng = Random(f"{seed}/insured/{index}")
    many = rng.randint(1, 400)
    months = (None, 3)[index] if index < 2 else rng.choice((None, None, None, rng.randint(1, 14)))
    contributions = []
    for fund, rate in (("PENSION", 24), ("UNEMPLOYMENT", 1), ("MEDICAL", 11), ("INJURY", 1), ("HOUSING", 20))[: rng.choice((3, 4, 5, 5))]:
        payable = Decimal(many * rng.randint(4_000_00, 12_000_00) * rate // 100).scaleb(-2)
        contributions.append(Contribution(fund, many, payable, None if months and fund == "PENSION" else payable))
    registered = _day(rng, max(2003, entity.established_on.year), 2025)
    return InsuredUnit(entity.uscc, entity.name, registered, months, many, () if index == 2 else tuple(contributions))


def _discharge_permit(seed: int, entity: Enterprise, index: int) -> DischargePermit:
    """The first was renewed, the third has the heaviest kind, the fourth was revoked; of the others every fourth has or had one."""
    rng = Random(f"{seed}/discharge/{index}")
    until = _day(rng, 2026, 2030)
    renewed = index == 0 or rng.random() < 0.3
    return DischargePermit(
        uscc=entity.uscc,
        permit_no=f"{entity.uscc}{1:03}{rng.choice('PQRSTUVWXYZ')}",
        category="KEY" if index == 2 else rng.choice(("KEY", "SIMPLIFIED", "REGISTERED")),
        valid_until=until,
        division=entity.division,
        renewed_from=until.replace(year=until.year - 5) if renewed else None,
        revoked=index == 3 or (index > 4 and rng.random() < 0.1),
    )


def _permit_items(seed: int) -> Iterator[PermitItem]:
    """433 items: the first act of every object is there, 36 are set by regulations of the province or a city, 198 are delegated."""
    rng = Random(f"{seed}/permit-items")
    matters = [(dept, o, a) for a in range(len(ACTS)) for dept in range(len(DEPARTMENTS)) for o in range(len(DEPARTMENTS[dept].objects))]
    matters = sorted(matters[:PERMIT_ITEMS])
    local = rng.sample(range(PERMIT_ITEMS), LOCAL_ITEMS)
    level = {index: "PROVINCIAL_REGULATION" if n < 30 else "CITY_REGULATION" for n, index in enumerate(local)}
    delegated = set(rng.sample(range(PERMIT_ITEMS), DELEGATED_ITEMS))
    for index, (number, subject, act) in enumerate(matters):
        dept = DEPARTMENTS[number]
        setting = level.get(index, "CENTRAL")
        named = dept.objects[subject] + ACTS[act]
        law = {
            "CENTRAL": "《中华人民共和国行政许可法》",
            "PROVINCIAL_REGULATION": "浙江省地方性法规",
            "CITY_REGULATION": "设区的市地方性法规",
        }[setting]
        yield PermitItem(
            item_code=f"{'00' if setting == 'CENTRAL' else '33'}01{dept.code}{subject + 1:03}{act + 1:03}",
            name=named,
            setting_level=setting,
            legal_basis=(law, f"《{dept.objects[subject]}管理办法》")[: rng.randint(1, 2)],
            lead_dept=dept.name,
            implementing_depts=(department_uscc(number),) + ((department_uscc(0),) if number and rng.random() < 0.2 else ()),
            exercise_levels=("PROVINCE", "CITY", "COUNTY")[: rng.randint(2, 3)] if index in delegated else ("PROVINCE",),
            conditions=f"符合{named}的法定条件" if rng.random() < 0.9 else None,
            validity_years=rng.choice((None, 1, 3, 4, 5)),
            fee_required=rng.random() < 0.1,
            quantity_limit=rng.random() < 0.1,
            annual_check=rng.random() < 0.3,
            delegated=index in delegated,
            version_year=2021,
        )


def _service_issues(seed: int, items: tuple[PermitItem, ...], known: list[str]) -> Iterator[ServiceIssue]:
    """Numbered in the order in which they were found, over one year; every third about an item of a licence that documents ask for."""
    rng = Random(f"{seed}/service-issues")
    found = sorted(_day(rng, 2021, 2021) for _ in range(SERVICE_ISSUES))
    for n, day in enumerate(found):
        category, subject = ISSUE_CATEGORIES[n % len(ISSUE_CATEGORIES)]
        item = None if n % 5 == 4 else rng.choice(known) if n % 3 == 0 and known else rng.choice(items).item_code
        dept = rng.choice(DEPARTMENTS)
        yield ServiceIssue(
            issue_no=f"WT2021{n + 1:04}",
            category=category,
            title=f"{dept.name}{subject}问题",
            found_by=rng.choice(("INVESTIGATION", "EXPERIENCE", "REVIEW")),
            found_on=day,
            due_on=None if rng.random() < 0.1 else day + timedelta(days=rng.choice((15, 30, 60, 90))),
            status=rng.choices(("OPEN", "RECTIFYING", "VERIFIED", "CLOSED"), (2, 3, 3, 6))[0],
            division=rng.choice(DIVISIONS)[0],
            dept=dept.name,
            item_code=item,
        )


def _platforms(seed: int, operators: list[str]) -> Iterator[Platform]:
    """The first is run by an enterprise of the province, the second from outside it, the third by nobody known."""
    rng = Random(f"{seed}/platforms")
    for n in range(PLATFORMS):
        yield Platform(
            platform_id=platform_id(n),
            name=f"示例{rng.choice(BRAND_FIRST)}{rng.choice(BRAND_SECOND)}{rng.choice(('优选', '商城', '集市', '到家'))}",
            category=CATEGORIES[n % len(CATEGORIES)],
            operator_uscc=(operators[0], OUTSIDE, None)[n] if n < 3 else rng.choice(operators),
            monitored_since=_day(rng, 2019, 2022),
        )


def platform_id(n: int) -> str:
    return f"PT{n + 1:04}"


def _operator(rng: Random, uscc: str | None, owner: str, index: int, n: int) -> OnlineOperator:
    number = f"OP{(index * 37 + n * 411 + 73) % 1000:03}{index:05}{n}"
    findings = tuple(
        Finding(
            finding_id=f"XS{number[2:]}{k}",
            scene=rng.choice(("CHOOSE_ONE_OF_TWO", "BELOW_COST", "PRICE_DISCRIMINATION")),
            found_at=_moment(rng, rng.randint(2022, 2025)),
            disposal=rng.choice((None, "TAKEDOWN", "RECTIFY", "CASE_FILED")),
        )
        for k in range(2 if n == 0 and index < len(FIXTURES) else rng.choice((0, 0, 1, 2)))
    )
    return OnlineOperator(
        operator_id=number,
        shop_name=f"{owner[:8]}{('旗舰店', '专营店', '直播间')[n % 3]}",
        real_name_verified=uscc is not None,
        platform_id=platform_id((index + n) % 3 if n < 2 else rng.randrange(PLATFORMS)),
        uscc=uscc,
        findings=findings,
    )


def _day(rng: Random, first: int, last: int) -> date:
    return date(rng.randint(first, last), rng.randint(1, 12), rng.randint(1, 28))


def _moment(rng: Random, year: int) -> datetime:
    return datetime(year, rng.randint(1, 12), rng.randint(1, 28), rng.randint(8, 18), rng.randint(0, 59), rng.randint(0, 59), tzinfo=CHINA)
