"""The synthetic world: valid identifiers, the published figures, agreement between its parts, and the same again for the same seed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.facts import World
from demo.native import TABLES, check_json, credit_json, licence_json, operator_fields, platform_fields, unit_xml
from demo.seed import AS_OF, FIXTURES, OUTSIDE, PLATFORMS, world
from schema.identifiers import check_division, check_item_code, check_licence_id, check_uscc, organisation_code, quality_uscc

SMALL = st.builds(world, seed=st.integers(0, 10**9), enterprises=st.integers(5, 25))


@settings(max_examples=15)
@given(SMALL)
def test_every_identifier_of_every_world_passes_its_check(made: World) -> None:
    holders = [entity.uscc for entity in made.enterprises] + [licence.issuer for licence in made.licences]
    departments = [code for item in made.permit_items for code in item.implementing_depts]
    for code in {*holders, *departments, *(case.handling_dept for case in made.enforcement_cases), OUTSIDE}:
        assert check_uscc(code) == code
        assert organisation_code(code[8:16]) == code[8:17]
        assert quality_uscc(code) is None
    for entity in made.enterprises:
        assert check_division(entity.division) == entity.division
    for licence in made.licences:
        assert check_licence_id(licence.licence_id) == licence.licence_id
    for item in made.permit_items:
        assert check_item_code(item.item_code) == item.item_code
        assert len(item.item_code) == 12


@settings(max_examples=15)
@given(SMALL)
def test_keys_are_unique_and_references_lead_somewhere(made: World) -> None:
    known = {entity.uscc for entity in made.enterprises}
    items = {item.item_code for item in made.permit_items}
    platforms = {platform.platform_id for platform in made.platforms}
    for keys in (
        [entity.uscc for entity in made.enterprises],
        [licence.licence_id for licence in made.licences],
        [record.uscc for record in made.credit_records],
        [result.check_no for result in made.check_results],
        [case.case_no for case in made.enforcement_cases],
        [item.item_code for item in made.permit_items],
        [platform.platform_id for platform in made.platforms],
        [operator.operator_id for operator in made.online_operators],
        [finding.finding_id for operator in made.online_operators for finding in operator.findings],
    ):
        assert len(set(keys)) == len(keys)
    assert {licence.holder for licence in made.licences} <= known
    assert {licence.item_code for licence in made.licences} <= items | {None}
    assert {case.uscc for case in made.enforcement_cases} <= known | {None}
    assert {operator.uscc for operator in made.online_operators} <= known | {None}
    assert {operator.platform_id for operator in made.online_operators} <= platforms
    assert {platform.operator_uscc for platform in made.platforms} <= known | {None, OUTSIDE}
    assert OUTSIDE not in known


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    made = world.__wrapped__(7, 20)

    assert made == world.__wrapped__(7, 20)
    assert made != world.__wrapped__(8, 20)


def test_a_smaller_world_is_the_beginning_of_a_larger_one() -> None:
    small, large = world(3, 10), world(3, 40)
    known = {entity.uscc for entity in small.enterprises}

    assert large.enterprises[:10] == small.enterprises
    assert [licence for licence in large.licences if licence.holder in known] == list(small.licences)
    assert [result for result in large.check_results if result.uscc in known] == list(small.check_results)
    assert [case for case in large.enforcement_cases if case.uscc in known or case.uscc is None] == list(small.enforcement_cases)
    assert [unit for unit in large.insured_units if unit.uscc in known] == list(small.insured_units)
    assert [merchant for merchant in large.merchants if merchant.uscc in known] == list(small.merchants)
    assert large.permit_items == small.permit_items


def test_a_world_without_its_fixtures_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 5 enterprises, not 4"):
        world(1, 4)


def test_the_permit_catalogue_has_the_published_figures() -> None:
    items = world().permit_items

    assert len(items) == 433
    assert Counter(item.setting_level for item in items) == {"CENTRAL": 397, "PROVINCIAL_REGULATION": 30, "CITY_REGULATION": 6}
    assert sum(item.delegated for item in items) == 198
    assert {item.version_year for item in items} == {2021}
    assert all(item.item_code.startswith("00" if item.setting_level == "CENTRAL" else "33") for item in items)
    assert all("CITY" in item.exercise_levels for item in items if item.delegated)


def test_the_world_is_uneven_enough_to_test_with() -> None:
    made = world()
    licences = Counter(licence.holder for licence in made.licences)
    checks = Counter(result.uscc for result in made.check_results)
    shops = Counter(operator.uscc for operator in made.online_operators)
    codes = [entity.uscc for entity in made.enterprises]

    assert {licences[code] for code in codes} == set(range(11))
    assert {checks[code] for code in codes} == set(range(10))
    assert 0.75 < len(made.credit_records) / len(codes) < 0.85
    assert {record.grade for record in made.credit_records} == set("ABCDE")
    assert all((record.repair_url is None) == (record.grade in "AB") for record in made.credit_records)
    assert len({case.link for case in made.enforcement_cases}) == 8
    assert {case.uscc is None for case in made.enforcement_cases} == {True, False}
    assert shops[None] == 20
    assert max(len({o.platform_id for o in made.online_operators if o.uscc == code}) for code in codes) >= 2
    assert 0.75 < len(made.insured_units) / len(codes) < 0.85
    assert {len(unit.contributions) for unit in made.insured_units} == {0, 3, 4, 5}
    assert {unit.months_in_arrears is None for unit in made.insured_units} == {True, False}
    assert len(made.platforms) == PLATFORMS
    assert {licence.status for licence in made.licences} == {"VALID", "EXPIRED", "REVOKED"}
    assert all(licence.valid_until and licence.valid_until < AS_OF for licence in made.licences if licence.status == "EXPIRED")
    assert any(entity.uscc[2:8] != entity.division for entity in made.enterprises), "some were registered before a merger of districts"


def test_the_fixtures_come_first_and_have_what_they_promise() -> None:
    made = world()

    for index, (uscc, licences, checks, cases, shops, rated) in enumerate(FIXTURES):
        assert made.enterprises[index].uscc == uscc
        assert sum(licence.holder == uscc for licence in made.licences) == licences
        assert sum(result.uscc == uscc for result in made.check_results) == checks
        assert sum(case.uscc == uscc for case in made.enforcement_cases) == cases
        assert sum(operator.uscc == uscc for operator in made.online_operators) == shops
        assert any(record.uscc == uscc for record in made.credit_records) is rated


def test_companies_and_people_are_plainly_made_up() -> None:
    made = world()

    assert all("示例" in entity.name for entity in made.enterprises)
    assert all(entity.legal_rep_name.startswith("样例") for entity in made.enterprises)
    assert all(name.startswith("样例") for result in made.check_results for name in result.officers)
    assert all(case.party_name.startswith("样例") for case in made.enforcement_cases if case.uscc is None)
    assert all("示例" in platform.name for platform in made.platforms)


def test_departments_write_every_record_down() -> None:
    made = world()
    tables = {table.name: table for tables in TABLES.values() for table in tables}

    assert len(tables["T_FRXX"].rows(made)) == len(made.enterprises)
    assert len(tables["AJ_JBXX"].rows(made)) == len(made.enforcement_cases)
    assert len(tables["XK_SX"].rows(made)) == 433
    assert all(len(row) == len(table.columns) for table in tables.values() for row in table.rows(made))
    assert {len(licence_json(licence)) for licence in made.licences} == {10}
    assert {len(credit_json(record)) for record in made.credit_records} == {8}
    assert {len(check_json(result)) for result in made.check_results} == {7}
    assert {len(platform_fields(platform)) for platform in made.platforms} == {5}
    assert {len(operator_fields(operator)) for operator in made.online_operators} == {6}
    assert {len(unit_xml(unit)) - bool(unit.months_in_arrears) for unit in made.insured_units} == {6}
